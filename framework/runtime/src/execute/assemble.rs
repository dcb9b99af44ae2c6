//! How the outputs of a change with live lanes are put together.

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::customer::Customer;
use understudy_core::event::Event;
use understudy_core::judge::lanes::judge_comparison;
use understudy_core::plan::{Half, NodeId, PlannedComparison, Work};
use understudy_core::rollout::{
    Assembly, TaskBeforePublishing, as_one_lane, assemble, lowered, sides_differ,
};
use understudy_core::run::{Failure, FailureKind, RunLog};
use understudy_core::stage::{LaneStages, Stages};
use understudy_core::verdict::Verdict;

use super::Executor;

impl Executor<'_> {
    /// How a change's outputs are put together. It is decided once, when both sides are done and compared.
    ///
    /// # Errors
    /// The old version failed and some lane still gets its rows.
    pub(super) fn assembly(&self, change: &str) -> Result<Assembly, Failure> {
        if let Some(assembly) = self.log.borrow().assemblies.get(change) {
            return Ok(assembly.clone());
        }
        let assembly = self.decide(change, &self.log.borrow())?;
        for message in &assembly.alerts {
            self.alert_once(message);
        }
        self.log
            .borrow_mut()
            .assemblies
            .insert(change.to_owned(), assembly.clone());
        Ok(assembly)
    }

    /// Says something that a person should look at.
    pub(crate) fn alert(&self, message: String) {
        self.events.emit(&Event::Alert {
            message: message.clone(),
        });
        self.log.borrow_mut().alerts.push(message);
    }

    fn alert_once(&self, message: &str) {
        let is_new = !self
            .log
            .borrow()
            .alerts
            .iter()
            .any(|alert| alert == message);
        if is_new {
            self.alert(message.to_owned());
        }
    }

    /// The stages of a change: the plan's, with the moves towards old that were honoured since.
    fn stages_of(&self, change: &str) -> LaneStages {
        self.honoured
            .borrow()
            .get(change)
            .unwrap_or(&self.plan.stages[change])
            .clone()
    }

    fn decide(&self, change: &str, log: &RunLog) -> Result<Assembly, Failure> {
        let deciding = self.comparisons_before(change);
        let customers: Vec<BTreeMap<Customer, Verdict>> = deciding
            .iter()
            .map(|position| customers(log, *position))
            .collect();
        let interrupted = deciding
            .iter()
            .find_map(|position| interruption(log, *position, self));
        if let Some(failure) = interrupted {
            return Err(failure);
        }
        let tasks: Vec<TaskBeforePublishing<'_>> = deciding
            .iter()
            .zip(&customers)
            .map(|(position, customers)| {
                let planned = &self.plan.comparisons[*position];
                TaskBeforePublishing {
                    task: &planned.task,
                    old_failure: log.failure(planned.old),
                    new_failure: log.failure(planned.new),
                    comparison: log
                        .comparisons
                        .get(position)
                        .map(|record| record.outcome.as_ref()),
                    customers,
                }
            })
            .collect();
        let waves = self.plan.waves.get(change);
        let waves = waves.map(Vec::as_slice).unwrap_or_default();
        assemble(change, &self.stages_of(change), waves, &tasks).map_err(Clone::clone)
    }

    /// Honours moves towards old that came in since the run began: what they concern is decided again, by the same
    /// rules, and put together again. Gives whether anything was.
    pub(crate) async fn honour(&self, now: &Stages) -> bool {
        let changes: Vec<String> = self.log.borrow().assemblies.keys().cloned().collect();
        let mut moved = false;
        for change in changes {
            let held = self.stages_of(&change);
            let lowered = lowered(&held, &self.lanes_now(&change, now));
            if sides_differ(&held, &lowered) {
                moved = true;
                self.alert(format!(
                    "`{change}`: a move towards old came in during the run and is honoured"
                ));
                self.honoured.borrow_mut().insert(change.clone(), lowered);
                self.log.borrow_mut().assemblies.remove(&change);
                self.forget_what_builds_on(&change);
            }
        }
        if moved {
            self.half(Half::Live).await;
        }
        moved
    }

    fn lanes_now(&self, change: &str, now: &Stages) -> LaneStages {
        if self.has_lanes(change) {
            now.of(change)
        } else {
            as_one_lane(&now.of(change))
        }
    }

    /// Whether a change has a lane for each customer, and not the one lane `*`.
    fn has_lanes(&self, change: &str) -> bool {
        let mut changed = self
            .plan
            .comparisons
            .iter()
            .filter(|planned| planned.change == change && planned.changed);
        changed.all(|planned| planned.customer.is_some())
    }

    /// Where putting together broke a grain, everybody gets the old rows of that change. Gives whether any did.
    pub(super) fn give_up_broken_grains(&self) -> bool {
        let broken = self.broken_grains();
        for (change, message) in &broken {
            let stages = self.stages_of(change);
            let assembly = Assembly::all_old(
                &stages,
                format!("`{change}`: everybody gets old rows: {message}"),
            );
            self.alert(assembly.alerts[0].clone());
            self.log
                .borrow_mut()
                .assemblies
                .insert(change.clone(), assembly);
            self.forget_what_builds_on(change);
        }
        !broken.is_empty()
    }

    fn broken_grains(&self) -> BTreeMap<String, String> {
        let log = self.log.borrow();
        let failures = self.plan.nodes().filter_map(|(id, node)| match &node.work {
            Work::Assemble { change, .. } => Some((change, log.failure(id)?)),
            Work::Compute { .. } | Work::Given(_) => None,
        });
        let broken = failures.filter(|(_, failure)| failure.kind == FailureKind::Grain);
        broken
            .map(|(change, failure)| (change.clone(), failure.message.clone()))
            .collect()
    }

    /// Forgets everything that was made or found out from a change's outputs as they were put together, and what was
    /// decided from that about other changes.
    fn forget_what_builds_on(&self, change: &str) {
        let mut undecided = BTreeSet::from([change]);
        loop {
            let stale = self.built_on(&undecided);
            let reads_stale = |planned: &&PlannedComparison| {
                stale.contains(&planned.old) || stale.contains(&planned.new)
            };
            let deciding = self
                .plan
                .comparisons
                .iter()
                .filter(|planned| planned.changed);
            let before = undecided.len();
            undecided.extend(
                deciding
                    .filter(reads_stale)
                    .map(|planned| planned.change.as_str()),
            );
            if undecided.len() == before {
                self.forget(&stale);
                break;
            }
        }
        let others = undecided.into_iter().filter(|other| *other != change);
        others.for_each(|other| _ = self.log.borrow_mut().assemblies.remove(other));
    }

    fn built_on(&self, changes: &BTreeSet<&str>) -> BTreeSet<NodeId> {
        let mut built = BTreeSet::new();
        for (id, node) in self.plan.nodes() {
            let assembled = matches!(&node.work, Work::Assemble { change, .. } if changes.contains(change.as_str()));
            if assembled || node.reads().iter().any(|input| built.contains(input)) {
                built.insert(id);
            }
        }
        built
    }

    fn forget(&self, stale: &BTreeSet<NodeId>) {
        let mut log = self.log.borrow_mut();
        log.nodes.retain(|id, _| !stale.contains(id));
        let reads_stale = |position: &usize| {
            let planned = &self.plan.comparisons[*position];
            stale.contains(&planned.old) || stale.contains(&planned.new)
        };
        log.comparisons.retain(|position, _| !reads_stale(position));
    }
}

fn customers(log: &RunLog, position: usize) -> BTreeMap<Customer, Verdict> {
    match log.comparisons.get(&position).map(|record| &record.outcome) {
        Some(Ok(comparison)) => judge_comparison(comparison, Vec::new()).customers,
        _ => BTreeMap::new(),
    }
}

/// Nothing is decided from what an interruption left undone.
fn interruption(log: &RunLog, position: usize, executor: &Executor<'_>) -> Option<Failure> {
    let planned = &executor.plan.comparisons[position];
    let comparison = log
        .comparisons
        .get(&position)
        .and_then(|record| record.outcome.as_ref().err());
    let failures = [
        log.failure(planned.old),
        log.failure(planned.new),
        comparison,
    ];
    failures
        .into_iter()
        .flatten()
        .find(|failure| failure.kind == FailureKind::Interrupted)
        .cloned()
}
