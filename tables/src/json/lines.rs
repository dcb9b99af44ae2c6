//! The lines of one file.

use std::path::{Path, PathBuf};

use super::error::{JsonError, JsonProblem};
use crate::error::TableError;
use crate::text_file::{self, Line, Lines};

/// A longer line is taken for something else.
pub(super) const MAX_LINE_BYTES: usize = 64 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The lines of one file that are not blank.
pub(super) struct JsonLines {
    path: PathBuf,
    input: Lines,
    line: Vec<u8>,
    number: u64,
}

impl JsonLines {
    pub(super) fn open(path: &Path) -> Result<Self, TableError> {
        Ok(Self {
            path: path.to_owned(),
            input: text_file::open(path)?,
            line: Vec::new(),
            number: 0,
        })
    }

    /// The next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<&str>, TableError> {
        loop {
            if !self.read()? {
                return Ok(None);
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        match std::str::from_utf8(&self.line) {
            Ok(line) => Ok(Some(line.trim_ascii_end())),
            Err(_) => Err(self.error(JsonProblem::NotUtf8)),
        }
    }

    fn read(&mut self) -> Result<bool, TableError> {
        self.line.clear();
        let read = text_file::read_line(&mut self.input, &mut self.line, MAX_LINE_BYTES);
        let read = read.map_err(|source| TableError::reading(&self.path, source))?;
        self.number += u64::from(!matches!(read, Line::End));
        if matches!(read, Line::TooLong) {
            return Err(self.error(JsonProblem::TooLong(MAX_LINE_BYTES)));
        }
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(matches!(read, Line::Read))
    }

    /// What is wrong with the line that was read last.
    pub(super) fn error(&self, problem: JsonProblem) -> TableError {
        JsonError::new(&self.path, self.number, problem).into()
    }
}
