//! Trying what a shadow must not be able to do.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::super::protocol::{ProbeJob, Probed};

/// How long a connection is tried.
const CONNECT: Duration = Duration::from_secs(2);
/// The file that is tried; nobody reads one of that name.
const PROBE_FILE: &str = ".understudy-doctor";

/// Tries each, and says what became of it.
pub(super) fn probe(job: &ProbeJob) -> Probed {
    let address = SocketAddr::from(([127, 0, 0, 1], job.port));
    Probed {
        wrote: job
            .folders
            .iter()
            .filter(|folder| can_write(folder))
            .cloned()
            .collect(),
        connected: TcpStream::connect_timeout(&address, CONNECT).is_ok(),
        // No signal is sent: only whether one could be is asked.
        signalled: kill(Pid::from_raw(job.process), None).is_ok(),
    }
}

fn can_write(folder: &Path) -> bool {
    let file = folder.join(PROBE_FILE);
    let made = File::create(&file).is_ok();
    if made {
        let _ = fs::remove_file(&file);
    }
    made
}
