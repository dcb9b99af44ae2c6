//! Reads files of JSON lines once through, to learn their columns' types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;

use super::error::{JsonError, JsonProblem};
use super::kind::{Kind, see_fields};
use super::number::is_float;
use crate::csv::guess::fits as text_fits;
use crate::error::TableError;
use crate::text_file::{self, Line, Lines};

/// A longer line is taken for something else.
pub(super) const MAX_LINE_BYTES: usize = 64 << 20;

/// The columns of some files, in the order in which they come up, with what their values are.
pub(crate) fn scan(files: &[PathBuf]) -> Result<Vec<(String, Kind)>, TableError> {
    let mut fields = Vec::new();
    for file in files {
        let mut lines = JsonLines::open(file)?;
        while let Some(line) = lines.next()? {
            let seen = see_fields(&mut fields, line, &mut Vec::new());
            seen.map_err(|problem| lines.error(problem))?;
        }
    }
    Ok(fields)
}

/// Whether a value of this kind comes back the same from that type, whatever it is exactly; for kinds that say it.
pub(crate) fn kind_fits(kind: &Kind, data_type: &DataType) -> bool {
    match (kind, data_type) {
        (Kind::Null, _) => true,
        (Kind::Boolean, DataType::Boolean) => true,
        (Kind::Text | Kind::Written, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            true
        }
        (Kind::Number(numbers), wanted) => numbers.data_type() == *wanted,
        _ => false,
    }
}

/// The columns whose every value comes back the same from the types that the other side has.
pub(crate) fn fitting(
    files: &[PathBuf],
    targets: &BTreeMap<String, DataType>,
) -> Result<BTreeMap<String, bool>, TableError> {
    let mut fits: BTreeMap<String, bool> =
        targets.keys().map(|name| (name.clone(), true)).collect();
    for file in files {
        let mut lines = JsonLines::open(file)?;
        while let Some(line) = lines.next()? {
            let Ok(super::object::Object(entries)) = serde_json::from_str(line) else {
                continue;
            };
            for (key, value) in entries {
                if let (Some(fits), Some(target)) = (fits.get_mut(&key), targets.get(&key)) {
                    *fits = *fits && value_fits(value.get(), target);
                }
            }
        }
    }
    Ok(fits)
}

fn value_fits(value: &str, target: &DataType) -> bool {
    let is_text = matches!(
        target,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    match value.as_bytes().first() {
        Some(b'n') => true,
        Some(b't' | b'f') => *target == DataType::Boolean,
        Some(b'"') => match serde_json::from_str::<String>(value) {
            Ok(text) => is_text || (!target.is_numeric() && text_fits(&text, target)),
            Err(_) => false,
        },
        Some(b'[' | b'{') => false,
        _ if *target == DataType::Float64 => is_float(value),
        _ => !is_text && text_fits(value, target),
    }
}

/// The lines of one file that hold something.
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

    /// The next line that is not blank, without its end.
    pub(super) fn next(&mut self) -> Result<Option<&str>, TableError> {
        loop {
            self.line.clear();
            let read = text_file::read_line(&mut self.input, &mut self.line, MAX_LINE_BYTES);
            match read.map_err(|source| TableError::reading(&self.path, source))? {
                Line::End => return Ok(None),
                Line::TooLong => {
                    self.number += 1;
                    return Err(self.error(JsonProblem::TooLong(MAX_LINE_BYTES)));
                }
                Line::Read => self.number += 1,
            }
            if self.number == 1 && self.line.starts_with(b"\xEF\xBB\xBF") {
                self.line.drain(..3);
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        match std::str::from_utf8(&self.line) {
            Ok(_) => {}
            Err(_) => {
                return Err(self.error(JsonProblem::NotJson(
                    "not UTF-8; convert the file".to_owned(),
                )));
            }
        }
        Ok(std::str::from_utf8(&self.line).ok().map(str::trim_end))
    }

    pub(super) fn error(&self, problem: JsonProblem) -> TableError {
        JsonError::new(&self.path, self.number, problem).into()
    }
}
