//! A difference or two, so that one sees what it is.

use std::collections::BTreeSet;

use understudy_core::rule::DifferenceKind;
use unicode_width::UnicodeWidthChar as _;

use super::figures::movement;
use super::page::{Page, name};
use super::width::width;
use super::{Detail, Tone};
use crate::report::files::example::{Example, ExampleCell};
use crate::report::model::TaskReport;
use crate::report::visible::visible;

/// The examples of a summary, each of another customer.
const MAX_EXAMPLES: usize = 3;
/// The columns that one value takes.
const VALUE_WIDTH: usize = 28;
/// The characters before the first difference of two long texts.
const CONTEXT_CHARS: usize = 8;

pub(crate) fn show(page: &mut Page, report: &TaskReport, detail: &Detail) {
    let Some(files) = &report.files else { return };
    for (position, example) in chosen(&files.diff.examples, detail).into_iter().enumerate() {
        let lead = if position == 0 {
            "    example   "
        } else {
            "              "
        };
        page.entry(&[(Tone::Quiet, lead)], &sentence(example));
    }
}

fn chosen<'a>(examples: &'a [Example], detail: &Detail) -> Vec<&'a Example> {
    let mut customers = BTreeSet::new();
    let another = |example: &&Example| match detail {
        Detail::Summary => customers.insert(example.customer.clone()),
        Detail::Task(_) => true,
    };
    examples
        .iter()
        .filter(another)
        .take(detail.at_most(MAX_EXAMPLES))
        .collect()
}

fn sentence(example: &Example) -> String {
    let customer = example.customer.label();
    // The customer column is often part of the key, and need not be said twice.
    let key = example
        .key
        .iter()
        .filter(|part| part.text.as_deref() != Some(&customer));
    let key = key.map(|part| {
        format!(
            "{}={}",
            name(&part.column, VALUE_WIDTH),
            value(part.text.as_deref())
        )
    });
    let mut words = vec![name(&customer, VALUE_WIDTH)];
    words.extend(key);
    words.push(match example.kind {
        DifferenceKind::OnlyOld => format!("only in OLD: {}", row(example, |cell| &cell.old)),
        DifferenceKind::OnlyNew => format!("only in NEW: {}", row(example, |cell| &cell.new)),
        _ => example
            .cells
            .iter()
            .map(change)
            .collect::<Vec<_>>()
            .join(", "),
    });
    words.join("  ")
}

fn row(example: &Example, side: impl Fn(&ExampleCell) -> &Option<String>) -> String {
    let cell = |cell: &ExampleCell| {
        format!(
            "{}={}",
            name(&cell.column, VALUE_WIDTH),
            value(side(cell).as_deref())
        )
    };
    example.cells.iter().map(cell).collect::<Vec<_>>().join(" ")
}

fn change(cell: &ExampleCell) -> String {
    let (old, new) = apart(cell.old.as_deref(), cell.new.as_deref());
    let moved = cell
        .delta_pct
        .as_deref()
        .and_then(movement)
        .map(|moved| format!(" ({moved})"));
    format!(
        "{}  {old} -> {new}{}",
        name(&cell.column, VALUE_WIDTH),
        moved.unwrap_or_default()
    )
}

/// Two values so that one sees where they differ: long texts from just before that place on, and texts that look
/// the same by their code points.
fn apart(old: Option<&str>, new: Option<&str>) -> (String, String) {
    let (Some(old_text), Some(new_text)) = (old, new) else {
        return (value(old), value(new));
    };
    let skip = if width(old_text).max(width(new_text)) > VALUE_WIDTH {
        common_chars(old_text, new_text)
    } else {
        0
    };
    let (old_text, new_text) = (from(old_text, skip), from(new_text, skip));
    let hidden = |text: &str| text.chars().any(|c| c.width() == Some(0));
    if hidden(&old_text) || hidden(&new_text) {
        return (
            value(Some(&code_points(&old_text))),
            value(Some(&code_points(&new_text))),
        );
    }
    (value(Some(&old_text)), value(Some(&new_text)))
}

fn common_chars(old: &str, new: &str) -> usize {
    let common = old
        .chars()
        .zip(new.chars())
        .take_while(|(old, new)| old == new)
        .count();
    common.saturating_sub(CONTEXT_CHARS)
}

fn from(text: &str, skip: usize) -> String {
    if skip == 0 {
        return text.to_owned();
    }
    format!("…{}", text.chars().skip(skip).collect::<String>())
}

fn code_points(text: &str) -> String {
    let shown = |c: char| {
        if c.is_ascii() || c == '…' {
            c.to_string()
        } else {
            c.escape_unicode().to_string()
        }
    };
    text.chars().map(shown).collect()
}

/// A value as it reads: NULL in words, and in quotes what could be taken for nothing, for NULL or for less than it is.
fn value(text: Option<&str>) -> String {
    let Some(text) = text else {
        return "NULL".to_owned();
    };
    let shown = name(text, VALUE_WIDTH);
    let edge = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    let needs_quotes = text.is_empty() || text == "NULL" || edge || visible(text) != text;
    if needs_quotes {
        format!("\"{shown}\"")
    } else {
        shown
    }
}
