//! Worker processes: whatever reads a row, runs somebody's code or compares happens in one.
//!
//! A worker is the same binary started again, in a process group of its own, with one [`Invocation`], one folder
//! to write and limits on time and memory. It answers with a file. A worker that dies takes nothing with it.

mod busy;
mod client;
mod limits;
mod process_group;
mod protocol;
mod serve;

pub use client::{Crew, WorkerEnd};
pub use limits::WorkerLimits;
pub use protocol::{
    Answer, AssembleJob, CompareJob, CopyJob, DiffJob, Findings, InspectCode, InspectExternal,
    InspectInput, InspectJob, InspectTask, Inspected, Invocation, Job, JobCode, JobInput,
    NamedColumn, NodeResult, On, ScrubJob, TaskJob,
};
pub use serve::serve;

/// The hidden verb that the binary starts itself with.
pub const WORKER_VERB: &str = "worker";
