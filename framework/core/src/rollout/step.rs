//! A move towards new, decided before anything of it is written: who can go, what the gate says, and whether it may be
//! done.

use std::collections::{BTreeMap, BTreeSet};

use super::lane::{LaneEvent, LaneState, Refusal};
use super::record::Rollout;
use super::wave::{NextWave, next_wave};
use crate::customer::Customer;
use crate::gate::{
    Check, CheckKind, DEFAULT_MIN_AGE_SECS, Decision, GateInput, Standing, Waits, check,
    clean_runs_wanted, gate, streak,
};
use crate::stage::{LaneStages, Stage};

/// Who is to move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lanes {
    /// These.
    Named(BTreeSet<Customer>),
    /// All of them, and everybody who comes later.
    All,
    /// The next wave of the policy.
    Next,
}

/// What is asked for, and everything that it is decided on.
#[derive(Clone, Copy, Debug)]
pub struct StepInput<'a> {
    /// The change.
    pub change: &'a str,
    /// A flip, or its completion.
    pub event: LaneEvent,
    /// Who.
    pub lanes: &'a Lanes,
    /// Whether the gate is to be overridden.
    pub overrides: bool,
    /// Where the lanes stand.
    pub rollout: &'a Rollout,
    /// What the gate looks at.
    pub gate: GateInput<'a>,
}

/// What a move towards new would do.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// The lanes that go, as far as they are known.
    pub lanes: Vec<Customer>,
    /// Whether everybody goes who is not named, and whoever comes later.
    pub all: bool,
    /// Which wave of the policy begins with it, from one.
    pub wave: Option<u32>,
    /// The lanes that cannot go, each with why.
    pub refused: BTreeMap<Customer, String>,
    /// What the gate says.
    pub decision: Decision,
    /// Whether there is somebody to move, and the gate is ready or overridden.
    pub may: bool,
}

/// Why there is no such step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoStep {
    /// The policy names no waves.
    #[error(
        "has no `waves` in its gate; say who with --customers or --file, or --all for everybody"
    )]
    NoWaves,
    /// Every wave has begun, or would add nobody.
    #[error("has no wave left that adds somebody; --all moves whoever is left")]
    NoWaveLeft,
}

/// Decides on a move towards new.
///
/// # Errors
/// The next wave was asked for, and there is none.
pub fn step(input: &StepInput<'_>) -> Result<Step, NoStep> {
    let going = going(input)?;
    let state = |lane: &Customer| input.rollout.state_for(lane, &input.gate.code[1]);
    let (mut lanes, mut refused) = sorted(&going.lanes, input.event, state);
    let is_completion = input.event == LaneEvent::Complete;
    if is_completion {
        refuse_young(input, &mut lanes, &mut refused);
    }
    let asked: BTreeSet<Customer> = lanes.iter().cloned().collect();
    let mut decision = gate(&input.gate, Some(&asked));
    if let Some(check) = going.check {
        decision.standing = decision.standing.max(check.standing);
        decision.checks.push(check);
    }
    if asked.is_empty() && !refused.is_empty() {
        decision.standing = Standing::NotReady;
    }
    // Without a row there is no evidence, and without evidence no move; with all lanes go those without rows, too.
    if !going.all && !input.overrides {
        for lane in &decision.without_rows {
            let reason = "it never had rows, so there is no evidence for it".to_owned();
            refused.insert(lane.clone(), reason);
        }
        lanes.retain(|lane| !decision.without_rows.contains(lane));
    }
    if is_completion && !refused.is_empty() {
        // It is for all or for nobody.
        decision.standing = decision.standing.max(Standing::NotReady);
        lanes.clear();
    }
    let others_can = going.all && state(&Customer::Everybody).after(input.event).is_ok();
    let somebody = !lanes.is_empty() || (others_can && !going.lanes.is_empty());
    let may = somebody && (decision.standing == Standing::Ready || input.overrides);
    Ok(Step {
        lanes,
        all: going.all,
        wave: going.wave,
        refused,
        decision,
        may,
    })
}

/// Who is to go, before it is asked whether they can.
struct Going {
    lanes: BTreeSet<Customer>,
    all: bool,
    wave: Option<u32>,
    check: Option<Check>,
}

fn going(input: &StepInput<'_>) -> Result<Going, NoStep> {
    let known = known(input);
    let waves = &input.gate.policy.waves;
    let is_flip = input.event == LaneEvent::Flip;
    let next = || {
        next_wave(
            input.change,
            waves,
            input.rollout,
            &input.gate.code[1],
            &known,
        )
    };
    let wave = match input.lanes {
        Lanes::Named(named) => return Ok(Going::of(named.clone(), false)),
        Lanes::Next if waves.is_empty() => return Err(NoStep::NoWaves),
        Lanes::Next => next().ok_or(NoStep::NoWaveLeft)?,
        Lanes::All => match next().filter(|_| is_flip) {
            None => return Ok(Going::of(known, true)),
            Some(last) if last.all => last,
            Some(next) => {
                return Ok(Going {
                    check: Some(waves_left(&next, waves.len())),
                    ..Going::of(known, true)
                });
            }
        },
    };
    Ok(Going {
        wave: Some(wave.number),
        check: (!input.rollout.waves.is_empty()).then(|| earlier_waves(input, &known)),
        ..Going::of(wave.lanes, wave.all)
    })
}

