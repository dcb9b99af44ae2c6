//! `repair`: for the dates whose published rows lanes have left, publishes the old rows again from quarantine, and computes
//! again what was computed from them.
//!
//! Each date is a run of its own, with a record and an entry in the ledger, published in one step like any other. Of the
//! changed tasks nothing is computed, except where an old output was itself made from an earlier date that did not hold:
//! a balance that reads its own past. What is to be done follows from what stands published alone, so that a repair may be
//! cut off at any time, and that a second one finds nothing to do.

pub(crate) mod editions;
mod material;
mod planned;
mod reach;
mod report;
pub(crate) mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use understudy_core::ledger::{Entry, Repaired};
use understudy_core::plan::{PlanInput, plan};
use understudy_core::repair::StaleDate;
use understudy_core::rollout::record::{Rollout, rollouts};
use understudy_core::run::FailureKind;
use understudy_core::run_date::RunDate;
use understudy_core::slice::slice_of;
use understudy_core::stage::{LaneStages, Stage, Stages};

use self::planned::{DatePlan, date_plan};
pub use self::report::{DateRepair, REPAIR_FORMAT, RepairOutcome, RepairReport};
pub use self::standing::PublishedWithNew;
use self::standing::{Standing, in_lanes, standing};
use crate::error::RunError;
use crate::events::EventSink;
use crate::execute::{Resources, Reuse};
use crate::observe::{self, CodeDigests, ObserveError, SchemaReport, When};
use crate::pipeline::{self, Pipeline};
use crate::prepare::{Asked, Prepared, last_move, live_waves, stages_of_run};
use crate::report::model::RunReport;
use crate::rollout::{Actor, RolloutError, unknown_change, waivers};
use crate::run::{
    Begun, Claim, Halves, RunEnd, RunRequest, carry_out, claimed, record_finished,
    require_live_inputs,
};
use crate::store::Store;
use crate::store::ledger;
use crate::store::publish::finish_pending;
use crate::worker::Crew;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct RepairRequest<'a> {
    /// The pipeline's folder or file.
    pub pipeline: &'a Path,
    /// The change.
    pub change: &'a str,
    /// Who wants it.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing is to be done.
    pub dry_run: bool,
    /// With what.
    pub resources: Resources,
}

/// How a repair ended.
#[derive(Debug)]
pub struct RepairEnd {
    /// What people and programs read.
    pub report: RepairReport,
    /// The reports of the runs that it did.
    pub runs: Vec<RunReport>,
}

/// Everything that a repair looks at.
#[derive(Debug)]
struct Look {
    pipeline: Pipeline,
    store: Store,
    change: String,
    entries: Vec<Entry>,
    rollouts: BTreeMap<String, Rollout>,
    code: CodeDigests,
    stages: Stages,
    standing: Standing,
}

/// Repairs what is published of a change, oldest date first. `each` hears of every date as it ends.
///
/// # Errors
/// There is no such change, or the pipeline, its code or its ledger cannot be read. What fails for a date is in the end.
pub async fn repair(
    request: &RepairRequest<'_>,
    crew: &Crew,
    events: &dyn EventSink,
    each: &mut dyn FnMut(&DateRepair),
) -> Result<RepairEnd, RolloutError> {
    crew.begin();
    if !request.dry_run {
        // What a crash left half published is finished before anything is looked at.
        let store = Store::of(&pipeline::load(request.pipeline).map_err(RunError::from)?);
        let finished = finish_pending(&store).map_err(RunError::from)?;
        record_finished(&store, &finished)?;
    }
    let look = look(request)?;
    let mut end = begun(request, &look);
    // What builds on a date that was not repaired would be as wrong as before.
    let mut left: BTreeSet<(String, RunDate)> = BTreeSet::new();
    for stale in &look.standing.stale {
        let ended = match built_on(&look, stale, &left) {
            Some(date) => not_begun(stale, date),
            None if crew.is_interrupted() => ended(stale, RepairOutcome::Interrupted),
            None if request.dry_run => dry(&look, stale),
            None => one(request, stale, crew, events, &mut end.runs).await,
        };
        each(&ended);
        if ended.outcome.is_good() {
            end.report.note_replaced(&look, stale, &ended);
        } else {
            left.extend(stale.tasks.keys().map(|task| (task.clone(), stale.date)));
        }
        end.report.dates.push(ended);
    }
    Ok(end)
}

fn look(request: &RepairRequest<'_>) -> Result<Look, RolloutError> {
    let mut pipeline = pipeline::load(request.pipeline).map_err(RunError::from)?;
    let store = Store::of(&pipeline);
    let code = observe::code_digests(&pipeline).map_err(RunError::from)?;
    let entries = ledger::open(&store)?.entries().to_vec();
    waivers::grant(&mut pipeline.spec, &entries, &code);
    let rollouts = rollouts(&entries);
    let is_known = pipeline.spec.changes.contains_key(request.change)
        || pipeline.spec.suspended.contains_key(request.change)
        || rollouts.contains_key(request.change);
    if !is_known {
        return Err(RolloutError::NoChange(unknown_change(
            &pipeline,
            request.change,
        )));
    }
    let stages = stages_of_run(&pipeline, &store, &code, &rollouts)?;
    let change = request.change.to_owned();
    let now = stages.of(&change);
    let standing = standing(&store, &pipeline.spec, &entries, &change, &now);
    Ok(Look {
        pipeline,
        store,
        change,
        entries,
        rollouts,
        code,
        stages,
        standing,
    })
}

