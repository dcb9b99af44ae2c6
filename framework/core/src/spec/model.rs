//! The resolved pipeline: every name in it stands for something that is there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::csv_dialect::CsvDialect;
use crate::customer::Customer;
use crate::rule::Rule;
use crate::run_date::RunDate;
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
    /// The sets of customers that can be run by themselves, by name.
    pub slices: BTreeMap<String, Slice>,
    /// The changes that can run, by name.
    pub changes: BTreeMap<String, Change>,
    /// The changes that cannot run, with the problems that stop them, by name.
    pub suspended: BTreeMap<String, Vec<Problem>>,
    /// Where stages of lanes come from.
    pub flags: FlagSettings,
    /// What becomes of edits of live versions.
    pub live_edits: LiveEdits,
    /// What becomes of a shadow where the machine cannot confine it fully.
    #[serde(default)]
    pub sandbox: Sandbox,
    /// Who is told of runs.
    pub notify: Vec<Notify>,
    /// How the report files of CSV are written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub csv: CsvDialect,
}

fn is_default(csv: &CsvDialect) -> bool {
    *csv == CsvDialect::default()
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
    /// How many days a task reads that does not say it: those that end with the run date.
    pub window_days: u32,
    /// The column that says whose row it is: a run of a slice reads the rows of its customers only.
    pub customer: Option<String>,
    /// The columns whose values nobody sees in clear but who reads the data themselves.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub masked: BTreeSet<String>,
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
    /// Whether it may run as a shadow.
    #[serde(default)]
    pub shadow: ShadowRuns,
    /// Its versions, by name.
    pub versions: BTreeMap<String, Version>,
}

/// What a task reads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The name that the task knows it by.
    pub name: String,
    /// Where it comes from.
    pub source: InputSource,
}

/// Where an input comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputSource {
    /// The output of a task of this pipeline, in the same run.
    Task(String),
    /// Data that are there before the run.
    Stored(Stored),
}

/// Data that are there before a run: a dataset, or what was published of a task on earlier dates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// Whose data.
    pub table: Table,
    /// The last day that is read: this many days after the run date, or before it where negative.
    pub plus_days: i64,
    /// How many days are read, the last one included.
    pub days: u32,
    /// The dataset that is read where none of these days is there.
    pub otherwise: Option<String>,
}

/// Something that has data on some dates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// A dataset that no task of this pipeline makes.
    Dataset(String),
    /// The published outputs of a task.
    Published(String),
}

impl Stored {
    /// A dataset as it is on the run date.
    #[must_use]
    pub fn dataset(name: impl Into<String>) -> Self {
        Self {
            table: Table::Dataset(name.into()),
            plus_days: 0,
            days: 1,
            otherwise: None,
        }
    }

    /// What is published of a task for the run date.
    #[must_use]
    pub fn published(task: impl Into<String>) -> Self {
        Self {
            table: Table::Published(task.into()),
            ..Self::dataset("")
        }
    }

    /// The name of the dataset or task.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.table {
            Table::Dataset(name) | Table::Published(name) => name,
        }
    }

    /// A text that no other data of the pipeline have: the name, then, where it is not simply the run date's data,
    /// the days. An `@` in a name is written twice.
    #[must_use]
    pub fn id(&self) -> String {
        use std::fmt::Write as _;
        let mut id = self.name().replace('@', "@@");
        let is_plain = self.plus_days == 0 && self.days == 1;
        if !is_plain {
            let _ = write!(id, "@{:+}d", self.plus_days);
        }
        if self.days != 1 {
            let _ = write!(id, "/{}", self.days);
        }
        if let Some(otherwise) = &self.otherwise {
            let _ = write!(id, "@or {otherwise}");
        }
        id
    }
}

/// A set of customers that can be run by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slice {
    /// These customers.
    Customers(BTreeSet<Customer>),
    /// Everybody who is in no other slice, rows without a customer included.
    Others,
}

/// What a task makes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Output {
    /// The folder below which it is published, as `date=<date>/data.parquet`. It has no `{date}`. `None` where the
    /// live version is external, so that somebody else publishes.
    pub location: Option<String>,
    /// The columns that identify a row; never empty.
    pub grain: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The columns whose values nobody sees in clear but who reads the data themselves.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub masked: BTreeSet<String>,
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
    /// Its environment and network.
    #[serde(default, skip_serializing_if = "Surroundings::is_empty")]
    pub surroundings: Surroundings,
}

