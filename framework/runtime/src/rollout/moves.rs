//! The moves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use understudy_core::customer::Customer;
use understudy_core::gate::{Decision, Standing};
use understudy_core::ledger::{Approved, Entry, Gated, Hold, KnownBy, LedgerEvent, Move};
use understudy_core::rollout::lane::LaneEvent;
use understudy_core::rollout::record::{Rollout, rollouts};
use understudy_core::rollout::step::{Lanes, Step, sorted, stages_after};
use understudy_core::spec::Change;
use understudy_core::stage::{LaneStages, Stage};
use understudy_flags::{
    FLAG_FILE, FileFlags, FlagAnswer, FlagProvider as _, Telling, Told, Towards,
};

use super::{Evidence, RolloutError, Situation, situation};
use crate::clock;
use crate::flags::{How, TellError, Why, rehearse, said_too, tell};
use crate::pipeline::{self, Pipeline};
use crate::store::Store;
use crate::store::ledger;

/// Who moves something, and how that is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Actor {
    /// The name.
    pub name: String,
    /// How it is known.
    pub known_by: KnownBy,
}

/// A move.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    /// The pipeline's folder or file.
    pub pipeline: PathBuf,
    /// The store, where the pipeline file cannot say; for moves towards old only.
    pub store: Option<PathBuf>,
    /// The change.
    pub change: String,
    /// What is to happen.
    pub event: LaneEvent,
    /// To whom.
    pub lanes: Lanes,
    /// Who wants it.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// Whether the gate is to be overridden.
    pub overrides: bool,
    /// Whether nothing is to be done.
    pub dry_run: bool,
}

/// What a move did, or would do.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Moved {
    /// The format of this.
    pub version: u32,
    /// The change.
    pub change: String,
    /// What happened.
    pub event: LaneEvent,
    /// Whether it was done.
    pub done: bool,
    /// Whether it is for all lanes, and everybody who comes later.
    pub all: bool,
    /// Which wave of the policy begins with it, from one.
    pub wave: Option<u32>,
    /// The lanes that it is for, as far as they are known; those that stay as they are among them.
    pub lanes: Vec<Customer>,
    /// The lanes that it cannot be done to, each with why.
    pub refused: BTreeMap<Customer, String>,
    /// The stages before.
    pub before: LaneStages,
    /// The stages after.
    pub after: LaneStages,
    /// What the gate says, of a move towards new.
    pub gate: Option<Decision>,
    /// The flag as it is now, where it has versions and was told.
    pub flag: Option<MovedFlag>,
    /// What is to become `live` in the pipeline file, by task, once the change is complete.
    pub live: BTreeMap<String, String>,
    /// What a person should look at.
    pub alerts: Vec<String>,
}

/// A flag that was told of a move.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MovedFlag {
    /// Where it is.
    pub provider: &'static str,
    /// Its key.
    pub flag: String,
    /// The version that was read back.
    pub version: u64,
    /// Whether whoever reads flags has seen it.
    pub confirmed: bool,
}

impl Moved {
    /// Whether the gate stands in the way.
    #[must_use]
    pub fn stopped_by_gate(&self) -> Option<Standing> {
        let standing = self.gate.as_ref()?.standing;
        (!self.done && standing != Standing::Ready).then_some(standing)
    }
}

/// Moves lanes.
///
/// # Errors
/// Nothing was moved: the pipeline or the ledger cannot be read (for a move towards old the pipeline need not), or the
/// flags cannot be told of a move towards new, or somebody else was first.
pub fn move_lanes(request: &MoveRequest) -> Result<Moved, RolloutError> {
    match request.event {
        LaneEvent::Flip | LaneEvent::Complete => towards_new(request),
        _ => towards_old(request),
    }
}

