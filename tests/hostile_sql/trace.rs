//! What `strace` writes down of a run: the calls of each thread in a file of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether calls can be watched on this machine.
pub(super) fn is_possible() -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

/// The calls of all threads.
pub(super) struct Calls(BTreeMap<String, Vec<Call>>);

/// One call, as it stands in the file: `openat(AT_FDCWD</here>, "a", O_RDONLY) = 3</here/a>`.
#[derive(Clone, Debug)]
pub(super) struct Call(String);

impl Calls {
    pub(super) fn in_folder(folder: &Path) -> Self {
        let mut calls = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let thread = path.extension().unwrap().to_str().unwrap().to_owned();
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            calls.insert(
                thread,
                text.lines().map(|line| Call(line.to_owned())).collect(),
            );
        }
        Self(calls)
    }

    /// The calls of each worker and of all that it started, threads together.
    pub(super) fn of_workers(&self) -> Vec<Vec<&Call>> {
        let is_worker = |calls: &Vec<Call>| calls.iter().any(Call::begins_a_worker);
        let leaders = self.0.iter().filter(|(_, calls)| is_worker(calls));
        leaders.map(|(leader, _)| self.together(leader)).collect()
    }

    fn together(&self, leader: &str) -> Vec<&Call> {
        let (mut known, mut waiting) = (BTreeSet::new(), vec![leader.to_owned()]);
        let mut calls = Vec::new();
        while let Some(thread) = waiting.pop() {
            let own = self.0.get(&thread).map(Vec::as_slice).unwrap_or_default();
            // What it did before it became the worker was its supervisor's.
            let from = own.iter().position(Call::begins_a_worker).unwrap_or(0);
            waiting.extend(own[from..].iter().filter_map(Call::started));
            if known.insert(thread) {
                calls.extend(&own[from..]);
            }
        }
        calls
    }
}

impl Call {
    fn name(&self) -> &str {
        self.0.split('(').next().unwrap_or_default()
    }

    fn begins_a_worker(&self) -> bool {
        self.name() == "execve" && self.0.contains("understudy\", \"worker\"")
    }

    fn failed(&self) -> bool {
        self.0.contains(" = -1 ") || self.0.contains(" = ?")
    }

    /// The thread or process that it started.
    fn started(&self) -> Option<String> {
        let starts = ["clone", "clone3", "fork", "vfork"].contains(&self.name());
        let (_, result) = self.0.rsplit_once(" = ").filter(|_| starts)?;
        let digits: String = result.chars().take_while(char::is_ascii_digit).collect();
        Some(digits).filter(|digits| !digits.is_empty())
    }

    pub(super) fn is_network(&self) -> bool {
        [
            "socket", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg",
        ]
        .contains(&self.name())
    }

    pub(super) fn opens(&self) -> bool {
        ["open", "openat", "openat2", "creat"].contains(&self.name()) && !self.failed()
    }

    pub(super) fn writes(&self) -> bool {
        let flags = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"];
        !self.opens() || flags.iter().any(|flag| self.0.contains(flag))
    }

    /// The paths that it opened or changed; nothing for a call that only looks, or failed.
    pub(super) fn touched(&self) -> Vec<String> {
        // What is only passed through is not opened: what is reached by it has a path of its own.
        if self.failed() || self.looks() || self.0.contains("O_PATH") {
            return Vec::new();
        }
        if self.opens() {
            let result = self.0.rsplit_once(" = ").map(|(_, result)| result);
            let path = result.and_then(|result| result.split_once('<')?.1.strip_suffix('>'));
            return vec![
                path.expect("an open file has a path")
                    .replace(" (deleted)", ""),
            ];
        }
        let quoted = self.0.split('"').skip(1).step_by(2);
        quoted
            .filter(|path| path.starts_with('/'))
            .map(str::to_owned)
            .collect()
    }

    fn looks(&self) -> bool {
        let looking = [
            "stat",
            "lstat",
            "newfstatat",
            "statx",
            "access",
            "faccessat",
            "faccessat2",
            "readlink",
            "readlinkat",
            "getcwd",
            "chdir",
            "fchdir",
            "execve",
            "statfs",
            "fstatfs",
            "getxattr",
            "name_to_handle_at",
        ];
        let of_processes = [
            "clone",
            "clone3",
            "fork",
            "vfork",
            "exit",
            "exit_group",
            "wait4",
            "waitid",
            "kill",
            "tgkill",
        ];
        looking.contains(&self.name())
            || of_processes.contains(&self.name())
            || self.is_network()
            || ["+++", "---"].iter().any(|mark| self.0.starts_with(mark))
            || [
                "socketpair",
                "getsockopt",
                "setsockopt",
                "getsockname",
                "recvfrom",
                "recvmsg",
                "shutdown",
                "pidfd_send_signal",
                "pidfd_open",
            ]
            .contains(&self.name())
    }
}
