//! Batches of all files of a table, in one schema.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use understudy_core::snapshot::{FileFormat, PinnedFile};

use super::parquet::ParquetBatches;
use super::{Batches, SchemaError, TableSource, parquet};
use crate::arrow_file::{self, ArrowBatches};
use crate::csv::build::{ColumnBuilder, expected};
use crate::csv::reader::{CsvBatches, header};
use crate::error::TableError;
use crate::json::reader::JsonBatches;
use crate::pin::NULL_PARTITION;

pub(super) fn batches(
    source: &TableSource,
    schema: &SchemaRef,
    projection: Option<&[usize]>,
    batch_rows: usize,
) -> Result<Batches, TableError> {
    let all: Vec<usize> = (0..schema.fields().len()).collect();
    let projected = schema.project(projection.unwrap_or(&all));
    let projected = projected.map_err(|source_error| SchemaError::Arrow {
        file: source.base.join(&source.snapshot.location),
        source: source_error,
    })?;
    let reading = Reading {
        format: source.snapshot.format,
        schema: Arc::new(projected),
        batch_rows,
    };
    let base = source.base.clone();
    let files = source.snapshot.files.clone().into_iter();
    Ok(Box::new(
        files.flat_map(move |file| reading.file(&base, file)),
    ))
}

/// What is read of each file.
struct Reading {
    format: FileFormat,
    schema: SchemaRef,
    batch_rows: usize,
}

impl Reading {
    /// The batches of one file; one that cannot be opened gives one error.
    fn file(&self, base: &Path, pinned: PinnedFile) -> Batches {
        let path = base.join(&pinned.path);
        match self.open(path, pinned.partitions) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn open(
        &self,
        path: PathBuf,
        partitions: Vec<(String, String)>,
    ) -> Result<Batches, TableError> {
        let shape = Shape {
            path,
            schema: self.schema.clone(),
            partitions,
        };
        let (fields, rows) = (self.schema.fields(), self.batch_rows.max(1));
        let batches: Batches = match self.format {
            FileFormat::Parquet => Box::new(ParquetBatches::open(&shape.path, fields, rows)?),
            FileFormat::Csv => Box::new(CsvBatches::open(&shape.path, fields, rows)?),
            FileFormat::Arrow => Box::new(ArrowBatches::open(&shape.path, fields, rows)?),
            FileFormat::Json => Box::new(JsonBatches::open(
                &shape.path,
                fields,
                &shape.partitions,
                rows,
            )?),
        };
        Ok(Box::new(batches.map(move |batch| shape.complete(&batch?))))
    }
}

pub(super) fn partition_columns(
    source: &TableSource,
    schema: &Schema,
) -> Result<usize, TableError> {
    let no_files = || SchemaError::NoFiles {
        name: source.snapshot.name.clone(),
    };
    let first = source.snapshot.files.first().ok_or_else(no_files)?;
    if source.snapshot.format == FileFormat::Json {
        return Ok(first.partitions.len());
    }
    let names = names(source.snapshot.format, &source.base.join(&first.path))?;
    Ok(schema
        .fields()
        .iter()
        .filter(|field| !names.contains(field.name()))
        .count())
}

pub(super) fn partition_value(
    source: &TableSource,
    file: &PinnedFile,
    field: &FieldRef,
) -> Result<ArrayRef, TableError> {
    let shape = Shape {
        path: source.base.join(&file.path),
        schema: Arc::new(Schema::empty()),
        partitions: file.partitions.clone(),
    };
    Ok(shape.partition(field, 1)?)
}

fn names(format: FileFormat, path: &Path) -> Result<Vec<String>, TableError> {
    match format {
        FileFormat::Csv => header(path),
        FileFormat::Json => Ok(Vec::new()),
        FileFormat::Parquet | FileFormat::Arrow => {
            let schema = typed_schema(format, path)?;
            Ok(schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect())
        }
    }
}

/// The schema of a file of a format that says it.
pub(super) fn typed_schema(format: FileFormat, path: &Path) -> Result<SchemaRef, TableError> {
    match format {
        FileFormat::Arrow => Ok(arrow_file::file_schema(path)?),
        _ => parquet::file_schema(path),
    }
}

/// How a file's batch becomes one of the table.
pub(super) struct Shape {
    pub(super) path: PathBuf,
    pub(super) schema: SchemaRef,
    pub(super) partitions: Vec<(String, String)>,
}

impl Shape {
    /// The columns in the table's order, with the partition columns.
    pub(super) fn complete(&self, batch: &RecordBatch) -> Result<RecordBatch, TableError> {
        let columns: Result<Vec<_>, _> = self
            .schema
            .fields()
            .iter()
            .map(|field| self.column(batch, field))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let complete = RecordBatch::try_new_with_options(self.schema.clone(), columns?, &options);
        Ok(complete.map_err(|source| self.arrow(source))?)
    }

    fn column(&self, batch: &RecordBatch, field: &FieldRef) -> Result<ArrayRef, SchemaError> {
        if let Some(column) = batch.column_by_name(field.name()) {
            return self.exact(column, field);
        }
        self.partition(field, batch.num_rows())
    }

    fn partition(&self, field: &FieldRef, rows: usize) -> Result<ArrayRef, SchemaError> {
        match self.partitions.iter().find(|(key, _)| key == field.name()) {
            Some((_, value)) => self.constant(field, value, rows),
            None => Err(SchemaError::ColumnGone {
                file: self.path.clone(),
                column: field.name().clone(),
            }),
        }
    }

    /// The column in the table's type, from which a file's may differ in the names of nested fields only.
    fn exact(&self, column: &ArrayRef, field: &FieldRef) -> Result<ArrayRef, SchemaError> {
        if column.data_type() == field.data_type() {
            return Ok(column.clone());
        }
        if !column.data_type().equals_datatype(field.data_type()) {
            return Err(SchemaError::Retyped {
                file: self.path.clone(),
                column: field.name().clone(),
                was: field.data_type().clone(),
                now: column.data_type().clone(),
            });
        }
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(column, field.data_type(), &options).map_err(|source| self.arrow(source))
    }

    fn constant(
        &self,
        field: &FieldRef,
        value: &str,
        rows: usize,
    ) -> Result<ArrayRef, SchemaError> {
        let unreadable = || SchemaError::Unreadable {
            file: self.path.clone(),
            column: field.name().clone(),
            data_type: field.data_type().clone(),
        };
        let mut builder = ColumnBuilder::new(field.data_type()).ok_or_else(unreadable)?;
        let cell = (value != NULL_PARTITION).then_some(value);
        for _ in 0..rows {
            builder
                .push(cell)
                .map_err(|_| SchemaError::WrongPartition {
                    file: self.path.clone(),
                    column: field.name().clone(),
                    value: value.to_owned(),
                    expected: expected(field.data_type()),
                })?;
        }
        builder.finish().map_err(|source| self.arrow(source))
    }

    fn arrow(&self, source: ArrowError) -> SchemaError {
        SchemaError::Arrow {
            file: self.path.clone(),
            source,
        }
    }
}