impl Look {
    /// The stages of a change as a run takes them now.
    fn now(&self, change: &str) -> LaneStages {
        in_lanes(&self.pipeline.spec, change, &self.stages.of(change))
    }
}

fn begun(request: &RepairRequest<'_>, look: &Look) -> RepairEnd {
    let now = look.now(&look.change);
    let mut stages = now.lanes.values().chain([&now.unlisted]);
    let stale = &look.standing.stale;
    let tasks = stale.iter().flat_map(|stale| stale.tasks.keys().cloned());
    RepairEnd {
        report: RepairReport {
            version: REPAIR_FORMAT,
            pipeline: look.pipeline.spec.pipeline.clone(),
            change: look.change.clone(),
            dry_run: request.dry_run,
            by: request.actor.name.clone(),
            known_by: request.actor.known_by,
            lanes_are_live: stages.any(|stage| *stage >= Stage::Live),
            dates: Vec::new(),
            replaced: BTreeMap::new(),
            outside: reach::outside(&look.pipeline.spec, &look.change, &tasks.collect()),
        },
        runs: Vec::new(),
    }
}

/// The date that was not repaired and that this one builds on, if there is one.
fn built_on(look: &Look, stale: &StaleDate, left: &BTreeSet<(String, RunDate)>) -> Option<RunDate> {
    let mut read = stale.builds_on(&look.pipeline.spec).into_iter();
    read.find(|read| left.contains(read)).map(|(_, date)| date)
}

fn ended(stale: &StaleDate, outcome: RepairOutcome) -> DateRepair {
    DateRepair {
        date: stale.date,
        slice: stale.slice.clone(),
        outcome,
        run: None,
        given: BTreeSet::new(),
        computed: BTreeSet::new(),
        reason: None,
        command: None,
        alerts: Vec::new(),
    }
}

fn not_begun(stale: &StaleDate, date: RunDate) -> DateRepair {
    DateRepair {
        reason: Some(format!("it builds on {date}, which was not repaired")),
        ..ended(stale, RepairOutcome::NotBegun)
    }
}

fn dry(look: &Look, stale: &StaleDate) -> DateRepair {
    let plan = date_plan(look, stale);
    if plan.missing.is_empty() {
        of_plan(look, stale, &plan, RepairOutcome::WouldRepair)
    } else {
        gone(look, stale, &plan)
    }
}

fn of_plan(look: &Look, stale: &StaleDate, plan: &DatePlan, outcome: RepairOutcome) -> DateRepair {
    let computed = plan.computed(&look.pipeline.spec);
    let computed: BTreeSet<String> = computed.map(|task| task.name.clone()).collect();
    DateRepair {
        given: plan.input.publish.difference(&computed).cloned().collect(),
        computed,
        ..ended(stale, outcome)
    }
}

fn gone(look: &Look, stale: &StaleDate, plan: &DatePlan) -> DateRepair {
    let slice = stale.slice.as_ref();
    let slice = slice
        .map(|slice| format!(" --slice {slice}"))
        .unwrap_or_default();
    let named = Path::new(&look.pipeline.named)
        .parent()
        .filter(|folder| *folder != Path::new(""));
    let folder = named
        .map(|folder| format!(" {}", folder.display()))
        .unwrap_or_default();
    DateRepair {
        reason: Some(plan.missing.join("; ")),
        command: Some(format!(
            "understudy run --live --date {}{slice}{folder}",
            stale.date
        )),
        ..ended(stale, RepairOutcome::Gone)
    }
}

/// Repairs one date. What it finds once nobody else works on that date is what counts.
async fn one(
    request: &RepairRequest<'_>,
    stale: &StaleDate,
    crew: &Crew,
    events: &dyn EventSink,
    runs: &mut Vec<RunReport>,
) -> DateRepair {
    match attempt(request, stale, crew, events).await {
        Ok((report, run)) => {
            runs.extend(run);
            report
        }
        Err(error) => DateRepair {
            reason: Some(in_one_line(&error)),
            ..ended(stale, RepairOutcome::Failed)
        },
    }
}

