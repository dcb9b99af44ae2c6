//! A task that puts its inputs together: their rows by the names of columns, or their columns by the grain.
//!
//! The work is the SQL engine's; this module writes the queries. What not every input has is counted before anything
//! is written, so that it can be said, and so that a key that stands twice in an input cannot multiply rows.

mod columns;
mod error;
mod queries;

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use serde::{Deserialize, Serialize};
use understudy_core::spec::{Merge, MergeHow, Missing};

pub use error::MergeError;

use crate::sql::{SqlTask, query, run_sql};
use crate::{TaskError, TaskInput, TaskOutput};

/// A merge and all that it depends on beside its inputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MergeTask {
    /// What is put together, and what becomes of what is missing.
    pub merge: Merge,
    /// The columns that identify a row.
    pub grain: Vec<String>,
    /// How the engine works; its query is not looked at.
    pub engine: SqlTask,
}

/// What a merge made, and what it met on the way.
#[derive(Debug)]
pub struct Merged {
    /// The output.
    pub output: TaskOutput,
    /// What not every input had, a sentence each.
    pub notes: Vec<String>,
}

/// Merges the inputs and writes `data.parquet` into the output folder.
///
/// # Errors
/// Inputs whose columns do not go together, a key that stands twice in an input of a join, something missing where
/// that is to fail, and whatever the engine says.
pub async fn run_merge(
    task: &MergeTask,
    inputs: &[TaskInput],
    output: &Path,
) -> Result<Merged, TaskError> {
    let (sql, notes) = match task.merge.how {
        MergeHow::Union => union(task, inputs)?,
        MergeHow::Join => join(task, inputs).await?,
    };
    let output = run_sql(&with_query(task, sql), inputs, output).await?;
    Ok(Merged { output, notes })
}

/// The query of a merge, as far as it can be written without reading a row.
///
/// # Errors
/// Inputs whose columns do not go together.
pub fn merge_query(task: &MergeTask, inputs: &[TaskInput]) -> Result<SqlTask, TaskError> {
    let sql = match task.merge.how {
        MergeHow::Union => union(task, inputs)?.0,
        MergeHow::Join => {
            queries::join(&columns::of_join(inputs, &task.grain)?, task.merge.missing)
        }
    };
    Ok(with_query(task, sql))
}

fn with_query(task: &MergeTask, sql: String) -> SqlTask {
    SqlTask {
        sql,
        ..task.engine.clone()
    }
}

fn union(task: &MergeTask, inputs: &[TaskInput]) -> Result<(String, Vec<String>), MergeError> {
    let columns = columns::of_union(inputs)?;
    let mut notes = Vec::new();
    for column in columns.iter().filter(|column| !column.lacking.is_empty()) {
        let lacking = column.lacking.join("`, `");
        let outcome = match task.merge.missing {
            Missing::Keep => "NULL there",
            Missing::Drop => "left out",
            Missing::Fail => {
                return Err(MergeError::ColumnMissing {
                    column: column.name.clone(),
                    input: lacking,
                });
            }
        };
        notes.push(format!(
            "column `{}` is not in `{lacking}`: {outcome}",
            column.name
        ));
    }
    let kept: Vec<_> = columns
        .into_iter()
        .filter(|column| column.lacking.is_empty() || task.merge.missing == Missing::Keep)
        .collect();
    Ok((queries::union(inputs, &kept), notes))
}

async fn join(task: &MergeTask, inputs: &[TaskInput]) -> Result<(String, Vec<String>), TaskError> {
    let columns = columns::of_join(inputs, &task.grain)?;
    let census = query(&with_query(task, queries::census(&columns)), inputs).await?;
    let mut notes = Vec::new();
    for (position, input) in inputs.iter().enumerate() {
        let [twice, missing] = counts(&census, position);
        if twice > 0 {
            let (input, grain) = (input.name.clone(), task.grain.join(", "));
            return Err(MergeError::KeysTwice {
                input,
                keys: twice,
                grain,
            }
            .into());
        }
        if missing > 0 {
            notes.push(note(task.merge.missing, &input.name, missing)?);
        }
    }
    Ok((queries::join(&columns, task.merge.missing), notes))
}

fn note(missing: Missing, input: &str, rows: i64) -> Result<String, MergeError> {
    let plural = if rows == 1 { "row" } else { "rows" };
    match missing {
        Missing::Keep => Ok(format!("{rows} {plural} not in `{input}`: NULL there")),
        Missing::Drop => Ok(format!("{rows} {plural} not in `{input}`: left out")),
        Missing::Fail => Err(MergeError::RowsMissing {
            input: input.to_owned(),
            rows,
        }),
    }
}

/// How many keys stand more than once in an input, and how many of all keys it lacks.
fn counts(census: &[RecordBatch], input: usize) -> [i64; 2] {
    [2 * input, 2 * input + 1].map(|column| {
        let values = census
            .iter()
            .filter(|batch| batch.num_rows() > 0)
            .map(|batch| batch.column(column).as_primitive::<Int64Type>().value(0));
        values.sum()
    })
}

#[cfg(test)]
mod tests;
