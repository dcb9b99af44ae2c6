//! Moves: what is asked for, what comes of it, and those towards new, which wait for the gate and the flags.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use understudy_core::customer::Customer;
use understudy_core::gate::{Decision, Standing};
use understudy_core::ledger::{Approved, Gated, KnownBy, LedgerEvent, Move};
use understudy_core::rollout::lane::LaneEvent;
use understudy_core::rollout::step::{Lanes, Step, stages_after};
use understudy_core::stage::{LaneStages, Stage};

use super::towards_old::towards_old;
use super::{Evidence, RolloutError, Situation, situation};
use crate::clock;
use crate::flags::{How, TellError, Why, rehearse, said_too, tell};
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

/// What every move has in the ledger.
pub(super) fn moved(request: &MoveRequest) -> Move {
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
