//! `diff.csv` and `diff.parquet`: one line per difference, in one order.
//!
//! Columns: `customer`, the key columns by name, `kind`, `column`, `old`, `new`, `delta`, `delta_pct`, `expected`,
//! `rule`, `change`, `task`, `date`, `run`. In Parquet all of them are text but `expected`, since the values of
//! many columns share `old` and `new`, and since a delta is an exact decimal that a float would round.
//!
//! A changed row gives a line per cell that differs. A row on one side only gives one line whose `column` is NULL
//! and whose `old` (or `new`) holds the row's values as one JSON object of texts. The customer is the label of
//! the old row's, or of the new row's where there is no old one; a row that moved to another customer shows that
//! as a change of the customer column.
//!
//! Both files have the same lines, up to [`MAX_CSV_LINES`]: beyond it, the CSV leaves out expected lines first.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use understudy_comparators::{Findings, FindingsError, Layout};
use understudy_core::comparison::Comparison;
use understudy_core::judge::rows::JudgedRow;

use super::example::{Example, Examples};
use super::line::Line;
use super::parquet_file::ParquetFile;
use super::record::{self, Origin, OriginTexts, Record};
use super::sort::Sorter;
use super::whole_file::WholeFile;
use crate::mask::Mask;
use crate::report::csv_text::{Field, push_line};
use crate::report::error::ReportError;

pub use super::sort::SortLimits;

/// The most lines that `diff.csv` has, its header aside. A spreadsheet shows 1,048,576.
pub const MAX_CSV_LINES: u64 = 1_000_000;

/// The name of the CSV.
pub const DIFF_CSV: &str = "diff.csv";
/// The name of its Parquet twin.
pub const DIFF_PARQUET: &str = "diff.parquet";

/// What may be used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiffLimits {
    /// Lines of `diff.csv`.
    pub csv_lines: u64,
    /// Memory for sorting.
    pub sort: SortLimits,
}

impl Default for DiffLimits {
    fn default() -> Self {
        Self {
            csv_lines: MAX_CSV_LINES,
            sort: SortLimits::default(),
        }
    }
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DiffFiles {
    /// Lines of `diff.parquet`: every unexpected difference, and those expected ones that the comparison gave.
    pub lines: u64,
    /// Those of them that no rule expects.
    pub unexpected_lines: u64,
    /// Lines of `diff.csv`; fewer than `lines` where it was capped.
    pub csv_lines: u64,
    /// Whether `diff.csv` has all lines; if not, those that it lacks are in `diff.parquet`.
    pub csv_complete: bool,
    /// The first unexpected differences of the customers that have most of them.
    pub examples: Vec<Example>,
}

/// Takes the rows of one comparison, in any order, and writes the files at the end.
#[derive(Debug)]
pub struct DiffWriter {
    folder: Option<PathBuf>,
    origin: OriginTexts,
    rules: Vec<String>,
    limits: DiffLimits,
    layout: Option<Layout>,
    mask: Mask,
    sorter: Sorter,
    lines: u64,
    unexpected_lines: u64,
}

impl DiffWriter {
    /// A writer for one folder, or one that only counts and picks examples. `rules` are the rules' names in their
    /// order, `temp` a folder for what does not fit into memory.
    #[must_use]
    pub fn new(
        folder: Option<&Path>,
        temp: &Path,
        origin: Origin,
        rules: Vec<String>,
        limits: DiffLimits,
    ) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            origin: origin.into(),
            rules,
            limits,
            layout: None,
            mask: Mask::nothing(),
            sorter: Sorter::new(temp, limits.sort),
            lines: 0,
            unexpected_lines: 0,
        }
    }

    /// The same, with some columns masked: their values are replaced before anything is sorted, kept or written.
    #[must_use]
    pub fn masking(self, mask: Mask) -> Self {
        Self { mask, ..self }
    }

    /// Writes both files, if there is a folder for them. The comparison says which customers are worth an example.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn finish(self, comparison: &Comparison) -> Result<DiffFiles, ReportError> {
        let layout = self.layout.unwrap_or_default();
        let names = record::column_names(&layout);
        let folder = self.folder.as_deref();
        let mut files = folder
            .map(|folder| {
                Twins::create(folder, &names, self.limits.csv_lines, self.unexpected_lines)
            })
            .transpose()?;
        let mut examples = Examples::of_worst(comparison);
        for line in self.sorter.finish()? {
            let line = line?;
            if let Some(files) = &mut files {
                let record = Record::new(&line, &layout, &self.rules, &self.origin);
                files.push(&record.fields(line.is_expected()), line.is_expected())?;
            }
            examples.see(&line, &layout);
        }
        let (lines, unexpected_lines) = (self.lines, self.unexpected_lines);
        let csv_lines = files.map_or(Ok(0), Twins::finish)?;
        Ok(DiffFiles {
            lines,
            unexpected_lines,
            csv_lines,
            csv_complete: folder.is_none() || csv_lines == lines,
            examples: examples.worst_first(),
        })
    }
}

