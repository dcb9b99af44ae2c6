//! What the ledger's entries say, and what follows from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::digest::Digest;
use crate::run_date::RunDate;
use crate::stage::{Stage, Stages};
use crate::verdict::Verdict;

/// The format that this program writes.
pub const LEDGER_FORMAT: u32 = 1;

/// One entry, as it stands in its file. Each carries the digest of the file before it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The format, [`LEDGER_FORMAT`].
    pub version: u32,
    /// Its place in the ledger, from one.
    pub number: u64,
    /// The digest of the bytes of the entry before; the digest of no bytes for the first.
    pub previous: Digest,
    /// When it was written, RFC 3339 in UTC.
    pub at: String,
    /// What happened.
    pub event: LedgerEvent,
}

/// What the ledger records. It holds no row values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LedgerEvent {
    /// The live half of a run ended.
    Published(PublishedRun),
    /// The shadow half of a run was judged.
    Judged(JudgedRun),
    /// Lanes moved to another stage.
    Moved(Move),
}

/// The end of a live half.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PublishedRun {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// Whether the outputs were published.
    pub succeeded: bool,
    /// The digest of each published file, by task.
    pub outputs: BTreeMap<String, Digest>,
    /// The digest of each task's published version, by task.
    pub code: BTreeMap<String, Digest>,
    /// The lanes that got their old rows although they were live, by change.
    pub fallbacks: BTreeMap<String, Vec<Customer>>,
    /// What a person should look at.
    pub alerts: Vec<String>,
}

/// The verdict on one change in one run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JudgedRun {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// The change.
    pub change: String,
    /// The worst verdict of its lanes and tasks.
    pub verdict: Verdict,
    /// How many lanes have each verdict.
    pub lanes: BTreeMap<Verdict, u64>,
    /// The digest of the stored verdicts and comparisons.
    pub evidence: Digest,
    /// The digest of each side's versions: old, then new.
    pub code: [Digest; 2],
    /// The digest of the rules.
    pub rules: Digest,
}

/// Lanes that move to another stage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Move {
    /// The change.
    pub change: String,
    /// The lanes; empty means all of them, `*unlisted*` included.
    pub lanes: Vec<Customer>,
    /// Where to.
    pub to: Stage,
    /// Who moved it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The digest of the new versions that the move is for.
    pub code: Option<Digest>,
}

/// The stages that follow from the moves, taken in order.
#[must_use]
pub fn stages<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Stages {
    let mut stages = Stages::default();
    for entry in entries {
        if let LedgerEvent::Moved(moved) = &entry.event {
            let change = stages.0.entry(moved.change.clone()).or_default();
            if moved.lanes.is_empty() {
                change.lanes.clear();
                change.unlisted = moved.to;
            }
            change.lanes.extend(moved.lanes.iter().map(|lane| (lane.clone(), moved.to)));
        }
    }
    stages
}
