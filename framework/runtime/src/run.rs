//! `run`: the live half, publishing, the shadow half, the verdicts, the record.

pub mod backfill;
mod judging;
mod publishing;
pub mod record;
mod recording;
pub mod rejudge;
mod reporting;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use understudy_core::digest::Digest;
use understudy_core::event::Event;
use understudy_core::judge::lanes::ChangeVerdict;
use understudy_core::ledger::{LedgerEvent, PublishedRun};
use understudy_core::plan::{Half, InputFrom, Node, NodeId, Work};
use understudy_core::run::{Failure, FailureKind, RunLog};
use understudy_core::run_date::RunDate;
use understudy_core::snapshot::InputSnapshot;
use understudy_core::verdict::Verdict;

use crate::error::RunError;
use crate::events::{EventSink, Recorder};
use crate::execute::{Executor, Resources, Reuse};
use crate::flags::keep_for_retries;
use crate::mask::with_key;
use crate::observe::{CodeDigests, When, changed_inputs, code_digests, require_tables};
use crate::pipeline;
use crate::prepare::{Asked, Prepared, prepare};
use crate::repair::editions::note_run;
use crate::report::model::{LiveStatus, RunReport};
use crate::rollout::kept;
use crate::store::Store;
use crate::store::claim::{self, Leased};
use crate::store::durable;
use crate::store::lease::Lease;
use crate::store::ledger;
use crate::store::listing::Listing;
use crate::store::lock::Lock;
use crate::store::publish::{Finished, Outcome, finish_pending};
use crate::store::upload::upload_run;
use crate::worker::Crew;

use understudy_tasks::DATA_FILE;

use self::record::RunRecord;

/// Which halves to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Halves {
    /// Live, then shadow.
    Both,
    /// Publish and return.
    Live,
    /// Everything but publishing.
    Shadow,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct RunRequest<'a> {
    /// The pipeline's folder or file.
    pub pipeline: &'a Path,
    /// The date and the slice, as far as they were named.
    pub asked: Asked<'a>,
    /// Which halves.
    pub halves: Halves,
    /// Whether what is complete is taken.
    pub reuse: Reuse,
    /// With what.
    pub resources: Resources,
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub struct RunEnd {
    /// What people and programs read.
    pub report: RunReport,
    /// Why live failed, if it did.
    pub live_failure: Option<Failure>,
    /// The worst verdict; `None` where no change was to be judged.
    pub verdict: Option<Verdict>,
    /// Whether somebody stopped it.
    pub interrupted: bool,
}

/// Does a run.
///
/// # Errors
/// What keeps live from beginning: the pipeline file, the inputs, the store. Everything after that is in the end.
pub async fn run(
    request: &RunRequest<'_>,
    crew: &Crew,
    events: &dyn EventSink,
) -> Result<RunEnd, RunError> {
    let started = Instant::now();
    crew.begin();
    // What a crash left half published is finished before anything is looked at.
    let store = Store::of(&pipeline::load(request.pipeline)?);
    let finished = finish_pending(&store)?;
    // A ledger that cannot be written is no reason not to publish; what comes next says that it cannot.
    let recorded = record_finished(&store, &finished);
    let mut prepared = prepare(request.pipeline, request.asked, crew).await?;
    if request.halves != Halves::Shadow {
        prepared.alert_live_edits()?;
    }
    let prepared = prepared;
    kept::keep(&prepared.pipeline.spec, &prepared.store);
    require_live_inputs(&prepared, request.halves)?;
    let plan = &prepared.plan;
    let slice = plan.slice.as_ref().map(|slice| slice.name.as_str());
    let claim = claimed(&store, &plan.pipeline, plan.date, slice)?;
    let begun = Begun {
        started,
        finished,
        recorded,
    };
    carry_out(request, &prepared, claim, begun, crew, events).await
}

/// What there is to say of the time before a run.
#[derive(Debug)]
pub(crate) struct Begun {
    /// When it was asked for.
    pub(crate) started: Instant,
    /// What earlier runs had left half published.
    pub(crate) finished: Vec<Finished>,
    /// Whether the ledger knows of that.
    pub(crate) recorded: Result<(), RunError>,
}

