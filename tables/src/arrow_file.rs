//! Arrow IPC files, in the file format or as a stream.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{Fields, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::reader::{FileReader, StreamReader};

use crate::error::TableError;
use crate::source::parquet::{ParquetCause, panicked};

/// How a file in the file format begins; a stream has no mark of its own.
const MAGIC: &[u8] = b"ARROW1";

/// An Arrow IPC file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be read as Arrow IPC; it is cut off, damaged or something else", path.display())]
pub struct ArrowFileError {
    /// The file.
    pub path: PathBuf,
    /// What the decoder said.
    pub source: ParquetCause,
}

enum Reader {
    File(FileReader<BufReader<File>>),
    Stream(StreamReader<BufReader<File>>),
}

/// The batches of one file.
pub(crate) struct ArrowBatches {
    path: PathBuf,
    reader: Reader,
    /// What is left of a batch that has more rows than were asked for.
    rest: Option<RecordBatch>,
    batch_rows: usize,
    finished: bool,
}

/// The schema of one file.
pub(crate) fn file_schema(path: &Path) -> Result<SchemaRef, TableError> {
    Ok(match open(path, None)? {
        Reader::File(reader) => reader.schema(),
        Reader::Stream(reader) => reader.schema(),
    })
}

fn open(path: &Path, wanted: Option<&Fields>) -> Result<Reader, TableError> {
    let mut file = File::open(path).map_err(|source| TableError::reading(path, source))?;
    let mut start = [0; MAGIC.len()];
    let is_file = file.read_exact(&mut start).is_ok() && start == MAGIC;
    file.rewind()
        .map_err(|source| TableError::reading(path, source))?;
    let projection = |schema: &SchemaRef| {
        let fields = schema.fields().iter().enumerate();
        let positions = fields
            .filter(|(_, field)| wanted.is_none_or(|wanted| wanted.find(field.name()).is_some()));
        positions.map(|(position, _)| position).collect::<Vec<_>>()
    };
    let again = || -> Result<BufReader<File>, ArrowError> { Ok(BufReader::new(file.try_clone()?)) };
    guarded(path, || {
        if is_file {
            let schema = FileReader::try_new(again()?, None)?.schema();
            file.try_clone()?.rewind()?;
            Ok(Reader::File(FileReader::try_new(
                again()?,
                Some(projection(&schema)),
            )?))
        } else {
            let schema = StreamReader::try_new(again()?, None)?.schema();
            file.try_clone()?.rewind()?;
            Ok(Reader::Stream(StreamReader::try_new(
                again()?,
                Some(projection(&schema)),
            )?))
        }
    })
}

fn guarded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, ArrowError>,
) -> Result<T, TableError> {
    let result = panicked(|| decode().map_err(ParquetCause::from));
    result.map_err(|source| {
        ArrowFileError {
            path: path.to_owned(),
            source,
        }
        .into()
    })
}

impl ArrowBatches {
    /// Opens a file to read those of the fields that it has.
    pub(crate) fn open(
        path: &Path,
        fields: &Fields,
        batch_rows: usize,
    ) -> Result<Self, TableError> {
        Ok(Self {
            path: path.to_owned(),
            reader: open(path, Some(fields))?,
            rest: None,
            batch_rows,
            finished: false,
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let next = match self.rest.take() {
            Some(rest) => Some(rest),
            None => {
                let reader = &mut self.reader;
                guarded(&self.path, || match reader {
                    Reader::File(reader) => reader.next().transpose(),
                    Reader::Stream(reader) => reader.next().transpose(),
                })?
            }
        };
        let Some(batch) = next else {
            return Ok(None);
        };
        let (rows, all) = (self.batch_rows, batch.num_rows());
        if all <= rows {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(rows, all - rows));
        Ok(Some(batch.slice(0, rows)))
    }
}

impl Iterator for ArrowBatches {
    type Item = Result<RecordBatch, TableError>;

    /// After an error there is nothing more: a decoder that failed is not asked again.
    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let batch = self.batch().transpose();
        self.finished = !matches!(batch, Some(Ok(_)));
        batch
    }
}
