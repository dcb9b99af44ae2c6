//! The second pass: a record of every row that is in doubt.

use arrow::error::ArrowError;
use understudy_tables::TableError;

use crate::both::{Both, Side};
use crate::customers::Customers;
use crate::digest::upper;
use crate::digester::{Digester, Digests};
use crate::doubt::Doubt;
use crate::kept::{Kept, KeptRows};
use crate::means::TempError;
use crate::parts::{PartWriter, Parts};
use crate::pick::Picker;
use crate::record::{Place, record_words, write_record};
use crate::setting::{Setting, on_pieces};
use crate::table::Table;

/// Rows that are read at once.
pub(crate) const BATCH_ROWS: usize = 4096;

/// What the second pass knows of both sides.
pub(crate) struct Scan<'a> {
    /// All rows.
    pub(crate) rows: Both<u64>,
    /// The rows that are in doubt.
    pub(crate) doubtful: Both<u64>,
    /// The rows in doubt themselves, if there was room for them.
    pub(crate) kept: Both<KeptRows<'a>>,
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
    /// More customers than there is memory for.
    #[error(
        "the customer column has more than {0} values, whose counts do not fit into the memory; if it is the right column, allow more memory"
    )]
    TooManyCustomers(usize),
    /// The second look found another table than the first.
    #[error("the table changed while it was compared")]
    Changed,
}

/// Reads the rows in doubt, with records of them in parts.
pub(crate) fn scan<'a>(
    tables: &Both<&dyn Table>,
    setting: Setting<'a>,
    doubt: &Doubt,
    customers: &Customers<'_>,
    records: &Both<Parts<'a>>,
) -> Result<Scan<'a>, (Side, PassError)> {
    let digesters = Both {
        old: Digester::new(setting, Side::Old, doubt.reading),
        new: Digester::new(setting, Side::New, doubt.reading),
    };
    let scanner = |side| {
        let (parts, digester) = (records.get(side), digesters.get(side));
        Scanner::new(parts, setting, digester, customers, side)
    };
    let of_threads = on_pieces(
        setting.means,
        tables,
        || Both {
            old: scanner(Side::Old),
            new: scanner(Side::New),
        },
        |scanners, side, piece| {
            let scanner = scanners.get_mut(side);
            let mut picker = Picker::new(*tables.get(side), setting, side, digesters.get(side));
            let is_wanted = |key| doubt.has(key, setting.means);
            let rows = picker.pick(piece, is_wanted, |kept| scanner.record(kept));
            scanner.rows += rows.map_err(|error| (side, error))?;
            Ok(())
        },
        |scanners| {
            let Both { old, new } = scanners;
            let old = old.finish().map_err(|error| (Side::Old, error.into()))?;
            let new = new.finish().map_err(|error| (Side::New, error.into()))?;
            Ok(Both { old, new })
        },
    )?;
    let mut scan = Scan {
        rows: Both::default(),
        doubtful: Both::default(),
        kept: Both {
            old: KeptRows::new(setting.means),
            new: KeptRows::new(setting.means),
        },
    };
    for Both { old, new } in of_threads {
        scan.add(Side::Old, old);
        scan.add(Side::New, new);
    }
    Ok(scan)
}

impl<'a> Scan<'a> {
    fn add(&mut self, side: Side, of_thread: OfThread<'a>) {
        *self.rows.get_mut(side) += of_thread.rows;
        *self.doubtful.get_mut(side) += of_thread.doubtful;
        self.kept.get_mut(side).merge(of_thread.kept);
    }
}

/// What one thread saw of one side.
struct OfThread<'a> {
    rows: u64,
    doubtful: u64,
    kept: KeptRows<'a>,
}

/// One thread at work on one side.
struct Scanner<'p, 'a> {
    setting: Setting<'a>,
    digester: &'p Digester<'a>,
    customers: &'p Customers<'p>,
    side: Side,
    rows: u64,
    doubtful: u64,
    records: PartWriter<'p>,
    kept: KeptRows<'a>,
    digests: Digests,
    numbers: Vec<u32>,
}

impl<'p, 'a> Scanner<'p, 'a> {
    fn new(
        parts: &'p Parts<'a>,
        setting: Setting<'a>,
        digester: &'p Digester<'a>,
        customers: &'p Customers<'p>,
        side: Side,
    ) -> Self {
        Self {
            setting,
            digester,
            customers,
            side,
            rows: 0,
            doubtful: 0,
            records: PartWriter::new(parts, record_words(setting.held.words)),
            kept: KeptRows::new(setting.means),
            digests: Digests::default(),
            numbers: Vec::new(),
        }
    }

    fn record(&mut self, kept: Kept) -> Result<(), PassError> {
        let Kept { positions, batch } = &kept;
        self.digester.digest(batch, &mut self.digests);
        let column = self.digester.projection.customer(batch);
        let numbers = &mut self.numbers;
        self.customers
            .numbers(self.side, column, batch.num_rows(), numbers)?;
        let words = self.setting.held.words;
        for (row, position) in positions.iter().enumerate() {
            let (key, digest) = (self.digests.keys[row], self.digests.rows[row]);
            let place = Place::new(*position, numbers[row]).ok_or(PassError::TooManyRows)?;
            let held = &self.digests.held[row * words..(row + 1) * words];
            let part = self.setting.means.part_of(upper(key));
            self.records.append(part, |record| {
                write_record(key, digest, place, held, record)
            })?;
        }
        self.doubtful += positions.len() as u64;
        self.kept.keep(kept);
        Ok(())
    }

    fn finish(self) -> Result<OfThread<'a>, TempError> {
        self.records.finish()?;
        Ok(OfThread {
            rows: self.rows,
            doubtful: self.doubtful,
            kept: self.kept,
        })
    }
}
