//! Starting workers, watching them, and taking their answers.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::watch;
use understudy_core::isolation::Isolation;
use understudy_core::run::{Failure, FailureKind, Usage};
use understudy_tasks::{KeptLog, Registry};

use super::busy::{self, Busy, SPENT_FILE, Spent};
use super::outfit::plain_variables;
use super::process_group::ProcessGroup;
use super::protocol::{Answer, Invocation};
use super::sandbox::{self, GUARD, Tree};
use super::watch::{Ending, Members, Watched};
use super::{Outfit, WORKER_VERB, WorkerLimits};

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 512 << 20;
/// What confined work is started with, as `nice` takes it.
const LOWEST_PRIORITY: &str = "19";
/// How long the rest of what a worker printed is waited for when it has ended.
const LAST_PRINTS: Duration = Duration::from_secs(1);
/// How much of what a dead worker printed goes into the failure.
const LAST_WORDS_BYTES: usize = 2_000;

/// How a worker ended.
#[derive(Debug)]
pub struct WorkerEnd {
    /// Its answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// What it took.
    pub usage: Usage,
    /// What kept it in its place, where it was confined.
    pub isolation: Option<Isolation>,
}

/// Starts workers for one run.
#[derive(Clone, Debug)]
pub struct Crew {
    program: PathBuf,
    registry: Arc<Registry>,
    interrupted: watch::Receiver<bool>,
    busy: Arc<Mutex<Vec<Busy>>>,
    /// The workers that run.
    at_work: Arc<Mutex<BTreeSet<u32>>>,
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
            at_work: Arc::default(),
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

    /// Runs one invocation of the framework's own to its end. What the worker prints goes to `log`.
    pub async fn run(
        &self,
        invocation: &Invocation,
        limits: WorkerLimits,
        log: &Path,
    ) -> WorkerEnd {
        self.send(invocation, &Outfit::default(), limits, log).await
    }

