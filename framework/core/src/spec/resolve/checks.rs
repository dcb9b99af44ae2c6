//! Checks.

use std::collections::BTreeSet;

use super::Reading;
use super::names::{text_at, texts_at};
use super::rules::within;
use super::versions::{arguments, check_file, named_files, read_limits};
use crate::check::{Check, CheckKind, Measure, Metric, Metrics};
use crate::rule::Within;
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, quoted};
use crate::spec::scalar;
use crate::spec::yaml::{Mark, Node};

/// Reads the checks of a task; those that cannot be read have been told.
pub(super) fn read(
    list: &Node,
    change: &str,
    task: &str,
    reading: &mut Reading<'_, '_>,
) -> Vec<Check> {
    let origin = Origin::Change(change.to_owned());
    let mut names = BTreeSet::new();
    let mut checks = Vec::new();
    for (position, node) in list.items().iter().enumerate() {
        mark_spots(node, position, change, task, reading);
        let (name, mark) = name_of(node, position);
        if !names.insert(name.clone()) {
            let message = format!("two checks are named {}", quoted(&name));
            let fix = "give each its own name; reports name findings by it";
            reading.problems.push(mark, &origin, message, fix);
        }
        let kind = read_kind(&name, node, &origin, reading);
        checks.extend(kind.map(|kind| Check {
            name,
            kind,
            limits: read_limits(node),
            code: None,
        }));
    }
    checks
}

fn name_of(node: &Node, position: usize) -> (String, Mark) {
    match text_at(node, "name") {
        Some((name, mark)) => (name.to_owned(), mark),
        None => (format!("check {}", position + 1), node.mark),
    }
}

fn mark_spots(node: &Node, check: usize, change: &str, task: &str, reading: &mut Reading<'_, '_>) {
    let (change, task) = (change.to_owned(), task.to_owned());
    let metrics = node.get("metrics");
    let groups = metrics.map(|metrics| texts_at(metrics, "group_by"));
    let measured = metrics.and_then(|metrics| metrics.get("measure"));
    let measured = measured.into_iter().flat_map(Node::items);
    let columns =
        measured.filter_map(|metric| MEASURES.iter().find_map(|key| text_at(metric, key)));
    for (column, mark) in groups.unwrap_or_default().into_iter().chain(columns) {
        let spot = Spot::CheckColumn {
            change: change.clone(),
            task: task.clone(),
            check,
            column: column.to_owned(),
        };
        reading.spots.entry(spot).or_insert(mark);
    }
    let spot = Spot::Check {
        change,
        task,
        check,
    };
    reading.spots.insert(spot, node.mark);
}

fn read_kind(
    name: &str,
    node: &Node,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) -> Option<CheckKind> {
    if let Some(metrics) = node.get("metrics") {
        return Some(CheckKind::Metrics(Metrics {
            group_by: texts_at(metrics, "group_by")
                .into_iter()
                .map(|(column, _)| column.to_owned())
                .collect(),
            measure: metrics
                .get("measure")?
                .items()
                .iter()
                .filter_map(|metric| read_metric(name, metric, origin, reading))
                .collect(),
        }));
    }
    if let Some((file, mark)) = text_at(node, "sql") {
        return read_sql(file, mark, origin, reading);
    }
    if let Some((name, _)) = text_at(node, "rust") {
        return Some(CheckKind::Rust(name.to_owned()));
    }
    let argv = arguments(node.get("command")?);
    super::surroundings::refuse_secrets("a command's arguments", &argv, origin, reading);
    for (file, mark) in named_files(&argv) {
        check_file("the command's file", file, mark, origin, reading);
    }
    let owned = |texts: Vec<(&str, Mark)>| {
        let texts = texts.into_iter();
        texts.map(|(text, _)| text.to_owned()).collect()
    };
    Some(CheckKind::Command {
        argv: owned(argv),
        code: owned(texts_at(node, "code")),
    })
}

/// The query itself is part of the check, as customers in a file are part of a rule.
fn read_sql(
    file: &str,
    mark: Mark,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) -> Option<CheckKind> {
    check_file("the SQL file", file, mark, origin, reading);
    let sql = reading.files.read(file);
    if sql.is_none() && reading.files.exists(file) {
        let message = format!("the SQL file {} cannot be read", quoted(file));
        let fix = "put one query there, in UTF-8";
        reading.problems.push(mark, origin, message, fix);
    }
    Some(CheckKind::Sql {
        file: file.to_owned(),
        sql: sql?,
    })
}

/// The keys that name a column to measure.
const MEASURES: [&str; 5] = ["sum", "mean", "percentile", "distinct", "null_rate"];

fn read_metric(
    check: &str,
    node: &Node,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) -> Option<Metric> {
    let tolerance = node.get("within");
    if let Some(tolerance) = tolerance {
        within::check(
            tolerance,
            &format!("check {}", quoted(check)),
            origin,
            reading.problems,
        );
    }
    let within = tolerance.and_then(within::read);
    if let (Some(node), Some(within)) = (tolerance, &within)
        && is_duration(within)
    {
        let message = format!(
            "`within` of check {} is a duration, and a figure is a number",
            quoted(check)
        );
        let fix = "write a number or a percentage, such as `0.5` or `5%`";
        reading.problems.push(node.mark, origin, message, fix);
    }
    Some(Metric {
        measure: read_measure(node)?,
        within,
    })
}

fn is_duration(within: &Within) -> bool {
    within.up.abs_is_duration || within.down.abs_is_duration
}

fn read_measure(node: &Node) -> Option<Measure> {
    let column = |key: &str| text_at(node, key).map(|(column, _)| column.to_owned());
    if node.get("count").is_some() {
        return Some(Measure::Count);
    }
    if let Some(column) = column("percentile") {
        let at = node.get("at")?.items().iter().filter_map(Node::scalar);
        let at = at.filter_map(scalar::percentile).collect();
        return Some(Measure::Percentile { column, at });
    }
    let sum = column("sum").map(Measure::Sum);
    sum.or_else(|| column("mean").map(Measure::Mean))
        .or_else(|| column("distinct").map(Measure::Distinct))
        .or_else(|| column("null_rate").map(Measure::NullRate))
}
