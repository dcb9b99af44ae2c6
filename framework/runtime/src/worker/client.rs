//! Starting workers, watching them, and taking their answers.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::watch;
use understudy_core::run::{Failure, FailureKind, Usage};
use understudy_tasks::Registry;

use super::busy::{self, Busy, SPENT_FILE, Spent};
use super::process_group::ProcessGroup;
use super::protocol::{Answer, Invocation};
use super::{WORKER_VERB, WorkerLimits};
use crate::report::units;

/// How often a worker's memory is looked at.
const WATCH_EVERY: Duration = Duration::from_millis(50);
/// How much of what a dead worker printed goes into the failure.
const LAST_WORDS_BYTES: usize = 2_000;

/// How a worker ended.
#[derive(Debug)]
pub struct WorkerEnd {
    /// Its answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// What it took.
    pub usage: Usage,
}

/// Starts workers for one run.
#[derive(Clone, Debug)]
pub struct Crew {
    program: PathBuf,
    registry: Arc<Registry>,
    interrupted: watch::Receiver<bool>,
    busy: Arc<Mutex<Vec<Busy>>>,
}

enum Ending {
    Exited(io::Result<ExitStatus>),
    TimedOut(Duration),
    TooMuchMemory { used: u64, limit: u64 },
    Interrupted,
}

