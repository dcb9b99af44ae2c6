//! The rows that have to be looked at again, and with which columns.

use std::collections::HashSet;

use crate::digest::upper;
use crate::means::Means;
use crate::row_set::RowSet;
use crate::setting::{Reading, Setting};
use crate::sums::Unequal;

/// Cells of held values that no more than one in so many of all cells are: so few are looked at together with
/// whatever else is in doubt. Where there are more, they get a pass of their own that keeps less of every row.
const FEW_SHARE: u64 = 8;

/// The rows that have to be looked at again, by the digests of their keys.
#[derive(Debug)]
pub(crate) struct Doubt {
    cells: RowSet,
    /// Single keys, by their marks: the pairs of a sample.
    samples: HashSet<u64>,
    /// The columns whose cells are not known to be equal.
    pub(crate) reading: Reading,
}

impl Doubt {
    /// What the sums leave in doubt, and the cells whose held values are still to be judged by a pass of their own.
    pub(crate) fn of(unequal: Unequal, setting: Setting<'_>) -> (Self, RowSet) {
        let Unequal {
            full,
            held,
            repeated,
        } = unequal;
        let reading = if full.len() > 0 {
            Reading::All
        } else {
            Reading::Keys
        };
        let mut doubt = Self {
            cells: full,
            samples: HashSet::new(),
            reading,
        };
        doubt.cells.merge(repeated);
        if held.len() > setting.means.cells as u64 / FEW_SHARE {
            return (doubt, held);
        }
        doubt.add_held(held);
        (doubt, RowSet::default())
    }

    /// Adds cells whose rows can differ in held columns only.
    pub(crate) fn add_held(&mut self, cells: RowSet) {
        if cells.len() > 0 {
            self.reading = self.reading.max(Reading::Held);
            self.cells.merge(cells);
        }
    }

    /// Adds single rows that differ in held columns only, by their keys' marks.
    pub(crate) fn add_samples(&mut self, marks: HashSet<u64>) {
        if !marks.is_empty() {
            self.reading = self.reading.max(Reading::Held);
            self.samples.extend(marks);
        }
    }

    /// Whether nothing is in doubt.
    pub(crate) fn is_none(&self) -> bool {
        self.cells.len() == 0 && self.samples.is_empty()
    }

    /// Whether the rows of a key are in doubt.
    pub(crate) fn has(&self, key: u128, means: &Means) -> bool {
        let key = upper(key);
        self.cells.contains(means.cell_of(key))
            || !self.samples.is_empty() && self.samples.contains(&means.mark_of(key))
    }
}
