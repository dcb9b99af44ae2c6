//! Some rows of a piece of a table, by the digests of their keys.

use std::ops::Range;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::BatchCoalescer;
use understudy_tables::{Piece, TableError};

use crate::both::Side;
use crate::digester::{Digester, Digests};
use crate::kept::Kept;
use crate::row_set::RowSet;
use crate::scan::{BATCH_ROWS, PassError};
use crate::setting::{Identity, Setting};
use crate::table::Table;

/// Rows are skipped where no more than one in so many is wanted; where there are more, reading all is no slower.
const SKIPPING_SHARE: u64 = 16;

/// Picks rows of one side.
pub(crate) struct Picker<'p> {
    table: &'p dyn Table,
    /// Reads what is wanted of the picked rows.
    digester: &'p Digester<'p>,
    /// Reads only what rows are picked by, if that is less.
    identifier: Option<Digester<'p>>,
    digests: Digests,
}

impl<'p> Picker<'p> {
    pub(crate) fn new(
        table: &'p dyn Table,
        setting: Setting<'p>,
        side: Side,
        digester: &'p Digester<'p>,
    ) -> Self {
        let has_less = setting.identity == Identity::Key && table.can_skip();
        Self {
            table,
            digester,
            identifier: has_less.then(|| Digester::of_identity(setting, side)),
            digests: Digests::default(),
        }
    }

    /// Hands on the rows whose keys' digests are wanted, in full batches. Returns how many rows the piece has.
    pub(crate) fn pick(
        &mut self,
        piece: &Piece,
        is_wanted: impl Fn(u128) -> bool,
        mut receive: impl FnMut(Kept) -> Result<(), PassError>,
    ) -> Result<u64, PassError> {
        let Some(identifier) = &self.identifier else {
            return self.pick_of_all(piece, is_wanted, &mut receive);
        };
        let mut positions = Vec::new();
        let columns = identifier.projection.positions();
        let mut position = piece.first_row;
        for batch in self.table.read(piece, columns, BATCH_ROWS, None)? {
            identifier.identify(&batch?, &mut self.digests);
            for key in &self.digests.keys {
                if is_wanted(*key) {
                    positions.push(position);
                }
                position += 1;
            }
        }
        let rows = position - piece.first_row;
        if positions.is_empty() {
            return Ok(rows);
        }
        if positions.len() as u64 > rows / SKIPPING_SHARE {
            return self.pick_of_all(piece, is_wanted, &mut receive);
        }
        let columns = self.digester.projection.positions();
        let ranges = ranges(&positions);
        let batches = self.table.read(piece, columns, BATCH_ROWS, Some(&ranges))?;
        hand_on_skipped(batches, positions, &mut receive)?;
        Ok(rows)
    }

    fn pick_of_all(
        &mut self,
        piece: &Piece,
        is_wanted: impl Fn(u128) -> bool,
        receive: &mut impl FnMut(Kept) -> Result<(), PassError>,
    ) -> Result<u64, PassError> {
        let columns = self.digester.projection.positions();
        let mut gathering = Gathering::default();
        let mut position = piece.first_row;
        for batch in self.table.read(piece, columns, BATCH_ROWS, None)? {
            let batch = batch?;
            self.digester.identify(&batch, &mut self.digests);
            let is_picked: Vec<bool> = self
                .digests
                .keys
                .iter()
                .map(|key| is_wanted(*key))
                .collect();
            let rows = batch.num_rows() as u64;
            gathering.add(batch, position, is_picked, receive)?;
            position += rows;
        }
        gathering.finish(receive)?;
        Ok(position - piece.first_row)
    }
}

