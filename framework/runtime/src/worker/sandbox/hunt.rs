//! All processes below one, found and ended wherever they went.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getpid};

/// How long processes are hunted that keep starting others.
const HUNT: Duration = Duration::from_secs(5);

/// The processes below one.
#[derive(Clone, Copy, Debug)]
pub(in crate::worker) struct Tree {
    root: Pid,
}

/// What the system tells of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Process {
    parent: i32,
    is_zombie: bool,
    threads: u64,
    resident_pages: u64,
}

/// What the processes of a tree use together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::worker) struct Used {
    /// Resident memory in bytes.
    pub(in crate::worker) memory_bytes: u64,
    /// Processes and threads.
    pub(in crate::worker) processes: u64,
}

impl Tree {
    /// Those below a process, itself included.
    pub(in crate::worker) fn of(pid: u32) -> Self {
        let pid = i32::try_from(pid).expect("the system's process ids are positive 32-bit numbers");
        Self {
            root: Pid::from_raw(pid),
        }
    }

    /// Those below this process, which is in no namespace of its own.
    pub(in crate::worker) fn below_this() -> Self {
        Self { root: getpid() }
    }

    /// What they use.
    pub(in crate::worker) fn used(self) -> Used {
        let all = processes();
        let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
        let page = page.ok().flatten();
        let page = page.and_then(|bytes| u64::try_from(bytes).ok());
        let members = below(&all, self.root.as_raw());
        let members = members.iter().filter_map(|pid| all.get(pid));
        let mut used = Used::default();
        for process in members {
            used.memory_bytes += process.resident_pages * page.unwrap_or(4096);
            used.processes += process.threads;
        }
        used
    }

    /// Those that live, the root aside.
    fn living(self) -> Vec<i32> {
        let all = processes();
        let members = below(&all, self.root.as_raw());
        members
            .into_iter()
            .filter(|pid| *pid != self.root.as_raw() && !all[pid].is_zombie)
            .collect()
    }
}

/// Ends all processes of a tree but its root. They are stopped first, so that none starts another while the rest is ended.
pub(in crate::worker) fn end_tree(tree: Tree) {
    let since = Instant::now();
    while since.elapsed() < HUNT {
        let living = tree.living();
        if living.is_empty() {
            return;
        }
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            for pid in &living {
                let _ = kill(Pid::from_raw(*pid), signal);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends what a guard left behind that was ended itself: children of this process that it did not start.
pub(in crate::worker) fn adopt_orphans(known: &BTreeSet<u32>) {
    let own = getpid().as_raw();
    let is_known = |pid: i32| u32::try_from(pid).is_ok_and(|pid| known.contains(&pid));
    let since = Instant::now();
    while since.elapsed() < HUNT {
        let all = processes();
        let orphans: Vec<i32> = all
            .iter()
            .filter(|(pid, process)| process.parent == own && !is_known(**pid))
            .map(|(pid, _)| *pid)
            .collect();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            end_tree(Tree {
                root: Pid::from_raw(orphan),
            });
            let orphan = Pid::from_raw(orphan);
            let _ = kill(orphan, Signal::SIGKILL);
            while waitpid(orphan, Some(WaitPidFlag::empty())) == Err(Errno::EINTR) {}
        }
    }
}

/// All processes that the system shows.
fn processes() -> BTreeMap<i32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, parse(&stat)?))
    })
    .collect()
}

/// The line of `/proc/<pid>/stat`, after proc(5).
fn parse(stat: &str) -> Option<Process> {
    // The second field is the program's name in parentheses, which may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Process {
        is_zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        threads: fields.get(17)?.parse().ok()?,
        resident_pages: fields.get(21)?.parse().ok()?,
    })
}

/// A process and all below it.
fn below(all: &BTreeMap<i32, Process>, root: i32) -> BTreeSet<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (pid, process) in all {
        children.entry(process.parent).or_default().push(*pid);
    }
    let mut found = BTreeSet::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        if all.contains_key(&pid) && found.insert(pid) {
            open.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_program_is_called() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 3 0 100 8192 55 0";
        let expected = Process {
            parent: 7,
            is_zombie: false,
            threads: 3,
            resident_pages: 55,
        };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn a_tree_is_everybody_below() {
        let process = |parent| Process {
            parent,
            is_zombie: false,
            threads: 1,
            resident_pages: 1,
        };
        let all = BTreeMap::from([
            (1, process(0)),
            (2, process(1)),
            (3, process(2)),
            (4, process(3)),
            (5, process(1)),
        ]);
        assert_eq!(below(&all, 2), BTreeSet::from([2, 3, 4]));
        assert_eq!(below(&all, 9), BTreeSet::new());
    }

    #[test]
    fn what_was_started_in_a_session_of_its_own_is_found_and_ended() {
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "setsid sleep 600 & sleep 600"])
            .spawn()
            .unwrap();
        let tree = Tree::of(shell.id());
        let since = Instant::now();
        while tree.living().len() < 2 && since.elapsed() < HUNT {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(tree.living().len(), 2);
        assert!(tree.used().memory_bytes > 0 && tree.used().processes >= 3);
        end_tree(tree);
        assert_eq!(tree.living(), [0; 0]);
        let _ = shell.kill();
        shell.wait().unwrap();
    }
}
