//! The summary of a run on a terminal: what somebody on call understands in ten seconds.
//!
//! First what needs a person, then who gets what, then each change with the worst first, and at the end where to
//! read on and what to type. It fits `width::MAX_WIDTH` columns; only paths and commands may be longer, because a
//! path that is cut is no path. Nothing from data acts on the terminal.

pub mod backfill;
mod change;
mod customers;
pub mod diff;
mod examples;
mod facts;
mod figures;
mod groups;
mod ink;
mod page;
mod painted;
mod rules;
mod task;
mod width;

use std::cmp::Reverse;

use understudy_core::verdict::Verdict;

pub(crate) use self::change::who;
pub(crate) use self::figures::{count, counted, percent, time};
use self::page::{Page, name};
use crate::report::model::{ChangeReport, LiveReport, LiveStatus, RunReport, TaskReport};

pub(crate) use self::ink::Tone;
pub use self::ink::{Ink, Surface};
pub use self::painted::only_painted;

/// The published outputs that are listed.
const MAX_OUTPUTS: usize = 6;
/// The paths of differences that are listed.
const MAX_PATHS: usize = 5;

/// How to show a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// With colour or without.
    pub ink: Ink,
    /// How much of it.
    pub detail: Detail,
}

/// How much of a run to show.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Detail {
    /// The whole run, of each task what matters.
    #[default]
    Summary,
    /// One task with all that is known of it.
    Task(String),
}

impl Detail {
    fn shows(&self, task: &str) -> bool {
        match self {
            Self::Summary => true,
            Self::Task(shown) => shown == task,
        }
    }

    /// So many in a summary; where everything is asked for, as many as anybody reads.
    fn at_most(&self, in_summary: usize) -> usize {
        match self {
            Self::Summary => in_summary,
            Self::Task(_) => 500,
        }
    }
}

/// The text to print, with a line end after each line.
#[must_use]
pub fn render(report: &RunReport, view: &View) -> String {
    let mut page = Page::new(view.ink);
    head(&mut page, report);
    for alert in &report.alerts {
        page.entry(&[(Tone::Bad, "ALERT     ")], alert);
    }
    live(&mut page, &report.live);
    for (change, outcome) in worst_first(report) {
        change::show(&mut page, change, outcome, report.live.status, &view.detail);
    }
    suspended(&mut page, report);
    if !report.notes.is_empty() {
        page.blank();
    }
    for note in &report.notes {
        page.entry(&[(Tone::Quiet, "note      ")], note);
    }
    foot(&mut page, report, &view.detail);
    page.finish()
}

fn head(page: &mut Page, report: &RunReport) {
    let slice = report
        .slice
        .as_ref()
        .map(|slice| format!(" {}", name(slice, 30)));
    let slice = slice.unwrap_or_default();
    let title = format!("{} {}{slice}", name(&report.pipeline, 40), report.date);
    let mut rest = format!("  run {}  {}", name(&report.run, 20), time(report.wall_ms));
    if report.reuse.reused > 0 {
        let (reused, needed) = (
            report.reuse.reused,
            counted(report.reuse.needed, "step", "steps"),
        );
        rest.push_str(&format!(", {} of {needed} reused", figures::count(reused)));
    }
    page.entry(&[(Tone::Strong, &title), (Tone::Quiet, &rest)], "");
}

fn live(page: &mut Page, live: &LiveReport) {
    let outputs = counted(live.outputs.len() as u64, "output", "outputs");
    let (tone, word, rest) = match live.status {
        LiveStatus::Published => (
            Tone::Good,
            "published",
            format!("{outputs} in {}", time(live.wall_ms)),
        ),
        LiveStatus::AlreadyPublished => (
            Tone::Good,
            "published",
            format!("{outputs} before, unchanged since"),
        ),
        LiveStatus::Failed => (Tone::Bad, "FAILED", "and published nothing".to_owned()),
        LiveStatus::NotAsked => (
            Tone::Quiet,
            "not asked for",
            "in this run, which only compares".to_owned(),
        ),
        LiveStatus::Interrupted => (Tone::Bad, "INTERRUPTED", "and published nothing".to_owned()),
    };
    page.entry(
        &[(Tone::Strong, "live      "), (tone, word)],
        &format!(" {rest}"),
    );
    for reason in &live.reasons {
        page.entry(&[(Tone::Quiet, "          ")], reason);
    }
    outputs_of(page, live);
}

