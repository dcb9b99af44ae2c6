//! What makes a plan that of a repair.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::spec::{Spec, Stored};
use crate::world::Side;

/// What a repair publishes, and what it does not compute.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RepairInput {
    /// The tasks that are published. What these read of others is what is published of those.
    pub publish: BTreeSet<String>,
    /// Sides of changed tasks that are taken as an earlier run left them, by task. A side that is not here is computed.
    pub given: BTreeMap<String, BTreeMap<Side, GivenOutput>>,
}

/// An output that an earlier run left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GivenOutput {
    /// The run.
    pub run: String,
    /// The version that made it.
    pub version: String,
    /// The digest of that version's code, as it was.
    pub code: Digest,
    /// Its folder, relative to the store.
    pub folder: String,
    /// Its rows.
    pub rows: u64,
    /// The length of `data.parquet` in bytes.
    pub bytes: u64,
    /// The digest of `data.parquet`.
    pub digest: Digest,
}

impl RepairInput {
    /// A side of a changed task, if it is not computed.
    #[must_use]
    pub fn given(&self, task: &str, side: Side) -> Option<&GivenOutput> {
        self.given.get(task)?.get(&side)
    }

    /// What stands in for another task's output of the same run: what is published of it for the same date. `None`
    /// where the repair makes it, or somebody else publishes it.
    #[must_use]
    pub fn standing(&self, spec: &Spec, task: &str) -> Option<Stored> {
        let is_ours = spec
            .task(task)
            .is_some_and(|task| task.output.location.is_some() && !task.is_live_external());
        (is_ours && !self.publish.contains(task)).then(|| Stored::published(task))
    }
}
