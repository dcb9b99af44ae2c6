//! Watching a worker: its time, its memory, its processes and what it writes.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::sync::watch;
use understudy_core::run::{Failure, FailureKind};
use understudy_sabotage::Sabotage;

use super::process_group::ProcessGroup;
use super::sandbox::{Tree, Used};
use super::{WorkerLimits, disk};
use crate::report::units;

/// How often a worker's memory and processes are looked at.
const WATCH_EVERY: Duration = Duration::from_millis(50);
/// At every so-manieth look, its disk is looked at too: that may take many files.
const DISK_EVERY: u32 = 5;

/// How a worker ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// By itself.
    Exited(io::Result<ExitStatus>),
    /// For this reason.
    Ended(Failure),
}

/// What a worker is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Members {
    /// A process group: what stays in it.
    Group(ProcessGroup),
    /// Everything below a process.
    Tree(Tree),
}

/// One worker that is watched.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    pub(super) members: Members,
    pub(super) limits: WorkerLimits,
    /// The folders that it may write.
    pub(super) folders: &'a [PathBuf],
    /// The most memory that was seen, in bytes.
    pub(super) peak: u64,
}

impl Watched<'_> {
    /// Watches it until it ends, or has to be ended.
    pub(super) async fn until_end(
        &mut self,
        child: &mut Child,
        mut interrupted: watch::Receiver<bool>,
    ) -> Ending {
        let started = Instant::now();
        let mut ticks = tokio::time::interval(WATCH_EVERY);
        for look in 0_u32.. {
            tokio::select! {
                status = child.wait() => return Ending::Exited(status),
                _ = interrupted.wait_for(|yes| *yes) => return Ending::Ended(super::client::interrupted()),
                _ = ticks.tick() => {}
            }
            let beyond = self
                .time(started.elapsed())
                .or_else(|| self.members_use())
                .or_else(|| (look % DISK_EVERY == 0).then(|| self.disk()).flatten());
            if let Some(failure) = beyond {
                return Ending::Ended(failure);
            }
        }
        Ending::Ended(Failure::new(FailureKind::Timeout, "ran for years"))
    }

    fn time(&self, elapsed: Duration) -> Option<Failure> {
        let limit = self.limits.wall.filter(|wall| elapsed > *wall)?;
        let message = format!(
            "ran past its limit of {} and was ended",
            units::duration(limit)
        );
        (!Sabotage::NoWallLimit.is_on()).then(|| Failure::new(FailureKind::Timeout, message))
    }

    fn members_use(&mut self) -> Option<Failure> {
        let Used {
            memory_bytes,
            processes,
        } = match self.members {
            Members::Group(group) => Used {
                memory_bytes: group.resident_bytes(),
                processes: 0,
            },
            Members::Tree(tree) => tree.used(),
        };
        self.peak = self.peak.max(memory_bytes);
        self.memory(memory_bytes)
            .or_else(|| self.processes(processes))
    }

    fn memory(&self, used: u64) -> Option<Failure> {
        self.limits.memory_bytes.filter(|limit| used > *limit)?;
        (!Sabotage::NoMemoryWatch.is_on()).then(|| self.limits.beyond_memory(Some(used)))
    }

    fn processes(&self, used: u64) -> Option<Failure> {
        let limit = self.limits.processes?;
        let is_beyond = used > u64::from(limit) && !Sabotage::NoProcessWatch.is_on();
        is_beyond.then(|| {
            let message = format!(
                "had {used} processes and threads, more than its limit of {limit}, and was ended"
            );
            Failure::new(FailureKind::Limit, message)
        })
    }

    fn disk(&self) -> Option<Failure> {
        let limit = self.limits.disk_bytes?;
        if Sabotage::NoDiskWatch.is_on() {
            return None;
        }
        let taken = disk::taken(self.folders);
        let message = if taken > limit {
            format!(
                "wrote {}, more than its limit of {}, and was ended",
                units::bytes(taken),
                units::bytes(limit)
            )
        } else {
            let free = disk::too_little_left(self.folders.first()?)?;
            format!(
                "was ended, because its disk has only {} left, which live needs",
                units::bytes(free)
            )
        };
        Some(Failure::new(FailureKind::Limit, message))
    }
}
