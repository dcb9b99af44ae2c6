//! What a supervisor asks of a worker, and what it answers. Both are JSON files in the worker's own folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use understudy_core::case::{Case, CaseTable};
use understudy_core::check::{Check, CheckKind};
use understudy_core::comparison::{CheckFindings, Comparison};
use understudy_core::csv_dialect::CsvDialect;
use understudy_core::customer::Customer;
use understudy_core::digest::Digest;
use understudy_core::isolation::Isolation;
use understudy_core::rollout::Assembly;
use understudy_core::rule::Rule;
use understudy_core::run::{Failure, Usage};
use understudy_core::run_date::RunDate;
use understudy_core::schema::TableSchema;
use understudy_core::slice::SliceOf;
use understudy_core::spec::{CommandInputs, Merge, Param};
use understudy_tables::TableSource;

use super::Confinement;
use crate::mask::MaskOrder;
use crate::report::files::diff::DiffFiles;

/// One piece of work for one process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Invocation {
    /// What it is, for people and logs.
    pub step: String,
    /// Where it answers and keeps temporary files.
    pub folder: PathBuf,
    /// The folder that it locks, together with others, for as long as it is at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_work: Option<PathBuf>,
    /// What keeps it in its place; `None` for live's own work and the framework's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Confinement>,
    /// The work.
    pub job: Job,
}

/// The kinds of work.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Read schemas and plan SQL, running nothing.
    Inspect(Box<InspectJob>),
    /// Execute one version.
    Task(Box<TaskJob>),
    /// Compare two outputs.
    Compare(Box<CompareJob>),
    /// Look at two outputs in a way of the user's.
    Check(Box<CheckJob>),
    /// Put two outputs together by customer.
    Assemble(Box<AssembleJob>),
    /// Compare any two tables.
    Diff(Box<DiffJob>),
    /// Copy one version of a Delta table.
    Copy(Box<CopyJob>),
    /// Try what a shadow must not be able to do.
    Probe(ProbeJob),
    /// Put tokens in the place of masked values in texts.
    Scrub(Box<ScrubJob>),
    /// Find the customers that a rule is for.
    Customers(Box<CustomersJob>),
    /// Compare the tables of a case.
    Case(Box<CaseJob>),
    /// Find the rows of one key.
    Pick(Box<PickJob>),
}

impl Job {
    /// Whether it does what users asked for, as against the framework's own chores.
    pub(super) fn is_of_the_user(&self) -> bool {
        matches!(
            self,
            Self::Task(_) | Self::Compare(_) | Self::Check(_) | Self::Diff(_)
        )
    }

