//! Reading schemas and planning SQL, running nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use understudy_core::run::Failure;
use understudy_core::schema::TableSchema;
use understudy_core::snapshot::{DatasetSnapshot, FileFormat};
use understudy_tables::{TableSource, table_schema};
use understudy_tasks::{SqlTask, TaskInput, plan_sql};

use super::super::protocol::{InspectJob, InspectTask, Inspected};
use super::{chain, machine_failure};

/// Planning needs little.
const MEMORY_BYTES: u64 = 256 << 20;

/// The schemas of the inputs and of the outputs of all SQL versions, each or why there is none.
pub(super) fn inspect(job: &InspectJob, temporary: &Path) -> Result<Inspected, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| machine_failure(format!("could not start its threads: {error}")))?;
    let mut inspected = Inspected::default();
    let mut readable: BTreeMap<String, TaskInput> = BTreeMap::new();
    for (name, source) in &job.datasets {
        let schema = source.schema().map_err(|error| chain(&error));
        inspected.datasets.insert(name.clone(), schema.as_ref().map(|schema| table_schema(schema)).map_err(Clone::clone));
        if let Ok(schema) = schema {
            readable.insert(name.clone(), TaskInput { name: name.clone(), source: source.clone(), schema });
        }
    }
    for (task, versions) in &job.known {
        for (version, schema) in versions {
            note(&mut inspected, task, version, Ok(schema.clone()));
        }
        // Every known version of a command may be what readers see; the live one comes with its own flag below.
        if let Some(schema) = versions.values().next().and_then(arrow_schema) {
            readable.insert(task.clone(), without_rows(task, schema));
        }
    }
    for task in &job.tasks {
        let Some(inputs) = inputs_of(task, &readable) else { continue };
        let planned = runtime.block_on(plan_sql(&sql_task(job, task, temporary), &inputs));
        let planned = planned.map_err(|error| chain(&error));
        note(&mut inspected, &task.task, &task.version, planned.as_ref().map(table_schema).map_err(Clone::clone));
        if let Ok(schema) = planned
            && task.live
        {
            readable.insert(task.task.clone(), without_rows(&task.task, Arc::new(schema)));
        }
    }
    Ok(inspected)
}

fn note(inspected: &mut Inspected, task: &str, version: &str, schema: Result<TableSchema, String>) {
    inspected.outputs.entry(task.to_owned()).or_default().insert(version.to_owned(), schema);
}

/// The inputs of a task; `None` where the columns of one are not known.
fn inputs_of(task: &InspectTask, readable: &BTreeMap<String, TaskInput>) -> Option<Vec<TaskInput>> {
    task.inputs.iter().map(|name| readable.get(name).cloned()).collect()
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

/// A table that has columns and no files: enough to plan on.
fn without_rows(name: &str, schema: SchemaRef) -> TaskInput {
    let snapshot = DatasetSnapshot {
        name: name.to_owned(),
        location: String::new(),
        format: FileFormat::Parquet,
        files: Vec::new(),
    };
    let source = TableSource { base: "/".into(), snapshot, types: BTreeMap::new() };
    TaskInput { name: name.to_owned(), source, schema }
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
