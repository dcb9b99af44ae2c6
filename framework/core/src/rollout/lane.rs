//! The state of one lane, and what each event makes of it.
//!
//! | event | at `off` | at `shadow` | at `live` | at `complete` |
//! |---|---|---|---|---|
//! | flip | refused: withdrawn | live, unless held | stays | refused: complete |
//! | rollback | stays | stays | shadow | refused: complete |
//! | fall back | stays | stays | shadow; held, if it fell back within a day before | refused: complete |
//! | new code | stays | stays | shadow | stays |
//! | hold | held | held | held; it stays live | refused: complete |
//! | release | shadow, not held | not held | not held | refused: complete |
//! | withdraw | stays | off | off | refused: complete |
//! | complete | refused: not live | refused: not live | complete | stays |
//!
//! Every move towards old is possible in every state but `complete`; no event but a flip brings a lane to `live`.

use serde::{Deserialize, Serialize};

use crate::stage::Stage;

/// Where a lane stands, and whether a person holds it there.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct LaneState {
    /// The stage.
    pub stage: Stage,
    /// Whether a person has to release it before it moves towards new.
    pub held: bool,
}

/// What can happen to a lane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneEvent {
    /// The customer is to get the new version. The gate has been asked.
    Flip,
    /// The customer is to get the old version again.
    Rollback,
    /// The new version was not good for this customer in a run.
    FallBack {
        /// Whether it fell back within a day before.
        again: bool,
    },
    /// The new version was edited.
    NewCode,
    /// A person wants it to stay where it is.
    Hold,
    /// A person lets it go on.
    Release,
    /// The new version no longer counts.
    Withdraw,
    /// The old version no longer runs.
    Complete,
}

/// Why something cannot happen to a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The lane is at `complete`.
    #[error("it is complete: the old version no longer runs, and the way back is a new change")]
    Complete,
    /// The lane is at `off`.
    #[error("it is withdrawn: release it first, and it is compared again")]
    Withdrawn,
    /// Somebody holds the lane.
    #[error("it is held: release it first")]
    Held,
    /// The lane is not live.
    #[error("it is not live yet")]
    NotLive,
}

