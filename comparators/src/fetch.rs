//! The third look at a side: the values of the rows that remain. It needs no third pass where they were kept.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::{TableError, value_at};

use crate::align::AlignedColumn;
use crate::both::Side;
use crate::codec::Coded as _;
use crate::customers::customer_at;
use crate::digest::upper;
use crate::digester::{Digester, Digests};
use crate::kept::{Kept, KeptRows};
use crate::parts::Parts;
use crate::pick::at_positions;
use crate::row_set::RowSet;
use crate::scan::PassError;
use crate::setting::{Reading, Setting};
use crate::table::Table;

/// A row with its values.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: Vec<Value>,
    /// The compared columns that are not in the key; NULL for those that are known to be equal.
    pub(crate) cells: Vec<Value>,
    pub(crate) customer: Customer,
    /// A number that depends on the row's key only (without a key, on all of its cells) and orders rows at random.
    pub(crate) lot: u128,
}

/// Takes the values of some rows of a side, of what was kept of it or else of the table.
pub(crate) fn fetch<'a>(
    table: &dyn Table,
    setting: Setting<'a>,
    side: Side,
    reading: Reading,
    kept: &KeptRows<'_>,
    wanted: &RowSet,
) -> Result<Parts<'a>, PassError> {
    let rows = Parts::new(setting.means);
    let mut fetcher = Fetcher {
        setting,
        side,
        reading,
        digester: Digester::new(setting, side, reading),
        rows: &rows,
        digests: Digests::default(),
        scratch: Vec::new(),
    };
    match kept.all() {
        _ if wanted.len() == 0 => {}
        Some(kept) => {
            let mut kept = kept.iter();
            kept.try_for_each(|Kept { positions, batch }| {
                fetcher.take(&picked(batch, positions, wanted))
            })?;
        }
        None => fetcher.read(table, wanted)?,
    }
    drop(fetcher);
    Ok(rows)
}

fn picked(batch: &RecordBatch, positions: &[u64], wanted: &RowSet) -> RecordBatch {
    let is_wanted = positions
        .iter()
        .map(|position| Some(wanted.contains(*position)));
    let is_wanted: BooleanArray = is_wanted.collect();
    filter_record_batch(batch, &is_wanted).expect("the mask has a bit for every row of the batch")
}

struct Fetcher<'f, 'a> {
    setting: Setting<'a>,
    side: Side,
    reading: Reading,
    digester: Digester<'a>,
    rows: &'f Parts<'a>,
    digests: Digests,
    scratch: Vec<u8>,
}

impl Fetcher<'_, '_> {
    fn read(&mut self, table: &dyn Table, wanted: &RowSet) -> Result<(), PassError> {
        let columns = self.digester.projection.positions().to_vec();
        for piece in table.pieces() {
            let mut take = |kept: Kept| self.take(&kept.batch);
            at_positions(table, &piece, &columns, wanted, &mut take)?;
        }
        Ok(())
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), PassError> {
        self.digester.identify(batch, &mut self.digests);
        let alignment = self.setting.alignment;
        for row in 0..batch.num_rows() {
            let key = alignment
                .key
                .iter()
                .map(|column| self.value(column, batch, row));
            let cells = alignment
                .columns
                .iter()
                .enumerate()
                .map(|(column, aligned)| {
                    let is_held = self.setting.held.at(column).is_some();
                    if self.reading == Reading::All || self.reading == Reading::Held && is_held {
                        self.value(aligned, batch, row)
                    } else {
                        Ok(Value::Null)
                    }
                });
            let (key, cells) = (
                key.collect::<Result<_, _>>()?,
                cells.collect::<Result<_, _>>()?,
            );
            let customer = customer_at(self.digester.projection.customer(batch), row)?;
            let lot = self.digests.keys[row];
            self.scratch.clear();
            Row {
                key,
                cells,
                customer,
                lot,
            }
            .encode(&mut self.scratch);
            let part = self.setting.means.part_of(upper(lot));
            self.rows.append(part, &self.scratch)?;
        }
        Ok(())
    }

    fn value(
        &self,
        column: &AlignedColumn,
        batch: &RecordBatch,
        row: usize,
    ) -> Result<Value, TableError> {
        let array = self
            .digester
            .projection
            .column(batch, *column.position.get(self.side));
        value_at(array.as_ref(), row)
    }
}
