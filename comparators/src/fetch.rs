//! The second pass over a side: the values of the rows that remain.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::{TableError, value_at};

use crate::align::{AlignedColumn, Alignment};
use crate::both::Side;
use crate::customers::customer_at;
use crate::digest::row_digests;
use crate::projection::Projection;
use crate::row_set::RowSet;
use crate::scan::BATCH_ROWS;
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
pub(crate) fn fetch(
    table: &dyn Table,
    alignment: &Alignment,
    side: Side,
    wanted: &RowSet,
) -> Result<Vec<Row>, TableError> {
    let mut rows = Vec::new();
    if wanted.len() == 0 {
        return Ok(rows);
    }
    let projection = Projection::of(alignment, side);
    let mut fetcher = Fetcher {
        alignment,
        side,
        projection: &projection,
        rows: &mut rows,
    };
    let mut first = 0_u64;
    for batch in table.read(
        alignment.schemas.get(side),
        projection.positions(),
        BATCH_ROWS,
    )? {
        let batch = batch?;
        fetcher.take(&picked(&batch, first, wanted))?;
        first += batch.num_rows() as u64;
    }
    Ok(rows)
}

fn picked(batch: &RecordBatch, first: u64, wanted: &RowSet) -> RecordBatch {
    let end = first + batch.num_rows() as u64;
    let is_wanted = BooleanArray::from_iter((first..end).map(|row| Some(wanted.contains(row))));
    filter_record_batch(batch, &is_wanted).expect("the mask has a bit for every row of the batch")
}

struct Fetcher<'a> {
    alignment: &'a Alignment,
    side: Side,
    projection: &'a Projection,
    rows: &'a mut Vec<Row>,
}

impl Fetcher<'_> {
    fn take(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let lots = self.lots(batch);
        for (row, lot) in lots.into_iter().enumerate() {
            let key = self.values(&self.alignment.key, batch, row)?;
            let cells = self.values(&self.alignment.columns, batch, row)?;
            let customer = customer_at(self.projection.customer(batch), row)?;
            self.rows.push(Row {
                key,
                cells,
                customer,
                lot,
            });
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
        columns
            .iter()
            .map(|column| {
                Ok(value_at(
                    self.projection.column(batch, position(column)).as_ref(),
                    row,
                )?)
            })
            .collect()
    }

    fn lots(&self, batch: &RecordBatch) -> Vec<u128> {
        let identifying = if self.alignment.key.is_empty() {
            &self.alignment.columns
        } else {
            &self.alignment.key
        };
        let arrays = identifying.iter().enumerate().map(|(place, column)| {
            (
                place,
                &column.domain,
                self.projection
                    .column(batch, *column.position.get(self.side)),
            )
        });
        row_digests(arrays, batch.num_rows())
    }
}