async fn attempt(
    request: &RepairRequest<'_>,
    stale: &StaleDate,
    crew: &Crew,
    events: &dyn EventSink,
) -> Result<(DateRepair, Option<RunReport>), RolloutError> {
    let begun = Begun {
        started: Instant::now(),
        finished: Vec::new(),
        recorded: Ok(()),
    };
    let pipeline = pipeline::load(request.pipeline).map_err(RunError::from)?;
    let store = Store::of(&pipeline);
    let slice = stale.slice.as_deref();
    let claim = claimed(&store, &pipeline.spec.pipeline, stale.date, slice)?;
    let look = look(request)?;
    let mut still = look.standing.stale.iter();
    let still = still.find(|still| (still.date, &still.slice) == (stale.date, &stale.slice));
    let Some(still) = still.cloned() else {
        let reason = Some("somebody else published it meanwhile".to_owned());
        let ended = ended(stale, RepairOutcome::Repaired);
        return Ok((DateRepair { reason, ..ended }, None));
    };
    let stale = &still;
    let plan = date_plan(&look, stale);
    if !plan.missing.is_empty() {
        return Ok((gone(&look, stale, &plan), None));
    }
    let mut report = of_plan(&look, stale, &plan, RepairOutcome::Repaired);
    let prepared = prepared(request, look, stale, plan, crew).await?;
    let end = do_run(request, &prepared, claim, begun, crew, events).await?;
    report.take(&end);
    Ok((report, Some(end.report)))
}

/// What a run does with what was planned.
async fn prepared(
    request: &RepairRequest<'_>,
    look: Look,
    stale: &StaleDate,
    date_plan: DatePlan,
    crew: &Crew,
) -> Result<Prepared, RunError> {
    let Look {
        mut pipeline,
        store,
        entries,
        rollouts,
        code,
        ..
    } = look;
    pipeline.add_problems(observe::unknown_rust_tasks(&pipeline, crew.registry()))?;
    let when = when(&pipeline, stale)?;
    let inputs = observe::pin_wanted(&pipeline, &date_plan.wanted, &when, crew).await?;
    let plan = plan(&PlanInput {
        spec: &pipeline.spec,
        date: when.date,
        slice: when.slice.as_ref(),
        inputs: &inputs,
        stages: &date_plan.stages,
        waves: &live_waves(&rollouts),
        code: &code,
        repair: Some(&date_plan.input),
    });
    Ok(Prepared {
        pipeline,
        store,
        inputs,
        code,
        schemas: SchemaReport::default(),
        plan,
        ledger_entries: entries.len() as u64,
        last_move: last_move(&entries),
        ledger_is_readable: true,
        rollouts,
        other_code: BTreeMap::new(),
        live_edits: Vec::new(),
        alerts: Vec::new(),
        taken_back: BTreeMap::new(),
        flags: None,
        repair: Some(Repaired {
            change: request.change.to_owned(),
            by: request.actor.name.clone(),
            known_by: request.actor.known_by,
            reason: request.reason.clone(),
        }),
    })
}

fn when(pipeline: &Pipeline, stale: &StaleDate) -> Result<When, ObserveError> {
    let slice = stale.slice.as_ref().map(|name| {
        slice_of(&pipeline.spec, name).ok_or_else(|| ObserveError::UnknownSlice {
            name: name.clone(),
            known: "it is in the pipeline file no more".to_owned(),
        })
    });
    Ok(When {
        date: stale.date,
        slice: slice.transpose()?,
    })
}

async fn do_run(
    request: &RepairRequest<'_>,
    prepared: &Prepared,
    claim: Claim,
    begun: Begun,
    crew: &Crew,
    events: &dyn EventSink,
) -> Result<RunEnd, RunError> {
    require_live_inputs(prepared, Halves::Live)?;
    let slice = prepared
        .plan
        .slice
        .as_ref()
        .map(|slice| slice.name.as_str());
    let run = RunRequest {
        pipeline: request.pipeline,
        asked: Asked {
            date: Some(prepared.plan.date),
            slice,
        },
        halves: Halves::Live,
        reuse: Reuse::Complete,
        resources: request.resources,
    };
    carry_out(&run, prepared, claim, begun, crew, events).await
}

impl DateRepair {
    fn take(&mut self, end: &RunEnd) {
        self.run = Some(end.report.run.clone());
        self.alerts.clone_from(&end.report.alerts);
        self.reason = end
            .live_failure
            .as_ref()
            .map(|failure| failure.message.clone());
        self.outcome = match &end.live_failure {
            _ if end.interrupted => RepairOutcome::Interrupted,
            None => RepairOutcome::Repaired,
            Some(failure) => match failure.kind {
                FailureKind::Machine | FailureKind::Waiting => RepairOutcome::Failed,
                _ => RepairOutcome::LiveFailed,
            },
        };
    }
}

impl RepairReport {
    fn note_replaced(&mut self, look: &Look, stale: &StaleDate, ended: &DateRepair) {
        let tasks = ended.given.iter().chain(&ended.computed);
        let tasks = tasks.filter_map(|task| look.pipeline.spec.task(task));
        for location in tasks.filter_map(|task| task.output.location.as_ref()) {
            let dates = self.replaced.entry(location.clone()).or_default();
            dates.insert(stale.date);
        }
    }
}

fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.replace('\n', "; ")
}
