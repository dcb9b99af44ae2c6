//! What can be wrong with a CSV file.

use std::path::{Path, PathBuf};

/// A CSV file that cannot be read as a table.
#[derive(Debug, thiserror::Error)]
#[error("`{}`, line {line}: {problem}", path.display())]
pub struct CsvError {
    /// The file.
    pub path: PathBuf,
    /// The line on which the record begins (or the wrong byte stands), from one.
    pub line: u64,
    /// What is wrong there.
    pub problem: CsvProblem,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// There is no header line.
    #[error("the file is empty; a CSV needs a header line")]
    NoHeader,
    /// More columns than any table should have.
    #[error("{found} columns, where at most {limit} can be read; does a line not end?")]
    TooManyColumns {
        /// The columns of the header.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A column has no name.
    #[error("column {position} of the header has no name")]
    UnnamedColumn {
        /// Its position, from one.
        position: usize,
    },
    /// Two columns have one name.
    #[error("column `{name}` stands twice in the header")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// A record has more or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    Ragged {
        /// The fields of the header.
        expected: usize,
        /// The fields of the record.
        found: usize,
    },
    /// A byte sequence that is no UTF-8.
    #[error("not UTF-8; convert the file")]
    NotUtf8,
    /// A quoted field that does not end.
    #[error("a quoted field is not closed")]
    OpenQuote,
    /// Something between a closing quote and the next comma.
    #[error("text after a closing quote; a quote inside a quoted field is written twice")]
    TextAfterQuote,
    /// A carriage return that is not part of a line's end.
    #[error("a carriage return in an unquoted field; lines end with LF or CRLF")]
    StrayCarriageReturn,
    /// A record that is longer than any record should be.
    #[error("a record longer than {limit} bytes; is a quote not closed?")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A value that is not of the column's type.
    #[error("column `{column}`: `{value}` is not {expected}")]
    WrongValue {
        /// The column.
        column: String,
        /// The value, cut where it is long.
        value: String,
        /// What it should be, with its article.
        expected: String,
    },
}

impl CsvError {
    pub(crate) fn new(path: &Path, line: u64, problem: CsvProblem) -> Self {
        Self {
            path: path.to_owned(),
            line,
            problem,
        }
    }
}
