//! What was published since a change first went live, and from which side: from the ledger and the records of runs, with
//! an index, because a year of records is long to read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, LedgerEvent, PublishedRun};
use understudy_core::repair::{Edition, Sides};
use understudy_core::rollout::record::rollouts;
use understudy_core::spec::Spec;
use understudy_core::stage::Stage;
use understudy_core::world::Side;

use crate::run::record::{self, RunRecord};
use crate::store::Store;
use crate::store::durable;
use crate::store::upload::copy_file;

/// The format of the index.
const INDEX_FORMAT: u32 = 1;

/// The editions of a change since its first lane went live.
#[derive(Debug, Default)]
pub(crate) struct Editions {
    /// In the order of the ledger.
    pub(crate) all: Vec<Edition>,
    /// The sides that they have.
    pub(crate) sides: Vec<Sides>,
    /// What the old side of each changed task left in an edition, by its number; `None` where it left nothing.
    pub(crate) old: BTreeMap<u64, BTreeMap<String, Option<Left>>>,
}

/// An output in the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Left {
    /// Its folder, relative to the store.
    pub(crate) folder: String,
    /// The length of `data.parquet` in bytes.
    pub(crate) bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    version: u32,
    /// The last entry that was read, and its digest: in another ledger it means nothing.
    entries: u64,
    last: Digest,
    sides: Vec<Sides>,
    runs: BTreeMap<u64, Known>,
}

/// What a run's record says of the change.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    began: String,
    sides: usize,
    old: BTreeMap<String, Option<Left>>,
}

impl Editions {
    /// The position of sides among those that are known.
    fn position(sides: &mut Vec<Sides>, own: Sides) -> usize {
        let known = sides.iter().rposition(|known| *known == own);
        known.unwrap_or_else(|| {
            sides.push(own);
            sides.len() - 1
        })
    }
}

/// Brings the index up to date with the run that just ended, whose record is at hand.
pub(crate) fn note_run(
    store: &Store,
    spec: &Spec,
    entries: &[Entry],
    change: &str,
    run: &RunRecord,
) {
    let _ = editions_with(store, spec, entries, change, Some(run));
}

/// The editions of a change. The index is brought up to date on the way; that it cannot be stored costs time and nothing
/// else.
pub(crate) fn editions(store: &Store, spec: &Spec, entries: &[Entry], change: &str) -> Editions {
    editions_with(store, spec, entries, change, None)
}

fn editions_with(
    store: &Store,
    spec: &Spec,
    entries: &[Entry],
    change: &str,
    at_hand: Option<&RunRecord>,
) -> Editions {
    let Some(first) = entries.iter().position(|entry| goes_live(entry, change)) else {
        return Editions::default();
    };
    let path = store.editions_file(&spec.pipeline, change);
    let (mut sides, mut known) = stored(&path, entries);
    let before = known.len();
    let mut editions = Editions::default();
    for (position, entry) in entries.iter().enumerate().skip(first + 1) {
        let LedgerEvent::Published(run) = &entry.event else {
            continue;
        };
        if !run.succeeded || run.pipeline != spec.pipeline {
            continue;
        }
        let found = known.get(&entry.number).cloned().unwrap_or_else(|| {
            let at_hand = at_hand.filter(|record| record.run == run.run);
            let stored = match at_hand {
                Some(_) => None,
                None => record(store, &run.run),
            };
            let record = at_hand.or(stored.as_ref());
            let is_settled = record.is_some_and(|record| record.finished_at.is_some());
            let found = match record {
                Some(record) => of_record(record, change, &mut sides),
                None => of_ledger(&entries[..=position], run, spec, change, &mut sides),
            };
            // One that is not finished may say more later.
            if is_settled {
                known.insert(entry.number, found.clone());
            }
            found
        });
        editions.all.push(edition(entry, run, &found));
        editions.old.insert(entry.number, found.old);
    }
    if let (true, Some(last)) = (known.len() > before, entries.last()) {
        let index = Index {
            version: INDEX_FORMAT,
            entries: entries.len() as u64,
            last: digest_of(last),
            sides: sides.clone(),
            runs: known,
        };
        keep(&path, &index);
    }
    editions.sides = sides;
    editions
}

