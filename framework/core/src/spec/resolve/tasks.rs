//! Tasks and their versions.

use std::collections::BTreeMap;

use super::names::{repeated, text_at, texts_at, unique};
use super::{Reading, report_unknown};
use crate::spec::model::{CommandInputs, Input, Limits, Output, Task, Version, VersionKind};
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, quoted};
use crate::spec::scalar;
use crate::spec::yaml::{Key, Mark, Node};

/// How files of scripts end, by which one is recognised among a command's arguments.
const SCRIPT_ENDINGS: [&str; 8] = [".py", ".sh", ".R", ".rb", ".pl", ".js", ".jl", ".jar"];

/// Reads a task; `None` where something of it is missing, which has been said.
pub(crate) fn read(key: &Key, node: &Node, reading: &mut Reading<'_, '_>) -> Option<Task> {
    let name = &key.text;
    reading.spots.insert(Spot::Task(name.clone()), key.mark);
    let inputs = read_inputs(name, node, reading);
    let output = read_output(name, node, reading);
    let live = read_live(name, node, reading);
    let versions = read_versions(name, node, reading);
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

fn read_versions(
    task: &str,
    node: &Node,
    reading: &mut Reading<'_, '_>,
) -> BTreeMap<String, Version> {
    let versions = node.get("versions").map(unique).unwrap_or_default();
    let versions = versions.into_iter().filter_map(|(key, node)| {
        reading.spots.insert(
            Spot::Version {
                task: task.to_owned(),
                version: key.text.clone(),
            },
            key.mark,
        );
        let kind = read_kind(
            &Origin::Version(task.to_owned(), key.text.clone()),
            node,
            reading,
        )?;
        let version = Version {
            name: key.text.clone(),
            kind,
            params: read_params(node),
            limits: read_limits(node),
        };
        Some((key.text.clone(), version))
    });
    versions.collect::<BTreeMap<String, Version>>()
}

fn read_kind(origin: &Origin, node: &Node, reading: &mut Reading<'_, '_>) -> Option<VersionKind> {
    if let Some((file, mark)) = text_at(node, "sql") {
        check_file("the SQL file", file, mark, origin, reading);
        let threads = node
            .get("threads")
            .and_then(Node::scalar)
            .and_then(scalar::count);
        return Some(VersionKind::Sql {
            file: file.to_owned(),
            threads: threads.and_then(|count| u32::try_from(count).ok()),
        });
    }
    let argv = arguments(node.get("command")?);
    for (file, mark) in named_files(&argv) {
        check_file("the command's file", file, mark, origin, reading);
    }
    let code = texts_at(node, "code")
        .into_iter()
        .map(|(glob, _)| glob.to_owned())
        .collect();
    let argv = argv
        .into_iter()
        .map(|(argument, _)| argument.to_owned())
        .collect();
    Some(VersionKind::Command {
        argv,
        code,
        inputs: command_inputs(node),
    })
}

fn arguments(node: &Node) -> Vec<(&str, Mark)> {
    node.items()
        .iter()
        .filter_map(|item| scalar::verbatim(item.scalar()?).map(|text| (text, item.mark)))
        .collect()
}

/// The files that a command cannot do without: a program that is named by its path, and the script that directly
/// follows an interpreter. Other arguments may name files that are yet to be written, or no files at all.
fn named_files<'a>(argv: &[(&'a str, Mark)]) -> Vec<(&'a str, Mark)> {
    let program = argv.first().filter(|(program, _)| program.contains('/'));
    let script = argv.get(1).filter(|(script, _)| {
        !script.starts_with('-') && SCRIPT_ENDINGS.iter().any(|ending| script.ends_with(ending))
    });
    program.into_iter().chain(script).copied().collect()
}

fn check_file(noun: &str, file: &str, mark: Mark, origin: &Origin, reading: &mut Reading<'_, '_>) {
    if !reading.files.exists(file) {
        let fix = "write its path from the pipeline file's folder, or put the file there";
        reading.problems.push(
            mark,
            origin,
            format!("{noun} {} is not there", quoted(file)),
            fix,
        );
    }
}

fn command_inputs(node: &Node) -> CommandInputs {
    match text_at(node, "inputs") {
        Some(("csv", _)) => CommandInputs::Csv,
        Some(("urls", _)) => CommandInputs::Urls,
        _ => CommandInputs::Parquet,
    }
}

fn read_params(node: &Node) -> BTreeMap<String, crate::spec::model::Param> {
    let params = node.get("params").map(unique).unwrap_or_default();
    let params = params
        .into_iter()
        .filter_map(|(key, node)| Some((key.text.clone(), scalar::param(node.scalar()?)?)));
    params.collect()
}

fn read_limits(node: &Node) -> Limits {
    let under = |key: &str| node.get("limits")?.get(key)?.scalar();
    Limits {
        wall_secs: under("wall").and_then(scalar::duration_secs),
        memory_bytes: under("memory").and_then(scalar::memory_bytes),
    }
}
