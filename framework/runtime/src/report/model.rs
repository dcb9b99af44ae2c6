//! A finished run as data: what `run --json` prints, what `run.json` keeps and what the terminal shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use understudy_core::comparison::{
    CheckFound, ColumnCounts, Comparison, CustomerCounts, NotCompared, RowCounts, RuleCounts,
    SchemaDifference,
};
use understudy_core::customer::Customer;
use understudy_core::judge::lanes::TaskVerdict;
use understudy_core::leak::Leak;
use understudy_core::run::Usage;
use understudy_core::run_date::RunDate;
use understudy_core::stage::{LaneStages, Stage};
use understudy_core::verdict::Verdict;
use understudy_core::world::Side;

use crate::report::files::diff::{DiffFiles, diff_csv};

/// The format that this program writes.
pub const RUN_REPORT_FORMAT: u32 = 1;

/// One run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunReport {
    /// The format, [`RUN_REPORT_FORMAT`].
    pub version: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// The run's id.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// The slice whose customers it was for; `None` for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// What became of the live half.
    pub live: LiveReport,
    /// The changes that were compared, by name.
    pub changes: BTreeMap<String, ChangeReport>,
    /// The changes that the pipeline file's own problems keep from running: each problem in a sentence.
    pub suspended: BTreeMap<String, Vec<String>>,
    /// What a person should look at.
    pub alerts: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// How much of it was there already.
    pub reuse: ReuseReport,
    /// Wall time of the whole run in milliseconds.
    pub wall_ms: u64,
    /// The part of it in which at least one version or comparison was at work; the rest is the framework's own.
    pub busy_ms: u64,
    /// The command to type next.
    pub next: Option<String>,
}

/// The live half of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LiveReport {
    /// How it ended.
    pub status: LiveStatus,
    /// The published outputs, by task.
    pub outputs: BTreeMap<String, OutputReport>,
    /// Why it failed: each a sentence.
    pub reasons: Vec<String>,
    /// Wall time in milliseconds.
    pub wall_ms: u64,
}

/// How a live half ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveStatus {
    /// Its outputs were published.
    Published,
    /// The same outputs stood there already.
    AlreadyPublished,
    /// It failed; nothing was published.
    Failed,
    /// It was not asked for, as with `run --shadow`.
    NotAsked,
    /// It was stopped before it could publish; nothing was published.
    Interrupted,
}

/// One published output.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutputReport {
    /// Where it is, as a person can type it.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// The version that made it; of several, as people say it (`v1, v2 for 3 customers`).
    pub version: String,
}

/// One change in one run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChangeReport {
    /// The worst of its tasks.
    pub verdict: Verdict,
    /// The stages that the run worked with.
    pub stages: LaneStages,
    /// The lanes that were live and got their old rows in this run.
    pub fallbacks: Vec<Customer>,
    /// What customers who get old rows see of it all the same, in tasks downstream.
    #[serde(default)]
    pub leaks: Vec<LeakReport>,
    /// The compared tasks, by name.
    pub tasks: BTreeMap<String, TaskReport>,
    /// The same as a page for a browser, as a person can type its path; `None` in runs of earlier programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// A task downstream in which customers who get old rows have other ones than without the flip of others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeakReport {
    /// The task.
    pub task: String,
    /// What leaks into it.
    #[serde(flatten)]
    pub leak: Leak,
    /// The differences behind it, as a person can type the path; those of customers who get new rows are among them.
    pub differences: String,
}

/// One compared task of a change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskReport {
    /// The worst of its lanes.
    pub verdict: Verdict,
    /// Why it was not checked, or what is wrong with all lanes at once.
    pub reasons: Vec<String>,
    /// The version of the old side.
    pub old_version: String,
    /// The version of the new side; the same one for a task that only stands downstream.
    pub new_version: String,
    /// Counts of rows; `None` where nothing was compared.
    pub rows: Option<RowCounts>,
    /// Rows that differ, in every part as some rule expects.
    pub expected: u64,
    /// By customer.
    pub customers: BTreeMap<Customer, CustomerReport>,
    /// By compared column.
    pub columns: Vec<ColumnCounts>,
    /// By rule, in their order; one that matched nothing is among them.
    pub rules: Vec<RuleCounts>,
    /// What further comparators found, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckFound>,
    /// Differences of schema.
    pub schema: Vec<SchemaDifference>,
    /// Columns that could not be compared.
    pub not_compared: Vec<NotCompared>,
    /// What is worth knowing and is no difference.
    pub notes: Vec<String>,
    /// The report files; `None` where nothing was compared.
    pub files: Option<TaskFiles>,
    /// Whether the comparison was there already.
    pub reused: bool,
    /// What the old and the new version took; `None` where one of them did not run here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<[Usage; 2]>,
}

