//! The predicates of rules, which the engine of comparisons does not understand itself.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use understudy_comparators::{Bound, NEW_PREFIX, OLD_PREFIX, PredicateError, Predicates};
use understudy_tasks::{RowPredicate, SqlError};

/// Predicates as SQL expressions.
#[derive(Debug)]
pub(super) struct SqlPredicates;

impl Predicates for SqlPredicates {
    fn bind(&self, predicate: &str, schema: &SchemaRef) -> Result<Bound, PredicateError> {
        let tables = [OLD_PREFIX, NEW_PREFIX].map(|prefix| prefix.trim_end_matches('.'));
        let bound = RowPredicate::bind(predicate, schema, &tables).map_err(said)?;
        Ok(Box::new(
            move |rows: &RecordBatch| -> Result<BooleanArray, PredicateError> {
                bound.holds(rows).map_err(said)
            },
        ))
    }
}

fn said(error: SqlError) -> PredicateError {
    PredicateError::new(error.to_string())
}
