//! What the engine asks of a table.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use understudy_tables::{TableError, TableSource};

/// Batches of a table, in its order.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, TableError>> + Send>;

/// A table that can be read more than once, with the same rows in the same order.
pub(crate) trait Table: Sync {
    /// Batches of at most so many rows, with only these columns (positions in `schema`, ascending).
    fn read(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
    ) -> Result<Batches, TableError>;
}

impl Table for TableSource {
    fn read(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
    ) -> Result<Batches, TableError> {
        let quick = self.quick_schema(schema)?;
        TableSource::read(self, &quick, Some(columns), batch_rows)
    }
}
