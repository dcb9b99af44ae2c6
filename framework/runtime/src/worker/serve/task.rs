//! Executing one version.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use understudy_core::path_part::encode;
use understudy_core::run::{Failure, Usage};
use understudy_core::spec::CommandInputs;
use understudy_tables::table_schema;
use understudy_tasks::{
    CommandTask, SqlError, SqlTask, TaskError, TaskInput, TaskOutput, lay_out_input,
    missing_columns, run_command, run_sql,
};

use super::super::protocol::{JobCode, JobInput, NodeResult, RESULT_FORMAT, TaskJob};
use super::{chain, machine_failure, task_failure};

/// Runs the version and checks what it left.
pub(super) fn execute(job: &TaskJob, temporary: &Path) -> Result<NodeResult, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads(job))
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| machine_failure(format!("could not start its threads: {error}")))?;
    let inputs: Vec<TaskInput> = job
        .inputs
        .iter()
        .map(task_input)
        .collect::<Result<_, _>>()?;
    let output = match &job.code {
        JobCode::Sql { file, sql, threads } => runtime
            .block_on(sql_output(job, &inputs, sql, *threads, temporary))
            .map_err(|error| sql_failure(file, &error)),
        JobCode::Command {
            argv,
            inputs: wanted,
        } => runtime.block_on(command_output(job, &inputs, argv, *wanted, temporary)),
    }?;
    let missing = missing_columns(&output.schema, &job.grain, job.customer.as_deref());
    if !missing.is_empty() {
        return Err(task_failure(lacks(&missing, &output)));
    }
    result(job, output)
}

fn lacks(missing: &[String], output: &TaskOutput) -> String {
    let names = |names: Vec<&str>| {
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let missing = names(missing.iter().map(String::as_str).collect());
    let there = names(
        output
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect(),
    );
    format!("left an output without the column {missing} of its grain or customer; it has {there}")
}

fn sql_failure(file: &str, error: &TaskError) -> Failure {
    match error {
        // What the version reads is broken, or what it writes to; the query is not.
        TaskError::Table(_) | TaskError::Io { .. } | TaskError::Sql(SqlError::Unreadable(_)) => {
            machine_failure(format!("failed: {}", chain(error)))
        }
        _ => task_failure(format!("failed in `{file}`: {}", chain(error))),
    }
}

fn threads(job: &TaskJob) -> usize {
    match job.code {
        JobCode::Sql { threads, .. } => threads.max(1),
        JobCode::Command { .. } => 1,
    }
}

fn task_input(input: &JobInput) -> Result<TaskInput, Failure> {
    // An input that cannot be read is no fault of the version's.
    let schema = input.source.schema();
    let schema = schema.map_err(|error| {
        machine_failure(format!(
            "could not read its input `{}`: {}",
            input.name,
            chain(&error)
        ))
    })?;
    Ok(TaskInput {
        name: input.name.clone(),
        source: input.source.clone(),
        schema,
    })
}

async fn sql_output(
    job: &TaskJob,
    inputs: &[TaskInput],
    sql: &str,
    threads: usize,
    temporary: &Path,
) -> Result<TaskOutput, TaskError> {
    let task = SqlTask {
        sql: sql.to_owned(),
        params: job.params.clone(),
        run_date: job.date,
        now_nanos: job.now_nanos,
        threads,
        memory_bytes: job.memory_bytes,
        temp_dir: temporary.to_owned(),
    };
    run_sql(&task, inputs, &job.output).await
}

async fn command_output(
    job: &TaskJob,
    inputs: &[TaskInput],
    argv: &[String],
    wanted: CommandInputs,
    temporary: &Path,
) -> Result<TaskOutput, Failure> {
    let input_dirs = input_dirs(inputs, wanted, temporary)?;
    let task = command_task(job, inputs, argv, input_dirs, temporary);
    run_command(&task)
        .await
        .map_err(|error| task_failure(format!("failed: {}", chain(&error))))
}

/// Lays out each input as the program wants it.
fn input_dirs(
    inputs: &[TaskInput],
    wanted: CommandInputs,
    temporary: &Path,
) -> Result<Vec<(String, PathBuf)>, Failure> {
    let lay_out = |input: &TaskInput| {
        let folder = temporary.join("inputs").join(encode(&input.name));
        lay_out_input(input, wanted, &folder).map_err(|error| {
            machine_failure(format!(
                "could not be given its input `{}`: {}",
                input.name,
                chain(&error)
            ))
        })?;
        Ok((input.name.clone(), folder))
    };
    inputs.iter().map(lay_out).collect()
}

/// What a program is told, as JSON: everything.
fn context(job: &TaskJob, inputs: &[TaskInput]) -> Value {
    let files = |input: &TaskInput| -> Vec<Value> {
        let file = |file: &understudy_core::snapshot::PinnedFile| {
            let path = input.source.base.join(&file.path);
            json!({ "url": format!("file://{}", path.display()), "path": path, "bytes": file.bytes })
        };
        input.source.snapshot.files.iter().map(file).collect()
    };
    let inputs: serde_json::Map<String, Value> = inputs
        .iter()
        .map(|input| (input.name.clone(), json!({ "files": files(input) })))
        .collect();
    json!({
        "version": 1,
        "task": job.task,
        "run_date": job.date,
        "now_nanos": job.now_nanos,
        "params": job.params,
        "inputs": inputs,
    })
}

fn command_task(
    job: &TaskJob,
    inputs: &[TaskInput],
    argv: &[String],
    input_dirs: Vec<(String, PathBuf)>,
    temporary: &Path,
) -> CommandTask {
    let [stdout, stderr] = job.logs.clone();
    CommandTask {
        argv: argv.to_vec(),
        working_dir: job.pipeline_folder.clone(),
        context: context(job, inputs),
        input_dirs,
        output: job.output.clone(),
        temp_dir: temporary.join("program"),
        stdout,
        stderr,
    }
}

fn result(job: &TaskJob, output: TaskOutput) -> Result<NodeResult, Failure> {
    let bytes = fs::metadata(&output.parquet)
        .map_err(|error| machine_failure(format!("lost its output: {error}")))?
        .len();
    Ok(NodeResult {
        version: RESULT_FORMAT,
        key: job.key.clone(),
        rows: output.rows,
        bytes,
        schema: table_schema(&output.schema),
        raw: output.raw,
        alerts: Vec::new(),
        usage: Usage::default(),
    })
}
