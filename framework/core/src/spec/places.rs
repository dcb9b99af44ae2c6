//! Where in the file things stand, for problems that are found once data has been seen.

use std::collections::BTreeMap;

use super::problem::{Problem, Scope};
use super::problems::{Uses, line_at, printable};
use super::yaml::Mark;

/// Something in a pipeline file that has a place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Spot {
    /// A dataset's location.
    Dataset(String),
    /// The type that a dataset gives a column.
    ColumnType {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// A column of a dataset, or of a task's output, that is masked.
    Mask {
        /// The dataset or task.
        table: String,
        /// The column.
        column: String,
    },
    /// A task.
    Task(String),
    /// A column of a task's grain.
    Grain {
        /// The task.
        task: String,
        /// The column.
        column: String,
    },
    /// A task's customer column.
    Customer {
        /// The task.
        task: String,
    },
    /// A version.
    Version {
        /// The task.
        task: String,
        /// The version.
        version: String,
    },
    /// A change.
    Change(String),
    /// A column of a rule.
    RuleColumn {
        /// The change.
        change: String,
        /// The task that the rule is for.
        task: String,
        /// The rule's position, from zero.
        rule: usize,
        /// The column.
        column: String,
    },
    /// A check.
    Check {
        /// The change.
        change: String,
        /// The task that it is for.
        task: String,
        /// Its position, from zero.
        check: usize,
    },
    /// A column that a check names.
    CheckColumn {
        /// The change.
        change: String,
        /// The task that it is for.
        task: String,
        /// Its position, from zero.
        check: usize,
        /// The column.
        column: String,
    },
    /// The tolerance of a rule.
    Within {
        /// The change.
        change: String,
        /// The task that the rule is for.
        task: String,
        /// The rule's position, from zero.
        rule: usize,
    },
}

/// Where the parts of one file stand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    file: String,
    places: BTreeMap<Spot, Place>,
    uses: Uses,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    line: usize,
    column: usize,
    text: String,
}

impl Places {
    pub(crate) fn new(file: &str, source: &str, marks: BTreeMap<Spot, Mark>, uses: Uses) -> Self {
        let place = |mark: Mark| Place {
            line: mark.line,
            column: mark.column,
            text: line_at(source, mark),
        };
        let places = marks
            .into_iter()
            .map(|(spot, mark)| (spot, place(mark)))
            .collect();
        Self {
            file: file.to_owned(),
            places,
            uses,
        }
    }

    /// A problem at a spot; at the file's beginning where the file has no such spot.
    #[must_use]
    pub fn problem(&self, spot: &Spot, scope: Scope, message: &str, fix: &str) -> Problem {
        let place = self.places.get(spot).cloned().unwrap_or(Place {
            line: 1,
            column: 1,
            text: String::new(),
        });
        Problem {
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            text: place.text,
            message: printable(message),
            fix: printable(fix),
            scope,
        }
    }

    /// What a problem with a version stops: everything if it is live, else the change that brings it.
    #[must_use]
    pub fn scope_of_version(&self, task: &str, version: &str) -> Scope {
        self.uses.scope_of_version(task, version)
    }
}
