//! What arrives on the wire, and how fresh it makes what was read.
//!
//! The SDK keeps its last values for ever and says nothing of the connection; it has no timeouts either. So every
//! request of it passes here: what was answered, when the last byte came, heartbeats included, and how many updates
//! came, to be held against those that the SDK took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::frames::Frames;
use crate::freshness::Freshness;

/// How long an update may take from the wire into the SDK's store. A machine under load stops for a second now and then;
/// whoever reads waits for it.
const TAKEN_WITHIN: Duration = Duration::from_secs(3);

/// What the wire of one client has carried. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// When the last byte of a good answer came.
    heard: Option<Instant>,
    /// Why the last request failed, if it did; an answer clears it.
    trouble: Option<String>,
    /// The answer that ends the SDK's trying.
    refused: Option<u16>,
    /// The updates that came, and when the last one did.
    came: u64,
    came_at: Option<Instant>,
    /// Since when streams were opened that brought no update yet.
    bare_since: Option<Instant>,
    /// The updates that the SDK's store took.
    taken: u64,
    frames: Frames,
}

impl State {
    /// When the last update came, where the SDK has not taken as many.
    fn behind_since(&self) -> Option<Instant> {
        self.came_at.filter(|_| self.came > self.taken)
    }
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request was answered.
    pub(super) fn answered(&self, status: u16, is_stream: bool) {
        let mut state = self.state();
        state.frames = Frames::default();
        match status {
            // Only what comes now shows whether it works again.
            200..=399 if is_stream => _ = state.bare_since.get_or_insert_with(Instant::now),
            200..=399 => {}
            // As the SDK sees it: these it tries again.
            400 | 408 | 429 | 500.. => state.trouble = Some(format!("it answered {status}")),
            _ => state.refused = Some(status),
        }
    }

    /// Bytes of a stream came.
    pub(super) fn heard(&self, bytes: &[u8]) {
        let mut state = self.state();
        let now = Instant::now();
        state.heard = Some(now);
        let updates = state.frames.updates_in(bytes);
        if updates > 0 {
            state.came += updates;
            state.came_at = Some(now);
            state.bare_since = None;
            state.trouble = None;
        }
    }

    /// The whole answer of a poll came. The SDK takes the one that it has where nothing changed.
    pub(super) fn polled(&self) {
        let mut state = self.state();
        let now = Instant::now();
        state.heard = Some(now);
        state.trouble = None;
        state.came += 1;
        state.came_at = Some(now);
    }

    /// A request failed, or an answer broke off with an error.
    pub(super) fn failed(&self, why: String) {
        self.state().trouble = Some(why);
    }

    /// The SDK's store took an update.
    pub(super) fn took(&self) {
        self.state().taken += 1;
    }

    /// The answer that ended the SDK's trying, if one did.
    pub(super) fn refused(&self) -> Option<u16> {
        self.state().refused
    }

    /// Why the last request failed, if it did.
    pub(super) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Whether an update came that the SDK has still to take.
    pub(super) fn is_behind(&self) -> bool {
        self.state()
            .behind_since()
            .is_some_and(|at| at.elapsed() <= TAKEN_WITHIN)
    }

    /// Whether an update came that the SDK did not take: it could not be read, and the old values stay.
    pub(super) fn has_unread(&self) -> bool {
        self.state()
            .behind_since()
            .is_some_and(|at| at.elapsed() > TAKEN_WITHIN)
    }

    /// How fresh is what the SDK took.
    pub(super) fn freshness(&self, stale_after: Duration) -> Freshness {
        if let Some(status) = self.refused() {
            return Freshness::Refused {
                reason: format!("it answered {status} to the SDK key"),
            };
        }
        if let Some(reason) = self.trouble() {
            return Freshness::Down { reason };
        }
        if self.has_unread() {
            return Freshness::Down {
                reason: "an update came that cannot be read, so that newer flags are not known"
                    .to_owned(),
            };
        }
        // A stream begins with all flags; one that drips may be alive and bring nothing.
        let bare = self.state().bare_since.map(|since| since.elapsed());
        if let Some(bare) = bare.filter(|bare| *bare > stale_after) {
            return Freshness::Stale {
                silent_secs: bare.as_secs(),
            };
        }
        match self.state().heard.map(|at| at.elapsed()) {
            None => Freshness::Down {
                reason: "nothing has arrived yet".to_owned(),
            },
            Some(silent) if silent > stale_after => Freshness::Stale {
                silent_secs: silent.as_secs(),
            },
            Some(_) => Freshness::Fresh,
        }
    }
}
