//! Judging stored runs again, because the rules are others: the outputs are still in quarantine, so nothing is computed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use understudy_core::digest::Digest;
use understudy_core::evidence::{Track, TrackRun};
use understudy_core::plan::{Plan, PlannedComparison};
use understudy_core::run::RunLog;
use understudy_core::spec::Spec;
use understudy_core::world::Side;

use super::record::{self, RunRecord};
use super::{Attempt, Claim, Halves, LiveEnd, RunRequest, claimed, reporting};
use crate::error::RunError;
use crate::events::Silent;
use crate::evidence::{code_of, rules_of, track};
use crate::execute::{Executor, Resources, Reuse};
use crate::mask::with_key;
use crate::observe::{CodeDigests, SchemaReport, code_digests};
use crate::pipeline::{self, Pipeline};
use crate::prepare::{Asked, Prepared};
use crate::store::Store;
use crate::store::ledger;
use crate::store::listing::Listing;
use crate::store::upload::upload_run;
use crate::worker::Crew;

/// What became of the runs whose rules were others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rejudged {
    /// How many were judged again.
    pub runs: usize,
    /// Why an older one could not be, and nothing before it was tried.
    pub stopped: Option<String>,
}

/// Judges the stored runs of a change by the rules of now, the newest first, as far back as they are of the code of now
/// and their outputs are there. What they say is as old as it was.
///
/// # Errors
/// The pipeline, its code or its ledger cannot be read.
pub async fn rejudge(
    path: &Path,
    change: &str,
    resources: Resources,
    crew: &Crew,
) -> Result<Rejudged, RunError> {
    let pipeline = pipeline::load(path)?;
    let mut end = Rejudged::default();
    if !pipeline.spec.changes.contains_key(change) {
        return Ok(end);
    }
    let store = Store::of(&pipeline);
    let entries = ledger::open(&store)?.entries().to_vec();
    let judged = track(&store, &pipeline.spec, &entries, change);
    let rules = rules_of(&pipeline.spec, change);
    if judged.runs.values().all(|run| run.rules == rules) {
        return Ok(end);
    }
    let code = code_digests(&pipeline)?;
    let wanted = code_of(&pipeline.spec, &code, change);
    for (run, known) in newest_first(&judged) {
        if known.code != wanted {
            break;
        }
        if known.rules == rules {
            continue;
        }
        let stored = Stored {
            path,
            change,
            run,
            known,
            resources,
            crew,
        };
        match stored.judge_again(&code).await {
            Ok(()) => end.runs += 1,
            Err(reason) => {
                end.stopped = Some(format!("run {run} of {}: {reason}", known.date));
                break;
            }
        }
    }
    Ok(end)
}

/// The runs that some lane still speaks of.
fn newest_first(track: &Track) -> Vec<(&str, &TrackRun)> {
    let lanes = track.lanes.values().flat_map(|lane| &lane.runs);
    let spoken: BTreeSet<&str> = lanes.map(|one| &*one.run).collect();
    let runs = track.runs.iter();
    let mut runs: Vec<(&str, &TrackRun)> = runs
        .map(|(run, known)| (run.as_str(), known))
        .filter(|(run, _)| spoken.contains(run))
        .collect();
    runs.sort_by_key(|(_, known)| std::cmp::Reverse((known.finished, known.date)));
    runs
}

struct Stored<'a> {
    path: &'a Path,
    change: &'a str,
    run: &'a str,
    known: &'a TrackRun,
    resources: Resources,
    crew: &'a Crew,
}

