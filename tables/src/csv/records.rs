//! From bytes to records: fields, and whether each was quoted.

mod record;

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

pub(crate) use record::Record;

use super::error::{CsvError, CsvProblem};
use crate::error::TableError;
use crate::source::MAX_COLUMNS;
use crate::text_file::{self, Line, Lines};

/// A longer record is taken for a quote that nobody closed.
pub(crate) const MAX_RECORD_BYTES: usize = 64 << 20;

const TOO_LONG: CsvProblem = CsvProblem::TooLong {
    limit: MAX_RECORD_BYTES,
};

/// The records of one file, in order.
pub(crate) struct Records {
    path: PathBuf,
    input: Lines,
    /// The lines read so far.
    lines: u64,
    line: String,
    columns: usize,
    record: Record,
}

impl Records {
    /// Opens a file and reads its header: the columns' names, in order.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<String>), TableError> {
        let input = text_file::open(path)?;
        let mut records = Self {
            path: path.to_owned(),
            input,
            lines: 0,
            line: String::new(),
            columns: 0,
            record: Record::default(),
        };
        records
            .skip_byte_order_mark()
            .map_err(|source| TableError::reading(path, source))?;
        let names = records.header()?;
        records.columns = names.len();
        Ok((records, names))
    }

    /// The next record; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<&Record>, TableError> {
        if !self.read()? {
            return Ok(None);
        }
        if self.record.is_blank() && self.columns != 1 && self.only_blank_lines_follow()? {
            return Ok(None);
        }
        let (expected, found) = (self.columns, self.record.field_count());
        if expected != found {
            return Err(self.error(self.record.line, CsvProblem::Ragged { expected, found }));
        }
        Ok(Some(&self.record))
    }

    fn header(&mut self) -> Result<Vec<String>, TableError> {
        if !self.read()? || self.record.is_blank() {
            return Err(self.error(1, CsvProblem::NoHeader));
        }
        let (found, limit) = (self.record.field_count(), MAX_COLUMNS);
        if found > limit {
            return Err(self.error(1, CsvProblem::TooManyColumns { found, limit }));
        }
        let mut names: Vec<String> = Vec::new();
        for name in self.record.fields() {
            let name = name.unwrap_or_default().to_owned();
            if name.is_empty() {
                return Err(self.error(
                    1,
                    CsvProblem::UnnamedColumn {
                        position: names.len() + 1,
                    },
                ));
            }
            if names.contains(&name) {
                return Err(self.error(1, CsvProblem::DuplicateColumn { name }));
            }
            names.push(name);
        }
        Ok(names)
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        if self.input.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
            self.input.consume(3);
        }
        Ok(())
    }

    /// Whether the file ends after nothing but blank lines. The blank record that stands now is kept for the
    /// error in case it does not.
    fn only_blank_lines_follow(&mut self) -> Result<bool, TableError> {
        loop {
            let rest = self
                .input
                .fill_buf()
                .map_err(|source| TableError::reading(&self.path, source))?;
            let blank = rest
                .iter()
                .take_while(|byte| matches!(byte, b'\n' | b'\r'))
                .count();
            if rest.is_empty() || blank < rest.len() {
                return Ok(rest.is_empty());
            }
            self.input.consume(blank);
        }
    }

    /// Reads one record, of whatever number of fields; false at the end of the file.
    fn read(&mut self) -> Result<bool, TableError> {
        self.record.begin(self.lines + 1);
        if !self.read_line()? {
            return Ok(false);
        }
        self.add_line()?;
        while self.record.is_open() {
            let begin = self.record.line;
            if self.record.bytes() > MAX_RECORD_BYTES {
                return Err(self.error(begin, TOO_LONG));
            }
            if !self.read_line()? {
                return Err(self.error(begin, CsvProblem::OpenQuote));
            }
            self.add_line()?;
        }
        Ok(true)
    }

    fn add_line(&mut self) -> Result<(), TableError> {
        let added = self.record.add(&mut self.line);
        added.map_err(|problem| self.error(self.lines, problem))
    }

    /// Reads one line, with its end; false at the end of the file.
    fn read_line(&mut self) -> Result<bool, TableError> {
        let mut bytes = std::mem::take(&mut self.line).into_bytes();
        bytes.clear();
        let read = text_file::read_line(&mut self.input, &mut bytes, MAX_RECORD_BYTES);
        let read = read.map_err(|source| TableError::reading(&self.path, source))?;
        let is_there = !matches!(read, Line::End);
        self.lines += u64::from(is_there);
        if matches!(read, Line::TooLong) {
            return Err(self.error(self.lines, TOO_LONG));
        }
        self.line =
            String::from_utf8(bytes).map_err(|_| self.error(self.lines, CsvProblem::NotUtf8))?;
        Ok(is_there)
    }

    fn error(&self, line: u64, problem: CsvProblem) -> TableError {
        CsvError::new(&self.path, line, problem).into()
    }
}
