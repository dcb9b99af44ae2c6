//! A set of rows of one side, by their position.

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

    /// Whether any of these rows is in the set.
    pub(crate) fn has_any(&self, rows: std::ops::Range<u64>) -> bool {
        let (first, _) = place(rows.start);
        let (last, _) = place(rows.end.max(rows.start + 1) - 1);
        let words = self
            .words
            .get(first..self.words.len().min(last + 1))
            .unwrap_or_default();
        words.iter().any(|word| *word != 0) && rows.into_iter().any(|row| self.contains(row))
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