impl Stored<'_> {
    async fn judge_again(&self, code: &CodeDigests) -> Result<(), String> {
        let pipeline = pipeline::load(self.path).map_err(|error| error.to_string())?;
        let store = Store::of(&pipeline);
        let record = record::read(&store, self.run).map_err(|error| error.to_string())?;
        let mut record = record.ok_or("its record is gone")?;
        let plan = self.plan(&pipeline.spec, &record)?;
        let prepared = Prepared {
            // It knows of no more moves than it did then.
            last_move: self.known.seen,
            ..prepared(pipeline, store, &record, plan, code)
        };
        let plan = &prepared.plan;
        let slice = plan.slice.as_ref().map(|slice| slice.name.as_str());
        let claim = claimed(&prepared.store, &plan.pipeline, plan.date, slice);
        let Claim { _locks, lease } = claim.map_err(|error| error.to_string())?;
        with_key(&prepared.store, &prepared.pipeline.spec).map_err(|error| error.to_string())?;
        let executor = self.executor(&prepared, &record);
        for position in 0..prepared.plan.comparisons.len() {
            require_outputs(&executor, position)?;
            executor.compare(position).await;
        }
        let attempt = Attempt {
            prepared: &prepared,
            executor: &executor,
            live: LiveEnd::NotAsked,
            live_wall: Duration::ZERO,
            bug: false,
            lease,
            listing: Listing::default(),
            ran_at: Some(time(self.known.finished)),
        };
        let verdicts = attempt.judge(Halves::Shadow);
        if let Some(alert) = executor.log.borrow().alerts.first() {
            return Err(alert.clone());
        }
        self.remember(&attempt, &verdicts, &mut record);
        upload_run(&prepared.store, self.run).map_err(|error| error.to_string())
    }

    /// The plan as it was, with the change's comparisons only, and the rules of now.
    fn plan(&self, spec: &Spec, record: &RunRecord) -> Result<Plan, String> {
        let change = &spec.changes[self.change];
        let own = record.plan.comparisons.iter();
        let own = own.filter(|planned| planned.change == self.change);
        let comparisons: Vec<PlannedComparison> = own
            .map(|planned| PlannedComparison {
                rules: change
                    .expect
                    .get(&planned.task)
                    .cloned()
                    .unwrap_or_default(),
                ..planned.clone()
            })
            .collect();
        let compared: BTreeSet<&String> = comparisons.iter().map(|planned| &planned.task).collect();
        let wanted: BTreeSet<&String> = change.new.keys().chain(&change.downstream).collect();
        if compared != wanted {
            return Err("it compared other tasks than the change names now".to_owned());
        }
        Ok(Plan {
            comparisons,
            ..record.plan.clone()
        })
    }

    fn executor<'a>(&self, prepared: &'a Prepared, record: &RunRecord) -> Executor<'a>
    where
        Self: 'a,
    {
        let crew: &'a Crew = self.crew;
        Executor {
            pipeline: &prepared.pipeline,
            plan: &prepared.plan,
            inputs: &prepared.inputs,
            store: &prepared.store,
            crew,
            events: &Silent,
            now_nanos: record.now_nanos,
            resources: self.resources,
            reuse: Reuse::Complete,
            log: RefCell::new(RunLog {
                comparisons: BTreeMap::new(),
                alerts: Vec::new(),
                ..record.log.clone()
            }),
            honoured: RefCell::default(),
            diffs: RefCell::default(),
        }
    }

    /// Whoever reads the run's report later reads what it says now.
    fn remember(
        &self,
        attempt: &Attempt<'_>,
        verdicts: &BTreeMap<String, understudy_core::judge::lanes::ChangeVerdict>,
        record: &mut RunRecord,
    ) {
        let request = RunRequest {
            pipeline: self.path,
            asked: Asked::default(),
            halves: Halves::Shadow,
            reuse: Reuse::Complete,
            resources: self.resources,
        };
        let own = record.plan.comparisons.iter_mut().enumerate();
        let own = own.filter(|(_, planned)| planned.change == self.change);
        let log = attempt.executor.log.borrow();
        let again = attempt.prepared.plan.comparisons.iter().enumerate();
        for ((position, planned), (now, judged)) in own.zip(again) {
            planned.rules.clone_from(&judged.rules);
            if let Some(found) = log.comparisons.get(&now) {
                record.log.comparisons.insert(position, found.clone());
            }
        }
        drop(log);
        if let (Some(report), Some(verdict)) = (&mut record.report, verdicts.get(self.change)) {
            let change = reporting::change(attempt, &request, self.change, verdict);
            report.changes.insert(self.change.to_owned(), change);
        }
        // The evidence is in the ledger; a record that cannot be written costs the report its news.
        let _ = record.write(&attempt.prepared.store);
    }
}

/// Only what the run made is judged: both sides are there, whole, and made as the plan says.
fn require_outputs(executor: &Executor<'_>, position: usize) -> Result<(), String> {
    let planned = &executor.plan.comparisons[position];
    for side in [Side::Old, Side::New] {
        let id = planned.node(side);
        // What failed then is judged as it was then.
        if executor.log.borrow().failure(id).is_some() {
            continue;
        }
        let task = &planned.task;
        if !executor.is_complete(id) {
            let side = side.name();
            return Err(format!(
                "the {side} output of `{task}` is not in quarantine any more"
            ));
        }
    }
    Ok(())
}

fn prepared(
    pipeline: Pipeline,
    store: Store,
    record: &RunRecord,
    plan: Plan,
    code: &CodeDigests,
) -> Prepared {
    Prepared {
        pipeline,
        store,
        inputs: record.inputs.clone(),
        code: code.clone(),
        schemas: SchemaReport::default(),
        plan,
        ledger_entries: 0,
        last_move: 0,
        ledger_is_readable: true,
        rollouts: BTreeMap::new(),
        other_code: BTreeMap::new(),
        live_edits: Vec::new(),
        alerts: Vec::new(),
        repair: None,
    }
}

fn time(at: i64) -> String {
    let at = DateTime::<Utc>::from_timestamp(at, 0).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Whether runs of a change were judged by other rules than those of now, as far as the index knows.
#[must_use]
pub fn is_needed(judged: &Track, rules: &Digest) -> bool {
    newest_first(judged)
        .iter()
        .any(|(_, known)| known.rules != *rules)
}