/// Does what was prepared, while its date is claimed.
///
/// # Errors
/// As [`run`].
pub(crate) async fn carry_out(
    request: &RunRequest<'_>,
    prepared: &Prepared,
    claim: Claim,
    begun: Begun,
    crew: &Crew,
    events: &dyn EventSink,
) -> Result<RunEnd, RunError> {
    let Begun {
        started,
        finished,
        recorded,
    } = begun;
    let Claim { _locks, lease } = claim;
    with_key(&prepared.store, &prepared.pipeline.spec)?;
    let stored = record::read(&prepared.store, &prepared.plan.run)?;
    let request = &RunRequest {
        reuse: reuse(request.reuse, stored.as_ref()),
        ..*request
    };
    let earlier = stored.as_ref().filter(|_| request.reuse == Reuse::Complete);
    let mut record = RunRecord::begin(prepared, earlier);
    // Should this attempt be cut off, the next one has to know of it too.
    record.log.changed_inputs = stored
        .iter()
        .flat_map(|record| record.log.changed_inputs.clone())
        .collect();
    record.write(&prepared.store)?;
    if let Some(flags) = &prepared.flags {
        record::write_flags(&prepared.store, &prepared.plan.run, flags)?;
        if request.halves != Halves::Shadow && !prepared.taken_back.is_empty() {
            keep_for_retries(prepared, flags)?;
        }
    }
    let recorder = Recorder::new(&prepared.store.events_file(&prepared.plan.run), events);
    let executor = executor(request, prepared, crew, &recorder, &record);
    executor.events.emit(&Event::RunStarted {
        run: record.run.clone(),
        steps: Executor::step_count(&prepared.plan),
    });
    for finished in &finished {
        executor.events.emit(&Event::Alert {
            message: format!(
                "run {} had been cut off while it published; {}",
                finished.run,
                match finished.outcome {
                    Outcome::Published => "that is finished now",
                    Outcome::TakenBack => "nothing of it was published",
                    Outcome::Overtaken =>
                        "another run has published the same since, and that stays",
                }
            ),
        });
    }
    if let Err(error) = recorded {
        executor.events.emit(&Event::Alert {
            message: format!("what was finished is not recorded in the ledger: {error}"),
        });
    }
    prepared.alerts.iter().for_each(|message| {
        executor.events.emit(&Event::Alert {
            message: message.clone(),
        })
    });
    let mut attempt = Attempt {
        prepared,
        executor: &executor,
        live: LiveEnd::NotAsked,
        live_wall: Duration::ZERO,
        bug: false,
        lease,
        ran_at: None,
        listing: Listing::default(),
    };
    attempt.live(request.halves, earlier).await?;
    // From here on live has what it gets: nothing that goes wrong changes how the run ends for it.
    let verdicts = attempt.shadow(request.halves).await;
    let end = attempt.end(verdicts, request, started.elapsed());
    record.finish(&end, executor.log.take());
    if let Err(error) = record.write(&prepared.store) {
        executor.events.emit(&Event::Alert {
            message: format!("the run's record could not be written: {error}"),
        });
    }
    ready_editions(prepared, &record);
    if let Err(error) = upload_run(&prepared.store, &record.run) {
        executor.events.emit(&Event::Alert {
            message: format!("what the run found could not be put into the store: {error}"),
        });
    }
    executor.events.emit(&Event::RunEnded {
        run: record.run.clone(),
    });
    if request.halves != Halves::Live && !end.interrupted {
        judge_earlier_runs_again(prepared, request, crew).await;
    }
    Ok(end)
}

/// Rules that were edited since say something about the runs before this one as well. What cannot be judged again now
/// is said by the gate; the run is over.
async fn judge_earlier_runs_again(prepared: &Prepared, request: &RunRequest<'_>, crew: &Crew) {
    for change in prepared.pipeline.spec.changes.keys() {
        let _ = rejudge::rejudge(request.pipeline, change, request.resources, crew).await;
    }
}

/// Whoever looks next at what is published from which side finds it ready.
fn ready_editions(prepared: &Prepared, record: &RunRecord) {
    let moved = prepared
        .rollouts
        .iter()
        .filter(|(_, rollout)| rollout.moved);
    let Ok(ledger) = ledger::open(&prepared.store) else {
        return;
    };
    for (change, _) in moved {
        let spec = &prepared.pipeline.spec;
        note_run(&prepared.store, spec, ledger.entries(), change, record);
    }
}

