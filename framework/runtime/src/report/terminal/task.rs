//! One task of a change: a line, and below it what explains the line.

use understudy_core::comparison::RowCounts;
use understudy_core::verdict::Verdict;

use super::figures::{count, counted, percent};
use super::page::{Page, name};
use super::width::{left, width};
use super::{Detail, Tone, customers, examples, facts, groups, rules, tone};
use crate::report::model::TaskReport;

pub(crate) fn show_all(page: &mut Page, tasks: &[(&str, &TaskReport)], detail: &Detail) {
    let titles: Vec<_> = tasks
        .iter()
        .map(|(task, report)| title(task, report))
        .collect();
    let widest = |part: fn(&(String, String)) -> &String| {
        titles.iter().map(|title| width(part(title))).max()
    };
    let (tasks_width, versions_width) =
        (widest(|t| &t.0).unwrap_or(0), widest(|t| &t.1).unwrap_or(0));
    for ((_, report), (task, versions)) in tasks.iter().zip(&titles) {
        let lead = format!(
            "  {}  {}  ",
            left(task, tasks_width),
            left(versions, versions_width)
        );
        show(page, &lead, report, detail);
    }
}

fn title(task: &str, report: &TaskReport) -> (String, String) {
    let (old, new) = (name(&report.old_version, 12), name(&report.new_version, 12));
    let versions = if report.old_version == report.new_version {
        format!("{old} downstream")
    } else {
        format!("{old} -> {new}")
    };
    (name(task, 28), versions)
}

fn show(page: &mut Page, lead: &str, report: &TaskReport, detail: &Detail) {
    let word = match report.verdict {
        Verdict::Unexpected => "UNEXPECTED",
        Verdict::Inconclusive => "NOT CHECKED",
        Verdict::Expected => "as expected",
        Verdict::Identical => "identical",
    };
    let (rest, reasons) = explanation(report);
    page.entry(&[(Tone::Plain, lead), (tone(report.verdict), word)], &rest);
    for reason in reasons {
        page.entry(&[(Tone::Quiet, "    because   ")], reason);
    }
    if report.rows.is_some() && (report.verdict != Verdict::Identical || *detail != Detail::Summary)
    {
        findings(page, report, detail);
    } else {
        facts::notes(page, report);
    }
}

/// Counts, columns, customers, rules, groups and examples, in the order of every report.
pub(super) fn findings(page: &mut Page, report: &TaskReport, detail: &Detail) {
    facts::show(page, report, detail);
    customers::show(page, report, detail);
    rules::show(page, report, detail);
    groups::show(page, report, detail);
    examples::show(page, report, detail);
    facts::end(page, report);
}

/// What stands behind the verdict, and the reasons that need lines of their own.
pub(crate) fn explanation(report: &TaskReport) -> (String, &[String]) {
    let rows = report.rows.as_ref();
    match (report.verdict, rows) {
        (Verdict::Inconclusive, _) | (_, None) => match report.reasons.split_first() {
            Some((first, others)) => (format!(": {first}"), others),
            None => (": nothing says why".to_owned(), &[]),
        },
        (Verdict::Unexpected, Some(rows)) => (unexpected(report, rows), &report.reasons),
        (Verdict::Expected, Some(rows)) => (
            format!(" in {}", share(report.expected, all(rows))),
            &report.reasons,
        ),
        (Verdict::Identical, Some(rows)) => (
            format!(" in {}", counted(all(rows), "row", "rows")),
            &report.reasons,
        ),
    }
}

fn unexpected(report: &TaskReport, rows: &RowCounts) -> String {
    let expected = report.expected;
    let has_columns = report.schema.iter().any(|column| column.rule.is_none());
    let unmet: std::collections::BTreeSet<_> =
        report.rules.iter().flat_map(|rule| &rule.unmet).collect();
    let unmet = unmet.len() as u64;
    let mut text = match rows.unexpected {
        0 if has_columns => " columns".to_owned(),
        0 if unmet > 0 => {
            format!(
                ": {} had to change and did not",
                counted(unmet, "customer", "customers")
            )
        }
        0 => " findings of checks".to_owned(),
        unexpected => format!(" in {}", share(unexpected, all(rows))),
    };
    if expected > 0 {
        text.push_str(&format!(", {} as expected", count(expected)));
    }
    text
}

fn share(part: u64, whole: u64) -> String {
    format!(
        "{} of {} ({})",
        count(part),
        counted(whole, "row", "rows"),
        percent(part, whole)
    )
}

/// Every row once: pairs, and those on one side only.
fn all(rows: &RowCounts) -> u64 {
    rows.matched + rows.only_old + rows.only_new
}