/// What a command finds beside its inputs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Surroundings {
    /// Environment variables, as the file says them: a secret is a reference such as `${env:TOKEN}`.
    pub env: BTreeMap<String, String>,
    /// Those that take their place where it runs as a shadow.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shadow_env: BTreeMap<String, String>,
    /// The hosts that it needs, with or without a port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

impl Surroundings {
    /// Whether the file says nothing of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The environment that is declared for a shadow.
    #[must_use]
    pub fn of_shadow(&self) -> BTreeMap<String, String> {
        let mut env = self.env.clone();
        env.extend(self.shadow_env.clone());
        env
    }
}

/// Whether a task may run as a shadow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShadowRuns {
    /// It computes its output and does nothing else.
    #[default]
    Allowed,
    /// It does more than that.
    Never,
}

/// What becomes of a shadow where the machine cannot confine it fully.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    /// It runs under what there is, and that is said.
    #[default]
    BestEffort,
    /// It does not run.
    Required,
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
    /// Run and published by somebody else: what it left is read.
    External {
        /// Where it leaves its output.
        location: Location,
    },
    /// The inputs, put together.
    Merge(Merge),
    /// A task that is compiled into the program, by the name under which it is registered.
    Rust(String),
}

/// How inputs are merged into one output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Merge {
    /// What is put together.
    pub how: MergeHow,
    /// What becomes of what not every input has: of columns in a union, of rows in a join.
    pub missing: Missing,
}

/// What a merge puts together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeHow {
    /// The rows of all inputs, one below the other, by the names of their columns.
    Union,
    /// The columns of all inputs, side by side, by the grain.
    Join,
}

/// What becomes of what not every input has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It is kept, with NULL for what is missing.
    Keep,
    /// It is left out.
    Drop,
    /// The task fails.
    Fail,
}

impl VersionKind {
    /// Whether somebody else runs it.
    #[must_use]
    pub fn is_external(&self) -> bool {
        matches!(self, Self::External { .. })
    }
}

impl Task {
    /// Whether somebody else runs and publishes its live version.
    #[must_use]
    pub fn is_live_external(&self) -> bool {
        self.versions
            .get(&self.live)
            .is_some_and(|version| version.kind.is_external())
    }
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
    /// What a shadow may write in all, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<u64>,
    /// How many files one process of a shadow may hold open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u32>,
    /// How many processes and threads a shadow may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<u32>,
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
    /// What else is compared, by task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub compare: BTreeMap<String, Vec<Check>>,
    /// The rules that reviews granted and that hold now, by task; no file has them.
    #[serde(skip)]
    pub waivers: BTreeMap<String, Vec<Rule>>,
    /// When it may move.
    pub gate: GatePolicy,
    /// The flag that moves its lanes; by default the change's own name.
    pub flag: String,
}

impl Change {
    /// All rules of a task: those of the file, then those that reviews granted.
    #[must_use]
    pub fn rules(&self, task: &str) -> Vec<Rule> {
        let of = |rules: &BTreeMap<String, Vec<Rule>>| rules.get(task).cloned().unwrap_or_default();
        [of(&self.expect), of(&self.waivers)].concat()
    }
}

/// The policy of a change's gate, as far as the file says it; what is not said has the gate's own default.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct GatePolicy {
    /// How many run dates in a row must be clean.
    pub clean_runs: Option<u32>,
    /// How long ago the newest of them may have been judged, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_max_age_secs: Option<u64>,
    /// For how long they must have been clean, in seconds.
    pub soak_secs: Option<u64>,
    /// The rows of a lane that the streak must have compared.
    pub min_rows: Option<u64>,
    /// The share of a lane's old rows that may differ as expected, over the streak: 0.05 is 5 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_rows: Option<f64>,
    /// How many times as long as the old version the new one may take, in each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_runtime_ratio: Option<f64>,
    /// How many times the old version's memory the new one may take, in each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory_ratio: Option<f64>,
    /// The days of the week that must be among the clean run dates.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub weekdays: BTreeSet<Weekday>,
    /// Whether the last day of a month must be among the clean run dates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub month_end: bool,
    /// How many people, other than who moves it, must have approved of the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u32>,
    /// For how long every lane must have been live before the change is complete, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_age_secs: Option<u64>,
    /// Who goes live one after the other; empty where nobody says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<Wave>,
}

