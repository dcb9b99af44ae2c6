//! What a comparison said, as text.

use std::fmt::Write as _;

use understudy_core::comparison::{Comparison, RowChange, RuleCounts};
use understudy_core::judge::rows::JudgedRow;
use understudy_core::value::Value;

use super::{Case, Shows};
use crate::request::{Findings, FindingsError, Layout};

/// All findings of a comparison.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Collected {
    pub(crate) layout: Layout,
    pub(crate) rows: Vec<JudgedRow>,
    pub(crate) comparison: Comparison,
}

impl Findings for Collected {
    fn begin(&mut self, layout: &Layout) -> Result<(), FindingsError> {
        self.layout = layout.clone();
        Ok(())
    }

    fn row(&mut self, row: JudgedRow) -> Result<(), FindingsError> {
        self.rows.push(row);
        Ok(())
    }
}

/// Counts that are not zero, then each difference: `!` where it is unexpected, else the rule that expects it.
pub(crate) fn outcome_text(case: &Case, collected: &Collected) -> String {
    let comparison = &collected.comparison;
    let mut text = String::new();
    writeln!(text, "{}", rows_text(comparison)).unwrap();
    for difference in &comparison.schema {
        let mark = difference.rule.as_deref().unwrap_or("!");
        let types =
            [&difference.old, &difference.new].map(|name| name.as_deref().unwrap_or("none"));
        writeln!(
            text,
            "{mark} {} {}: {} to {}",
            difference.kind.name(),
            difference.column,
            types[0],
            types[1]
        )
        .unwrap();
    }
    if case.shows == Shows::Counts {
        text.push_str(&left_text(collected));
    }
    for row in collected.rows.iter().filter(|_| case.shows == Shows::Rows) {
        text.push_str(&row_text(collected, case, row));
    }
    if case.customer.is_some() && case.shows == Shows::Rows {
        for (customer, counts) in &comparison.customers {
            let counts = [
                ("old", counts.old),
                ("new", counts.new),
                ("changed", counts.changed),
                ("only_old", counts.only_old),
                ("only_new", counts.only_new),
                ("expected", counts.expected),
                ("unexpected", counts.unexpected),
            ];
            writeln!(text, "{customer}: {}", counts_text(&counts)).unwrap();
        }
    }
    for counts in &comparison.rules {
        text.push_str(&rule_text(counts, case.shows == Shows::Counts));
    }
    for column in &comparison.not_compared {
        writeln!(text, "not compared: {}: {}", column.column, column.reason).unwrap();
    }
    let notes = comparison.notes.iter();
    for note in notes.filter(|note| case.shows == Shows::Rows || note.starts_with("rule ")) {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

/// The parts of rows that no rule expects: the key, and the columns or the side.
fn left_text(collected: &Collected) -> String {
    let left = collected.rows.iter().filter_map(|row| {
        let columns: Vec<&str> = match &row.difference.change {
            RowChange::OnlyOld(_) if !row.is_expected() => vec!["gone"],
            RowChange::OnlyNew(_) if !row.is_expected() => vec!["new"],
            RowChange::Cells(cells) => cells
                .iter()
                .zip(&row.rules)
                .filter(|(_, rule)| rule.is_none())
                .map(|(cell, _)| collected.layout.columns[cell.column].name.as_str())
                .collect(),
            _ => Vec::new(),
        };
        let key = values_text(&row.difference.key);
        (!columns.is_empty()).then(|| format!("{key} {}", columns.join(" ")))
    });
    let left: Vec<String> = left.collect();
    match left.as_slice() {
        [] => String::new(),
        left => format!("left: {}\n", left.join("; ")),
    }
}

/// What a rule counted, where that is asked for, and what is odd about it.
fn rule_text(counts: &RuleCounts, is_asked: bool) -> String {
    let mut text = String::new();
    if is_asked {
        let customers = counts.customers.iter();
        let customers: Vec<String> = customers
            .map(|(customer, count)| format!(", {customer} {count}"))
            .collect();
        let (differences, rows) = (counts.differences, counts.rows);
        let name = &counts.name;
        let customers = customers.concat();
        writeln!(
            text,
            "{name}: {differences} differences in {rows} rows{customers}"
        )
        .unwrap();
    }
    if let Some(rows) = counts.exceeded {
        writeln!(text, "{}: absent, {rows} rows are too many", counts.name).unwrap();
    }
    for customer in &counts.unmet {
        writeln!(text, "{}: {customer} did not change", counts.name).unwrap();
    }
    text
}

fn rows_text(comparison: &Comparison) -> String {
    let rows = comparison.rows;
    counts_text(&[
        ("old", rows.old),
        ("new", rows.new),
        ("matched", rows.matched),
        ("changed", rows.changed),
        ("only_old", rows.only_old),
        ("only_new", rows.only_new),
        ("duplicate_keys", rows.duplicate_keys),
        ("unexpected", rows.unexpected),
    ])
}

fn counts_text(counts: &[(&str, u64)]) -> String {
    let words = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {count}"));
    words.collect::<Vec<_>>().join(", ")
}

fn row_text(collected: &Collected, case: &Case, row: &JudgedRow) -> String {
    let mark =
        |position: usize| row.rules[position].map_or("!", |rule| case.rules[rule].name.as_str());
    let key = values_text(&row.difference.key);
    match &row.difference.change {
        RowChange::Cells(cells) => {
            cells
                .iter()
                .enumerate()
                .fold(String::new(), |mut text, (position, cell)| {
                    let column = &collected.layout.columns[cell.column].name;
                    let (old, new) = (value_text(&cell.old), value_text(&cell.new));
                    writeln!(text, "{} [{key}] {column}: {old} to {new}", mark(position)).unwrap();
                    text
                })
        }
        RowChange::OnlyOld(values) => {
            format!("{} [{key}] only old: {}\n", mark(0), values_text(values))
        }
        RowChange::OnlyNew(values) => {
            format!("{} [{key}] only new: {}\n", mark(0), values_text(values))
        }
    }
}

fn values_text(values: &[Value]) -> String {
    values.iter().map(value_text).collect::<Vec<_>>().join(", ")
}

fn value_text(value: &Value) -> String {
    match value.render() {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() => "\"\"".to_owned(),
        Some(text) if text == "NULL" => "\\u{4e}ULL".to_owned(),
        Some(text) if text.is_ascii() && !text.contains(char::is_control) => text,
        Some(text) => text.escape_default().to_string(),
    }
}
