//! The digests of a batch's rows.

use arrow::array::RecordBatch;

use crate::align::AlignedColumn;
use crate::both::Side;
use crate::digest::{add_digests, row_digest};
use crate::projection::Projection;
use crate::setting::{Identity, Reading, Setting};

/// What every row's digest begins with, so that a sum of digests also counts rows; no digest of anything on purpose.
const ROW: u128 = 0xa409_3822_299f_31d0_082e_fa98_ec4e_6c89;

/// Computes digests for one side.
pub(crate) struct Digester<'a> {
    setting: Setting<'a>,
    side: Side,
    reading: Reading,
    pub(crate) projection: Projection,
}

/// The digests of some rows, in memory that is used again for the next ones.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    /// Of each row's key; without a key, of the whole row.
    pub(crate) keys: Vec<u128>,
    /// Of all cells but those of held columns.
    pub(crate) rows: Vec<u128>,
    /// Of all cells; empty where no column is held, because those are the same.
    pub(crate) exact: Vec<u128>,
    /// The held cells' words.
    pub(crate) held: Vec<u64>,
}

impl<'a> Digester<'a> {
    pub(crate) fn new(setting: Setting<'a>, side: Side, reading: Reading) -> Self {
        let projection = Projection::of(setting, side, reading);
        Self {
            setting,
            side,
            reading,
            projection,
        }
    }

    /// One that reads no more than what tells which rows can match.
    pub(crate) fn of_identity(setting: Setting<'a>, side: Side) -> Self {
        Self {
            setting,
            side,
            reading: Reading::Keys,
            projection: Projection::of_key(setting, side),
        }
    }

    /// Only what tells which rows can match.
    pub(crate) fn identify(&self, batch: &RecordBatch, digests: &mut Digests) {
        match self.setting.identity {
            Identity::Key => {
                self.begin(batch, digests);
                self.finish_keys(digests);
            }
            Identity::WholeRow => self.digest(batch, digests),
        }
    }

    /// Everything but the sums of all cells.
    pub(crate) fn digest(&self, batch: &RecordBatch, digests: &mut Digests) {
        self.begin(batch, digests);
        self.add_unheld(batch, digests);
        self.write_held(batch, digests);
        finish(&mut digests.rows);
        if self.setting.identity == Identity::WholeRow {
            digests.keys.clone_from(&digests.rows);
            self.mask(digests);
        } else {
            self.finish_keys(digests);
        }
    }

    /// Everything.
    pub(crate) fn digest_exactly(&self, batch: &RecordBatch, digests: &mut Digests) {
        if self.setting.held.words == 0 {
            return self.digest(batch, digests);
        }
        self.begin(batch, digests);
        self.add_unheld(batch, digests);
        digests.exact.clone_from(&digests.rows);
        for column in &self.setting.held.columns {
            let aligned = &self.setting.alignment.columns[column.column];
            self.add(
                self.place(column.column),
                aligned,
                batch,
                &mut digests.exact,
            );
        }
        finish(&mut digests.rows);
        finish(&mut digests.exact);
        self.finish_keys(digests);
    }

    fn begin(&self, batch: &RecordBatch, digests: &mut Digests) {
        digests.keys.clear();
        digests.keys.resize(batch.num_rows(), ROW);
        for (place, column) in self.setting.alignment.key.iter().enumerate() {
            self.add(place, column, batch, &mut digests.keys);
        }
    }

    fn add_unheld(&self, batch: &RecordBatch, digests: &mut Digests) {
        digests.rows.clone_from(&digests.keys);
        if self.reading < Reading::All {
            return;
        }
        for (column, aligned) in self.setting.alignment.columns.iter().enumerate() {
            if self.setting.held.at(column).is_none() {
                self.add(self.place(column), aligned, batch, &mut digests.rows);
            }
        }
    }

    fn write_held(&self, batch: &RecordBatch, digests: &mut Digests) {
        let Setting {
            alignment, held, ..
        } = self.setting;
        digests.held.clear();
        digests.held.resize(batch.num_rows() * held.words, 0);
        if self.reading < Reading::Held {
            return;
        }
        for column in &held.columns {
            let position = *alignment.columns[column.column].position.get(self.side);
            let array = self.projection.column(batch, position);
            column.write(array, &mut digests.held, held.words);
        }
    }

    /// The number that a compared column's digests are told from other columns' by.
    fn place(&self, column: usize) -> usize {
        self.setting.alignment.key.len() + column
    }

    fn add(&self, place: usize, column: &AlignedColumn, batch: &RecordBatch, sums: &mut [u128]) {
        let array = self
            .projection
            .column(batch, *column.position.get(self.side));
        add_digests(place, &column.domain, array, sums);
    }

    fn finish_keys(&self, digests: &mut Digests) {
        finish(&mut digests.keys);
        self.mask(digests);
    }

    fn mask(&self, digests: &mut Digests) {
        let mask = self.setting.means.key_mask;
        digests.keys.iter_mut().for_each(|key| *key &= mask);
    }
}

fn finish(rows: &mut [u128]) {
    rows.iter_mut().for_each(|row| *row = row_digest(*row));
}
