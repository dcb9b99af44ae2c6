//! What the ledger's entries make of a rollout: where each lane stands, since when, by whom and for which code.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::lane::{LaneEvent, LaneState};
use crate::customer::Customer;
use crate::digest::Digest;
use crate::gate::Approval;
use crate::ledger::{Entry, KnownBy, LedgerEvent, Move};
use crate::spec::GatePolicy;
use crate::stage::{LaneStages, Stage};

/// How long after it fell back a lane that falls again is held, in seconds: a day.
pub const FALLS_AGAIN_WITHIN_SECS: i64 = 24 * 60 * 60;

/// One change's rollout.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rollout {
    /// The lanes that some entry names.
    pub lanes: BTreeMap<Customer, LaneRecord>,
    /// Everybody else.
    pub others: LaneRecord,
    /// Whether any entry moved a lane.
    pub moved: bool,
    /// The policy when the first lane went live in this rollout; `None` before, and once all are back.
    pub first_policy: Option<GatePolicy>,
    /// Every approval that was given.
    pub approvals: Vec<Approval>,
    /// The waves that have begun since the first lane went live, in order.
    pub waves: Vec<BegunWave>,
}

/// A wave that has begun. Who goes with it was settled then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BegunWave {
    /// Its place in the policy, from one.
    pub number: u32,
    /// Who went; `None` means everybody who was in no wave before, and whoever comes later.
    pub lanes: Option<BTreeSet<Customer>>,
    /// When: seconds since the epoch.
    pub at: i64,
}

/// One lane.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LaneRecord {
    /// Where it stands.
    pub state: LaneState,
    /// The code that it was moved towards new for; `None` where the entry does not say.
    pub code: Option<Digest>,
    /// The entry that moved it last.
    pub last: Option<LastMove>,
    /// When it last fell back by itself: seconds since the epoch.
    pub fell: Option<i64>,
    /// Since when it has been live, where it is: seconds since the epoch.
    pub live_since: Option<i64>,
    /// The entry since which its rows come from the side that they come from now, if they ever turned.
    pub turned: Option<u64>,
}

/// The entry that moved a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastMove {
    /// Its number in the ledger.
    pub number: u64,
    /// When: seconds since the epoch.
    pub at: i64,
    /// What happened.
    pub event: Option<LaneEvent>,
    /// Who did it.
    pub by: String,
    /// How that is known.
    pub known_by: Option<KnownBy>,
    /// Why.
    pub reason: Option<String>,
    /// Whether the gate was overridden.
    pub overridden: bool,
}

impl Rollout {
    /// A customer's lane.
    #[must_use]
    pub fn lane(&self, customer: &Customer) -> &LaneRecord {
        self.lanes.get(customer).unwrap_or(&self.others)
    }

    /// The stages of its lanes.
    #[must_use]
    pub fn stages(&self) -> LaneStages {
        let lanes = self.lanes.iter();
        LaneStages {
            lanes: lanes
                .map(|(lane, record)| (lane.clone(), record.state.stage))
                .collect(),
            unlisted: self.others.state.stage,
        }
    }

    /// The stages as far as they are for this code of the new versions: a lane that went live for another code is at
    /// `shadow`. Gives the lanes that are, `*` for everybody who is not named.
    #[must_use]
    pub fn stages_for(&self, code: &Digest) -> (LaneStages, Vec<Customer>) {
        let mut stages = self.stages();
        let mut others = Vec::new();
        let is_other =
            |record: &LaneRecord| record.state.stage == Stage::Live && record.is_for_other(code);
        for (lane, _) in self.lanes.iter().filter(|(_, record)| is_other(record)) {
            stages.lanes.insert(lane.clone(), Stage::Shadow);
            others.push(lane.clone());
        }
        if is_other(&self.others) {
            stages.unlisted = Stage::Shadow;
            others.push(Customer::Everybody);
        }
        (stages, others)
    }

    /// Where a lane stands for this code of the new versions: one that went live for another code is at `shadow`.
    #[must_use]
    pub fn state_for(&self, lane: &Customer, code: &Digest) -> LaneState {
        let record = self.lane(lane);
        let stage = match record.state.stage {
            Stage::Live if record.is_for_other(code) => Stage::Shadow,
            stage => stage,
        };
        LaneState {
            stage,
            ..record.state
        }
    }

    /// The lanes that a person holds, among those that are named.
    #[must_use]
    pub fn held(&self) -> BTreeSet<Customer> {
        let held = self.lanes.iter().filter(|(_, record)| record.state.held);
        held.map(|(lane, _)| lane.clone()).collect()
    }

    fn each(&mut self, lanes: &[Customer], change: impl Fn(&mut LaneRecord)) {
        if lanes.is_empty() {
            self.lanes.values_mut().for_each(&change);
            change(&mut self.others);
        }
        for lane in lanes {
            let others = self.others.clone();
            change(self.lanes.entry(lane.clone()).or_insert(others));
        }
    }

