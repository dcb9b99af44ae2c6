//! Executing one version.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use understudy_core::path_part::encode;
use understudy_core::run::{Failure, Usage};
use understudy_core::secret::Secrets;
use understudy_core::spec::{CommandInputs, Merge};
use understudy_sabotage::Sabotage;
use understudy_tables::table_schema;
use understudy_tasks::{
    CommandTask, Joins, MergeTask, Registry, RustTask, SqlError, SqlTask, Start, TaskError,
    TaskInput, TaskOutput, lay_out_input, missing_columns, run_command, run_merge, run_rust,
    run_sql, take_external,
};

use super::super::outfit::given_variables;
use super::super::protocol::{JobCode, JobInput, NodeResult, RESULT_FORMAT, TaskJob};
use super::slicing::{narrowed, narrowed_output};
use super::{chain, machine_failure, task_failure};

/// Runs the version and checks what it left.
pub(super) fn execute(
    job: &TaskJob,
    temporary: &Path,
    launcher: Option<Vec<OsString>>,
    registry: &Registry,
) -> Result<NodeResult, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads(job))
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| machine_failure(format!("could not start its threads: {error}")))?;
    let inputs: Vec<TaskInput> = job
        .inputs
        .iter()
        .map(|input| task_input(job, input, temporary))
        .collect::<Result<_, _>>()?;
    let mut notes = Vec::new();
    let output = match &job.code {
        JobCode::Sql { file, sql, threads } => runtime
            .block_on(run_sql(
                &engine(job, sql, *threads, temporary),
                &inputs,
                &job.output,
            ))
            .map_err(|error| failure(&format!("failed in `{file}`"), &error)),
        JobCode::Command {
            argv,
            inputs: wanted,
        } => {
            let start = start(&job.secret_names, launcher, temporary);
            runtime.block_on(command_output(
                job, &inputs, argv, *wanted, temporary, start,
            ))
        }
        JobCode::External => take_external(&inputs[0], &job.output)
            .map_err(|error| machine_failure(format!("could not be read: {}", chain(&error)))),
        JobCode::Merge { merge, threads } => runtime
            .block_on(run_merge(
                &merge_task(job, *merge, *threads, temporary),
                &inputs,
                &job.output,
            ))
            .map(|merged| {
                notes = merged.notes;
                merged.output
            })
            .map_err(|error| failure("failed", &error)),
        JobCode::Rust { name, threads } => {
            let task = rust_task(job, name, *threads);
            run_rust(
                &task,
                registry,
                &inputs,
                &job.output,
                &program_folder(temporary),
            )
            .map_err(|error| failure("failed", &error))
        }
    }?;
    let missing = missing_columns(&output.schema, &job.grain, job.customer.as_deref());
    if !missing.is_empty() {
        return Err(task_failure(lacks(&missing, &output)));
    }
    let output = own_rows(job, output, temporary, &mut notes)?;
    result(job, output, notes)
}

