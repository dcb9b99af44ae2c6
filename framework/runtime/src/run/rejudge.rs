//! Judging stored runs again, because the rules are others: the outputs are still in quarantine, so nothing is computed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use understudy_core::comparison::Comparison;
use understudy_core::digest::Digest;
use understudy_core::evidence::{Track, TrackRun};
use understudy_core::judge::lanes::{ChangeVerdict, judge};
use understudy_core::ledger::Entry;
use understudy_core::plan::{Plan, PlannedComparison};
use understudy_core::rule::Rule;
use understudy_core::run::RunLog;
use understudy_core::run_date::RunDate;
use understudy_core::spec::{Change, Spec};
use understudy_core::verdict::Verdict;
use understudy_core::world::Side;

use super::record::{self, RunRecord};
use super::{Attempt, Claim, Halves, LiveEnd, RunRequest, claimed, reporting};
use crate::error::RunError;
use crate::events::Silent;
use crate::evidence::{code_of, rules_of, track};
use crate::execute::{Executor, Resources, Reuse};
use crate::mask::with_key;
use crate::observe::{CodeDigests, SchemaReport, When, code_digests, find_customers};
use crate::pipeline::{self, Pipeline};
use crate::prepare::{Asked, Prepared};
use crate::report::model::ChangeReport;
use crate::rollout::waivers;
use crate::store::Store;
use crate::store::ledger;
use crate::store::listing::Listing;
use crate::store::upload::upload_run;
use crate::worker::Crew;

/// What became of the runs whose rules were others.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Rejudged {
    /// Those that were judged again, the newest first.
    pub runs: Vec<JudgedAgain>,
    /// How many were judged by these very rules before, and were left as they are.
    pub unchanged: usize,
    /// Why an older one could not be, and nothing before it was tried.
    pub stopped: Option<String>,
}

/// A run that was judged again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct JudgedAgain {
    /// Its date.
    pub date: RunDate,
    /// Its id.
    pub run: String,
    /// What it said before; `None` where its report does not tell.
    pub before: Option<Judged>,
    /// What it says now.
    pub after: Judged,
}

/// A verdict, in figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Judged {
    /// The verdict on the change.
    pub verdict: Verdict,
    /// Rows that no rule allows, over the tasks.
    pub unexpected: u64,
    /// Rows that rules expect, over the tasks.
    pub expected: u64,
}

impl JudgedAgain {
    /// Whether the verdict is another one.
    #[must_use]
    pub fn turned(&self) -> bool {
        self.before
            .is_none_or(|before| before.verdict != self.after.verdict)
    }
}

impl Judged {
    fn of(change: &ChangeReport) -> Self {
        let rows = change.tasks.values().filter_map(|task| task.rows);
        Self {
            verdict: change.verdict,
            unexpected: rows.map(|rows| rows.unexpected).sum(),
            expected: change.tasks.values().map(|task| task.expected).sum(),
        }
    }

    fn found(verdict: &ChangeVerdict, log: &RunLog) -> Self {
        let compared = log.comparisons.values();
        let found: Vec<&Comparison> = compared
            .filter_map(|record| record.outcome.as_ref().ok())
            .collect();
        let customers = found.iter().flat_map(|found| found.customers.values());
        Self {
            verdict: verdict.verdict,
            unexpected: found.iter().map(|found| found.rows.unexpected).sum(),
            expected: customers.map(|counts| counts.expected).sum(),
        }
    }
}

/// The rules to judge by.
#[derive(Clone, Copy, Debug)]
enum By<'a> {
    /// Those of the pipeline file: what is found counts from now on.
    File,
    /// Others for one task, only to see what they would say: nothing is written.
    Trial(&'a str, &'a [Rule]),
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
    again(path, change, By::File, resources, crew).await
}

/// Says what the stored runs of a change would say if a task had other rules. Nothing is written.
///
/// # Errors
/// The pipeline, its code or its ledger cannot be read.
pub async fn try_rules(
    path: &Path,
    change: &str,
    (task, rules): (&str, &[Rule]),
    resources: Resources,
    crew: &Crew,
) -> Result<Rejudged, RunError> {
    again(path, change, By::Trial(task, rules), resources, crew).await
}

