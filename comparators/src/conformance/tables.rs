//! Tables of a question, as files in a folder of their own.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray, UInt64Array,
    new_null_array,
};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema};
use tempfile::TempDir;
use understudy_core::customer::Customer;
use understudy_core::run_date::RunDate;
use understudy_tables::{ParquetFile, TableSource, pin};

use super::{Answer, Sample};
use crate::comparator::{CheckError, Comparator, Sides, SidesRequest};
use crate::customers::customer_at;

/// What a comparator may hold in memory here.
const MEMORY_BYTES: u64 = 64 << 20;

/// Both tables, each in the files that it is cut into.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) old: Vec<RecordBatch>,
    pub(super) new: Vec<RecordBatch>,
    key: Vec<String>,
    customer: Option<String>,
}

impl Tables {
    pub(super) fn of(sample: &Sample) -> Self {
        Self::between(sample, sample.old.clone(), sample.new.clone())
    }

    pub(super) fn between(sample: &Sample, old: RecordBatch, new: RecordBatch) -> Self {
        Self {
            old: vec![old],
            new: vec![new],
            key: sample.key.clone(),
            customer: sample.customer.clone(),
        }
    }

    /// The same, with each table cut into files of one row and more.
    pub(super) fn cut(&self) -> Self {
        let cut = |batches: &[RecordBatch]| {
            let whole =
                concat_batches(&batches[0].schema(), batches).expect("one table has one schema");
            let (mut pieces, mut from) = (Vec::new(), 0);
            while from < whole.num_rows() {
                let rows = (pieces.len() + 1).min(whole.num_rows() - from);
                pieces.push(whole.slice(from, rows));
                from += rows;
            }
            pieces
        };
        Self {
            old: cut(&self.old),
            new: cut(&self.new),
            ..self.clone()
        }
    }

    pub(super) fn ask(&self, comparator: &dyn Comparator) -> Result<Answer, CheckError> {
        let folder = tempfile::tempdir()?;
        let (old, new) = (
            written(&folder, "old", &self.old)?,
            written(&folder, "new", &self.new)?,
        );
        let temp_dir = folder.path().join("temp");
        std::fs::create_dir_all(&temp_dir)?;
        let sides = Sides::open(SidesRequest {
            old: &old,
            new: &new,
            key: &self.key,
            customer: self.customer.as_deref(),
            run_date: RunDate(Default::default()),
            now_nanos: 0,
            memory_bytes: MEMORY_BYTES,
            threads: 2,
            temp_dir: &temp_dir,
        })?;
        let mut answer = Answer::default();
        answer.looked_at = comparator.compare(&sides, &mut answer)?;
        Ok(answer)
    }
}

fn written(
    folder: &TempDir,
    name: &str,
    batches: &[RecordBatch],
) -> Result<TableSource, CheckError> {
    let base = folder.path().join(name);
    std::fs::create_dir_all(&base)?;
    for (number, batch) in batches.iter().enumerate() {
        let mut file =
            ParquetFile::create(&base.join(format!("{number:06}.parquet")), &batch.schema())?;
        file.write(batch)?;
        file.finish()?;
    }
    let snapshot = pin(name, "./", &base).map_err(|error| CheckError::Other(Box::new(error)))?;
    Ok(TableSource {
        base,
        snapshot,
        types: [].into(),
    })
}

/// The rows in another order: the last first.
pub(super) fn turned(batch: &RecordBatch) -> RecordBatch {
    rows(batch, (0..batch.num_rows()).rev())
}

/// These rows.
pub(super) fn rows(batch: &RecordBatch, rows: impl Iterator<Item = usize>) -> RecordBatch {
    let rows: UInt64Array = rows.map(|row| Some(row as u64)).collect();
    take_record_batch(batch, &rows).expect("each row is one of the batch")
}

/// The table without a column.
pub(super) fn without(batch: &RecordBatch, column: &str) -> RecordBatch {
    let kept: Vec<usize> = (0..batch.num_columns())
        .filter(|position| batch.schema().field(*position).name() != column)
        .collect();
    batch
        .project(&kept)
        .expect("each position is one of the batch")
}

/// The table with NULL in all of a column.
pub(super) fn with_nulls(batch: &RecordBatch, column: &str) -> RecordBatch {
    replaced(batch, column, |array| {
        new_null_array(array.data_type(), array.len())
    })
}

/// The table with NaN in all of a column; `None` for a column that has none.
pub(super) fn with_nans(batch: &RecordBatch, column: &str) -> Option<RecordBatch> {
    let (_, field) = batch.schema_ref().column_with_name(column)?;
    let nans = |rows: usize| -> Option<ArrayRef> {
        Some(match field.data_type() {
            DataType::Float64 => Arc::new(Float64Array::from(vec![f64::NAN; rows])),
            DataType::Float32 => Arc::new(Float32Array::from(vec![f32::NAN; rows])),
            _ => return None,
        })
    };
    let nans = nans(batch.num_rows())?;
    Some(replaced(batch, column, |_| Arc::clone(&nans)))
}

fn replaced(
    batch: &RecordBatch,
    column: &str,
    values: impl Fn(&ArrayRef) -> ArrayRef,
) -> RecordBatch {
    let schema = batch.schema();
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    let columns = fields.iter().zip(batch.columns());
    let columns: Vec<ArrayRef> = columns
        .map(|(field, array)| {
            if field.name() == column {
                values(array)
            } else {
                Arc::clone(array)
            }
        })
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("a column of the same type takes its place")
}

/// Whose each row is.
pub(super) fn owners(batch: &RecordBatch, customer: &str) -> Vec<Customer> {
    let column = batch.column_by_name(customer);
    let owner = |row| customer_at(column, row).unwrap_or(Customer::Everybody);
    (0..batch.num_rows()).map(owner).collect()
}

/// The table so many times, each time with other customers; `None` where they are no text.
pub(super) fn of_other_customers(
    batch: &RecordBatch,
    customer: &str,
    times: usize,
) -> Option<RecordBatch> {
    let (_, field) = batch.schema_ref().column_with_name(customer)?;
    if *field.data_type() != DataType::Utf8 {
        return None;
    }
    let owners = owners(batch, customer);
    let copies = (0..times).map(|copy| {
        let names: StringArray = owners
            .iter()
            .map(|owner| match owner {
                Customer::Named(name) => Some(format!("{name} {copy:04}")),
                _ => None,
            })
            .collect();
        let names: ArrayRef = Arc::new(names);
        replaced(batch, customer, |_| Arc::clone(&names))
    });
    let copies: Vec<RecordBatch> = copies.collect();
    concat_batches(&copies.first()?.schema(), &copies).ok()
}
