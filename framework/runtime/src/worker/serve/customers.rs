//! The customers that a rule is for, as a dataset has them.

use std::collections::BTreeSet;

use arrow::array::{Array, BooleanArray, RecordBatch};
use understudy_core::run::Failure;
use understudy_core::value::Value;
use understudy_tables::value_at;
use understudy_tasks::RowPredicate;

use super::super::protocol::CustomersJob;
use super::{chain, task_failure};

/// The rows of a batch.
const BATCH_ROWS: usize = 8192;
/// The most customers that a rule may be for.
const MAX_CUSTOMERS: usize = 1_000_000;

/// Those who have a row that meets the predicate; a row without a customer is nobody's.
pub(super) fn customers(job: &CustomersJob) -> Result<BTreeSet<String>, Failure> {
    let unreadable = |error: &dyn std::error::Error| task_failure(chain(error));
    let schema = job.source.schema().map_err(|error| unreadable(&error))?;
    let column = schema
        .index_of(&job.column)
        .map_err(|_| task_failure(format!("it has no column `{}`", job.column)))?;
    let name = job.source.snapshot.name.as_str();
    let predicate = job.predicate.as_ref();
    let predicate = predicate
        .map(|text| RowPredicate::bind(text, &schema, &[name]))
        .transpose()
        .map_err(|error| unreadable(&error))?;
    let mut found = BTreeSet::new();
    let batches = job.source.read(&schema, None, BATCH_ROWS);
    for batch in batches.map_err(|error| unreadable(&error))? {
        let batch = batch.map_err(|error| unreadable(&error))?;
        let holds = match &predicate {
            Some(predicate) => predicate
                .holds(&batch)
                .map_err(|error| unreadable(&error))?,
            None => BooleanArray::from(vec![true; batch.num_rows()]),
        };
        take(&batch, column, &holds, &mut found)?;
        if found.len() > MAX_CUSTOMERS {
            let message = format!(
                "more than {MAX_CUSTOMERS} customers; leave `customers` out, or select fewer"
            );
            return Err(task_failure(message));
        }
    }
    Ok(found)
}

fn take(
    batch: &RecordBatch,
    column: usize,
    holds: &BooleanArray,
    found: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let names = batch.column(column);
    for row in (0..batch.num_rows()).filter(|row| holds.is_valid(*row) && holds.value(*row)) {
        let value = value_at(names.as_ref(), row).map_err(|error| task_failure(chain(&error)))?;
        // Both zeros are one customer.
        let text = match value {
            Value::Float(0.0) => Value::Float(0.0).render(),
            Value::Float32(0.0) => Value::Float32(0.0).render(),
            value => value.render(),
        };
        found.extend(text);
    }
    Ok(())
}
