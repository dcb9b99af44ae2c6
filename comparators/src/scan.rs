//! The first pass over a side: what is kept of every row, and whose rows there are.

use arrow::array::RecordBatch;
use understudy_tables::TableError;

use crate::align::{AlignedColumn, Alignment};
use crate::both::Side;
use crate::customers::CustomerCount;
use crate::digest::add_digests;
use crate::held::Held;
use crate::means::{Means, TempError};
use crate::parts::{PartWriter, Parts};
use crate::projection::Projection;
use crate::record::{Place, encode};
use crate::table::Table;

/// Rows that are read at once.
pub(crate) const BATCH_ROWS: usize = 4096;

/// What the first pass knows of a side.
pub(crate) struct Scan<'a> {
    pub(crate) records: Parts<'a>,
    pub(crate) rows: u64,
    pub(crate) customers: CustomerCount,
}

/// A side could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The table itself.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The temporary files.
    #[error(transparent)]
    Temp(#[from] TempError),
    /// More rows than a position has bits for.
    #[error("a table of more than 2^40 rows cannot be compared")]
    TooManyRows,
}

/// Reads a side once.
pub(crate) fn scan<'a>(
    table: &dyn Table,
    alignment: &Alignment,
    held: &Held,
    side: Side,
    means: &'a Means,
) -> Result<Scan<'a>, PassError> {
    let projection = Projection::of(alignment, side);
    let batches = table.read(
        alignment.schemas.get(side),
        projection.positions(),
        BATCH_ROWS,
    )?;
    let mut scanner = Scanner {
        alignment,
        held,
        side,
        projection,
        records: PartWriter::new(means),
        key_mask: means.key_mask,
        rows: 0,
        customers: CustomerCount::default(),
        scratch: Scratch::default(),
    };
    for batch in batches {
        scanner.take(&batch?)?;
    }
    Ok(Scan {
        records: scanner.records.finish(),
        rows: scanner.rows,
        customers: scanner.customers,
    })
}

struct Scanner<'a, 'm> {
    alignment: &'a Alignment,
    held: &'a Held,
    side: Side,
    projection: Projection,
    records: PartWriter<'m>,
    key_mask: u128,
    rows: u64,
    customers: CustomerCount,
    scratch: Scratch,
}

/// What is computed of a batch, in memory that is used again for the next one.
#[derive(Debug, Default)]
struct Scratch {
    keys: Vec<u128>,
    rows: Vec<u128>,
    held: Vec<u64>,
    customers: Vec<u32>,
    record: Vec<u8>,
}

impl Scanner<'_, '_> {
    fn take(&mut self, batch: &RecordBatch) -> Result<(), PassError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.digest(batch, &mut scratch);
        scratch.customers.clear();
        self.customers.add(
            self.projection.customer(batch),
            batch.num_rows(),
            &mut scratch.customers,
        )?;
        let words = self.held.words;
        for row in 0..batch.num_rows() {
            let place = Place::new(self.rows + row as u64, scratch.customers[row])
                .ok_or(PassError::TooManyRows)?;
            let held = &scratch.held[row * words..(row + 1) * words];
            encode(
                scratch.keys[row],
                scratch.rows[row],
                place,
                held,
                &mut scratch.record,
            );
            self.records
                .append(self.records.part_of(scratch.keys[row]), &scratch.record)?;
        }
        self.rows += batch.num_rows() as u64;
        self.scratch = scratch;
        Ok(())
    }

    fn digest(&self, batch: &RecordBatch, scratch: &mut Scratch) {
        let key = &self.alignment.key;
        scratch.keys.clear();
        scratch.keys.resize(batch.num_rows(), 0);
        scratch.held.clear();
        scratch.held.resize(batch.num_rows() * self.held.words, 0);
        for (place, column) in key.iter().enumerate() {
            self.add(place, column, batch, &mut scratch.keys);
        }
        scratch.rows.clone_from(&scratch.keys);
        for (column, aligned) in self.alignment.columns.iter().enumerate() {
            match self.held.at(column) {
                None => self.add(key.len() + column, aligned, batch, &mut scratch.rows),
                Some(held) => {
                    let array = self
                        .projection
                        .column(batch, *aligned.position.get(self.side));
                    held.write(array, &mut scratch.held, self.held.words);
                }
            }
        }
        if key.is_empty() {
            scratch.keys.clone_from(&scratch.rows);
        }
        let mask = self.key_mask;
        scratch.keys.iter_mut().for_each(|key| *key &= mask);
    }

    fn add(&self, place: usize, column: &AlignedColumn, batch: &RecordBatch, sums: &mut [u128]) {
        let array = self
            .projection
            .column(batch, *column.position.get(self.side));
        add_digests(place, &column.domain, array, sums);
    }
}
