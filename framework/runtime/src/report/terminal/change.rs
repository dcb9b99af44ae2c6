//! One change: its verdict, who gets what, and its tasks.

use understudy_core::customer::Customer;
use understudy_core::stage::{LaneStages, Span, Stage};
use understudy_core::verdict::Verdict;
use understudy_core::world::Side;

use super::figures::counted;
use super::page::{Page, name};
use super::{Detail, Tone, task, tone, worst_tasks};
use crate::report::model::{ChangeReport, LeakReport, LiveStatus};

/// The customers that a sentence names.
const MAX_NAMES: usize = 5;

pub(crate) fn show(
    page: &mut Page,
    change: &str,
    report: &ChangeReport,
    live: LiveStatus,
    detail: &Detail,
) {
    if !report.tasks.keys().any(|task| detail.shows(task)) {
        return;
    }
    page.blank();
    let lead = format!("{}: ", name(change, 40));
    let verdict = match report.verdict {
        Verdict::Unexpected => "UNEXPECTED differences",
        Verdict::Inconclusive => "NOT CHECKED",
        Verdict::Expected => "differs as expected",
        Verdict::Identical => "identical",
    };
    page.entry(
        &[(Tone::Strong, &lead), (tone(report.verdict), verdict)],
        &format!("; {}", who(report, live)),
    );
    for leak in report.leaks.iter().filter(|leak| detail.shows(&leak.task)) {
        show_leak(page, leak);
    }
    let tasks: Vec<_> = worst_tasks(report)
        .into_iter()
        .filter(|(task, _)| detail.shows(task))
        .collect();
    task::show_all(page, &tasks, detail);
}

fn show_leak(page: &mut Page, report: &LeakReport) {
    let task = name(&report.task, 40);
    let what = match report.leak.customers {
        None => {
            let rows = counted(report.leak.rows, "row differs", "rows differ");
            format!(" into {task}: {rows}, whoever they are of")
        }
        Some(customers) => format!(
            " into {task}: {} other rows ({})",
            counted(
                customers,
                "of those who get OLD has",
                "of those who get OLD have"
            ),
            report.leak.reached()
        ),
    };
    page.entry(&[(Tone::Quiet, "  "), (Tone::Doubt, "LEAK")], &what);
    page.path("    differences  ", &report.differences);
}

/// Who gets what, and who saw what should not be.
pub(crate) fn who(report: &ChangeReport, live: LiveStatus) -> String {
    match live {
        LiveStatus::Failed | LiveStatus::Interrupted => "nothing was published".to_owned(),
        LiveStatus::NotAsked => gets(&report.stages),
        LiveStatus::Published | LiveStatus::AlreadyPublished => {
            let parts = [
                Some(gets(&report.stages)),
                fallbacks(report),
                exposure(report),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
    }
}

fn gets(stages: &LaneStages) -> String {
    let gets_new = |stage: Stage| matches!(stage, Stage::Live | Stage::Complete);
    let lanes = |new: bool| {
        let lanes = stages
            .lanes
            .iter()
            .filter(move |(_, stage)| gets_new(**stage) == new);
        names(lanes.map(|(customer, _)| customer))
    };
    match stages.span() {
        Span::Off => "everybody gets OLD, the change is off".to_owned(),
        Span::Shadow => "everybody gets OLD".to_owned(),
        Span::AllLive => "everybody gets NEW".to_owned(),
        Span::Complete => "everybody gets NEW for good".to_owned(),
        Span::SomeLive if gets_new(stages.unlisted) => {
            format!("everybody gets NEW but {}", lanes(false))
        }
        Span::SomeLive => format!("NEW for {}, everybody else gets OLD", lanes(true)),
    }
}

fn fallbacks(report: &ChangeReport) -> Option<String> {
    let fallbacks = &report.fallbacks;
    (!fallbacks.is_empty()).then(|| format!("{} FELL BACK to OLD", names(fallbacks.iter())))
}

/// Only of what is unexpected: an expected difference is there to be seen.
fn exposure(report: &ChangeReport) -> Option<String> {
    if report.verdict != Verdict::Unexpected {
        return None;
    }
    let customers = report.tasks.values().flat_map(|task| &task.customers);
    let seen = customers
        .filter(|(_, report)| report.verdict == Verdict::Unexpected && report.gets == Side::New);
    let seen: std::collections::BTreeSet<_> = seen.map(|(customer, _)| customer).collect();
    Some(if seen.is_empty() {
        "nobody saw the unexpected ones".to_owned()
    } else {
        format!("SEEN BY {}", names(seen.into_iter()))
    })
}

fn names<'a>(customers: impl Iterator<Item = &'a Customer>) -> String {
    let all: Vec<_> = customers.collect();
    let named: Vec<_> = all
        .iter()
        .take(MAX_NAMES)
        .map(|customer| name(&customer.label(), 20))
        .collect();
    match all.len() - named.len() {
        0 => named.join(", "),
        more => format!(
            "{} and {}",
            named.join(", "),
            counted(more as u64, "other customer", "other customers")
        ),
    }
}
