//! `run.json`: what a run was, for whoever asks later.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};
use understudy_core::digest::Digest;
use understudy_core::ledger::Repaired;
use understudy_core::plan::{Half, Plan};
use understudy_core::run::RunLog;
use understudy_core::run_date::RunDate;
use understudy_core::snapshot::InputSnapshot;
use understudy_core::visible::quiet_json;

use super::RunEnd;
use crate::clock;
use crate::error::RunError;
use crate::prepare::Prepared;
use crate::report::model::RunReport;
use crate::store::durable;
use crate::store::layout::Store;
use crate::store::upload::copy_records;

/// The format that this program writes.
pub const RECORD_FORMAT: u32 = 2;

/// One run, as it is stored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// The format, [`RECORD_FORMAT`].
    pub version: u32,
    /// The run's id.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The date that it computes.
    pub date: RunDate,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was begun last, RFC 3339 in UTC.
    pub started_at: String,
    /// When it ended; `None` while it goes on, or if it was cut off.
    pub finished_at: Option<String>,
    /// Its pinned instant, which `now()` gives: nanoseconds since the epoch.
    pub now_nanos: i64,
    /// What it was to do.
    pub plan: Plan,
    /// What it read.
    pub inputs: InputSnapshot,
    /// The digest of each version's code, by task and version.
    pub code: BTreeMap<String, BTreeMap<String, Digest>>,
    /// What happened.
    pub log: RunLog,
    /// What people and programs read; `None` until it ended.
    pub report: Option<RunReport>,
    /// What it repairs; `None` for an ordinary run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repaired>,
}

impl RunRecord {
    pub(super) fn begin(prepared: &Prepared, earlier: Option<&Self>) -> Self {
        Self {
            version: RECORD_FORMAT,
            run: prepared.plan.run.clone(),
            pipeline: prepared.plan.pipeline.clone(),
            date: prepared.plan.date,
            attempts: earlier.map_or(0, |record| record.attempts) + 1,
            started_at: clock::now_text(),
            finished_at: None,
            now_nanos: earlier.map_or_else(clock::now_nanos, |record| record.now_nanos),
            plan: prepared.plan.clone(),
            inputs: prepared.inputs.clone(),
            code: prepared.code.clone(),
            log: earlier.map(|record| record.log.clone()).unwrap_or_default(),
            report: None,
            repair: prepared.repair.clone(),
        }
    }

    pub(super) fn finish(&mut self, end: &RunEnd, log: RunLog) {
        self.finished_at = Some(clock::now_text());
        self.log = log;
        self.report = Some(end.report.clone());
    }

    pub(super) fn write(&self, store: &Store) -> Result<(), RunError> {
        let json = serde_json::to_string_pretty(self)
            .expect("a run's record has a JSON form: its keys are texts");
        let json = quiet_json(json).into_bytes();
        let path = store.run_file(&self.run);
        durable::create_dirs(&store.run_dir(&self.run))?;
        Ok(durable::replace(&path, &json)?)
    }
}

/// Keeps what the flags said to a run: from it, each decision can be made again. A retry of the same run leaves what the
/// first attempt was told.
pub(super) fn write_flags(
    store: &Store,
    run: &str,
    flags: &serde_json::Value,
) -> Result<(), RunError> {
    if store.flags_file(run).exists() {
        return Ok(());
    }
    let bytes = serde_json::to_vec_pretty(flags).expect("JSON has a JSON form");
    Ok(durable::replace(&store.flags_file(run), &bytes)?)
}

/// The record of a run, if there is one.
///
/// # Errors
/// It cannot be read.
pub fn read(store: &Store, run: &str) -> Result<Option<RunRecord>, RunError> {
    let path = store.run_file(run);
    let bad = |reason: String| RunError::BadRecord {
        path: path.display().to_string(),
        reason,
    };
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(bad(error.to_string())),
    };
    let record: RunRecord =
        serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if record.version != RECORD_FORMAT {
        return Err(bad(format!(
            "it has format {}, and this program reads {RECORD_FORMAT}",
            record.version
        )));
    }
    Ok(Some(record))
}

/// The run that ended last.
///
/// # Errors
/// No run has ended, or the runs cannot be listed.
pub fn last(store: &Store) -> Result<RunRecord, RunError> {
    copy_records(store)?;
    let folder = store.runs_dir();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_run()),
        Err(source) => {
            return Err(RunError::Machine {
                what: format!("`{}` cannot be listed", folder.display()),
                source,
            });
        }
    };
    let modified = |entry: fs::DirEntry| {
        let written = fs::metadata(entry.path().join("run.json"))
            .ok()?
            .modified()
            .ok()?;
        Some((written, entry.file_name().into_string().ok()?))
    };
    let mut runs: Vec<_> = entries.flatten().filter_map(modified).collect();
    runs.sort();
    for (_, run) in runs.into_iter().rev() {
        if let Some(record) = read(store, &run)?.filter(|record| record.report.is_some()) {
            return Ok(record);
        }
    }
    Err(no_run())
}

/// The run of that id, or of the one id that begins so.
///
/// # Errors
/// There is none, there are several, or it cannot be read.
pub fn named(store: &Store, name: &str) -> Result<RunRecord, RunError> {
    copy_records(store)?;
    if let Some(record) = read(store, name)? {
        return Ok(record);
    }
    let runs: Vec<String> = fs::read_dir(store.runs_dir())
        .map(|entries| {
            entries
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect()
        })
        .unwrap_or_default();
    let mut found = runs
        .iter()
        .filter(|run| !name.is_empty() && run.starts_with(name));
    match (found.next(), found.next()) {
        (Some(run), None) => read(store, run)?.ok_or_else(no_run),
        (Some(_), Some(_)) => Err(RunError::NoRun(format!(
            "`{name}` begins the ids of several runs; give more of it"
        ))),
        (None, _) => Err(RunError::NoRun(format!(
            "there is no run `{name}` in `{}`",
            store.root().display()
        ))),
    }
}

/// What the shadow half took relative to the live half, the last time that both were executed.
///
/// # Errors
/// The last run cannot be read.
pub fn cost(store: &Store) -> Result<Option<String>, RunError> {
    let record = match last(store) {
        Ok(record) => record,
        Err(RunError::NoRun(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let wall = |half: Half| -> u64 {
        let own = record
            .log
            .nodes
            .iter()
            .filter(|(id, _)| record.plan.node(**id).half == half);
        own.map(|(_, node)| node.usage.wall_ms).sum()
    };
    let compared = record.log.comparisons.values().map(|record| record.usage);
    let compared: u64 = compared
        .chain(record.log.leaks.values().map(|record| record.usage))
        .map(|usage| usage.wall_ms)
        .sum();
    let (live, shadow) = (wall(Half::Live), wall(Half::Shadow));
    if live == 0 || shadow + compared == 0 {
        return Ok(None);
    }
    let times = |ms: u64| format!("{}.{:02} x", ms / live, ms % live * 100 / live);
    let text = format!(
        "in run {} the shadow took {} of live's {} ms, and comparing {}",
        record.run,
        times(shadow),
        live,
        times(compared)
    );
    Ok(Some(text))
}

fn no_run() -> RunError {
    RunError::NoRun("no run of this pipeline has ended yet; start with `understudy run`".to_owned())
}