impl Going {
    fn of(lanes: BTreeSet<Customer>, all: bool) -> Self {
        Self {
            lanes,
            all,
            wave: None,
            check: None,
        }
    }
}

/// The lanes that anything is known of: those that had rows, and those that the ledger names.
fn known(input: &StepInput<'_>) -> BTreeSet<Customer> {
    let tracked = input.gate.track.lanes.keys();
    tracked.chain(input.rollout.lanes.keys()).cloned().collect()
}

fn waves_left(next: &NextWave, of: usize) -> Check {
    check(
        CheckKind::Waves,
        Standing::NotReady,
        format!("wave {} of {of} is next", next.number),
        "one wave after the other, with --next",
    )
}

/// Between waves: every lane of those before is live, and clean since it is.
fn earlier_waves(input: &StepInput<'_>, known: &BTreeSet<Customer>) -> Check {
    let wanted = clean_runs_wanted(input.gate.policy);
    let (mut clean, mut waiting, mut runs) = (0_usize, 0_usize, 0);
    let mut not_live = Vec::new();
    for lane in known {
        let state = input.rollout.state_for(lane, &input.gate.code[1]);
        if input.rollout.wave_of(lane).is_none() || state.stage == Stage::Off {
            continue;
        }
        if state.stage < Stage::Live {
            not_live.push(lane.label());
            continue;
        }
        // Who has no rows has nothing to be clean.
        let Some(track) = input.gate.track.lanes.get(lane) else {
            continue;
        };
        let since = input.rollout.lane(lane).turned;
        let streak = streak(&input.gate, lane, track, since);
        let left = wanted.saturating_sub(streak.dates);
        clean += usize::from(left == 0);
        waiting += usize::from(left > 0);
        runs = runs.max(left);
    }
    let figure = match (not_live.as_slice(), waiting) {
        ([], 0) => format!("all {clean} lanes are"),
        ([], waiting) => format!("{waiting} of {} lanes are not", clean + waiting),
        ([lane], _) => format!("{lane} is not live: flip it again, or withdraw it"),
        ([lane, more @ ..], _) => format!(
            "{lane} and {} more are not live: flip them again, or withdraw them",
            more.len()
        ),
    };
    let is_ready = not_live.is_empty() && waiting == 0;
    Check {
        waits: Waits {
            runs,
            ..Waits::default()
        },
        ..check(
            CheckKind::Waves,
            if is_ready {
                Standing::Ready
            } else {
                Standing::NotReady
            },
            figure,
            format!("the waves before are live, with {wanted} clean runs since"),
        )
    }
}

/// The lanes that an event can happen to, and the others with why not.
#[must_use]
pub fn sorted(
    lanes: &BTreeSet<Customer>,
    event: LaneEvent,
    state: impl Fn(&Customer) -> LaneState,
) -> (Vec<Customer>, BTreeMap<Customer, String>) {
    let mut able = Vec::new();
    let mut refused = BTreeMap::new();
    for lane in lanes {
        match state(lane).after(event) {
            Ok(_) => able.push(lane.clone()),
            Err(refusal) => _ = refused.insert(lane.clone(), refusal.to_string()),
        }
    }
    (able, refused)
}

/// Who has not been live for long enough to be complete.
fn refuse_young(
    input: &StepInput<'_>,
    lanes: &mut Vec<Customer>,
    refused: &mut BTreeMap<Customer, String>,
) {
    let wanted = input.gate.policy.min_age_secs;
    let wanted = wanted.unwrap_or(DEFAULT_MIN_AGE_SECS);
    let age = |lane: &Customer| {
        let since = input.rollout.lane(lane).live_since;
        since.map_or(0, |since| {
            u64::try_from(input.gate.now - since).unwrap_or(0)
        })
    };
    let known: Vec<Customer> = lanes.iter().cloned().chain([Customer::Everybody]).collect();
    for lane in known {
        let is_live = input.rollout.state_for(&lane, &input.gate.code[1]).stage >= Stage::Live;
        if !is_live {
            refused
                .entry(lane)
                .or_insert_with(|| Refusal::NotLive.to_string());
        } else if age(&lane) < wanted {
            let left = (wanted - age(&lane)).div_ceil(3_600);
            refused.insert(lane, format!("it has to be live for {left} h more"));
        }
    }
    lanes.retain(|lane| !refused.contains_key(lane));
}

/// The stages once an event has happened to these lanes, and to everybody who is not named, if they move as well.
#[must_use]
pub fn stages_after(
    before: &LaneStages,
    lanes: &[Customer],
    others: Option<LaneState>,
    event: LaneEvent,
    state: impl Fn(&Customer) -> LaneState,
) -> LaneStages {
    let mut after = before.clone();
    for lane in lanes {
        if let Ok(state) = state(lane).after(event) {
            after.lanes.insert(lane.clone(), state.stage);
        }
    }
    if let Some(others) = others {
        after.unlisted = others.stage;
    }
    let unlisted = after.unlisted;
    after.lanes.retain(|_, stage| *stage != unlisted);
    after
}

#[cfg(test)]
mod tests;
