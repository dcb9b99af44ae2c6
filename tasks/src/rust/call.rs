//! What a Rust task sees of its run.

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use understudy_core::run_date::RunDate;
use understudy_core::spec::Param;
use understudy_tables::Batches;

use super::{RustError, RustTask};
use crate::output::OutputFile;
use crate::{TaskError, TaskInput, TaskOutput};

/// The rows of a batch, at most.
const BATCH_ROWS: usize = 8192;

/// One call of a task: its date, its parameters, its inputs and its output.
#[derive(Debug)]
pub struct Call<'a> {
    task: &'a RustTask,
    inputs: &'a [TaskInput],
    folder: &'a Path,
    temp_dir: &'a Path,
    output: Option<OutputFile>,
}

/// One input of a call.
#[derive(Debug)]
pub struct InputTable<'a> {
    input: &'a TaskInput,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        task: &'a RustTask,
        inputs: &'a [TaskInput],
        folder: &'a Path,
        temp_dir: &'a Path,
    ) -> Self {
        Self {
            task,
            inputs,
            folder,
            temp_dir,
            output: None,
        }
    }

    /// The run date.
    #[must_use]
    pub fn run_date(&self) -> RunDate {
        self.task.run_date
    }

    /// The run's pinned instant: nanoseconds since 1970-01-01T00:00:00 UTC. A task that asks the clock itself gives
    /// other rows each time.
    #[must_use]
    pub fn now_nanos(&self) -> i64 {
        self.task.now_nanos
    }

    /// A parameter of the version.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.task.params.get(name)
    }

    /// How many threads it may use.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.task.threads
    }

    /// What it should hold in memory at most, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.task.memory_bytes
    }

    /// A folder of its own for temporary files; it is removed afterwards.
    #[must_use]
    pub fn temp_dir(&self) -> &Path {
        self.temp_dir
    }

    /// The input of that name.
    ///
    /// # Errors
    /// There is none; the text names those that there are.
    pub fn input(&self, name: &str) -> Result<InputTable<'a>, TaskError> {
        let found = self.inputs.iter().find(|input| input.name == name);
        let unknown = || RustError::NoInput {
            name: name.to_owned(),
            known: self
                .inputs
                .iter()
                .map(|input| input.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        };
        let input = found.ok_or_else(unknown)?;
        Ok(InputTable { input })
    }

    /// Says what columns the output has, before the first batch. Needed only where there may be no batch at all.
    ///
    /// # Errors
    /// The columns cannot be an output, or the output folder cannot be written.
    pub fn columns(&mut self, schema: &Schema) -> Result<(), TaskError> {
        if self.output.is_none() {
            self.output = Some(OutputFile::create(self.folder, schema)?);
        }
        Ok(())
    }

    /// Adds rows to the output. All batches have the columns of the first one.
    ///
    /// # Errors
    /// The batch has other columns, or the disk is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TaskError> {
        self.columns(&batch.schema())?;
        let file = self
            .output
            .as_mut()
            .expect("it was created in the line before");
        file.write(batch)
    }

    pub(super) fn finish(self) -> Result<TaskOutput, TaskError> {
        let nothing = || RustError::NoColumns {
            name: self.task.name.clone(),
        };
        self.output.ok_or_else(nothing)?.finish(None)
    }
}

impl InputTable<'_> {
    /// Its columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.input.schema)
    }

    /// Its rows in batches of some thousands, in the order of its files.
    ///
    /// # Errors
    /// A file that cannot be read; what is wrong within it comes as an item.
    pub fn batches(&self) -> Result<Batches, TaskError> {
        Ok(self
            .input
            .source
            .read(&self.input.schema, None, BATCH_ROWS)?)
    }
}
