//! The evidence on disk: a file a run and change, whose digest is in the ledger, and an index of what they say together.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use serde::{Deserialize, Serialize};
use understudy_core::digest::Digest;
use understudy_core::evidence::{EVIDENCE_FORMAT, RunEvidence, TRACK_FORMAT, Track};
use understudy_core::ledger::{Entry, JudgedRun, LedgerEvent};
use understudy_core::rollout::record::seconds;
use understudy_core::rule::Rule;
use understudy_core::slice::slice_of;
use understudy_core::spec::Spec;
use understudy_core::verdict::Verdict;
use understudy_core::visible::quiet_json;

use crate::observe::CodeDigests;
use crate::store::Store;
use crate::store::durable::{self, FileError};
use crate::store::upload::copy_file;

/// How many runs' evidence a thread reads before somebody takes it.
const READ_AHEAD: usize = 2;

/// The digest of each side's versions of a change: old, then new.
pub(crate) fn code_of(spec: &Spec, code: &CodeDigests, change: &str) -> [Digest; 2] {
    let new = &spec.changes[change].new;
    let old = new.keys().filter_map(|task| spec.task(task));
    let old: Vec<_> = old
        .map(|task| (&task.name, &code[&task.name][&task.live]))
        .collect();
    let new: Vec<_> = new
        .iter()
        .map(|(task, version)| (task, &code[task][version]))
        .collect();
    [Digest::of_json(&old), Digest::of_json(&new)]
}

/// The digest of a change's rules, waivers included, and of its checks where it has some: what is judged anew when it
/// is another. Rules count as they are written: the customers that a query finds may be others each day.
pub(crate) fn rules_of(spec: &Spec, change: &str) -> Digest {
    let change = &spec.changes[change];
    let compared = change.new.keys().chain(&change.downstream);
    let written = |rule: Rule| match &rule.customer_query {
        Some(_) => Rule {
            customers: Some(BTreeSet::new()),
            ..rule
        },
        None => rule,
    };
    let mut rules: Vec<(&String, Vec<Rule>)> = compared
        .map(|task| (task, change.rules(task).into_iter().map(written).collect()))
        .collect();
    rules.sort_by_key(|(task, _)| *task);
    let checks = change.compare.iter();
    let checks: Vec<_> = checks.filter(|(_, checks)| !checks.is_empty()).collect();
    if checks.is_empty() {
        return Digest::of_json(&rules);
    }
    Digest::of_json(&(&rules, &checks))
}

/// Writes what a run says, and gives the digest of the file.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(path: &Path, evidence: &RunEvidence) -> Result<Digest, FileError> {
    let json = serde_json::to_string(evidence).expect("evidence has a JSON form");
    let bytes = quiet_json(json).into_bytes();
    durable::create_dirs(durable::parent(path))?;
    durable::replace(path, &bytes)?;
    Ok(Digest::of_bytes(&bytes))
}

/// A stored track, and how much of the ledger is in it.
#[derive(Debug, Serialize, Deserialize)]
struct Index {
    version: u32,
    /// The last entry that was read, and its digest: in another ledger it means nothing.
    entries: u64,
    last: Digest,
    track: Track,
}

/// What all judged runs of a change say together. The index is brought up to date on the way; that it cannot be stored
/// costs time and nothing else.
#[must_use]
pub fn track(store: &Store, spec: &Spec, entries: &[Entry], change: &str) -> Track {
    let path = store.track_file(&spec.pipeline, change);
    let stored = fs::read(&path).ok();
    let stored = stored.and_then(|bytes| serde_json::from_slice::<Index>(&bytes).ok());
    let stored = stored.filter(|index| {
        let read = usize::try_from(index.entries).unwrap_or(usize::MAX);
        let last = read.checked_sub(1).and_then(|last| entries.get(last));
        index.version == TRACK_FORMAT && last.is_some_and(|last| digest_of(last) == index.last)
    });
    let (read, mut track) = stored.map_or((0, Track::default()), |index| {
        (index.entries as usize, index.track)
    });
    let newer = judged_runs(spec, &entries[read..], change);
    add_all(&mut track, store, spec, &newer);
    if let (false, Some(last)) = (newer.is_empty(), entries.last()) {
        let index = Index {
            version: TRACK_FORMAT,
            entries: entries.len() as u64,
            last: digest_of(last),
            track,
        };
        keep(&path, &index);
        return index.track;
    }
    track
}