fn towards_new(request: &MoveRequest) -> Result<Moved, RolloutError> {
    let situation = situation(&request.pipeline, &request.change, Evidence::Files)?;
    require_possible(&situation, request)?;
    let step = situation
        .step(
            request.event,
            &request.lanes,
            request.overrides,
            Some(&request.actor.name),
        )
        .map_err(|none| RolloutError::Lanes(format!("`{}` {none}", request.change)))?;
    let state = |lane: &Customer| situation.state(lane);
    let Situation {
        pipeline,
        store,
        entries,
        change,
        ..
    } = &situation;
    let before = said_too(pipeline, store, entries, change, stages_of(&situation))?;
    let others = state(&Customer::Everybody).after(request.event).ok();
    let others = others.filter(|_| step.all);
    let after = stages_after(&before, &step.lanes, others, request.event, state);
    let overridden = request.overrides && step.decision.standing != Standing::Ready;
    let mut alerts = Vec::new();
    if overridden {
        alerts.push(format!(
            "`{}`: the gate said \"{}\" and was overridden by {}",
            request.change,
            step.decision.standing.text(),
            request.actor.name
        ));
    }
    let done = step.may && !request.dry_run;
    let mut flag = None;
    if done {
        let why = Why {
            what: "flip",
            lanes: (!step.all).then_some(step.lanes.len()),
            by: &request.actor.name,
            reason: request.reason.as_deref(),
            evidence: Some(&step.decision.evidence),
        };
        let why = match request.event {
            LaneEvent::Complete => Why {
                what: "completion",
                ..why
            },
            _ => why,
        };
        // Flags that cannot be told would take the lanes back in the next run.
        rehearse(pipeline, store, entries, change, [&before, &after], &why)?;
        let gated = Gated {
            evidence: step.decision.evidence.clone(),
            standing: step.decision.standing,
            overridden,
            policy: situation.change.gate.clone(),
        };
        let event = LedgerEvent::Moved(Move {
            lanes: if step.all {
                Vec::new()
            } else {
                step.lanes.clone()
            },
            code: Some(situation.code[1].clone()),
            gate: Some(gated),
            wave: step.wave,
            ..moved(request)
        });
        let read = entries.len() as u64;
        ledger::append_after(store, read, &event, clock::now())?;
        let told = tell(pipeline, store, change, &after, &why, How::NEW)
            .map_err(|error| not_told(&situation, request.event, &step, &before, error))?;
        alerts.extend(told.notes);
        flag = told.version.map(|version| MovedFlag {
            provider: pipeline.flags.name(),
            flag: change.flag.clone(),
            version,
            confirmed: told.confirmed,
        });
    }
    Ok(Moved {
        version: 1,
        change: request.change.clone(),
        event: request.event,
        done,
        all: step.all,
        wave: step.wave,
        lanes: step.lanes,
        refused: step.refused,
        before,
        after,
        gate: Some(step.decision),
        flag,
        live: match request.event {
            LaneEvent::Complete => situation.change.new.clone(),
            _ => BTreeMap::new(),
        },
        alerts,
    })
}

/// A move that the flag did not take. What it surely refused goes back in the ledger: later runs would try it again, and
/// who was told that nothing moved would be wrong. What is not known stays, and is told again.
fn not_told(
    situation: &Situation,
    event: LaneEvent,
    step: &Step,
    before: &LaneStages,
    error: TellError,
) -> RolloutError {
    let error = match error {
        TellError::Ledger(error) => return RolloutError::Ledger(error),
        TellError::Flag(error) => error,
    };
    // From `complete` there is no way back in the ledger.
    if !error.is_refusal() || event == LaneEvent::Complete {
        return RolloutError::NotTold(error);
    }
    let was_live = before
        .lanes
        .iter()
        .filter(|(_, stage)| **stage >= Stage::Live);
    let back = LedgerEvent::Moved(Move {
        change: situation.change.name.clone(),
        lanes: if step.all {
            Vec::new()
        } else {
            step.lanes.clone()
        },
        except: if step.all {
            was_live.map(|(lane, _)| lane.clone()).collect()
        } else {
            Vec::new()
        },
        to: Stage::Shadow,
        by: "understudy".to_owned(),
        reason: Some(format!("flag {} refused it", situation.change.flag)),
        code: None,
        known_by: Some(KnownBy::Understudy),
        event: Some(LaneEvent::Rollback),
        gate: None,
        wave: None,
    });
    match ledger::append(&situation.store, &back, clock::now()) {
        Ok(()) => RolloutError::Flags(error),
        Err(failed) => RolloutError::Ledger(failed),
    }
}

fn require_possible(situation: &Situation, request: &MoveRequest) -> Result<(), RolloutError> {
    let change = &request.change;
    if situation.is_one_lane && request.lanes != Lanes::All {
        return Err(RolloutError::Lanes(format!(
            "`{change}` has the one lane `*`, because a changed task has no customer column; use --all"
        )));
    }
    if request.event == LaneEvent::Complete && request.lanes != Lanes::All {
        return Err(RolloutError::Lanes(format!(
            "`{change}` can be completed for all lanes only"
        )));
    }
    Ok(())
}

fn stages_of(situation: &Situation) -> LaneStages {
    situation.rollout.stages_for(&situation.code[1]).0
}

fn moved(request: &MoveRequest) -> Move {
    Move {
        change: request.change.clone(),
        lanes: Vec::new(),
        to: match request.event {
            LaneEvent::Flip => Stage::Live,
            LaneEvent::Complete => Stage::Complete,
            LaneEvent::Withdraw => Stage::Off,
            _ => Stage::Shadow,
        },
        by: request.actor.name.clone(),
        reason: request.reason.clone(),
        code: None,
        known_by: Some(request.actor.known_by),
        event: Some(request.event),
        gate: None,
        wave: None,
        except: Vec::new(),
    }
}

