//! Keys that stand more than once on the old side, or look as if they did.

use crate::means::{LONG_BITS, Means, TempError};
use crate::parts::Parts;

/// The bytes that a key is kept in.
pub(super) const KEY_BYTES: usize = LONG_BITS as usize / 8;

/// The keys that stand more than once in a part, and the very few that are alike by chance, in their longer forms.
/// `None` if there are too many to look at, so that any may be repeated.
pub(super) fn repeated_keys(
    keys: &Parts<'_>,
    part: usize,
    means: &Means,
) -> Result<Option<Vec<u64>>, TempError> {
    if keys.bytes(part) > means.most_part_bytes {
        keys.forget(part)?;
        return Ok(None);
    }
    let bytes = keys.take(part)?;
    let mut seen = Seen::new(bytes.len() / KEY_BYTES);
    let keys = bytes.chunks_exact(KEY_BYTES).map(|key| {
        let mut word = [0; size_of::<u64>()];
        word[..KEY_BYTES].copy_from_slice(key);
        u64::from_le_bytes(word)
    });
    Ok(Some(keys.filter(|key| !seen.insert(*key)).collect()))
}

/// A set of keys: a hash table with open addressing.
struct Seen {
    /// Zero where there is none.
    slots: Vec<u64>,
    has_zero: bool,
    shift: u32,
}

impl Seen {
    fn new(keys: usize) -> Self {
        let slots = (keys * 2).next_power_of_two().max(2);
        Self {
            slots: vec![0; slots],
            has_zero: false,
            shift: LONG_BITS - slots.ilog2(),
        }
    }

    /// `false` if the key is there already. The upper bits of a key are as good as a hash of it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "as many bits are left as say a slot"
    )]
    fn insert(&mut self, key: u64) -> bool {
        if key == 0 {
            return !std::mem::replace(&mut self.has_zero, true);
        }
        let mask = self.slots.len() - 1;
        let mut slot = (key >> self.shift) as usize;
        while self.slots[slot] != 0 {
            if self.slots[slot] == key {
                return false;
            }
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = key;
        true
    }
}
