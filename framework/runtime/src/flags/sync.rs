//! Tells flags what the ledger has and they have not confirmed.

use std::path::Path;

use serde::Serialize;
use understudy_core::ledger::untold;

use super::catch_up;
use crate::error::RunError;
use crate::pipeline;
use crate::rollout::{RolloutError, unknown_change};
use crate::store::Store;
use crate::store::ledger;

/// What became of one flag.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Synced {
    /// The change.
    pub change: String,
    /// The number of the ledger's entry that the flag had not confirmed, if there was one.
    pub entry: Option<u64>,
    /// The version that the flag has now, where it was told.
    pub flag_version: Option<u64>,
    /// Whether whoever reads flags sees it.
    pub confirmed: bool,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Tells the flag of one change, or those of all.
///
/// # Errors
/// There is no such change, or a flag could not be told.
pub fn sync(
    path: &Path,
    change: Option<&str>,
    is_dry_run: bool,
) -> Result<Vec<Synced>, RolloutError> {
    let pipeline = pipeline::load(path).map_err(RunError::from)?;
    if let Some(change) = change.filter(|change| !pipeline.spec.changes.contains_key(*change)) {
        return Err(RolloutError::NoChange(unknown_change(&pipeline, change)));
    }
    let store = Store::of(&pipeline);
    let mut synced = Vec::new();
    for own in pipeline.spec.changes.values() {
        if change.is_some_and(|change| change != own.name) {
            continue;
        }
        let entry = untold(ledger::open(&store)?.entries(), &own.name)
            .filter(|_| pipeline.flags.has_versions());
        let told = if is_dry_run {
            None
        } else {
            catch_up(&pipeline, &store, own, false)?
        };
        synced.push(Synced {
            change: own.name.clone(),
            entry,
            flag_version: told.as_ref().and_then(|told| told.version),
            confirmed: told.as_ref().is_some_and(|told| told.confirmed),
            notes: told.map(|told| told.notes).unwrap_or_default(),
        });
    }
    Ok(synced)
}
