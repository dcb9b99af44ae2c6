//! What a worker may use up.

use std::time::Duration;

use understudy_core::run::Usage;
use understudy_core::spec::Limits;

/// Limits of one worker and everything that it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Wall time; `None` for live work that the file does not limit.
    pub wall: Option<Duration>,
    /// Resident memory of all its processes together, in bytes.
    pub memory_bytes: Option<u64>,
}

/// A shadow may take this many times what live took, plus a constant.
const SHADOW_FACTOR: u64 = 3;
/// The constant part of a shadow's time.
const SHADOW_EXTRA: Duration = Duration::from_secs(600);
/// The constant part of a shadow's memory: an engine's own footing, whatever the data.
const SHADOW_EXTRA_BYTES: u64 = 2 << 30;

impl WorkerLimits {
    /// The limits of a live execution: those that the file gives.
    #[must_use]
    pub fn live(limits: Limits) -> Self {
        Self {
            wall: limits.wall_secs.map(Duration::from_secs),
            memory_bytes: limits.memory_bytes,
        }
    }

    /// The limits of a shadow: those that the file gives, else three times what the live side took and a footing.
    #[must_use]
    pub fn shadow(limits: Limits, live: Option<Usage>) -> Self {
        let live = live.unwrap_or_default();
        let wall = Duration::from_millis(live.wall_ms.saturating_mul(SHADOW_FACTOR)) + SHADOW_EXTRA;
        let memory = live.peak_memory_bytes.saturating_mul(SHADOW_FACTOR) + SHADOW_EXTRA_BYTES;
        Self {
            wall: Some(limits.wall_secs.map_or(wall, Duration::from_secs)),
            memory_bytes: Some(limits.memory_bytes.unwrap_or(memory)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shadow_may_take_three_times_live_and_ten_minutes() {
        let live = Usage {
            wall_ms: 60_000,
            cpu_ms: 0,
            peak_memory_bytes: 1 << 30,
        };
        let limits = WorkerLimits::shadow(Limits::default(), Some(live));
        assert_eq!(limits.wall, Some(Duration::from_secs(180 + 600)));
        assert_eq!(limits.memory_bytes, Some(5 << 30));
    }

    #[test]
    fn what_the_file_says_goes_first() {
        let own = Limits {
            wall_secs: Some(5),
            memory_bytes: Some(1_000),
        };
        let limits = WorkerLimits::shadow(own, Some(Usage::default()));
        assert_eq!(limits, WorkerLimits::live(own));
    }
}
