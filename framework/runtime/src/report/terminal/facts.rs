//! What the differences have in common: rows, columns, schema; and notes.

use std::cmp::Reverse;

use understudy_core::comparison::{ColumnCounts, RowCounts, SchemaDifference};

use super::figures::{count, counted};
use super::page::{Page, name};
use super::{Detail, Tone};
use crate::report::model::TaskReport;

/// The columns, rules, checks and schema differences of a summary.
pub(super) const MAX_FACTS: usize = 5;
pub(super) const NAME_WIDTH: usize = 40;

/// What differs, before it is said whose it is.
pub(crate) fn show(page: &mut Page, report: &TaskReport, detail: &Detail) {
    let most = detail.at_most(MAX_FACTS);
    list(
        page,
        "rows",
        report.rows.as_ref().map(rows).unwrap_or_default(),
        most,
    );
    list(page, "columns", columns(&report.columns), most);
    list(
        page,
        "schema",
        report.schema.iter().map(schema).collect(),
        most,
    );
}

/// What is worth knowing of how it was found and written.
pub(crate) fn end(page: &mut Page, report: &TaskReport) {
    notes(page, report);
    files(page, report);
}

/// What is worth knowing and is no difference.
pub(super) fn notes(page: &mut Page, report: &TaskReport) {
    for note in &report.notes {
        page.entry(&[(Tone::Quiet, "    note      ")], note);
    }
}

pub(super) fn list(page: &mut Page, label: &str, mut facts: Vec<String>, most: usize) {
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

/// Where the differences go on, and where they end.
fn files(page: &mut Page, report: &TaskReport) {
    let Some(diff) = report.files.as_ref().map(|files| &files.diff) else {
        return;
    };
    if diff.csv_files > 1 {
        let text = format!("diff.csv goes on in diff-2.csv{}", up_to(diff.csv_files));
        page.entry(&[(Tone::Quiet, "    note      ")], &text);
    }
    if !diff.csv_complete {
        let lines = counted(diff.lines, "difference", "differences");
        let text = format!(
            "diff.csv has {} of {lines}; diff.parquet has all",
            count(diff.csv_lines)
        );
        page.entry(&[(Tone::Quiet, "    note      ")], &text);
    }
}

fn up_to(files: u64) -> String {
    match files {
        2 => String::new(),
        files => format!(" to diff-{files}.csv"),
    }
}
