//! Which columns are masked where.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::model::{InputSource, Spec};

/// Names of columns that are masked. `Email` and `email` are one name here: a version may spell a column otherwise than
/// the dataset does.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MaskedColumns(BTreeSet<String>);

impl MaskedColumns {
    /// These columns.
    pub fn new<'a>(columns: impl IntoIterator<Item = &'a String>) -> Self {
        Self(columns.into_iter().map(|name| folded(name)).collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a column of that name is masked.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&folded(column))
    }
}

/// Whether a column that is there is the one that a mask names.
pub(crate) fn is_name_of(there: &str, named: &str) -> bool {
    folded(there) == folded(named)
}

fn folded(name: &str) -> String {
    name.to_lowercase()
}

impl Spec {
    /// Whether anything is masked at all.
    #[must_use]
    pub fn masks_anything(&self) -> bool {
        let datasets = self.datasets.values().map(|dataset| &dataset.masked);
        let outputs = self.tasks.iter().map(|task| &task.output.masked);
        datasets.chain(outputs).any(|masked| !masked.is_empty())
    }

    /// The columns that are masked anywhere.
    #[must_use]
    pub fn all_masked(&self) -> MaskedColumns {
        let datasets = self.datasets.values().flat_map(|dataset| &dataset.masked);
        let outputs = self.tasks.iter().flat_map(|task| &task.output.masked);
        MaskedColumns::new(datasets.chain(outputs))
    }

    /// The columns that are masked in everything that concerns a task: those of its output, and those of all that its
    /// output is made from, however far up. What programs make of their inputs cannot be traced, so names decide.
    #[must_use]
    pub fn masked(&self, task: &str) -> MaskedColumns {
        let mut columns: BTreeSet<String> = BTreeSet::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![task];
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            if let Some(dataset) = self.datasets.get(name) {
                columns.extend(dataset.masked.iter().map(|column| folded(column)));
            }
            if let Some(task) = self.task(name) {
                columns.extend(task.output.masked.iter().map(|column| folded(column)));
                open.extend(task.inputs.iter().flat_map(|input| read_by(&input.source)));
            }
        }
        MaskedColumns(columns)
    }
}

/// The names of what an input may come from.
fn read_by(source: &InputSource) -> Vec<&str> {
    match source {
        InputSource::Task(task) => vec![task],
        InputSource::Stored(stored) => {
            let otherwise = stored.otherwise.as_deref();
            std::iter::once(stored.name()).chain(otherwise).collect()
        }
    }
}
