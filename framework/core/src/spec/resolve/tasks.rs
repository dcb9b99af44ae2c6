//! Tasks: what they read and what they make.

use super::names::{repeated, text_at, texts_at};
use super::{Reading, report_unknown, versions};
use crate::spec::model::{Input, Output, Task};
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, quoted};
use crate::spec::yaml::{Key, Node};

/// Reads a task; `None` where something of it is missing, which has been said.
pub(crate) fn read(key: &Key, node: &Node, reading: &mut Reading<'_, '_>) -> Option<Task> {
    let name = &key.text;
    reading.spots.insert(Spot::Task(name.clone()), key.mark);
    let inputs = read_inputs(name, node, reading);
    let output = read_output(name, node, reading);
    let live = read_live(name, node, reading);
    let versions = versions::read(name, node, reading);
    Some(Task {
        name: name.clone(),
        inputs,
        output: output?,
        live: live?,
        versions,
    })
}

fn read_inputs(task: &str, node: &Node, reading: &mut Reading<'_, '_>) -> Vec<Input> {
    let origin = Origin::Task(task.to_owned());
    let texts = texts_at(node, "inputs");
    for (input, mark) in repeated(&texts) {
        let message = format!(
            "{} is named twice among the inputs of {}",
            quoted(input),
            quoted(task)
        );
        reading
            .problems
            .push(mark, &origin, message, "name it once");
    }
    let mut inputs = Vec::new();
    for (input, mark) in texts {
        if reading.names.task(input).is_some() {
            inputs.push(Input::Task(input.to_owned()));
        } else if reading.names.dataset(input).is_some() {
            inputs.push(Input::Dataset(input.to_owned()));
        } else {
            report_unknown(
                ["input", "datasets and tasks"],
                (input, mark),
                &reading.names.table_names(),
                &origin,
                reading.problems,
            );
        }
    }
    inputs
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
    let (location, _) = text_at(node, "location")?;
    let grain = grain
        .into_iter()
        .map(|(column, _)| column.to_owned())
        .collect();
    Some(Output {
        location: location.to_owned(),
        grain,
        customer,
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
