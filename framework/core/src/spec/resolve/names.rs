//! The names that a pipeline file gives, and the nodes that they stand for.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::scalar;
use crate::spec::yaml::{Key, Mark, Node};

/// Datasets, tasks and changes by name. Of a name that stands twice, the first counts.
pub(crate) struct Names<'a> {
    datasets: Vec<(&'a Key, &'a Node)>,
    tasks: Vec<(&'a Key, &'a Node)>,
    changes: Vec<(&'a Key, &'a Node)>,
    dataset_positions: BTreeMap<&'a str, usize>,
    task_positions: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// Those of a whole file.
    pub(crate) fn of(root: &'a Node) -> Self {
        let under = |key: &str| root.get(key).map(unique).unwrap_or_default();
        let (datasets, tasks, changes) = (under("datasets"), under("tasks"), under("changes"));
        Self {
            dataset_positions: positions(&datasets),
            task_positions: positions(&tasks),
            datasets,
            tasks,
            changes,
        }
    }

    /// The datasets, in the file's order.
    pub(crate) fn datasets(&self) -> Vec<(&'a Key, &'a Node)> {
        self.datasets.clone()
    }

    /// The tasks, in the file's order.
    pub(crate) fn tasks(&self) -> Vec<(&'a Key, &'a Node)> {
        self.tasks.clone()
    }

    /// The changes, in the file's order.
    pub(crate) fn changes(&self) -> Vec<(&'a Key, &'a Node)> {
        self.changes.clone()
    }

    /// The dataset of that name.
    pub(crate) fn dataset(&self, name: &str) -> Option<&'a Key> {
        self.dataset_positions
            .get(name)
            .map(|position| self.datasets[*position].0)
    }

    /// What the file says of a dataset.
    pub(crate) fn dataset_node(&self, name: &str) -> Option<&'a Node> {
        self.dataset_positions
            .get(name)
            .map(|position| self.datasets[*position].1)
    }

    /// The names of all datasets.
    pub(crate) fn dataset_names(&self) -> Vec<&'a str> {
        let names = self.datasets.iter().map(|(key, _)| key.text.as_str());
        names.collect()
    }

    /// The task of that name.
    pub(crate) fn task(&self, name: &str) -> Option<&'a Node> {
        self.task_position(name)
            .map(|position| self.tasks[position].1)
    }

    /// Where a task stands in [`Self::tasks`].
    pub(crate) fn task_position(&self, name: &str) -> Option<usize> {
        self.task_positions.get(name).copied()
    }

    /// The names of all tasks.
    pub(crate) fn task_names(&self) -> Vec<&'a str> {
        self.tasks
            .iter()
            .map(|(key, _)| key.text.as_str())
            .collect()
    }

    /// The names of all datasets and tasks.
    pub(crate) fn table_names(&self) -> Vec<&'a str> {
        self.datasets
            .iter()
            .chain(&self.tasks)
            .map(|(key, _)| key.text.as_str())
            .collect()
    }

    /// The names of a task's versions, readable or not.
    pub(crate) fn versions(&self, task: &str) -> Vec<&'a str> {
        let versions = self
            .task(task)
            .and_then(|node| node.get("versions"))
            .map(unique)
            .unwrap_or_default();
        versions
            .into_iter()
            .map(|(key, _)| key.text.as_str())
            .collect()
    }

    /// How many inputs a task names.
    pub(crate) fn input_count(&self, task: &str) -> usize {
        let inputs = self.task(task).and_then(|node| node.get("inputs"));
        inputs.map_or(0, |inputs| inputs.items().len())
    }

    /// The tasks and datasets whose data of the same run a task says that it reads.
    pub(crate) fn inputs(&self, task: &str) -> Vec<(&'a str, Mark)> {
        let items = self
            .task(task)
            .and_then(|node| node.get("inputs"))
            .map(Node::items)
            .unwrap_or_default();
        items.iter().filter_map(of_this_run).collect()
    }
}

/// The name that an input stands for, unless it speaks of other days.
fn of_this_run(item: &Node) -> Option<(&str, Mark)> {
    if let Some(scalar) = item.scalar() {
        return scalar::text(scalar).map(|text| (text, item.mark));
    }
    let is_past = item.get("date").is_some() || item.get("window").is_some();
    text_at(item, "dataset").filter(|_| !is_past)
}

fn positions<'a>(entries: &[(&'a Key, &'a Node)]) -> BTreeMap<&'a str, usize> {
    entries
        .iter()
        .enumerate()
        .map(|(position, (key, _))| (key.text.as_str(), position))
        .collect()
}

/// The entries of a mapping, the first of each key.
pub(crate) fn unique(node: &Node) -> Vec<(&Key, &Node)> {
    let mut seen = BTreeSet::new();
    let entries = node
        .entries()
        .iter()
        .filter(|(key, _)| seen.insert(key.text.as_str()));
    entries.map(|(key, node)| (key, node)).collect()
}

/// The text under a key.
pub(crate) fn text_at<'a>(node: &'a Node, key: &str) -> Option<(&'a str, Mark)> {
    let node = node.get(key)?;
    scalar::text(node.scalar()?).map(|text| (text, node.mark))
}

/// The texts of the list under a key.
pub(crate) fn texts_at<'a>(node: &'a Node, key: &str) -> Vec<(&'a str, Mark)> {
    let items = node.get(key).map(Node::items).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| scalar::text(item.scalar()?).map(|text| (text, item.mark)))
        .collect()
}

/// The first text of a list that stands in it before.
pub(crate) fn repeated<'a>(texts: &[(&'a str, Mark)]) -> Vec<(&'a str, Mark)> {
    let mut seen = BTreeSet::new();
    texts
        .iter()
        .filter(|(text, _)| !seen.insert(*text))
        .copied()
        .collect()
}
