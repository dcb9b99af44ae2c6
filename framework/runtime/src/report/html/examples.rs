//! Groups of differences, and examples: old and new side by side, with what changed of each cell marked.

use std::cmp::Reverse;

use understudy_core::customer::Customer;
use understudy_core::rule::DifferenceKind;
use understudy_core::share::movement;
use understudy_core::visible::acts;
use unicode_width::UnicodeWidthChar as _;

use super::MAX_BYTES;
use super::edits::{Part, parts};
use super::markup::Markup;
use super::tables::more;
use crate::report::files::example::{Example, ExampleCell};
use crate::report::files::group::Group;
use crate::report::model::TaskReport;
use crate::report::terminal::counted;

const MAX_GROUPS: usize = 20;
const MAX_OF_GROUP: usize = 5;
const MAX_EXAMPLES: usize = 15;
const MAX_KEY: usize = 8;
const MAX_CELLS: usize = 12;
/// The customers that are named beside a group.
const MAX_NAMED: usize = 5;
/// The characters of a value that a check found; those of examples are cut already.
const MAX_VALUE_CHARS: usize = 200;
/// The code points of what changed, at most.
const MAX_POINTS: usize = 8;
/// The changed letters of other scripts that one compares one by one.
const MAX_LETTERS: usize = 3;

/// The groups of unexpected differences, the largest first.
pub(super) fn groups(out: &mut Markup, report: &TaskReport) {
    let groups = report.files.iter().flat_map(|files| &files.diff.groups);
    let groups: Vec<&Group> = groups.collect();
    if groups.is_empty() {
        return;
    }
    out.own("<h3>Unexpected differences, grouped</h3>\n");
    let mut shown = 0;
    for group in groups.iter().take(MAX_GROUPS) {
        if out.len() > MAX_BYTES {
            break;
        }
        shown += 1;
        one_group(out, group);
    }
    more(
        out,
        groups.len(),
        shown,
        " more groups; summary.json has all.",
    );
}

fn one_group(out: &mut Markup, group: &Group) {
    out.own("<h4>");
    if let Some(column) = &group.column {
        out.name(column).own(": ");
    }
    out.sentence(&group.what).own("</h4>\n<p>");
    let noun = match group.column {
        Some(_) => ["cell", "cells"],
        None => ["row", "rows"],
    };
    out.text(&counted(group.differences, noun[0], noun[1]));
    let mut most: Vec<(&Customer, &u64)> = group.customers.iter().collect();
    most.retain(|(customer, _)| **customer != Customer::Everybody);
    most.sort_by_key(|(_, rows)| Reverse(**rows));
    for (position, (customer, rows)) in most.iter().take(MAX_NAMED).enumerate() {
        out.own(if position > 0 { ", " } else { " of " });
        out.name(&customer.label());
        out.own(" (").number(**rows).own(")");
    }
    let others = most.len().saturating_sub(MAX_NAMED) as u64 + group.more_customers;
    if others > 0 {
        out.own(" and ");
        out.text(&counted(others, "other customer", "other customers"));
    }
    out.own(" <span class=\"k\">").name(&group.id);
    out.own("</span></p>\n");
    table(out, group.examples.iter().take(MAX_OF_GROUP));
}

/// Examples of the customers that have most unexpected differences.
pub(super) fn show(out: &mut Markup, report: &TaskReport) {
    let Some(files) = &report.files else { return };
    let examples = &files.diff.examples;
    if examples.is_empty() || out.len() > MAX_BYTES {
        return;
    }
    out.own("<h3>Examples of those who have most</h3>\n");
    table(out, examples.iter().take(MAX_EXAMPLES));
}

/// One body of rows an example: whose row it is, then a line a cell.
fn table<'a>(out: &mut Markup, examples: impl Iterator<Item = &'a Example>) {
    out.own("<table class=\"x\">\n<caption>Examples</caption>\n<thead><tr><th scope=\"col\">column</th><th scope=\"col\">old</th><th scope=\"col\">new</th></tr></thead>\n");
    for example in examples {
        if out.len() > MAX_BYTES {
            break;
        }
        out.own("<tbody>\n<tr><th colspan=\"3\" scope=\"rowgroup\">");
        whose(out, example);
        out.own("</th></tr>\n");
        for one in example.cells.iter().take(MAX_CELLS) {
            cell(out, one, example.kind);
        }
        out.own("</tbody>\n");
    }
    out.own("</table>\n");
}

fn whose(out: &mut Markup, example: &Example) {
    let customer = example.customer.label();
    if example.customer != Customer::Everybody {
        out.own("<strong>").name(&customer).own("</strong> ");
    }
    // The customer column is often part of the key, and need not be said twice.
    let key = example
        .key
        .iter()
        .filter(|part| part.text.as_deref() != Some(&customer));
    for part in key.take(MAX_KEY) {
        out.own("<span class=\"k\">").name(&part.column);
        out.own("</span> ");
        value(out, part.text.as_deref());
        out.own(" ");
    }
    out.own(match example.kind {
        DifferenceKind::OnlyOld => "<mark>row only in old</mark>",
        DifferenceKind::OnlyNew => "<mark>row only in new</mark>",
        _ => "",
    });
}

