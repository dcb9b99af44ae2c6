//! The worker's own side: one invocation, one answer.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::time::TimeValLike as _;
use nix::unistd::getpgrp;
use understudy_core::run::{Failure, FailureKind, Usage};
use understudy_tasks::Registry;

use super::busy::{Busy, SPENT_FILE, Spent};
use super::protocol::{Answer, Invocation, Job};

mod compare;
mod copy;
mod diff;
mod inspect;
mod put_together;
mod scrub;
mod slicing;
mod task;

/// Does what an invocation file says and leaves the answer beside it. Rust tasks are those of the registry.
///
/// # Errors
/// The invocation cannot be read or the answer not written; the text says which.
pub fn serve(file: &Path, registry: &Registry) -> Result<(), String> {
    end_with_supervisor();
    let text =
        fs::read(file).map_err(|error| format!("`{}` cannot be read: {error}", file.display()))?;
    let invocation: Invocation = serde_json::from_slice(&text)
        .map_err(|error| format!("`{}` is no invocation: {error}", file.display()))?;
    let temporary = invocation.folder.join("tmp");
    fs::create_dir_all(&temporary)
        .map_err(|error| format!("`{}` cannot be made: {error}", temporary.display()))?;
    let from = crate::clock::now_nanos();
    let answer = answer(invocation.job, &temporary, registry);
    let busy = Busy {
        from,
        to: crate::clock::now_nanos(),
    };
    write(
        &invocation.folder,
        SPENT_FILE,
        &Spent {
            usage: usage(),
            busy,
        },
    )?;
    write(&invocation.folder, "answer.json", &answer)
}

fn answer(job: Job, temporary: &Path, registry: &Registry) -> Answer {
    let answer = match job {
        Job::Inspect(job) => inspect::inspect(&job, temporary).map(Answer::Inspected),
        Job::Task(job) => task::execute(&job, temporary, registry).map(Answer::Made),
        Job::Compare(job) => compare::compare(&job, temporary).map(Answer::Compared),
        Job::Diff(job) => diff::diff(&job, temporary),
        Job::Copy(job) => copy::copy(&job).map(|()| Answer::Copied),
        Job::Scrub(job) => scrub::scrub(&job).map(Answer::Scrubbed),
        Job::Assemble(job) => put_together::put_together(&job).map(Answer::Made),
    };
    answer.unwrap_or_else(Answer::Failed)
}

fn write(folder: &Path, name: &str, value: &impl serde::Serialize) -> Result<(), String> {
    let json =
        serde_json::to_vec(value).map_err(|error| format!("`{name}` has no JSON form: {error}"))?;
    fs::write(folder.join(name), json)
        .map_err(|error| format!("`{name}` cannot be written: {error}"))
}

/// Ends this worker and all that it started when its supervisor is gone: then the pipe that is its standard input
/// ends.
fn end_with_supervisor() {
    std::thread::spawn(|| {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|read| read > 0) {}
        let _ = killpg(getpgrp(), Signal::SIGKILL);
    });
}

/// What this process and the children that it waited for took.
fn usage() -> Usage {
    let mut usage = Usage::default();
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        if let Ok(one) = getrusage(who) {
            let cpu = one.user_time().num_milliseconds() + one.system_time().num_milliseconds();
            usage.cpu_ms += u64::try_from(cpu).unwrap_or(0);
            // The system gives kilobytes.
            let resident = u64::try_from(one.max_rss()).unwrap_or(0) * 1024;
            usage.peak_memory_bytes = usage.peak_memory_bytes.max(resident);
        }
    }
    usage
}

fn task_failure(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Task, message)
}

fn machine_failure(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Machine, message)
}

/// An error with all that caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
