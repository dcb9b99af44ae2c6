//! What a worker may use up.

use std::time::Duration;

use understudy_core::run::{Failure, FailureKind, Usage};
use understudy_core::spec::Limits;

use super::sandbox::ProcessLimits;
use crate::report::units;

/// Limits of one worker and everything that it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Wall time; `None` for live work that the file does not limit.
    pub wall: Option<Duration>,
    /// Resident memory of all its processes together, in bytes.
    pub memory_bytes: Option<u64>,
    /// What it may write in all, in bytes. Only confined work has this limit and those below.
    pub disk_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u32>,
    /// Open files of one process.
    pub files: Option<u32>,
}

/// A shadow may take this many times what live took, plus a constant.
const SHADOW_FACTOR: u64 = 3;
/// The constant part of a shadow's time.
const SHADOW_EXTRA: Duration = Duration::from_secs(600);
/// The constant part of a shadow's memory: an engine's own footing, whatever the data.
const SHADOW_EXTRA_BYTES: u64 = 2 << 30;
/// The constant part of what a shadow may write: what an engine puts aside when its memory runs out.
const SHADOW_EXTRA_DISK_BYTES: u64 = 20 << 30;
/// Processes and threads of a shadow: a Java program has a hundred.
const SHADOW_PROCESSES: u32 = 512;
/// Open files of one process of a shadow, as most systems have it.
const SHADOW_FILES: u32 = 1024;

impl WorkerLimits {
    /// The limits of a live execution: those that the file gives.
    #[must_use]
    pub fn live(limits: Limits) -> Self {
        Self {
            wall: limits.wall_secs.map(Duration::from_secs),
            memory_bytes: limits.memory_bytes,
            ..Self::default()
        }
    }

    /// The limits of a shadow: those that the file gives, else three times what the live side took and a footing.
    /// `live_bytes` is the length of the live side's output.
    #[must_use]
    pub fn shadow(limits: Limits, live: Option<Usage>, live_bytes: u64) -> Self {
        let live = live.unwrap_or_default();
        let wall = Duration::from_millis(live.wall_ms.saturating_mul(SHADOW_FACTOR)) + SHADOW_EXTRA;
        let disk = live_bytes.saturating_mul(SHADOW_FACTOR) + SHADOW_EXTRA_DISK_BYTES;
        let memory = live.peak_memory_bytes.saturating_mul(SHADOW_FACTOR) + SHADOW_EXTRA_BYTES;
        Self {
            wall: Some(limits.wall_secs.map_or(wall, Duration::from_secs)),
            memory_bytes: Some(limits.memory_bytes.unwrap_or(memory)),
            disk_bytes: Some(limits.disk_bytes.unwrap_or(disk)),
            processes: Some(limits.processes.unwrap_or(SHADOW_PROCESSES)),
            files: Some(limits.files.unwrap_or(SHADOW_FILES)),
        }
    }

    /// The failure of work that used more memory than it may, and how much that was, as far as that is known.
    pub(super) fn beyond_memory(self, used: Option<u64>) -> Failure {
        let used = used.map_or_else(String::new, |used| format!(" {} of", units::bytes(used)));
        let limit = self.memory_bytes.unwrap_or_default();
        let message = format!(
            "used{used} memory, more than its limit of {}, and was ended",
            units::bytes(limit)
        );
        Failure::new(FailureKind::Memory, message)
    }

    /// What the system itself keeps to of these limits.
    pub(crate) fn of_process(self) -> ProcessLimits {
        ProcessLimits {
            files: self.files.unwrap_or(SHADOW_FILES),
            file_bytes: self.disk_bytes.unwrap_or(SHADOW_EXTRA_DISK_BYTES),
            memory_bytes: self.memory_bytes,
            processes: self.processes,
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
        let limits = WorkerLimits::shadow(Limits::default(), Some(live), 1 << 30);
        assert_eq!(limits.wall, Some(Duration::from_secs(180 + 600)));
        assert_eq!(limits.memory_bytes, Some(5 << 30));
        assert_eq!(limits.disk_bytes, Some(23 << 30));
        assert_eq!((limits.processes, limits.files), (Some(512), Some(1024)));
    }

    #[test]
    fn what_the_file_says_goes_first() {
        let own = Limits {
            wall_secs: Some(5),
            memory_bytes: Some(1_000),
            disk_bytes: Some(2_000),
            files: Some(64),
            processes: Some(16),
        };
        let limits = WorkerLimits::shadow(own, Some(Usage::default()), 0);
        let expected = WorkerLimits {
            disk_bytes: Some(2_000),
            processes: Some(16),
            files: Some(64),
            ..WorkerLimits::live(own)
        };
        assert_eq!(limits, expected);
    }
}