/// Live waits for nobody: what it reads must be there. A shadow may wait; that is an answer.
pub(crate) fn require_live_inputs(prepared: &Prepared, halves: Halves) -> Result<(), RunError> {
    if halves == Halves::Shadow {
        return Ok(());
    }
    let live = prepared
        .plan
        .nodes
        .iter()
        .filter(|node| node.half == Half::Live);
    let read: BTreeSet<&String> = live.flat_map(stored_ids).collect();
    let inputs = InputSnapshot {
        tables: prepared
            .inputs
            .tables
            .iter()
            .filter(|(id, _)| read.contains(id))
            .map(|(id, found)| (id.clone(), found.clone()))
            .collect(),
        ..InputSnapshot::default()
    };
    Ok(require_tables(&inputs, prepared.plan.date)?)
}

fn stored_ids(node: &Node) -> Vec<&String> {
    let Work::Compute { inputs, .. } = &node.work else {
        return Vec::new();
    };
    let ids = inputs.iter().filter_map(|input| match &input.from {
        InputFrom::Stored { id, .. } => Some(id),
        _ => None,
    });
    ids.collect()
}

/// What an attempt made while its inputs changed may come from other data than the run's id says: it is not taken.
fn reuse(asked: Reuse, stored: Option<&RunRecord>) -> Reuse {
    if stored.is_some_and(|record| !record.log.changed_inputs.is_empty()) {
        Reuse::Nothing
    } else {
        asked
    }
}

/// What keeps other runs of the same customers on the same date away.
#[derive(Debug)]
pub(crate) struct Claim {
    _locks: Vec<Lock>,
    /// What keeps runs of other machines away.
    lease: Option<Lease>,
}

/// Claims a date, or a slice of it.
///
/// # Errors
/// Somebody else works on it, or nobody can tell.
pub(crate) fn claimed(
    store: &Store,
    pipeline: &str,
    date: RunDate,
    slice: Option<&str>,
) -> Result<Claim, RunError> {
    let busy = |holder: String| {
        let name = slice
            .map(|slice| format!(" slice {slice}"))
            .unwrap_or_default();
        RunError::Busy {
            date: format!("{date}{name}"),
            holder,
        }
    };
    let locks = claim::locks(store, pipeline, date, slice);
    let locks = locks.map_err(|source| RunError::Machine {
        what: format!("the store `{}` cannot be used", store.root().display()),
        source,
    })?;
    let locks = locks.ok_or_else(|| busy(claim::holder(store, pipeline, date, slice)))?;
    let claim = |lease| Claim {
        _locks: locks,
        lease,
    };
    match claim::lease(store, pipeline, date, slice)? {
        Leased::NotNeeded => Ok(claim(None)),
        Leased::Held(lease) => Ok(claim(Some(lease))),
        Leased::ByOthers => Err(busy(
            " (another machine, or one that died less than five minutes ago)".to_owned(),
        )),
    }
}

/// What an earlier run had begun to publish, and this one finished, is in the ledger as if it had not been cut off.
pub(crate) fn record_finished(store: &Store, finished: &[Finished]) -> Result<(), RunError> {
    for finished in finished {
        let [first, ..] = finished.markers.as_slice() else {
            continue;
        };
        let is_recorded = ledger::open(store)?.entries().iter().any(|entry| {
            matches!(&entry.event, LedgerEvent::Published(run) if run.run == finished.run && run.succeeded)
        });
        if is_recorded {
            continue;
        }
        let outputs = finished.markers.iter();
        let code = outputs.clone().filter_map(|marker| {
            let mut versions = marker.code.values();
            let only = versions.next().filter(|_| marker.code.len() == 1)?;
            Some((marker.task.clone(), only.clone()))
        });
        let event = LedgerEvent::Published(PublishedRun {
            pipeline: first.pipeline.clone(),
            run: finished.run.clone(),
            date: first.date,
            slice: first.slice.clone(),
            succeeded: true,
            outputs: outputs
                .map(|marker| (marker.task.clone(), marker.digest.clone()))
                .collect(),
            code: code.collect(),
            live: BTreeMap::new(),
            fallbacks: BTreeMap::new(),
            alerts: Vec::new(),
            // A record that cannot be read costs the word that it was a repair, and nothing else.
            repair: record::read(store, &finished.run)
                .ok()
                .flatten()
                .and_then(|record| record.repair),
        });
        ledger::append(store, &event, crate::clock::now())?;
    }
    Ok(())
}

