//! How fresh flags are.

use std::fmt;

use serde::Serialize;

/// How fresh is what a provider says, by what arrived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Freshness {
    /// It can be relied on.
    Fresh,
    /// Nothing has arrived for too long.
    Stale {
        /// For how long, in seconds.
        silent_secs: u64,
    },
    /// It does not answer, or nothing that can be understood.
    Down {
        /// Why.
        reason: String,
    },
    /// It does not let us in.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Freshness {
    /// Whether it can be relied on.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        *self == Self::Fresh
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => f.write_str("fresh"),
            Self::Stale { silent_secs } => {
                write!(f, "stale: nothing has arrived for {silent_secs} s")
            }
            Self::Down { reason } => write!(f, "down: {reason}"),
            Self::Refused { reason } => write!(f, "refused: {reason}"),
        }
    }
}
