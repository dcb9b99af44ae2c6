//! Moving lanes: what is known of a change, what its gate says, and the moves themselves.
//!
//! A move is an entry in the ledger, which decides who is live, and is told to the flag, which can only take away. The
//! ledger comes first, since it asks nobody else: what is cut off before the flag was told stays with old where it went
//! towards new, and is told again by later runs.

pub(crate) mod kept;
mod moves;
mod situation;
pub mod status;
mod towards_old;
pub(crate) mod waivers;

pub use moves::{Actor, MoveRequest, Moved, MovedFlag, approve, move_lanes};
pub(crate) use situation::unknown as unknown_change;
pub use situation::{Evidence, Situation, situation};
pub(crate) use towards_old::tell_flags;
pub use understudy_core::rollout::step::Lanes;

use nix::unistd::{User, getuid};
use understudy_flags::FlagError;

use crate::error::RunError;
use crate::flags::TellError;
use crate::store::ledger::LedgerError;

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The pipeline, its code or its store.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The flags, for a move towards new.
    #[error("the flags cannot be told, so nothing was moved towards new")]
    Flags(#[from] FlagError),
    /// The flags, where nothing is moved towards new.
    #[error(transparent)]
    Flag(FlagError),
    /// The flags, for a move towards new that the ledger has.
    #[error(
        "the move is in the ledger, and the flags do not have it yet: the lanes stay where they are until `understudy flags sync` has told them"
    )]
    NotTold(#[source] FlagError),
    /// There is no such change.
    #[error("{0}")]
    NoChange(String),
    /// The lanes that were named cannot be those of the change.
    #[error("{0}")]
    Lanes(String),
}

impl From<TellError> for RolloutError {
    fn from(error: TellError) -> Self {
        match error {
            TellError::Flag(error) => Self::Flag(error),
            TellError::Ledger(error) => Self::Ledger(error),
        }
    }
}

/// The machine's user that this program runs as: the name, or the number where there is none.
#[must_use]
pub fn system_user() -> String {
    let uid = getuid();
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}