fn executor<'a>(
    request: &RunRequest<'_>,
    prepared: &'a Prepared,
    crew: &'a Crew,
    events: &'a dyn EventSink,
    record: &RunRecord,
) -> Executor<'a> {
    let (store, plan) = (&prepared.store, &prepared.plan);
    let slice = plan.slice.as_ref().map(|slice| slice.name.as_str());
    Executor {
        at_work: Some(store.at_work_dir(&plan.pipeline, plan.date, slice)),
        pipeline: &prepared.pipeline,
        plan: &prepared.plan,
        inputs: &prepared.inputs,
        store: &prepared.store,
        crew,
        events,
        now_nanos: record.now_nanos,
        resources: request.resources,
        reuse: request.reuse,
        log: RefCell::new(RunLog {
            alerts: prepared.alerts.clone(),
            ..RunLog::default()
        }),
        honoured: RefCell::default(),
        diffs: RefCell::default(),
    }
}

/// Whether all code is what it was. What was needed only by a change that is suspended by now is not looked at.
fn is_still(code: &CodeDigests, before: &CodeDigests) -> bool {
    let held = |task: &String, version: &String| before.get(task)?.get(version);
    let same = |(task, versions): (&String, &BTreeMap<String, Digest>)| {
        versions
            .iter()
            .all(|(version, digest)| held(task, version) == Some(digest))
    };
    code.iter().all(same)
}

/// What became of the live half.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum LiveEnd {
    NotAsked,
    Published,
    AlreadyPublished,
    Failed(Failure),
}

struct Attempt<'a> {
    prepared: &'a Prepared,
    executor: &'a Executor<'a>,
    live: LiveEnd,
    live_wall: Duration,
    /// Whether a bug ended the part after publishing.
    bug: bool,
    /// What keeps runs of other machines away.
    lease: Option<Lease>,
    /// When the run was judged first, if it is judged again by other rules.
    ran_at: Option<String>,
    /// What stood where outputs are published, when nobody but the framework had any business there.
    listing: Listing,
}

