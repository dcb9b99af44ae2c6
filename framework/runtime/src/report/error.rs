//! Why a report could not be written.

use std::io;
use std::path::PathBuf;

use crate::store::durable::FileError;

/// A report file that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The Parquet writer refused.
    #[error("`{path}` cannot be written as Parquet")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        source: parquet::errors::ParquetError,
    },
    /// The sorted differences could not be put aside on disk, or read back from there.
    #[error("differences cannot be sorted in the folder `{folder}`")]
    Spill {
        /// The folder of the temporary files.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A row came before its columns were known.
    #[error("a row of findings came before their columns were known")]
    NotBegun,
    /// A row does not have the columns that were announced.
    #[error("a row of findings has {found} {what} where {announced} were announced")]
    Misfit {
        /// What there is another number of.
        what: &'static str,
        /// How many the row has.
        found: usize,
        /// How many there should be.
        announced: usize,
    },
}
