//! What can be wrong with an Arrow IPC file.

use std::io;
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;

use crate::source::parquet::panicked;

/// An Arrow IPC file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be read as Arrow IPC; it is cut off, damaged or something else", path.display())]
pub struct ArrowFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub source: ArrowCause,
}

/// What is wrong with an Arrow IPC file.
#[derive(Debug, thiserror::Error)]
pub enum ArrowCause {
    /// The file system refused, or the file ends too early.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The decoder refused.
    #[error(transparent)]
    Decoder(#[from] ArrowError),
    /// The decoder panicked.
    #[error("the decoder gave up: {0}")]
    Panic(String),
    /// Metadata that are none.
    #[error("its metadata are damaged: {0}")]
    Metadata(String),
    /// The file is too short to be one.
    #[error("it has {0} bytes, too few for any table")]
    TooShort(u64),
    /// The first version of Feather, which is another format.
    #[error("it is Feather of version 1; write it as version 2")]
    OldFeather,
    /// Written on a machine with another byte order.
    #[error("its numbers are in the byte order of another kind of machine")]
    ByteOrder,
    /// The first message is no schema, or a later one is one.
    #[error("its first message, and no other, must be a schema")]
    Schema,
    /// A message that is neither a batch nor a dictionary.
    #[error("it has a message that is neither rows nor a dictionary")]
    OtherMessage,
    /// A stream that just stops.
    #[error("the stream has no end mark; its writer did not finish")]
    NoEnd,
    /// A stream with something behind it.
    #[error("{0} bytes follow the end of the stream; several streams do not make one table")]
    AfterEnd(u64),
    /// A length that cannot be.
    #[error("it says that {what} has {said} bytes, where {most} can be")]
    WrongLength {
        /// What has the length.
        what: &'static str,
        /// What is stated.
        said: i64,
        /// What can be.
        most: u64,
    },
    /// A batch that is larger than memory should hold.
    #[error("a batch has {found} {what}, where at most {limit} can be read; write smaller batches")]
    TooLarge {
        /// What it has.
        what: &'static str,
        /// How many of them.
        found: i64,
        /// The limit.
        limit: i64,
    },
}

impl ArrowCause {
    /// Metadata that are none.
    pub(super) fn flatbuffer(error: impl std::fmt::Display) -> Self {
        Self::Metadata(error.to_string())
    }
}

/// Reads something of a file. Damaged bytes must not stop the process, and the decoder panics on some of them.
pub(super) fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, ArrowCause>,
) -> Result<T, ArrowFileError> {
    let result = panicked(read).unwrap_or_else(|panic| Err(ArrowCause::Panic(panic)));
    result.map_err(|source| ArrowFileError {
        path: path.to_owned(),
        source,
    })
}
