//! Light rows, and which of them belong together.

use crate::both::Both;
use crate::means::SHORT_BITS;

const WORD_BYTES: usize = 8;
/// The number that stands for a customer whose own number is too great for the bits beside a short key.
pub(super) const UNNUMBERED: u32 = (1 << (u64::BITS - SHORT_BITS)) - 1;
/// No row.
const NONE: u32 = u32::MAX;

/// The light rows of one part of one side, column by column.
#[derive(Debug, Default)]
pub(super) struct LightRows {
    /// The short forms of their keys.
    pub(super) keys: Vec<u64>,
    /// The numbers of their customers, as far as they have one here.
    pub(super) customers: Vec<u32>,
    held: Vec<u64>,
    words: usize,
}

impl LightRows {
    /// Reads rows with so many held words each.
    pub(super) fn decode(bytes: &[u8], words: usize) -> Self {
        let count = bytes.len() / WORD_BYTES / (1 + words);
        let mut rows = Self {
            keys: Vec::with_capacity(count),
            customers: Vec::with_capacity(count),
            held: Vec::with_capacity(count * words),
            words,
        };
        for row in bytes.chunks_exact(WORD_BYTES * (1 + words)) {
            let mut all = row.chunks_exact(WORD_BYTES).map(word);
            let first = all.next().unwrap_or_default();
            rows.keys.push(first & ((1 << SHORT_BITS) - 1));
            rows.customers.push((first >> SHORT_BITS) as u32);
            rows.held.extend(all);
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

/// The pairs of an old and a new row of one key. A key that does not stand exactly once on each side is shown.
pub(super) fn pairs(rows: &Both<LightRows>, mut show: impl FnMut(u64)) -> Vec<Both<usize>> {
    let mut table = Table::new(&rows.old.keys, &mut show);
    for (row, key) in rows.new.keys.iter().enumerate() {
        if !table.pair(*key, row) {
            show(*key);
        }
    }
    let old = rows.old.keys.iter();
    let partners = old.zip(table.partners).enumerate();
    let pairs = partners.filter_map(|(old, (key, new))| {
        if new == NONE {
            show(*key);
            return None;
        }
        let new = new as usize;
        Some(Both { old, new })
    });
    pairs.collect()
}

/// A hash table with open addressing, from keys to old rows and from there to new ones.
struct Table<'k> {
    keys: &'k [u64],
    slots: Vec<u32>,
    partners: Vec<u32>,
    shift: u32,
}

impl<'k> Table<'k> {
    fn new(keys: &'k [u64], show: &mut impl FnMut(u64)) -> Self {
        assert!(
            keys.len() < NONE as usize,
            "a part has fewer rows than a row number has values"
        );
        let slots = (keys.len() * 2).next_power_of_two().max(2);
        let mut table = Self {
            keys,
            slots: vec![NONE; slots],
            partners: vec![NONE; keys.len()],
            shift: SHORT_BITS - slots.ilog2(),
        };
        for (row, key) in keys.iter().enumerate() {
            let slot = table.slot(*key);
            if table.slots[slot] == NONE {
                table.slots[slot] = row as u32;
            } else {
                show(*key);
            }
        }
        table
    }

    /// Gives a new row to the old one of its key; `false` if there is none, or if it has one already.
    fn pair(&mut self, key: u64, row: usize) -> bool {
        let old = self.slots[self.slot(key)];
        if old == NONE || self.partners[old as usize] != NONE {
            return false;
        }
        self.partners[old as usize] = row as u32;
        true
    }

    /// The slot that has the key, or that it would have. The upper bits of a key are as good as a hash of it.
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = (key >> self.shift) as usize;
        while self.slots[slot] != NONE && self.keys[self.slots[slot] as usize] != key {
            slot = (slot + 1) & mask;
        }
        slot
    }
}
