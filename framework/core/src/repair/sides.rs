//! Where each lane's published rows came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::plan::{Plan, Work};
use crate::run::RunLog;
use crate::slice::Members;
use crate::stage::{LaneStages, Span, Stage};
use crate::world::Side;

/// The side of each lane's rows in one edition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Sides {
    /// The side of lanes that are not named.
    pub unlisted: Side,
    /// The lanes whose rows came from the other side.
    pub lanes: BTreeMap<Customer, Side>,
}

impl Sides {
    /// Everybody's rows come from the old side.
    #[must_use]
    pub fn all_old() -> Self {
        Self {
            unlisted: Side::Old,
            lanes: BTreeMap::new(),
        }
    }

    /// As the stages say.
    #[must_use]
    pub fn of_stages(stages: &LaneStages) -> Self {
        let lanes = stages.lanes.iter();
        Self {
            unlisted: side(stages.unlisted),
            lanes: lanes
                .map(|(lane, stage)| (lane.clone(), side(*stage)))
                .collect(),
        }
        .in_short()
    }

    /// What a run published of a change, as far as it was for these customers. Where the run does not say how it put rows
    /// together, because it was cut off, it may have been as its stages said.
    #[must_use]
    pub fn of_run(plan: &Plan, log: &RunLog, change: &str) -> Self {
        let Some(stages) = plan.stages.get(change) else {
            return Self::all_old();
        };
        let puts_together =
            |work: &Work| matches!(work, Work::Assemble { change: own, .. } if own == change);
        let sides = match log.assemblies.get(change) {
            Some(assembly) => Self {
                unlisted: assembly.unlisted,
                lanes: assembly.lanes.clone(),
            }
            .in_short(),
            // Nothing was put together for what this run published.
            None if log.published.is_some()
                && stages.span() != Span::Complete
                && !plan.nodes.iter().any(|node| puts_together(&node.work)) =>
            {
                Self::all_old()
            }
            None => Self::of_stages(stages),
        };
        match &plan.slice {
            Some(slice) => sides.among(&slice.members),
            None => sides,
        }
    }

    /// The side of a customer's rows.
    #[must_use]
    pub fn of(&self, customer: &Customer) -> Side {
        self.lanes.get(customer).copied().unwrap_or(self.unlisted)
    }

    /// Whether any lane's rows come from the new side.
    #[must_use]
    pub fn has_new(&self) -> bool {
        self.unlisted == Side::New || self.lanes.values().any(|side| *side == Side::New)
    }

    /// Whether some lane's rows come from the new side, and would come from the old one now.
    #[must_use]
    pub fn are_taken_back(&self, now: &LaneStages) -> bool {
        let mut named = self.lanes.keys().chain(now.lanes.keys());
        let is_back = |then: Side, now: Stage| then == Side::New && side(now) == Side::Old;
        is_back(self.unlisted, now.unlisted)
            || named.any(|lane| is_back(self.of(lane), now.of(lane)))
    }

    /// The same as far as it concerns these customers; others have no rows.
    #[must_use]
    pub fn among(self, members: &Members) -> Self {
        match members {
            Members::These(own) => Self {
                unlisted: Side::Old,
                lanes: own
                    .iter()
                    .map(|lane| (lane.clone(), self.of(lane)))
                    .collect(),
            },
            Members::AllBut(others) => {
                let mut sides = self;
                let absent = others.iter().map(|lane| (lane.clone(), Side::Old));
                sides.lanes.extend(absent);
                sides
            }
        }
        .in_short()
    }

    fn in_short(mut self) -> Self {
        let unlisted = self.unlisted;
        self.lanes.retain(|_, side| *side != unlisted);
        self
    }
}

/// The stages now, with nobody on the new side whose rows did not come from there: a repair gives nobody new rows.
#[must_use]
pub fn held_to(then: &Sides, now: &LaneStages) -> LaneStages {
    let stage = |then: Side, now: Stage| match then {
        Side::New => now,
        Side::Old => now.min(Stage::Shadow),
    };
    let named = then.lanes.keys().chain(now.lanes.keys());
    LaneStages {
        lanes: named
            .map(|lane| (lane.clone(), stage(then.of(lane), now.of(lane))))
            .collect(),
        unlisted: stage(then.unlisted, now.unlisted),
    }
}

fn side(stage: Stage) -> Side {
    match stage {
        Stage::Live | Stage::Complete => Side::New,
        Stage::Off | Stage::Shadow => Side::Old,
    }
}
