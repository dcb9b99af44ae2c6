//! Rows that stay in memory between two passes, as long as there is room.

use arrow::array::RecordBatch;

use crate::means::Means;

/// Rows with their positions in the table.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) positions: Vec<u64>,
    pub(crate) batch: RecordBatch,
}

/// All rows that were to be kept, or none of them, once there was no room for one.
#[derive(Debug)]
pub(crate) struct KeptRows<'a> {
    means: &'a Means,
    all: Option<Vec<Kept>>,
    /// Drawn from the budget of kept rows.
    kept_bytes: u64,
    /// Drawn from the memory of everything.
    memory_bytes: u64,
    has_own_room: bool,
}

impl<'a> KeptRows<'a> {
    pub(crate) fn new(means: &'a Means) -> Self {
        Self {
            means,
            all: Some(Vec::new()),
            kept_bytes: 0,
            memory_bytes: 0,
            has_own_room: false,
        }
    }

    /// The same for rows that will be few: they need no room that others could take first.
    pub(crate) fn of_few(means: &'a Means) -> Self {
        let mut rows = Self::new(means);
        rows.has_own_room = true;
        rows
    }

    pub(crate) fn keep(&mut self, kept: Kept) {
        let bytes =
            (kept.batch.get_array_memory_size() + kept.positions.len() * size_of::<u64>()) as u64;
        let Some(all) = &mut self.all else { return };
        let mut has_room = self.means.kept.take(bytes);
        self.kept_bytes += if has_room { bytes } else { 0 };
        if has_room && !self.has_own_room {
            has_room = self.means.memory.take(bytes);
            self.memory_bytes += if has_room { bytes } else { 0 };
        }
        if has_room {
            all.push(kept);
        } else {
            self.give_up();
        }
    }

    /// Adds what another thread kept of the same side.
    pub(crate) fn merge(&mut self, mut other: Self) {
        match (&mut self.all, other.all.take()) {
            (Some(all), Some(more)) => {
                all.extend(more);
                self.kept_bytes += std::mem::take(&mut other.kept_bytes);
                self.memory_bytes += std::mem::take(&mut other.memory_bytes);
            }
            _ => self.give_up(),
        }
    }

    /// Whether all rows are there.
    pub(crate) fn is_whole(&self) -> bool {
        self.all.is_some()
    }

    /// All rows, if they are all there.
    pub(crate) fn all(&self) -> Option<&[Kept]> {
        self.all.as_deref()
    }

    fn give_up(&mut self) {
        self.all = None;
        self.give_back();
    }

    fn give_back(&mut self) {
        self.means
            .kept
            .give_back(std::mem::take(&mut self.kept_bytes));
        self.means
            .memory
            .give_back(std::mem::take(&mut self.memory_bytes));
    }
}

impl Drop for KeptRows<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}
