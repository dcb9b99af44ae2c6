//! The first pass over a side: sums of row digests by the digest of the key, and of each row no more than what tells
//! duplicate keys and tolerated cells.
//!
//! Every row falls into one of many cells by the digest of its key. Where the sums of a cell are equal on both
//! sides, so are its rows, in every column but the held ones: the sum of 128-bit digests stands for the multiset of
//! rows. What is left to look at again are the rows of the few cells whose sums differ.

use arrow::array::RecordBatch;

use crate::both::Side;
use crate::customers::CustomerCount;
use crate::digester::{Digester, Digests};
use crate::means::Means;
use crate::parts::{PartWriter, Parts};
use crate::scan::{BATCH_ROWS, PassError};
use crate::setting::{Identity, Reading, Setting};
use crate::table::Table;

/// What the first pass knows of a side.
pub(crate) struct Sums<'a> {
    /// The sums, by cell.
    pub(crate) cells: Vec<u128>,
    /// A light record of every row, in parts that each cover equally many cells; none without a key.
    pub(crate) light: Parts<'a>,
    pub(crate) rows: u64,
    pub(crate) customers: CustomerCount,
}

/// The upper half of a key's digest: what light records and cells know of it.
pub(crate) fn upper(key: u128) -> u64 {
    (key >> 64) as u64
}

/// The cell of a key, by the upper half of its digest.
pub(crate) fn cell_of(upper: u64, means: &Means) -> usize {
    upper
        .checked_shr(u64::BITS - means.cells.ilog2())
        .unwrap_or(0) as usize
}

/// Reads a side once.
pub(crate) fn sum<'a>(
    table: &dyn Table,
    setting: Setting<'a>,
    side: Side,
) -> Result<Sums<'a>, PassError> {
    let digester = Digester::new(setting, side, Reading::All);
    let schema = setting.alignment.schemas.get(side);
    let mut summer = Summer {
        setting,
        sums: vec![0; setting.means.cells],
        light: PartWriter::new(setting.means),
        rows: 0,
        customers: CustomerCount::default(),
        digests: Digests::default(),
        numbers: Vec::new(),
        scratch: Vec::new(),
    };
    for batch in table.read(schema, digester.projection.positions(), BATCH_ROWS)? {
        summer.take(&digester, &batch?)?;
    }
    Ok(Sums {
        cells: summer.sums,
        light: summer.light.finish(),
        rows: summer.rows,
        customers: summer.customers,
    })
}

struct Summer<'a> {
    setting: Setting<'a>,
    sums: Vec<u128>,
    light: PartWriter<'a>,
    rows: u64,
    customers: CustomerCount,
    digests: Digests,
    numbers: Vec<u32>,
    scratch: Vec<u8>,
}

impl Summer<'_> {
    fn take(&mut self, digester: &Digester<'_>, batch: &RecordBatch) -> Result<(), PassError> {
        digester.digest(batch, &mut self.digests);
        self.numbers.clear();
        self.customers.add(
            digester.projection.customer(batch),
            batch.num_rows(),
            &mut self.numbers,
        )?;
        for (key, row) in self.digests.keys.iter().zip(&self.digests.rows) {
            let sum = &mut self.sums[cell_of(upper(*key), self.setting.means)];
            *sum = sum.wrapping_add(*row);
        }
        if self.setting.identity == Identity::Key {
            self.keep(batch.num_rows())?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn keep(&mut self, rows: usize) -> Result<(), PassError> {
        let words = self.setting.held.words;
        for row in 0..rows {
            let key = self.digests.keys[row];
            self.scratch.clear();
            self.scratch.extend_from_slice(&upper(key).to_le_bytes());
            if words > 0 {
                self.scratch
                    .extend_from_slice(&u64::from(self.numbers[row]).to_le_bytes());
                for word in &self.digests.held[row * words..(row + 1) * words] {
                    self.scratch.extend_from_slice(&word.to_le_bytes());
                }
            }
            self.light.append(self.light.part_of(key), &self.scratch)?;
        }
        Ok(())
    }
}
