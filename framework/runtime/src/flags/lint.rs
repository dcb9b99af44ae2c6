//! What in a change's flag would surprise.

use std::path::Path;

use serde::Serialize;
use understudy_flags::{Surprise, Weight};

use crate::error::RunError;
use crate::pipeline;
use crate::rollout::{RolloutError, unknown_change};

/// What was found.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Lint {
    /// The format of this.
    pub version: u32,
    /// The change.
    pub change: String,
    /// The key of its flag.
    pub flag: String,
    /// Where the flag is.
    pub provider: &'static str,
    /// What would surprise, worst first.
    pub surprises: Vec<Surprise>,
}

impl Lint {
    /// Whether something has to be mended.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.surprises
            .iter()
            .any(|surprise| surprise.weight == Weight::Error)
    }
}

/// Looks at the flag of a change.
///
/// # Errors
/// There is no such change, or the flags do not answer.
pub fn lint(path: &Path, change: &str) -> Result<Lint, RolloutError> {
    let pipeline = pipeline::load(path).map_err(RunError::from)?;
    let Some(found) = pipeline.spec.changes.get(change) else {
        return Err(RolloutError::NoChange(unknown_change(&pipeline, change)));
    };
    let mut surprises = pipeline
        .flags
        .lint(&found.flag)
        .map_err(RolloutError::Flag)?;
    surprises.sort_by_key(|surprise| std::cmp::Reverse(surprise.weight));
    Ok(Lint {
        version: 1,
        change: change.to_owned(),
        flag: found.flag.clone(),
        provider: pipeline.flags.name(),
        surprises,
    })
}
