//! Light records: the upper half of the key's digest, and where columns are held, the customer and the held cells.

use crate::both::Both;

const WORD_BYTES: usize = 8;
/// No row.
const NONE: u32 = u32::MAX;

/// The light records of one part of one side, column by column.
#[derive(Debug, Default)]
pub(super) struct LightRows {
    pub(super) keys: Vec<u64>,
    /// The customers' numbers on their side, where columns are held.
    pub(super) customers: Vec<u32>,
    held: Vec<u64>,
    words: usize,
}

impl LightRows {
    /// Reads records with so many held words each.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a customer's number was written as a whole word"
    )]
    pub(super) fn decode(bytes: &[u8], words: usize) -> Self {
        let mut all = bytes.chunks_exact(WORD_BYTES).map(word);
        let mut rows = Self {
            words,
            ..Self::default()
        };
        if words == 0 {
            rows.keys = all.collect();
            return rows;
        }
        while let Some(key) = all.next() {
            rows.keys.push(key);
            rows.customers
                .extend(all.next().map(|number| number as u32));
            rows.held.extend(all.by_ref().take(words));
        }
        rows
    }

    /// The held words of a row.
    pub(super) fn held(&self, row: usize) -> &[u64] {
        &self.held[row * self.words..(row + 1) * self.words]
    }
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("a word has its bytes"))
}

/// A hash table with open addressing, from keys to old rows and from there to new ones.
pub(super) struct PairTable {
    slots: Vec<u32>,
    partners: Vec<u32>,
}

impl PairTable {
    pub(super) fn new(old_rows: usize) -> Self {
        assert!(
            old_rows < NONE as usize,
            "a part has fewer rows than a row number has values"
        );
        Self {
            slots: vec![NONE; (old_rows * 2).next_power_of_two()],
            partners: vec![NONE; old_rows],
        }
    }

    /// Takes an old row up; `false` if its key is there already.
    pub(super) fn insert(&mut self, keys: &[u64], row: usize) -> bool {
        let slot = self.slot(keys, keys[row]);
        let is_new = self.slots[slot] == NONE;
        if is_new {
            self.slots[slot] = row as u32;
        }
        is_new
    }

    /// Gives a new row to the old one of its key; `false` if there is none, or if it has one already.
    pub(super) fn pair(&mut self, keys: &[u64], key: u64, row: usize) -> bool {
        let old = self.slots[self.slot(keys, key)];
        if old == NONE || self.partners[old as usize] != NONE {
            return false;
        }
        self.partners[old as usize] = row as u32;
        true
    }

    /// The slot that has the key, or that it would have.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower bits of a digest are its hash"
    )]
    fn slot(&self, keys: &[u64], key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = key as usize & mask;
        while self.slots[slot] != NONE && keys[self.slots[slot] as usize] != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// The pairs, in the order of the old rows.
    pub(super) fn pairs(&self) -> Vec<Both<usize>> {
        let paired = self
            .partners
            .iter()
            .enumerate()
            .filter(|(_, new)| **new != NONE);
        paired
            .map(|(old, new)| Both {
                old,
                new: *new as usize,
            })
            .collect()
    }
}
