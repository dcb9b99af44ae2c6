//! Evidence that starts anew because something upstream moved: what a change was compared on is no longer what its
//! customers have.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Rollout;
use crate::customer::Customer;
use crate::spec::{InputSource, Spec, Table};

/// Whose evidence on a change started anew, and why.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Anew {
    /// By lane.
    pub lanes: BTreeMap<Customer, Cause>,
    /// Of everybody whom no lane names.
    pub others: Option<Cause>,
}

/// What made evidence start anew.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cause {
    /// The ledger's entry: runs that did not know it do not count.
    pub entry: u64,
    /// The change that moved.
    pub change: String,
}

impl Anew {
    /// What a lane's evidence counts since, if not from its beginning.
    #[must_use]
    pub fn of(&self, lane: &Customer) -> Option<&Cause> {
        self.lanes.get(lane).or(self.others.as_ref())
    }

    /// What the moves of the changes upstream of this one make of its evidence. `is_one_lane` says that its lanes are
    /// one, which any of them concerns.
    #[must_use]
    pub fn since(
        spec: &Spec,
        rollouts: &BTreeMap<String, Rollout>,
        change: &str,
        is_one_lane: bool,
    ) -> Self {
        let mut anew = Self::default();
        for upstream in upstream_changes(spec, change) {
            let Some(rollout) = rollouts.get(&upstream) else {
                continue;
            };
            let cause = |entry: Option<u64>| {
                entry.map(|entry| Cause {
                    entry,
                    change: upstream.clone(),
                })
            };
            let others = cause(rollout.others.turned);
            let turned = rollout.lanes.iter();
            let turned: BTreeMap<&Customer, Option<Cause>> = turned
                .map(|(lane, record)| (lane, cause(record.turned)))
                .collect();
            anew.add(&turned, others, is_one_lane);
        }
        anew
    }

    fn add(
        &mut self,
        turned: &BTreeMap<&Customer, Option<Cause>>,
        others: Option<Cause>,
        is_one_lane: bool,
    ) {
        if is_one_lane {
            let any = turned.values().cloned().max().flatten();
            self.others = self.others.take().max(others).max(any);
            return;
        }
        // Who is named in one place only has in the other what everybody has there.
        let named: BTreeSet<Customer> = turned
            .keys()
            .copied()
            .chain(self.lanes.keys())
            .cloned()
            .collect();
        for lane in named {
            let here = turned.get(&lane).cloned().unwrap_or_else(|| others.clone());
            if let Some(cause) = here.max(self.of(&lane).cloned()) {
                self.lanes.insert(lane, cause);
            }
        }
        self.others = self.others.take().max(others);
    }
}

/// The other changes whose tasks a change's compared tasks read, directly or through others, in the same run or as what
/// was published before.
fn upstream_changes(spec: &Spec, change: &str) -> BTreeSet<String> {
    let Some(own) = spec.changes.get(change) else {
        return BTreeSet::new();
    };
    let mut open: Vec<&str> = own
        .new
        .keys()
        .chain(&own.downstream)
        .map(String::as_str)
        .collect();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    while let Some(name) = open.pop() {
        let inputs = spec.task(name).into_iter().flat_map(|task| &task.inputs);
        let tasks = inputs.filter_map(|input| match &input.source {
            InputSource::Task(task) => Some(task.as_str()),
            InputSource::Stored(stored) => match &stored.table {
                Table::Published(task) => Some(task.as_str()),
                Table::Dataset(_) => None,
            },
        });
        open.extend(tasks.filter(|task| read.insert(task)));
    }
    let others = read.into_iter().filter_map(|task| spec.change_of(task));
    others
        .map(|other| other.name.clone())
        .filter(|other| other != change)
        .collect()
}

#[cfg(test)]
mod tests;
