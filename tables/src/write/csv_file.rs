//! One CSV file.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::cells;
use crate::error::TableError;

const BUFFER_BYTES: usize = 1 << 18;

/// Writes batches as CSV (RFC 4180, lines end with LF): NULL is an empty field, empty text is `""`.
///
/// Floats have their shortest form that reads back the same (`2.0`, `1e-07`), instants are in UTC (`…Z`), bytes are
/// hexadecimal, lists, structs and maps are JSON.
pub struct CsvFile {
    path: PathBuf,
    output: BufWriter<File>,
    rows: u64,
    cell: String,
}

impl CsvFile {
    /// Creates the file and writes the header.
    ///
    /// # Errors
    /// A file that is there already or cannot be created.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self, TableError> {
        let output = BufWriter::with_capacity(BUFFER_BYTES, super::create(path)?);
        let mut file = Self {
            path: path.to_owned(),
            output,
            rows: 0,
            cell: String::new(),
        };
        let header = file.header(schema);
        header.map_err(|source| TableError::writing(path, source))?;
        Ok(file)
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// A cell that no text stands for, or a disk that is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        for row in 0..batch.num_rows() {
            for (position, column) in batch.columns().iter().enumerate() {
                self.field(position, column, row)?;
            }
            self.put(b"\n")?;
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
            .output
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        let synced = file.and_then(|file| file.sync_all());
        synced.map_err(|source| TableError::writing(&self.path, source))?;
        Ok(self.rows)
    }

    fn header(&mut self, schema: &SchemaRef) -> io::Result<()> {
        for (position, field) in schema.fields().iter().enumerate() {
            self.output
                .write_all(if position > 0 { b"," } else { b"" })?;
            quote_where_needed(&mut self.output, field.name())?;
        }
        self.output.write_all(b"\n")
    }

    fn field(&mut self, position: usize, column: &ArrayRef, row: usize) -> Result<(), TableError> {
        self.cell.clear();
        let present = cells::write_cell(column, row, &mut self.cell)?;
        if position > 0 {
            self.put(b",")?;
        }
        if present {
            let written = quote_where_needed(&mut self.output, &self.cell);
            written.map_err(|source| TableError::writing(&self.path, source))?;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), TableError> {
        self.output
            .write_all(bytes)
            .map_err(|source| TableError::writing(&self.path, source))
    }
}

/// Writes a field, quoted if it is empty or has a comma, a quote or a line end.
fn quote_where_needed(output: &mut impl Write, text: &str) -> io::Result<()> {
    let plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']);
    if plain {
        return output.write_all(text.as_bytes());
    }
    write!(output, "\"{}\"", text.replace('"', "\"\""))
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvFile")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
