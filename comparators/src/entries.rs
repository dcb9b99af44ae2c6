//! What is kept of every row: the digests of its key and of all its cells, and where it stands.

/// One row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry {
    /// The digest of the key; of the whole row where there is no key.
    pub(crate) key: u128,
    /// The digest of all compared cells, those of the key among them.
    pub(crate) row: u128,
    /// The row's position in its table.
    pub(crate) position: u64,
}

/// The rows of one side, in parts by the key's digest: rows that can match are in parts of the same number.
#[derive(Debug)]
pub(crate) struct Entries {
    parts: Vec<Vec<Entry>>,
}

impl Entries {
    /// An empty side of so many parts, a power of two.
    pub(crate) fn new(parts: usize) -> Self {
        Self {
            parts: vec![Vec::new(); parts],
        }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        // The middle bits: a digest's lowest decide the place within a part.
        let part = (entry.key >> 64) as usize % self.parts.len();
        self.parts[part].push(entry);
    }

    pub(crate) fn into_parts(self) -> impl Iterator<Item = Vec<Entry>> {
        self.parts.into_iter()
    }
}
