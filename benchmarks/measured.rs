//! What a process took: wall time, and the memory of it and all that it started.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How often memory, and whether the process has ended, is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(5);

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// The greatest resident memory of it and its descendants together, in bytes.
    pub(crate) peak_bytes: u64,
    pub(crate) exit_code: Option<i32>,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Took {
    let started = Instant::now();
    let mut child = command.spawn().expect("the program can be started");
    let peak_bytes = peak_until_end(&mut child);
    let wall = started.elapsed();
    let status = child.wait().expect("the program can be waited for");
    Took {
        wall,
        peak_bytes,
        exit_code: status.code(),
    }
}

/// The binary beside this one: `target/<profile>/understudy` for `target/<profile>/examples/…`.
pub(crate) fn understudy() -> PathBuf {
    let own = std::env::current_exe().expect("the program's own path is known");
    let folder = own
        .parent()
        .and_then(std::path::Path::parent)
        .expect("an example lies two folders down");
    folder.join("understudy")
}

fn peak_until_end(child: &mut Child) -> u64 {
    let mut peak = 0;
    loop {
        match child.try_wait() {
            Ok(None) => peak = peak.max(resident_of_tree(child.id())),
            _ => return peak,
        }
        std::thread::sleep(SAMPLE_EVERY);
    }
}

fn resident_of_tree(root: u32) -> u64 {
    // A thread's children are listed with the thread that started them.
    let threads = fs::read_dir(format!("/proc/{root}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let children = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    let below: u64 = children
        .flatten()
        .map(|children| {
            let pids = children
                .split_whitespace()
                .filter_map(|pid| pid.parse().ok());
            pids.map(resident_of_tree).sum::<u64>()
        })
        .sum();
    below + resident(root)
}

fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes: Option<u64> = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kibibytes.unwrap_or(0) * 1024
}