fn cell(out: &mut Markup, cell: &ExampleCell, kind: DifferenceKind) {
    out.own("<tr><th scope=\"row\">").name(&cell.column);
    out.own("</th>");
    match kind {
        DifferenceKind::OnlyOld => {
            out.own("<td>");
            value(out, cell.old.as_deref());
            out.own("</td><td class=\"k\">–</td>");
        }
        DifferenceKind::OnlyNew => {
            out.own("<td class=\"k\">–</td><td>");
            value(out, cell.new.as_deref());
            out.own("</td>");
        }
        _ => {
            let moved = cell.delta_pct.as_deref().and_then(movement);
            changed(out, cell.old.as_deref(), cell.new.as_deref(), moved);
        }
    }
    out.own("</tr>\n");
}

/// A value on both sides, with what changed marked.
pub(super) fn sides(out: &mut Markup, old: Option<&str>, new: Option<&str>) {
    let cut = |text: &'_ str| match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let (old, new) = (old.map(cut), new.map(cut));
    changed(out, old.as_deref(), new.as_deref(), None);
}

fn changed(out: &mut Markup, old: Option<&str>, new: Option<&str>, moved: Option<String>) {
    let (Some(old_text), Some(new_text)) = (old, new) else {
        out.own("<td>");
        whole(out, old, Marker::OLD);
        out.own("</td><td>");
        whole(out, new, Marker::NEW);
        out.own("</td>");
        return;
    };
    let [old_parts, new_parts] = parts(old_text, new_text);
    let points = are_worth_reading(&old_parts) || are_worth_reading(&new_parts);
    out.own("<td>");
    marked(out, old_text, &old_parts, Marker::OLD, points);
    out.own("</td><td>");
    marked(out, new_text, &new_parts, Marker::NEW, points);
    if let Some(moved) = moved {
        out.own("<span class=\"m\">").text(&moved).own("</span>");
    }
    out.own("</td>");
}

/// The element that marks a side's changed parts.
#[derive(Clone, Copy)]
struct Marker {
    open: &'static str,
    close: &'static str,
}

impl Marker {
    const OLD: Self = Self {
        open: "<del>",
        close: "</del>",
    };
    const NEW: Self = Self {
        open: "<ins>",
        close: "</ins>",
    };
}

fn whole(out: &mut Markup, text: Option<&str>, marker: Marker) {
    out.own(marker.open);
    value(out, text);
    out.own(marker.close);
}

fn marked(out: &mut Markup, text: &str, parts: &[Part<'_>], marker: Marker, points: bool) {
    if text.is_empty() {
        return whole(out, Some(text), marker);
    }
    out.own("<bdi class=\"v\">");
    for part in parts {
        if part.is_changed {
            out.own(marker.open).text(part.text).own(marker.close);
        } else {
            out.text(part.text);
        }
    }
    out.own("</bdi>");
    if points {
        code_points(out, parts);
    }
}

/// Whether what changed could look like what it was: marks on letters, joiners, letters of other scripts.
fn are_worth_reading(parts: &[Part<'_>]) -> bool {
    let changed = || parts.iter().filter(|part| part.is_changed);
    // What acts is shown by its code point already.
    let characters = || changed().flat_map(|part| part.text.chars().filter(|c| !acts(*c)));
    let few = characters().nth(MAX_LETTERS).is_none();
    characters().any(|c| c.width() == Some(0)) || (few && characters().any(|c| !c.is_ascii()))
}

fn code_points(out: &mut Markup, parts: &[Part<'_>]) {
    let changed = parts.iter().filter(|part| part.is_changed);
    let characters = changed.flat_map(|part| part.text.chars());
    let points: Vec<String> = characters
        .take(MAX_POINTS)
        .map(|c| format!("U+{:04X}", u32::from(c)))
        .collect();
    if !points.is_empty() {
        out.own("<span class=\"m\">");
        out.text(&points.join(" ")).own("</span>");
    }
}

/// A value as it reads: NULL and emptiness in words, and in quotes what could be taken for them.
fn value(out: &mut Markup, text: Option<&str>) {
    match text {
        None => out.own("<i>NULL</i>"),
        Some("") => out.own("<i>empty text</i>"),
        Some(text) if text.trim().is_empty() || text == "NULL" => {
            out.own("“<bdi class=\"v\">").text(text).own("</bdi>”")
        }
        Some(text) => out.own("<bdi class=\"v\">").text(text).own("</bdi>"),
    };
}
