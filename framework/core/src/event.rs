//! What happens in a run, as it happens. Progress, the event file and tests all read the same events.

use serde::{Deserialize, Serialize};

use crate::plan::Half;

/// One event.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// The run's id.
        run: String,
        /// How many steps it has at most.
        steps: usize,
    },
    /// A step began.
    StepStarted {
        /// What it is, for people.
        step: String,
        /// Its half.
        half: Half,
    },
    /// A step ended.
    StepEnded {
        /// What it is, for people.
        step: String,
        /// Its half.
        half: Half,
        /// How it ended.
        end: StepEnd,
        /// Wall time in milliseconds.
        wall_ms: u64,
    },
    /// The live outputs are published.
    Published {
        /// How many.
        outputs: usize,
        /// Whether they stood there already.
        reused: bool,
    },
    /// The live half failed; nothing is published.
    LiveFailed {
        /// Why.
        reason: String,
    },
    /// Something that a person should look at.
    Alert {
        /// What.
        message: String,
    },
    /// The run ended.
    RunEnded {
        /// The run's id.
        run: String,
    },
}

/// How a step ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepEnd {
    /// Well, with a word about it.
    Done(String),
    /// It was there already.
    Reused,
    /// Not well, and why.
    Failed(String),
}
