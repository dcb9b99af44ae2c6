//! The first pass: sums of row digests by the digest of the key, and no memory of any single row but some bits
//! of the old keys.
//!
//! Every row falls into one of many cells by the digest of its key. Old rows are added to the cell's sum and new ones
//! taken away from it, so that what is left over is zero where both sides have the same rows: the sum of 128-bit
//! digests stands for the multiset of rows. Two sums are kept: one of all compared columns, and one without those
//! that are held for rules.

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard};

use arrow::array::RecordBatch;

use crate::both::{Both, Side};
use crate::customers::{CustomerCount, Registry};
use crate::digest::upper;
use crate::digester::{Digester, Digests};
use crate::means::TempError;
use crate::parts::Parts;
use crate::row_set::RowSet;
use crate::scan::{BATCH_ROWS, PassError};
use crate::setting::{Identity, Reading, Setting, on_parts, on_pieces};
use crate::staging::Staging;
use crate::table::Table;

mod repeated;

use repeated::{KEY_BYTES, repeated_keys};

/// What the first pass knows of the sides.
pub(crate) struct Summed<'a> {
    pub(crate) rows: Both<u64>,
    pub(crate) customers: CustomerCount<'a>,
}

/// Cells whose rows are not known to be equal, or whose keys are not known to be single.
#[derive(Debug, Default)]
pub(crate) struct Unequal {
    /// Some row is not the same in the columns that are not held.
    pub(crate) full: RowSet,
    /// Every row is the same in the columns that are not held, its key is single, and some held value differs.
    pub(crate) held: RowSet,
    /// All rows are the same, and some keys may be repeated.
    pub(crate) repeated: RowSet,
}

/// The sums, by part.
pub(crate) struct Sums<'a> {
    setting: Setting<'a>,
    /// Of every cell one sum, or two where columns are held.
    parts: Vec<Mutex<Vec<u128>>>,
    /// The old rows' keys, in their longer forms.
    keys: Parts<'a>,
    taken_bytes: u64,
}

impl<'a> Sums<'a> {
    pub(crate) fn new(setting: Setting<'a>) -> Self {
        let means = setting.means;
        let sums_of_part = means.cells_of_part() * sums_of_cell(setting);
        let bytes = (means.parts * sums_of_part * size_of::<u128>()) as u64;
        let taken_bytes = if means.memory.take(bytes) { bytes } else { 0 };
        let sums = || Mutex::new(vec![0; sums_of_part]);
        Self {
            setting,
            parts: std::iter::repeat_with(sums).take(means.parts).collect(),
            keys: Parts::new(means),
            taken_bytes,
        }
    }

    /// Reads both tables.
    pub(crate) fn read(
        &self,
        tables: &Both<&dyn Table>,
        registry: &'a Registry<'a>,
    ) -> Result<Summed<'a>, (Side, PassError)> {
        let of_threads = on_pieces(
            self.setting.means,
            tables,
            || Summer::new(self, registry),
            |summer, side, piece| {
                let columns = summer.digesters.get(side).projection.positions();
                let batches = tables.get(side).read(piece, columns, BATCH_ROWS, None);
                let mut batches = batches.map_err(|error| (side, error.into()))?;
                let mut take = |batch| summer.take(side, &batch?);
                batches.try_for_each(|batch| take(batch).map_err(|error| (side, error)))
            },
            Summer::finish,
        )?;
        let mut summed = Summed {
            rows: Both::default(),
            customers: CustomerCount::new(registry),
        };
        for of_thread in of_threads {
            summed.rows.old += of_thread.rows.old;
            summed.rows.new += of_thread.rows.new;
            summed.customers.merge(of_thread.customers);
        }
        Ok(summed)
    }

    /// Adds the rows of one part that were gathered.
    fn add(
        &self,
        side: Side,
        part: usize,
        rows: &[u64],
        scratch: &mut Vec<u8>,
    ) -> Result<(), TempError> {
        if side == Side::Old && self.setting.identity == Identity::Key {
            self.remember(part, rows, scratch)?;
        }
        let (means, count) = (self.setting.means, sums_of_cell(self.setting));
        let first_sum = |row: &[u64]| means.cell_in_part(row[0]) * count;
        let rows = || rows.chunks_exact(staged_words(self.setting));
        let mut sums = self.lock(part);
        // A look at all cells before the first one is written: the memory has to be waited for once, not row by row.
        black_box(rows().fold(0, |looks, row| looks ^ sums[first_sum(row)]));
        for row in rows() {
            let first = first_sum(row);
            let sums = sums[first..first + count].iter_mut();
            for (sum, words) in sums.zip(row[1..].chunks_exact(2)) {
                let digest = u128::from(words[1]) << u64::BITS | u128::from(words[0]);
                *sum = match side {
                    Side::Old => sum.wrapping_add(digest),
                    Side::New => sum.wrapping_sub(digest),
                };
            }
        }
        Ok(())
    }

    /// Keeps the old keys of one part.
    fn remember(&self, part: usize, rows: &[u64], scratch: &mut Vec<u8>) -> Result<(), TempError> {
        scratch.clear();
        for row in rows.chunks_exact(staged_words(self.setting)) {
            let long = self.setting.means.long_of(row[0]).to_le_bytes();
            scratch.extend_from_slice(&long[..KEY_BYTES]);
        }
        self.keys.append(part, scratch)
    }

    /// Says which cells need another look.
    pub(crate) fn unequal(&self) -> Result<Unequal, TempError> {
        let of_threads = on_parts(self.setting.means, |part, unequal: &mut Unequal| {
            self.look_at(part, unequal)
        })?;
        let mut unequal = Unequal::default();
        for more in of_threads {
            unequal.full.merge(more.full);
            unequal.held.merge(more.held);
            unequal.repeated.merge(more.repeated);
        }
        Ok(unequal)
    }

    fn look_at(&self, part: usize, unequal: &mut Unequal) -> Result<(), TempError> {
        let means = self.setting.means;
        let mut is_repeated = vec![false; means.cells_of_part()];
        match repeated_keys(&self.keys, part, means)? {
            Some(keys) => keys.into_iter().for_each(|key| {
                is_repeated[means.cell_in_part(means.upper_of_long(part, key))] = true;
            }),
            None => is_repeated.fill(true),
        }
        let first_cell = part * means.cells_of_part();
        let sums = self.lock(part);
        let cells = sums
            .chunks_exact(sums_of_cell(self.setting))
            .zip(is_repeated);
        for (cell, (sums, is_repeated)) in (first_cell as u64..).zip(cells) {
            let is_equal_unheld = sums[sums.len() - 1] == 0;
            match (is_equal_unheld, sums[0] == 0, is_repeated) {
                (true, true, false) => {}
                (true, true, true) => unequal.repeated.insert(cell),
                (true, false, false) => unequal.held.insert(cell),
                (false, _, _) | (true, false, true) => unequal.full.insert(cell),
            }
        }
        Ok(())
    }

    fn lock(&self, part: usize) -> MutexGuard<'_, Vec<u128>> {
        self.parts[part]
            .lock()
            .expect("no thread panics with a part in its hands")
    }
}