/// The rows of a piece that stand at some positions, as they are read.
pub(crate) fn at_positions(
    table: &dyn Table,
    piece: &Piece,
    columns: &[usize],
    wanted: &RowSet,
    receive: &mut impl FnMut(Kept) -> Result<(), PassError>,
) -> Result<(), PassError> {
    if let (true, Some(rows)) = (table.can_skip(), piece.rows) {
        let positions: Vec<u64> = wanted
            .within(piece.first_row..piece.first_row + rows)
            .collect();
        if positions.is_empty() {
            return Ok(());
        }
        if positions.len() as u64 <= rows / SKIPPING_SHARE {
            let batches = table.read(piece, columns, BATCH_ROWS, Some(&ranges(&positions)))?;
            return hand_on_skipped(batches, positions, receive);
        }
    }
    let mut gathering = Gathering::default();
    let mut position = piece.first_row;
    for batch in table.read(piece, columns, BATCH_ROWS, None)? {
        let batch = batch?;
        let end = position + batch.num_rows() as u64;
        let is_picked = (position..end).map(|row| wanted.contains(row)).collect();
        gathering.add(batch, position, is_picked, receive)?;
        position = end;
    }
    gathering.finish(receive)
}

/// Hands on rows that were read without those between them. They still go from their batches into full ones: text in
/// a batch can refer to a page of the file that has far more of it.
fn hand_on_skipped(
    batches: impl Iterator<Item = Result<RecordBatch, TableError>>,
    positions: Vec<u64>,
    receive: &mut impl FnMut(Kept) -> Result<(), PassError>,
) -> Result<(), PassError> {
    let mut gathering = Gathering {
        coalescer: None,
        positions,
    };
    for batch in batches {
        let batch = batch?;
        let is_picked = vec![true; batch.num_rows()];
        gathering.push(batch, is_picked, receive)?;
    }
    gathering.finish(receive)
}

/// Ascending positions as ranges.
fn ranges(positions: &[u64]) -> Vec<Range<u64>> {
    let runs = positions.chunk_by(|before, after| before + 1 == *after);
    runs.map(|run| run[0]..run[run.len() - 1] + 1).collect()
}

/// Rows that were picked out of batches, on their way into full ones.
#[derive(Default)]
struct Gathering {
    coalescer: Option<BatchCoalescer>,
    positions: Vec<u64>,
}

impl Gathering {
    fn add(
        &mut self,
        batch: RecordBatch,
        first: u64,
        is_picked: Vec<bool>,
        receive: &mut impl FnMut(Kept) -> Result<(), PassError>,
    ) -> Result<(), PassError> {
        if !is_picked.contains(&true) {
            return Ok(());
        }
        let picked = (first..)
            .zip(&is_picked)
            .filter(|(_, is_picked)| **is_picked);
        self.positions.extend(picked.map(|(position, _)| position));
        self.push(batch, is_picked, receive)
    }

    /// Adds rows whose positions are known already.
    fn push(
        &mut self,
        batch: RecordBatch,
        is_picked: Vec<bool>,
        receive: &mut impl FnMut(Kept) -> Result<(), PassError>,
    ) -> Result<(), PassError> {
        let coalescer = self
            .coalescer
            .get_or_insert_with(|| BatchCoalescer::new(batch.schema(), BATCH_ROWS));
        coalescer.push_batch_with_filter(batch, &BooleanArray::from(is_picked))?;
        self.hand_on(receive)
    }

    fn finish(
        mut self,
        receive: &mut impl FnMut(Kept) -> Result<(), PassError>,
    ) -> Result<(), PassError> {
        if let Some(coalescer) = &mut self.coalescer {
            coalescer.finish_buffered_batch()?;
        }
        self.hand_on(receive)?;
        if self.positions.is_empty() {
            Ok(())
        } else {
            Err(PassError::Changed)
        }
    }

    fn hand_on(
        &mut self,
        receive: &mut impl FnMut(Kept) -> Result<(), PassError>,
    ) -> Result<(), PassError> {
        let Some(coalescer) = &mut self.coalescer else {
            return Ok(());
        };
        while let Some(batch) = coalescer.next_completed_batch() {
            if batch.num_rows() > self.positions.len() {
                return Err(PassError::Changed);
            }
            let rest = self.positions.split_off(batch.num_rows());
            let positions = std::mem::replace(&mut self.positions, rest);
            receive(Kept { positions, batch })?;
        }
        Ok(())
    }
}
