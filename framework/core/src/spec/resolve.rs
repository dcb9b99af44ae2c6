//! From a tree to the pipeline: every name is looked up, and what does not go together is said.
//!
//! The readers here are silent about what [`structure`](super::structure) has already told.

mod changes;
mod checks;
mod flags;
mod graph;
mod inputs;
mod locations;
mod masks;
mod names;
mod notify;
mod reports;
mod rules;
mod shadows;
mod slices;
mod surroundings;
mod tasks;
mod versions;

use std::collections::BTreeMap;

use super::FileCheck;
use super::location::{Location, LocationError};
use super::model::{Change, Dataset, FlagSettings, LiveEdits, Sandbox, Slice, Spec, Task};
use super::nearest::hint;
use super::places::Spot;
use super::problems::{Origin, Problems, Uses, quoted};
use super::scalar;
use super::yaml::{BEGINNING, Key, Mark, Node};
use graph::Graph;
use names::Names;
pub(crate) use names::{text_at, texts_at, unique};
pub(crate) use rules::read_rules_alone;

/// Where the store is unless the file says otherwise.
const DEFAULT_STORE: &str = "./store";

/// What to write where a placeholder is wrong.
const PLACEHOLDERS: &str = "the placeholders are {date}, {date-1d} and the like (a number of days before or after), and {slice}";

/// What to do about a location that cannot be read.
fn fix_of(error: &LocationError) -> &'static str {
    match error {
        LocationError::Credentials => {
            "take it out, and set the store's own variables in the environment; docs/object-stores.md lists them"
        }
        _ => PLACEHOLDERS,
    }
}

/// What the readers share.
pub(crate) struct Reading<'a, 's> {
    pub(crate) names: Names<'a>,
    pub(crate) files: &'a dyn FileCheck,
    pub(crate) problems: &'a mut Problems<'s>,
    pub(crate) spots: BTreeMap<Spot, Mark>,
}

/// What came of a tree: the pipeline as far as it could be read, changes and versions with problems included.
pub(crate) struct Resolved {
    pub(crate) spec: Option<Spec>,
    pub(crate) uses: Uses,
    pub(crate) spots: BTreeMap<Spot, Mark>,
}

/// Looks up every name of a tree.
pub(crate) fn resolve(root: &Node, files: &dyn FileCheck, problems: &mut Problems<'_>) -> Resolved {
    let names = Names::of(root);
    let uses = uses(&names);
    let graph = Graph::of(&names);
    let mut reading = Reading {
        names,
        files,
        problems,
        spots: BTreeMap::new(),
    };
    let datasets = read_datasets(&mut reading);
    let slices = slices::read(root, &mut reading);
    let tasks = read_tasks(&graph, &mut reading);
    let changes = changes::read(&graph, &mut reading);
    locations::check(root, &mut reading);
    let flags = flags::read(root, &mut reading);
    let spec = assemble(root, datasets, tasks, slices, changes, flags);
    if let Some(spec) = &spec {
        masks::check_customers(spec, &mut reading);
    }
    Resolved {
        spec,
        uses,
        spots: reading.spots,
    }
}

fn assemble(
    root: &Node,
    datasets: Vec<Dataset>,
    tasks: Vec<Task>,
    slices: BTreeMap<String, Slice>,
    changes: Vec<Change>,
    flags: FlagSettings,
) -> Option<Spec> {
    let text = |key: &str| text_at(root, key).map(|(text, _)| text.to_owned());
    Some(Spec {
        pipeline: text("pipeline")?,
        store: text("store").unwrap_or_else(|| DEFAULT_STORE.to_owned()),
        owner: text("owner"),
        runbook: text("runbook"),
        datasets: datasets
            .into_iter()
            .map(|dataset| (dataset.name.clone(), dataset))
            .collect(),
        tasks,
        slices,
        changes: changes
            .into_iter()
            .map(|change| (change.name.clone(), change))
            .collect(),
        suspended: BTreeMap::new(),
        flags,
        sandbox: match text_at(root, "sandbox") {
            Some(("required", _)) => Sandbox::Required,
            _ => Sandbox::BestEffort,
        },
        live_edits: match text_at(root, "live_edits") {
            Some(("refuse", _)) => LiveEdits::Refuse,
            _ => LiveEdits::Alert,
        },
        notify: notify::read(root),
        csv: reports::csv(root),
    })
}

