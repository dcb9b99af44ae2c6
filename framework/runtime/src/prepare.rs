//! Everything up to the plan: what `plan`, `run` and `check` have in common.

use std::collections::BTreeMap;
use std::path::Path;

use understudy_core::customer::{Customer, listed};
use understudy_core::ledger::{Entry, LedgerEvent, Repaired};
use understudy_core::live_edits::{LiveEdit, live_edits};
use understudy_core::plan::{Plan, PlanInput, plan};
use understudy_core::rollout::lowered;
use understudy_core::rollout::overrides::overrides;
use understudy_core::rollout::record::{Rollout, rollouts};
use understudy_core::rollout::wave::LiveWave;
use understudy_core::run_date::RunDate;
use understudy_core::slice::slice_of;
use understudy_core::snapshot::InputSnapshot;
use understudy_core::spec::nearest::hint;
use understudy_core::spec::{Change, LiveEdits, Problem, Scope, Spot, check_columns};
use understudy_core::stage::{LaneStages, Span, Stages};

use crate::error::{HOW_TO_GO_ON, RunError};
use crate::evidence::code_of;
use crate::flags::{Flagged, flagged, lowered_as_before, said_too, taken_back};
use crate::observe::{self, CodeDigests, ObserveError, SchemaReport, When};
use crate::pipeline::{self, Pipeline};
use crate::rollout::{kept, waivers};
use crate::store::Store;
use crate::store::ledger::{self, LedgerError};
use crate::store::publish::latest_marker_stages;
use crate::worker::Crew;

/// A pipeline, observed and planned.
#[derive(Debug)]
pub struct Prepared {
    /// The pipeline, with changes suspended that cannot run.
    pub pipeline: Pipeline,
    /// The store.
    pub store: Store,
    /// The pinned inputs.
    pub inputs: InputSnapshot,
    /// The digests of the code.
    pub code: CodeDigests,
    /// The schemas, as far as they are known.
    pub schemas: SchemaReport,
    /// What will be done.
    pub plan: Plan,
    /// How many entries the ledger had when the stages were read; zero where it could not be read.
    pub ledger_entries: u64,
    /// The number of the last move among them; zero where there is none.
    pub last_move: u64,
    /// Whether the ledger could be read.
    pub ledger_is_readable: bool,
    /// Where each change's lanes stand, as the ledger has it; empty where it could not be read.
    pub rollouts: BTreeMap<String, Rollout>,
    /// Lanes that are live for other code than there is now, by change; `*` for everybody who is not named.
    pub other_code: BTreeMap<String, Vec<Customer>>,
    /// Tasks whose live version is not what it was when it was published last.
    pub live_edits: Vec<LiveEdit>,
    /// What a person should look at, from before the run.
    pub alerts: Vec<String>,
    /// What it repairs; `None` for an ordinary run.
    pub repair: Option<Repaired>,
    /// Lanes that the ledger has live and their flag has not, by change; `*` for everybody who is not named.
    pub taken_back: BTreeMap<String, Vec<Customer>>,
    /// What the answer of the flags was made from, where they give it.
    pub flags: Option<serde_json::Value>,
}

impl Prepared {
    /// Makes edits of live versions an alert each, for something that publishes them.
    ///
    /// # Errors
    /// There is one, and the pipeline file refuses them.
    pub fn alert_live_edits(&mut self) -> Result<(), RunError> {
        let mut edits = self.live_edits.iter().filter(|edit| edit.keeps_its_name());
        if self.pipeline.spec.live_edits == LiveEdits::Refuse
            && let Some(edit) = edits.next()
        {
            return Err(RunError::LiveEdit(edit.what()));
        }
        self.alerts.extend(edits.map(LiveEdit::text));
        Ok(())
    }
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked<'a> {
    /// The date, if one was named.
    pub date: Option<RunDate>,
    /// The slice, if one was named.
    pub slice: Option<&'a str>,
}

/// When, and for whom: as asked, or by default.
///
/// # Errors
/// There is no such slice, or no date that has all inputs.
pub fn when(pipeline: &Pipeline, asked: Asked<'_>) -> Result<When, ObserveError> {
    let slice = asked
        .slice
        .map(|name| slice_of(&pipeline.spec, name).ok_or_else(|| unknown_slice(pipeline, name)));
    let slice = slice.transpose()?;
    let default = || observe::default_date(pipeline, asked.slice);
    let date = asked.date.map_or_else(default, Ok)?;
    Ok(When { date, slice })
}

fn unknown_slice(pipeline: &Pipeline, name: &str) -> ObserveError {
    let known: Vec<&str> = pipeline.spec.slices.keys().map(String::as_str).collect();
    let known = match known.as_slice() {
        [] => "the pipeline has no `slices`".to_owned(),
        known => hint(name, known, "slices"),
    };
    ObserveError::UnknownSlice {
        name: name.to_owned(),
        known,
    }
}

