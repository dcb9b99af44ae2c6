//! A task that is a program in any language.
//!
//! The program finds in its environment `UNDERSTUDY_CONTEXT` (a JSON file), `UNDERSTUDY_INPUT_<NAME>` (a folder for
//! each input) and `UNDERSTUDY_OUTPUT` (the folder that it writes its table into, as Parquet or CSV). It runs in the
//! pipeline's folder, without standard input; what it prints goes to the log files of the run.

mod environment;
mod error;
mod log_tail;
mod program;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use understudy_core::secret::Secrets;

pub use error::CommandError;

use crate::collect::collect;
use crate::{RAW_FOLDER, TaskError, TaskOutput};

/// One call of a program.
#[derive(Clone, Debug)]
pub struct CommandTask {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it runs: the pipeline's folder. A program named by a relative path is looked for from here.
    pub working_dir: PathBuf,
    /// What it finds in the file that `UNDERSTUDY_CONTEXT` names.
    pub context: serde_json::Value,
    /// The inputs' names, each with the folder that holds its files.
    pub input_dirs: Vec<(String, PathBuf)>,
    /// Further folders, each as `UNDERSTUDY_` and its name.
    pub named_dirs: Vec<(String, PathBuf)>,
    /// The task's output folder: the program writes into `raw` in it, and `data.parquet` is put beside that.
    pub output: PathBuf,
    /// A folder for the context and for the program's temporary files.
    pub temp_dir: PathBuf,
    /// The file that takes its standard output.
    pub stdout: PathBuf,
    /// The file that takes its standard error.
    pub stderr: PathBuf,
    /// What it is started with.
    pub start: Start,
}

/// What a program is started with, beside what every program gets.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// What it is started through, which takes the program and its arguments; nothing, where it is started by itself.
    pub launcher: Vec<OsString>,
    /// Variables that are added to those of this process.
    pub variables: BTreeMap<String, String>,
    /// What must not stand in its logs.
    pub secrets: Secrets,
}

/// Runs the program, waits for it and takes over what it wrote. If the returned future is dropped, the program is
/// killed; its own children are the business of whoever set up the process group.
///
/// # Errors
/// A program that is not found, fails, is killed, or leaves no readable table.
pub async fn run_command(task: &CommandTask) -> Result<TaskOutput, TaskError> {
    run_program(task).await?;
    let raw = task.output.join(RAW_FOLDER);
    let output = task.output.clone();
    let collected = tokio::task::spawn_blocking(move || collect(&raw, &output)).await;
    collected.map_err(|error| CommandError::Unread(error.to_string()))?
}

/// Runs the program and waits for it. What it wrote lies in `raw` of the output folder.
///
/// # Errors
/// A program that is not found, fails or is killed.
pub(crate) async fn run_program(task: &CommandTask) -> Result<(), TaskError> {
    let raw = task.output.join(RAW_FOLDER);
    for folder in [&raw, &task.temp_dir] {
        fs::create_dir_all(folder).map_err(TaskError::io(folder, "created"))?;
    }
    let variables = environment::variables(task, &raw)?;
    program::run(task, &variables).await
}

#[cfg(test)]
mod tests;