    /// Whether the worker itself runs code of the user's, with the environment that the code sees.
    pub(super) fn runs_code_itself(&self) -> bool {
        match self {
            Self::Task(job) => matches!(job.code, JobCode::Rust { .. }),
            Self::Check(job) => matches!(job.check.kind, CheckKind::Rust(_)),
            _ => false,
        }
    }
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Job::Inspect`].
    Inspected(Inspected),
    /// To [`Job::Task`] and [`Job::Assemble`].
    Made(NodeResult),
    /// To [`Job::Compare`], [`Job::Diff`] and [`Job::Case`].
    Compared(Findings),
    /// To [`Job::Check`].
    Checked(Checked),
    /// To [`Job::Copy`].
    Copied,
    /// To [`Job::Probe`].
    Probed(Probed),
    /// To [`Job::Pick`]: the rows of the old and of the new table.
    Picked(Box<[CaseTable; 2]>),
    /// To [`Job::Scrub`]: the texts.
    Scrubbed(Vec<String>),
    /// To [`Job::Customers`].
    Customers(BTreeSet<String>),
    /// To [`Job::Diff`]: an option names a column that neither table has.
    NoColumn(String),
    /// To any of them.
    Failed(Failure),
}

/// What comparing found, beside the report files.
#[derive(Debug, Serialize, Deserialize)]
pub struct Findings {
    /// The facts and counts.
    pub comparison: Comparison,
    /// What the report files hold.
    pub diff: DiffFiles,
}

/// Finds the customers who have rows in a table that meet a predicate.
#[derive(Debug, Serialize, Deserialize)]
pub struct CustomersJob {
    /// The table.
    pub source: TableSource,
    /// The column that names them.
    pub column: String,
    /// The predicate; `None` takes all rows.
    pub predicate: Option<String>,
}

/// Reads schemas.
#[derive(Debug, Serialize, Deserialize)]
pub struct InspectJob {
    /// The stored data, by their ids.
    pub stored: BTreeMap<String, TableSource>,
    /// What was read of them before, by their ids: these need not be read again.
    pub columns: BTreeMap<String, TableSchema>,
    /// What external versions left.
    pub externals: Vec<InspectExternal>,
    /// Versions to plan, each after those that make its inputs.
    pub tasks: Vec<InspectTask>,
    /// Schemas of outputs that cannot be planned, such as those of commands that ran before, by task and version.
    pub known: BTreeMap<String, BTreeMap<String, TableSchema>>,
    /// The run date that is bound.
    pub date: RunDate,
}

/// One version to plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InspectTask {
    /// The task.
    pub task: String,
    /// The version.
    pub version: String,
    /// Its code.
    pub code: InspectCode,
    /// What it is given.
    pub params: BTreeMap<String, Param>,
    /// What it reads, by the names that it knows; a task's output counts with its live version.
    pub inputs: Vec<(String, InspectInput)>,
    /// The columns that identify a row.
    pub grain: Vec<String>,
    /// Whether its schema is what readers of the task's output see.
    pub live: bool,
}

/// Code that can be planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InspectCode {
    /// One query.
    Sql(String),
    /// The inputs, put together.
    Merge(Merge),
}

/// Where an input's columns come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InspectInput {
    /// Stored data, by their id.
    Stored(String),
    /// A task's output.
    Task(String),
}

/// What an external version left.
#[derive(Debug, Serialize, Deserialize)]
pub struct InspectExternal {
    /// The task.
    pub task: String,
    /// The version.
    pub version: String,
    /// What it left.
    pub source: TableSource,
    /// Whether its schema is what readers of the task's output see.
    pub live: bool,
}

/// What was inspected: a schema, or why there is none.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Inspected {
    /// By dataset.
    pub datasets: BTreeMap<String, Result<TableSchema, String>>,
    /// The columns of the stored data, by their ids.
    pub stored: BTreeMap<String, TableSchema>,
    /// By task, then version.
    pub outputs: BTreeMap<String, BTreeMap<String, Result<TableSchema, String>>>,
}

/// Executes one version.
#[derive(Debug, Serialize, Deserialize)]
pub struct TaskJob {
    /// The task.
    pub task: String,
    /// The version.
    pub version: String,
    /// Its code.
    pub code: JobCode,
    /// What it is given.
    pub params: BTreeMap<String, Param>,
    /// The date to compute.
    pub date: RunDate,
    /// The slice whose customers are computed; `None` for everybody.
    pub slice: Option<SliceOf>,
    /// The run's pinned instant: nanoseconds since the epoch.
    pub now_nanos: i64,
    /// What it reads, by the names that it knows.
    pub inputs: Vec<JobInput>,
    /// Where its output goes.
    pub output: PathBuf,
    /// The pipeline file's folder: a command's working directory.
    pub pipeline_folder: PathBuf,
    /// The columns that identify a row.
    pub grain: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The memory that it may plan with, in bytes.
    pub memory_bytes: u64,
    /// Where what it prints is kept: standard output, then standard error.
    pub logs: [PathBuf; 2],
    /// The names of its variables that are secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_names: Vec<String>,
    /// Who may read it: the key of the result that the worker leaves beside the output.
    pub key: Digest,
}

/// The code of a version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobCode {
    /// One query.
    Sql {
        /// The file that it was read from, as the pipeline file names it.
        file: String,
        /// Its text.
        sql: String,
        /// The number of partitions.
        threads: usize,
    },
    /// A program.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
        /// How it wants its inputs.
        inputs: CommandInputs,
    },
    /// Nothing: the one input is what somebody else made.
    External,
    /// The inputs, put together.
    Merge {
        /// How.
        merge: Merge,
        /// The number of partitions.
        threads: usize,
    },
    /// A task that is compiled in.
    Rust {
        /// Its name.
        name: String,
        /// How many threads it may use.
        threads: usize,
    },
}

/// One input of a task.
#[derive(Debug, Serialize, Deserialize)]
pub struct JobInput {
    /// The name that the task knows it by.
    pub name: String,
    /// The table.
    pub source: TableSource,
    /// The column by which only the slice's rows are read; `None` where all rows are.
    pub sliced_by: Option<String>,
}

/// Compares two outputs.
#[derive(Debug, Serialize, Deserialize)]
pub struct CompareJob {
    /// The change that it is evidence for.
    pub change: String,
    /// The task.
    pub task: String,
    /// The date of the run.
    pub date: RunDate,
    /// The run.
    pub run: String,
    /// The old world's output.
    pub old: TableSource,
    /// The new world's output.
    pub new: TableSource,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The columns that are masked in what is found.
    pub mask: Option<MaskOrder>,
    /// Where the findings go.
    pub report_folder: PathBuf,
    /// How CSV files are written there.
    pub csv: CsvDialect,
    /// The memory that it may plan with, in bytes.
    pub memory_bytes: u64,
    /// How many threads it may use.
    pub threads: usize,
}

/// Compares the tables of a case.
#[derive(Debug, Serialize, Deserialize)]
pub struct CaseJob {
    /// The case.
    pub case: Case,
}

/// Finds the rows of one key in the two tables of a comparison.
#[derive(Debug, Serialize, Deserialize)]
pub struct PickJob {
    /// The old table.
    pub old: TableSource,
    /// The new table.
    pub new: TableSource,
    /// The columns of the key, each with the value's text.
    pub key: Vec<(String, String)>,
    /// The columns that are masked in what is found.
    pub mask: Option<MaskOrder>,
}

/// Looks at two outputs in a way of the user's.
#[derive(Debug, Serialize, Deserialize)]
pub struct CheckJob {
    /// The change that it is evidence for.
    pub change: String,
    /// The task.
    pub task: String,
    /// The date of the run.
    pub date: RunDate,
    /// The run.
    pub run: String,
    /// The run's pinned instant: nanoseconds since the epoch.
    pub now_nanos: i64,
    /// How it is looked at.
    pub check: Check,
    /// The old world's output.
    pub old: TableSource,
    /// The new world's output.
    pub new: TableSource,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The columns that are masked in what is found.
    pub mask: Option<MaskOrder>,
    /// The customers of both outputs, where columns are masked: another name may be a masked value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers: Option<BTreeSet<Customer>>,
    /// The folder that a program writes what it finds into.
    pub output: PathBuf,
    /// The pipeline file's folder: a program's working directory.
    pub pipeline_folder: PathBuf,
    /// The memory that it may plan with, in bytes.
    pub memory_bytes: u64,
    /// How many threads it may use.
    pub threads: usize,
    /// Where what a program prints is kept: standard output, then standard error.
    pub logs: [PathBuf; 2],
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Checked {
    /// The findings.
    pub found: CheckFindings,
    /// What each rule expects of them, in the rules' order.
    pub expected: Vec<ExpectedFindings>,
}

/// What one rule expects of a check's findings.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ExpectedFindings {
    /// How many.
    pub findings: u64,
    /// Them by customer. One that belongs to every customer is not among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub customers: BTreeMap<Customer, u64>,
}

/// Copies one version of a Delta table.
#[derive(Debug, Serialize, Deserialize)]
pub struct CopyJob {
    /// The table: an absolute path or a URL.
    pub table: String,
    /// The version.
    pub version: u64,
    /// The folder that `data.parquet` goes into. It is there.
    pub output: PathBuf,
}

/// Tries what a shadow must not be able to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProbeJob {
    /// Folders to write into.
    pub folders: Vec<PathBuf>,
    /// A port of this machine to connect to.
    pub port: u16,
    /// A process that it did not start.
    pub process: i32,
}

/// What a probe could do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Probed {
    /// The folders that it could write into.
    pub wrote: Vec<PathBuf>,
    /// Whether it connected.
    pub connected: bool,
    /// Whether it could have sent a signal.
    pub signalled: bool,
}

/// Puts tokens in the place of masked values.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScrubJob {
    /// The columns.
    pub mask: MaskOrder,
    /// The tables that have the values.
    pub tables: Vec<TableSource>,
    /// The folder that a version wrote to, which may have more of them.
    pub output: Option<PathBuf>,
    /// The texts.
    pub texts: Vec<String>,
    /// Files, each with the one that it becomes.
    pub files: Vec<(PathBuf, PathBuf)>,
}

/// Compares any two tables.
#[derive(Debug, Serialize, Deserialize)]
pub struct DiffJob {
    /// The old table.
    pub old: TableSource,
    /// The new table.
    pub new: TableSource,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The columns that are masked in what is found.
    pub mask: Option<MaskOrder>,
    /// Every column that an option names.
    pub named: Vec<NamedColumn>,
    /// Where the findings go, if they are wanted.
    pub report_folder: Option<PathBuf>,
    /// How CSV files are written there.
    pub csv: CsvDialect,
    /// The memory that it may plan with, in bytes.
    pub memory_bytes: u64,
    /// How many threads it may use.
    pub threads: usize,
}

/// A column as somebody typed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedColumn {
    /// The option that names it, such as `--key`.
    pub option: String,
    /// The column.
    pub column: String,
    /// Where it has to be.
    pub on: On,
}

/// The tables that have to have a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum On {
    /// Both, because rows are told apart by it.
    Both,
    /// Either, because a rule may speak of a column that was added or removed.
    Either,
}

/// Puts two outputs together.
#[derive(Debug, Serialize, Deserialize)]
pub struct AssembleJob {
    /// The task.
    pub task: String,
    /// The old version's output.
    pub old: TableSource,
    /// The new version's output.
    pub new: TableSource,
    /// The column that says whose row it is; `None` for the one lane `*`.
    pub customer: Option<String>,
    /// The columns that identify a row.
    pub grain: Vec<String>,
    /// Which side each customer's rows come from.
    pub assembly: Assembly,
    /// Where the output goes.
    pub output: PathBuf,
    /// The key of the result that the worker leaves beside the output.
    pub key: Digest,
}

/// What stands beside a node's output, as `result.json`: it is written last, so it means that all is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeResult {
    /// The format of this file.
    pub version: u32,
    /// The digest of all that the output depends on.
    pub key: Digest,
    /// Rows of `data.parquet`.
    pub rows: u64,
    /// Length of `data.parquet` in bytes.
    pub bytes: u64,
    /// The columns.
    pub schema: TableSchema,
    /// The files as the program wrote them, where that was CSV: types are inferred of both sides together.
    pub raw: Option<TableSource>,
    /// What is worth knowing of how it came about.
    pub notes: Vec<String>,
    /// What it took, filled in by the supervisor.
    pub usage: Usage,
    /// What kept it in its place, filled in by the supervisor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
}

/// The format of `result.json`.
pub(super) const RESULT_FORMAT: u32 = 1;
