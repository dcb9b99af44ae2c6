//! Tasks: what they read and what they make.

use super::names::{repeated, text_at, texts_at};
use super::{Reading, inputs, masks, report_unknown, versions};
use crate::spec::model::{Output, ShadowRuns, Task};
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, quoted};
use crate::spec::yaml::{Key, Node};

/// Reads a task; `None` where something of it is missing, which has been said.
pub(crate) fn read(key: &Key, node: &Node, reading: &mut Reading<'_, '_>) -> Option<Task> {
    let name = &key.text;
    reading.spots.insert(Spot::Task(name.clone()), key.mark);
    let inputs = inputs::read(name, node, reading);
    let output = read_output(name, node, reading);
    let live = read_live(name, node, reading);
    let versions = versions::read(name, node, reading);
    let task = Task {
        name: name.clone(),
        inputs,
        output: output?,
        live: live?,
        shadow: match text_at(node, "shadow") {
            Some(("never", _)) => ShadowRuns::Never,
            _ => ShadowRuns::Allowed,
        },
        versions,
    };
    require_location(&task, key, node, reading);
    Some(task)
}

/// Whatever is not published by somebody else needs a place to be published.
fn require_location(task: &Task, key: &Key, node: &Node, reading: &mut Reading<'_, '_>) {
    let is_external = node
        .get("versions")
        .and_then(|versions| versions.get(&task.live)?.get("external"))
        .is_some();
    if task.output.location.is_none() && !is_external {
        let message = format!("`output` of task {} has no `location`", quoted(&task.name));
        let fix = "add `location: …`. The folder below which it is published, as `date=<date>/data.parquet`; only where the live version is external, somebody else publishes";
        let mark = node.get("output").map_or(key.mark, |output| output.mark);
        let origin = Origin::Task(task.name.clone());
        reading.problems.push(mark, &origin, message, fix);
    }
}

fn read_output(task: &str, node: &Node, reading: &mut Reading<'_, '_>) -> Option<Output> {
    let origin = Origin::Task(task.to_owned());
    let node = node.get("output")?;
    let grain = texts_at(node, "grain");
    for (column, mark) in repeated(&grain) {
        let message = format!(
            "column {} stands twice in the grain of {}",
            quoted(column),
            quoted(task)
        );
        reading
            .problems
            .push(mark, &origin, message, "name it once");
    }
    for (column, mark) in &grain {
        let spot = Spot::Grain {
            task: task.to_owned(),
            column: (*column).to_owned(),
        };
        reading.spots.entry(spot).or_insert(*mark);
    }
    let customer = text_at(node, "customer").map(|(column, mark)| {
        reading.spots.insert(
            Spot::Customer {
                task: task.to_owned(),
            },
            mark,
        );
        column.to_owned()
    });
    let location = text_at(node, "location").map(|(location, _)| location.to_owned());
    let grain = grain
        .into_iter()
        .map(|(column, _)| column.to_owned())
        .collect();
    Some(Output {
        location,
        grain,
        customer,
        masked: masks::read(task, node, reading),
    })
}

fn read_live(task: &str, node: &Node, reading: &mut Reading<'_, '_>) -> Option<String> {
    let live = text_at(node, "live")?;
    let versions = reading.names.versions(task);
    if !versions.contains(&live.0) {
        report_unknown(
            ["version", &format!("versions of {}", quoted(task))],
            live,
            &versions,
            &Origin::Task(task.to_owned()),
            reading.problems,
        );
    }
    Some(live.0.to_owned())
}
