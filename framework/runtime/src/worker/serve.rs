//! The worker's own side: one invocation, one answer.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::time::TimeValLike as _;
use nix::unistd::getpgrp;
use understudy_core::run::{Failure, FailureKind, Usage};
use understudy_tasks::Registry;

use super::busy::{Busy, SPENT_FILE, Spent};
use super::protocol::{Answer, Invocation, Job};
use super::{WORKER_VERB, sandbox};
use crate::store::lock::Lock;

mod case;
mod check;
mod compare;
mod copy;
mod customers;
mod diff;
mod inspect;
mod pick;
mod predicates;
mod probe;
mod put_together;
mod scrub;
mod slicing;
mod task;

pub(super) use task::program_folder;

/// How long a worker waits for a run that looks whether there are any.
const AT_WORK_WAIT: Duration = Duration::from_secs(1);
/// How long a guard may take to end what it guards.
const GUARD_ENDS_WITHIN: Duration = Duration::from_secs(2);
/// The file that a worker answers with.
const ANSWER_FILE: &str = "answer.json";

/// As what this program was started by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It does the work.
    Worker,
    /// It guards a confined worker.
    Guard,
    /// It is the first process of a confined worker's namespace.
    Init,
    /// It becomes a program of the user's.
    Program,
}

impl Role {
    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            sandbox::WORKER => Some(Self::Worker),
            sandbox::GUARD => Some(Self::Guard),
            sandbox::INIT => Some(Self::Init),
            sandbox::PROGRAM => Some(Self::Program),
            _ => None,
        }
    }
}

/// Plays a role for an invocation, and gives the code to end with. As a worker it does what the file says and leaves the
/// answer beside it; Rust tasks are those of the registry. `program` is what it becomes as [`Role::Program`].
///
/// # Errors
/// The invocation cannot be read or the answer not written, or it could not be confined; the text says which.
pub fn serve(
    role: Role,
    file: &Path,
    program: &[OsString],
    registry: &Registry,
) -> Result<u8, String> {
    let invocation = read(file)?;
    let confinement = invocation.confinement.as_ref().ok_or("it is not confined");
    // What the supervisor starts holds it to the end of all that it started itself.
    let is_started_by_supervisor = match role {
        Role::Guard => true,
        Role::Worker => confinement.is_err(),
        Role::Init | Role::Program => false,
    };
    let _at_work = match &invocation.at_work {
        Some(folder) if is_started_by_supervisor => Some(at_work(folder)?),
        _ => None,
    };
    match role {
        Role::Worker => work(invocation, registry).map(|()| 0),
        Role::Guard => {
            let guarded = sandbox::guard(file, &invocation.folder, confinement?);
            guarded.or_else(|why| refuse(&invocation.folder, why))
        }
        Role::Init => sandbox::init(file),
        Role::Program => Err(sandbox::run_program(confinement?, program)),
    }
}

/// The lock by which the next run of this date knows that somebody still writes.
fn at_work(folder: &Path) -> Result<Lock, String> {
    let gone = || "its supervisor is gone".to_owned();
    let lock = Lock::shared(folder, AT_WORK_WAIT)
        .map_err(|error| format!("`{}` cannot be locked: {error}", folder.display()))?
        .ok_or_else(gone)?;
    // Before it was held the next run may have begun.
    if is_supervisor_gone().map_err(|error| format!("its input cannot be looked at: {error}"))? {
        return Err(gone());
    }
    Ok(lock)
}

/// Whether the pipe ended that is the standard input.
fn is_supervisor_gone() -> io::Result<bool> {
    let input = io::stdin();
    let mut looked_at = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    poll(&mut looked_at, PollTimeout::ZERO)?;
    let [input] = looked_at;
    Ok(input
        .revents()
        .is_some_and(|found| found.contains(PollFlags::POLLHUP)))
}

fn read(file: &Path) -> Result<Invocation, String> {
    let text =
        fs::read(file).map_err(|error| format!("`{}` cannot be read: {error}", file.display()))?;
    serde_json::from_slice(&text)
        .map_err(|error| format!("`{}` is no invocation: {error}", file.display()))
}

