//! Reading schemas and planning SQL, running nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use understudy_core::path_part::encode;
use understudy_core::run::Failure;
use understudy_core::schema::TableSchema;
use understudy_tables::{ParquetFile, TableSource, pin, table_schema};
use understudy_tasks::{DATA_FILE, SqlTask, TaskInput, plan_sql};

use super::super::protocol::{InspectJob, InspectTask, Inspected};
use super::{chain, machine_failure};

/// Planning needs little.
const MEMORY_BYTES: u64 = 256 << 20;

/// The schemas of the inputs and of the outputs of all SQL versions, each or why there is none.
pub(super) fn inspect(job: &InspectJob, temporary: &Path) -> Result<Inspected, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| machine_failure(format!("could not start its threads: {error}")))?;
    let mut inspected = Inspected::default();
    let mut readable: BTreeMap<String, TaskInput> = BTreeMap::new();
    for (name, source) in &job.datasets {
        let schema = source.schema().map_err(|error| chain(&error));
        inspected.datasets.insert(
            name.clone(),
            schema
                .as_ref()
                .map(|schema| table_schema(schema))
                .map_err(Clone::clone),
        );
        if let Ok(schema) = schema {
            readable.insert(
                name.clone(),
                TaskInput {
                    name: name.clone(),
                    source: source.clone(),
                    schema,
                },
            );
        }
    }
    for (task, versions) in &job.known {
        for (version, schema) in versions {
            note(&mut inspected, task, version, Ok(schema.clone()));
        }
        // Whatever version of a command was seen stands for what readers of the task see.
        if let Some(schema) = versions.values().next().and_then(arrow_schema) {
            readable.insert(task.clone(), without_rows(task, &schema, temporary)?);
        }
    }
    for task in &job.tasks {
        let Some(inputs) = inputs_of(task, &readable) else {
            continue;
        };
        let planned = runtime.block_on(plan_sql(&sql_task(job, task, temporary), &inputs));
        let planned = planned.map_err(|error| chain(&error));
        note(
            &mut inspected,
            &task.task,
            &task.version,
            planned.as_ref().map(table_schema).map_err(Clone::clone),
        );
        if let Ok(schema) = planned
            && task.live
        {
            readable.insert(
                task.task.clone(),
                without_rows(&task.task, &Arc::new(schema), temporary)?,
            );
        }
    }
    Ok(inspected)
}

fn note(inspected: &mut Inspected, task: &str, version: &str, schema: Result<TableSchema, String>) {
    inspected
        .outputs
        .entry(task.to_owned())
        .or_default()
        .insert(version.to_owned(), schema);
}

/// The inputs of a task; `None` where the columns of one are not known.
fn inputs_of(task: &InspectTask, readable: &BTreeMap<String, TaskInput>) -> Option<Vec<TaskInput>> {
    task.inputs
        .iter()
        .map(|name| readable.get(name).cloned())
        .collect()
}

fn sql_task(job: &InspectJob, task: &InspectTask, temporary: &Path) -> SqlTask {
    SqlTask {
        sql: task.sql.clone(),
        params: task.params.clone(),
        run_date: job.date,
        now_nanos: 0,
        threads: 1,
        memory_bytes: MEMORY_BYTES,
        temp_dir: temporary.to_owned(),
    }
}

/// A table that has columns and no rows: enough to plan on.
fn without_rows(name: &str, schema: &SchemaRef, temporary: &Path) -> Result<TaskInput, Failure> {
    let failed = |error: &dyn std::error::Error| {
        machine_failure(format!(
            "`{name}` could not be planned on: {}",
            chain(error)
        ))
    };
    let base = temporary.join("outputs").join(encode(name));
    fs::create_dir_all(&base).map_err(|error| failed(&error))?;
    let path = base.join(DATA_FILE);
    // The live version of a task may be planned after a remembered schema of it was laid out.
    if path.exists() {
        fs::remove_file(&path).map_err(|error| failed(&error))?;
    }
    ParquetFile::create(&path, schema)
        .and_then(ParquetFile::finish)
        .map_err(|error| failed(&error))?;
    let snapshot = pin(name, DATA_FILE, &base).map_err(|error| failed(&error))?;
    let source = TableSource {
        base,
        snapshot,
        types: BTreeMap::new(),
    };
    let schema = source.schema().map_err(|error| failed(&error))?;
    Ok(TaskInput {
        name: name.to_owned(),
        source,
        schema,
    })
}

/// The schema that remembered columns stand for; `None` where a type's text cannot be read back.
fn arrow_schema(schema: &TableSchema) -> Option<SchemaRef> {
    let field = |column: &understudy_core::schema::Column| {
        let data_type: DataType = column.data_type.parse().ok()?;
        Some(Field::new(&column.name, data_type, true))
    };
    let fields: Option<Vec<Field>> = schema.0.iter().map(field).collect();
    Some(Arc::new(Schema::new(fields?)))
}