impl Drop for Sums<'_> {
    fn drop(&mut self) {
        self.setting.means.memory.give_back(self.taken_bytes);
    }
}

fn sums_of_cell(setting: Setting<'_>) -> usize {
    if setting.held.words == 0 { 1 } else { 2 }
}

/// The words of a row that is gathered: the upper half of its key's digest, and the digests that are summed up.
fn staged_words(setting: Setting<'_>) -> usize {
    1 + 2 * sums_of_cell(setting)
}

/// One thread at work.
struct Summer<'s, 'a> {
    sums: &'s Sums<'a>,
    digesters: Both<Digester<'a>>,
    staging: Both<Staging>,
    digests: Digests,
    rows: Both<u64>,
    customers: CustomerCount<'a>,
    scratch: Vec<u8>,
}

impl<'s, 'a> Summer<'s, 'a> {
    fn new(sums: &'s Sums<'a>, registry: &'a Registry<'a>) -> Self {
        let setting = sums.setting;
        let staging = || Staging::new(setting.means.parts, staged_words(setting));
        Self {
            sums,
            digesters: Both {
                old: Digester::new(setting, Side::Old, Reading::All),
                new: Digester::new(setting, Side::New, Reading::All),
            },
            staging: Both {
                old: staging(),
                new: staging(),
            },
            digests: Digests::default(),
            rows: Both::default(),
            customers: CustomerCount::new(registry),
            scratch: Vec::new(),
        }
    }

    fn take(&mut self, side: Side, batch: &RecordBatch) -> Result<(), PassError> {
        let digester = self.digesters.get(side);
        digester.digest_exactly(batch, &mut self.digests);
        let column = digester.projection.customer(batch);
        self.customers.add(side, column, batch.num_rows())?;
        for row in 0..batch.num_rows() {
            self.gather(side, row)?;
        }
        *self.rows.get_mut(side) += batch.num_rows() as u64;
        Ok(())
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a digest is cut into its words"
    )]
    #[inline]
    fn gather(&mut self, side: Side, row: usize) -> Result<(), TempError> {
        let key = upper(self.digests.keys[row]);
        let part = self.sums.setting.means.part_of(key);
        let staging = self.staging.get_mut(side);
        let words = staging.room(part);
        words[0] = key;
        let unheld = self.digests.rows[row];
        let exact = self.digests.exact.get(row).copied().unwrap_or(unheld);
        (words[1], words[2]) = (exact as u64, upper(exact));
        if let [_, _, _, low, high] = words {
            (*low, *high) = (unheld as u64, upper(unheld));
        }
        if staging.is_full(part) {
            self.flush(side, part)?;
        }
        Ok(())
    }

    fn flush(&mut self, side: Side, part: usize) -> Result<(), TempError> {
        let rows = self.staging.get_mut(side).take(part);
        self.sums.add(side, part, rows, &mut self.scratch)
    }

    /// The rows and customers that were seen, once all rows are summed up.
    fn finish(mut self) -> Result<Summed<'a>, (Side, PassError)> {
        for side in [Side::Old, Side::New] {
            let mut parts = 0..self.sums.setting.means.parts;
            let flushed = parts.try_for_each(|part| self.flush(side, part));
            flushed.map_err(|error| (side, error.into()))?;
        }
        Ok(Summed {
            rows: self.rows,
            customers: self.customers,
        })
    }
}
