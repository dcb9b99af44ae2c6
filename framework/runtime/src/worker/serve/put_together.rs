//! Putting two outputs together, row by row, by the customer's stage.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use understudy_core::customer::Customer;
use understudy_core::run::{Failure, FailureKind, Usage};
use understudy_core::world::Side;
use understudy_tables::{ParquetFile, TableSource, table_schema, value_at};
use understudy_tasks::DATA_FILE;
use xxhash_rust::xxh3::xxh3_128;

use super::super::protocol::{AssembleJob, NodeResult, RESULT_FORMAT};
use super::{chain, machine_failure, task_failure};

const BATCH_ROWS: usize = 8_192;

/// Writes the output that each customer's stage asks for, and checks its grain.
pub(super) fn put_together(job: &AssembleJob) -> Result<NodeResult, Failure> {
    let source = match job.assembly.schema {
        Side::Old => &job.old,
        Side::New => &job.new,
    };
    let schema = source
        .schema()
        .map_err(|error| machine_failure(chain(&error)))?;
    let path = job.output.join(DATA_FILE);
    let mut file =
        ParquetFile::create(&path, &schema).map_err(|error| machine_failure(chain(&error)))?;
    let mut grain = Grain::default();
    for side in job.assembly.sides() {
        let table = match side {
            Side::Old => &job.old,
            Side::New => &job.new,
        };
        take(job, table, side, &schema, &mut file, &mut grain)?;
    }
    let rows = file
        .finish()
        .map_err(|error| machine_failure(chain(&error)))?;
    if job.assembly.sides().count() > 1 {
        grain.check(&job.task)?;
    }
    result(job, &path, &schema, rows)
}

fn take(
    job: &AssembleJob,
    table: &TableSource,
    side: Side,
    schema: &SchemaRef,
    file: &mut ParquetFile,
    grain: &mut Grain,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| machine_failure(chain(error));
    let own = table.schema().map_err(|error| failed(&error))?;
    for batch in table
        .read(&own, None, BATCH_ROWS)
        .map_err(|error| failed(&error))?
    {
        let batch = batch.map_err(|error| failed(&error))?;
        let keep = keep(job, &batch, side)?;
        grain.note(&batch, &job.grain, side, &keep)?;
        let kept = filter_record_batch(&batch, &keep).map_err(|error| failed(&error))?;
        file.write(&conform(&kept, schema)?)
            .map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Which rows of a side are published.
fn keep(job: &AssembleJob, batch: &RecordBatch, side: Side) -> Result<BooleanArray, Failure> {
    let Some(column) = &job.customer else {
        let all = job.assembly.side(&Customer::Everybody) == side;
        return Ok(vec![all; batch.num_rows()].into());
    };
    let values = column_of(batch, column)?;
    let mut known: HashMap<Option<String>, bool> = HashMap::new();
    let keep = (0..batch.num_rows()).map(|row| {
        let value =
            value_at(values.as_ref(), row).map_err(|error| machine_failure(chain(&error)))?;
        let text = value.render();
        let decide = |text: &Option<String>| {
            let customer = text.clone().map_or(Customer::Null, Customer::Named);
            job.assembly.side(&customer) == side
        };
        Ok(*known.entry(text).or_insert_with_key(decide))
    });
    keep.collect::<Result<Vec<bool>, Failure>>()
        .map(BooleanArray::from)
}

fn column_of<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Failure> {
    batch
        .column_by_name(name)
        .ok_or_else(|| task_failure(format!("has no column `{name}`")))
}

/// The batch with the published columns, in their order and types.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Failure> {
    let columns: Result<Vec<ArrayRef>, Failure> = schema
        .fields()
        .iter()
        .map(|field| {
            let column = column_of(batch, field.name())?;
            cast(column, field.data_type())
                .map_err(|error| task_failure(format!("column `{}`: {error}", field.name())))
        })
        .collect();
    RecordBatch::try_new(schema.clone(), columns?).map_err(|error| task_failure(error.to_string()))
}

/// How often each key stands on each side and in what is published. Keys are held as 128-bit digests.
#[derive(Debug, Default)]
struct Grain {
    counts: HashMap<u128, KeyCounts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct KeyCounts {
    old: u32,
    new: u32,
    published: u32,
}

impl Grain {
    fn note(
        &mut self,
        batch: &RecordBatch,
        key: &[String],
        side: Side,
        keep: &BooleanArray,
    ) -> Result<(), Failure> {
        let columns: Vec<ArrayRef> = key
            .iter()
            .map(|name| column_of(batch, name).cloned())
            .collect::<Result<_, _>>()?;
        let fields = columns
            .iter()
            .map(|column| SortField::new(column.data_type().clone()))
            .collect();
        let converter =
            RowConverter::new(fields).map_err(|error| task_failure(error.to_string()))?;
        let rows = converter
            .convert_columns(&columns)
            .map_err(|error| task_failure(error.to_string()))?;
        for (row, kept) in rows.iter().zip(keep.values().iter()) {
            let counts = self.counts.entry(xxh3_128(row.as_ref())).or_default();
            match side {
                Side::Old => counts.old += 1,
                Side::New => counts.new += 1,
            }
            counts.published += u32::from(kept);
        }
        Ok(())
    }

    /// A row that moved between customers could be published twice, or never.
    fn check(&self, task: &str) -> Result<(), Failure> {
        let twice = self
            .counts
            .values()
            .filter(|counts| counts.published > counts.old.max(counts.new))
            .count();
        let never = self
            .counts
            .values()
            .filter(|counts| counts.old > 0 && counts.new > 0 && counts.published == 0)
            .count();
        if twice == 0 && never == 0 {
            return Ok(());
        }
        let message = format!(
            "putting `{task}` together would publish {twice} rows twice and lose {never}, because rows moved between customers"
        );
        Err(Failure::new(FailureKind::Grain, message))
    }
}

fn result(
    job: &AssembleJob,
    path: &Path,
    schema: &SchemaRef,
    rows: u64,
) -> Result<NodeResult, Failure> {
    let bytes = fs::metadata(path)
        .map_err(|error| machine_failure(error.to_string()))?
        .len();
    Ok(NodeResult {
        version: RESULT_FORMAT,
        key: job.key.clone(),
        rows,
        bytes,
        schema: table_schema(schema),
        raw: None,
        notes: Vec::new(),
        isolation: None,
        usage: Usage::default(),
    })
}
