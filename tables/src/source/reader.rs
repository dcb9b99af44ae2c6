//! A table that is read more than once, in pieces that can be read at the same time.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use understudy_core::snapshot::FileFormat;

use super::encoding::{hinted, quick_schema};
use super::parquet::{ParquetBatches, Selected, group_rows, open};
use super::read::Shape;
use super::{Batches, SchemaError, TableSource};
use crate::error::TableError;

/// The rows that a piece has at least, where there are more. A row group is never divided, and mostly a piece of its
/// own: rows of two groups in one batch would have to be given a new dictionary.
const PIECE_ROWS: u64 = 1 << 16;

/// A part of a table that can be read by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Its number, counted from zero.
    pub number: usize,
    /// The position of its first row in the table.
    pub first_row: u64,
    /// Its rows; known for Parquet only. Tables of other formats are one piece.
    pub rows: Option<u64>,
}

impl Piece {
    /// A piece.
    #[must_use]
    pub fn new(number: usize, first_row: u64, rows: Option<u64>) -> Self {
        Self {
            number,
            first_row,
            rows,
        }
    }
}

/// Reads a table piece by piece, as often as wanted.
///
/// Text and bytes come in the encodings that are decoded fastest: in dictionaries where the files have them in small
/// ones, else in views. Their values are those of the schema.
#[derive(Debug)]
pub struct TableReader {
    source: TableSource,
    schema: SchemaRef,
    files: Vec<ParquetSource>,
    pieces: Vec<Piece>,
    /// For each piece of Parquet its file and its row groups.
    places: Vec<(usize, Range<usize>)>,
}

/// One Parquet file of the table, whose metadata are read once.
#[derive(Debug)]
struct ParquetSource {
    path: PathBuf,
    partitions: Vec<(String, String)>,
    metadata: ArrowReaderMetadata,
}

impl TableReader {
    /// Opens a table to be read in a schema given by [`TableSource::schema`] or [`schemas_of_pair`].
    ///
    /// [`schemas_of_pair`]: crate::schemas_of_pair
    ///
    /// # Errors
    /// A Parquet file that cannot be read.
    pub fn open(source: &TableSource, schema: &SchemaRef) -> Result<Self, TableError> {
        let mut reader = Self {
            source: source.clone(),
            schema: Arc::clone(schema),
            files: Vec::new(),
            pieces: Vec::new(),
            places: Vec::new(),
        };
        match source.snapshot.format {
            FileFormat::Csv | FileFormat::Json | FileFormat::Arrow => {
                reader.pieces.push(Piece::new(0, 0, None));
            }
            FileFormat::Parquet => reader.open_parquet()?,
        }
        Ok(reader)
    }

    fn open_parquet(&mut self) -> Result<(), TableError> {
        self.schema = quick_schema(&self.source.paths(), &self.schema)?;
        let mut first_row = 0;
        for file in &self.source.snapshot.files {
            let path = self.source.base.join(&file.path);
            let metadata = hinted(open(&path)?, &path, self.schema.fields())?;
            for groups in runs(&metadata) {
                let rows = group_rows(&metadata, groups.clone());
                let number = self.pieces.len();
                self.pieces.push(Piece::new(number, first_row, Some(rows)));
                self.places.push((self.files.len(), groups));
                first_row += rows;
            }
            self.files.push(ParquetSource {
                path,
                partitions: file.partitions.clone(),
                metadata,
            });
        }
        Ok(())
    }

    /// The pieces, in the order of their rows.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether reading some rows only is less work than reading all.
    #[must_use]
    pub fn can_skip(&self) -> bool {
        self.source.snapshot.format == FileFormat::Parquet
    }

    /// Batches of one piece with at most `batch_rows` rows each, of the projected columns (positions in the schema,
    /// ascending); of these rows only, if any are given (ranges of positions in the table, ascending and within the
    /// piece), which is for tables that can skip.
    ///
    /// # Errors
    /// A projection beyond the schema, or a file that cannot be opened. What is wrong within it comes as an item.
    pub fn read(
        &self,
        piece: &Piece,
        projection: &[usize],
        batch_rows: usize,
        rows: Option<&[Range<u64>]>,
    ) -> Result<Batches, TableError> {
        let Some((file, groups)) = self.places.get(piece.number) else {
            return self.source.read(&self.schema, Some(projection), batch_rows);
        };
        let file = &self.files[*file];
        let projected = self.schema.project(projection);
        let projected = projected.map_err(|source| SchemaError::Arrow {
            file: file.path.clone(),
            source,
        })?;
        let selected = Selected {
            groups: groups.clone(),
            rows: rows.map(|rows| rows.iter().map(|rows| within(piece, rows)).collect()),
        };
        let fields = projected.fields();
        let batches = ParquetBatches::of(
            &file.path,
            &file.metadata,
            fields,
            batch_rows.max(1),
            selected,
        )?;
        let shape = Shape {
            path: file.path.clone(),
            partitions: file.partitions.clone(),
            schema: Arc::new(projected),
        };
        Ok(Box::new(batches.map(move |batch| shape.complete(&batch?))))
    }
}

/// Positions in the table as positions in the piece.
fn within(piece: &Piece, rows: &Range<u64>) -> Range<usize> {
    let position = |row: u64| {
        usize::try_from(row.saturating_sub(piece.first_row))
            .expect("a piece has fewer rows than there are addresses")
    };
    position(rows.start)..position(rows.end)
}

/// The row groups of a file in runs of about so many rows as a piece has.
fn runs(metadata: &ArrowReaderMetadata) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for group in 0..metadata.metadata().num_row_groups() {
        if group_rows(metadata, start..group + 1) >= PIECE_ROWS {
            runs.push(start..group + 1);
            start = group + 1;
        }
    }
    if start < metadata.metadata().num_row_groups() {
        runs.push(start..metadata.metadata().num_row_groups());
    }
    runs
}
