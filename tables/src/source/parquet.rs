//! Schemas and batches of one Parquet file. A damaged file is an error, whatever the decoder makes of it.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{Fields, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};

use super::encoding::hinted;
use crate::error::TableError;
use crate::file::open_regular;
use crate::source::Extent;

/// A Parquet file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be read as Parquet; it is cut off, damaged or something else", path.display())]
pub struct ParquetError {
    /// The file.
    pub path: PathBuf,
    /// What the decoder said.
    pub source: ParquetCause,
}

/// What the Parquet decoder said.
#[derive(Debug, thiserror::Error)]
pub enum ParquetCause {
    /// The file's structure is wrong.
    #[error(transparent)]
    File(#[from] parquet::errors::ParquetError),
    /// A batch could not be decoded.
    #[error(transparent)]
    Batch(#[from] ArrowError),
    /// The decoder panicked.
    #[error("the decoder gave up: {0}")]
    Panic(String),
    /// There are fewer or more rows than the file says.
    #[error("it says that it has {said} rows and has {found}")]
    Rows {
        /// The rows that its metadata speak of.
        said: u64,
        /// The rows that were decoded.
        found: u64,
    },
}

/// The schema of one file.
pub(crate) fn file_schema(path: &Path) -> Result<SchemaRef, TableError> {
    open(path).map(|metadata| metadata.schema().clone())
}

/// The rows and the uncompressed bytes of some files.
pub(crate) fn extent(paths: &[PathBuf]) -> Result<Extent, TableError> {
    let mut extent = Extent {
        rows: Some(0),
        bytes: 0,
    };
    for path in paths {
        for group in open(path)?.metadata().row_groups() {
            extent.rows = extent
                .rows
                .map(|rows| rows.saturating_add(group.num_rows().unsigned_abs()));
            extent.bytes = extent
                .bytes
                .saturating_add(group.total_byte_size().unsigned_abs());
        }
    }
    Ok(extent)
}

/// The wanted columns of one Parquet file.
pub(crate) struct ParquetBatches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    said_rows: u64,
    found_rows: u64,
    finished: bool,
}

/// Some rows of a file.
pub(crate) struct Selected {
    /// The row groups that they are in.
    pub(crate) groups: Range<usize>,
    /// The rows themselves, ascending, counted from the first row of the first of these groups; `None` for all.
    pub(crate) rows: Option<Vec<Range<usize>>>,
}

impl ParquetBatches {
    /// Opens a file to read those of the fields that it has. They come in the file's order, under their names.
    pub(crate) fn open(
        path: &Path,
        fields: &Fields,
        batch_rows: usize,
    ) -> Result<Self, TableError> {
        let metadata = hinted(open(path)?, path, fields)?;
        let all = Selected {
            groups: 0..metadata.metadata().num_row_groups(),
            rows: None,
        };
        Self::of(path, &metadata, fields, batch_rows, all)
    }

    /// The same for some rows only, where the file's metadata are known already.
    pub(crate) fn of(
        path: &Path,
        metadata: &ArrowReaderMetadata,
        fields: &Fields,
        batch_rows: usize,
        selected: Selected,
    ) -> Result<Self, TableError> {
        let own = metadata.schema().fields().iter().enumerate();
        let wanted = own.filter(|(_, own)| fields.find(own.name()).is_some());
        let positions: Vec<usize> = wanted.map(|(position, _)| position).collect();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), positions);
        let rows_of_groups = group_rows(metadata, selected.groups.clone());
        let said_rows = match &selected.rows {
            Some(rows) => rows.iter().map(|rows| rows.len() as u64).sum(),
            None => rows_of_groups,
        };
        let file = open_regular(path).map_err(|source| TableError::reading(path, source))?;
        let build = || {
            let mut builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
                    .with_projection(mask)
                    .with_batch_size(batch_rows)
                    .with_row_groups(selected.groups.collect());
            if let Some(rows) = selected.rows {
                let total = usize::try_from(rows_of_groups).unwrap_or(usize::MAX);
                let rows = RowSelection::from_consecutive_ranges(rows.into_iter(), total);
                builder = builder.with_row_selection(rows);
            }
            builder.build().map_err(ParquetCause::from)
        };
        let reader = guarded(path, build)?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            said_rows,
            found_rows: 0,
            finished: false,
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, ParquetError> {
        let reader = &mut self.reader;
        let batch = guarded(&self.path, || {
            reader.next().transpose().map_err(ParquetCause::from)
        })?;
        match &batch {
            Some(batch) => self.found_rows += batch.num_rows() as u64,
            None => self.require_all_rows()?,
        }
        Ok(batch)
    }

    fn require_all_rows(&self) -> Result<(), ParquetError> {
        let (said, found) = (self.said_rows, self.found_rows);
        if said == found {
            return Ok(());
        }
        Err(ParquetError {
            path: self.path.clone(),
            source: ParquetCause::Rows { said, found },
        })
    }
}

impl Iterator for ParquetBatches {
    type Item = Result<RecordBatch, TableError>;

    /// After an error there is nothing more: a decoder that failed is not asked again.
    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let batch = self.batch().map_err(TableError::from).transpose();
        self.finished = !matches!(batch, Some(Ok(_)));
        batch
    }
}

/// The rows that some row groups of a file should have.
pub(super) fn group_rows(metadata: &ArrowReaderMetadata, groups: Range<usize>) -> u64 {
    let groups = metadata.metadata().row_groups().get(groups);
    groups
        .unwrap_or_default()
        .iter()
        .map(|group| group.num_rows().unsigned_abs())
        .fold(0, u64::saturating_add)
}

/// The metadata of a file.
pub(super) fn open(path: &Path) -> Result<ArrowReaderMetadata, TableError> {
    let file = open_regular(path).map_err(|source| TableError::reading(path, source))?;
    let load = || {
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).map_err(ParquetCause::from)
    };
    Ok(guarded(path, load)?)
}

/// Damaged bytes must not stop the process, and the decoder panics on some of them.
pub(super) fn guarded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, ParquetCause>,
) -> Result<T, ParquetError> {
    let result = panicked(decode).unwrap_or_else(|panic| Err(ParquetCause::Panic(panic)));
    result.map_err(|source| ParquetError {
        path: path.to_owned(),
        source,
    })
}

/// What a decoder gives; or what it says when it panics.
pub(crate) fn panicked<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).map_err(|panic| panic_text(panic.as_ref()))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned())
}
