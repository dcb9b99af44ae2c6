//! What tasks read: datasets, outputs of other tasks, and what was published on earlier dates.

use std::collections::BTreeSet;

use super::names::text_at;
use super::{Reading, report_unknown};
use crate::spec::model::{Input, InputSource, Stored, Table};
use crate::spec::problems::{Origin, quoted};
use crate::spec::scalar;
use crate::spec::yaml::{Mark, Node};

/// Reads the inputs of a task; those that stand for nothing have been told.
pub(crate) fn read(task: &str, node: &Node, reading: &mut Reading<'_, '_>) -> Vec<Input> {
    let items = node.get("inputs").map(Node::items).unwrap_or_default();
    let mut inputs: Vec<Input> = Vec::new();
    let mut names = BTreeSet::new();
    for item in items {
        let Some(input) = read_input(task, item, reading) else {
            continue;
        };
        if names.insert(input.name.clone()) {
            inputs.push(input);
        } else {
            report_twice(task, &input.name, item, reading);
        }
    }
    inputs
}

fn report_twice(task: &str, name: &str, item: &Node, reading: &mut Reading<'_, '_>) {
    let message = format!(
        "{} is named twice among the inputs of {}",
        quoted(name),
        quoted(task)
    );
    let fix = if item.scalar().is_some() {
        "name it once"
    } else {
        "name it once, or give one of them another name with `as: …`"
    };
    let origin = Origin::Task(task.to_owned());
    reading.problems.push(item.mark, &origin, message, fix);
}

fn read_input(task: &str, item: &Node, reading: &mut Reading<'_, '_>) -> Option<Input> {
    let named = match item.scalar() {
        Some(scalar) => (scalar::text(scalar)?, item.mark),
        None => text_at(item, "dataset")?,
    };
    let is_task = reading.names.task(named.0).is_some();
    if !is_task && reading.names.dataset(named.0).is_none() {
        let known = reading.names.table_names();
        let origin = Origin::Task(task.to_owned());
        report_unknown(
            ["input", "datasets and tasks"],
            named,
            &known,
            &origin,
            reading.problems,
        );
        return None;
    }
    let name = text_at(item, "as").map_or(named.0, |(name, _)| name);
    let source = if is_task {
        of_task(task, named, item, reading)
    } else {
        InputSource::Stored(of_dataset(task, named, item, reading))
    };
    Some(Input {
        name: name.to_owned(),
        source,
    })
}

fn of_dataset(
    task: &str,
    (name, _): (&str, Mark),
    item: &Node,
    reading: &mut Reading<'_, '_>,
) -> Stored {
    let dataset = reading.names.dataset_node(name);
    let own_window = dataset.and_then(|node| days_at(node, "window"));
    let date = days_at(item, "date");
    let window = days_at(item, "window");
    let is_dated = dataset
        .and_then(|node| text_at(node, "location"))
        .is_some_and(|(location, _)| location.contains("{date"));
    if let Some((_, mark)) = date.or(window).filter(|_| !is_dated) {
        let message = format!("the dataset {} is the same on all dates", quoted(name));
        let fix = "put `{date}` into its location, or leave `date` and `window` out here";
        reading
            .problems
            .push(mark, &Origin::Task(task.to_owned()), message, fix);
    }
    Stored {
        table: Table::Dataset(name.to_owned()),
        plus_days: date.map_or(0, |(days, _)| days),
        days: window.or(own_window).map_or(1, |(days, _)| to_count(days)),
        otherwise: otherwise(task, item, reading),
    }
}

/// A task's output of this run, or what was published of it before.
fn of_task(
    task: &str,
    (name, _): (&str, Mark),
    item: &Node,
    reading: &mut Reading<'_, '_>,
) -> InputSource {
    let (date, window) = (days_at(item, "date"), days_at(item, "window"));
    if date.is_none() && window.is_none() {
        if let Some(node) = item.get("else") {
            let message = format!(
                "the output of {} is made in this run, so there is nothing else to read",
                quoted(name)
            );
            let fix = "leave `else` out, or say with `date: -1d` or `window: 30d` that earlier dates are meant";
            reading
                .problems
                .push(node.mark, &Origin::Task(task.to_owned()), message, fix);
        }
        return InputSource::Task(name.to_owned());
    }
    if let Some((days, at)) = date.filter(|(days, _)| *days >= 0) {
        let message = format!(
            "what {} publishes on {days:+}d is not there before the run",
            quoted(name)
        );
        let fix = "name a day before the run date, such as `date: -1d`; for the output of this run, leave `date` out";
        reading
            .problems
            .push(at, &Origin::Task(task.to_owned()), message, fix);
    }
    InputSource::Stored(Stored {
        table: Table::Published(name.to_owned()),
        plus_days: date.map_or(-1, |(days, _)| days),
        days: window.map_or(1, |(days, _)| to_count(days)),
        otherwise: otherwise(task, item, reading),
    })
}

fn otherwise(task: &str, item: &Node, reading: &mut Reading<'_, '_>) -> Option<String> {
    let (name, mark) = text_at(item, "else")?;
    if reading.names.dataset(name).is_none() {
        let known = reading.names.dataset_names();
        let origin = Origin::Task(task.to_owned());
        report_unknown(
            ["dataset", "datasets"],
            (name, mark),
            &known,
            &origin,
            reading.problems,
        );
        return None;
    }
    Some(name.to_owned())
}

/// The days under a key, such as -1 for `-1d`.
pub(crate) fn days_at(node: &Node, key: &str) -> Option<(i64, Mark)> {
    let node = node.get(key)?;
    scalar::days(node.scalar()?).map(|days| (days, node.mark))
}

/// Days as a number of them; what is none has been told.
pub(crate) fn to_count(days: i64) -> u32 {
    u32::try_from(days).unwrap_or(1).max(1)
}