/// Towards old, and whatever makes nobody's rows new: nothing is asked of evidence, flags or the pipeline file.
fn towards_old(request: &MoveRequest) -> Result<Moved, RolloutError> {
    let place = place_of(request)?;
    let entries = ledger::open(&place.store)?.entries().to_vec();
    let rollout = rollouts(&entries).remove(&request.change);
    if rollout.is_none() && !place.knows_change {
        return Err(RolloutError::NoChange(format!(
            "neither the pipeline file nor the ledger knows a change `{}`",
            request.change
        )));
    }
    let rollout = rollout.unwrap_or_default();
    let state = |lane: &Customer| rollout.lane(lane).state;
    let (known, all): (BTreeSet<Customer>, bool) = match &request.lanes {
        Lanes::Named(named) => (named.clone(), false),
        Lanes::All | Lanes::Next => (rollout.lanes.keys().cloned().collect(), true),
    };
    let (lanes, refused) = sorted(&known, request.event, state);
    let others = state(&Customer::Everybody).after(request.event);
    let others = others.ok().filter(|_| all);
    let something = !lanes.is_empty() || others.is_some();
    let mut alerts = Vec::new();
    let done = something && !request.dry_run;
    let is_hold = matches!(request.event, LaneEvent::Hold | LaneEvent::Release);
    // The ledger comes first, since it asks nobody else; the flag takes effect even if the ledger cannot be written.
    let mut recorded = Ok(());
    if done {
        let own = if all { Vec::new() } else { lanes.clone() };
        let event = if is_hold {
            LedgerEvent::Held(Hold {
                change: request.change.clone(),
                lanes: own,
                held: request.event == LaneEvent::Hold,
                by: request.actor.name.clone(),
                known_by: request.actor.known_by,
                reason: request.reason.clone(),
            })
        } else {
            LedgerEvent::Moved(Move {
                lanes: own,
                ..moved(request)
            })
        };
        recorded = ledger::append(&place.store, &event, clock::now());
    }
    let before = place.said_too(&entries, rollout.stages());
    let after = stages_after(&before, &lanes, others, request.event, state);
    let mut flag = None;
    if done && !(is_hold && after == before) {
        match place.tell(request, &rollout, &after, (!all).then_some(lanes.len())) {
            Ok(told) => flag = place.flag_now(told, &mut alerts),
            Err(error) => alerts.push(format!(
                "{}; the move is in the ledger, which decides: the flag says otherwise until it is mended",
                in_full(&error)
            )),
        }
    }
    recorded?;
    Ok(Moved {
        version: 1,
        change: request.change.clone(),
        event: request.event,
        done,
        all,
        wave: None,
        lanes,
        refused,
        before,
        after,
        gate: None,
        flag,
        live: BTreeMap::new(),
        alerts,
    })
}

/// Where the ledger and the flags of a change are, as far as can be told.
struct Place {
    store: Store,
    /// The pipeline, where it can be read and is what the request is about.
    pipeline: Option<Pipeline>,
    folder: Option<PathBuf>,
    change: Option<Change>,
    knows_change: bool,
}

impl Place {
    /// The stages, as far as the flag says so too, if it says anything that can be understood.
    fn said_too(&self, entries: &[Entry], stages: LaneStages) -> LaneStages {
        match (&self.pipeline, &self.change) {
            // A provider that has to be asked over a network lowers by itself what it is told on the way to old.
            (Some(pipeline), Some(change)) if !pipeline.flags.has_versions() => {
                said_too(pipeline, &self.store, entries, change, stages.clone()).unwrap_or(stages)
            }
            _ => stages,
        }
    }

    /// A flag is told once somebody was flipped; before, it says nothing, and goes on saying nothing. Gives what a
    /// person should know.
    fn tell(
        &self,
        request: &MoveRequest,
        rollout: &Rollout,
        after: &LaneStages,
        lanes: Option<usize>,
    ) -> Result<Told, RolloutError> {
        if !rollout.moved && *after == LaneStages::default() {
            return Ok(Told::default());
        }
        let what = moved(request).to;
        let why = Why {
            what: &format!("move to {what}"),
            lanes,
            by: &request.actor.name,
            reason: request.reason.as_deref(),
            evidence: None,
        };
        if let (Some(pipeline), Some(change)) = (&self.pipeline, &self.change) {
            // Whoever is released may be compared again: that raises the flag, and makes nobody's rows new.
            let towards = match request.event {
                LaneEvent::Release => Towards::New,
                _ => Towards::Old,
            };
            let how = How {
                towards,
                hurry: true,
            };
            return Ok(tell(pipeline, &self.store, change, after, &why, how)?);
        }
        // A pipeline file that cannot be read does not say where its flags are; a flag file is where they usually are.
        let file = self
            .folder
            .as_ref()
            .filter(|folder| folder.join(FLAG_FILE).exists());
        let Some(folder) = file else {
            let note = "the pipeline file does not say where the flags are, so that they were not told; the ledger has the move";
            return Ok(Told {
                notes: vec![note.to_owned()],
                ..Told::default()
            });
        };
        let telling = Telling {
            flag: &request.change,
            stages: after,
            customers: &BTreeSet::new(),
            why: "",
            marker: None,
            towards: Towards::Old,
            hurry: true,
        };
        Ok(FileFlags::beside(folder).tell(&telling)?)
    }