fn goes_live(entry: &Entry, change: &str) -> bool {
    matches!(&entry.event, LedgerEvent::Moved(moved) if moved.change == change && moved.to >= Stage::Live)
}

fn edition(entry: &Entry, run: &PublishedRun, known: &Known) -> Edition {
    Edition {
        number: entry.number,
        at: entry.at.clone(),
        began: known.began.clone(),
        run: run.run.clone(),
        date: run.date,
        slice: run.slice.clone(),
        tasks: run.outputs.keys().cloned().collect(),
        changed: known.old.keys().cloned().collect(),
        sides: known.sides,
    }
}

/// A run's record, if it can be had.
pub(crate) fn record(store: &Store, run: &str) -> Option<RunRecord> {
    let path = store.run_file(run);
    if !path.is_file() {
        let _ = copy_file(store, &path);
    }
    record::read(store, run).ok().flatten()
}

fn of_record(record: &RunRecord, change: &str, sides: &mut Vec<Sides>) -> Known {
    let own = record.plan.comparisons.iter();
    let own = own.filter(|planned| planned.change == change && planned.changed);
    let old = own.map(|planned| {
        let id = planned.node(Side::Old);
        let left = record.log.output(id).map(|output| Left {
            folder: record.plan.node(id).folder.clone(),
            bytes: output.bytes,
        });
        (planned.task.clone(), left)
    });
    let own = Sides::of_run(&record.plan, &record.log, change);
    Known {
        began: record.started_at.clone(),
        sides: Editions::position(sides, own),
        old: old.collect(),
    }
}

/// What the ledger alone tells of a run whose record is gone: the stages when it was published, and who fell back.
fn of_ledger(
    entries: &[Entry],
    run: &PublishedRun,
    spec: &Spec,
    change: &str,
    sides: &mut Vec<Sides>,
) -> Known {
    let stages = rollouts(entries)
        .remove(change)
        .unwrap_or_default()
        .stages();
    let mut own = Sides::of_stages(&stages);
    for lane in run.fallbacks.get(change).into_iter().flatten() {
        own.lanes.insert(lane.clone(), Side::Old);
    }
    let at = entries.last().map(|entry| entry.at.clone());
    let changed: BTreeSet<&String> = match spec.changes.get(change) {
        Some(change) => change.new.keys().collect(),
        None => run.outputs.keys().collect(),
    };
    Known {
        began: at.unwrap_or_default(),
        sides: Editions::position(sides, own),
        old: changed
            .into_iter()
            .map(|task| (task.clone(), None))
            .collect(),
    }
}

/// What the index holds, if it is of this ledger.
fn stored(path: &Path, entries: &[Entry]) -> (Vec<Sides>, BTreeMap<u64, Known>) {
    let index = fs::read(path).ok();
    let index = index.and_then(|bytes| serde_json::from_slice::<Index>(&bytes).ok());
    let index = index.filter(|index| {
        let read = usize::try_from(index.entries).unwrap_or(usize::MAX);
        let last = read.checked_sub(1).and_then(|last| entries.get(last));
        let is_whole = index
            .runs
            .values()
            .all(|known| known.sides < index.sides.len());
        index.version == INDEX_FORMAT
            && is_whole
            && last.is_some_and(|last| digest_of(last) == index.last)
    });
    index.map_or_else(Default::default, |index| (index.sides, index.runs))
}

fn digest_of(entry: &Entry) -> Digest {
    Digest::of_bytes(&entry.to_bytes())
}

fn keep(path: &Path, index: &Index) {
    let Ok(bytes) = serde_json::to_vec(index) else {
        return;
    };
    if durable::create_dirs(durable::parent(path)).is_ok() {
        let _ = durable::replace(path, &bytes);
    }
}
