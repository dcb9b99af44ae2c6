//! The first pass over a side: a digest of every row, and whose rows there are.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, RecordBatch};
use understudy_core::customer::Customer;
use understudy_tables::TableError;

use crate::align::{AlignedColumn, Alignment};
use crate::both::Side;
use crate::customers::CustomerCount;
use crate::digest::row_digests;
use crate::entries::{Entries, Entry};
use crate::projection::Projection;
use crate::table::Table;

/// Rows that are read at once.
pub(crate) const BATCH_ROWS: usize = 8192;

/// What the first pass knows of a side.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) entries: Entries,
    pub(crate) rows: u64,
    pub(crate) customers: BTreeMap<Customer, u64>,
}

/// Reads a side once. Its rows are kept in so many parts.
pub(crate) fn scan(
    table: &dyn Table,
    alignment: &Alignment,
    side: Side,
    parts: usize,
) -> Result<Scan, TableError> {
    let projection = Projection::of(alignment, side);
    let batches = table.read(
        alignment.schemas.get(side),
        projection.positions(),
        BATCH_ROWS,
    )?;
    let mut scanner = Scanner {
        alignment,
        side,
        projection,
        entries: Entries::new(parts),
        rows: 0,
        customers: CustomerCount::default(),
    };
    for batch in batches {
        scanner.take(&batch?)?;
    }
    Ok(Scan {
        entries: scanner.entries,
        rows: scanner.rows,
        customers: scanner.customers.finish(),
    })
}

struct Scanner<'a> {
    alignment: &'a Alignment,
    side: Side,
    projection: Projection,
    entries: Entries,
    rows: u64,
    customers: CustomerCount,
}

impl Scanner<'_> {
    fn take(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let keys = self.digests(&self.alignment.key, 0, batch);
        let cells = self.digests(&self.alignment.columns, self.alignment.key.len(), batch);
        let is_keyed = !self.alignment.key.is_empty();
        for (position, (key, cells)) in (self.rows..).zip(keys.into_iter().zip(cells)) {
            let row = key.wrapping_add(cells);
            self.entries.push(Entry {
                key: if is_keyed { key } else { row },
                row,
                position,
            });
        }
        self.rows += batch.num_rows() as u64;
        self.customers
            .add(self.projection.customer(batch), batch.num_rows())
    }

    fn digests(
        &self,
        columns: &[AlignedColumn],
        first_place: usize,
        batch: &RecordBatch,
    ) -> Vec<u128> {
        let arrays = columns.iter().enumerate().map(|(offset, column)| {
            let array: &ArrayRef = self
                .projection
                .column(batch, *column.position.get(self.side));
            (first_place + offset, &column.domain, array)
        });
        row_digests(arrays, batch.num_rows())
    }
}
