//! Versions: how tasks compute.

use std::collections::BTreeMap;

use super::names::{text_at, texts_at, unique};
use super::{Reading, fix_of, surroundings};
use crate::spec::location::Location;
use crate::spec::model::{
    CommandInputs, Limits, Merge, MergeHow, Missing, Param, Version, VersionKind,
};
use crate::spec::places::Spot;
use crate::spec::problems::{Origin, quoted};
use crate::spec::scalar;
use crate::spec::yaml::{Key, Mark, Node};

/// How files of scripts end, by which one is recognised among a command's arguments.
const SCRIPT_ENDINGS: [&str; 8] = [".py", ".sh", ".R", ".rb", ".pl", ".js", ".jl", ".jar"];

/// The bound value that every query sees, and that no parameter may hide.
const RUN_DATE: &str = "run_date";

/// Reads the versions of a task; those that cannot be read have been told.
pub(crate) fn read(
    task: &str,
    node: &Node,
    reading: &mut Reading<'_, '_>,
) -> BTreeMap<String, Version> {
    let versions = node.get("versions").map(unique).unwrap_or_default();
    let versions = versions
        .into_iter()
        .filter_map(|(key, node)| read_version(task, key, node, reading));
    versions
        .map(|version| (version.name.clone(), version))
        .collect()
}

fn read_version(
    task: &str,
    key: &Key,
    node: &Node,
    reading: &mut Reading<'_, '_>,
) -> Option<Version> {
    let (task, name) = (task.to_owned(), key.text.clone());
    let origin = Origin::Version(task.clone(), name.clone());
    reading.spots.insert(
        Spot::Version {
            task,
            version: name.clone(),
        },
        key.mark,
    );
    let params = read_params(&origin, node, reading);
    let surroundings = surroundings::read(&origin, node, reading);
    let kind = read_kind(&origin, node, reading)?;
    Some(Version {
        name,
        kind,
        params,
        limits: read_limits(node),
        surroundings,
    })
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
    if let Some(external) = node.get("external") {
        return read_external(origin, external, reading);
    }
    if let Some(merge) = node.get("merge") {
        return read_merge(origin, merge, reading);
    }
    if let Some((name, _)) = text_at(node, "rust") {
        return Some(VersionKind::Rust(name.to_owned()));
    }
    let argv = arguments(node.get("command")?);
    surroundings::refuse_secrets("a command's arguments", &argv, origin, reading);
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

fn read_external(
    origin: &Origin,
    node: &Node,
    reading: &mut Reading<'_, '_>,
) -> Option<VersionKind> {
    let (text, mark) = text_at(node, "location")?;
    match Location::parse(text) {
        Ok(location) => Some(VersionKind::External { location }),
        Err(error) => {
            let problems = &mut reading.problems;
            problems.push(mark, origin, error.to_string(), fix_of(&error));
            None
        }
    }
}

fn read_merge(origin: &Origin, node: &Node, reading: &mut Reading<'_, '_>) -> Option<VersionKind> {
    let how = match text_at(node, "how")?.0 {
        "union" => MergeHow::Union,
        "join" => MergeHow::Join,
        _ => return None,
    };
    let missing = match text_at(node, "missing")?.0 {
        "keep" => Missing::Keep,
        "drop" => Missing::Drop,
        "fail" => Missing::Fail,
        _ => return None,
    };
    if let Origin::Version(task, _) = origin
        && reading.names.input_count(task) < 2
    {
        let message = format!(
            "a merge of {} puts nothing together: it has fewer than two inputs",
            quoted(task)
        );
        let fix = "add the tasks whose outputs it merges to `inputs`";
        reading.problems.push(node.mark, origin, message, fix);
    }
    Some(VersionKind::Merge(Merge { how, missing }))
}

pub(super) fn arguments(node: &Node) -> Vec<(&str, Mark)> {
    node.items()
        .iter()
        .filter_map(|item| scalar::verbatim(item.scalar()?).map(|text| (text, item.mark)))
        .collect()
}

/// The files that a command cannot do without: a program that is named by its path, and the script that directly
/// follows an interpreter. Other arguments may name files that are yet to be written, or no files at all.
pub(super) fn named_files<'a>(argv: &[(&'a str, Mark)]) -> Vec<(&'a str, Mark)> {
    let program = argv.first().filter(|(program, _)| program.contains('/'));
    let script = argv.get(1).filter(|(script, _)| {
        !script.starts_with('-') && SCRIPT_ENDINGS.iter().any(|ending| script.ends_with(ending))
    });
    program.into_iter().chain(script).copied().collect()
}

pub(super) fn check_file(
    noun: &str,
    file: &str,
    mark: Mark,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) {
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

fn read_params(
    origin: &Origin,
    node: &Node,
    reading: &mut Reading<'_, '_>,
) -> BTreeMap<String, Param> {
    let params = node.get("params").map(unique).unwrap_or_default();
    for (key, _) in params.iter().filter(|(key, _)| key.text == RUN_DATE) {
        let message = format!("the parameter `{RUN_DATE}` hides the run's own date");
        reading
            .problems
            .push(key.mark, origin, message, "give it another name");
    }
    let texts: Vec<_> = params
        .iter()
        .filter_map(|(_, node)| Some((node.scalar()?.text.as_str(), node.mark)))
        .collect();
    surroundings::refuse_secrets("parameters", &texts, origin, reading);
    let param = |node: &Node| scalar::param(node.scalar()?);
    params
        .into_iter()
        .filter_map(|(key, node)| Some((key.text.clone(), param(node)?)))
        .collect()
}

pub(super) fn read_limits(node: &Node) -> Limits {
    let under = |key: &str| node.get("limits")?.get(key)?.scalar();
    let count = |key: &str| {
        under(key)
            .and_then(scalar::count)
            .and_then(|count| u32::try_from(count).ok())
    };
    Limits {
        wall_secs: under("wall").and_then(scalar::duration_secs),
        memory_bytes: under("memory").and_then(scalar::memory_bytes),
        disk_bytes: under("disk").and_then(scalar::memory_bytes),
        files: count("files"),
        processes: count("processes"),
    }
}
