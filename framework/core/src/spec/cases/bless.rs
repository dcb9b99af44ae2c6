//! A file of cases with other expectations, and everything else as it stood: comments, order, quotes, blanks.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::case::{Count, Line, Outcome};
use crate::spec::BYTE_ORDER_MARK;
use crate::spec::resolve::{text_at, unique};
use crate::spec::yaml::{self, Node};

/// The text with what was found in the place of what each of these cases expects. Only what a case expects already is
/// replaced, and names that count now are added; `None` where one of them is not in the text.
#[must_use]
pub fn bless(text: &str, outcomes: &BTreeMap<String, Outcome>) -> Option<String> {
    let body = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let root = yaml::parse(body).ok()?;
    let cases = root.get("cases").map(Node::items).unwrap_or_default();
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (name, outcome) in outcomes {
        let is_it = |case: &&Node| text_at(case, "name").is_some_and(|(text, _)| text == name);
        let expect = cases.iter().find(is_it)?.get("expect")?;
        for line in &outcome.lines {
            edits.push(edit(body, expect, line)?);
        }
    }
    // From the end, so that what stands before stays where it is; what is added at one place keeps its order.
    edits.sort_by_key(|(range, _)| range.start);
    let mut blessed = body.to_owned();
    for (range, with) in edits.into_iter().rev() {
        blessed.replace_range(range, &with);
    }
    Some(text[..text.len() - body.len()].to_owned() + &blessed)
}

fn edit(text: &str, expect: &Node, line: &Line) -> Option<(Range<usize>, String)> {
    match line {
        Line::Verdict { found, .. } => {
            Some((extent(text, expect.get("verdict")?), found.to_string()))
        }
        Line::Number { of, found, .. } => {
            let (key, name) = match of {
                Count::Differences => ("differences", None),
                Count::Unexpected => ("unexpected", None),
                Count::Rule(name) => ("rules", Some(name)),
                Count::Column(name) => ("columns", Some(name)),
                Count::Customer(name) => ("customers", Some(name)),
            };
            let node = expect.get(key)?;
            let Some(name) = name else {
                return Some((extent(text, node), found.to_string()));
            };
            match node.get(name) {
                Some(value) => Some((extent(text, value), found.to_string())),
                None => added(text, node, name, *found),
            }
        }
    }
}

/// The bytes of a scalar as it is written.
fn extent(text: &str, node: &Node) -> Range<usize> {
    let start = node.mark.offset;
    let written = &text[start..];
    let length = match written.chars().next() {
        Some(quote @ ('"' | '\'')) => written[1..]
            .find(quote)
            .map_or(written.len(), |end| end + 2),
        _ => node.scalar().map_or(0, |scalar| scalar.text.len()),
    };
    start..start + length
}

/// One more entry at the end of a mapping, in the style that it is written in.
fn added(text: &str, map: &Node, name: &str, number: u64) -> Option<(Range<usize>, String)> {
    let entry = format!("{}: {number}", quoted(name));
    let start = map.mark.offset;
    let is_flow = text[start..].starts_with('{');
    let Some((first, _)) = unique(map).first().copied() else {
        return is_flow.then(|| (start + 1..start + 1, format!(" {entry} ")));
    };
    let (_, last) = map.entries().last()?;
    let end = extent(text, last).end;
    if is_flow {
        return Some((end..end, format!(", {entry}")));
    }
    // Behind a comment that stands beside the last one.
    let end = text[end..].find('\n').map_or(text.len(), |line| end + line);
    let indent = " ".repeat(first.mark.column - 1);
    Some((end..end, format!("\n{indent}{entry}")))
}

/// A name as YAML and JSON both read it.
pub(super) fn quoted(name: &str) -> String {
    serde_json::to_string(name).expect("a text has a JSON form")
}