/// Answers that nothing was begun.
fn refuse(folder: &Path, why: String) -> Result<u8, String> {
    let failure = machine_failure(format!("was not run: {why}"));
    write(folder, ANSWER_FILE, &Answer::Failed(failure)).map(|()| 0)
}

fn work(invocation: Invocation, registry: &Registry) -> Result<(), String> {
    // Before there is a second thread: walls stand around the thread that puts them up, and those it starts.
    if let Some(confinement) = &invocation.confinement
        && let Err(why) = sandbox::enter_worker(confinement, &invocation.folder)
    {
        return refuse(&invocation.folder, why).map(drop);
    }
    end_with_supervisor(invocation.confinement.is_some());
    let folder = invocation.folder.clone();
    let temporary = temporary_folder(&folder);
    fs::create_dir_all(&temporary)
        .map_err(|error| format!("`{}` cannot be made: {error}", temporary.display()))?;
    let from = crate::clock::now_nanos();
    let answer = answer(invocation, &temporary, registry);
    let busy = Busy {
        from,
        to: crate::clock::now_nanos(),
    };
    write(
        &folder,
        SPENT_FILE,
        &Spent {
            usage: usage(),
            busy,
        },
    )?;
    write(&folder, ANSWER_FILE, &answer)
}

fn answer(invocation: Invocation, temporary: &Path, registry: &Registry) -> Answer {
    let is_confined = invocation.confinement.is_some();
    let launcher = is_confined.then(|| launcher(&invocation.folder));
    let answer = match invocation.job {
        Job::Inspect(job) => inspect::inspect(&job, temporary).map(Answer::Inspected),
        Job::Task(job) => task::execute(&job, temporary, launcher, registry).map(Answer::Made),
        Job::Compare(job) => compare::compare(&job, temporary).map(Answer::Compared),
        Job::Check(job) => check::check(&job, temporary, launcher, registry).map(Answer::Checked),
        Job::Diff(job) => diff::diff(&job, temporary),
        Job::Probe(job) => Ok(Answer::Probed(probe::probe(&job))),
        Job::Copy(job) => copy::copy(&job).map(|()| Answer::Copied),
        Job::Case(job) => case::case(&job, temporary).map(Answer::Compared),
        Job::Pick(job) => pick::pick(&job).map(|tables| Answer::Picked(Box::new(tables))),
        Job::Scrub(job) => scrub::scrub(&job).map(Answer::Scrubbed),
        Job::Customers(job) => customers::customers(&job).map(Answer::Customers),
        Job::Assemble(job) => put_together::put_together(&job).map(Answer::Made),
    };
    answer.unwrap_or_else(Answer::Failed)
}

/// Where a worker keeps temporary files.
pub(super) fn temporary_folder(folder: &Path) -> PathBuf {
    folder.join("tmp")
}

/// How a program is started behind walls of its own: by this program, which becomes it.
fn launcher(folder: &Path) -> Vec<OsString> {
    let own = std::env::current_exe().unwrap_or_default();
    let role = [WORKER_VERB, "--as", sandbox::PROGRAM].map(OsString::from);
    let mut launcher = vec![own.into_os_string()];
    launcher.extend(role);
    launcher.push(folder.join("invocation.json").into_os_string());
    launcher.push("--".into());
    launcher
}

fn write(folder: &Path, name: &str, value: &impl serde::Serialize) -> Result<(), String> {
    let json =
        serde_json::to_vec(value).map_err(|error| format!("`{name}` has no JSON form: {error}"))?;
    fs::write(folder.join(name), json)
        .map_err(|error| format!("`{name}` cannot be written: {error}"))
}

/// Ends this worker and all that it started when its supervisor is gone: then the pipe that is its standard input
/// ends. What it started ends first, so that the lock outlives it; around a confined one the guard holds that and does
/// this, unless it is gone too.
fn end_with_supervisor(is_confined: bool) {
    std::thread::spawn(move || {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|read| read > 0) {}
        if is_confined {
            std::thread::sleep(GUARD_ENDS_WITHIN);
        } else {
            sandbox::end_tree(sandbox::Tree::below_this());
        }
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
