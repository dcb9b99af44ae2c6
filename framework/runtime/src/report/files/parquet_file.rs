//! `diff.parquet`: every line, every text as it stands.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::whole_file::WholeFile;
use crate::report::csv_text::Field;
use crate::report::error::ReportError;

/// Lines that are collected before they go to the writer.
const BATCH_LINES: usize = 4_096;
/// What one row group may hold: it is in memory until it is full.
const ROW_GROUP_BYTES: usize = 32 << 20;

/// The Parquet twin of `diff.csv`.
pub(crate) struct ParquetFile {
    schema: SchemaRef,
    columns: Vec<Column>,
    lines: usize,
    writer: ArrowWriter<WholeFile>,
}

enum Column {
    Text(StringBuilder),
    Truth(BooleanBuilder),
}

impl ParquetFile {
    /// Columns by name; those that `is_truth` says hold truth values, all others text.
    pub(crate) fn create(
        file: WholeFile,
        names: &[String],
        is_truth: impl Fn(usize) -> bool,
    ) -> Result<Self, ReportError> {
        let columns: Vec<_> = (0..names.len())
            .map(|position| Column::new(is_truth(position)))
            .collect();
        let fields = names.iter().zip(&columns);
        let fields = fields.map(|(name, column)| ArrowField::new(name, column.data_type(), true));
        let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let path = file.path().to_owned();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties()))
            .map_err(|source| ReportError::Parquet { path, source })?;
        Ok(Self {
            schema,
            columns,
            lines: 0,
            writer,
        })
    }

    pub(crate) fn push(&mut self, fields: &[Field<'_>]) -> Result<(), ReportError> {
        for (column, field) in self.columns.iter_mut().zip(fields) {
            column.push(*field);
        }
        self.lines += 1;
        if self.lines >= BATCH_LINES {
            self.write_batch()
        } else {
            Ok(())
        }
    }

    pub(crate) fn finish(mut self) -> Result<(), ReportError> {
        self.write_batch()?;
        let path = self.writer.inner().path().to_owned();
        let file = self
            .writer
            .into_inner()
            .map_err(|source| ReportError::Parquet { path, source })?;
        file.finish()
    }

    fn write_batch(&mut self) -> Result<(), ReportError> {
        self.lines = 0;
        let arrays = self.columns.iter_mut().map(Column::take).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(ParquetError::from)
            .and_then(|batch| self.writer.write(&batch))
            .map_err(|source| ReportError::Parquet {
                path: self.writer.inner().path().to_owned(),
                source,
            })
    }
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .build()
}

impl Column {
    fn new(is_truth: bool) -> Self {
        if is_truth {
            Self::Truth(BooleanBuilder::new())
        } else {
            Self::Text(StringBuilder::new())
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Truth(_) => DataType::Boolean,
        }
    }

    fn push(&mut self, field: Field<'_>) {
        match (self, field) {
            (Self::Text(texts), Field::Plain(text) | Field::Text(text)) => texts.append_value(text),
            (Self::Text(texts), Field::Null | Field::Truth(_)) => texts.append_null(),
            (Self::Truth(truths), Field::Truth(truth)) => truths.append_value(truth),
            (Self::Truth(truths), _) => truths.append_null(),
        }
    }

    fn take(&mut self) -> ArrayRef {
        match self {
            Self::Text(texts) => Arc::new(texts.finish()),
            Self::Truth(truths) => Arc::new(truths.finish()),
        }
    }
}
