//! What a team looks at, and who is called at night first: every change, its lanes, and what they wait for.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use understudy_core::customer::Customer;
use understudy_core::gate::{Decision, LaneDecision, Standing, Waits};
use understudy_core::rollout::lane::LaneEvent;
use understudy_core::rollout::record::{LastMove, rollouts};
use understudy_core::run_date::RunDate;
use understudy_core::stage::Stage;
use understudy_core::verdict::Verdict;
use understudy_flags::Freshness;

use super::{Evidence, Lanes, RolloutError, Situation, kept, situation};
use crate::flags::flagged;
use crate::pipeline;
use crate::repair::PublishedWithNew;
use crate::store::Store;
use crate::store::ledger;

/// The format of what `status --json` prints.
pub const STATUS_FORMAT: u32 = 1;

/// How many of a lane's last runs are shown.
const SHOWN_RUNS: usize = 8;

/// A pipeline's changes.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Status {
    /// The format, [`STATUS_FORMAT`].
    pub version: u32,
    /// The pipeline.
    pub pipeline: String,
    /// Who owns it.
    pub owner: Option<String>,
    /// Where it says what to do.
    pub runbook: Option<String>,
    /// Where the flags are, and how fresh they are.
    pub flags: FlagStatus,
    /// Its changes that can run.
    pub changes: BTreeMap<String, ChangeStatus>,
    /// Changes that cannot run as the file has them.
    pub suspended: Vec<String>,
}

/// Where the flags are, and how fresh they are.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FlagStatus {
    /// What people call the place.
    pub provider: &'static str,
    /// How fresh they are.
    pub freshness: Freshness,
}

/// A change.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ChangeStatus {
    /// The new versions, by task.
    pub new: BTreeMap<String, String>,
    /// How many lanes get the new versions, of those that are known.
    pub live: usize,
    /// How many lanes are known.
    pub known: usize,
    /// Whether everybody who is not named gets the new versions.
    pub others: Stage,
    /// Whether everybody who is not named is held.
    pub others_held: bool,
    /// The move that brought the first lane that is live there, or else the last one towards new.
    pub flipped: Option<LastMoveStatus>,
    /// The first and the last date whose published rows come from the new versions for some lane.
    pub published_with_new: Option<[RunDate; 2]>,
    /// What a person should look at.
    pub alerts: Vec<String>,
    /// What is not as it should be with the sandbox of the newest run, and what that read without its being pinned.
    pub doubts: Vec<String>,
    /// The next wave of the policy, where one is left.
    pub next_wave: Option<NextWaveStatus>,
    /// All of these dates, those whose old output is gone, and those that a repair would publish anew.
    pub published: PublishedWithNew,
    /// What the gate says of all lanes.
    pub gate: Decision,
    /// The lanes, worst first.
    pub lanes: Vec<LaneStatus>,
}

/// A wave that can begin.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NextWaveStatus {
    /// Its place in the policy, from one.
    pub number: u32,
    /// How many waves the policy has.
    pub of: usize,
    /// How many lanes go with it, as far as they are known.
    pub lanes: usize,
    /// How it stands.
    pub standing: Standing,
    /// What it waits for.
    pub waits: Waits,
}

/// A move, for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LastMoveStatus {
    /// When: seconds since the epoch.
    pub at: i64,
    /// Who.
    pub by: String,
    /// How that is known.
    pub known_by: Option<&'static str>,
    /// Why.
    pub reason: Option<String>,
    /// Whether the gate was overridden.
    pub overridden: bool,
}

/// A lane.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LaneStatus {
    /// Whose.
    pub customer: Customer,
    /// Where it stands.
    pub stage: Stage,
    /// Whether a person holds it.
    pub held: bool,
    /// Whether it went live for code that is another one by now.
    pub other_code: bool,
    /// Since when it is live, where it is: seconds since the epoch.
    pub live_since: Option<i64>,
    /// When it last fell back by itself: seconds since the epoch.
    pub fell: Option<i64>,
    /// How many rows of its newest run differ in what no rule expects.
    pub unexpected: u64,
    /// The verdicts of its last runs, the newest last.
    pub verdicts: Vec<Verdict>,
    /// What the gate says; `None` where it never had rows.
    pub gate: Option<LaneDecision>,
}