impl Findings for DiffWriter {
    fn begin(&mut self, layout: &Layout) -> Result<(), FindingsError> {
        self.layout = Some(layout.clone());
        Ok(())
    }

    fn row(&mut self, row: JudgedRow) -> Result<(), FindingsError> {
        self.take(row).map_err(FindingsError::new)
    }
}

impl DiffWriter {
    fn take(&mut self, mut row: JudgedRow) -> Result<(), ReportError> {
        let layout = self.layout.as_ref().ok_or(ReportError::NotBegun)?;
        fits("key columns", row.difference.key.len(), layout.key.len())?;
        self.mask
            .row(&mut row.difference, &layout.key, &layout.columns);
        for line in Line::of_row(row) {
            self.lines += 1;
            self.unexpected_lines += u64::from(!line.is_expected());
            self.sorter.push(line)?;
        }
        Ok(())
    }
}

fn fits(what: &'static str, found: usize, announced: usize) -> Result<(), ReportError> {
    if found == announced {
        Ok(())
    } else {
        Err(ReportError::Misfit {
            what,
            found,
            announced,
        })
    }
}

/// The CSV and its Parquet twin.
struct Twins {
    csv: Csv,
    parquet: ParquetFile,
}

impl Twins {
    fn create(
        folder: &Path,
        names: &[String],
        csv_lines: u64,
        unexpected_lines: u64,
    ) -> Result<Self, ReportError> {
        let parquet = WholeFile::create(&folder.join(DIFF_PARQUET))?;
        let is_truth = |position| record::is_truth(position, names);
        Ok(Self {
            csv: Csv::create(&folder.join(DIFF_CSV), names, csv_lines, unexpected_lines)?,
            parquet: ParquetFile::create(parquet, names, is_truth)?,
        })
    }

    fn push(&mut self, fields: &[Field<'_>], is_expected: bool) -> Result<(), ReportError> {
        self.csv.push(fields, is_expected)?;
        self.parquet.push(fields)
    }

    /// The lines of the CSV.
    fn finish(self) -> Result<u64, ReportError> {
        self.parquet.finish()?;
        self.csv.finish()
    }
}

/// The CSV and what room is left in it.
struct Csv {
    file: WholeFile,
    text: String,
    lines: u64,
    unexpected_room: u64,
    expected_room: u64,
}

impl Csv {
    /// Unexpected lines take their room first; what they leave is for expected ones.
    fn create(
        path: &Path,
        names: &[String],
        room: u64,
        unexpected: u64,
    ) -> Result<Self, ReportError> {
        let file = WholeFile::create(path)?;
        let unexpected_room = unexpected.min(room);
        let mut csv = Self {
            file,
            text: String::new(),
            lines: 0,
            unexpected_room,
            expected_room: room - unexpected_room,
        };
        csv.write(names.iter().map(|name| Field::Text(name)))?;
        Ok(csv)
    }

    fn push(&mut self, fields: &[Field<'_>], is_expected: bool) -> Result<(), ReportError> {
        let room = if is_expected {
            &mut self.expected_room
        } else {
            &mut self.unexpected_room
        };
        if *room == 0 {
            return Ok(());
        }
        *room -= 1;
        self.lines += 1;
        self.write(fields.iter().copied())
    }

    fn write<'a>(
        &mut self,
        fields: impl IntoIterator<Item = Field<'a>>,
    ) -> Result<(), ReportError> {
        self.text.clear();
        push_line(&mut self.text, fields);
        self.file.push(&self.text)
    }

    fn finish(self) -> Result<u64, ReportError> {
        self.file.finish().map(|()| self.lines)
    }
}

#[cfg(test)]
mod tests;
