//! The second pass over a side: a record of every row that is in doubt.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::BatchCoalescer;
use arrow::error::ArrowError;
use understudy_tables::TableError;

use crate::both::Side;
use crate::customers::CustomerCount;
use crate::digester::{Digester, Digests};
use crate::doubt::Doubt;
use crate::kept::{Kept, KeptRows};
use crate::means::TempError;
use crate::parts::{PartWriter, Parts};
use crate::record::{Place, encode};
use crate::setting::Setting;
use crate::table::Table;

/// Rows that are read at once.
pub(crate) const BATCH_ROWS: usize = 4096;

/// What the second pass knows of a side.
pub(crate) struct Scan<'a> {
    pub(crate) records: Parts<'a>,
    /// All rows of the side.
    pub(crate) rows: u64,
    /// The rows that are in doubt.
    pub(crate) doubtful: u64,
    pub(crate) customers: CustomerCount,
    /// The rows in doubt themselves, if there was room for them.
    pub(crate) kept: KeptRows<'a>,
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
    /// Batches that do not go together.
    #[error("the table's batches do not go together")]
    Batch(#[from] ArrowError),
    /// More rows than a position has bits for.
    #[error("a table of more than 2^40 rows cannot be compared")]
    TooManyRows,
    /// The second look found another table than the first.
    #[error("the table changed while it was compared")]
    Changed,
}

/// Reads a side again, for the rows in doubt.
pub(crate) fn scan<'a>(
    table: &dyn Table,
    setting: Setting<'a>,
    side: Side,
    doubt: &Doubt,
) -> Result<Scan<'a>, PassError> {
    let digester = Digester::new(setting, side, doubt.reading());
    let mut scanner = Scanner {
        setting,
        digester: &digester,
        doubt,
        rows: 0,
        doubtful: 0,
        positions: Vec::new(),
        records: PartWriter::new(setting.means),
        customers: CustomerCount::default(),
        kept: KeptRows::new(setting.means),
        digests: Digests::default(),
    };
    let mut coalescer = None;
    let schema = setting.alignment.schemas.get(side);
    for batch in table.read(schema, digester.projection.positions(), BATCH_ROWS)? {
        let batch = batch?;
        let coalescer =
            coalescer.get_or_insert_with(|| BatchCoalescer::new(batch.schema(), BATCH_ROWS));
        scanner.pick(batch, coalescer)?;
    }
    if let Some(mut coalescer) = coalescer {
        coalescer.finish_buffered_batch()?;
        scanner.take_completed(&mut coalescer)?;
    }
    Ok(scanner.finish())
}

struct Scanner<'a, 'p> {
    setting: Setting<'a>,
    digester: &'p Digester<'a>,
    doubt: &'p Doubt,
    rows: u64,
    doubtful: u64,
    /// The positions of the rows that were picked and are not in a record yet.
    positions: Vec<u64>,
    records: PartWriter<'a>,
    customers: CustomerCount,
    kept: KeptRows<'a>,
    digests: Digests,
}

impl<'a> Scanner<'a, '_> {
    /// Takes the rows in doubt out of a batch.
    fn pick(
        &mut self,
        batch: RecordBatch,
        coalescer: &mut BatchCoalescer,
    ) -> Result<(), PassError> {
        self.digester.identify(&batch, &mut self.digests);
        let mut is_picked = Vec::with_capacity(batch.num_rows());
        for (position, key) in (self.rows..).zip(&self.digests.keys) {
            let is_doubtful = self.doubt.has(*key, self.setting.means);
            is_picked.push(is_doubtful);
            if is_doubtful {
                self.positions.push(position);
            }
        }
        self.rows += batch.num_rows() as u64;
        if is_picked.contains(&true) {
            coalescer.push_batch_with_filter(batch, &BooleanArray::from(is_picked))?;
        }
        self.take_completed(coalescer)
    }

    fn take_completed(&mut self, coalescer: &mut BatchCoalescer) -> Result<(), PassError> {
        while let Some(batch) = coalescer.next_completed_batch() {
            let rest = self.positions.split_off(batch.num_rows());
            let positions = std::mem::replace(&mut self.positions, rest);
            self.record(Kept { positions, batch })?;
        }
        Ok(())
    }

    fn record(&mut self, kept: Kept) -> Result<(), PassError> {
        let Kept { positions, batch } = &kept;
        self.digester.digest(batch, &mut self.digests);
        let mut numbers = Vec::new();
        self.customers.add(
            self.digester.projection.customer(batch),
            batch.num_rows(),
            &mut numbers,
        )?;
        let (words, mut record) = (self.setting.held.words, Vec::new());
        for (row, (position, number)) in positions.iter().zip(numbers).enumerate() {
            let (key, digest) = (self.digests.keys[row], self.digests.rows[row]);
            let place = Place::new(*position, number).ok_or(PassError::TooManyRows)?;
            let held = &self.digests.held[row * words..(row + 1) * words];
            encode(key, digest, place, held, &mut record);
            self.records.append(self.records.part_of(key), &record)?;
        }
        self.doubtful += batch.num_rows() as u64;
        self.kept.keep(kept);
        Ok(())
    }

    fn finish(self) -> Scan<'a> {
        Scan {
            records: self.records.finish(),
            rows: self.rows,
            doubtful: self.doubtful,
            customers: self.customers,
            kept: self.kept,
        }
    }
}
