//! A program in any language, which finds both tables as folders of Parquet, and writes a table of what it found.
//!
//! It has in its environment `UNDERSTUDY_CONTEXT` (a JSON file), `UNDERSTUDY_OLD` and `UNDERSTUDY_NEW` (the folders), and
//! `UNDERSTUDY_OUTPUT` (the folder that it writes into, as Parquet, CSV, JSON lines or Arrow). A table without rows, or a
//! file of no bytes, says that nothing was found. No file at all says nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use understudy_comparators::{CheckError, Comparator, Found, Side, Sides};
use understudy_core::spec::CommandInputs;
use understudy_tables::TableSource;

use super::rows::hand_on;
use super::{failed, inputs};
use crate::collect::own_table;
use crate::command::run_program;
use crate::{CommandTask, RAW_FOLDER, Start, TaskError, lay_out_input};

/// The rows of a batch of findings.
const BATCH_ROWS: usize = 8_192;
/// The endings of files that may have no bytes: those of text.
const TEXT_ENDINGS: [&str; 3] = ["csv", "jsonl", "json"];

/// A program, and where it runs.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it runs: the pipeline's folder.
    pub working_dir: PathBuf,
    /// What its context says beside what every one's does, as JSON: the change, the task and so on.
    pub about: serde_json::Map<String, serde_json::Value>,
    /// The folder that takes what it writes, in `raw`.
    pub output: PathBuf,
    /// A folder for its temporary files, which it may write.
    pub temp_dir: PathBuf,
    /// The file that takes its standard output.
    pub stdout: PathBuf,
    /// The file that takes its standard error.
    pub stderr: PathBuf,
    /// What it is started with.
    pub start: Start,
}

/// Runs a program.
#[derive(Clone, Debug)]
pub struct CommandComparator {
    program: Program,
}

impl CommandComparator {
    /// One that runs this program. Each comparison takes a folder of its own for what the program writes: one that has
    /// files of another is refused.
    #[must_use]
    pub fn new(program: Program) -> Self {
        Self { program }
    }

    fn task(&self, sides: &Sides<'_>, folders: Vec<(String, PathBuf)>) -> CommandTask {
        let program = &self.program;
        let mut context = program.about.clone();
        let more = json!({
            "version": 1,
            "run_date": sides.run_date(),
            "now_nanos": sides.now_nanos(),
            "key": sides.key(),
            "customer": sides.customer(),
            "old": { "folder": folders[0].1, "files": sides.source(Side::Old).paths() },
            "new": { "folder": folders[1].1, "files": sides.source(Side::New).paths() },
        });
        if let serde_json::Value::Object(more) = more {
            context.extend(more);
        }
        CommandTask {
            argv: program.argv.clone(),
            working_dir: program.working_dir.clone(),
            context: context.into(),
            input_dirs: Vec::new(),
            named_dirs: folders,
            output: program.output.clone(),
            temp_dir: program.temp_dir.clone(),
            stdout: program.stdout.clone(),
            stderr: program.stderr.clone(),
            start: program.start.clone(),
        }
    }
}

impl Comparator for CommandComparator {
    fn compare(&self, sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
        let rows = sides.all_rows()?;
        let raw = self.program.output.join(RAW_FOLDER);
        require_empty(&raw)?;
        let mut folders = Vec::new();
        for input in inputs(sides) {
            let folder = sides.temp_dir().join("inputs").join(&input.name);
            let _ = fs::remove_dir_all(&folder);
            lay_out_input(&input, CommandInputs::Parquet, &folder).map_err(failed)?;
            folders.push((input.name.to_uppercase(), folder));
        }
        let task = self.task(sides, folders);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(run_program(&task)).map_err(failed)?;
        if says_nothing_found(&raw)? {
            return Ok(rows);
        }
        let table = own_table(&raw).map_err(failed)?;
        read(&table, sides.customer(), found)?;
        Ok(rows)
    }
}

fn require_empty(raw: &Path) -> Result<(), CheckError> {
    match fs::read_dir(raw).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(CheckError::other("its folder has findings already")),
        _ => Ok(()),
    }
}

/// Whether there is a file, and all are empty texts. Nothing can be read from those, and nothing needs to be.
fn says_nothing_found(raw: &Path) -> Result<bool, CheckError> {
    let mut count = 0;
    for entry in fs::read_dir(raw)? {
        let entry = entry?;
        let found = fs::symlink_metadata(entry.path())?;
        let path = entry.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_text = ending.is_some_and(|ending| TEXT_ENDINGS.contains(&ending));
        if !found.is_file() || found.len() > 0 || !is_text {
            return Ok(false);
        }
        count += 1;
    }
    Ok(count > 0)
}

fn read(
    table: &TableSource,
    customer: Option<&str>,
    found: &mut dyn Found,
) -> Result<(), CheckError> {
    let schema = table.schema()?;
    for batch in table.read(&schema, None, BATCH_ROWS)? {
        hand_on(&batch?, customer, found)?;
    }
    let require = understudy_tables::require_own(&table.snapshot, &table.base);
    require.map_err(|error| failed(TaskError::from(crate::OutputError::NotOwn(error))))
}
