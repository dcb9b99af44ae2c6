//! Several dates on a screen: a line a date, worst news in words, and a sum at the end.

use std::collections::BTreeMap;

use understudy_core::verdict::Verdict;

use super::figures::{count, counted};
use super::ink::{Ink, Tone};
use super::page::{Page, name};
use super::tone;
use crate::report::model::{LiveStatus, RunReport};
use crate::run::backfill::{BackfillReport, DateReport, Outcome};

/// The dates of one kind that the sum names.
const MAX_NAMED: usize = 5;

/// The line of one date, with its line end.
#[must_use]
pub fn line(report: &DateReport, ink: Ink) -> String {
    let mut page = Page::new(ink);
    let date = format!("{}  ", report.date);
    let (word_tone, word) = word(report);
    let text = match (&report.report, &report.reason) {
        (_, Some(reason)) => format!("  {reason}"),
        (Some(run), None) => details(run, report.published_before && report.verdict.is_some()),
        (None, None) => String::new(),
    };
    page.entry(&[(Tone::Quiet, &date), (word_tone, word)], &text);
    page.finish()
}

fn word(report: &DateReport) -> (Tone, &'static str) {
    match (report.outcome, report.verdict) {
        (Outcome::LiveFailed, _) => (Tone::Bad, "LIVE FAILED"),
        (Outcome::Failed, _) => (Tone::Bad, "FAILED"),
        (Outcome::Interrupted, _) => (Tone::Bad, "INTERRUPTED"),
        (Outcome::AlreadyPublished, _) => (Tone::Good, "published before"),
        (Outcome::Ran, None) if report.published_before => (Tone::Good, "published before"),
        (Outcome::Ran, None) => (Tone::Good, "published"),
        (Outcome::Ran, Some(verdict)) => (tone(verdict), verdict_word(verdict)),
    }
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Identical => "identical",
        Verdict::Expected => "as expected",
        Verdict::Inconclusive => "NOT CHECKED",
        Verdict::Unexpected => "UNEXPECTED",
    }
}

fn details(run: &RunReport, published_before: bool) -> String {
    let mut parts = Vec::new();
    for (change, report) in &run.changes {
        for (task, report) in &report.tasks {
            let place = format!("{} of {}", name(task, 30), name(change, 30));
            match (&report.rows, report.reasons.first()) {
                (Some(rows), _) if rows.unexpected > 0 => {
                    parts.push(format!(
                        "{place}: {} rows unexpected",
                        count(rows.unexpected)
                    ));
                }
                (_, Some(reason)) if report.verdict == Verdict::Inconclusive => {
                    parts.push(format!("{place}: {reason}"));
                }
                _ => {}
            }
        }
    }
    let published = matches!(run.live.status, LiveStatus::Published);
    parts.extend(published.then(|| "published".to_owned()));
    parts.extend(published_before.then(|| "published before".to_owned()));
    parts.push(format!("run {}", name(&run.run, 20)));
    format!("  {}", parts.join("; "))
}

/// What became of all dates, with a line end after each line.
#[must_use]
pub fn sum(report: &BackfillReport, ink: Ink) -> String {
    let mut page = Page::new(ink);
    let mut kinds: BTreeMap<&str, (Tone, Vec<&DateReport>)> = BTreeMap::new();
    for date in &report.dates {
        let (tone, word) = word(date);
        kinds.entry(word).or_insert((tone, Vec::new())).1.push(date);
    }
    let dates = counted(report.dates.len() as u64, "date", "dates");
    page.entry(&[(Tone::Strong, &dates)], "");
    for (word, (tone, dates)) in &kinds {
        let lead = format!("  {} ", count(dates.len() as u64));
        let named = match tone {
            Tone::Good => String::new(),
            _ => names(dates),
        };
        page.entry(&[(Tone::Quiet, &lead), (*tone, word)], &named);
    }
    if let Some(rest) = &report.not_run {
        let lead = format!("  {} ", count(rest.dates));
        let text = format!(": {} to {}, because {}", rest.from, rest.to, rest.reason);
        page.entry(&[(Tone::Quiet, &lead), (Tone::Bad, "NOT RUN")], &text);
    }
    page.finish()
}

fn names(dates: &[&DateReport]) -> String {
    let named: Vec<String> = dates
        .iter()
        .take(MAX_NAMED)
        .map(|date| date.date.to_string())
        .collect();
    let more = dates.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(": {}{more}", named.join(", "))
}
