//! Which columns of a side are read, and where they stand in what is read.

use std::collections::BTreeSet;

use arrow::array::{ArrayRef, RecordBatch};

use crate::both::Side;
use crate::setting::{Reading, Setting};

/// The columns that are read of one side: those of the key, the compared ones, and the customer's.
#[derive(Debug)]
pub(crate) struct Projection {
    positions: Vec<usize>,
    customer: Option<usize>,
}

impl Projection {
    pub(crate) fn of(setting: Setting<'_>, side: Side, reading: Reading) -> Self {
        let Setting {
            alignment, held, ..
        } = setting;
        let customer = alignment.customer.map(|customer| *customer.get(side));
        let compared = alignment.columns.iter().enumerate();
        let compared = compared.filter(|(column, _)| match reading {
            Reading::Keys => false,
            Reading::Held => held.at(*column).is_some(),
            Reading::All => true,
        });
        let columns = alignment
            .key
            .iter()
            .chain(compared.map(|(_, column)| column));
        let positions: BTreeSet<usize> = columns
            .map(|column| *column.position.get(side))
            .chain(customer)
            .collect();
        Self {
            positions: positions.into_iter().collect(),
            customer,
        }
    }

    /// The columns of the key only.
    pub(crate) fn of_key(setting: Setting<'_>, side: Side) -> Self {
        let key = setting.alignment.key.iter();
        let positions: BTreeSet<usize> = key.map(|column| *column.position.get(side)).collect();
        Self {
            positions: positions.into_iter().collect(),
            customer: None,
        }
    }

    /// Positions in the side's schema, ascending.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// A column of what was read, by its position in the side's schema.
    pub(crate) fn column<'a>(&self, batch: &'a RecordBatch, position: usize) -> &'a ArrayRef {
        let place = self.positions.binary_search(&position);
        batch.column(place.expect("every column that is asked for is read"))
    }

    /// The customer column of what was read.
    pub(crate) fn customer<'a>(&self, batch: &'a RecordBatch) -> Option<&'a ArrayRef> {
        self.customer.map(|position| self.column(batch, position))
    }
}
