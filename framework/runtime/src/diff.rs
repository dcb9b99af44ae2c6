//! Comparing any two tables, without a pipeline: what the verb `diff` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use understudy_core::comparison::Comparison;
use understudy_core::csv_dialect::CsvDialect;
use understudy_core::judge::lanes::{TaskVerdict, judge_comparison};
use understudy_core::rule::Rule;
use understudy_core::run::{Failure, FailureKind};
use understudy_core::spec::masks::MaskedColumns;
use understudy_core::stage::Stage;
use understudy_core::verdict::Verdict;
use understudy_core::world::Side;
use understudy_tables::{PinError, TableSource, pin};

use crate::execute::{scrub, withheld};
use crate::mask::{MaskKeyError, MaskOrder, throwaway_key};
use crate::observe::{self, CopyError};
use crate::report::error::ReportError;
use crate::report::files::customers::{CUSTOMERS_CSV, CustomerLine, write_customers};
use crate::report::files::diff::{DIFF_PARQUET, DiffFiles, MAX_CSV_FILES, diff_csv};
use crate::report::files::record::Origin;
use crate::report::files::summary::{SUMMARY_FORMAT, SUMMARY_JSON, Summary};
use crate::report::html;
use crate::report::model::{TaskFiles, TaskReport};
use crate::store::durable::TEMPORARY_PREFIX;
use crate::worker::{
    Answer, Crew, DiffJob, Findings, Invocation, Job, NamedColumn, ScrubJob, WorkerLimits,
};

/// The format of what `diff --json` prints.
pub const DIFF_FORMAT: u32 = 1;

/// What of its memory a worker keeps for its code and for decoding: so much, and so much for each thread. It is no
/// more than half of its memory.
const OWN_BYTES: u64 = 32 << 20;
const THREAD_BYTES: u64 = 16 << 20;
/// How far beyond its memory a worker may go before it is ended: a file can have pages that are larger than anybody
/// would plan for.
const MARGIN_BYTES: u64 = 512 << 20;

/// The names of the report files.
const REPORT_FILES: [&str; 4] = [SUMMARY_JSON, CUSTOMERS_CSV, DIFF_PARQUET, html::REPORT_HTML];

/// Two tables to compare.
#[derive(Debug)]
pub struct DiffRequest {
    /// Where the old table is.
    pub old: String,
    /// Where the new table is.
    pub new: String,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// The column that says whose row it is.
    pub customer: Option<String>,
    /// The rules, in their order.
    pub rules: Vec<Rule>,
    /// The columns that are masked in what is found.
    pub mask: Vec<String>,
    /// Every column that an option names: at least one table must have it.
    pub named: Vec<NamedColumn>,
    /// What the comparison may plan with, in bytes.
    pub memory_bytes: u64,
    /// How many threads it may use.
    pub threads: usize,
    /// Where the report files go; `None` keeps none.
    pub out: Option<PathBuf>,
    /// How CSV files are written there.
    pub csv: CsvDialect,
}

/// What comparing two tables found.
#[derive(Debug, Serialize)]
pub struct DiffReport {
    /// The format, [`DIFF_FORMAT`].
    pub version: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is what it is, where the counts do not say so.
    pub reasons: Vec<String>,
    /// The counts.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// Where OLD and NEW are, as they were typed.
    #[serde(skip)]
    pub tables: [String; 2],
    /// The same for people, with examples.
    #[serde(skip)]
    pub task: TaskReport,
    /// The folder of the report files, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
}

/// Why two tables were not compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// There is nothing at a location.
    #[error("{side}: nothing is at `{location}`; check the path")]
    NotFound {
        /// `OLD` or `NEW`.
        side: &'static str,
        /// The location.
        location: String,
    },
    /// A table cannot be found.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// A Delta table cannot be copied.
    #[error("{side}")]
    Copy {
        /// `OLD` or `NEW`.
        side: &'static str,
        /// Why.
        source: CopyError,
    },
    /// An option names a column that neither table has.
    #[error("{0}")]
    NoColumn(String),
    /// The folder for the report files has something else in it.
    #[error(
        "`{folder}` has other files in it, such as `{file}`; name an empty folder, or one that is not there"
    )]
    OutNotEmpty {
        /// The folder.
        folder: String,
        /// One of the files.
        file: String,
    },
    /// The folder for the report files cannot be used.
    #[error("`{folder}` cannot be used for the report files")]
    Out {
        /// The folder.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// There is no key for masked columns.
    #[error(transparent)]
    MaskKey(#[from] MaskKeyError),
    /// A report file cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The comparison did not come to its end.
    #[error("the comparison {}", .0.message)]
    Failed(Failure),
}

impl DiffError {
    /// Whether somebody interrupted.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        self.failure()
            .is_some_and(|failure| failure.kind == FailureKind::Interrupted)
    }

    /// Whether it is a bug of ours.
    #[must_use]
    pub fn is_bug(&self) -> bool {
        self.failure()
            .is_some_and(|failure| failure.kind == FailureKind::Bug)
    }

    /// What became of the worker, where it is that.
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure)
            | Self::Copy {
                source: CopyError::Delta { failure, .. },
                ..
            } => Some(failure),
            _ => None,
        }
    }

    /// Whether the command has to be changed, rather than the files or the machine.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoColumn(_) | Self::OutNotEmpty { .. })
    }
}

