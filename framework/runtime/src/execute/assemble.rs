//! How the outputs of a change with live lanes are put together.

use std::collections::BTreeMap;

use understudy_core::customer::Customer;
use understudy_core::event::Event;
use understudy_core::judge::lanes::judge_comparison;
use understudy_core::plan::{Half, NodeId, Work};
use understudy_core::rollout::{Assembly, TaskBeforePublishing, assemble, honour_moves_to_old};
use understudy_core::run::{Failure, FailureKind, RunLog};
use understudy_core::stage::Stages;
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
            self.alert(message.clone());
        }
        self.log.borrow_mut().assemblies.insert(change.to_owned(), assembly.clone());
        Ok(assembly)
    }

    /// Says something that a person should look at.
    pub(crate) fn alert(&self, message: String) {
        self.events.emit(&Event::Alert { message: message.clone() });
        self.log.borrow_mut().alerts.push(message);
    }

    fn decide(&self, change: &str, log: &RunLog) -> Result<Assembly, Failure> {
        let deciding = self.comparisons_before(change);
        let customers: Vec<BTreeMap<Customer, Verdict>> = deciding.iter().map(|position| customers(log, *position)).collect();
        let interrupted = deciding.iter().find_map(|position| interruption(log, *position, self));
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
                    comparison: log.comparisons.get(position).map(|record| record.outcome.as_ref()),
                    customers,
                }
            })
            .collect();
        assemble(change, &self.plan.stages[change], &tasks).map_err(Clone::clone)
    }

    /// Honours moves towards old that came in since the run began: what is put together otherwise now is done again.
    /// Gives whether anything was.
    pub(crate) async fn honour(&self, now: &Stages) -> bool {
        let mut moved = false;
        let changes: Vec<String> = self.log.borrow().assemblies.keys().cloned().collect();
        for change in changes {
            let before = self.log.borrow().assemblies[&change].clone();
            let after = honour_moves_to_old(before.clone(), &now.of(&change));
            if sides_differ(&before, &after) {
                moved = true;
                self.alert(format!("`{change}`: a move towards old came in during the run and is honoured"));
                self.log.borrow_mut().assemblies.insert(change.clone(), after);
                self.forget_what_builds_on(&change);
            }
        }
        if moved {
            self.half(Half::Live).await;
        }
        moved
    }

    /// Where putting together broke a grain, everybody gets the old rows of that change. Gives whether any did.
    pub(super) fn give_up_broken_grains(&self) -> bool {
        let broken = self.broken_grains();
        for (change, message) in &broken {
            let stages = &self.plan.stages[change];
            let assembly = Assembly::all_old(stages, format!("`{change}`: everybody gets old rows: {message}"));
            self.alert(assembly.alerts[0].clone());
            self.log.borrow_mut().assemblies.insert(change.clone(), assembly);
            self.forget_what_builds_on(change);
        }
        !broken.is_empty()
    }

    fn broken_grains(&self) -> BTreeMap<String, String> {
        let log = self.log.borrow();
        let failures = self.plan.nodes().filter_map(|(id, node)| match &node.work {
            Work::Assemble { change, .. } => Some((change, log.failure(id)?)),
            Work::Compute { .. } => None,
        });
        let broken = failures.filter(|(_, failure)| failure.kind == FailureKind::Grain);
        broken.map(|(change, failure)| (change.clone(), failure.message.clone())).collect()
    }

    fn forget_what_builds_on(&self, change: &str) {
        let mut stale: Vec<NodeId> = Vec::new();
        for (id, node) in self.plan.nodes() {
            let assembled = matches!(&node.work, Work::Assemble { change: by, .. } if by == change);
            if assembled || node.reads().iter().any(|input| stale.contains(input)) {
                stale.push(id);
            }
        }
        let mut log = self.log.borrow_mut();
        log.nodes.retain(|id, _| !stale.contains(id));
        let reads_stale = |position: &usize| {
            let planned = &self.plan.comparisons[*position];
            stale.contains(&planned.old) || stale.contains(&planned.new)
        };
        log.comparisons.retain(|position, _| !reads_stale(position));
    }
}

fn sides_differ(before: &Assembly, after: &Assembly) -> bool {
    let named = before.lanes.keys().chain(after.lanes.keys());
    before.unlisted != after.unlisted || named.into_iter().any(|lane| before.side(lane) != after.side(lane))
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
    let comparison = log.comparisons.get(&position).and_then(|record| record.outcome.as_ref().err());
    let failures = [log.failure(planned.old), log.failure(planned.new), comparison];
    failures.into_iter().flatten().find(|failure| failure.kind == FailureKind::Interrupted).cloned()
}
