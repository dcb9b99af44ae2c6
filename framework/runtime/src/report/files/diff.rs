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
//! A spreadsheet shows 1,048,576 rows, so that the CSV goes on in `diff-2.csv` and so forth, each with the header, after
//! [`MAX_CSV_LINES`]. Both formats have the same lines, up to [`MAX_CSV_FILES`] such files: beyond them, the CSV leaves
//! out expected lines first.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use understudy_comparators::{Findings, FindingsError, Layout};
use understudy_core::comparison::Comparison;
use understudy_core::csv_dialect::CsvDialect;
use understudy_core::judge::rows::JudgedRow;

use super::csv_files::{Csv, Room};
use super::example::{Example, Examples};
use super::group::{Group, Grouping};
use super::line::Line;
use super::parquet_file::ParquetFile;
use super::record::{self, Origin, OriginTexts, Record};
use super::sort::Sorter;
use super::whole_file::WholeFile;
use crate::mask::Mask;
use crate::report::csv_text::Field;
use crate::report::error::ReportError;

pub use super::sort::SortLimits;

/// The most lines that one file of the CSV has, its header aside: with it, a spreadsheet is full.
pub const MAX_CSV_LINES: u64 = 1_048_575;
/// The most files of the CSV. What is more is in `diff.parquet` only.
pub const MAX_CSV_FILES: u64 = 10;

/// The name of the CSV.
pub const DIFF_CSV: &str = "diff.csv";
/// The name of its Parquet twin.
pub const DIFF_PARQUET: &str = "diff.parquet";

/// What may be used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiffLimits {
    /// Lines of one file of the CSV.
    pub csv_lines: u64,
    /// Files of the CSV.
    pub csv_files: u64,
    /// Memory for sorting.
    pub sort: SortLimits,
}

impl Default for DiffLimits {
    fn default() -> Self {
        Self {
            csv_lines: MAX_CSV_LINES,
            csv_files: MAX_CSV_FILES,
            sort: SortLimits::default(),
        }
    }
}

/// What was written.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct DiffFiles {
    /// Lines of `diff.parquet`: every unexpected difference, and those expected ones that the comparison gave.
    pub lines: u64,
    /// Those of them that no rule expects.
    pub unexpected_lines: u64,
    /// Lines of `diff.csv` and those that it goes on in; fewer than `lines` where that was capped.
    pub csv_lines: u64,
    /// The files that these stand in: `diff.csv`, `diff-2.csv` and so forth.
    #[serde(default = "one")]
    pub csv_files: u64,
    /// Whether the CSV has all lines; if not, those that it lacks are in `diff.parquet`.
    pub csv_complete: bool,
    /// The first unexpected differences of the customers that have most of them.
    pub examples: Vec<Example>,
    /// The unexpected differences, grouped: the largest group first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
}

/// Stores of earlier programs have one file.
fn one() -> u64 {
    1
}

/// The name of a file of the CSV, counted from one.
#[must_use]
pub fn diff_csv(number: u64) -> String {
    match number {
        0 | 1 => DIFF_CSV.to_owned(),
        number => format!("diff-{number}.csv"),
    }
}

/// Takes the rows of one comparison, in any order, and writes the files at the end.
#[derive(Debug)]
pub struct DiffWriter {
    folder: Option<PathBuf>,
    origin: OriginTexts,
    rules: Vec<String>,
    limits: DiffLimits,
    dialect: CsvDialect,
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
            dialect: CsvDialect::default(),
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

    /// The same, with a CSV as some spreadsheet wants it.
    #[must_use]
    pub fn speaking(self, dialect: CsvDialect) -> Self {
        Self { dialect, ..self }
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
                let room = Room::new(self.limits, self.unexpected_lines);
                Twins::create(folder, &names, self.dialect, room)
            })
            .transpose()?;
        let mut examples = Examples::of_worst(comparison);
        let columns = layout.columns.iter();
        let hidden = columns.map(|column| self.mask.has(&column.name)).collect();
        let mut grouping = Grouping::new(hidden);
        for line in self.sorter.finish()? {
            let line = line?;
            if let Some(files) = &mut files {
                let record = Record::new(&line, &layout, &self.rules, &self.origin);
                files.push(&record.fields(line.is_expected()), line.is_expected())?;
            }
            examples.see(&line, &layout);
            grouping.see(&line, &layout);
        }
        let (lines, unexpected_lines) = (self.lines, self.unexpected_lines);
        let (csv_lines, csv_files) = files.map_or(Ok((0, 0)), Twins::finish)?;
        Ok(DiffFiles {
            lines,
            unexpected_lines,
            csv_lines,
            csv_files,
            csv_complete: folder.is_none() || csv_lines == lines,
            examples: examples.worst_first(),
            groups: grouping.finish(&comparison.schema, &layout, self.origin.origin()),
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
        dialect: CsvDialect,
        room: Room,
    ) -> Result<Self, ReportError> {
        let parquet = WholeFile::create(&folder.join(DIFF_PARQUET))?;
        let is_truth = |position| record::is_truth(position, names);
        Ok(Self {
            csv: Csv::create(folder, names, dialect, room)?,
            parquet: ParquetFile::create(parquet, names, is_truth)?,
        })
    }

    fn push(&mut self, fields: &[Field<'_>], is_expected: bool) -> Result<(), ReportError> {
        self.csv.push(fields, is_expected)?;
        self.parquet.push(fields)
    }

    /// The lines of the CSV, and its files.
    fn finish(self) -> Result<(u64, u64), ReportError> {
        self.parquet.finish()?;
        self.csv.finish()
    }
}

#[cfg(test)]
mod tests;