/// Compares two tables in a worker of its own, and writes the report files where they are asked for.
///
/// # Errors
/// A table that is not there or cannot be read, a column that is not there, a folder that cannot be written, or a
/// worker that did not come to its end.
pub async fn diff(
    request: DiffRequest,
    crew: &Crew,
    temporary: &Path,
) -> Result<DiffReport, DiffError> {
    let old = table("OLD", &request.old, crew, temporary).await?;
    let new = table("NEW", &request.new, crew, temporary).await?;
    let out = request.out.as_deref();
    out.map_or(Ok(()), make_room)?;
    let job = DiffJob {
        old,
        new,
        key: request.key,
        customer: request.customer,
        rules: request.rules,
        mask: mask_order(&request.mask, temporary)?,
        named: request.named,
        report_folder: out.map(Path::to_owned),
        csv: request.csv,
        memory_bytes: planned(request.memory_bytes, request.threads),
        threads: request.threads,
    };
    let limits = WorkerLimits {
        wall: None,
        memory_bytes: Some(request.memory_bytes.saturating_add(MARGIN_BYTES)),
        ..WorkerLimits::default()
    };
    let mask = job.mask.clone();
    let tables = vec![job.old.clone(), job.new.clone()];
    let found = match (run(job, limits, crew, temporary).await, mask) {
        (Err(DiffError::Failed(failure)), Some(mask)) => {
            Err(unquoted(failure, mask, tables, crew, temporary).await)
        }
        (found, _) => found,
    };
    if found.is_err()
        && let Some(out) = out
    {
        remove_unfinished(out);
    }
    let tables = [request.old, request.new];
    report(found?, tables, request.out, request.csv)
}

/// The same failure without values of masked columns.
async fn unquoted(
    failure: Failure,
    mask: MaskOrder,
    tables: Vec<TableSource>,
    crew: &Crew,
    temporary: &Path,
) -> DiffError {
    let job = ScrubJob {
        mask,
        tables,
        output: None,
        texts: vec![failure.message],
        files: Vec::new(),
    };
    let scrubbed = scrub(crew, job, &temporary.join("scrub")).await;
    let message = scrubbed.map_or_else(|why| withheld(&why), |texts| texts.concat());
    DiffError::Failed(Failure::new(failure.kind, message))
}

/// Nobody keeps the key: tokens are equal within one report.
fn mask_order(columns: &[String], temporary: &Path) -> Result<Option<MaskOrder>, DiffError> {
    if columns.is_empty() {
        return Ok(None);
    }
    Ok(Some(MaskOrder {
        columns: MaskedColumns::new(columns),
        key_file: throwaway_key(temporary)?,
    }))
}

async fn table(
    side: &'static str,
    location: &str,
    crew: &Crew,
    temporary: &Path,
) -> Result<TableSource, DiffError> {
    let base = Path::new(".");
    let snapshot = pin(side, location, base).map_err(|error| match error {
        PinError::NotFound { location, .. } => DiffError::NotFound { side, location },
        error => DiffError::Pin(error),
    })?;
    let (base, snapshot) = if snapshot.delta_version.is_some() {
        let folder = temporary.join(side);
        let copied = observe::copy_delta(&snapshot, base, &folder, crew).await;
        copied.map_err(|source| DiffError::Copy { side, source })?;
        let copy = observe::as_copied(&snapshot, &folder);
        (folder, copy)
    } else {
        (base.to_owned(), snapshot)
    };
    Ok(TableSource {
        base,
        snapshot,
        types: BTreeMap::new(),
    })
}

