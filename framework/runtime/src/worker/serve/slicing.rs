//! The rows of a slice's customers.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use understudy_core::customer::Customer;
use understudy_core::run::Failure;
use understudy_core::slice::Members;
use understudy_tables::{ParquetFile, TableSource, pin, value_at};
use understudy_tasks::{DATA_FILE, TaskOutput};

use super::{chain, machine_failure, task_failure};

const BATCH_ROWS: usize = 8_192;

/// A table with the rows of some customers only, in a folder of its own, and how many rows were left out.
pub(super) fn narrowed(
    source: &TableSource,
    column: &str,
    members: &Members,
    folder: &Path,
) -> Result<(TableSource, u64), Failure> {
    let failed = |error: &dyn std::error::Error| machine_failure(chain(error));
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let schema = source.schema().map_err(|error| failed(&error))?;
    let path = folder.join(DATA_FILE);
    let mut file = ParquetFile::create(&path, &schema).map_err(|error| failed(&error))?;
    let (mut all, mut known) = (0, HashMap::new());
    for batch in source
        .read(&schema, None, BATCH_ROWS)
        .map_err(|error| failed(&error))?
    {
        let batch = batch.map_err(|error| failed(&error))?;
        let keep = keep(&batch, column, members, &mut known)?;
        let kept = filter_record_batch(&batch, &keep).map_err(|error| failed(&error))?;
        all += batch.num_rows() as u64;
        file.write(&kept).map_err(|error| failed(&error))?;
    }
    let kept = file.finish().map_err(|error| failed(&error))?;
    let snapshot = pin(&source.snapshot.name, DATA_FILE, folder).map_err(|error| failed(&error))?;
    let source = TableSource {
        base: folder.to_owned(),
        snapshot,
        types: BTreeMap::new(),
    };
    Ok((source, all - kept))
}

/// An output without the rows of other customers, and how many they were.
pub(super) fn narrowed_output(
    output: TaskOutput,
    column: &str,
    members: &Members,
    temporary: &Path,
) -> Result<(TaskOutput, u64), Failure> {
    let failed = |error: &dyn std::error::Error| machine_failure(chain(error));
    let base = output.parquet.parent().unwrap_or(Path::new(".")).to_owned();
    let source = TableSource {
        snapshot: pin("output", DATA_FILE, &base).map_err(|error| failed(&error))?,
        base,
        types: BTreeMap::new(),
    };
    let (narrowed, left_out) =
        narrowed(&source, column, members, &temporary.join("sliced-output"))?;
    if left_out == 0 {
        return Ok((output, 0));
    }
    let from = narrowed.base.join(DATA_FILE);
    fs::copy(&from, &output.parquet).map_err(|error| failed(&error))?;
    let output = TaskOutput {
        rows: output.rows - left_out,
        // It holds the other customers' rows as well.
        raw: None,
        ..output
    };
    Ok((output, left_out))
}

fn keep(
    batch: &RecordBatch,
    column: &str,
    members: &Members,
    known: &mut HashMap<Option<String>, bool>,
) -> Result<BooleanArray, Failure> {
    let values = batch.column_by_name(column).ok_or_else(|| {
        task_failure(format!(
            "has no column `{column}`, which says whose row it is"
        ))
    })?;
    let keep = (0..batch.num_rows()).map(|row| {
        let value =
            value_at(values.as_ref(), row).map_err(|error| machine_failure(chain(&error)))?;
        let decide = |text: &Option<String>| {
            members.has(&text.clone().map_or(Customer::Null, Customer::Named))
        };
        Ok(*known.entry(value.render()).or_insert_with_key(decide))
    });
    keep.collect::<Result<Vec<bool>, Failure>>()
        .map(BooleanArray::from)
}