    /// Runs one invocation to its end, with what a version is given. No secret of that comes back.
    pub async fn send(
        &self,
        invocation: &Invocation,
        outfit: &Outfit,
        limits: WorkerLimits,
        log: &Path,
    ) -> WorkerEnd {
        let started = Instant::now();
        let mut peak = 0;
        let answer = if self.is_interrupted() {
            Err(interrupted())
        } else {
            match self.start(invocation, outfit, log) {
                Ok(started) => {
                    self.attend(started, invocation, limits, log, &mut peak)
                        .await
                }
                Err(error) => Err(Failure::new(
                    FailureKind::Machine,
                    format!("could not be started: {error}"),
                )),
            }
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
        let confinement = invocation.confinement.as_ref();
        WorkerEnd {
            answer: answer.map_err(|failure| Failure {
                message: outfit.secrets().hide(&failure.message),
                ..failure
            }),
            usage,
            isolation: confinement
                .map(|confinement| sandbox::told_of(&invocation.folder, confinement.hosts.clone())),
        }
    }

    fn start(
        &self,
        invocation: &Invocation,
        outfit: &Outfit,
        log: &Path,
    ) -> io::Result<(Child, KeptLog)> {
        for folder in [Some(invocation.folder.as_path()), log.parent()]
            .into_iter()
            .flatten()
        {
            fs::create_dir_all(folder)?;
        }
        let file = invocation.folder.join("invocation.json");
        fs::write(&file, serde_json::to_vec_pretty(invocation)?)?;
        let _ = fs::remove_file(log);
        let (kept, output) = KeptLog::begin(log, outfit.secrets())?;
        let is_confined = invocation.confinement.is_some();
        let spawn = |steps_back: bool| {
            self.command(&file, invocation, outfit, steps_back)
                .stdout(output.try_clone()?)
                .stderr(output.try_clone()?)
                .spawn()
        };
        let child = match spawn(is_confined) {
            // A system without that program: its shadows are as important as its live work.
            Err(error) if is_confined && error.kind() == io::ErrorKind::NotFound => spawn(false)?,
            started => started?,
        };
        Ok((child, kept))
    }

    /// The command of a worker, which takes the lowest priority if it is to step back; that of input and output follows.
    fn command(
        &self,
        file: &Path,
        invocation: &Invocation,
        outfit: &Outfit,
        steps_back: bool,
    ) -> Command {
        let mut command = if steps_back {
            let mut nice = Command::new("nice");
            nice.args(["-n", LOWEST_PRIORITY]).arg(&self.program);
            nice
        } else {
            Command::new(&self.program)
        };
        command.arg(WORKER_VERB);
        if invocation.confinement.is_some() {
            command
                .args(["--as", GUARD])
                .env_clear()
                .envs(plain_variables());
        }
        command
            .arg(file)
            .envs(outfit.travelling(invocation.job.runs_code_itself()))
            // The worker sees the end of this pipe when its supervisor is gone, and ends itself.
            .stdin(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    async fn attend(
        &self,
        (mut child, printed): (Child, KeptLog),
        invocation: &Invocation,
        limits: WorkerLimits,
        log: &Path,
        peak: &mut u64,
    ) -> Result<Answer, Failure> {
        // Waiting would close it, and the worker takes that for the end of its supervisor.
        let _lifeline = child.stdin.take();
        let pid = child
            .id()
            .expect("a child that was not waited for has an id");
        let group = ProcessGroup::led_by(pid);
        let confinement = invocation.confinement.as_ref();
        let members = match confinement {
            Some(_) => Members::Tree(Tree::of(pid)),
            None => Members::Group(group),
        };
        let folders: Vec<PathBuf> = confinement
            .map(|confinement| confinement.worker_writes(&invocation.folder))
            .into_iter()
            .flatten()
            .map(Path::to_owned)
            .collect();
        let mut watched = Watched {
            members,
            limits,
            folders: &folders,
            peak: 0,
        };
        self.note(|at_work| at_work.insert(pid));
        let ending = watched
            .until_end(&mut child, self.interrupted.clone())
            .await;
        *peak = watched.peak;
        // Whatever way it ended, nothing that it started goes on.
        if let Members::Tree(tree) = members
            && matches!(ending, Ending::Ended(_))
        {
            sandbox::end_tree(tree);
        }
        group.kill();
        let _ = child.wait().await;
        self.note(|at_work| at_work.remove(&pid));
        let mut ran_out = false;
        if confinement.is_some() {
            self.end_orphans();
            ran_out = sandbox::remove_group(pid);
        }
        // The pipe's end is seen when the last who could print is gone.
        tokio::task::spawn_blocking(move || printed.end(LAST_PRINTS))
            .await
            .ok();
        match ending {
            Ending::Exited(_) if ran_out => Err(limits.beyond_memory(None)),
            Ending::Exited(status) => answer_of(invocation, status, log),
            Ending::Ended(failure) => Err(failure),
        }
    }

    fn note(&self, change: impl FnOnce(&mut BTreeSet<u32>) -> bool) {
        if let Ok(mut at_work) = self.at_work.lock() {
            change(&mut at_work);
        }
    }

    /// What a guard left that was ended itself falls to this process.
    fn end_orphans(&self) {
        if let Ok(at_work) = self.at_work.lock() {
            sandbox::adopt_orphans(&at_work);
        }
    }
}

pub(super) fn interrupted() -> Failure {
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
    let answer = read_answer(&invocation.folder.join("answer.json"));
    match answer.as_deref().map(serde_json::from_slice) {
        Some(Ok(Answer::Failed(failure))) => Err(failure),
        Some(Ok(answer)) if status.success() => Ok(answer),
        _ => Err(Failure::new(
            kind_of_death(status),
            format!("{}{}", death(status), last_words(log)),
        )),
    }
}

/// An answer that is a file of a length that can be read: who leaves something else there leaves none.
fn read_answer(path: &Path) -> Option<Vec<u8>> {
    let found = fs::symlink_metadata(path).ok()?;
    (found.is_file() && found.len() <= MAX_ANSWER_BYTES)
        .then(|| fs::read(path).ok())
        .flatten()
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

/// Guards tell of a signal by a code, as shells do.
const SIGNAL_BASE: i32 = 128;

fn death(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let told = status.code().and_then(|code| code.checked_sub(SIGNAL_BASE));
    match (
        status.signal().or(told.filter(|signal| *signal > 0)),
        status.code(),
    ) {
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
    let text = end_of(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let cut = text.ceil_char_boundary(text.len().saturating_sub(LAST_WORDS_BYTES));
    format!("; it printed: {}", &text[cut..])
}

fn end_of(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(
        length.saturating_sub(2 * LAST_WORDS_BYTES as u64),
    ))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(end)
}
