//! Batches of one CSV file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Fields, Schema, SchemaRef};

use super::build::ColumnBuilder;
use super::error::{CsvError, CsvProblem};
use super::records::{Record, Records};
use crate::error::TableError;
use crate::source::SchemaError;

/// The longest piece of a wrong value that an error shows.
const MAX_SHOWN_CHARS: usize = 60;

/// A batch that has so many bytes of text is not given more rows.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// The wanted columns of one CSV file.
pub(crate) struct CsvBatches {
    path: PathBuf,
    records: Records,
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    /// For each field of a record, the wanted column that it fills.
    targets: Vec<Option<usize>>,
    batch_rows: usize,
}

/// The names of a CSV file's columns, in its order.
pub(crate) fn header(path: &Path) -> Result<Vec<String>, TableError> {
    Records::open(path).map(|(_, names)| names)
}

impl CsvBatches {
    /// Opens a file to read those of the fields that it has.
    pub(crate) fn open(
        path: &Path,
        fields: &Fields,
        batch_rows: usize,
    ) -> Result<Self, TableError> {
        let (records, names) = Records::open(path)?;
        let wanted: Vec<FieldRef> = fields
            .iter()
            .filter(|field| names.contains(field.name()))
            .cloned()
            .collect();
        let unreadable = |field: &FieldRef| SchemaError::Unreadable {
            file: path.to_owned(),
            column: field.name().clone(),
            data_type: field.data_type().clone(),
        };
        let columns: Result<_, _> = wanted
            .iter()
            .map(|field| ColumnBuilder::new(field.data_type()).ok_or_else(|| unreadable(field)))
            .collect();
        Ok(Self {
            path: path.to_owned(),
            records,
            columns: columns?,
            targets: names
                .iter()
                .map(|name| wanted.iter().position(|field| field.name() == name))
                .collect(),
            schema: Arc::new(Schema::new(wanted)),
            batch_rows,
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_rows && bytes < MAX_BATCH_BYTES {
            let Some(record) = self.records.next()? else {
                break;
            };
            rows += 1;
            bytes += record.bytes();
            push(record, &self.targets, &mut self.columns)
                .map_err(|wrong| wrong.at(&self.path, record, &self.schema))?;
        }
        if rows == 0 {
            return Ok(None);
        }
        self.finish(rows).map(Some)
    }

    fn finish(&mut self, rows: usize) -> Result<RecordBatch, TableError> {
        let arrow = |source| SchemaError::Arrow {
            file: self.path.clone(),
            source,
        };
        let arrays: Result<_, _> = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(
            self.schema.clone(),
            arrays.map_err(arrow)?,
            &options,
        );
        Ok(batch.map_err(arrow)?)
    }
}

impl Iterator for CsvBatches {
    type Item = Result<RecordBatch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

/// A value that is not of its column's type.
struct Wrong {
    field: usize,
    column: usize,
    expected: String,
}

fn push(
    record: &Record,
    targets: &[Option<usize>],
    columns: &mut [ColumnBuilder],
) -> Result<(), Wrong> {
    for (field, (text, target)) in record.fields().zip(targets).enumerate() {
        if let Some(column) = *target {
            columns[column].push(text).map_err(|expected| Wrong {
                field,
                column,
                expected,
            })?;
        }
    }
    Ok(())
}

impl Wrong {
    fn at(self, path: &Path, record: &Record, schema: &Schema) -> CsvError {
        let value = record
            .fields()
            .nth(self.field)
            .flatten()
            .unwrap_or_default();
        let problem = CsvProblem::WrongValue {
            column: schema.field(self.column).name().clone(),
            value: value.chars().take(MAX_SHOWN_CHARS).collect(),
            expected: self.expected,
        };
        CsvError::new(path, record.line, problem)
    }
}
