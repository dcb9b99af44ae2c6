//! The one Parquet file that a task's output becomes, whatever kind the task is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use understudy_tables::{ParquetFile, PinError, TableSource};

use crate::{DATA_FILE, TaskError, TaskOutput};

/// A result that cannot be an output.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Two columns have one name.
    #[error("the output has two columns `{0}`; give each its own name")]
    DuplicateColumn(String),
    /// There is no column.
    #[error("the output has no columns")]
    NoColumns,
    /// The program left the folder empty.
    #[error(
        "the program wrote nothing; it must write a table into the folder `UNDERSTUDY_OUTPUT`, as Parquet, CSV, JSON lines or Arrow"
    )]
    Nothing,
    /// The program left files, but no table.
    #[error(
        "the program wrote no .parquet, .csv, .jsonl or .arrow file into the folder `UNDERSTUDY_OUTPUT`, only {}",
        backticked(files)
    )]
    NoTable {
        /// What it left.
        files: Vec<String>,
    },
    /// The program left tables in several formats.
    #[error(
        "the program wrote files of two formats, `{first}` and `{second}`; it must keep to one"
    )]
    BothFormats {
        /// A file of one format.
        first: String,
        /// A file of another one.
        second: String,
    },
    /// A file leads elsewhere.
    #[error("the output is refused")]
    NotOwn(#[source] PinError),
    /// The files do not make one table.
    #[error("what the program wrote cannot be taken as one table")]
    Files(#[source] PinError),
    /// A column could not be brought into its plain form.
    #[error("a batch of the output cannot be written")]
    Batch(#[source] ArrowError),
}

fn backticked(files: &[String]) -> String {
    files
        .iter()
        .map(|file| format!("`{file}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Writes an output. Columns are stored plainly (no dictionaries, views, run-ends or 64-bit offsets) and may all be
/// NULL: how a version computes must not show in the schema that it publishes.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    schema: SchemaRef,
    file: ParquetFile,
}

impl OutputFile {
    pub(crate) fn create(folder: &Path, schema: &Schema) -> Result<Self, TaskError> {
        let schema = plain_schema(schema)?;
        fs::create_dir_all(folder).map_err(TaskError::io(folder, "created"))?;
        let path = folder.join(DATA_FILE);
        let file = ParquetFile::create(&path, &schema)?;
        Ok(Self { path, schema, file })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), TaskError> {
        let plain = plain_batch(batch, &self.schema).map_err(OutputError::Batch)?;
        Ok(self.file.write(&plain)?)
    }

    pub(crate) fn finish(self, raw: Option<TableSource>) -> Result<TaskOutput, TaskError> {
        let rows = self.file.finish()?;
        Ok(TaskOutput {
            rows,
            parquet: self.path,
            raw,
            schema: self.schema,
        })
    }
}

/// The schema that a result is stored in.
pub(crate) fn plain_schema(schema: &Schema) -> Result<SchemaRef, OutputError> {
    let mut fields: Vec<Field> = Vec::new();
    for field in schema.fields() {
        if fields.iter().any(|other| other.name() == field.name()) {
            return Err(OutputError::DuplicateColumn(field.name().clone()));
        }
        fields.push(Field::new(field.name(), plain(field.data_type()), true));
    }
    if fields.is_empty() {
        Err(OutputError::NoColumns)
    } else {
        Ok(Arc::new(Schema::new(fields)))
    }
}

fn plain(data_type: &DataType) -> DataType {
    use DataType as T;
    match data_type {
        T::Dictionary(_, values) => plain(values),
        T::RunEndEncoded(_, values) => plain(values.data_type()),
        T::LargeUtf8 | T::Utf8View => T::Utf8,
        T::LargeBinary | T::BinaryView => T::Binary,
        T::List(item) | T::LargeList(item) | T::ListView(item) | T::LargeListView(item) => {
            T::List(plain_field(item))
        }
        T::FixedSizeList(item, length) => T::FixedSizeList(plain_field(item), *length),
        T::Struct(fields) => T::Struct(fields.iter().map(plain_field).collect()),
        other => other.clone(),
    }
}

fn plain_field(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new(field.name(), plain(field.data_type()), true))
}

fn plain_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    // What does not fit must stop the task: a silent NULL would be a wrong result.
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                return Ok(column.clone());
            }
            cast_with_options(column, field.data_type(), &options)
        });
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
}
