//! What can go wrong with a table, by its cause.

use std::io;
use std::path::{Path, PathBuf};

use crate::arrow_file::ArrowFileError;
use crate::csv::error::CsvError;
use crate::json::error::JsonError;
use crate::source::SchemaError;
use crate::source::parquet::ParquetError;
use crate::value::ValueError;

/// A table that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system refused.
    #[error("`{}` cannot be {action}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `read` or `written`.
        action: &'static str,
        /// What the file system said.
        source: io::Error,
    },
    /// A file is no longer what was pinned.
    #[error("`{}` {what} since it was pinned", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What happened to it, as a fragment: `was removed`.
        what: String,
    },
    /// A Parquet file is broken.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// The rows cannot be written as Parquet.
    #[error("`{}` cannot be written as Parquet", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        source: parquet::errors::ParquetError,
    },
    /// A CSV file is broken.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A file of JSON lines is broken.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// An Arrow IPC file is broken.
    #[error(transparent)]
    Arrow(#[from] ArrowFileError),
    /// The files of a table do not make one table.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A cell cannot be represented.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl TableError {
    pub(crate) fn reading(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            action: "read",
            source,
        }
    }

    pub(crate) fn writing_parquet(path: &Path, source: parquet::errors::ParquetError) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn writing(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            action: "written",
            source,
        }
    }
}
