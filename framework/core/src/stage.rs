//! Stages of lanes, and the snapshot of them that a run works with.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::customer::Customer;

/// Where one lane of one change stands.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The new version does not count.
    Off,
    /// The old version is published, the new one is compared.
    #[default]
    Shadow,
    /// This customer gets the new version; the old one is the shadow.
    Live,
    /// For all customers; the old version no longer runs.
    Complete,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::Live => "live",
            Self::Complete => "complete",
        })
    }
}

/// The stages of one change's lanes: the named ones, and one for everybody else (`*unlisted*`).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LaneStages {
    /// The lanes that the ledger or a flag names.
    pub lanes: BTreeMap<Customer, Stage>,
    /// Everybody else, NULL customers included.
    pub unlisted: Stage,
}

impl LaneStages {
    /// The stage of a customer's lane.
    #[must_use]
    pub fn of(&self, customer: &Customer) -> Stage {
        self.lanes.get(customer).copied().unwrap_or(self.unlisted)
    }

    /// What the change as a whole needs to run.
    #[must_use]
    pub fn span(&self) -> Span {
        let all = || self.lanes.values().chain([&self.unlisted]);
        if all().all(|stage| *stage == Stage::Complete) {
            Span::Complete
        } else if all().all(|stage| *stage == Stage::Off) {
            Span::Off
        } else if all().all(|stage| *stage == Stage::Live || *stage == Stage::Complete) {
            Span::AllLive
        } else if all().any(|stage| *stage == Stage::Live || *stage == Stage::Complete) {
            Span::SomeLive
        } else {
            Span::Shadow
        }
    }
}

/// The stages of a change, summed up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// No lane counts: only the old version runs.
    Off,
    /// Every lane gets old rows; the new version is the shadow.
    Shadow,
    /// Some lanes get new rows: the output is put together from both.
    SomeLive,
    /// Every lane gets new rows; the old version is still there to go back to.
    AllLive,
    /// Only the new version runs.
    Complete,
}

/// The stages of every change: one snapshot for a whole run. A change that is not named is at `shadow`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stages(pub BTreeMap<String, LaneStages>);

impl Stages {
    /// The stages of one change.
    #[must_use]
    pub fn of(&self, change: &str) -> LaneStages {
        self.0.get(change).cloned().unwrap_or_default()
    }
}
