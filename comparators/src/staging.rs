//! Rows on their way to their parts.
//!
//! Rows arrive in no order of their parts, and a visit to a part costs more than what is written there. So a few rows
//! of every part are gathered in one small place that stays in the cache, and a part is visited once for all of them.

/// The rows of a part that are gathered.
const GATHERED_ROWS: u8 = 32;

/// Rows of equally many words, gathered by their parts.
#[derive(Debug)]
pub(crate) struct Staging {
    words: usize,
    rows: Vec<u64>,
    counts: Vec<u8>,
}

impl Staging {
    pub(crate) fn new(parts: usize, words: usize) -> Self {
        Self {
            words,
            rows: vec![0; parts * words * usize::from(GATHERED_ROWS)],
            counts: vec![0; parts],
        }
    }

    /// Room for one more row of a part. Afterwards [`Staging::is_full`] has to be asked.
    #[inline]
    pub(crate) fn room(&mut self, part: usize) -> &mut [u64] {
        let count = usize::from(self.counts[part]);
        self.counts[part] += 1;
        let first = self.first(part) + count * self.words;
        &mut self.rows[first..first + self.words]
    }

    /// Whether the part's rows have to be taken before there is room for another one.
    #[inline]
    pub(crate) fn is_full(&self, part: usize) -> bool {
        self.counts[part] == GATHERED_ROWS
    }

    /// The rows of a part, one after the other. Their room is free afterwards.
    #[inline]
    pub(crate) fn take(&mut self, part: usize) -> &[u64] {
        let count = usize::from(std::mem::take(&mut self.counts[part]));
        let first = self.first(part);
        &self.rows[first..first + count * self.words]
    }

    fn first(&self, part: usize) -> usize {
        part * self.words * usize::from(GATHERED_ROWS)
    }
}
