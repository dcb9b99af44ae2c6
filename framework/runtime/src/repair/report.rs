//! What a repair did, or would do, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use understudy_core::ledger::KnownBy;
use understudy_core::run_date::RunDate;

/// The format of what `repair --json` prints.
pub const REPAIR_FORMAT: u32 = 1;

/// What a repair did, or would do.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RepairReport {
    /// The format, [`REPAIR_FORMAT`].
    pub version: u32,
    /// The pipeline.
    pub pipeline: String,
    /// The change.
    pub change: String,
    /// Whether nothing was to be done.
    pub dry_run: bool,
    /// Who did it.
    pub by: String,
    /// How that is known.
    pub known_by: KnownBy,
    /// Whether some lane still gets the new versions.
    pub lanes_are_live: bool,
    /// The dates that did not hold, oldest first.
    pub dates: Vec<DateRepair>,
    /// Where rows were replaced, or would be, each with its dates: others may have read what was there.
    pub replaced: BTreeMap<String, BTreeSet<RunDate>>,
    /// What lies outside its reach, a sentence each.
    pub outside: Vec<String>,
}

/// The repair of one date.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DateRepair {
    /// The date.
    pub date: RunDate,
    /// The slice; `None` for everybody.
    pub slice: Option<String>,
    /// How it ended.
    pub outcome: RepairOutcome,
    /// The run that published it.
    pub run: Option<String>,
    /// The tasks that are published from quarantine, without computing them.
    pub given: BTreeSet<String>,
    /// The tasks that are computed again.
    pub computed: BTreeSet<String>,
    /// Why it was not done.
    pub reason: Option<String>,
    /// The command that does what a repair cannot.
    pub command: Option<String>,
    /// What a person should look at.
    pub alerts: Vec<String>,
}

/// How the repair of a date ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairOutcome {
    /// It is published anew.
    Repaired,
    /// It would be.
    WouldRepair,
    /// What it takes is gone from quarantine: it has to be computed.
    Gone,
    /// It builds on a date that was not repaired.
    NotBegun,
    /// Live failed, and nothing was published.
    LiveFailed,
    /// It could not begin, or the machine failed.
    Failed,
    /// Somebody interrupted.
    Interrupted,
}

impl RepairOutcome {
    /// Whether the date holds now, or would.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Repaired | Self::WouldRepair)
    }
}
