//! Files that people write, as text: regular, not endless, and UTF-8.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use understudy_sabotage::Sabotage;

/// The bytes of a pipeline file or a file of rules, at most: what the reader of YAML takes.
pub const MAX_YAML_BYTES: u64 = 1 << 20;
/// The bytes of a list of customers or of a query, at most.
pub const MAX_TEXT_BYTES: u64 = 64 << 20;

/// Why a file is no text.
#[derive(Debug, thiserror::Error)]
pub enum SmallFileError {
    /// A pipe, a device, a folder: reading it may never end.
    #[error("it is no regular file")]
    NotAFile,
    /// Longer than the limit.
    #[error("it has {bytes} bytes, and at most {limit} are read")]
    TooLong {
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Bytes that are no text.
    #[error("line {line}, column {column}: it is not UTF-8")]
    NotUtf8 {
        /// Where the text ends, from one.
        line: usize,
        /// In bytes, from one.
        column: usize,
    },
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl SmallFileError {
    /// The line and the column that it is about, each from one.
    #[must_use]
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::NotUtf8 { line, column } => (*line, *column),
            _ => (1, 1),
        }
    }

    /// What to do.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NotAFile => "write a file with the text in it",
            Self::TooLong { .. } => {
                "move long lists of customers to a file: `customers: { file: … }`"
            }
            Self::NotUtf8 { .. } => "save it as UTF-8",
            Self::Io(_) => "look at the path and its permissions",
        }
    }
}

/// The text of a file.
///
/// # Errors
/// It is no regular file, longer than that, not UTF-8, or cannot be read.
pub fn read_small(path: &Path, limit: u64) -> Result<String, SmallFileError> {
    if Sabotage::EndlessFiles.is_on() {
        return Ok(fs::read_to_string(path)?);
    }
    // Opening a pipe waits for whoever writes to it: so one looks first.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(SmallFileError::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(SmallFileError::TooLong {
            bytes: found.len().max(limit + 1),
            limit,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let begin = good.iter().rposition(|byte| *byte == b'\n');
        let breaks = good.iter().filter(|byte| **byte == b'\n');
        SmallFileError::NotUtf8 {
            line: breaks.count() + 1,
            column: good.len() - begin.map_or(0, |begin| begin + 1) + 1,
        }
    })
}
