//! A pinned table as something that can be read.

mod encoding;
mod meet;
pub(crate) mod parquet;
mod read;
pub(crate) mod reader;
mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};
use understudy_core::snapshot::{DatasetSnapshot, FileFormat, PinnedFile};
use understudy_core::spec::ColumnType;

use crate::error::TableError;

/// A pinned table: exactly these files, with the types that the user gave for CSV and partition columns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TableSource {
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// The files.
    pub snapshot: DatasetSnapshot,
    /// Types by column; they go before what is inferred.
    pub types: BTreeMap<String, ColumnType>,
}

/// The columns that a table has at most: as many as a spreadsheet. A file with more is taken for something else.
pub(crate) const MAX_COLUMNS: usize = 1 << 14;

/// How large a table is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Its rows; known for Parquet only.
    pub rows: Option<u64>,
    /// The bytes of its columns before compression; of formats other than Parquet, the bytes of its files.
    pub bytes: u64,
}

/// Batches of a table, in order.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, TableError>> + Send>;

/// Files that do not make one table.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// There is no file to read a schema from.
    #[error("dataset `{name}` has no files")]
    NoFiles {
        /// The dataset.
        name: String,
    },
    /// One file lacks a column that another one has.
    #[error("`{}` has no column `{column}`, but `{}` has; all files of a table need the same columns", without.display(), with.display())]
    ColumnMissing {
        /// The column.
        column: String,
        /// The file that lacks it.
        without: PathBuf,
        /// The file that has it.
        with: PathBuf,
    },
    /// One column has different types in two files.
    #[error("column `{column}` is {first_type} in `{}` and {second_type} in `{}`; all files of a table need the same types", first.display(), second.display())]
    TypesDiffer {
        /// The column.
        column: String,
        /// One file.
        first: PathBuf,
        /// The type there.
        first_type: DataType,
        /// The other file.
        second: PathBuf,
        /// The type there.
        second_type: DataType,
    },
    /// A file is no longer what its schema was read from.
    #[error("`{}` has no column `{column}` any more", file.display())]
    ColumnGone {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
    },
    /// A file's column is no longer of the type that its schema was read with.
    #[error("column `{column}` of `{}` was {was} and is now {now}", file.display())]
    Retyped {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// The type before.
        was: DataType,
        /// The type now.
        now: DataType,
    },
    /// More columns than any table should have.
    #[error("`{}` has {found} columns, and at most {limit} can be read", file.display())]
    TooManyColumns {
        /// The file.
        file: PathBuf,
        /// Its columns.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Two columns of a file have one name.
    #[error("column `{column}` stands twice in `{}`", file.display())]
    DuplicateColumn {
        /// The file.
        file: PathBuf,
        /// The name.
        column: String,
    },
    /// A type is given for a column that is not there.
    #[error("dataset `{name}`: `types` names column `{column}`, which is not there; there are: {}", columns.join(", "))]
    UnknownColumn {
        /// The dataset.
        name: String,
        /// The column.
        column: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// A type is given for a column of a file that has its own.
    #[error(
        "dataset `{name}`: `types` names column `{column}`, but files of this format bring their own types; remove it"
    )]
    TypedColumn {
        /// The dataset.
        name: String,
        /// The column.
        column: String,
    },
    /// Text cannot be read into that type.
    #[error("`{}`: column `{column}` cannot be read from text as {data_type}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// The type.
        data_type: DataType,
    },
    /// The value in a folder's name is not of the type that the partition column has.
    #[error("`{}`: partition `{column}={value}` is not {expected}", file.display())]
    WrongPartition {
        /// The file below the folder.
        file: PathBuf,
        /// The partition column.
        column: String,
        /// Its value.
        value: String,
        /// What it should be, with its article.
        expected: String,
    },
    /// Arrow could not put a batch together.
    #[error("`{}` cannot be put into the table's schema", file.display())]
    Arrow {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: ArrowError,
    },
}

impl TableSource {
    /// The schema: Parquet's or Arrow's own (all files must agree), or inferred over every value of every file, then
    /// the Hive partition columns that the files themselves do not have.
    ///
    /// # Errors
    /// A file that cannot be read, or files that do not agree.
    pub fn schema(&self) -> Result<SchemaRef, TableError> {
        schema::of_one(self).map(Arc::new)
    }

    /// Batches of all files in order, with at most `batch_rows` rows each, in that schema (one given by
    /// [`TableSource::schema`] or [`schemas_of_pair`]), of the projected columns only (positions in the schema;
    /// `None` for all).
    ///
    /// # Errors
    /// A projection beyond the schema. What is wrong with a file comes as an item when it is its turn.
    pub fn read(
        &self,
        schema: &SchemaRef,
        projection: Option<&[usize]>,
        batch_rows: usize,
    ) -> Result<Batches, TableError> {
        read::batches(self, schema, projection, batch_rows)
    }

    /// How many of the schema's last columns are in no file, but in the names of the folders only.
    ///
    /// # Errors
    /// A first file that cannot be read.
    pub fn partition_columns(&self, schema: &Schema) -> Result<usize, TableError> {
        read::partition_columns(self, schema)
    }

    /// The value of a partition column in the rows of one file, as a column of one row.
    ///
    /// # Errors
    /// A value that is not of the column's type.
    pub fn partition_value(
        &self,
        file: &PinnedFile,
        field: &FieldRef,
    ) -> Result<ArrayRef, TableError> {
        read::partition_value(self, file, field)
    }

    /// How large the table is, by its files' own metadata.
    ///
    /// # Errors
    /// A Parquet file that cannot be read.
    pub fn extent(&self) -> Result<Extent, TableError> {
        match self.snapshot.format {
            FileFormat::Parquet => parquet::extent(&self.paths()),
            FileFormat::Csv | FileFormat::Json | FileFormat::Arrow => Ok(Extent {
                rows: None,
                bytes: self.snapshot.files.iter().map(|file| file.bytes).sum(),
            }),
        }
    }

    /// The paths of its files, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.snapshot
            .files
            .iter()
            .map(|file| self.base.join(&file.path))
            .collect()
    }
}

/// The schemas of both sides of a comparison. Types of CSV and of JSON are inferred over both sides together, so that
/// a column gets the same type on both; where the other side's type is known (Parquet, Arrow, or given), a column
/// gets that type if every value comes back the same from it.
///
/// # Errors
/// A file that cannot be read, or files of one side that do not agree.
pub fn schemas_of_pair(
    old: &TableSource,
    new: &TableSource,
) -> Result<(SchemaRef, SchemaRef), TableError> {
    let (old, new) = schema::of_pair(old, new)?;
    Ok((Arc::new(old), Arc::new(new)))
}

#[cfg(test)]
mod tests;
