//! Several dates, one run after the other.
//!
//! Each date is a run of its own, with its own id, record and verdict, so that a backfill that is cut off goes on where
//! it stopped: what is complete is found. A date that is published is not published again.

use std::path::Path;

use serde::Serialize;
use understudy_core::run_date::RunDate;
use understudy_core::spec::{InputSource, Table};
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
    /// The dates that were run, in order.
    pub dates: Vec<DateReport>,
    /// The dates that were not even begun, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_run: Option<NotRun>,
}

/// Dates that were not begun.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NotRun {
    /// The first of them.
    pub from: RunDate,
    /// The last of them.
    pub to: RunDate,
    /// How many they are.
    pub dates: u64,
    /// Why they were not.
    pub reason: &'static str,
}

/// What became of one date.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DateReport {
    /// The date.
    pub date: RunDate,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it was published before, so that nothing was published now.
    pub published_before: bool,
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
    /// The dates that did not go well: the worst of them decides the exit code.
    pub failed: Vec<DateEnd>,
}

/// Runs every date from the first to the last. A date that fails does not keep the others from running, unless the
/// pipeline reads what it published before: then later dates build on it.
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
            not_run: None,
        },
        failed: Vec::new(),
    };
    let dates = dates(from, to)?;
    for (position, date) in dates.iter().enumerate() {
        let (ended, published_before) = one(request, *date, crew, events).await;
        let report = report(*date, &ended, published_before);
        each(&report);
        let outcome = report.outcome;
        end.report.dates.push(report);
        let reason = match outcome {
            Outcome::Ran | Outcome::AlreadyPublished => continue,
            Outcome::Interrupted => Some("it was interrupted"),
            Outcome::Failed | Outcome::LiveFailed => (request.halves != Halves::Shadow
                && reads_its_past(request.pipeline))
            .then_some("the pipeline reads what it published before"),
        };
        end.failed.push(ended);
        if let Some(reason) = reason {
            let rest = &dates[position + 1..];
            if let [first, ..] = rest {
                end.report.not_run = Some(NotRun {
                    from: *first,
                    to,
                    dates: rest.len() as u64,
                    reason,
                });
            }
            break;
        }
    }
    Ok(end)
}

/// Whether some task reads what the pipeline published on earlier dates.
fn reads_its_past(path: &Path) -> bool {
    pipeline::load(path).is_ok_and(|pipeline| {
        let mut inputs = pipeline.spec.tasks.iter().flat_map(|task| &task.inputs);
        inputs.any(|input| match &input.source {
            InputSource::Stored(stored) => matches!(stored.table, Table::Published(_)),
            InputSource::Task(_) => false,
        })
    })
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
) -> (DateEnd, bool) {
    let asked = Asked {
        date: Some(date),
        ..request.asked
    };
    let halves = match is_published(request.pipeline, &asked) {
        Ok(true) if request.halves == Halves::Live => return (DateEnd::Published, true),
        Ok(true) => Halves::Shadow,
        Ok(false) => request.halves,
        Err(error) => return (DateEnd::Failed(error), false),
    };
    let published_before = halves != request.halves;
    let request = RunRequest {
        asked,
        halves,
        ..*request
    };
    let end = match run(&request, crew, events).await {
        Ok(end) => DateEnd::Ran(Box::new(end)),
        Err(error) => DateEnd::Failed(error),
    };
    (end, published_before)
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

fn report(date: RunDate, end: &DateEnd, published_before: bool) -> DateReport {
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
        published_before,
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
