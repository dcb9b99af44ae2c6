//! Reading schemas and planning SQL, running nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use understudy_core::path_part::encode;
use understudy_core::run::Failure;
use understudy_core::schema::TableSchema;
use understudy_core::spec::Param;
use understudy_tables::{ParquetFile, TableSource, pin, table_schema};
use understudy_tasks::{
    DATA_FILE, Joins, MergeTask, SqlTask, TaskError, TaskInput, merge_query, plan_sql,
};

use super::super::protocol::{InspectCode, InspectInput, InspectJob, InspectTask, Inspected};
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
    let mut readable = Readable::default();
    for (id, source) in &job.stored {
        let known = job.columns.get(id).and_then(arrow_schema);
        if let Some(schema) = known {
            let input = without_rows(&format!("stored {id}"), &schema, temporary)?;
            readable.stored.insert(id.clone(), input);
            continue;
        }
        let schema = source.schema().map_err(|error| chain(&error));
        let columns = schema.as_ref().map(|schema| table_schema(schema));
        let columns = columns.map_err(Clone::clone);
        if let Ok(columns) = &columns {
            inspected.stored.insert(id.clone(), columns.clone());
        }
        let name = source.snapshot.name.clone();
        inspected.datasets.insert(name.clone(), columns);
        if let Ok(schema) = schema {
            let source = source.clone();
            readable.stored.insert(
                id.clone(),
                TaskInput {
                    name,
                    source,
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
            let input = without_rows(task, &schema, temporary)?;
            readable.outputs.entry(task.clone()).or_insert(input);
        }
    }
    for external in &job.externals {
        let schema = external.source.schema().map_err(|error| chain(&error));
        let columns = schema.as_ref().map(|schema| table_schema(schema));
        note(
            &mut inspected,
            &external.task,
            &external.version,
            columns.map_err(Clone::clone),
        );
        if let (Ok(schema), true) = (schema, external.live) {
            let input = without_rows(&external.task, &schema, temporary)?;
            readable.outputs.insert(external.task.clone(), input);
        }
    }
    for task in &job.tasks {
        let Some(inputs) = inputs_of(task, &readable) else {
            continue;
        };
        let planned = runtime.block_on(planned(job, task, &inputs, temporary));
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
            let input = without_rows(&task.task, &Arc::new(schema), temporary)?;
            readable.outputs.insert(task.task.clone(), input);
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

/// The tables whose columns are known.
#[derive(Default)]
struct Readable {
    /// Stored data, by their ids.
    stored: BTreeMap<String, TaskInput>,
    /// Outputs, by task.
    outputs: BTreeMap<String, TaskInput>,
}

/// The inputs of a task; `None` where the columns of one are not known.
fn inputs_of(task: &InspectTask, readable: &Readable) -> Option<Vec<TaskInput>> {
    let input = |(name, from): &(String, InspectInput)| {
        let found = match from {
            InspectInput::Stored(id) => readable.stored.get(id),
            InspectInput::Task(task) => readable.outputs.get(task),
        };
        Some(TaskInput {
            name: name.clone(),
            ..found?.clone()
        })
    };
    task.inputs.iter().map(input).collect()
}

async fn planned(
    job: &InspectJob,
    task: &InspectTask,
    inputs: &[TaskInput],
    temporary: &Path,
) -> Result<Schema, TaskError> {
    let engine = |sql: &str, params| engine(job, sql, params, temporary);
    match &task.code {
        InspectCode::Sql(sql) => plan_sql(&engine(sql, task.params.clone()), inputs).await,
        InspectCode::Merge(merge) => {
            let merge = MergeTask {
                merge: *merge,
                grain: task.grain.clone(),
                engine: engine("", BTreeMap::new()),
            };
            plan_sql(&merge_query(&merge, inputs)?, inputs).await
        }
    }
}

fn engine(
    job: &InspectJob,
    sql: &str,
    params: BTreeMap<String, Param>,
    temporary: &Path,
) -> SqlTask {
    SqlTask {
        sql: sql.to_owned(),
        params,
        run_date: job.date,
        now_nanos: 0,
        threads: 1,
        memory_bytes: MEMORY_BYTES,
        temp_dir: temporary.to_owned(),
        joins: Joins::InMemory,
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
