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

    /// Only what tells which rows can match.
    pub(crate) fn identify(&self, batch: &RecordBatch, digests: &mut Digests) {
        match self.setting.identity {
            Identity::Key => self.digest_keys(batch, digests),
            Identity::WholeRow => self.digest(batch, digests),
        }
    }

    /// Everything.
    pub(crate) fn digest(&self, batch: &RecordBatch, digests: &mut Digests) {
        let Setting {
            alignment,
            held,
            identity,
            means,
        } = self.setting;
        digests.keys.clear();
        digests.keys.resize(batch.num_rows(), ROW);
        for (place, column) in alignment.key.iter().enumerate() {
            self.add(place, column, batch, &mut digests.keys);
        }
        digests.rows.clone_from(&digests.keys);
        digests.held.clear();
        digests.held.resize(batch.num_rows() * held.words, 0);
        for (column, aligned) in alignment.columns.iter().enumerate() {
            if let Some(held_column) = held.at(column) {
                let array = self
                    .projection
                    .column(batch, *aligned.position.get(self.side));
                held_column.write(array, &mut digests.held, held.words);
            } else if self.reading == Reading::All {
                self.add(
                    alignment.key.len() + column,
                    aligned,
                    batch,
                    &mut digests.rows,
                );
            }
        }
        digests
            .rows
            .iter_mut()
            .for_each(|row| *row = row_digest(*row));
        if identity == Identity::WholeRow {
            digests.keys.clone_from(&digests.rows);
        }
        digests
            .keys
            .iter_mut()
            .for_each(|key| *key &= means.key_mask);
    }

    fn digest_keys(&self, batch: &RecordBatch, digests: &mut Digests) {
        digests.keys.clear();
        digests.keys.resize(batch.num_rows(), ROW);
        for (place, column) in self.setting.alignment.key.iter().enumerate() {
            self.add(place, column, batch, &mut digests.keys);
        }
        let mask = self.setting.means.key_mask;
        digests.keys.iter_mut().for_each(|key| *key &= mask);
    }

    fn add(&self, place: usize, column: &AlignedColumn, batch: &RecordBatch, sums: &mut [u128]) {
        let array = self
            .projection
            .column(batch, *column.position.get(self.side));
        add_digests(place, &column.domain, array, sums);
    }
}
