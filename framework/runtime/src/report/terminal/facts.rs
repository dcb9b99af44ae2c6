//! What the differences have in common: columns, rows, schema, rules, notes.

use std::cmp::Reverse;

use understudy_core::comparison::{ColumnCounts, RowCounts, SchemaDifference};

use super::figures::{count, counted};
use super::page::{Page, name};
use super::{Detail, Tone};
use crate::report::model::TaskReport;

/// The columns, rules and schema differences of a summary.
const MAX_FACTS: usize = 5;
const NAME_WIDTH: usize = 40;

pub(crate) fn show(page: &mut Page, report: &TaskReport, detail: &Detail) {
    let most = detail.at_most(MAX_FACTS);
    list(page, "columns", columns(&report.columns), most);
    list(
        page,
        "rows",
        report.rows.as_ref().map(rows).unwrap_or_default(),
        most,
    );
    list(
        page,
        "schema",
        report.schema.iter().map(schema).collect(),
        most,
    );
    rules(page, report, most);
    notes(page, report);
    capped(page, report);
}

/// What is worth knowing and is no difference.
pub(super) fn notes(page: &mut Page, report: &TaskReport) {
    for note in &report.notes {
        page.entry(&[(Tone::Quiet, "    note      ")], note);
    }
}

fn list(page: &mut Page, label: &str, mut facts: Vec<String>, most: usize) {
    if facts.is_empty() {
        return;
    }
    let more = facts.len().saturating_sub(most);
    facts.truncate(most);
    if more > 0 {
        facts.push(format!("and {more} more"));
    }
    page.entry(
        &[(Tone::Quiet, &format!("    {label:<9} "))],
        &facts.join("; "),
    );
}

/// Those that changed, the most unexpected first.
fn columns(columns: &[ColumnCounts]) -> Vec<String> {
    let mut changed: Vec<_> = columns.iter().filter(|column| column.changed > 0).collect();
    changed.sort_by_key(|column| (Reverse(column.unexpected), Reverse(column.changed)));
    let fact = |column: &ColumnCounts| {
        let (name, changed) = (name(&column.name, NAME_WIDTH), count(column.changed));
        match column.unexpected {
            0 => format!("{name} {changed} changed as expected"),
            all if all == column.changed => format!("{name} {changed} changed, all UNEXPECTED"),
            some => format!("{name} {changed} changed, {} UNEXPECTED", count(some)),
        }
    };
    changed.into_iter().map(fact).collect()
}

fn rows(rows: &RowCounts) -> Vec<String> {
    let facts = [
        (rows.only_old, "only in OLD".to_owned()),
        (rows.only_new, "only in NEW".to_owned()),
        (
            rows.duplicate_keys,
            "keys more than once on a side".to_owned(),
        ),
    ];
    let facts = facts.into_iter().filter(|(number, _)| *number > 0);
    facts
        .map(|(number, fact)| format!("{} {fact}", count(number)))
        .collect()
}

fn schema(difference: &SchemaDifference) -> String {
    let column = name(&difference.column, NAME_WIDTH);
    let kind = difference.kind.name().replace('_', " ");
    let types: Vec<_> = [&difference.old, &difference.new]
        .into_iter()
        .flatten()
        .map(|of| name(of, NAME_WIDTH))
        .collect();
    let judged = match &difference.rule {
        Some(rule) => format!("expected by \"{}\"", name(rule, NAME_WIDTH)),
        None => "UNEXPECTED".to_owned(),
    };
    format!("{kind}: {column} ({}), {judged}", types.join(" -> "))
}

/// What each rule explained; one that matched nothing may no longer be needed, or may not say what it should.
fn rules(page: &mut Page, report: &TaskReport, most: usize) {
    let (used, idle): (Vec<_>, Vec<_>) = report.rules.iter().partition(|rule| rule.differences > 0);
    let rule = |name: &str, number: u64| {
        format!(
            "\"{}\" explains {}",
            self::name(name, NAME_WIDTH),
            count(number)
        )
    };
    list(
        page,
        "rules",
        used.iter()
            .map(|used| rule(&used.name, used.differences))
            .collect(),
        most,
    );
    let idle = idle
        .iter()
        .map(|idle| format!("\"{}\" matched nothing", name(&idle.name, NAME_WIDTH)));
    list(page, "idle", idle.collect(), most);
}

fn capped(page: &mut Page, report: &TaskReport) {
    let Some(diff) = report.files.as_ref().map(|files| &files.diff) else {
        return;
    };
    if !diff.csv_complete {
        let lines = counted(diff.lines, "difference", "differences");
        let text = format!(
            "diff.csv has {} of {lines}; diff.parquet has all",
            count(diff.csv_lines)
        );
        page.entry(&[(Tone::Quiet, "    note      ")], &text);
    }
}
