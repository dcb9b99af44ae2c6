//! Worlds: consistent choices of versions.
//!
//! The live world takes, for every change, what its lanes' stages say. The old and the new world of a change are
//! the live world with that change wholly back or wholly forward. Nothing else is a world.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stage::{Span, Stages};

/// One of the two sides of a change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// As it was before the change.
    Old,
    /// As the change has it.
    New,
}

impl Side {
    /// The name in paths and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// How a world takes one change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// One side for everybody.
    Wholly(Side),
    /// Each customer's rows from the side that the customer's stage says.
    ByLane,
}

/// How a world takes each change, by the change's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct World(BTreeMap<String, Take>);

impl World {
    /// The live world, for these changes at these stages.
    #[must_use]
    pub fn live<'a>(changes: impl IntoIterator<Item = &'a str>, stages: &Stages) -> Self {
        let take = |change: &str| match stages.of(change).span() {
            Span::Off | Span::Shadow => Take::Wholly(Side::Old),
            Span::SomeLive | Span::AllLive => Take::ByLane,
            Span::Complete => Take::Wholly(Side::New),
        };
        Self(
            changes
                .into_iter()
                .map(|change| (change.to_owned(), take(change)))
                .collect(),
        )
    }

    /// The same world with one change wholly on one side.
    #[must_use]
    pub fn with(&self, change: &str, side: Side) -> Self {
        let mut world = self.clone();
        world.0.insert(change.to_owned(), Take::Wholly(side));
        world
    }

    /// How it takes a change.
    #[must_use]
    pub fn take(&self, change: &str) -> Take {
        self.0
            .get(change)
            .copied()
            .unwrap_or(Take::Wholly(Side::Old))
    }
}
