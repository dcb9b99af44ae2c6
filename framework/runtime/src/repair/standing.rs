//! What stands published of a change: which dates hold rows of its new side, which of them are to be repaired, and
//! whether what that takes is still there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Serialize;
use understudy_core::ledger::Entry;
use understudy_core::repair::{Edition, History, StaleDate, stale};
use understudy_core::rollout::as_one_lane;
use understudy_core::run_date::RunDate;
use understudy_core::spec::Spec;
use understudy_core::stage::LaneStages;
use understudy_tasks::DATA_FILE;

use super::editions::{Editions, Left, editions};
use crate::store::Store;

/// What stands published of a change.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Its editions.
    pub(crate) editions: Editions,
    /// What does not hold.
    pub(crate) stale: Vec<StaleDate>,
}

/// What is published with the new side, for who looks.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct PublishedWithNew {
    /// The dates.
    pub dates: BTreeSet<RunDate>,
    /// Those of them whose old output is gone from quarantine: they can only be computed anew.
    pub gone: BTreeSet<RunDate>,
    /// The dates that hold rows for lanes that have gone back, or that were computed from such: what a repair repairs.
    pub to_repair: BTreeSet<RunDate>,
}

/// What stands, for the stages that a run would take now.
pub(crate) fn standing(
    store: &Store,
    spec: &Spec,
    entries: &[Entry],
    change: &str,
    now: &LaneStages,
) -> Standing {
    let editions = editions(store, spec, entries, change);
    let now = in_lanes(spec, change, now);
    let stale = stale(&History {
        spec,
        editions: &editions.all,
        sides: &editions.sides,
        now: &now,
    });
    Standing { editions, stale }
}

/// The stages of a change by the lanes that it really has.
pub(super) fn in_lanes(spec: &Spec, change: &str, now: &LaneStages) -> LaneStages {
    let new = spec.changes.get(change).map(|change| &change.new);
    let mut tasks = new
        .into_iter()
        .flatten()
        .filter_map(|(task, _)| spec.task(task));
    if tasks.any(|task| task.output.customer.is_none()) {
        as_one_lane(now)
    } else {
        now.clone()
    }
}

impl Standing {
    /// What people are told of it.
    pub(crate) fn published_with_new(&self, store: &Store) -> PublishedWithNew {
        let with_new: Vec<&Edition> = self
            .last_ones()
            .filter(|edition| self.has_new(edition))
            .collect();
        let gone = with_new
            .iter()
            .filter(|edition| !self.is_ready(store, edition));
        PublishedWithNew {
            gone: gone.map(|edition| edition.date).collect(),
            dates: with_new.iter().map(|edition| edition.date).collect(),
            to_repair: self.stale.iter().map(|stale| stale.date).collect(),
        }
    }

    /// The last edition of each date and slice that holds a changed task.
    fn last_ones(&self) -> impl Iterator<Item = &Edition> {
        let all = || self.editions.all.iter();
        let changed: BTreeSet<&String> = all().flat_map(|edition| &edition.changed).collect();
        let own = all().filter(|edition| edition.tasks.iter().any(|task| changed.contains(task)));
        let last: BTreeMap<_, &Edition> = own
            .map(|edition| ((edition.date, &edition.slice), edition))
            .collect();
        last.into_values()
    }

    fn has_new(&self, edition: &Edition) -> bool {
        self.editions.sides[edition.sides].has_new()
    }

    /// Whether the old side of every changed task is there, as far as its length tells.
    fn is_ready(&self, store: &Store, edition: &Edition) -> bool {
        let old = self.editions.old.get(&edition.number);
        let old = old.into_iter().flat_map(BTreeMap::values);
        old.into_iter()
            .all(|left| left.as_ref().is_some_and(|left| is_there(store, left)))
    }
}

fn is_there(store: &Store, left: &Left) -> bool {
    let path = store.root().join(&left.folder).join(DATA_FILE);
    fs::metadata(path).is_ok_and(|found| found.len() == left.bytes)
}
