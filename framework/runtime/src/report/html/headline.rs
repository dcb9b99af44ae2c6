//! The verdict in a sentence, and what concerns a whole change.

use understudy_core::share::{count, percent};
use understudy_core::verdict::Verdict;

use super::all_rows;
use super::markup::Markup;
use super::task::sentences;
use crate::report::model::{ChangeReport, RunReport, TaskReport};
use crate::report::terminal::{self, counted};

/// A verdict in a word.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unexpected => "Unexpected differences",
        Verdict::Inconclusive => "Not checked",
        Verdict::Expected => "As expected",
        Verdict::Identical => "Identical",
    }
}

/// A verdict in a word, with a sign and a colour.
pub(super) fn badge(out: &mut Markup, verdict: Verdict) {
    out.own(match verdict {
        Verdict::Unexpected => "<span class=\"w bad\">✗ unexpected</span>",
        Verdict::Inconclusive => "<span class=\"w doubt\">? NOT CHECKED</span>",
        Verdict::Expected => "<span class=\"w good\">✓ as expected</span>",
        Verdict::Identical => "<span class=\"w good\">= identical</span>",
    });
}

pub(super) fn of_change(out: &mut Markup, run: &RunReport, change: &ChangeReport) {
    open(out, change.verdict);
    explanation(out, change);
    let who = terminal::who(change, run.live.status);
    out.sentence(&capital(&who)).own(".</span></p>\n");
}

pub(super) fn of_task(out: &mut Markup, report: &TaskReport) {
    open(out, report.verdict);
    out.sentence(&sentence(report)).own("</span></p>\n");
}

fn open(out: &mut Markup, verdict: Verdict) {
    out.own(match verdict {
        Verdict::Unexpected => "<p class=\"verdict bad\"><strong>✗ UNEXPECTED.</strong> <span>",
        Verdict::Inconclusive => {
            "<p class=\"verdict doubt\"><strong>? NOT CHECKED.</strong> <span>"
        }
        Verdict::Expected => "<p class=\"verdict good\"><strong>✓ As expected.</strong> <span>",
        Verdict::Identical => "<p class=\"verdict good\"><strong>= Identical.</strong> <span>",
    });
}

/// What the verdict on a change rests on: of several tasks, the worst.
fn explanation(out: &mut Markup, change: &ChangeReport) {
    let tasks = terminal::worst_tasks(change);
    let Some((name, worst)) = tasks.first() else {
        out.own("Nothing was compared. ");
        return;
    };
    if tasks.len() > 1 {
        let alike = |(_, task): &&(&str, &TaskReport)| task.verdict == change.verdict;
        let alike = tasks.iter().filter(alike).count() as u64;
        let of = counted(tasks.len() as u64, "task", "tasks");
        out.text(&format!("{} of {of}", count(alike)));
        out.own(match change.verdict {
            Verdict::Identical => ". ",
            _ => "; most of all in ",
        });
        if change.verdict != Verdict::Identical {
            out.name(name).own(": ");
        }
    }
    out.sentence(&sentence(worst)).own(" ");
}

/// What the verdict on a task rests on.
pub(super) fn sentence(report: &TaskReport) -> String {
    let rows = report
        .rows
        .filter(|_| report.verdict != Verdict::Inconclusive);
    let Some(rows) = rows else {
        let first = report.reasons.first().map_or("nothing says why", |it| it);
        return format!("{}.", capital(first).trim_end_matches('.'));
    };
    let all = all_rows(report);
    match report.verdict {
        Verdict::Unexpected if rows.unexpected == 0 => unexpected_beside_rows(report),
        Verdict::Unexpected => format!(
            "{} of {} ({}) {} in ways that no rule allows{}{}.",
            count(rows.unexpected),
            counted(all, "row", "rows"),
            percent(rows.unexpected, all),
            differ(rows.unexpected),
            of_customers(report),
            also(report.expected),
        ),
        Verdict::Expected if report.expected == 0 => {
            "No row differs; what else differs, a rule allows.".to_owned()
        }
        Verdict::Expected => format!(
            "{} of {} ({}) {}, all as rules allow.",
            count(report.expected),
            counted(all, "row", "rows"),
            percent(report.expected, all),
            differ(report.expected)
        ),
        Verdict::Identical | Verdict::Inconclusive => {
            format!("{}, and none differs.", counted(all, "row", "rows"))
        }
    }
}

fn unexpected_beside_rows(report: &TaskReport) -> String {
    match report.reasons.first() {
        Some(reason) => format!("{}.", capital(reason).trim_end_matches('.')),
        None => "Not in single rows, but in what all of them have in common.".to_owned(),
    }
}

fn differ(rows: u64) -> &'static str {
    if rows == 1 { "differs" } else { "differ" }
}

/// Whose rows they are, where there are customers.
fn of_customers(report: &TaskReport) -> String {
    let all = report.customers.len() as u64;
    let touched = report
        .customers
        .values()
        .filter(|customer| customer.unexpected > 0);
    let touched = touched.count() as u64;
    if all < 2 || touched == 0 {
        return String::new();
    }
    format!(", of {} of {} customers", count(touched), count(all))
}

fn also(expected: u64) -> String {
    match expected {
        0 => String::new(),
        1 => "; 1 more differs as expected".to_owned(),
        more => format!("; {} more differ as expected", count(more)),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // A name of the user's keeps its case.
        Some(first) if first.is_ascii_lowercase() && !text.starts_with('`') => {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        }
        _ => text.to_owned(),
    }
}

/// What a person has to know before any figure: alerts, lanes that fell back, what leaks.
pub(super) fn concerns(out: &mut Markup, run: &RunReport, change: &ChangeReport) {
    let mut told: Vec<String> = run
        .alerts
        .iter()
        .map(|alert| format!("ALERT: {alert}"))
        .collect();
    for report in &change.leaks {
        let rows = counted(report.leak.rows, "row", "rows");
        told.push(format!(
            "LEAK into {}: {rows} would not be so without the flip, {}; all of it in {}",
            report.task,
            report.leak.reached(),
            report.differences
        ));
    }
    if !told.is_empty() {
        out.own("<section><h2>To look at first</h2>\n");
        sentences(out, &told);
        out.own("</section>\n");
    }
}
