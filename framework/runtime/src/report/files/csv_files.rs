//! `diff.csv`, and the files that it goes on in when a spreadsheet would be full.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use understudy_core::csv_dialect::CsvDialect;

use super::diff::{DiffLimits, MAX_CSV_FILES, diff_csv};
use super::whole_file::WholeFile;
use crate::report::csv_text::{Field, beginning, push_line};
use crate::report::error::ReportError;
use crate::store::durable::{FileError, Step};

/// What the files still take.
pub(crate) struct Room {
    unexpected: u64,
    expected: u64,
    lines_of_file: u64,
}

impl Room {
    /// Unexpected lines take their room first; what they leave is for expected ones.
    pub(crate) fn new(limits: DiffLimits, unexpected: u64) -> Self {
        let room = limits.csv_lines.saturating_mul(limits.csv_files);
        let unexpected = unexpected.min(room);
        Self {
            unexpected,
            expected: room - unexpected,
            lines_of_file: limits.csv_lines,
        }
    }

    fn take(&mut self, is_expected: bool) -> bool {
        let room = if is_expected {
            &mut self.expected
        } else {
            &mut self.unexpected
        };
        let is_left = *room > 0;
        *room -= u64::from(is_left);
        is_left
    }
}

/// The files, and what room is left in them.
pub(crate) struct Csv {
    folder: PathBuf,
    header: String,
    dialect: CsvDialect,
    room: Room,
    text: String,
    /// All of them get their names at the end.
    full: Vec<WholeFile>,
    file: WholeFile,
    lines: u64,
    lines_of_this: u64,
}

impl Csv {
    pub(crate) fn create(
        folder: &Path,
        names: &[String],
        dialect: CsvDialect,
        room: Room,
    ) -> Result<Self, ReportError> {
        let mut header = beginning(dialect).to_owned();
        push_line(
            &mut header,
            dialect,
            names.iter().map(|name| Field::Text(name)),
        );
        Ok(Self {
            file: begin(folder, 1, &header)?,
            folder: folder.to_owned(),
            header,
            dialect,
            room,
            text: String::new(),
            full: Vec::new(),
            lines: 0,
            lines_of_this: 0,
        })
    }

    pub(crate) fn push(
        &mut self,
        fields: &[Field<'_>],
        is_expected: bool,
    ) -> Result<(), ReportError> {
        if !self.room.take(is_expected) {
            return Ok(());
        }
        if self.lines_of_this == self.room.lines_of_file {
            self.go_on()?;
        }
        self.lines += 1;
        self.lines_of_this += 1;
        self.text.clear();
        push_line(&mut self.text, self.dialect, fields.iter().copied());
        self.file.push(&self.text)
    }

    fn go_on(&mut self) -> Result<(), ReportError> {
        let next = begin(&self.folder, self.full.len() as u64 + 2, &self.header)?;
        let mut full = std::mem::replace(&mut self.file, next);
        let flushed = full.flush();
        flushed.map_err(FileError::at(Step::Write, full.path()))?;
        self.full.push(full);
        self.lines_of_this = 0;
        Ok(())
    }

    /// Gives the files their names, and takes away those of an earlier report that had more. The lines and the files.
    pub(crate) fn finish(self) -> Result<(u64, u64), ReportError> {
        let files = self.full.len() as u64 + 1;
        for file in self.full {
            file.finish()?;
        }
        self.file.finish()?;
        for number in files + 1..=MAX_CSV_FILES {
            let path = self.folder.join(diff_csv(number));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(FileError::at(Step::Remove, &path)(error).into());
                }
                _ => {}
            }
        }
        Ok((self.lines, files))
    }
}

fn begin(folder: &Path, number: u64, header: &str) -> Result<WholeFile, ReportError> {
    let mut file = WholeFile::create(&folder.join(diff_csv(number)))?;
    file.push(header)?;
    Ok(file)
}
