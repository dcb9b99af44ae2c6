//! Starts a program and waits for it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::Signal;
use tokio::process::{Child, Command};

use super::environment::PREFIX;
use super::log_tail::last_lines;
use super::{CommandError, CommandTask};
use crate::TaskError;

/// Runs the program to its end; anything but exit code 0 is an error.
pub(super) async fn run(
    task: &CommandTask,
    variables: &BTreeMap<String, OsString>,
) -> Result<(), TaskError> {
    let program = task.argv.first().ok_or(CommandError::NoProgram)?;
    let mut child = start(task, program, variables)?;
    let waited = child.wait().await;
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
) -> Result<Child, TaskError> {
    if !task.working_dir.is_dir() {
        return Err(CommandError::NoFolder(task.working_dir.clone()).into());
    }
    let mut command = Command::new(place_of(program, &task.working_dir));
    command
        .args(&task.argv[1..])
        .current_dir(&task.working_dir)
        .stdin(Stdio::null())
        .stdout(log_file(&task.stdout)?)
        .stderr(log_file(&task.stderr)?)
        .kill_on_drop(true);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(PREFIX))
    {
        command.env_remove(name);
    }
    command.envs(variables);
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

fn log_file(path: &Path) -> Result<Stdio, TaskError> {
    let file = File::options().create(true).append(true).open(path);
    file.map(Stdio::from)
        .map_err(TaskError::io(path, "created"))
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