/// Of a slice's run, the rows of its customers: whatever the version made of the others is not published.
fn own_rows(
    job: &TaskJob,
    output: TaskOutput,
    temporary: &Path,
    notes: &mut Vec<String>,
) -> Result<TaskOutput, Failure> {
    let (Some(slice), Some(customer)) = (&job.slice, &job.customer) else {
        return Ok(output);
    };
    let (output, left_out) = narrowed_output(output, customer, &slice.members, temporary)?;
    if left_out > 0 {
        let name = &slice.name;
        notes.push(format!(
            "{left_out} rows of customers that are not in slice `{name}` were left out"
        ));
    }
    Ok(output)
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

fn failure(what: &str, error: &TaskError) -> Failure {
    match error {
        // What the version reads is broken, or what it writes to; the query is not.
        TaskError::Table(_) | TaskError::Io { .. } | TaskError::Sql(SqlError::Unreadable(_)) => {
            machine_failure(format!("failed: {}", chain(error)))
        }
        _ => task_failure(format!("{what}: {}", chain(error))),
    }
}

fn threads(job: &TaskJob) -> usize {
    match job.code {
        JobCode::Sql { threads, .. }
        | JobCode::Merge { threads, .. }
        | JobCode::Rust { threads, .. } => threads.max(1),
        JobCode::Command { .. } | JobCode::External => 1,
    }
}

fn task_input(job: &TaskJob, input: &JobInput, temporary: &Path) -> Result<TaskInput, Failure> {
    let source = match (&input.sliced_by, &job.slice) {
        (Some(column), Some(slice)) => {
            let folder = temporary.join("sliced").join(encode(&input.name));
            narrowed(&input.source, column, &slice.members, &folder)?.0
        }
        _ => input.source.clone(),
    };
    // An input that cannot be read is no fault of the version's.
    let schema = source.schema();
    let schema = schema.map_err(|error| {
        machine_failure(format!(
            "could not read its input `{}`: {}",
            input.name,
            chain(&error)
        ))
    })?;
    Ok(TaskInput {
        name: input.name.clone(),
        source,
        schema,
    })
}

fn engine(job: &TaskJob, sql: &str, threads: usize, temporary: &Path) -> SqlTask {
    SqlTask {
        sql: sql.to_owned(),
        params: job.params.clone(),
        run_date: job.date,
        now_nanos: job.now_nanos,
        threads,
        memory_bytes: job.memory_bytes,
        temp_dir: temporary.to_owned(),
        joins: Joins::InMemory,
    }
}

fn merge_task(job: &TaskJob, merge: Merge, threads: usize, temporary: &Path) -> MergeTask {
    MergeTask {
        merge,
        grain: job.grain.clone(),
        engine: SqlTask {
            params: BTreeMap::new(),
            joins: Joins::Sorted,
            ..engine(job, "", threads, temporary)
        },
    }
}

fn rust_task(job: &TaskJob, name: &str, threads: usize) -> RustTask {
    RustTask {
        name: name.to_owned(),
        params: job.params.clone(),
        run_date: job.date,
        now_nanos: job.now_nanos,
        threads,
        memory_bytes: job.memory_bytes,
    }
}

async fn command_output(
    job: &TaskJob,
    inputs: &[TaskInput],
    argv: &[String],
    wanted: CommandInputs,
    temporary: &Path,
    start: Start,
) -> Result<TaskOutput, Failure> {
    let input_dirs = input_dirs(inputs, wanted, temporary)?;
    let task = CommandTask {
        start,
        ..command_task(job, inputs, argv, input_dirs, temporary)
    };
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
        "version_name": job.version,
        "run_date": job.date,
        "slice": job.slice.as_ref().map(|slice| &slice.name),
        "customers": job.slice.as_ref().map(|slice| &slice.members),
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
        named_dirs: Vec::new(),
        output: job.output.clone(),
        temp_dir: program_folder(temporary),
        stdout,
        stderr,
        start: Start::default(),
    }
}

/// What a program is started with. Where it is confined, its home is a folder that it may write.
pub(super) fn start(
    secret_names: &[String],
    launcher: Option<Vec<OsString>>,
    temporary: &Path,
) -> Start {
    let mut variables = given_variables();
    let secrets = secret_names.iter();
    let secrets = secrets.filter_map(|name| Some((name.as_str(), variables.get(name)?.as_str())));
    let secrets = Secrets::new(secrets);
    if launcher.is_some() {
        let home = program_folder(temporary).display().to_string();
        variables.entry("HOME".to_owned()).or_insert(home);
    }
    Start {
        launcher: launcher.unwrap_or_default(),
        variables,
        secrets: if Sabotage::ShowSecrets.is_on() {
            Secrets::default()
        } else {
            secrets
        },
    }
}

/// Where a program's temporary files go.
pub(crate) fn program_folder(temporary: &Path) -> PathBuf {
    temporary.join("program")
}

fn result(job: &TaskJob, output: TaskOutput, notes: Vec<String>) -> Result<NodeResult, Failure> {
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
        notes,
        usage: Usage::default(),
        isolation: None,
    })
}
