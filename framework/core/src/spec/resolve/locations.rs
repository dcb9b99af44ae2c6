//! Outputs must not lie on or in each other, the store, or what is read.

use std::collections::BTreeMap;

use super::names::text_at;
use super::{DEFAULT_STORE, Reading, fix_of};
use crate::spec::location::{LocationError, credentials};
use crate::spec::problems::{Origin, quoted};
use crate::spec::yaml::{BEGINNING, Mark, Node};

/// A location taken apart: where it begins (a scheme with its host, `/`, or nothing), then its folders.
type Folders = Vec<String>;

/// One output's place.
struct Placed<'a> {
    task: &'a str,
    text: &'a str,
    mark: Mark,
    folders: Folders,
}

/// Checks each output's location against everything else.
pub(crate) fn check(root: &Node, reading: &mut Reading<'_, '_>) {
    let outputs: Vec<Placed<'_>> = reading
        .names
        .tasks()
        .into_iter()
        .filter_map(|(key, node)| placed(&key.text, node))
        .collect();
    let (store, mark) = text_at(root, "store").unwrap_or((DEFAULT_STORE, BEGINNING));
    check_credentials(store, mark, &Origin::Pipeline, reading);
    let store = folders(store);
    for output in &outputs {
        let origin = Origin::Task(output.task.to_owned());
        check_credentials(output.text, output.mark, &origin, reading);
        check_placeholder(output, reading);
        check_store(output, &store, reading);
    }
    check_apart(&outputs, reading);
    check_kinds(&outputs, reading);
    check_datasets(&outputs, reading);
}

fn placed<'a>(task: &'a str, node: &'a Node) -> Option<Placed<'a>> {
    let (text, mark) = text_at(node.get("output")?, "location")?;
    Some(Placed {
        task,
        text,
        mark,
        folders: folders(text),
    })
}

impl Placed<'_> {
    fn report(&self, message: String, fix: impl Into<String>, reading: &mut Reading<'_, '_>) {
        reading
            .problems
            .push(self.mark, &Origin::Task(self.task.to_owned()), message, fix);
    }
}

/// Outputs and the store are no dated locations, and may not hold secrets either.
fn check_credentials(text: &str, mark: Mark, origin: &Origin, reading: &mut Reading<'_, '_>) {
    if credentials(text).is_some() {
        let error = LocationError::Credentials;
        let fix = fix_of(&error);
        reading.problems.push(mark, origin, error.to_string(), fix);
    }
}

fn check_placeholder(output: &Placed<'_>, reading: &mut Reading<'_, '_>) {
    if output.text.contains(['{', '}']) {
        let message = format!(
            "the location of an output has a placeholder: {}",
            quoted(output.text)
        );
        output.report(
            message,
            "leave it out: each run is published as `<location>/date=<date>/`",
            reading,
        );
    }
}

fn check_store(output: &Placed<'_>, store: &Folders, reading: &mut Reading<'_, '_>) {
    if output.folders.starts_with(store) {
        let message = format!("the output of {} lies in the store", quoted(output.task));
        output.report(
            message,
            "the store holds what nobody should read; publish somewhere else",
            reading,
        );
    } else if store.starts_with(&output.folders) {
        let message = format!("the store lies in the output of {}", quoted(output.task));
        output.report(message, "publish to a folder of its own", reading);
    }
}

fn check_apart(outputs: &[Placed<'_>], reading: &mut Reading<'_, '_>) {
    let mut first: BTreeMap<&[String], &str> = BTreeMap::new();
    for output in outputs {
        if let Some(other) = first.get(output.folders.as_slice()) {
            let message = format!(
                "{} and {} have the same output location",
                quoted(other),
                quoted(output.task)
            );
            output.report(message, "give each its own folder", reading);
        } else {
            first.insert(&output.folders, output.task);
        }
    }
    for output in outputs {
        let above =
            (0..output.folders.len()).find_map(|length| first.get(&output.folders[..length]));
        if let Some(other) = above {
            let message = format!(
                "the output of {} lies in the output of {}",
                quoted(output.task),
                quoted(other)
            );
            output.report(message, "put them beside each other", reading);
        }
    }
}

/// All outputs of a run are published in one step, and there is none over a disk and an object store together.
fn check_kinds(outputs: &[Placed<'_>], reading: &mut Reading<'_, '_>) {
    let is_remote = |output: &&Placed<'_>| output.text.contains("://");
    let (Some(remote), Some(local)) = (
        outputs.iter().find(is_remote),
        outputs.iter().find(|output| !is_remote(output)),
    ) else {
        return;
    };
    let message = format!(
        "the output of {} is published in an object store, and that of {} on a disk",
        quoted(remote.task),
        quoted(local.task)
    );
    let fix =
        "publish all of them in the same kind of place: a run publishes all its outputs or none";
    remote.report(message, fix, reading);
}

/// A dataset that is, holds or is held by an output would be read while it is written. The output of an earlier
/// date (`live/x/date={date-1d}/`) is none of that.
fn check_datasets(outputs: &[Placed<'_>], reading: &mut Reading<'_, '_>) {
    let datasets: Vec<_> = reading
        .names
        .datasets()
        .into_iter()
        .filter_map(|(key, node)| Some((&key.text, text_at(node, "location")?.0)))
        .collect();
    let by_folders: BTreeMap<Folders, &String> = datasets
        .iter()
        .map(|(name, text)| (folders(&same_day(text)), *name))
        .collect();
    for output in outputs {
        let date = [output.folders.clone(), vec!["date={date}".to_owned()]].concat();
        let read = by_folders
            .get(&output.folders)
            .or_else(|| by_folders.get(&date));
        let above =
            (1..output.folders.len()).find_map(|length| by_folders.get(&output.folders[..length]));
        let (relation, dataset) = match (read, above) {
            (Some(dataset), _) => ("is also", dataset),
            (None, Some(dataset)) => ("lies in", dataset),
            (None, None) => continue,
        };
        let message = format!(
            "the output of {} {relation} the dataset {}",
            quoted(output.task),
            quoted(dataset)
        );
        let fix = format!(
            "publish somewhere else; to read what the task makes, put {} among the inputs",
            quoted(output.task)
        );
        output.report(message, fix, reading);
    }
}

/// A dataset's location without the file in a date's folder.
fn same_day(text: &str) -> String {
    match text.split_once("date={date}/") {
        Some((before, _)) => format!("{before}date={{date}}"),
        None => text.to_owned(),
    }
}

fn folders(location: &str) -> Folders {
    let (root, path) = match location.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            (format!("{scheme}://{host}"), path)
        }
        None if location.starts_with('/') => ("/".to_owned(), location),
        None => (String::new(), location),
    };
    let mut folders = vec![root];
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." && folders.len() > 1 && folders.last().is_some_and(|last| last != "..") {
            folders.pop();
        } else {
            folders.push(part.to_owned());
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::folders;

    #[test]
    fn one_place_has_one_form() {
        for same in ["live/x", "./live/x/", "live//x", "live/y/../x"] {
            assert_eq!(folders(same), folders("live/x"), "{same}");
        }
        for other in ["/live/x", "../live/x", "s3://live/x", "live/xy"] {
            assert_ne!(folders(other), folders("live/x"), "{other}");
        }
        assert_eq!(folders("../../a"), ["", "..", "..", "a"]);
    }
}