impl LaneState {
    /// The state after an event.
    ///
    /// # Errors
    /// The event cannot happen in this state.
    pub fn after(self, event: LaneEvent) -> Result<Self, Refusal> {
        let at = |stage| Self { stage, ..self };
        let back = self.stage.min(Stage::Shadow);
        match (self.stage, event) {
            (Stage::Complete, LaneEvent::Complete | LaneEvent::NewCode) => Ok(self),
            (Stage::Complete, _) => Err(Refusal::Complete),
            (Stage::Live, LaneEvent::Flip) => Ok(self),
            (Stage::Off, LaneEvent::Flip) => Err(Refusal::Withdrawn),
            (Stage::Shadow, LaneEvent::Flip) if self.held => Err(Refusal::Held),
            (Stage::Shadow, LaneEvent::Flip) => Ok(at(Stage::Live)),
            (_, LaneEvent::Rollback | LaneEvent::NewCode) => Ok(at(back)),
            (Stage::Live, LaneEvent::FallBack { again }) => Ok(Self {
                stage: back,
                held: self.held || again,
            }),
            (_, LaneEvent::FallBack { .. }) => Ok(self),
            (_, LaneEvent::Hold) => Ok(Self { held: true, ..self }),
            (_, LaneEvent::Release) => Ok(Self {
                stage: self.stage.max(Stage::Shadow),
                held: false,
            }),
            (_, LaneEvent::Withdraw) => Ok(at(Stage::Off)),
            (Stage::Live, LaneEvent::Complete) if self.held => Err(Refusal::Held),
            (Stage::Live, LaneEvent::Complete) => Ok(at(Stage::Complete)),
            (_, LaneEvent::Complete) => Err(Refusal::NotLive),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [Stage; 4] = [Stage::Off, Stage::Shadow, Stage::Live, Stage::Complete];

    /// Every state and event, as a table: the documented one.
    const EVENTS: [(LaneEvent, [&str; 8]); 9] = [
        // off, off held, shadow, shadow held, live, live held, complete, complete held
        (
            LaneEvent::Flip,
            [
                "withdrawn",
                "withdrawn",
                "live",
                "held",
                "live",
                "live+",
                "complete!",
                "complete!",
            ],
        ),
        (
            LaneEvent::Rollback,
            [
                "off",
                "off+",
                "shadow",
                "shadow+",
                "shadow",
                "shadow+",
                "complete!",
                "complete!",
            ],
        ),
        (
            LaneEvent::FallBack { again: false },
            [
                "off",
                "off+",
                "shadow",
                "shadow+",
                "shadow",
                "shadow+",
                "complete!",
                "complete!",
            ],
        ),
        (
            LaneEvent::FallBack { again: true },
            [
                "off",
                "off+",
                "shadow",
                "shadow+",
                "shadow+",
                "shadow+",
                "complete!",
                "complete!",
            ],
        ),
        (
            LaneEvent::NewCode,
            [
                "off",
                "off+",
                "shadow",
                "shadow+",
                "shadow",
                "shadow+",
                "complete",
                "complete+",
            ],
        ),
        (
            LaneEvent::Hold,
            [
                "off+",
                "off+",
                "shadow+",
                "shadow+",
                "live+",
                "live+",
                "complete!",
                "complete!",
            ],
        ),
        (
            LaneEvent::Release,
            [
                "shadow",
                "shadow",
                "shadow",
                "shadow",
                "live",
                "live",
                "complete!",
                "complete!",
            ],
        ),
        (
            LaneEvent::Withdraw,
            [
                "off",
                "off+",
                "off",
                "off+",
                "off",
                "off+",
                "complete!",
                "complete!",
            ],
        ),
        (
            LaneEvent::Complete,
            [
                "not live",
                "not live",
                "not live",
                "not live",
                "complete",
                "held",
                "complete",
                "complete+",
            ],
        ),
    ];

    fn text(outcome: Result<LaneState, Refusal>) -> String {
        match outcome {
            Ok(state) => format!("{}{}", state.stage, if state.held { "+" } else { "" }),
            Err(Refusal::Complete) => "complete!".to_owned(),
            Err(Refusal::Withdrawn) => "withdrawn".to_owned(),
            Err(Refusal::Held) => "held".to_owned(),
            Err(Refusal::NotLive) => "not live".to_owned(),
        }
    }

    fn states() -> impl Iterator<Item = LaneState> {
        STAGES
            .into_iter()
            .flat_map(|stage| [false, true].map(|held| LaneState { stage, held }))
    }

    #[test]
    fn every_event_in_every_state() {
        for (event, expected) in EVENTS {
            let found: Vec<String> = states().map(|state| text(state.after(event))).collect();
            assert_eq!(found, expected, "{event:?}");
        }
    }

    #[test]
    fn towards_old_is_possible_in_every_state_but_complete_and_only_a_flip_makes_live() {
        for state in states() {
            for event in [
                LaneEvent::Rollback,
                LaneEvent::FallBack { again: false },
                LaneEvent::Withdraw,
            ] {
                let after = state.after(event);
                assert_eq!(
                    after.is_ok(),
                    state.stage != Stage::Complete,
                    "{state:?} {event:?}"
                );
                assert!(after.is_err() || after.unwrap().stage <= Stage::Shadow);
            }
            for (event, _) in EVENTS.iter().filter(|(event, _)| *event != LaneEvent::Flip) {
                if let Ok(after) = state.after(*event) {
                    assert!(
                        after.stage != Stage::Live || state.stage == Stage::Live,
                        "{state:?} {event:?}"
                    );
                }
            }
        }
    }
}