fn outputs_of(page: &mut Page, live: &LiveReport) {
    let names: Vec<_> = live.outputs.keys().map(|task| name(task, 28)).collect();
    let widest = names
        .iter()
        .map(|name| width::width(name))
        .max()
        .unwrap_or(0);
    for (name, output) in names.iter().zip(live.outputs.values()).take(MAX_OUTPUTS) {
        let rows = counted(output.rows, "row", "rows");
        let version = page::name(&output.version, 30);
        let known = format!("{}  {version}  {rows}  ", width::left(name, widest));
        page.path(&format!("          {known}"), &output.path);
    }
    let more = live.outputs.len().saturating_sub(MAX_OUTPUTS);
    if more > 0 {
        page.entry(&[(Tone::Quiet, "          ")], &format!("and {more} more"));
    }
}

fn suspended(page: &mut Page, report: &RunReport) {
    for (change, problems) in &report.suspended {
        page.blank();
        let lead = format!("{}: ", name(change, 40));
        page.entry(
            &[(Tone::Strong, &lead), (Tone::Bad, "SUSPENDED")],
            ", its lanes keep what was last authorised",
        );
        for problem in problems {
            page.entry(&[(Tone::Quiet, "  ")], problem);
        }
    }
}

/// Where the differences are, the worst task's first, and what to type.
fn foot(page: &mut Page, report: &RunReport, detail: &Detail) {
    let paths = differences(report, detail);
    let pages = pages(report, detail);
    if !paths.is_empty() || !pages.is_empty() || report.next.is_some() {
        page.blank();
    }
    for path in pages.into_iter().take(MAX_PATHS) {
        page.path("report       ", path);
    }
    for path in paths.iter().take(MAX_PATHS) {
        page.path("differences  ", path);
    }
    if let Some(next) = &report.next {
        page.path("next         ", next);
    }
}

fn differences(report: &RunReport, detail: &Detail) -> Vec<String> {
    let changes = worst_first(report).into_iter();
    let tasks = changes.flat_map(|(_, change)| worst_tasks(change));
    let shown = tasks.filter(|(task, _)| detail.shows(task));
    let files = shown.filter_map(|(_, task)| task.files.as_ref());
    files
        .filter(|files| files.diff.lines > 0)
        .map(|files| files.diff_csv())
        .collect()
}

/// The changes that are shown, each as a page for a browser.
fn pages<'a>(report: &'a RunReport, detail: &Detail) -> Vec<&'a str> {
    let shown = |change: &ChangeReport| change.tasks.keys().any(|task| detail.shows(task));
    let changes = worst_first(report).into_iter();
    let changes = changes.filter(|(_, change)| shown(change));
    changes
        .filter_map(|(_, change)| change.page.as_deref())
        .collect()
}

fn worst_first(report: &RunReport) -> Vec<(&str, &ChangeReport)> {
    let mut changes: Vec<_> = report
        .changes
        .iter()
        .map(|(name, change)| (name.as_str(), change))
        .collect();
    changes.sort_by_key(|(_, change)| Reverse(change.verdict));
    changes
}

pub(crate) fn worst_tasks(change: &ChangeReport) -> Vec<(&str, &TaskReport)> {
    let mut tasks: Vec<_> = change
        .tasks
        .iter()
        .map(|(name, task)| (name.as_str(), task))
        .collect();
    let unexpected = |task: &TaskReport| task.rows.map_or(0, |rows| rows.unexpected);
    tasks.sort_by_key(|(_, task)| (Reverse(task.verdict), Reverse(unexpected(task))));
    tasks
}

/// The tone that goes with a verdict.
fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Unexpected => Tone::Bad,
        Verdict::Inconclusive => Tone::Doubt,
        Verdict::Expected | Verdict::Identical => Tone::Good,
    }
}

#[cfg(test)]
mod tests;
