//! A task that is one SQL query.
//!
//! The query sees exactly the named inputs and nothing else: no other table, no file, no settings. As in SQL, names
//! without double quotes are read in lower case; an input or a column with capitals needs quotes.
//! `$run_date` is the run date, `$name` a parameter of the version; both are typed values, never text that becomes
//! SQL. `now()`, `current_date` and `current_time` are the pinned instant of the run, in UTC.

mod error;
mod session;
mod statement;
mod store;
mod table;
mod table_scan;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::execution::SessionState;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use understudy_core::run_date::RunDate;
use understudy_core::spec::Param;
use understudy_tables::{TableError, open_pinned};

pub use error::SqlError;

pub(crate) use session::functions as expression_functions;

use crate::output::{OutputFile, plain_schema};
use crate::{TaskError, TaskInput, TaskOutput};

/// Batches that wait to be written, at most.
const MAX_WAITING_BATCHES: usize = 4;

/// The rows of a batch when a broken file is searched for.
const SEARCHED_ROWS: usize = 8192;

/// One SQL query and all that it depends on beside its inputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SqlTask {
    /// The query.
    pub sql: String,
    /// What `$name` stands for, by name.
    pub params: BTreeMap<String, Param>,
    /// What `$run_date` stands for.
    pub run_date: RunDate,
    /// What `now()` gives: nanoseconds since the epoch.
    pub now_nanos: i64,
    /// In how many partitions it is computed; 1 makes it reproducible to the last bit.
    pub threads: usize,
    /// What its operators may hold in memory together, in bytes, before they spill to disk or fail.
    pub memory_bytes: u64,
    /// Where they spill to.
    pub temp_dir: PathBuf,
    /// How tables are joined.
    pub joins: Joins,
}

/// How the engine joins tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Joins {
    /// With the smaller one in memory: fast, and an error where it does not fit.
    #[default]
    InMemory,
    /// Sorted, which spills to disk.
    Sorted,
}

/// Plans the query against the inputs without running it; the schema that its output would have.
///
/// # Errors
/// A query that is not one SELECT, or is wrong for these inputs and parameters.
pub async fn plan_sql(task: &SqlTask, inputs: &[TaskInput]) -> Result<Schema, TaskError> {
    let (_, plan) = plan(task, inputs).await?;
    let schema = plain_schema(&plan.schema())?;
    Ok(schema.as_ref().clone())
}

/// Runs the query and writes `data.parquet` into the output folder, which is created where it is missing.
///
/// # Errors
/// Those of [`plan_sql`]; an input that cannot be read; too little memory or disk; an error while computing.
pub async fn run_sql(
    task: &SqlTask,
    inputs: &[TaskInput],
    output: &Path,
) -> Result<TaskOutput, TaskError> {
    let (state, plan) = plan(task, inputs).await?;
    let file = OutputFile::create(output, &plan.schema())?;
    let (sender, receiver) = mpsc::channel(MAX_WAITING_BATCHES);
    // Encoding blocks, and can go on while the next batch is computed.
    let writer = tokio::task::spawn_blocking(move || write(file, receiver));
    let computed = AssertUnwindSafe(compute(&state, plan, sender))
        .catch_unwind()
        .await;
    let computed = computed.unwrap_or_else(|panic| Err(SqlError::crashed(panic.as_ref())));
    let written = writer
        .await
        .map_err(|error| SqlError::Failed(error.to_string()))?;
    match computed {
        Ok(()) => written,
        Err(error) => Err(explained(error, inputs).await),
    }
}

/// Runs a query of ours and gives its result, which must be small: it is held whole.
///
/// # Errors
/// Those of [`run_sql`].
pub(crate) async fn query(
    task: &SqlTask,
    inputs: &[TaskInput],
) -> Result<Vec<RecordBatch>, TaskError> {
    let (state, plan) = plan(task, inputs).await?;
    let stream = execute_stream(plan, state.task_ctx()).map_err(SqlError::running)?;
    let batches: Vec<_> = stream.collect().await;
    let batches: Result<_, _> = batches.into_iter().collect();
    match batches {
        Ok(batches) => Ok(batches),
        Err(error) => Err(explained(SqlError::running(error), inputs).await),
    }
}

/// The engine does not say which file it could not decode, so the inputs are read once more to find it.
pub(crate) async fn explained(error: SqlError, inputs: &[TaskInput]) -> TaskError {
    if !matches!(error, SqlError::Unreadable(_) | SqlError::Crashed(_)) {
        return error.into();
    }
    let inputs = inputs.to_vec();
    let broken = tokio::task::spawn_blocking(move || inputs.iter().find_map(broken_file)).await;
    broken
        .ok()
        .flatten()
        .map_or_else(|| error.into(), TaskError::from)
}

fn broken_file(input: &TaskInput) -> Option<TableError> {
    let mut files = input.source.snapshot.files.iter();
    if let Some(changed) = files.find_map(|file| open_pinned(file, &input.source.base).err()) {
        return Some(changed);
    }
    match input.source.read(&input.schema, None, SEARCHED_ROWS) {
        Ok(mut batches) => batches.find_map(Result::err),
        Err(error) => Some(error),
    }
}

pub(crate) async fn plan(
    task: &SqlTask,
    inputs: &[TaskInput],
) -> Result<(SessionState, Arc<dyn ExecutionPlan>), TaskError> {
    let statement = statement::prepare(task, inputs)?;
    let state = session::state(task, inputs)?;
    let plan = session::plan(&state, statement).await?;
    Ok((state, plan))
}

/// Sends the result's batches; the channel closes when it ends, so a writer sees an error as an early end and the
/// caller must look here first.
async fn compute(
    state: &SessionState,
    plan: Arc<dyn ExecutionPlan>,
    sender: mpsc::Sender<RecordBatch>,
) -> Result<(), SqlError> {
    let mut batches = execute_stream(plan, state.task_ctx()).map_err(SqlError::running)?;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(SqlError::running)?;
        if sender.send(batch).await.is_err() {
            // The writer has failed, and says why.
            return Ok(());
        }
    }
    Ok(())
}

fn write(
    mut file: OutputFile,
    mut batches: mpsc::Receiver<RecordBatch>,
) -> Result<TaskOutput, TaskError> {
    while let Some(batch) = batches.blocking_recv() {
        file.write(&batch)?;
    }
    file.finish(None)
}

#[cfg(test)]
mod tests;