/// Makes a folder ready for a report. The summary is written last, so that a report that has none is not finished:
/// therefore that of an earlier report goes first.
fn make_room(folder: &Path) -> Result<(), DiffError> {
    require_free(folder)?;
    remove_unfinished(folder);
    match fs::remove_file(folder.join(SUMMARY_JSON)) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(DiffError::Out {
            folder: folder.display().to_string(),
            source,
        }),
        _ => Ok(()),
    }
}

/// An earlier report may be replaced; whatever else is there is somebody's, and nothing is mixed with it.
fn require_free(folder: &Path) -> Result<(), DiffError> {
    let named = || folder.display().to_string();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(DiffError::Out {
                folder: named(),
                source,
            });
        }
    };
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    match names
        .filter(|name| !is_report_file(name))
        // One that was killed could not remove them.
        .filter(|name| !name.starts_with(TEMPORARY_PREFIX))
        .min()
    {
        Some(file) => Err(DiffError::OutNotEmpty {
            folder: named(),
            file,
        }),
        None => Ok(()),
    }
}

fn is_report_file(name: &str) -> bool {
    let mut parts = (1..=MAX_CSV_FILES).map(diff_csv);
    REPORT_FILES.contains(&name) || parts.any(|part| part == name)
}

/// A worker that was killed could not remove its unfinished files. There were none before it began.
fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What of a worker's memory the comparison may plan with.
fn planned(memory_bytes: u64, threads: usize) -> u64 {
    let own = OWN_BYTES + THREAD_BYTES * threads as u64;
    memory_bytes.saturating_sub(own).max(memory_bytes / 2)
}

async fn run(
    job: DiffJob,
    limits: WorkerLimits,
    crew: &Crew,
    temporary: &Path,
) -> Result<Findings, DiffError> {
    let invocation = Invocation {
        step: "diff".to_owned(),
        folder: temporary.join("work"),
        at_work: None,
        confinement: None,
        job: Job::Diff(Box::new(job)),
    };
    let end = crew.run(&invocation, limits, &temporary.join("log")).await;
    match end.answer.map_err(DiffError::Failed)? {
        Answer::Compared(findings) => Ok(findings),
        Answer::NoColumn(message) => Err(DiffError::NoColumn(message)),
        _ => Err(DiffError::Failed(Failure::new(
            FailureKind::Died,
            "answered something else than it was asked",
        ))),
    }
}

fn report(
    found: Findings,
    tables: [String; 2],
    out: Option<PathBuf>,
    csv: CsvDialect,
) -> Result<DiffReport, DiffError> {
    let Findings { comparison, diff } = found;
    let verdict = judge_comparison(&comparison, Vec::new());
    let sides = ["OLD".to_owned(), "NEW".to_owned()];
    let mut task = TaskReport::new(sides, &verdict, Some(&comparison), |_| {
        (Stage::Shadow, Side::Old)
    });
    let folder = out
        .as_ref()
        .map(|out| out.display().to_string())
        .unwrap_or_default();
    task.files = Some(TaskFiles {
        folder,
        diff: diff.clone(),
    });
    let report = DiffReport {
        version: DIFF_FORMAT,
        verdict: verdict.verdict,
        reasons: verdict.reasons.clone(),
        comparison,
        tables,
        task,
        out,
    };
    if let Some(out) = &report.out {
        write_files(out, &report, &verdict, csv, diff)?;
    }
    Ok(report)
}

fn write_files(
    out: &Path,
    report: &DiffReport,
    verdict: &TaskVerdict,
    csv: CsvDialect,
    diff: DiffFiles,
) -> Result<(), ReportError> {
    write_customers(out, csv, lines(verdict, &report.comparison))?;
    html::write(&out.join(html::REPORT_HTML), &html::of_diff(report))?;
    let summary = Summary {
        version: SUMMARY_FORMAT,
        verdict: report.verdict,
        reasons: report.reasons.clone(),
        origin: Origin::default(),
        comparison: report.comparison.clone(),
        diff,
    };
    summary.write(out)
}

fn lines(verdict: &TaskVerdict, comparison: &Comparison) -> Vec<CustomerLine> {
    let line = |(customer, counts): (&_, &_)| CustomerLine {
        customer: Clone::clone(customer),
        verdict: verdict
            .customers
            .get(customer)
            .copied()
            .unwrap_or(verdict.verdict),
        stage: None,
        counts: *counts,
    };
    comparison.customers.iter().map(line).collect()
}
