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
    taken_bytes: u64,
}

impl<'a> KeptRows<'a> {
    pub(crate) fn new(means: &'a Means) -> Self {
        Self {
            means,
            all: Some(Vec::new()),
            taken_bytes: 0,
        }
    }

    pub(crate) fn keep(&mut self, kept: Kept) {
        let bytes =
            (kept.batch.get_array_memory_size() + kept.positions.len() * size_of::<u64>()) as u64;
        let Some(all) = &mut self.all else { return };
        let has_room = self.means.kept.take(bytes) && {
            let has_room = self.means.memory.take(bytes);
            if !has_room {
                self.means.kept.give_back(bytes);
            }
            has_room
        };
        if has_room {
            self.taken_bytes += bytes;
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
                self.taken_bytes += std::mem::take(&mut other.taken_bytes);
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
        self.means.kept.give_back(self.taken_bytes);
        self.means.memory.give_back(self.taken_bytes);
        self.taken_bytes = 0;
    }
}

impl Drop for KeptRows<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}
