//! The tables that a task reads.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use understudy_core::snapshot::FileFormat;
use understudy_core::spec::CommandInputs;
use understudy_tables::{CsvFile, ParquetFile, TableError, TableSource, is_compressed, laid_out};

use crate::TaskError;

/// The rows of a batch that is converted from one format to the other.
const CONVERTED_ROWS: usize = 8192;

/// A table that a task reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskInput {
    /// The name that the task knows it by.
    pub name: String,
    /// Its files.
    pub source: TableSource,
    /// Its schema, as [`TableSource::schema`] gave it.
    #[serde(with = "understudy_tables::schema_text")]
    pub schema: SchemaRef,
}

/// An input that a program cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file was published again while it was read.
    #[error("`{path}` {what} while it was read; run again")]
    Touched {
        /// The file.
        path: String,
        /// What happened to it.
        what: String,
    },
    /// A link to a pinned file could not be made.
    #[error("input `{name}`: `{}` cannot be linked", path.display())]
    Link {
        /// The input.
        name: String,
        /// The link.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// Lays an input out in a folder (which is created) as a program wants it: links to the pinned files where they have
/// the wanted format, in their `key=value` folders; else one converted file, `data.parquet` or `data.csv`. For a
/// program that wants URLs the folder stays empty.
///
/// # Errors
/// An input that cannot be read, or a folder that cannot be written.
pub fn lay_out_input(
    input: &TaskInput,
    wanted: CommandInputs,
    folder: &Path,
) -> Result<(), TaskError> {
    fs::create_dir_all(folder).map_err(TaskError::io(folder, "created"))?;
    match (wanted, input.source.snapshot.format) {
        (CommandInputs::Urls, _) => Ok(()),
        (CommandInputs::Parquet, FileFormat::Parquet) => link(input, folder),
        (CommandInputs::Csv, FileFormat::Csv) if !has_compressed(input) => link(input, folder),
        (CommandInputs::Parquet, _) => Ok(to_parquet(input, folder)?),
        (CommandInputs::Csv, _) => Ok(to_csv(input, folder)?),
    }
}

/// A program that wants CSV would have to know how to decompress it.
fn has_compressed(input: &TaskInput) -> bool {
    let mut files = input.source.snapshot.files.iter();
    files.any(|file| is_compressed(Path::new(&file.path)))
}

fn link(input: &TaskInput, folder: &Path) -> Result<(), TaskError> {
    for (position, file) in input.source.snapshot.files.iter().enumerate() {
        let place = folder.join(laid_out(file, position));
        let made = make_link(&input.source.base.join(&file.path), &place);
        made.map_err(|source| InputError::Link {
            name: input.name.clone(),
            path: place,
            source,
        })?;
    }
    Ok(())
}

fn make_link(pinned: &Path, place: &Path) -> io::Result<()> {
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    symlink(std::path::absolute(pinned)?, place)
}

fn to_parquet(input: &TaskInput, folder: &Path) -> Result<(), TableError> {
    let mut file = ParquetFile::create(&folder.join(crate::DATA_FILE), &input.schema)?;
    for batch in input.source.read(&input.schema, None, CONVERTED_ROWS)? {
        file.write(&batch?)?;
    }
    file.finish().map(drop)
}

fn to_csv(input: &TaskInput, folder: &Path) -> Result<(), TableError> {
    let mut file = CsvFile::create(&folder.join("data.csv"), &input.schema)?;
    for batch in input.source.read(&input.schema, None, CONVERTED_ROWS)? {
        file.write(&batch?)?;
    }
    file.finish().map(drop)
}

#[cfg(test)]
mod tests;
