//! Limits that every Unix has.

use std::fs;
use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::policy::ProcessLimits;

/// The lowest priority of a session.
const LOWEST: &str = "19";
/// The first to go when the machine runs out of memory.
const FIRST_TO_GO: &str = "1000";

/// Offers this process, and all that it will start, to the system when it runs out of memory.
pub(super) fn offer_for_memory() {
    // Where there is no such file, the system decides by size alone.
    let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
}

/// Where the kernel shares the processors between sessions, a low priority counts within one only: this process begins one
/// of its own, which comes last.
pub(super) fn be_last_among_sessions() {
    if nix::unistd::setsid().is_ok() {
        let _ = fs::write("/proc/self/autogroup", LOWEST);
    }
}

/// Limits each process. What the user's own limits are below stays.
pub(super) fn limit(limits: ProcessLimits) -> io::Result<()> {
    lower(Resource::RLIMIT_CORE, 0)?;
    lower(Resource::RLIMIT_NOFILE, u64::from(limits.files))?;
    lower(Resource::RLIMIT_FSIZE, limits.file_bytes)
}

/// Limits the processes and threads of this user.
pub(super) fn limit_processes(limits: ProcessLimits) -> io::Result<()> {
    match limits.processes {
        Some(most) => lower(Resource::RLIMIT_NPROC, u64::from(most) + 32),
        None => Ok(()),
    }
}

fn lower(resource: Resource, to: u64) -> io::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let to = to.min(hard);
    Ok(setrlimit(resource, to, to)?)
}
