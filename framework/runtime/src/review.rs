//! Review: differences out to a file for people, and their answers back.
//!
//! Knows: the stored run, its groups of differences, the two kinds of file, the ledger. Decodes no row: what it shows are
//! the groups' examples, which are safe to show already.
//!
//! A file is written once and then belongs to people. Of what comes back, only the id, the decision and the note of a line
//! are read, however the rest was changed; and it is taken as a whole or not at all.

mod answers;
mod ids;
mod out;
mod read;
mod sheet;
mod take;
mod terms;
mod xlsx;

use std::path::PathBuf;

use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, LedgerEvent};
use understudy_core::review::bugs;
use understudy_core::run_date::RunDate;

use crate::clock;
use crate::error::RunError;
use crate::report::error::ReportError;
use crate::report::files::group::{mark_bugs, note_bugs};
use crate::report::model::{ChangeReport, RunReport};
use crate::run::record::RunRecord;
use crate::small_file::SmallFileError;
use crate::store::Store;
use crate::store::ledger::{self, LedgerError};

pub use answers::Fault;
pub use out::{FileKind, OutFile, OutRequest, Outcome, review_out};
pub use take::{TakeRequest, Taken, TakenAnswer, review_in};
pub use understudy_core::review::WAIVER_DAYS;

/// The days after which a waiver has to be asked for again, whoever grants it.
pub const MAX_WAIVER_DAYS: i64 = 3_660;

/// Why a file was not written, or nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The pipeline, the store or the run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why, with a hint.
        reason: String,
    },
    /// What stands in the file cannot be taken.
    #[error("nothing was taken: {} in `{path}`", problems(faults.len()))]
    Answers {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        faults: Vec<Fault>,
        /// What to do.
        hint: Option<String>,
    },
}

fn problems(count: usize) -> String {
    match count {
        1 => "1 line is wrong".to_owned(),
        count => format!("{count} lines are wrong"),
    }
}

impl ReviewError {
    fn file(path: &std::path::Path, error: &SmallFileError) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

/// Until when answers hold: as said, or for [`WAIVER_DAYS`] days.
///
/// # Errors
/// The text is neither a number of days such as `30d` nor a date, it is past, or too far away.
pub fn until(said: Option<&str>) -> Result<RunDate, ReviewError> {
    let today = clock::today();
    let wrong = |reason: &str| {
        let said = said.unwrap_or_default();
        ReviewError::Usage(format!(
            "--until `{said}` {reason}\nhint: write a number of days such as `30d`, or a date such as `2026-12-31`"
        ))
    };
    let date = match said {
        None => today.plus_days(WAIVER_DAYS),
        Some(said) => match said.trim().strip_suffix('d').map(str::parse::<u16>) {
            Some(Ok(days)) => today.plus_days(i64::from(days)),
            _ => said.trim().parse().ok(),
        },
    };
    let date = date.ok_or_else(|| wrong("is no date"))?;
    if date < today {
        return Err(wrong("is past"));
    }
    if today
        .plus_days(MAX_WAIVER_DAYS)
        .is_some_and(|last| date > last)
    {
        return Err(wrong("is more than ten years away"));
    }
    Ok(date)
}

/// Marks in a stored report what was called a bug since.
///
/// # Errors
/// The ledger cannot be read.
pub fn mark_report(report: &mut RunReport, store: &Store) -> Result<(), LedgerError> {
    let ledger = ledger::open(store)?;
    for (name, change) in &mut report.changes {
        let marks = bugs(ledger.entries(), &report.pipeline, name);
        for task in change.tasks.values_mut() {
            if let Some(files) = &mut task.files {
                mark_bugs(&mut files.diff.groups, &marks);
                note_bugs(&mut task.notes, &files.diff.groups);
            }
        }
    }
    Ok(())
}

/// The reports of a run, if it ended.
fn reports<'a>(
    record: &'a RunRecord,
    change: Option<&str>,
) -> Result<Vec<(&'a str, &'a ChangeReport)>, ReviewError> {
    let report = record.report.as_ref().ok_or_else(|| {
        let reason = format!(
            "run {} has not ended: it goes on, or was cut off",
            record.run
        );
        ReviewError::Run(RunError::NoRun(reason))
    })?;
    let all = report.changes.iter();
    let found: Vec<(&str, &ChangeReport)> = all
        .map(|(name, report)| (name.as_str(), report))
        .filter(|(name, _)| change.is_none_or(|change| change == *name))
        .collect();
    match (change, found.is_empty()) {
        (Some(change), true) => {
            let names: Vec<&str> = report.changes.keys().map(String::as_str).collect();
            Err(ReviewError::Usage(format!(
                "change `{change}` was not compared in run {}; compared were: {}",
                record.run,
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                }
            )))
        }
        _ => Ok(found),
    }
}

/// The code that a run compared for a change, as the ledger has it.
fn code_in(entries: &[Entry], record: &RunRecord, change: &str) -> Option<[Digest; 2]> {
    let mut events = entries.iter().rev();
    events.find_map(|entry| match &entry.event {
        LedgerEvent::Judged(judged)
            if judged.pipeline == record.pipeline
                && judged.run == record.run
                && judged.change == change =>
        {
            Some(judged.code.clone())
        }
        _ => None,
    })
}
