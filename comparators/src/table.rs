//! What the engine asks of a table.

use std::ops::Range;

use arrow::array::RecordBatch;
use understudy_tables::{Piece, TableError, TableReader};

/// Batches of a table, in its order.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, TableError>> + Send>;

/// A table that can be read more than once, with the same rows in the same order.
pub(crate) trait Table: Sync {
    /// What can be read at the same time, in the order of the rows.
    fn pieces(&self) -> Vec<Piece>;

    /// Whether it is worthwhile to say which rows are wanted.
    fn can_skip(&self) -> bool;

    /// Batches of at most so many rows of one piece, with only these columns (positions in its schema, ascending),
    /// and of these rows only if any are given (ranges of positions in the table, ascending).
    fn read(
        &self,
        piece: &Piece,
        columns: &[usize],
        batch_rows: usize,
        rows: Option<&[Range<u64>]>,
    ) -> Result<Batches, TableError>;
}

impl Table for TableReader {
    fn pieces(&self) -> Vec<Piece> {
        self.pieces().to_vec()
    }

    fn can_skip(&self) -> bool {
        self.can_skip()
    }

    fn read(
        &self,
        piece: &Piece,
        columns: &[usize],
        batch_rows: usize,
        rows: Option<&[Range<u64>]>,
    ) -> Result<Batches, TableError> {
        self.read(piece, columns, batch_rows, rows)
    }
}