/// The same from the files alone: nobody vouches for the index.
#[must_use]
pub fn track_anew(store: &Store, spec: &Spec, entries: &[Entry], change: &str) -> Track {
    let mut track = Track::default();
    add_all(&mut track, store, spec, &judged_runs(spec, entries, change));
    track
}

fn judged_runs<'a>(
    spec: &Spec,
    entries: &'a [Entry],
    change: &str,
) -> Vec<(&'a Entry, &'a JudgedRun)> {
    let judged = entries.iter().filter_map(|entry| match &entry.event {
        LedgerEvent::Judged(judged) => Some((entry, judged)),
        _ => None,
    });
    let own =
        judged.filter(|(_, judged)| judged.change == change && judged.pipeline == spec.pipeline);
    own.collect()
}

/// Adds what runs say, in the order of the ledger. Most of the time goes into reading, so that several threads do it.
fn add_all(track: &mut Track, store: &Store, spec: &Spec, judged: &[(&Entry, &JudgedRun)]) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.min(judged.len());
    thread::scope(|scope| {
        let read = |first: usize| {
            let (sender, receiver) = sync_channel(READ_AHEAD);
            scope.spawn(move || {
                for (_, judged) in judged.iter().skip(first).step_by(threads) {
                    if sender.send(evidence_of(store, spec, judged)).is_err() {
                        break;
                    }
                }
            });
            receiver
        };
        let readers: Vec<Receiver<RunEvidence>> = (0..threads).map(read).collect();
        for (position, (entry, judged)) in judged.iter().enumerate() {
            let evidence = readers[position % threads].recv();
            let evidence = evidence.expect("a reader sends something for each of its runs");
            track.add(&evidence, judged.evidence.clone(), finished(entry, judged));
        }
    });
}

/// What was judged again by other rules is as old as it was.
fn finished(entry: &Entry, judged: &JudgedRun) -> i64 {
    seconds(judged.ran_at.as_deref().unwrap_or(&entry.at))
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

/// What a run that the ledger names says. Where its file is gone or another one, nobody knows what it said: that is
/// inconclusive for every lane that it was for.
fn evidence_of(store: &Store, spec: &Spec, judged: &JudgedRun) -> RunEvidence {
    let path = match judged.ran_at {
        None => store.evidence_file(&judged.run, &judged.change),
        Some(_) => store.evidence_again_file(&judged.run, &judged.change, &judged.rules),
    };
    if !path.is_file() {
        let _ = copy_file(store, &path);
    }
    let found = fs::read(&path).ok();
    let found = found.filter(|bytes| Digest::of_bytes(bytes) == judged.evidence);
    let found = found.and_then(|bytes| serde_json::from_slice::<RunEvidence>(&bytes).ok());
    let found = found.filter(|evidence| evidence.version == EVIDENCE_FORMAT);
    found.unwrap_or_else(|| RunEvidence {
        version: EVIDENCE_FORMAT,
        run: judged.run.clone(),
        date: judged.date,
        slice: judged
            .slice
            .as_deref()
            .and_then(|name| slice_of(spec, name)),
        change: judged.change.clone(),
        code: judged.code.clone(),
        rules: judged.rules.clone(),
        floor: Verdict::Inconclusive,
        lanes: Default::default(),
        cost: None,
        expiring: Default::default(),
        seen: 0,
        isolation: Default::default(),
    })
}