fn uses(names: &Names<'_>) -> Uses {
    let mut uses = Uses::default();
    for (key, node) in names.tasks() {
        if let Some((live, _)) = text_at(node, "live") {
            uses.live.insert(key.text.clone(), live.to_owned());
        }
    }
    for (change, node) in names.changes() {
        for (task, version) in node.get("new").map(unique).unwrap_or_default() {
            let Some(version) = version.scalar().and_then(scalar::text) else {
                continue;
            };
            uses.new
                .entry((task.text.clone(), version.to_owned()))
                .or_insert_with(|| change.text.clone());
        }
    }
    uses
}

fn read_datasets(reading: &mut Reading<'_, '_>) -> Vec<Dataset> {
    let entries = reading.names.datasets();
    entries
        .into_iter()
        .filter_map(|(key, node)| read_dataset(key, node, reading))
        .collect()
}

fn read_dataset(key: &Key, node: &Node, reading: &mut Reading<'_, '_>) -> Option<Dataset> {
    let mut types = BTreeMap::new();
    for (column, kind) in node.get("types").map(unique).unwrap_or_default() {
        let spot = Spot::ColumnType {
            dataset: key.text.clone(),
            column: column.text.clone(),
        };
        reading.spots.insert(spot, column.mark);
        types.extend(
            kind.scalar()
                .and_then(scalar::column_type)
                .map(|kind| (column.text.clone(), kind)),
        );
    }
    let masked = masks::read(&key.text, node, reading);
    let (text, mark) = text_at(node, "location")?;
    reading.spots.insert(Spot::Dataset(key.text.clone()), mark);
    match Location::parse(text) {
        Ok(location) => Some(Dataset {
            name: key.text.clone(),
            location,
            types,
            window_days: inputs::days_at(node, "window")
                .map_or(1, |(days, _)| inputs::to_count(days)),
            customer: text_at(node, "customer").map(|(column, _)| column.to_owned()),
            masked,
        }),
        Err(error) => {
            let fix = fix_of(&error);
            reading
                .problems
                .push(mark, &Origin::Pipeline, error.to_string(), fix);
            None
        }
    }
}

/// The tasks, each after those that it reads.
fn read_tasks(graph: &Graph, reading: &mut Reading<'_, '_>) -> Vec<Task> {
    let entries = reading.names.tasks();
    check_names_differ(&entries, reading);
    for cycle in graph.cycles() {
        report_cycle(&cycle, reading);
    }
    let mut tasks: Vec<Option<Task>> = entries
        .iter()
        .map(|(key, node)| tasks::read(key, node, reading))
        .collect();
    graph
        .order()
        .into_iter()
        .filter_map(|position| tasks.get_mut(position).and_then(Option::take))
        .collect()
}

fn check_names_differ(tasks: &[(&Key, &Node)], reading: &mut Reading<'_, '_>) {
    for (key, _) in tasks {
        if let Some(dataset) = reading.names.dataset(&key.text) {
            let message = format!("{} names a task and a dataset", quoted(&key.text));
            let fix = format!(
                "rename one of them; the dataset is in line {}",
                dataset.mark.line
            );
            reading
                .problems
                .push(key.mark, &Origin::Task(key.text.clone()), message, fix);
        }
    }
}

/// A cycle is told at the input that closes it: where its first task reads its last.
fn report_cycle(cycle: &[usize], reading: &mut Reading<'_, '_>) {
    let entries = reading.names.tasks();
    let names: Vec<&str> = cycle
        .iter()
        .map(|position| entries[*position].0.text.as_str())
        .collect();
    let [way @ .., first] = names.as_slice() else {
        return;
    };
    let Some(last) = way.last() else { return };
    let closing = reading
        .names
        .inputs(first)
        .into_iter()
        .find(|(input, _)| input == last);
    let mark = closing.map_or(BEGINNING, |(_, mark)| mark);
    let message = format!(
        "the tasks read each other in a circle: `{}`",
        names.join(" -> ")
    );
    let fix = format!(
        "a task needs its inputs first: take one out, such as {} out of the inputs of {}",
        quoted(last),
        quoted(first)
    );
    reading
        .problems
        .push(mark, &Origin::Task((*first).to_owned()), message, fix);
}

/// A problem with a name that stands for nothing, such as an unknown `version` of some `versions of x`.
fn report_unknown(
    noun: [&str; 2],
    name: (&str, Mark),
    known: &[&str],
    origin: &Origin,
    problems: &mut Problems<'_>,
) {
    let message = format!("unknown {} {}", noun[0], quoted(name.0));
    problems.push(name.1, origin, message, hint(name.0, known, noun[1]));
}
