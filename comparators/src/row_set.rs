//! A set of rows of one side, by their position.

use std::ops::Range;

/// Positions, a bit each.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowSet {
    words: Vec<u64>,
    len: u64,
}

impl RowSet {
    pub(crate) fn insert(&mut self, row: u64) {
        let (word, bit) = place(row);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += u64::from(is_new);
    }

    pub(crate) fn contains(&self, row: u64) -> bool {
        let (word, bit) = place(row);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// The rows of the set among these, ascending.
    pub(crate) fn within(&self, rows: Range<u64>) -> impl Iterator<Item = u64> {
        let (first, _) = place(rows.start);
        let words = self.words.iter().enumerate().skip(first);
        let words = words.take_while({
            let end = rows.end;
            move |(word, _)| (*word as u64) * 64 < end
        });
        let set = words.filter(|(_, bits)| **bits != 0);
        set.flat_map(|(word, bits)| {
            let first = word as u64 * 64;
            (0..64)
                .filter(move |bit| bits >> bit & 1 == 1)
                .map(move |bit| first + bit)
        })
        .filter(move |row| rows.contains(row))
    }

    /// Adds the rows of another set, none of which is in this one.
    pub(crate) fn merge(&mut self, other: Self) {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, more) in self.words.iter_mut().zip(other.words) {
            *word |= more;
        }
        self.len += other.len;
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

fn place(row: u64) -> (usize, u64) {
    let word = usize::try_from(row / 64)
        .expect("a bit for every row of a side fits into the address space");
    (word, 1 << (row % 64))
}
