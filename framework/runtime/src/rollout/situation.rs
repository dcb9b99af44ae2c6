//! What is known about a change now.

use std::collections::BTreeSet;
use std::path::Path;

use understudy_core::customer::Customer;
use understudy_core::digest::Digest;
use understudy_core::evidence::Track;
use understudy_core::gate::{Decision, GateInput, gate};
use understudy_core::ledger::Entry;
use understudy_core::rollout::anew::Anew;
use understudy_core::rollout::lane::{LaneEvent, LaneState};
use understudy_core::rollout::record::{Rollout, rollouts};
use understudy_core::rollout::step::{Lanes, NoStep, Step, StepInput, step};
use understudy_core::spec::Change;
use understudy_core::spec::nearest::hint;

use super::{RolloutError, kept, waivers};
use crate::clock;
use crate::evidence::{self, code_of, rules_of};
use crate::observe::code_digests;
use crate::pipeline::{self, Pipeline};
use crate::prepare::as_flags_say;
use crate::repair::standing::{Standing, standing};
use crate::store::Store;
use crate::store::ledger;

/// A change, and everything that its gate looks at.
#[derive(Debug)]
pub struct Situation {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Its store.
    pub store: Store,
    /// The change.
    pub change: Change,
    /// The ledger as it was read.
    pub entries: Vec<Entry>,
    /// What the ledger makes of the change.
    pub rollout: Rollout,
    /// What its judged runs say.
    pub track: Track,
    /// Whose evidence had to start anew because something upstream moved.
    pub anew: Anew,
    /// The digest of each side's versions as they are now: old, then new.
    pub code: [Digest; 2],
    /// The digest of its rules as they are now.
    pub rules: Digest,
    /// Whether its lanes are one, because some changed task has no customers.
    pub is_one_lane: bool,
    /// What a person should look at: that the pipeline file does not have it any more.
    pub alerts: Vec<String>,
}

/// Where evidence is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// In the index, which is fast: to look.
    Index,
    /// In the files whose digests are in the ledger: to move.
    Files,
}

/// Looks at a change.
///
/// # Errors
/// The pipeline, its code or its ledger cannot be read, or there is no such change.
pub fn situation(path: &Path, change: &str, look_in: Evidence) -> Result<Situation, RolloutError> {
    let mut pipeline = pipeline::load(path).map_err(crate::error::RunError::from)?;
    let store = Store::of(&pipeline);
    let entries = ledger::open(&store)?.entries().to_vec();
    let mut rollouts = rollouts(&entries);
    let alerts = kept::restore(&mut pipeline, &store, &rollouts);
    let found = pipeline.spec.changes.get(change).cloned();
    let found = found.ok_or_else(|| RolloutError::NoChange(unknown(&pipeline, change)))?;
    let code = code_digests(&pipeline).map_err(crate::error::RunError::from)?;
    waivers::grant(&mut pipeline.spec, &entries, &code);
    let track = match look_in {
        Evidence::Index => evidence::track(&store, &pipeline.spec, &entries, change),
        Evidence::Files => evidence::track_anew(&store, &pipeline.spec, &entries, change),
    };
    let mut tasks = found.new.keys().filter_map(|task| pipeline.spec.task(task));
    let is_one_lane = tasks.any(|task| task.output.customer.is_none());
    Ok(Situation {
        anew: Anew::since(&pipeline.spec, &rollouts, change, is_one_lane),
        rollout: rollouts.remove(change).unwrap_or_default(),
        code: code_of(&pipeline.spec, &code, change),
        rules: rules_of(&pipeline.spec, change),
        is_one_lane,
        alerts: alerts
            .into_iter()
            .filter(|alert| alert.starts_with(&format!("`{change}`")))
            .collect(),
        change: found,
        pipeline,
        store,
        entries,
        track,
    })
}

/// What is said of a change that is not there, or that cannot run.
pub(crate) fn unknown(pipeline: &Pipeline, change: &str) -> String {
    if pipeline.spec.suspended.contains_key(change) {
        return format!(
            "change `{change}` cannot run as the pipeline file has it; `understudy check` says why"
        );
    }
    let known: Vec<&str> = pipeline.spec.changes.keys().map(String::as_str).collect();
    match known.as_slice() {
        [] => format!("there is no change `{change}`; the pipeline has no `changes`"),
        known => format!(
            "there is no change `{change}`; {}",
            hint(change, known, "changes")
        ),
    }
}

impl Situation {
    /// Where a lane stands: one that went live for other code is at `shadow` again.
    #[must_use]
    pub fn state(&self, lane: &Customer) -> LaneState {
        self.rollout.state_for(lane, &self.code[1])
    }

    /// What the gate says, for these lanes or for all, to who wants to move them.
    #[must_use]
    pub fn gate(&self, lanes: Option<&BTreeSet<Customer>>, requester: Option<&str>) -> Decision {
        let held = self.rollout.held();
        gate(&self.gate_input(&held, requester), lanes)
    }

    /// What a move towards new would do.
    ///
    /// # Errors
    /// The next wave was asked for, and there is none.
    pub fn step(
        &self,
        event: LaneEvent,
        lanes: &Lanes,
        overrides: bool,
        requester: Option<&str>,
    ) -> Result<Step, NoStep> {
        let held = self.rollout.held();
        step(&StepInput {
            change: &self.change.name,
            event,
            lanes,
            overrides,
            rollout: &self.rollout,
            gate: self.gate_input(&held, requester),
        })
    }

    fn gate_input<'a>(
        &'a self,
        held: &'a BTreeSet<Customer>,
        requester: Option<&'a str>,
    ) -> GateInput<'a> {
        GateInput {
            policy: &self.change.gate,
            first_policy: self.rollout.first_policy.as_ref(),
            now: clock::now().timestamp(),
            today: clock::today(),
            code: &self.code,
            rules: &self.rules,
            track: &self.track,
            anew: &self.anew,
            held,
            all_held: self.rollout.others.state.held,
            approvals: &self.rollout.approvals,
            requester,
        }
    }

    /// What stands published of it, and whether it holds for the stages that a run would take now.
    pub(crate) fn standing(&self) -> Standing {
        let own = self.rollout.stages_for(&self.code[1]).0;
        let stages = as_flags_say(
            &self.pipeline,
            &self.store,
            &self.entries,
            &self.change,
            own,
        );
        standing(
            &self.store,
            &self.pipeline.spec,
            &self.entries,
            &self.change.name,
            &stages,
        )
    }

    /// The lanes that anything is known of: those that had rows, and those that the ledger names.
    #[must_use]
    pub fn lanes(&self) -> BTreeSet<Customer> {
        let known = self.track.lanes.keys().chain(self.rollout.lanes.keys());
        known.cloned().collect()
    }
}
