//! The two tables, as a comparator sees them.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use understudy_core::run_date::RunDate;
use understudy_tables::{Batches, TableReader, TableSource, schemas_of_pair};

use super::CheckError;
use crate::both::{Both, Side};

/// The rows of a batch, at most.
const BATCH_ROWS: usize = 8_192;

/// Two tables, and what a comparator may use up.
#[derive(Clone, Copy, Debug)]
pub struct SidesRequest<'a> {
    /// The old table.
    pub old: &'a TableSource,
    /// The new table.
    pub new: &'a TableSource,
    /// The columns that identify a row; empty where nobody says.
    pub key: &'a [String],
    /// The column that says whose row it is.
    pub customer: Option<&'a str>,
    /// The run date.
    pub run_date: RunDate,
    /// The run's pinned instant: nanoseconds since the epoch.
    pub now_nanos: i64,
    /// What it should hold in memory at most, in bytes.
    pub memory_bytes: u64,
    /// How many threads it may use.
    pub threads: usize,
    /// A folder of its own for temporary files. It is there.
    pub temp_dir: &'a Path,
}

/// Two tables whose columns are known. Of text formats, the types are inferred over both together.
#[derive(Clone, Debug)]
pub struct Sides<'a> {
    request: SidesRequest<'a>,
    schemas: Both<SchemaRef>,
}

impl<'a> Sides<'a> {
    /// Finds out the columns of both tables.
    ///
    /// # Errors
    /// A table that cannot be read.
    pub fn open(request: SidesRequest<'a>) -> Result<Self, CheckError> {
        let (old, new) = schemas_of_pair(request.old, request.new)?;
        Ok(Self {
            request,
            schemas: Both { old, new },
        })
    }

    /// The files of a side.
    #[must_use]
    pub fn source(&self, side: Side) -> &'a TableSource {
        match side {
            Side::Old => self.request.old,
            Side::New => self.request.new,
        }
    }

    /// The columns of a side.
    #[must_use]
    pub fn schema(&self, side: Side) -> &SchemaRef {
        self.schemas.get(side)
    }

    /// The columns that identify a row.
    #[must_use]
    pub fn key(&self) -> &'a [String] {
        self.request.key
    }

    /// The column that says whose row it is.
    #[must_use]
    pub fn customer(&self) -> Option<&'a str> {
        self.request.customer
    }

    /// The run date.
    #[must_use]
    pub fn run_date(&self) -> RunDate {
        self.request.run_date
    }

    /// The run's pinned instant, in nanoseconds since 1970-01-01T00:00:00 UTC. A comparator that asks the clock itself
    /// gives another answer each time.
    #[must_use]
    pub fn now_nanos(&self) -> i64 {
        self.request.now_nanos
    }

    /// What it should hold in memory at most, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.request.memory_bytes
    }

    /// How many threads it may use.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.request.threads
    }

    /// A folder of its own for temporary files; it is removed afterwards.
    #[must_use]
    pub fn temp_dir(&self) -> &'a Path {
        self.request.temp_dir
    }

    /// Where columns stand in a side's schema.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn positions(&self, side: Side, columns: &[&str]) -> Result<Vec<usize>, CheckError> {
        let position = |column: &&str| {
            let found = self.schema(side).index_of(column);
            found.map_err(|_| self.no_column(column))
        };
        columns.iter().map(position).collect()
    }

    fn no_column(&self, column: &str) -> CheckError {
        let lacks = |side: &Side| self.schema(*side).index_of(column).is_err();
        CheckError::NoColumn {
            column: column.to_owned(),
            sides: [Side::Old, Side::New].into_iter().filter(lacks).collect(),
        }
    }

    /// Batches of some thousand rows of a side, with these columns in this order, in the order of its files.
    ///
    /// # Errors
    /// A column that is not there. What is wrong with a file comes as an item when it is its turn.
    pub fn batches(&self, side: Side, columns: &[&str]) -> Result<Batches, CheckError> {
        let wanted = self.positions(side, columns)?;
        let schema = self.schema(side);
        let mut read = wanted.clone();
        read.sort_unstable();
        read.dedup();
        let batches = self.source(side).read(schema, Some(&read), BATCH_ROWS)?;
        let places: Vec<usize> = wanted
            .iter()
            .map(|position| read.partition_point(|other| other < position))
            .collect();
        if places.iter().copied().eq(0..read.len()) {
            return Ok(batches);
        }
        let in_order = move |batch: Result<arrow::array::RecordBatch, _>| {
            let batch = batch?;
            Ok(batch
                .project(&places)
                .expect("each place is a column of the batch"))
        };
        Ok(Box::new(batches.map(in_order)))
    }

    /// The columns of a side with these positions.
    #[must_use]
    pub fn projected(&self, side: Side, positions: &[usize]) -> SchemaRef {
        let schema = self.schema(side);
        let fields: Vec<_> = positions
            .iter()
            .map(|position| schema.field(*position).clone())
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// How many rows a side has.
    ///
    /// # Errors
    /// A table that cannot be read.
    pub fn rows(&self, side: Side) -> Result<u64, CheckError> {
        let reader = TableReader::open(self.source(side), self.schema(side))?;
        let known: Option<u64> = reader.pieces().iter().map(|piece| piece.rows).sum();
        if let Some(rows) = known {
            return Ok(rows);
        }
        let mut rows = 0;
        let first: Vec<usize> = (0..self.schema(side).fields().len().min(1)).collect();
        for batch in self
            .source(side)
            .read(self.schema(side), Some(&first), BATCH_ROWS)?
        {
            rows += batch?.num_rows() as u64;
        }
        Ok(rows)
    }

    /// How many rows both sides have together; none at all is nothing to look at.
    ///
    /// # Errors
    /// [`CheckError::Empty`], or a table that cannot be read.
    pub fn all_rows(&self) -> Result<u64, CheckError> {
        match self.rows(Side::Old)? + self.rows(Side::New)? {
            0 => Err(CheckError::Empty),
            rows => Ok(rows),
        }
    }
}