/// The report files of one task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskFiles {
    /// The folder that they are in, as a person can type it.
    pub folder: String,
    /// What the diff files hold.
    pub diff: DiffFiles,
}

/// One customer of one task.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CustomerReport {
    /// The verdict on its lane.
    pub verdict: Verdict,
    /// Its lane's stage.
    pub stage: Stage,
    /// The side whose rows it got.
    pub gets: Side,
    /// Its rows: pairs, and those that stand on one side only.
    pub rows: u64,
    /// Rows that differ as some rule expects.
    pub expected: u64,
    /// Rows with a difference that no rule allows.
    pub unexpected: u64,
}

/// How much of a run was there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReuseReport {
    /// Outputs and comparisons that were there already, from the same code and data.
    pub reused: u64,
    /// Outputs and comparisons that the run needed.
    pub needed: u64,
}

impl TaskReport {
    /// The report of one task from its verdict and its comparison, if there is one. The files are still to come.
    #[must_use]
    pub fn new(
        [old_version, new_version]: [String; 2],
        verdict: &TaskVerdict,
        comparison: Option<&Comparison>,
        gets: impl Fn(&Customer) -> (Stage, Side),
    ) -> Self {
        let empty = Comparison::default();
        let found = comparison.unwrap_or(&empty);
        let customer = |(customer, verdict): (&Customer, &Verdict)| {
            let counts = found.customers.get(customer).copied().unwrap_or_default();
            (
                customer.clone(),
                CustomerReport::new(*verdict, gets(customer), &counts),
            )
        };
        Self {
            verdict: verdict.verdict,
            reasons: verdict.reasons.clone(),
            old_version,
            new_version,
            rows: comparison.map(|comparison| comparison.rows),
            expected: found.customers.values().map(|counts| counts.expected).sum(),
            customers: verdict.customers.iter().map(customer).collect(),
            columns: found.columns.clone(),
            rules: found.rules.clone(),
            checks: found.checks.clone(),
            schema: found.schema.clone(),
            not_compared: found.not_compared.clone(),
            notes: found.notes.clone(),
            files: None,
            reused: false,
            usage: None,
        }
    }

    /// Whether somebody is at another stage than `shadow`, or gets other rows than old ones.
    #[must_use]
    pub fn has_stages(&self) -> bool {
        let mut customers = self.customers.values();
        customers.any(|customer| (customer.stage, customer.gets) != (Stage::Shadow, Side::Old))
    }

    /// The customers with their reports: the worst verdict first, then the most unexpected rows, then by name.
    #[must_use]
    pub fn worst_first(&self) -> Vec<(&Customer, &CustomerReport)> {
        use std::cmp::Reverse;
        let mut customers: Vec<_> = self.customers.iter().collect();
        customers.sort_by_key(|(_, report)| {
            (
                Reverse(report.verdict),
                Reverse(report.unexpected),
                Reverse(report.expected),
            )
        });
        customers
    }
}

impl TaskFiles {
    /// The path of `diff.csv`, as a person can type it.
    #[must_use]
    pub fn diff_csv(&self) -> String {
        self.path_of(&diff_csv(1))
    }

    /// The paths of all files of the CSV.
    #[must_use]
    pub fn diff_csvs(&self) -> Vec<String> {
        let numbers = 1..=self.diff.csv_files.max(1);
        numbers
            .map(|number| self.path_of(&diff_csv(number)))
            .collect()
    }

    /// The path of a report file, as a person can type it.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.trim_end_matches('/'))
    }
}

impl CustomerReport {
    fn new(verdict: Verdict, (stage, gets): (Stage, Side), counts: &CustomerCounts) -> Self {
        // A row that moved to this customer is a pair that only its new count knows.
        let rows = (counts.old + counts.only_new).max(counts.new + counts.only_old);
        Self {
            verdict,
            stage,
            gets,
            rows,
            expected: counts.expected,
            unexpected: counts.unexpected,
        }
    }
}