/// Loads, observes and plans.
///
/// # Errors
/// Anything that stops live.
pub async fn prepare(path: &Path, asked: Asked<'_>, crew: &Crew) -> Result<Prepared, RunError> {
    let mut pipeline = pipeline::load(path)?;
    pipeline.flags.begin();
    pipeline.add_problems(observe::unknown_rust_tasks(&pipeline, crew.registry()))?;
    let store = Store::of(&pipeline);
    let ledger = ledger::open(&store);
    let ledger_is_readable = ledger.is_ok();
    let entries = ledger.map_or(Vec::new(), |ledger| ledger.entries().to_vec());
    let ledger_entries = entries.len() as u64;
    let last_move = last_move(&entries);
    let rollouts = rollouts(&entries);
    let kept = kept::restore(&mut pipeline, &store, &rollouts);
    let when = when(&pipeline, asked)?;
    let inputs = observe::pin_inputs(&pipeline, &when, crew).await?;
    let code = observe::code_digests(&pipeline)?;
    let mut flagged = stages(&pipeline, &store)?;
    lowered_as_before(&pipeline, &store, &when, &rollouts, &mut flagged);
    let taken_back = taken_back(&pipeline, &entries, &flagged);
    let Flagged {
        mut stages,
        mut alerts,
        record: flags,
        ..
    } = flagged;
    alerts.splice(0..0, kept);
    let folder = tempfile::tempdir().map_err(RunError::no_temporary_folder)?;
    let schemas = observe::inspect(&pipeline, &inputs, &code, when.date, crew, folder.path()).await;
    // Without schemas columns cannot be checked beforehand; the run itself will meet whatever is wrong.
    let schemas = schemas.unwrap_or_else(|reason| {
        alerts.push(format!("columns were not checked before the run: {reason}"));
        SchemaReport::default()
    });
    pipeline.add_problems(found_in_data(&pipeline, &schemas, &code))?;
    let unknown = observe::find_customers(&mut pipeline, &when, crew, folder.path()).await;
    pipeline.add_problems(unknown)?;
    alerts.extend(suspended_but_live(&pipeline, &stages, &alerts));
    let other_code = lower_other_code(&pipeline, &code, &rollouts, &mut stages);
    alerts.extend(other_code.iter().map(|(change, lanes)| {
        format!(
            "`{change}`: its new versions are others than those that went live for {}: they get their old rows until somebody flips them again",
            listed(&lanes.iter().collect::<Vec<_>>())
        )
    }));
    waivers::grant(&mut pipeline.spec, &entries, &code);
    let plan = plan(&PlanInput {
        spec: &pipeline.spec,
        date: when.date,
        slice: when.slice.as_ref(),
        inputs: &inputs,
        stages: &stages,
        waves: &live_waves(&rollouts),
        code: &code,
        repair: None,
    });
    let live_edits = live_edits(&entries, &pipeline.spec, &plan.stages, &code);
    alerts.extend(plan.stages.iter().flat_map(|(change, stages)| {
        let rollout = rollouts.get(change);
        rollout.map_or_else(Vec::new, |rollout| overrides(change, rollout, stages))
    }));
    Ok(Prepared {
        pipeline,
        store,
        inputs,
        code,
        schemas,
        plan,
        ledger_entries,
        last_move,
        ledger_is_readable,
        rollouts,
        other_code,
        live_edits,
        alerts,
        repair: None,
        taken_back,
        flags,
    })
}

pub(crate) fn last_move(entries: &[Entry]) -> u64 {
    let mut moves = entries.iter().rev();
    let last = moves.find(|entry| matches!(entry.event, LedgerEvent::Moved(_)));
    last.map_or(0, |entry| entry.number)
}

pub(crate) fn live_waves(rollouts: &BTreeMap<String, Rollout>) -> BTreeMap<String, Vec<LiveWave>> {
    let waves = rollouts
        .iter()
        .map(|(change, rollout)| (change.clone(), rollout.live_waves()));
    waves.filter(|(_, waves)| !waves.is_empty()).collect()
}

/// Takes lanes back that went live for other code than there is now. Gives them by change, `*` for everybody else.
fn lower_other_code(
    pipeline: &Pipeline,
    code: &CodeDigests,
    rollouts: &BTreeMap<String, Rollout>,
    stages: &mut Stages,
) -> BTreeMap<String, Vec<Customer>> {
    let mut others = BTreeMap::new();
    for change in pipeline.spec.changes.keys() {
        let Some(rollout) = rollouts.get(change) else {
            continue;
        };
        let [_, new] = code_of(&pipeline.spec, code, change);
        let (own, lanes) = rollout.stages_for(&new);
        if !lanes.is_empty() {
            let held = stages.of(change);
            stages.0.insert(change.clone(), lowered(&held, &own));
            others.insert(change.clone(), lanes);
        }
    }
    others
}

