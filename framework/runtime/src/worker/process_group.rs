//! A worker and everything that it started, as far as it stayed in its process group.

use std::fs;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The process group that a worker leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessGroup(Pid);

impl ProcessGroup {
    /// The group of a process that was started as the leader of one.
    pub(super) fn led_by(pid: u32) -> Self {
        let pid = i32::try_from(pid).expect("the system's process ids are positive 32-bit numbers");
        Self(Pid::from_raw(pid))
    }

    /// Ends every process in it. A group that is gone already is fine.
    pub(super) fn kill(self) {
        let _ = killpg(self.0, Signal::SIGKILL);
    }

    /// The resident memory of all its processes together, in bytes; zero where the system does not tell.
    pub(super) fn resident_bytes(self) -> u64 {
        let Ok(entries) = fs::read_dir("/proc") else {
            return 0;
        };
        let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
        let page = page
            .ok()
            .flatten()
            .and_then(|bytes| u64::try_from(bytes).ok())
            .unwrap_or(4096);
        let names = entries.flatten().map(|entry| entry.file_name());
        let pages: u64 = names
            .filter_map(|name| self.resident_pages(name.to_str()?))
            .sum();
        pages * page
    }

    /// The resident pages of one process, if it belongs to the group.
    fn resident_pages(self, pid: &str) -> Option<u64> {
        pid.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(())?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in parentheses, which may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let group: i32 = fields.get(2)?.parse().ok()?;
        (group == self.0.as_raw()).then_some(())?;
        fields.get(21)?.parse().ok()
    }
}
