//! Differences, out to a file for people.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use understudy_core::csv_dialect::CsvDialect;
use understudy_core::path_part::encode;
use understudy_core::review::bugs;
use understudy_core::run_date::RunDate;

use super::ids::Ids;
use super::sheet::{COLUMNS, OfTask, SheetLine, lines};
use super::{ReviewError, reports, xlsx};
use crate::error::RunError;
use crate::pipeline;
use crate::report::csv_text::{Field, push_line};
use crate::report::files::group::{Group, mark_bugs};
use crate::report::model::ChangeReport;
use crate::run::record::{self, RunRecord};
use crate::store::durable;
use crate::store::{Store, ledger};

/// The format of what `review out --json` prints.
const FORMAT: u32 = 1;
/// With it, Excel takes a CSV for UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What to write.
#[derive(Clone, Debug)]
pub struct OutRequest<'a> {
    /// The pipeline's folder or file.
    pub pipeline: &'a Path,
    /// The run, by its id or the beginning of it; the last one if none is named.
    pub run: Option<&'a str>,
    /// The change; all that the run compared if none is named.
    pub change: Option<&'a str>,
    /// The folder that the files go to.
    pub folder: &'a Path,
    /// The kind of file.
    pub kind: FileKind,
    /// Until when answers would hold.
    pub until: RunDate,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// A kind of file for review.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Comma-separated values, in UTF-8 with a byte order mark.
    Csv,
    /// An Excel workbook, with a list to choose the decision from.
    Xlsx,
}

/// What was written.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outcome {
    /// The format of this.
    pub version: u32,
    /// The run.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// Until when answers hold, if nobody says otherwise when they are taken.
    pub until: RunDate,
    /// Whether files were written.
    pub done: bool,
    /// One for each change that has something to review.
    pub files: Vec<OutFile>,
}

/// One file.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct OutFile {
    /// The change.
    pub change: String,
    /// Where it is.
    pub path: PathBuf,
    /// The groups in it, which are the questions.
    pub groups: usize,
    /// The differences behind them.
    pub differences: u64,
}

/// Writes the files for review of a run.
///
/// # Errors
/// There is no such run or change, another file stands in the place, or it cannot be written.
pub fn review_out(request: &OutRequest<'_>) -> Result<Outcome, ReviewError> {
    let pipeline = pipeline::load(request.pipeline).map_err(RunError::from)?;
    let store = Store::of(&pipeline);
    let record = record_of(&store, request.run)?;
    let entries = ledger::open(&store)?.entries().to_vec();
    let mut files = Vec::new();
    for (change, report) in reports(&record, request.change)? {
        let mut groups = groups(report);
        let marks = bugs(&entries, &record.pipeline, change);
        for (_, group) in &mut groups {
            mark_bugs(std::slice::from_mut(group), &marks);
        }
        if !groups.is_empty() {
            files.push(write(request, pipeline.spec.csv, &record, change, &groups)?);
        }
    }
    Ok(Outcome {
        version: FORMAT,
        run: record.run,
        date: record.date,
        until: request.until,
        done: !request.dry_run,
        files,
    })
}

/// The run of that name, or the last one.
pub(super) fn record_of(store: &Store, run: Option<&str>) -> Result<RunRecord, ReviewError> {
    Ok(match run {
        Some(run) => record::named(store, run)?,
        None => record::last(store)?,
    })
}

/// The groups of a change with their tasks: task by task, each in its own order, the task with most differences first.
pub(super) fn groups(report: &ChangeReport) -> Vec<(String, Group)> {
    let mut tasks: Vec<(&String, &[Group])> = report
        .tasks
        .iter()
        .filter_map(|(task, report)| Some((task, report.files.as_ref()?.diff.groups.as_slice())))
        .collect();
    let size = |groups: &[Group]| -> u64 { groups.iter().map(|group| group.differences).sum() };
    tasks.sort_by_key(|(_, groups)| std::cmp::Reverse(size(groups)));
    let each = tasks.into_iter().flat_map(|(task, groups)| {
        let groups = groups.iter().cloned();
        groups.map(|group| (task.clone(), group))
    });
    each.collect()
}

fn write(
    request: &OutRequest<'_>,
    dialect: CsvDialect,
    record: &RunRecord,
    change: &str,
    groups: &[(String, Group)],
) -> Result<OutFile, ReviewError> {
    let ids = Ids {
        pipeline: &record.pipeline,
        change,
        run: &record.run,
    };
    let of_task: Vec<OfTask<'_>> = groups
        .iter()
        .map(|(task, group)| OfTask { task, group })
        .collect();
    let lines = lines(&of_task, ids, request.until);
    let (ending, bytes) = match request.kind {
        FileKind::Csv => ("csv", csv(&lines, dialect).into_bytes()),
        FileKind::Xlsx => ("xlsx", xlsx::workbook(&lines)?),
    };
    let (date, run) = (record.date, &record.run);
    let name = format!("review-{}-{date}-{run}.{ending}", encode(change));
    let path = request.folder.join(name);
    put(&path, &bytes, request)?;
    Ok(OutFile {
        change: change.to_owned(),
        path,
        groups: groups.len(),
        differences: groups.iter().map(|(_, group)| group.differences).sum(),
    })
}

/// What stands there may have answers in it.
fn put(path: &Path, bytes: &[u8], request: &OutRequest<'_>) -> Result<(), ReviewError> {
    if path.symlink_metadata().is_ok() && fs::read(path).ok().as_deref() != Some(bytes) {
        return Err(ReviewError::Usage(format!(
            "`{}` is there already, and may have answers in it\nhint: take them with `understudy review in`, or write to another folder with --out",
            path.display()
        )));
    }
    if request.dry_run {
        return Ok(());
    }
    durable::create_dirs(request.folder).map_err(RunError::from)?;
    Ok(durable::replace(path, bytes).map_err(RunError::from)?)
}

/// In the dialect of the pipeline's reports; the mark that spreadsheets know UTF-8 by is always there.
fn csv(lines: &[SheetLine], dialect: CsvDialect) -> String {
    let mut text = String::from(BYTE_ORDER_MARK);
    push_line(&mut text, dialect, COLUMNS.map(Field::Plain));
    for line in lines {
        let rows = line.rows.map(|rows| rows.to_string());
        let words = |words: &'_ str| !words.is_empty();
        let fields = [
            Field::Plain(&line.id),
            some_text(&line.customer, words),
            some_text(&line.what, words),
            Field::plain(rows.as_deref()),
            some_text(&line.column, words),
            value(line.old.as_deref()),
            value(line.new.as_deref()),
            value(line.change.as_deref()),
            Field::plain(line.change_pct.as_deref()),
            Field::text(line.if_accepted.as_deref()),
            Field::Null,
            Field::Null,
        ];
        push_line(&mut text, dialect, fields);
    }
    text
}

fn some_text(text: &str, is_there: impl Fn(&str) -> bool) -> Field<'_> {
    if is_there(text) {
        Field::Text(text)
    } else {
        Field::Null
    }
}

/// A number stays a number; everything else is text.
fn value(text: Option<&str>) -> Field<'_> {
    match text {
        Some(text) if is_number(text) => Field::Plain(text),
        text => Field::text(text),
    }
}

/// Whether a text is a number of the usual form.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.parse::<f64>().is_ok_and(f64::is_finite)
}