/// The customers that go live together.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    /// These.
    Customers(BTreeSet<Customer>),
    /// So many more.
    More(u32),
    /// As many more as bring those that have gone to this share of all: 0.25 is a quarter; 1 is everybody, and
    /// whoever comes later.
    Share(f64),
}

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All of them, Monday first.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// That of a date.
    #[must_use]
    pub fn of(date: RunDate) -> Self {
        use chrono::Datelike as _;
        Self::ALL[date.0.weekday().num_days_from_monday() as usize]
    }

    /// The name in files: `mon` and so on.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// Somebody who is told of runs. What may be a secret stands here as the file says it, such as `${env:TOKEN}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// A server that takes a message for each piece of news.
    Webhook {
        /// Its URL.
        url: String,
        /// The key of the signature.
        secret: Option<String>,
        /// The news that it hears.
        on: BTreeSet<News>,
        /// Whether it may be at an address that is not public.
        allow_private: bool,
    },
    /// Somebody who collects OpenLineage events.
    Openlineage {
        /// Where to.
        to: LineageTo,
        /// The namespace of jobs and datasets.
        namespace: String,
        /// Whether it may be at an address that is not public.
        allow_private: bool,
    },
}

/// Where OpenLineage events go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineageTo {
    /// To a server.
    Url(String),
    /// To a file, a line each.
    File(String),
}

/// News of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A change is identical in both versions.
    Identical,
    /// A change differs as its rules expect.
    Expected,
    /// A change was not checked.
    Inconclusive,
    /// A change differs in what no rule expects.
    Unexpected,
    /// Something that a person should look at.
    Alert,
    /// Live failed, and nothing was published.
    LiveFailed,
}

impl News {
    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Expected => "expected",
            Self::Inconclusive => "inconclusive",
            Self::Unexpected => "unexpected",
            Self::Alert => "alert",
            Self::LiveFailed => "live_failed",
        }
    }

    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Identical,
        Self::Expected,
        Self::Inconclusive,
        Self::Unexpected,
        Self::Alert,
        Self::LiveFailed,
    ];
}

/// What becomes of an edit of a live version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveEdits {
    /// It is published, and an alert says so.
    #[default]
    Alert,
    /// Nothing that would publish it runs.
    Refuse,
}

/// Where stages of lanes come from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagSettings {
    /// The file `flags.yaml` beside the pipeline file.
    File,
    /// Flags in LaunchDarkly.
    LaunchDarkly(Box<LaunchDarkly>),
}

/// Where flags are in LaunchDarkly. Secrets stand here as the file says them, such as `${env:LD_SDK_KEY}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LaunchDarkly {
    /// The environment's server-side SDK key.
    pub sdk_key: String,
    /// A token that may edit the flags; without it lanes cannot be moved.
    pub api_token: Option<String>,
    /// The key of the project.
    pub project: Option<String>,
    /// The key of the environment.
    pub environment: Option<String>,
    /// How flags are read.
    pub mode: LaunchDarklyMode,
    /// The URL of a Relay Proxy that they are read from.
    pub relay: Option<String>,
    /// The instance.
    pub region: LaunchDarklyRegion,
    /// The URL of the REST API, where it is none of the region's.
    pub api: Option<String>,
    /// Whether it is told keyed hashes in the place of customers.
    pub hash_customers: bool,
    /// How long a command waits for the first flags, in seconds.
    pub wait_secs: u64,
    /// How long nothing may arrive before what was read counts as stale, in seconds.
    pub stale_after_secs: u64,
}

/// How flags are read from LaunchDarkly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchDarklyMode {
    /// It tells of changes at once.
    #[default]
    Streaming,
    /// It is asked every 30 s.
    Polling,
}

impl LaunchDarklyMode {
    /// The words of the pipeline file.
    pub const WORDS: &[&str] = &["streaming", "polling"];

    /// The one of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "streaming" => Some(Self::Streaming),
            "polling" => Some(Self::Polling),
            _ => None,
        }
    }
}

/// An instance of LaunchDarkly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchDarklyRegion {
    /// The commercial one.
    #[default]
    Us,
    /// The European Union's.
    Eu,
    /// The federal one.
    Federal,
}

impl LaunchDarklyRegion {
    /// The words of the pipeline file.
    pub const WORDS: &[&str] = &["us", "eu", "federal"];

    /// The one of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "us" => Some(Self::Us),
            "eu" => Some(Self::Eu),
            "federal" => Some(Self::Federal),
            _ => None,
        }
    }
}
