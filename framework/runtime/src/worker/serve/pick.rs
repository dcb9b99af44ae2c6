//! The rows of one key in the two tables of a comparison, as texts, masked.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use understudy_core::case::CaseTable;
use understudy_core::run::Failure;
use understudy_core::spec::ColumnType;
use understudy_tables::{TableError, TableSource, value_at};

use super::super::protocol::PickJob;
use super::{chain, task_failure};
use crate::mask::Mask;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 8_192;
/// The rows of one key, at most: a case is something that people read.
const MAX_ROWS: usize = 20;

/// The rows of both tables.
pub(super) fn pick(job: &PickJob) -> Result<[CaseTable; 2], Failure> {
    let mask = Mask::ordered(job.mask.as_ref()).map_err(|error| task_failure(chain(&error)))?;
    let side = |source: &TableSource| {
        let table = of_table(source, &job.key, &mask);
        table.map_err(|error| task_failure(format!("failed: {}", chain(&error))))
    };
    Ok([side(&job.old)?, side(&job.new)?])
}

fn of_table(
    source: &TableSource,
    key: &[(String, String)],
    mask: &Mask,
) -> Result<CaseTable, TableError> {
    let schema = source.schema()?;
    let mut table = CaseTable {
        columns: schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect(),
        types: types(&schema, mask),
        rows: Vec::new(),
    };
    for batch in source.read(&schema, None, BATCH_ROWS)? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            if table.rows.len() == MAX_ROWS {
                return Ok(table);
            }
            if has_key(&batch, row, key, mask)? {
                let cells = 0..batch.num_columns();
                let cells = cells.map(|column| text(&batch, column, row, mask));
                table.rows.push(cells.collect::<Result<_, _>>()?);
            }
        }
    }
    Ok(table)
}

/// A value that is masked is named by what stands in its place, as reports show it.
fn has_key(
    batch: &RecordBatch,
    row: usize,
    key: &[(String, String)],
    mask: &Mask,
) -> Result<bool, TableError> {
    for (column, wanted) in key {
        let Some(position) = batch
            .schema_ref()
            .fields()
            .iter()
            .position(|field| field.name() == column)
        else {
            return Ok(false);
        };
        if text(batch, position, row, mask)?.as_ref() != Some(wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// NULL and empty text stay what they are, as in every report.
fn text(
    batch: &RecordBatch,
    column: usize,
    row: usize,
    mask: &Mask,
) -> Result<Option<String>, TableError> {
    let text = value_at(batch.column(column), row)?.render();
    let is_masked = mask.has(batch.schema_ref().field(column).name());
    Ok(text.map(|text| {
        if is_masked && !text.is_empty() {
            mask.token(&text)
        } else {
            text
        }
    }))
}

/// The types that a file of cases has words for; whatever is masked, or something else, is text.
fn types(schema: &SchemaRef, mask: &Mask) -> BTreeMap<String, ColumnType> {
    let of = |data_type: &DataType| match data_type {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        DataType::Decimal128(_, scale) if (0..=38).contains(scale) => ColumnType::Decimal(*scale),
        data_type if data_type.is_integer() => ColumnType::Integer,
        data_type if data_type.is_floating() => ColumnType::Float,
        _ => ColumnType::Text,
    };
    let fields = schema.fields().iter();
    fields
        .map(|field| {
            let is_masked = mask.has(field.name());
            let of = if is_masked {
                ColumnType::Text
            } else {
                of(field.data_type())
            };
            (field.name().clone(), of)
        })
        .collect()
}