impl Attempt<'_> {
    async fn live(&mut self, halves: Halves, earlier: Option<&RunRecord>) -> Result<(), RunError> {
        if halves == Halves::Shadow {
            // What was published stays as it was put together.
            let mut log = self.executor.log.borrow_mut();
            if let Some(earlier) = earlier {
                log.published.clone_from(&earlier.log.published);
                log.assemblies.clone_from(&earlier.log.assemblies);
            }
        } else {
            let since = Instant::now();
            self.listing = self.listed();
            self.executor.half(Half::Live).await;
            self.look_for_foreign_writes();
            self.live = self.publish().await?;
            self.live_wall = since.elapsed();
            self.keep_digests(earlier);
        }
        Ok(())
    }

    /// What a repair may have to publish one day is known by its digest: the sides of what was put together.
    fn keep_digests(&self, earlier: Option<&RunRecord>) {
        if !matches!(self.live, LiveEnd::Published | LiveEnd::AlreadyPublished) {
            return;
        }
        let plan = &self.prepared.plan;
        let before = plan
            .comparisons
            .iter()
            .filter(|planned| planned.half == Half::Live);
        let sides: BTreeSet<NodeId> = before
            .flat_map(|planned| [planned.old, planned.new])
            .collect();
        for id in sides {
            let known = earlier.and_then(|record| record.log.output(id));
            let known = known.and_then(|output| output.digest.clone());
            let is_reused = |log: &RunLog| log.nodes.get(&id).is_some_and(|node| node.reused);
            let known = known.filter(|_| is_reused(&self.executor.log.borrow()));
            let file = self.executor.output_folder(id).join(DATA_FILE);
            let digest = known.or_else(|| durable::digest_of_file(&file).ok());
            let mut log = self.executor.log.borrow_mut();
            let output = log
                .nodes
                .get_mut(&id)
                .and_then(|node| node.outcome.as_mut().ok());
            if let Some(output) = output.filter(|output| output.digest.is_none()) {
                output.digest = digest;
            }
        }
    }

    /// Everything after publishing. A bug in it costs the verdict, and is said.
    async fn shadow(&mut self, halves: Halves) -> BTreeMap<String, ChangeVerdict> {
        let ended = AssertUnwindSafe(self.shadow_half(halves))
            .catch_unwind()
            .await;
        let judged = ended
            .ok()
            .and_then(|()| catch_unwind(AssertUnwindSafe(|| self.judge(halves))).ok());
        if judged.is_none() {
            self.bug = true;
            self.executor.alert(
                "a bug in understudy ended the run after its live half: nothing is judged"
                    .to_owned(),
            );
        }
        judged.unwrap_or_default()
    }

    async fn shadow_half(&mut self, halves: Halves) {
        let stopped =
            matches!(self.live, LiveEnd::Failed(_)) || self.executor.crew.is_interrupted();
        if halves != Halves::Live && !stopped {
            self.listing = self.listed();
            self.executor.half(Half::Shadow).await;
            self.executor.comparisons().await;
            self.executor.leaks().await;
            self.look_for_foreign_writes();
        }
        self.look_for_changes();
        self.remember_schemas();
    }

    fn listed(&self) -> Listing {
        Listing::take(&self.prepared.pipeline, &self.prepared.plan)
    }

    /// Promise 2: only the framework publishes. What no sandbox prevented is found.
    fn look_for_foreign_writes(&self) {
        let changes = self
            .listed()
            .changed_since(&self.listing, &self.prepared.store);
        for what in &changes {
            self.executor.alert(format!(
                "somebody else wrote where outputs are published: {what}"
            ));
        }
        let mut log = self.executor.log.borrow_mut();
        log.foreign_writes.extend(changes);
    }

    /// Promise 3: what was read must be what was pinned, code included.
    fn look_for_changes(&self) {
        let mut changed = changed_inputs(
            &self.prepared.pipeline,
            &self.prepared.inputs,
            &When {
                date: self.prepared.plan.date,
                slice: self.prepared.plan.slice.clone(),
            },
        );
        match code_digests(&self.prepared.pipeline) {
            Ok(code) if is_still(&code, &self.prepared.code) => {}
            Ok(_) => changed.push("the code of a version was edited".to_owned()),
            Err(error) => changed.push(error.to_string()),
        }
        for what in &changed {
            self.executor
                .alert(format!("an input changed during the run: {what}"));
        }
        self.executor.log.borrow_mut().changed_inputs = changed;
    }

    fn remember_schemas(&self) {
        let outputs = self.prepared.plan.nodes().filter_map(|(id, node)| {
            let Work::Compute { version, .. } = &node.work else {
                return None;
            };
            let code = self.prepared.code.get(&node.task)?.get(version)?;
            let result = self
                .executor
                .log
                .borrow()
                .output(id)
                .and_then(|_| self.executor.result(id))?;
            Some((node.task.clone(), code.clone(), result.schema))
        });
        crate::observe::remember(self.prepared.store.root(), outputs.collect());
    }

    fn end(
        &self,
        verdicts: BTreeMap<String, ChangeVerdict>,
        request: &RunRequest<'_>,
        wall: Duration,
    ) -> RunEnd {
        let interrupted = self.executor.crew.is_interrupted();
        let mut report = reporting::report(self, &verdicts, request, wall);
        reporting::write_pages(self, &mut report);
        let suspended = self
            .prepared
            .pipeline
            .spec
            .suspended
            .keys()
            .map(|_| Verdict::Inconclusive);
        let bug = self.bug.then_some(Verdict::Inconclusive);
        let worst = verdicts
            .values()
            .map(|change| change.verdict)
            .chain(suspended)
            .chain(bug)
            .max();
        let live_failure = match &self.live {
            LiveEnd::Failed(failure) if failure.kind != FailureKind::Interrupted => {
                Some(failure.clone())
            }
            _ => None,
        };
        RunEnd {
            report,
            live_failure,
            verdict: worst,
            interrupted,
        }
    }

    fn live_status(&self) -> LiveStatus {
        match &self.live {
            LiveEnd::NotAsked if self.executor.log.borrow().published.is_some() => {
                LiveStatus::AlreadyPublished
            }
            LiveEnd::NotAsked => LiveStatus::NotAsked,
            LiveEnd::Published => LiveStatus::Published,
            LiveEnd::AlreadyPublished => LiveStatus::AlreadyPublished,
            LiveEnd::Failed(failure) if failure.kind == FailureKind::Interrupted => {
                LiveStatus::Interrupted
            }
            LiveEnd::Failed(_) => LiveStatus::Failed,
        }
    }
}
