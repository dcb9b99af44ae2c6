//! The resolved pipeline: every name in it stands for something that is there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::rule::Rule;
use crate::spec::location::Location;
use crate::spec::problem::Problem;

/// A pipeline: datasets, tasks and changes. All relative paths are relative to the pipeline file's folder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// The pipeline's name.
    pub pipeline: String,
    /// Where runs, quarantine and ledger are, as the file says it.
    pub store: String,
    /// Who owns it.
    pub owner: Option<String>,
    /// Where the person on call reads on.
    pub runbook: Option<String>,
    /// The datasets that no task of this pipeline makes, by name.
    pub datasets: BTreeMap<String, Dataset>,
    /// The tasks, each after those whose output it reads.
    pub tasks: Vec<Task>,
    /// The changes that can run, by name.
    pub changes: BTreeMap<String, Change>,
    /// The changes that cannot run, with the problems that stop them, by name.
    pub suspended: BTreeMap<String, Vec<Problem>>,
    /// Where stages of lanes come from.
    pub flags: FlagSettings,
}

impl Spec {
    /// The task of that name.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.name == name)
    }

    /// The change that gives a task a new version, if one does.
    #[must_use]
    pub fn change_of(&self, task: &str) -> Option<&Change> {
        self.changes
            .values()
            .find(|change| change.new.contains_key(task))
    }
}

/// A dataset that is read and never written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Where it is: a file, a folder, a glob or a Hive-partitioned folder.
    pub location: Location,
    /// Types that the file gives, by column; they go before what is inferred of CSV.
    pub types: BTreeMap<String, ColumnType>,
}

/// A type that a pipeline file can give a CSV column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Text, as it stands.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A 64-bit float.
    Float,
    /// An exact decimal of 38 digits with this many after the point.
    Decimal(i8),
    /// `true` or `false`.
    Boolean,
    /// A calendar date.
    Date,
    /// An instant in UTC, to the microsecond.
    Timestamp,
}

/// A task: it computes one dataset from others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Its name, which is also the name of the dataset that it makes.
    pub name: String,
    /// What it reads, in the file's order.
    pub inputs: Vec<Input>,
    /// What it makes.
    pub output: Output,
    /// The version that is live.
    pub live: String,
    /// Its versions, by name.
    pub versions: BTreeMap<String, Version>,
}

/// What a task reads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A dataset that no task of this pipeline makes.
    Dataset(String),
    /// The output of a task of this pipeline, in the same run.
    Task(String),
}

impl Input {
    /// The name that the task knows it by.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Dataset(name) | Self::Task(name) => name,
        }
    }
}

/// What a task makes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Output {
    /// The folder below which it is published, as `date=<date>/data.parquet`. It has no `{date}`.
    pub location: String,
    /// The columns that identify a row; never empty.
    pub grain: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
}

/// One implementation of a task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// How it computes.
    pub kind: VersionKind,
    /// Values that it is given.
    pub params: BTreeMap<String, Param>,
    /// What it may use up.
    pub limits: Limits,
}

/// How a version computes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionKind {
    /// One SQL query.
    Sql {
        /// The file that holds it.
        file: String,
        /// How many partitions it is computed in; 1 makes it reproducible to the last bit.
        threads: Option<u32>,
    },
    /// A program in any language.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
        /// Globs of further files that are part of the version's identity.
        code: Vec<String>,
        /// How it wants its inputs.
        inputs: CommandInputs,
    },
}

/// How a command wants its inputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandInputs {
    /// Each as a folder of Parquet files.
    #[default]
    Parquet,
    /// Each as a folder of CSV files, for programs without a Parquet reader.
    Csv,
    /// As the list of the files' own URLs, in the context.
    Urls,
}

/// A value that a version is given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Param {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
}

/// What one execution of a version may use up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time in seconds.
    pub wall_secs: Option<u64>,
    /// Memory of all its processes together, in bytes.
    pub memory_bytes: Option<u64>,
}

/// A change: the unit of rollout.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// The new version of each changed task.
    pub new: BTreeMap<String, String>,
    /// Unchanged tasks that are run in both worlds and compared as well.
    pub downstream: BTreeSet<String>,
    /// The rules, by task.
    pub expect: BTreeMap<String, Vec<Rule>>,
    /// When it may move.
    pub gate: GatePolicy,
    /// The flag that moves its lanes; by default the change's own name.
    pub flag: String,
}

/// The policy of a change's gate, as far as the file says it; what is not said has the gate's own default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GatePolicy {
    /// How many run dates in a row must be clean.
    pub clean_runs: Option<u32>,
    /// For how long they must have been clean, in seconds.
    pub soak_secs: Option<u64>,
    /// The rows of a lane that the streak must have compared.
    pub min_rows: Option<u64>,
}

/// Where stages of lanes come from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagSettings {
    /// The file `flags.yaml` beside the pipeline file.
    File,
}
