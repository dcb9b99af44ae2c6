//! What a piece of work may do.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use understudy_core::spec::Sandbox;

/// The confinement of one worker.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Confinement {
    /// What it may read.
    pub reads: Reads,
    /// Folders and files that the worker may write, its own folder aside. They are there.
    pub writes: Vec<PathBuf>,
    /// Folders that a program of the user's may write, which the worker may too. They are there.
    pub program_writes: Vec<PathBuf>,
    /// Where it may connect to.
    pub network: Network,
    /// The hosts that are declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// What it may use up.
    pub limits: ProcessLimits,
    /// What becomes of it where the machine cannot confine it fully.
    pub sandbox: Sandbox,
    /// Parts that are left out on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// What a worker may read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// Whatever its user may: a program needs its interpreter and libraries, wherever they are.
    Everything,
    /// These, and what the system's libraries need.
    These(Vec<PathBuf>),
}

/// Where a worker may connect to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nowhere.
    Closed,
    /// Anywhere, because hosts are declared without a port.
    Open,
    /// Anywhere, at the ports that are declared: the kernel tells ports apart, not hosts.
    Ports(Vec<u16>),
}

impl Network {
    /// What the declared hosts need.
    #[must_use]
    pub fn of_hosts(hosts: &[String]) -> Self {
        if hosts.is_empty() {
            return Self::Closed;
        }
        let ports: Option<Vec<u16>> = hosts.iter().map(|host| port_of(host)).collect();
        ports.map_or(Self::Open, Self::Ports)
    }
}

/// The port that a host is declared with; the pipeline file made sure that it is one.
fn port_of(host: &str) -> Option<u16> {
    let (name, port) = host.rsplit_once(':')?;
    let is_address = name.contains(':') && !name.ends_with(']');
    port.parse().ok().filter(|_| !is_address)
}

/// What a worker may use up, as far as the system itself keeps to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProcessLimits {
    /// Open files.
    pub files: u32,
    /// The length of one file, in bytes.
    pub file_bytes: u64,
    /// Memory of all its processes together, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads, all together.
    pub processes: Option<u32>,
}

impl Confinement {
    /// Whether a part is left out on purpose.
    pub(super) fn is_without(&self, part: &str) -> bool {
        self.without.iter().any(|left_out| left_out == part)
    }

    /// Everything that the worker may write.
    pub(in crate::worker) fn worker_writes<'a>(
        &'a self,
        own: &'a Path,
    ) -> impl Iterator<Item = &'a Path> {
        let programs = self.program_writes.iter().map(PathBuf::as_path);
        let writes = self.writes.iter().map(PathBuf::as_path);
        std::iter::once(own).chain(writes).chain(programs)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn hosts_with_ports_open_these_only() {
        let check = |hosts: &[&str], expected: Network| {
            let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
            assert_eq!(Network::of_hosts(&hosts), expected, "{hosts:?}");
        };
        check(&[], Network::Closed);
        check(&["db"], Network::Open);
        check(&["db:5432", "[::1]:80"], Network::Ports(vec![5432, 80]));
        check(&["db:5432", "web"], Network::Open);
        check(&["fe80::1:80"], Network::Open);
    }
}