    /// What there is to say of a flag that was told, if it has versions.
    fn flag_now(&self, told: Told, alerts: &mut Vec<String>) -> Option<MovedFlag> {
        alerts.extend(told.notes);
        let pipeline = self.pipeline.as_ref()?;
        Some(MovedFlag {
            provider: pipeline.flags.name(),
            flag: self.change.as_ref()?.flag.clone(),
            version: told.version?,
            confirmed: told.confirmed,
        })
    }
}

/// An error with what caused it.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

fn place_of(request: &MoveRequest) -> Result<Place, RolloutError> {
    let folder_of = |path: &Path| {
        let folder = if path.is_dir() {
            Some(path)
        } else {
            path.parent()
        };
        folder.map(Path::to_owned)
    };
    let change_of = |pipeline: &Pipeline| pipeline.spec.changes.get(&request.change).cloned();
    match (pipeline::load(&request.pipeline), &request.store) {
        (Ok(pipeline), None) => {
            let change = change_of(&pipeline);
            let suspended = pipeline.spec.suspended.contains_key(&request.change);
            Ok(Place {
                store: Store::of(&pipeline),
                knows_change: change.is_some() || suspended,
                change,
                folder: Some(pipeline.folder.clone()),
                pipeline: Some(pipeline),
            })
        }
        (loaded, Some(store)) => Ok(Place {
            store: Store::at(store),
            folder: folder_of(&request.pipeline),
            change: loaded.as_ref().ok().and_then(change_of),
            pipeline: loaded.ok(),
            knows_change: false,
        }),
        (Err(error), None) => {
            // A broken file does not say where the store is; most are where they are by default.
            let folder = folder_of(&request.pipeline);
            let usual = folder.as_ref().map(|folder| folder.join("store"));
            let usual = usual.filter(|store| store.join("ledger").is_dir());
            match usual {
                Some(store) => Ok(Place {
                    store: Store::at(store),
                    pipeline: None,
                    folder,
                    change: None,
                    knows_change: false,
                }),
                None => Err(crate::error::RunError::from(error).into()),
            }
        }
    }
}

/// Tells the flag of a change what the ledger says, where there are flags: lanes that fell back are live no more.
///
/// # Errors
/// The ledger cannot be read, or the flag not be told.
pub(crate) fn tell_flags(
    pipeline: &Pipeline,
    store: &Store,
    change: &str,
) -> Result<(), RolloutError> {
    let Some(change) = pipeline.spec.changes.get(change) else {
        return Ok(());
    };
    let ledger = ledger::open(store)?;
    let held = ledger.stages().of(&change.name);
    // A flag file that was never told of the change says nothing of it, and goes on saying nothing.
    if !pipeline.flags.has_versions() && !is_named(pipeline, change)? {
        return Ok(());
    }
    let said = said_too(pipeline, store, ledger.entries(), change, held.clone()).unwrap_or(held);
    let why = Why {
        what: "move back by itself",
        lanes: None,
        by: "understudy",
        reason: None,
        evidence: None,
    };
    tell(pipeline, store, change, &said, &why, How::OLD)?;
    Ok(())
}

fn is_named(pipeline: &Pipeline, change: &Change) -> Result<bool, RolloutError> {
    Ok(match pipeline.flags.snapshot(&[])? {
        FlagAnswer::Silent => false,
        FlagAnswer::Said(said) => said.stages.0.contains_key(&change.flag),
    })
}

/// Approves of the evidence as it is now.
///
/// # Errors
/// As for a move; there is no evidence to approve of.
pub fn approve(request: &MoveRequest) -> Result<Decision, RolloutError> {
    let situation = situation(&request.pipeline, &request.change, Evidence::Files)?;
    let decision = situation.gate(None, None);
    if decision.lanes.is_empty() {
        return Err(RolloutError::Lanes(format!(
            "there is no evidence on `{}` to approve of yet: run it first",
            request.change
        )));
    }
    if !request.dry_run {
        let event = LedgerEvent::Approved(Approved {
            change: request.change.clone(),
            evidence: decision.evidence.clone(),
            by: request.actor.name.clone(),
            known_by: request.actor.known_by,
            reason: request.reason.clone(),
        });
        let read = situation.entries.len() as u64;
        ledger::append_after(&situation.store, read, &event, clock::now())?;
    }
    Ok(decision)
}
