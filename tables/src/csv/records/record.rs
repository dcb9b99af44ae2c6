//! One record: its lines taken apart into fields.

use std::ops::Range;

use crate::csv::error::CsvProblem;

/// One record. Its fields are ranges of its text, which is that of the file without the quoting.
#[derive(Default)]
pub(crate) struct Record {
    /// The line on which it begins, from one.
    pub(crate) line: u64,
    text: String,
    fields: Vec<Field>,
    /// Where the field that is being read begins in the text.
    start: usize,
    state: State,
}

struct Field {
    range: Range<usize>,
    quoted: bool,
}

#[derive(Clone, Copy, PartialEq, Default)]
enum State {
    #[default]
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first half of a doubled quote.
    AfterQuote,
}

impl Record {
    /// The fields: `None` for NULL, which is an empty field without quotes.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Option<&str>> {
        self.fields.iter().map(|field| {
            let text = &self.text[field.range.clone()];
            (field.quoted || !text.is_empty()).then_some(text)
        })
    }

    pub(super) fn field_count(&self) -> usize {
        self.fields.len()
    }

    /// Whether it is an empty line.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.fields.as_slice(), [only] if only.range.is_empty() && !only.quoted)
    }

    /// Whether the next line belongs to it as well.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Begins anew, on that line of the file.
    pub(super) fn begin(&mut self, line: u64) {
        self.line = line;
        self.text.clear();
        self.fields.clear();
        self.start = 0;
        self.state = State::FieldStart;
    }

    /// Adds one line, with its end. The line's text may be taken; what is left there means nothing.
    pub(super) fn add(&mut self, line: &mut String) -> Result<(), CsvProblem> {
        let content = without_line_end(line);
        let plain = !self.is_open() && memchr::memchr2(b'"', b'\r', content.as_bytes()).is_none();
        if plain {
            self.split(content.len(), line);
            return Ok(());
        }
        self.unquote(content)?;
        if self.is_open() {
            self.text.push_str(&line[content.len()..]);
        } else {
            self.finish_field();
        }
        Ok(())
    }

    /// Takes over a whole record that has no quotes.
    fn split(&mut self, content_bytes: usize, line: &mut String) {
        std::mem::swap(&mut self.text, line);
        let content = &self.text.as_bytes()[..content_bytes];
        let mut start = 0;
        for end in memchr::memchr_iter(b',', content).chain([content_bytes]) {
            self.fields.push(Field {
                range: start..end,
                quoted: false,
            });
            start = end + 1;
        }
    }

    fn unquote(&mut self, content: &str) -> Result<(), CsvProblem> {
        let mut rest = content;
        while let Some(first) = rest.bytes().next() {
            let run = self.run_length(rest.as_bytes());
            if run > 0 {
                self.text.push_str(&rest[..run]);
                self.state = if self.is_open() {
                    State::Quoted
                } else {
                    State::Plain
                };
            } else {
                self.special(first)?;
            }
            rest = &rest[run.max(1)..];
        }
        Ok(())
    }

    /// How many of the bytes stand for themselves in this state.
    fn run_length(&self, bytes: &[u8]) -> usize {
        let next = match self.state {
            State::Quoted => memchr::memchr(b'"', bytes),
            State::Plain => memchr::memchr2(b',', b'\r', bytes),
            State::FieldStart if matches!(bytes, [b'"' | b',' | b'\r', ..]) => Some(0),
            State::FieldStart => memchr::memchr2(b',', b'\r', bytes),
            State::AfterQuote => Some(0),
        };
        next.unwrap_or(bytes.len())
    }

    /// Takes a byte that means something in this state.
    fn special(&mut self, byte: u8) -> Result<(), CsvProblem> {
        match (self.state, byte) {
            (State::FieldStart, b'"') => self.state = State::Quoted,
            (State::Quoted, _) => self.state = State::AfterQuote,
            (State::AfterQuote, b'"') => {
                self.text.push('"');
                self.state = State::Quoted;
            }
            (_, b',') => self.finish_field(),
            (State::AfterQuote, _) => return Err(CsvProblem::TextAfterQuote),
            (State::FieldStart | State::Plain, _) => return Err(CsvProblem::StrayCarriageReturn),
        }
        Ok(())
    }

    fn finish_field(&mut self) {
        let range = self.start..self.text.len();
        self.start = range.end;
        self.fields.push(Field {
            range,
            quoted: self.state == State::AfterQuote,
        });
        self.state = State::FieldStart;
    }
}

fn without_line_end(line: &str) -> &str {
    let line_feed = line.strip_suffix('\n');
    line_feed.map_or(line, |content| {
        content.strip_suffix('\r').unwrap_or(content)
    })
}
