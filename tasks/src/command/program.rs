//! Starts a program and waits for it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, PipeWriter};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::{Child, Command};

use super::environment::PREFIX;
use super::log_tail::last_lines;
use super::{CommandError, CommandTask};
use crate::{KeptLog, TaskError};

/// How long the rest of what a program printed is waited for when it has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the program to its end; anything but exit code 0 is an error.
pub(super) async fn run(
    task: &CommandTask,
    variables: &BTreeMap<String, OsString>,
) -> Result<(), TaskError> {
    let program = task.argv.first().ok_or(CommandError::NoProgram)?;
    let (stdout, stderr) = (log(task, &task.stdout)?, log(task, &task.stderr)?);
    let mut child = start(task, program, variables, [stdout.1, stderr.1])?;
    let waited = child.wait().await;
    stdout.0.end(LAST_WORDS);
    stderr.0.end(LAST_WORDS);
    let status = waited.map_err(|source| CommandError::NotWaited {
        program: program.clone(),
        source,
    })?;
    Ok(require_success(program, status, &task.stderr)?)
}

fn start(
    task: &CommandTask,
    program: &str,
    variables: &BTreeMap<String, OsString>,
    [stdout, stderr]: [PipeWriter; 2],
) -> Result<Child, TaskError> {
    if !task.working_dir.is_dir() {
        return Err(CommandError::NoFolder(task.working_dir.clone()).into());
    }
    let mut command = command_of(task, program)?;
    command
        .args(&task.argv[1..])
        .current_dir(&task.working_dir)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .kill_on_drop(true);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(PREFIX))
    {
        command.env_remove(name);
    }
    command.envs(&task.start.variables).envs(variables);
    Ok(command
        .spawn()
        .map_err(|source| not_started(program, &task.working_dir, source))?)
}

/// A bare name is searched for in `PATH`; a path is taken from the working folder, not from wherever the framework
/// happens to run.
fn place_of(program: &str, working_dir: &Path) -> PathBuf {
    if program.contains('/') {
        working_dir.join(program)
    } else {
        PathBuf::from(program)
    }
}

/// The program, or what it is started through: then it has to be there, as a launcher could not say that it is not.
fn command_of(task: &CommandTask, program: &str) -> Result<Command, TaskError> {
    let place = place_of(program, &task.working_dir);
    let Some((launcher, arguments)) = task.start.launcher.split_first() else {
        return Ok(Command::new(place));
    };
    if !is_there(task, program, &place) {
        let gone = io::Error::from(io::ErrorKind::NotFound);
        return Err(not_started(program, &task.working_dir, gone).into());
    }
    let mut command = Command::new(launcher);
    command.args(arguments).arg(place);
    Ok(command)
}

fn is_there(task: &CommandTask, program: &str, place: &Path) -> bool {
    if program.contains('/') {
        return place.is_file();
    }
    let own = task.start.variables.get("PATH").map(OsString::from);
    let path = own.or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn log(task: &CommandTask, path: &Path) -> Result<(KeptLog, PipeWriter), TaskError> {
    KeptLog::begin(path, task.start.secrets.clone()).map_err(TaskError::io(path, "created"))
}

fn not_started(program: &str, working_dir: &Path, source: io::Error) -> CommandError {
    let program = program.to_owned();
    if source.kind() != io::ErrorKind::NotFound {
        return CommandError::NotStarted { program, source };
    }
    let searched = if !program.contains('/') {
        "it is in no folder of `PATH`".to_owned()
    } else if place_of(&program, working_dir).exists() {
        "the file is there, but the interpreter that its first line names is not".to_owned()
    } else {
        format!("it was looked for from `{}`", working_dir.display())
    };
    CommandError::NotFound { program, searched }
}

fn require_success(program: &str, status: ExitStatus, stderr: &Path) -> Result<(), CommandError> {
    if status.success() {
        return Ok(());
    }
    let (program, stderr) = (program.to_owned(), last_lines(stderr));
    Err(match status.code() {
        Some(code) => CommandError::Exit {
            program,
            code,
            stderr,
        },
        None => CommandError::Killed {
            program,
            signal: signal_name(status),
            stderr,
        },
    })
}

fn signal_name(status: ExitStatus) -> String {
    let number = status.signal().unwrap_or_default();
    Signal::try_from(number).map_or_else(
        |_| format!("signal {number}"),
        |signal| signal.as_str().to_owned(),
    )
}