    fn take(&mut self, moved: &Move, last: &LastMove) {
        self.moved = true;
        let was_live = self.is_live();
        if moved.lanes.is_empty() && moved.event.is_none() {
            self.lanes.clear();
        }
        for lane in &moved.except {
            let others = self.others.clone();
            self.lanes.entry(lane.clone()).or_insert(others);
        }
        let kept: Vec<(Customer, LaneRecord)> = moved
            .except
            .iter()
            .filter_map(|lane| self.lanes.remove_entry(lane))
            .collect();
        self.each(&moved.lanes, |record| record.take(moved, last));
        self.lanes.extend(kept);
        if let (Some(number), Some(LaneEvent::Flip)) = (moved.wave, moved.event) {
            let named = moved.lanes.iter().cloned().collect();
            self.waves.push(BegunWave {
                number,
                lanes: (!moved.lanes.is_empty()).then_some(named),
                at: last.at,
            });
        }
        // What stands as everybody else does need not be named.
        if moved.lanes.is_empty() {
            let others = &self.others;
            self.lanes.retain(|_, record| {
                record.state != others.state
                    || record.code != others.code
                    || record.fell.is_some()
                    || record.turned > others.turned
            });
        }
        match (was_live, self.is_live()) {
            (false, true) => {
                self.first_policy = moved.gate.as_ref().map(|gate| gate.policy.clone())
            }
            (_, false) => {
                self.first_policy = None;
                self.waves.clear();
            }
            (true, true) => {}
        }
    }

    fn is_live(&self) -> bool {
        let mut records = self.lanes.values().chain([&self.others]);
        records.any(|record| record.state.stage >= Stage::Live)
    }
}

impl LaneRecord {
    /// Whether it was moved towards new for other code than this.
    #[must_use]
    pub fn is_for_other(&self, code: &Digest) -> bool {
        self.code.as_ref().is_some_and(|own| own != code)
    }

    fn take(&mut self, moved: &Move, last: &LastMove) {
        let before = self.state.stage;
        match moved.event {
            None => self.state.stage = moved.to,
            // What cannot happen to a lane does not: of all lanes, those move that can.
            Some(event) => match self.state.after(event) {
                Ok(state) => self.state = state,
                Err(_) => return,
            },
        }
        if matches!(moved.event, Some(LaneEvent::FallBack { .. })) {
            self.fell = Some(last.at);
        }
        if self.state.stage >= Stage::Live {
            self.code.clone_from(&moved.code);
        }
        let was_live = before >= Stage::Live;
        let is_live = self.state.stage >= Stage::Live;
        if was_live != is_live {
            self.turned = Some(last.number);
        }
        match (was_live, is_live) {
            (false, true) => self.live_since = Some(last.at),
            (_, false) => self.live_since = None,
            (true, true) => {}
        }
        self.last = Some(last.clone());
    }
}

/// The rollouts that follow from the entries, taken in order, by change.
#[must_use]
pub fn rollouts<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeMap<String, Rollout> {
    let mut rollouts: BTreeMap<String, Rollout> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            LedgerEvent::Moved(moved) => {
                let last = LastMove {
                    number: entry.number,
                    at: seconds(&entry.at),
                    event: moved.event,
                    by: moved.by.clone(),
                    known_by: moved.known_by,
                    reason: moved.reason.clone(),
                    overridden: moved.gate.as_ref().is_some_and(|gate| gate.overridden),
                };
                let rollout = rollouts.entry(moved.change.clone()).or_default();
                rollout.take(moved, &last);
            }
            LedgerEvent::Held(hold) => {
                let event = if hold.held {
                    LaneEvent::Hold
                } else {
                    LaneEvent::Release
                };
                let rollout = rollouts.entry(hold.change.clone()).or_default();
                rollout.each(&hold.lanes, |record| {
                    record.state = record.state.after(event).unwrap_or(record.state);
                });
            }
            LedgerEvent::Approved(approved) => {
                let rollout = rollouts.entry(approved.change.clone()).or_default();
                rollout.approvals.push(Approval {
                    by: approved.by.clone(),
                    evidence: approved.evidence.clone(),
                });
            }
            LedgerEvent::Published(_)
            | LedgerEvent::Judged(_)
            | LedgerEvent::Reviewed(_)
            | LedgerEvent::FlagTold(_) => {}
        }
    }
    rollouts
}

/// Seconds since the epoch of an entry's time; the beginning of time for one that is none.
#[must_use]
pub fn seconds(at: &str) -> i64 {
    DateTime::parse_from_rfc3339(at).map_or(0, |at| at.timestamp())
}

#[cfg(test)]
mod tests;
