//! What a repair does not reach.

use std::collections::BTreeSet;

use understudy_core::spec::{InputSource, Spec, Table, Task};

/// What lies outside the reach of a repair that publishes these tasks, a sentence each.
pub(super) fn outside(spec: &Spec, change: &str, replaced: &BTreeSet<String>) -> Vec<String> {
    let mut outside = Vec::new();
    let new = spec.changes.get(change).map(|change| &change.new);
    let changed = new
        .into_iter()
        .flatten()
        .filter_map(|(task, _)| spec.task(task));
    for task in changed.filter(|task| task.is_live_external()) {
        outside.push(format!(
            "`{}` is run and published by somebody else: `understudy which {}` tells them which version is live; its dates since the flip are theirs to publish again",
            task.name, task.name
        ));
    }
    for task in spec.tasks.iter().filter(|task| task.is_live_external()) {
        if let Some(input) = read_of(task, replaced) {
            outside.push(format!(
                "`{}` is run by somebody else and reads `{input}`: they have to run it again for these dates{}",
                task.name,
                and_then(spec, task)
            ));
        }
    }
    outside
}

fn read_of<'a>(task: &'a Task, replaced: &BTreeSet<String>) -> Option<&'a str> {
    let read = task.inputs.iter().filter_map(|input| match &input.source {
        InputSource::Task(task) => Some(task.as_str()),
        InputSource::Stored(stored) => match &stored.table {
            Table::Published(task) => Some(task.as_str()),
            Table::Dataset(_) => None,
        },
    });
    let mut read = read.filter(|input| replaced.contains(*input));
    read.next()
}

/// Our own tasks that read what somebody else makes.
fn and_then(spec: &Spec, external: &Task) -> String {
    let is_own =
        |input: &InputSource| matches!(input, InputSource::Task(task) if *task == external.name);
    let readers = spec.tasks.iter().filter(|task| {
        !task.is_live_external() && task.inputs.iter().any(|input| is_own(&input.source))
    });
    let readers: Vec<String> = readers.map(|task| format!("`{}`", task.name)).collect();
    match readers.as_slice() {
        [] => String::new(),
        readers => format!(
            ", and {} after that, by `understudy run --live`",
            readers.join(", ")
        ),
    }
}