/// Looks at a pipeline's changes, or at one of them.
///
/// # Errors
/// The pipeline, its code or its ledger cannot be read, or there is no such change.
pub fn status(path: &Path, change: Option<&str>) -> Result<Status, RolloutError> {
    let mut pipeline = pipeline::load(path).map_err(crate::error::RunError::from)?;
    let store = Store::of(&pipeline);
    pipeline.flags.begin();
    let ledger = ledger::open(&store)?;
    kept::restore(&mut pipeline, &store, &rollouts(ledger.entries()));
    let names: Vec<String> = match change {
        Some(change) => vec![change.to_owned()],
        None => pipeline.spec.changes.keys().cloned().collect(),
    };
    let mut changes = BTreeMap::new();
    for name in names {
        let found = of_change(&situation(path, &name, Evidence::Index)?);
        changes.insert(name, found);
    }
    for alert in flagged(&pipeline, &store, ledger.entries(), &ledger.stages()).alerts {
        let own = changes
            .iter_mut()
            .find(|(name, _)| alert.starts_with(&format!("`{name}`")));
        if let Some((_, change)) = own {
            change.alerts.push(alert);
        }
    }
    Ok(Status {
        version: STATUS_FORMAT,
        pipeline: pipeline.spec.pipeline.clone(),
        owner: pipeline.spec.owner.clone(),
        runbook: pipeline.spec.runbook.clone(),
        flags: FlagStatus {
            provider: pipeline.flags.name(),
            freshness: pipeline.flags.freshness(),
        },
        suspended: pipeline.spec.suspended.keys().cloned().collect(),
        changes,
    })
}

fn of_change(situation: &Situation) -> ChangeStatus {
    let gate = situation.gate(None, None);
    let mut lanes: Vec<LaneStatus> = situation
        .lanes()
        .iter()
        .filter(|lane| **lane != Customer::Everybody || situation.is_one_lane)
        .map(|lane| of_lane(situation, &gate, lane))
        .collect();
    lanes.sort_by(|a, b| {
        urgency(b)
            .cmp(&urgency(a))
            .then_with(|| a.customer.cmp(&b.customer))
    });
    let others = situation.state(&Customer::Everybody);
    let records = situation.rollout.lanes.values();
    let live = records
        .chain([&situation.rollout.others])
        .filter(|record| record.state.stage >= Stage::Live);
    let flipped = live.filter_map(|record| record.last.as_ref());
    let flipped = flipped.min_by_key(|last| last.number);
    let published = situation.standing().published_with_new(&situation.store);
    let ends = [published.dates.first(), published.dates.last()];
    ChangeStatus {
        new: situation.change.new.clone(),
        live: lanes
            .iter()
            .filter(|lane| lane.stage >= Stage::Live)
            .count(),
        known: lanes.len(),
        others: others.stage,
        others_held: others.held,
        published_with_new: ends[0].zip(ends[1]).map(|(first, last)| [*first, *last]),
        published,
        flipped: flipped.map(for_people),
        alerts: situation.alerts.clone(),
        doubts: newest_doubts(situation),
        next_wave: next_wave(situation),
        gate,
        lanes,
    }
}

fn newest_doubts(situation: &Situation) -> Vec<String> {
    let runs = situation.track.runs.values();
    let newest = runs.max_by_key(|run| run.finished);
    newest.map(|run| run.doubts.clone()).unwrap_or_default()
}

fn next_wave(situation: &Situation) -> Option<NextWaveStatus> {
    let step = situation.step(LaneEvent::Flip, &Lanes::Next, false, None);
    let step = step.ok()?;
    let checks = step.decision.checks.iter().map(|check| check.waits);
    let lanes = step.decision.lanes.values().map(|lane| lane.waits);
    Some(NextWaveStatus {
        number: step.wave?,
        of: situation.change.gate.waves.len(),
        lanes: step.lanes.len(),
        standing: step.decision.standing,
        waits: checks.chain(lanes).fold(Waits::default(), Waits::with),
    })
}

fn for_people(last: &LastMove) -> LastMoveStatus {
    LastMoveStatus {
        at: last.at,
        by: last.by.clone(),
        known_by: last.known_by.map(|known| known.text()),
        reason: last.reason.clone(),
        overridden: last.overridden,
    }
}

fn of_lane(situation: &Situation, gate: &Decision, lane: &Customer) -> LaneStatus {
    let record = situation.rollout.lane(lane);
    let state = situation.state(lane);
    let runs = situation.track.lanes.get(lane).map(|track| &track.runs);
    let runs = runs.map(Vec::as_slice).unwrap_or_default();
    let shown = &runs[runs.len().saturating_sub(SHOWN_RUNS)..];
    LaneStatus {
        customer: lane.clone(),
        stage: state.stage,
        held: state.held,
        other_code: state != record.state,
        live_since: record.live_since.filter(|_| state.stage >= Stage::Live),
        fell: record.fell,
        unexpected: runs.last().map_or(0, |run| run.evidence.unexpected),
        verdicts: shown.iter().map(|run| run.evidence.verdict).collect(),
        gate: gate.lanes.get(lane).cloned(),
    }
}

/// What a person has to look at first.
fn urgency(lane: &LaneStatus) -> (bool, Option<Verdict>, bool, Stage) {
    let newest = lane.verdicts.last().copied();
    let is_bad = newest.is_some_and(|verdict| verdict > Verdict::Expected);
    let fell = lane.fell.is_some() || lane.other_code;
    (
        is_bad && lane.stage >= Stage::Live,
        newest.filter(|_| is_bad),
        fell,
        lane.stage,
    )
}
