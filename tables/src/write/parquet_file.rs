//! One Parquet file.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::error::TableError;

/// Rows of a row group, at most.
const MAX_GROUP_ROWS: usize = 1 << 20;

/// What a row group may hold in memory before it is written.
const MAX_GROUP_BYTES: usize = 64 << 20;

/// Writes batches as one Parquet file (zstd).
pub struct ParquetFile {
    path: PathBuf,
    writer: ArrowWriter<File>,
    rows: u64,
}

impl ParquetFile {
    /// Creates the file.
    ///
    /// # Errors
    /// A file that is there already or cannot be created, or a type that Parquet has no form for.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self, TableError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(MAX_GROUP_ROWS))
            .build();
        let file = super::create(path)?;
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
        let writer = writer.map_err(|source| TableError::writing_parquet(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            rows: 0,
        })
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// A batch of another schema, or a disk that is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.writer
            .write(batch)
            .map_err(|source| TableError::writing_parquet(&self.path, source))?;
        if self.writer.in_progress_size() > MAX_GROUP_BYTES {
            self.writer
                .flush()
                .map_err(|source| TableError::writing_parquet(&self.path, source))?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Completes the file, flushes it to the disk and gives the number of rows.
    ///
    /// # Errors
    /// A disk that is full or fails.
    pub fn finish(self) -> Result<u64, TableError> {
        let file = self
            .writer
            .into_inner()
            .map_err(|source| TableError::writing_parquet(&self.path, source))?;
        file.sync_all()
            .map_err(|source| TableError::writing(&self.path, source))?;
        Ok(self.rows)
    }
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetFile")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
