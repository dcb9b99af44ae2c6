//! Several dates, one run after the other.
//!
//! Each date is a run of its own, with its own id, record and verdict, so that a backfill that is cut off goes on where
//! it stopped: what is complete is found. A date that is published is not published again.

use std::path::Path;

use serde::Serialize;
use understudy_core::run_date::RunDate;
use understudy_core::verdict::Verdict;

use super::{Halves, RunEnd, RunRequest, run};
use crate::error::RunError;
use crate::events::EventSink;
use crate::pipeline;
use crate::prepare::Asked;
use crate::report::model::RunReport;
use crate::store::publish::marker_at;
use crate::worker::Crew;

/// The format of what `run --from --to --json` prints.
pub const BACKFILL_FORMAT: u32 = 1;

/// The most dates of one backfill.
pub const MAX_DATES: usize = 10_000;

/// What became of one date.
#[derive(Debug)]
pub enum DateEnd {
    /// It ran.
    Ran(Box<RunEnd>),
    /// There was nothing to do: it is published, and only the live half was asked for.
    Published,
    /// It could not begin.
    Failed(RunError),
}

/// What became of all dates.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct BackfillReport {
    /// The format, [`BACKFILL_FORMAT`].
    pub version: u32,
    /// The dates, in order.
    pub dates: Vec<DateReport>,
}

/// What became of one date.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DateReport {
    /// The date.
    pub date: RunDate,
    /// How it ended.
    pub outcome: Outcome,
    /// The worst verdict; `None` where no change was to be judged.
    pub verdict: Option<Verdict>,
    /// The run's report; `None` where there was no run.
    pub report: Option<RunReport>,
    /// Why it could not begin, or why live failed.
    pub reason: Option<String>,
}

/// How a date ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ran to its end.
    Ran,
    /// It was published before, and nothing else was asked for.
    AlreadyPublished,
    /// Live failed, and nothing was published.
    LiveFailed,
    /// It could not begin.
    Failed,
    /// Somebody interrupted.
    Interrupted,
}

/// How a backfill ended.
#[derive(Debug, Default)]
pub struct BackfillEnd {
    /// What people and programs read.
    pub report: BackfillReport,
    /// The last date that did not go well, which decides the exit code.
    pub stopped_by: Option<DateEnd>,
}

/// Runs every date from the first to the last. A date whose live half fails, or cannot begin where live is asked for,
/// ends it: later dates may build on it.
///
/// # Errors
/// The dates are in the wrong order, or too many.
pub async fn backfill(
    request: &RunRequest<'_>,
    [from, to]: [RunDate; 2],
    crew: &Crew,
    events: &dyn EventSink,
    each: &mut dyn FnMut(&DateReport),
) -> Result<BackfillEnd, RunError> {
    let mut end = BackfillEnd {
        report: BackfillReport {
            version: BACKFILL_FORMAT,
            dates: Vec::new(),
        },
        stopped_by: None,
    };
    for date in dates(from, to)? {
        let ended = one(request, date, crew, events).await;
        let report = report(date, &ended);
        each(&report);
        let outcome = report.outcome;
        end.report.dates.push(report);
        let stops = match outcome {
            Outcome::Ran | Outcome::AlreadyPublished => continue,
            Outcome::Failed => request.halves != Halves::Shadow,
            Outcome::LiveFailed | Outcome::Interrupted => true,
        };
        end.stopped_by = Some(ended);
        if stops {
            break;
        }
    }
    Ok(end)
}

fn dates(from: RunDate, to: RunDate) -> Result<Vec<RunDate>, RunError> {
    if from > to {
        return Err(RunError::NoDates(format!(
            "`--from {from}` is after `--to {to}`"
        )));
    }
    let dates: Vec<RunDate> = std::iter::successors(Some(from), |date| date.plus_days(1))
        .take_while(|date| *date <= to)
        .take(MAX_DATES + 1)
        .collect();
    if dates.len() > MAX_DATES {
        return Err(RunError::NoDates(format!(
            "from {from} to {to} are more than {MAX_DATES} dates; take fewer at once"
        )));
    }
    Ok(dates)
}

async fn one(
    request: &RunRequest<'_>,
    date: RunDate,
    crew: &Crew,
    events: &dyn EventSink,
) -> DateEnd {
    let asked = Asked {
        date: Some(date),
        ..request.asked
    };
    let halves = match is_published(request.pipeline, &asked) {
        Ok(true) if request.halves == Halves::Live => return DateEnd::Published,
        Ok(true) => Halves::Shadow,
        Ok(false) => request.halves,
        Err(error) => return DateEnd::Failed(error),
    };
    let request = RunRequest {
        asked,
        halves,
        ..*request
    };
    match run(&request, crew, events).await {
        Ok(end) => DateEnd::Ran(Box::new(end)),
        Err(error) => DateEnd::Failed(error),
    }
}

/// Whether every output of a date is published, by whatever version.
fn is_published(path: &Path, asked: &Asked<'_>) -> Result<bool, RunError> {
    let pipeline = pipeline::load(path)?;
    let Some(date) = asked.date else {
        return Ok(false);
    };
    let published = pipeline
        .spec
        .tasks
        .iter()
        .filter(|task| !task.is_live_external());
    let mut some = false;
    for task in published {
        let Some(location) = &task.output.location else {
            continue;
        };
        some = true;
        if marker_at(&pipeline, location, date, asked.slice)?.is_none() {
            return Ok(false);
        }
    }
    Ok(some)
}

fn report(date: RunDate, end: &DateEnd) -> DateReport {
    let (outcome, reason) = match end {
        DateEnd::Ran(end) if end.interrupted => (Outcome::Interrupted, None),
        DateEnd::Ran(end) => match &end.live_failure {
            Some(failure) => (Outcome::LiveFailed, Some(failure.message.clone())),
            None => (Outcome::Ran, None),
        },
        DateEnd::Published => (Outcome::AlreadyPublished, None),
        DateEnd::Failed(error) => (Outcome::Failed, Some(in_one_line(error))),
    };
    let ran = match end {
        DateEnd::Ran(end) => Some(end),
        _ => None,
    };
    DateReport {
        date,
        outcome,
        verdict: ran.and_then(|end| end.verdict),
        report: ran.map(|end| end.report.clone()),
        reason,
    }
}

fn in_one_line(error: &RunError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    let mut text = error.to_string();
    for cause in causes {
        text = format!("{text}: {cause}");
    }
    text.replace('\n', "; ")
}