/// The stages as a run takes them: the ledger's, where no flag was moved towards old and nobody went live for other code.
///
/// # Errors
/// There is neither a ledger nor an output that was published with it.
pub(crate) fn stages_of_run(
    pipeline: &Pipeline,
    store: &Store,
    code: &CodeDigests,
    rollouts: &BTreeMap<String, Rollout>,
) -> Result<Stages, RunError> {
    let Flagged { mut stages, .. } = stages(pipeline, store)?;
    lower_other_code(pipeline, code, rollouts, &mut stages);
    Ok(stages)
}

/// Problems that show once the data and the code have been seen.
#[must_use]
pub fn found_in_data(
    pipeline: &Pipeline,
    schemas: &SchemaReport,
    code: &CodeDigests,
) -> Vec<Problem> {
    let mut problems = check_columns(&pipeline.spec, &pipeline.places, &schemas.schemas);
    problems.extend(observe::equal_versions(pipeline, code));
    problems
}

/// Problems with live versions that were edited since they were published last, where the pipeline file refuses that.
/// A ledger that cannot be read tells of none.
#[must_use]
pub fn refused_live_edits(pipeline: &Pipeline, code: &CodeDigests) -> Vec<Problem> {
    let ledger = ledger::open(&Store::of(pipeline));
    let (LiveEdits::Refuse, Ok(ledger)) = (pipeline.spec.live_edits, ledger) else {
        return Vec::new();
    };
    let stages = ledger.stages().0;
    let edits = live_edits(ledger.entries(), &pipeline.spec, &stages, code).into_iter();
    let refused = edits.filter(LiveEdit::keeps_its_name).map(|edit| {
        let message = format!("{}, and `live_edits` refuses that", edit.what());
        let spot = Spot::Version {
            task: edit.task,
            version: edit.now.version,
        };
        let places = &pipeline.places;
        places.problem(&spot, Scope::Pipeline, &message, HOW_TO_GO_ON)
    });
    refused.collect()
}

/// The stages of all lanes: the ledger's, where no flag was moved towards old. Where the ledger cannot be read, those
/// that the newest published output was made with.
///
/// # Errors
/// There is neither a ledger nor such an output.
pub(crate) fn stages(pipeline: &Pipeline, store: &Store) -> Result<Flagged, RunError> {
    match ledger::open(store) {
        Ok(ledger) => Ok(flagged(pipeline, store, ledger.entries(), &ledger.stages())),
        Err(error) => {
            let outputs = pipeline.spec.tasks.iter();
            let locations: Vec<&str> = outputs
                .filter_map(|task| task.output.location.as_deref())
                .collect();
            let Ok(Some(stages)) = latest_marker_stages(&pipeline.folder, &locations) else {
                return Err(RunError::Ledger(error));
            };
            let mut found = flagged(pipeline, store, &[], &stages);
            found.alerts.insert(0, format!("{error}; this run holds to the stages that the newest published output was made with"));
            Ok(found)
        }
    }
}

/// The stages as they are now, and why the ledger cannot tell them, if so: then those that were held go for it.
pub(crate) fn stages_now(
    pipeline: &Pipeline,
    store: &Store,
    held: Stages,
) -> (Flagged, Option<LedgerError>) {
    match ledger::open(store) {
        Ok(ledger) => (
            flagged(pipeline, store, ledger.entries(), &ledger.stages()),
            None,
        ),
        Err(error) => (flagged(pipeline, store, &[], &held), Some(error)),
    }
}

/// The stages of a change, as far as its flag says so too.
pub(crate) fn as_flags_say(
    pipeline: &Pipeline,
    store: &Store,
    entries: &[Entry],
    change: &Change,
    stages: LaneStages,
) -> LaneStages {
    if stages == LaneStages::default() {
        return stages;
    }
    said_too(pipeline, store, entries, change, stages.clone()).unwrap_or(stages)
}

/// Lanes that are live in a change that cannot run get old rows, and that must be seen.
fn suspended_but_live(pipeline: &Pipeline, stages: &Stages, said: &[String]) -> Vec<String> {
    let gone = stages
        .0
        .keys()
        .filter(|change| !pipeline.spec.changes.contains_key(*change));
    // What is complete is to be taken out of the file.
    let live =
        gone.filter(|change| matches!(stages.of(change).span(), Span::SomeLive | Span::AllLive));
    let is_new = |change: &&String| {
        !said
            .iter()
            .any(|said| said.starts_with(&format!("`{change}`")))
    };
    live.filter(is_new)
        .map(|change| format!("`{change}` has live lanes and cannot run: they get their old rows"))
        .collect()
}

/// The ledger's entries, oldest first.
///
/// # Errors
/// It cannot be read.
pub fn entries(store: &Store) -> Result<Vec<Entry>, RunError> {
    Ok(ledger::open(store)?.entries().to_vec())
}
