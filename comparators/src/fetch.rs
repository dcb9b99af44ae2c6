//! The second pass over a side: the values of the rows that remain.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::{TableError, value_at};

use crate::align::{AlignedColumn, Alignment};
use crate::both::Side;
use crate::codec::Coded as _;
use crate::customers::customer_at;
use crate::digest::add_digests;
use crate::means::Means;
use crate::parts::{PartWriter, Parts};
use crate::projection::Projection;
use crate::row_set::RowSet;
use crate::scan::{BATCH_ROWS, PassError};
use crate::table::Table;

/// A row with its values.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: Vec<Value>,
    /// The compared columns that are not in the key.
    pub(crate) cells: Vec<Value>,
    pub(crate) customer: Customer,
    /// A number that depends on the row's key only (without a key, on all of its cells) and orders rows at random.
    pub(crate) lot: u128,
}

/// Reads the values of some rows of a side.
pub(crate) fn fetch<'a>(
    table: &dyn Table,
    alignment: &Alignment,
    side: Side,
    wanted: &RowSet,
    means: &'a Means,
) -> Result<Parts<'a>, PassError> {
    let mut fetcher = Fetcher {
        alignment,
        side,
        projection: Projection::of(alignment, side),
        rows: PartWriter::new(means),
        scratch: Vec::new(),
    };
    if wanted.len() > 0 {
        let mut first = 0_u64;
        for batch in table.read(
            alignment.schemas.get(side),
            fetcher.projection.positions(),
            BATCH_ROWS,
        )? {
            let batch = batch?;
            fetcher.take(&picked(&batch, first, wanted))?;
            first += batch.num_rows() as u64;
        }
    }
    Ok(fetcher.rows.finish())
}

fn picked(batch: &RecordBatch, first: u64, wanted: &RowSet) -> RecordBatch {
    let end = first + batch.num_rows() as u64;
    if !wanted.has_any(first..end) {
        return batch.slice(0, 0);
    }
    let is_wanted: BooleanArray = (first..end).map(|row| Some(wanted.contains(row))).collect();
    filter_record_batch(batch, &is_wanted).expect("the mask has a bit for every row of the batch")
}

struct Fetcher<'a, 'm> {
    alignment: &'a Alignment,
    side: Side,
    projection: Projection,
    rows: PartWriter<'m>,
    scratch: Vec<u8>,
}

impl Fetcher<'_, '_> {
    fn take(&mut self, batch: &RecordBatch) -> Result<(), PassError> {
        let lots = self.lots(batch);
        for (row, lot) in lots.into_iter().enumerate() {
            let key = self.values(&self.alignment.key, batch, row)?;
            let cells = self.values(&self.alignment.columns, batch, row)?;
            let customer = customer_at(self.projection.customer(batch), row)?;
            self.scratch.clear();
            Row {
                key,
                cells,
                customer,
                lot,
            }
            .encode(&mut self.scratch);
            self.rows.append(self.rows.part_of(lot), &self.scratch)?;
        }
        Ok(())
    }

    fn values(
        &self,
        columns: &[AlignedColumn],
        batch: &RecordBatch,
        row: usize,
    ) -> Result<Vec<Value>, TableError> {
        let position = |column: &AlignedColumn| *column.position.get(self.side);
        let value = |column| {
            value_at(
                self.projection.column(batch, position(column)).as_ref(),
                row,
            )
        };
        columns.iter().map(value).collect()
    }

    fn lots(&self, batch: &RecordBatch) -> Vec<u128> {
        let identifying = if self.alignment.key.is_empty() {
            &self.alignment.columns
        } else {
            &self.alignment.key
        };
        let mut lots = vec![0; batch.num_rows()];
        for (place, column) in identifying.iter().enumerate() {
            let array = self
                .projection
                .column(batch, *column.position.get(self.side));
            add_digests(place, &column.domain, array, &mut lots);
        }
        lots
    }
}
