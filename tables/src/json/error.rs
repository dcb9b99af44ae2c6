//! What can be wrong with a file of JSON lines.

use std::path::{Path, PathBuf};

/// A file that cannot be read as newline-delimited JSON.
#[derive(Debug, thiserror::Error)]
#[error("`{}`, line {line}: {problem}", path.display())]
pub struct JsonError {
    /// The file.
    pub path: PathBuf,
    /// The line, from one.
    pub line: u64,
    /// What is wrong there.
    pub problem: JsonProblem,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonProblem {
    /// The line is no JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// The line is JSON, and no object.
    #[error("a line must hold one object, `{{…}}`")]
    NotAnObject,
    /// A key stands twice in one object.
    #[error("the key `{0}` stands twice in one object")]
    KeyTwice(String),
    /// A column is nested in one line and not in another.
    #[error("`{column}` is {now} here, and {before} before")]
    Mixed {
        /// The column, with the path below it.
        column: String,
        /// What it is in this line.
        now: &'static str,
        /// What it was.
        before: &'static str,
    },
    /// Objects or arrays that go too deep.
    #[error("objects and arrays that go deeper than {0}")]
    TooDeep(usize),
    /// More columns than any table should have.
    #[error("more than {0} columns")]
    TooManyColumns(usize),
    /// A line that is longer than any should be.
    #[error("a line longer than {0} bytes")]
    TooLong(usize),
    /// A byte sequence that is no UTF-8.
    #[error("not UTF-8; convert the file")]
    NotUtf8,
    /// A line that is small and stands for more values than memory should hold.
    #[error("a line of more than {0} values")]
    TooManyValues(usize),
    /// A value that is not of the column's type.
    #[error("column `{column}`: `{value}` is not {expected}")]
    WrongValue {
        /// The column, with the path below it.
        column: String,
        /// The value, cut where it is long.
        value: String,
        /// What it should be, with its article.
        expected: String,
    },
}

impl JsonError {
    pub(crate) fn new(path: &Path, line: u64, problem: JsonProblem) -> Self {
        Self {
            path: path.to_owned(),
            line,
            problem,
        }
    }
}
