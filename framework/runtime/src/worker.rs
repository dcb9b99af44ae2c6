//! Worker processes: whatever reads a row, runs somebody's code or compares happens in one.
//!
//! A worker is the same binary started again, in a process group of its own, with one [`Invocation`], one folder
//! to write and limits on time and memory. It answers with a file. A worker that dies takes nothing with it.

mod busy;
mod client;
mod disk;
mod limits;
mod outfit;
mod process_group;
mod protocol;
mod sandbox;
mod serve;
mod watch;

pub use client::{Crew, WorkerEnd};
pub use limits::WorkerLimits;
pub use outfit::Outfit;
pub use protocol::{
    Answer, AssembleJob, CaseJob, CheckJob, Checked, CompareJob, CopyJob, CustomersJob, DiffJob,
    Findings, InspectCode, InspectExternal, InspectInput, InspectJob, InspectTask, Inspected,
    Invocation, Job, JobCode, JobInput, NamedColumn, NodeResult, On, PickJob, ProbeJob, Probed,
    ScrubJob, TaskJob,
};
pub use sandbox::{Confinement, Network, ProcessLimits, Reads};
pub use serve::{Role, serve};

use std::path::{Path, PathBuf};

/// The folders that a program may write: what it makes, and what it puts aside. The second is in its worker's folder.
pub(crate) fn program_folders(output: &Path, worker: &Path) -> Vec<PathBuf> {
    vec![
        output.join(understudy_tasks::RAW_FOLDER),
        serve::program_folder(&serve::temporary_folder(worker)),
    ]
}

/// The parts of the sandbox that somebody leaves out on purpose.
pub(crate) fn sandbox_parts_left_out() -> Vec<String> {
    let left_out = std::env::var(sandbox::WITHOUT_VARIABLE).unwrap_or_default();
    let parts = left_out.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The hidden verb that the binary starts itself with.
pub const WORKER_VERB: &str = "worker";