async fn again(
    path: &Path,
    change: &str,
    by: By<'_>,
    resources: Resources,
    crew: &Crew,
) -> Result<Rejudged, RunError> {
    let mut pipeline = pipeline::load(path)?;
    let mut end = Rejudged::default();
    if !pipeline.spec.changes.contains_key(change) {
        return Ok(end);
    }
    let store = Store::of(&pipeline);
    let entries = ledger::open(&store)?.entries().to_vec();
    let judged = track(&store, &pipeline.spec, &entries, change);
    let code = code_digests(&pipeline)?;
    waivers::grant(&mut pipeline.spec, &entries, &code);
    let rules = rules_of(&pipeline.spec, change);
    let is_same = |run: &TrackRun| matches!(by, By::File) && run.rules == rules;
    if judged.runs.values().all(is_same) {
        end.unchanged = judged.runs.len();
        return Ok(end);
    }
    let wanted = code_of(&pipeline.spec, &code, change);
    for (run, known) in newest_first(&judged) {
        if known.code != wanted {
            break;
        }
        if is_same(known) {
            end.unchanged += 1;
            continue;
        }
        let stored = Stored {
            path,
            change,
            by,
            run,
            known,
            resources,
            crew,
            entries: &entries,
        };
        match stored.judge_again(&code).await {
            Ok(judged) => end.runs.push(judged),
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
    by: By<'a>,
    run: &'a str,
    known: &'a TrackRun,
    resources: Resources,
    crew: &'a Crew,
    entries: &'a [Entry],
}

impl Stored<'_> {
    async fn judge_again(&self, code: &CodeDigests) -> Result<JudgedAgain, String> {
        let mut pipeline = pipeline::load(self.path).map_err(|error| error.to_string())?;
        waivers::grant(&mut pipeline.spec, self.entries, code);
        let store = Store::of(&pipeline);
        let record = record::read(&store, self.run).map_err(|error| error.to_string())?;
        let mut record = record.ok_or("its record is gone")?;
        self.know_customers(&mut pipeline, &record).await?;
        let plan = self.plan(&pipeline.spec, &record)?;
        let before = record.report.as_ref();
        let before = before.and_then(|report| report.changes.get(self.change));
        let mut judged = JudgedAgain {
            date: self.known.date,
            run: self.run.to_owned(),
            before: before.map(Judged::of),
            after: Judged {
                verdict: Verdict::Inconclusive,
                unexpected: 0,
                expected: 0,
            },
        };
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
        if let By::Trial(..) = self.by {
            judged.after = self.tried(&executor).await?;
            return Ok(judged);
        }
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
        if let Some(verdict) = verdicts.get(self.change) {
            judged.after = Judged::found(verdict, &executor.log.borrow());
        }
        upload_run(&prepared.store, self.run).map_err(|error| error.to_string())?;
        Ok(judged)
    }

    /// Compares into a folder of its own, and judges without telling anybody.
    async fn tried(&self, executor: &Executor<'_>) -> Result<Judged, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for (position, planned) in executor.plan.comparisons.iter().enumerate() {
            require_outputs(executor, position)?;
            let name = format!("compare {} of {}", planned.task, planned.change);
            let folder = folder.path().join(position.to_string());
            std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            let (found, _) = executor.comparison(planned, &folder, &name).await;
            executor
                .log
                .borrow_mut()
                .comparisons
                .insert(position, found);
        }
        let log = executor.log.borrow();
        let verdicts = judge(executor.plan, &log);
        let verdict = verdicts.get(self.change);
        let verdict = verdict.ok_or("it compared nothing of the change")?;
        Ok(Judged::found(verdict, &log))
    }

    /// A query for customers that stands as it stood gives those whom it gave then; another one is asked now.
    async fn know_customers(
        &self,
        pipeline: &mut Pipeline,
        record: &RunRecord,
    ) -> Result<(), String> {
        let rules = record.plan.comparisons.iter();
        let known: Vec<&Rule> = rules.flat_map(|planned| &planned.rules).collect();
        let Some(change) = pipeline.spec.changes.get_mut(self.change) else {
            return Ok(());
        };
        let mut is_known = true;
        for rule in change.expect.values_mut().flatten() {
            let Some(query) = &rule.customer_query else {
                continue;
            };
            let mut then = known.iter();
            match then.find(|then| then.customer_query.as_ref() == Some(query)) {
                Some(then) => rule.customers.clone_from(&then.customers),
                None => is_known = false,
            }
        }
        if is_known {
            return Ok(());
        }
        let when = When {
            date: self.known.date,
            slice: None,
        };
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let problems = find_customers(pipeline, &when, self.crew, folder.path()).await;
        match problems.first() {
            Some(problem) => Err(problem.message.clone()),
            None => Ok(()),
        }
    }

    /// The rules of a task.
    fn rules(&self, change: &Change, task: &str) -> Vec<Rule> {
        match self.by {
            By::Trial(other, rules) if other == task => rules.to_vec(),
            _ => change.rules(task),
        }
    }

    /// The plan as it was, with the change's comparisons only, and the rules of now.
    fn plan(&self, spec: &Spec, record: &RunRecord) -> Result<Plan, String> {
        let change = &spec.changes[self.change];
        let own = record.plan.comparisons.iter();
        let own = own.filter(|planned| planned.change == self.change);
        let comparisons: Vec<PlannedComparison> = own
            .map(|planned| PlannedComparison {
                rules: self.rules(change, &planned.task),
                checks: change
                    .compare
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
            at_work: None,
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
        verdicts: &BTreeMap<String, ChangeVerdict>,
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
            planned.checks.clone_from(&judged.checks);
            if let Some(found) = log.comparisons.get(&now) {
                record.log.comparisons.insert(position, found.clone());
            }
        }
        drop(log);
        if let (Some(report), Some(verdict)) = (&mut record.report, verdicts.get(self.change)) {
            let change = reporting::change(attempt, &request, self.change, verdict);
            report.changes.insert(self.change.to_owned(), change);
            let written = reporting::write_page(attempt, report, self.change);
            if let (Err(_), Some(change)) = (written, report.changes.get_mut(self.change)) {
                change.page = None;
            }
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
        taken_back: BTreeMap::new(),
        flags: None,
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
