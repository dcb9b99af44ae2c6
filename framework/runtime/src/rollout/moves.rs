//! The moves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use understudy_core::customer::Customer;
use understudy_core::gate::{Decision, Standing};
use understudy_core::ledger::{Approved, Gated, Hold, KnownBy, LedgerEvent, Move};
use understudy_core::rollout::lane::LaneEvent;
use understudy_core::rollout::lowered;
use understudy_core::rollout::record::{Rollout, rollouts};
use understudy_core::rollout::step::{Lanes, sorted, stages_after};
use understudy_core::stage::{LaneStages, Stage};
use understudy_flags::{FileFlags, FlagAnswer, FlagFileError, FlagProvider as _};

use super::{Evidence, RolloutError, Situation, situation};
use crate::clock;
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
    /// What is to become `live` in the pipeline file, by task, once the change is complete.
    pub live: BTreeMap<String, String>,
    /// What a person should look at.
    pub alerts: Vec<String>,
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
    let flags = FileFlags::beside(&situation.pipeline.folder);
    let flag = &situation.change.flag;
    let before = said_too(&flags, flag, stages_of(&situation))?;
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
    if done {
        // Flags that cannot be told would take the lanes back in the next run. A file that is not there would not, so
        // that there has to be one before the ledger says anything.
        flags.set(flag, &before)?;
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
        let read = situation.entries.len() as u64;
        ledger::append_after(&situation.store, read, &event, clock::now())?;
        flags.set(flag, &after)?;
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
        live: match request.event {
            LaneEvent::Complete => situation.change.new.clone(),
            _ => BTreeMap::new(),
        },
        alerts,
    })
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

/// The stages, as far as the flag says so too: what a hand has taken back stays so.
fn said_too(
    flags: &FileFlags,
    flag: &str,
    stages: LaneStages,
) -> Result<LaneStages, FlagFileError> {
    Ok(match flags.snapshot()? {
        FlagAnswer::Stages(said) => said
            .0
            .get(flag)
            .map_or(stages.clone(), |said| lowered(&stages, said)),
        FlagAnswer::Silent => stages,
    })
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
    let before = rollout.stages();
    let before = place.said_too(&request.change, before);
    let others = others.ok().filter(|_| all);
    let after = stages_after(&before, &lanes, others, request.event, state);
    let something = !lanes.is_empty() || others.is_some();
    let mut alerts = Vec::new();
    let done = something && !request.dry_run;
    if done {
        let own = if all { Vec::new() } else { lanes.clone() };
        let is_hold = matches!(request.event, LaneEvent::Hold | LaneEvent::Release);
        // The flag takes effect even if the ledger cannot be written, and the ledger even if the flag cannot.
        let told = if after == before && is_hold {
            Ok(())
        } else {
            place.tell(&request.change, &rollout, &after)
        };
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
        ledger::append(&place.store, &event, clock::now())?;
        if let Err(error) = told {
            alerts.push(format!(
                "{error}; the move is in the ledger, which decides: the flag says otherwise until it is mended"
            ));
        }
    }
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
        live: BTreeMap::new(),
        alerts,
    })
}

/// Where the ledger and the flags of a change are, as far as can be told.
struct Place {
    store: Store,
    folder: Option<PathBuf>,
    flag: Option<String>,
    knows_change: bool,
}

impl Place {
    fn flag<'a>(&'a self, change: &'a str) -> &'a str {
        self.flag.as_deref().unwrap_or(change)
    }

    /// The stages, as far as the flag says so too, if it says anything that can be understood.
    fn said_too(&self, change: &str, stages: LaneStages) -> LaneStages {
        let Some(folder) = &self.folder else {
            return stages;
        };
        let flags = FileFlags::beside(folder);
        said_too(&flags, self.flag(change), stages.clone()).unwrap_or(stages)
    }

    /// The flag file is written once somebody was flipped; before, it says nothing, and goes on saying nothing.
    fn tell(
        &self,
        change: &str,
        rollout: &Rollout,
        after: &LaneStages,
    ) -> Result<(), FlagFileError> {
        match &self.folder {
            Some(folder) if rollout.moved || *after != LaneStages::default() => {
                FileFlags::beside(folder).set(self.flag(change), after)
            }
            _ => Ok(()),
        }
    }
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
    match (pipeline::load(&request.pipeline), &request.store) {
        (Ok(pipeline), None) => {
            let change = pipeline.spec.changes.get(&request.change);
            let suspended = pipeline.spec.suspended.contains_key(&request.change);
            Ok(Place {
                store: Store::of(&pipeline),
                flag: change.map(|change| change.flag.clone()),
                knows_change: change.is_some() || suspended,
                folder: Some(pipeline.folder),
            })
        }
        (loaded, Some(store)) => Ok(Place {
            store: Store::at(store),
            flag: loaded.ok().and_then(|pipeline| {
                let change = pipeline.spec.changes.get(&request.change);
                change.map(|change| change.flag.clone())
            }),
            folder: folder_of(&request.pipeline),
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
                    folder,
                    flag: None,
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
    let Some(flag) = pipeline.spec.changes.get(change).map(|change| &change.flag) else {
        return Ok(());
    };
    let flags = FileFlags::beside(&pipeline.folder);
    let held = ledger::open(store)?.stages().of(change);
    match flags.snapshot()? {
        FlagAnswer::Silent => Ok(()),
        FlagAnswer::Stages(said) if !said.0.contains_key(flag) => Ok(()),
        FlagAnswer::Stages(_) => Ok(flags.set(flag, &said_too(&flags, flag, held)?)?),
    }
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
