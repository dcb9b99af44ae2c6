//! From bytes to records: fields, and whether each was quoted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::{CsvError, CsvProblem};
use crate::error::TableError;

/// A longer record is taken for a quote that nobody closed.
pub(crate) const MAX_RECORD_BYTES: usize = 64 << 20;

const BUFFER_BYTES: usize = 1 << 18;

/// The records of one file, in order.
pub(crate) struct Records {
    path: PathBuf,
    input: BufReader<File>,
    /// The lines read so far.
    lines: u64,
    line: Vec<u8>,
    columns: usize,
    record: Record,
}

/// One record. Its fields are ranges of its text.
#[derive(Default)]
pub(crate) struct Record {
    /// The line on which it begins, from one.
    pub(crate) line: u64,
    bytes: Vec<u8>,
    fields: Vec<Span>,
}

struct Span {
    range: Range<usize>,
    quoted: bool,
}

impl Record {
    /// The fields: `None` for NULL, which is an empty field without quotes.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Option<&str>> {
        // Lines are checked as a whole and cut only at ASCII bytes, so each field is UTF-8 as well.
        self.fields.iter().map(|span| {
            let text = std::str::from_utf8(&self.bytes[span.range.clone()])
                .expect("each line was checked to be UTF-8");
            (span.quoted || !text.is_empty()).then_some(text)
        })
    }

    fn is_blank(&self) -> bool {
        matches!(self.fields.as_slice(), [only] if only.range.is_empty() && !only.quoted)
    }
}

impl Records {
    /// Opens a file and reads its header: the columns' names, in order.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<String>), TableError> {
        let file = File::open(path).map_err(|source| TableError::reading(path, source))?;
        let input = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut records = Self {
            path: path.to_owned(),
            input,
            lines: 0,
            line: Vec::new(),
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
        let (expected, found) = (self.columns, self.record.fields.len());
        if expected != found {
            return Err(self.error(self.record.line, CsvProblem::Ragged { expected, found }));
        }
        Ok(Some(&self.record))
    }

    fn header(&mut self) -> Result<Vec<String>, TableError> {
        if !self.read()? || self.record.is_blank() {
            return Err(self.error(1, CsvProblem::NoHeader));
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
        self.record.bytes.clear();
        self.record.fields.clear();
        self.record.line = self.lines + 1;
        if !self.read_line()? {
            return Ok(false);
        }
        let content = without_line_end(&self.line);
        if memchr::memchr2(b'"', b'\r', content).is_none() {
            split(content, &mut self.record.fields);
            std::mem::swap(&mut self.line, &mut self.record.bytes);
        } else {
            self.read_quoted()?;
        }
        Ok(true)
    }

    /// Takes the record that begins on the current line apart, reading on as long as a quoted field is open.
    fn read_quoted(&mut self) -> Result<(), TableError> {
        let mut splitter = Splitter::new(&mut self.record);
        loop {
            let content = without_line_end(&self.line);
            if let Err(problem) = splitter.push(content) {
                return Err(self.error(self.lines, problem));
            }
            if !splitter.is_open() {
                splitter.finish_field();
                return Ok(());
            }
            splitter
                .record
                .bytes
                .extend_from_slice(&self.line[content.len()..]);
            // The splitter borrows the record, so what it knows is set aside while the next line is read.
            let state = splitter.state;
            let (start, line) = (splitter.start, self.record.line);
            if self.record.bytes.len() > MAX_RECORD_BYTES {
                return Err(self.error(
                    line,
                    CsvProblem::TooLong {
                        limit: MAX_RECORD_BYTES,
                    },
                ));
            }
            if !self.read_line()? {
                return Err(self.error(line, CsvProblem::OpenQuote));
            }
            splitter = Splitter {
                record: &mut self.record,
                state,
                start,
            };
        }
    }

    /// Reads one line, with its end; false at the end of the file.
    fn read_line(&mut self) -> Result<bool, TableError> {
        self.line.clear();
        let mut input = self.input.by_ref().take(MAX_RECORD_BYTES as u64 + 1);
        let read = input.read_until(b'\n', &mut self.line);
        let read = read.map_err(|source| TableError::reading(&self.path, source))?;
        self.lines += u64::from(read > 0);
        if self.line.len() > MAX_RECORD_BYTES {
            return Err(self.error(
                self.lines,
                CsvProblem::TooLong {
                    limit: MAX_RECORD_BYTES,
                },
            ));
        }
        match std::str::from_utf8(&self.line) {
            Ok(_) => Ok(read > 0),
            Err(_) => Err(self.error(self.lines, CsvProblem::NotUtf8)),
        }
    }

    fn error(&self, line: u64, problem: CsvProblem) -> TableError {
        CsvError::new(&self.path, line, problem).into()
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line_feed = line.strip_suffix(b"\n");
    line_feed.map_or(line, |content| {
        content.strip_suffix(b"\r").unwrap_or(content)
    })
}

/// The fields of a line without quotes.
fn split(content: &[u8], fields: &mut Vec<Span>) {
    let mut start = 0;
    for end in memchr::memchr_iter(b',', content).chain([content.len()]) {
        fields.push(Span {
            range: start..end,
            quoted: false,
        });
        start = end + 1;
    }
}

/// Takes a record with quotes apart, line by line.
struct Splitter<'a> {
    record: &'a mut Record,
    state: State,
    /// Where the current field begins in the record's bytes.
    start: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first half of a doubled quote.
    AfterQuote,
}

impl<'a> Splitter<'a> {
    fn new(record: &'a mut Record) -> Self {
        Self {
            record,
            state: State::FieldStart,
            start: 0,
        }
    }

    fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    fn push(&mut self, content: &[u8]) -> Result<(), CsvProblem> {
        for &byte in content {
            self.push_byte(byte)?;
        }
        Ok(())
    }

    fn push_byte(&mut self, byte: u8) -> Result<(), CsvProblem> {
        match (self.state, byte) {
            (State::FieldStart, b'"') => self.state = State::Quoted,
            (State::Quoted, b'"') => self.state = State::AfterQuote,
            (State::FieldStart | State::Plain | State::AfterQuote, b',') => self.finish_field(),
            (State::AfterQuote, b'"') => self.keep(byte, State::Quoted),
            (State::AfterQuote, _) => return Err(CsvProblem::TextAfterQuote),
            (State::FieldStart | State::Plain, b'\r') => {
                return Err(CsvProblem::StrayCarriageReturn);
            }
            (State::FieldStart | State::Plain, _) => self.keep(byte, State::Plain),
            (State::Quoted, _) => self.keep(byte, State::Quoted),
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8, state: State) {
        self.record.bytes.push(byte);
        self.state = state;
    }

    fn finish_field(&mut self) {
        let end = self.record.bytes.len();
        self.record.fields.push(Span {
            range: self.start..end,
            quoted: self.state == State::AfterQuote,
        });
        self.start = end;
        self.state = State::FieldStart;
    }
}