impl Crew {
    /// A crew whose workers are this very program, with these Rust tasks, until somebody interrupts.
    ///
    /// # Errors
    /// The program's own path cannot be found.
    pub fn new(interrupted: watch::Receiver<bool>, registry: Arc<Registry>) -> io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            registry,
            interrupted,
            busy: Arc::default(),
        })
    }

    /// The Rust tasks that its workers have.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Whether somebody interrupted.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        *self.interrupted.borrow()
    }

    /// Waits until somebody interrupts.
    pub async fn interruption(&self) {
        let mut interrupted = self.interrupted.clone();
        if interrupted.wait_for(|yes| *yes).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Begins to count anew, for another run.
    pub fn begin(&self) {
        if let Ok(mut busy) = self.busy.lock() {
            busy.clear();
        }
    }

    /// The wall time since then in which at least one version or comparison was at work.
    #[must_use]
    pub fn busy(&self) -> Duration {
        let spans = self
            .busy
            .lock()
            .map(|spans| spans.clone())
            .unwrap_or_default();
        busy::together(spans)
    }

    /// Runs one invocation to its end. What the worker prints goes to `log`.
    pub async fn run(
        &self,
        invocation: &Invocation,
        limits: WorkerLimits,
        log: &Path,
    ) -> WorkerEnd {
        let started = Instant::now();
        if self.is_interrupted() {
            return WorkerEnd {
                answer: Err(interrupted()),
                usage: Usage::default(),
            };
        }
        let mut peak = 0;
        let answer = match self.start(invocation, log) {
            Ok(child) => self.attend(child, invocation, limits, log, &mut peak).await,
            Err(error) => Err(Failure::new(
                FailureKind::Machine,
                format!("could not be started: {error}"),
            )),
        };
        let wall_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let spent = spent(&invocation.folder).unwrap_or_default();
        if invocation.job.is_of_the_user()
            && let Ok(mut busy) = self.busy.lock()
        {
            busy.push(spent.busy);
        }
        let mut usage = spent.usage;
        usage.wall_ms = wall_ms;
        usage.peak_memory_bytes = usage.peak_memory_bytes.max(peak);
        WorkerEnd { answer, usage }
    }

    fn start(&self, invocation: &Invocation, log: &Path) -> io::Result<Child> {
        for folder in [Some(invocation.folder.as_path()), log.parent()]
            .into_iter()
            .flatten()
        {
            fs::create_dir_all(folder)?;
        }
        let file = invocation.folder.join("invocation.json");
        fs::write(&file, serde_json::to_vec_pretty(invocation)?)?;
        let output = File::create(log)?;
        Command::new(&self.program)
            .arg(WORKER_VERB)
            .arg(&file)
            // The worker sees the end of this pipe when its supervisor is gone, and ends itself.
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    async fn attend(
        &self,
        mut child: Child,
        invocation: &Invocation,
        limits: WorkerLimits,
        log: &Path,
        peak: &mut u64,
    ) -> Result<Answer, Failure> {
        // Waiting would close it, and the worker takes that for the end of its supervisor.
        let _lifeline = child.stdin.take();
        let group = ProcessGroup::led_by(
            child
                .id()
                .expect("a child that was not waited for has an id"),
        );
        let ending = self.watch(&mut child, group, limits, peak).await;
        // Whatever way it ended, nothing that it started goes on.
        group.kill();
        let _ = child.wait().await;
        match ending {
            Ending::Exited(status) => answer_of(invocation, status, log),
            Ending::TimedOut(limit) => {
                let message = format!(
                    "ran past its limit of {} and was ended",
                    units::duration(limit)
                );
                Err(Failure::new(FailureKind::Timeout, message))
            }
            Ending::TooMuchMemory { used, limit } => {
                let message = format!(
                    "used {} of memory, more than its limit of {}, and was ended",
                    units::bytes(used),
                    units::bytes(limit)
                );
                Err(Failure::new(FailureKind::Memory, message))
            }
            Ending::Interrupted => Err(interrupted()),
        }
    }

    async fn watch(
        &self,
        child: &mut Child,
        group: ProcessGroup,
        limits: WorkerLimits,
        peak: &mut u64,
    ) -> Ending {
        let started = Instant::now();
        let mut interrupted = self.interrupted.clone();
        let mut ticks = tokio::time::interval(WATCH_EVERY);
        loop {
            tokio::select! {
                status = child.wait() => return Ending::Exited(status),
                _ = interrupted.wait_for(|yes| *yes) => return Ending::Interrupted,
                _ = ticks.tick() => {}
            }
            if let Some(wall) = limits.wall.filter(|wall| started.elapsed() > *wall) {
                return Ending::TimedOut(wall);
            }
            let used = group.resident_bytes();
            *peak = (*peak).max(used);
            if let Some(limit) = limits.memory_bytes.filter(|limit| used > *limit) {
                return Ending::TooMuchMemory { used, limit };
            }
        }
    }
}

fn interrupted() -> Failure {
    Failure::new(FailureKind::Interrupted, "was interrupted")
}

fn spent(folder: &Path) -> Option<Spent> {
    serde_json::from_slice(&fs::read(folder.join(SPENT_FILE)).ok()?).ok()
}

fn answer_of(
    invocation: &Invocation,
    status: io::Result<ExitStatus>,
    log: &Path,
) -> Result<Answer, Failure> {
    let status = status.map_err(|error| {
        Failure::new(
            FailureKind::Machine,
            format!("could not be waited for: {error}"),
        )
    })?;
    let answer = fs::read(invocation.folder.join("answer.json")).ok();
    match answer.as_deref().map(serde_json::from_slice) {
        Some(Ok(Answer::Failed(failure))) => Err(failure),
        Some(Ok(answer)) if status.success() => Ok(answer),
        _ => Err(Failure::new(
            kind_of_death(status),
            format!("{}{}", death(status), last_words(log)),
        )),
    }
}

fn kind_of_death(status: ExitStatus) -> FailureKind {
    /// What this very program exits with when it panics.
    const BUG: i32 = 70;
    if status.code() == Some(BUG) {
        FailureKind::Bug
    } else {
        FailureKind::Died
    }
}

fn death(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = nix::sys::signal::Signal::try_from(signal)
                .map_or("an unknown signal", |signal| signal.as_str());
            format!("died: its process was ended by {name}")
        }
        (None, Some(code)) => format!("died: its process exited with {code} and no answer"),
        (None, None) => "died without an answer".to_owned(),
    }
}

/// The end of what it printed, so that the reader need not open the log.
fn last_words(log: &Path) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let cut = text.ceil_char_boundary(text.len().saturating_sub(LAST_WORDS_BYTES));
    format!("; it printed: {}", &text[cut..])
}
