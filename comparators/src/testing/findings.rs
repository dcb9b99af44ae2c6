//! What a comparison said, as text.

use std::fmt::Write as _;

use understudy_core::comparison::{Comparison, RowChange};
use understudy_core::judge::rows::JudgedRow;
use understudy_core::value::Value;

use super::Case;
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
    for row in &collected.rows {
        text.push_str(&row_text(collected, case, row));
    }
    if case.customer.is_some() {
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
    for column in &comparison.not_compared {
        writeln!(text, "not compared: {}: {}", column.column, column.reason).unwrap();
    }
    for note in &comparison.notes {
        writeln!(text, "note: {note}").unwrap();
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
