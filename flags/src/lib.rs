//! Flag providers: what somebody wants the stages of lanes to be.
//!
//! Knows: where flags are kept, and how each provider writes them.
//! Does not know: who is live. The ledger decides that; a provider only says what it was told.

mod file;

use understudy_core::stage::{LaneStages, Stages};

pub use file::{FLAG_FILE, FileFlags, FlagFileError};

/// What a provider says, once a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FlagAnswer {
    /// It says nothing: it was never told anything.
    Silent,
    /// The stages that it was told, for the changes that it knows.
    Stages(Stages),
}

/// Somewhere that flags are kept.
pub trait FlagProvider {
    /// Why it does not answer.
    type Error: std::error::Error;

    /// What it says now.
    ///
    /// # Errors
    /// It does not answer, or nothing that can be understood. Then it counts as down.
    fn snapshot(&self) -> Result<FlagAnswer, Self::Error>;

    /// Tells it what one flag is from now on; whoever reads meanwhile gets what it was or what it is.
    ///
    /// # Errors
    /// It could not be told; then it is as it was.
    fn set(&self, flag: &str, stages: &LaneStages) -> Result<(), Self::Error>;
}
