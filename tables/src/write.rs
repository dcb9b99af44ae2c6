//! Tables to files. A file is created anew, and is on the disk when `finish` returns.

mod cells;
mod csv_file;
mod parquet_file;

use std::fs::{File, OpenOptions};
use std::path::Path;

pub use csv_file::CsvFile;
pub use parquet_file::ParquetFile;

use crate::error::TableError;

/// Creates a file; one that is there already is an error.
fn create(path: &Path) -> Result<File, TableError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(|source| TableError::writing(path, source))
}

#[cfg(test)]
mod tests;
