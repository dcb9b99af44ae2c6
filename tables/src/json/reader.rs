//! Batches of one file of JSON lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Fields, Schema, SchemaRef};

use super::build::{Count, Objects};
use super::lines::JsonLines;
use crate::error::TableError;
use crate::source::SchemaError;

/// A batch that has so many bytes of text is not given more rows.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// What a value takes in memory beside its text, whether it stands in the line or not.
const VALUE_BYTES: usize = 8;

/// The wanted columns of one file.
pub(crate) struct JsonBatches {
    path: PathBuf,
    lines: JsonLines,
    objects: Objects,
    schema: SchemaRef,
    batch_rows: usize,
    finished: bool,
}

impl JsonBatches {
    /// Opens a file to read these fields, but those that stand in the names of its folders.
    pub(crate) fn open(
        path: &Path,
        fields: &Fields,
        partitions: &[(String, String)],
        batch_rows: usize,
    ) -> Result<Self, TableError> {
        let in_folders = |field: &FieldRef| partitions.iter().any(|(key, _)| key == field.name());
        let own = fields.iter().filter(|field| !in_folders(field));
        let own: Vec<FieldRef> = own
            .map(|field| Arc::new(field.as_ref().clone().with_nullable(true)))
            .collect();
        let unreadable = |field: FieldRef| SchemaError::Unreadable {
            file: path.to_owned(),
            column: field.name().clone(),
            data_type: field.data_type().clone(),
        };
        let fields = Fields::from(own);
        Ok(Self {
            path: path.to_owned(),
            lines: JsonLines::open(path)?,
            objects: Objects::new(&fields).map_err(unreadable)?,
            schema: Arc::new(Schema::new(fields)),
            batch_rows,
            finished: false,
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_rows && bytes < MAX_BATCH_BYTES {
            let mut count = Count::new();
            let Some(line) = self.lines.next()? else {
                break;
            };
            bytes += line.len();
            let pushed = self.objects.push(line, &mut count);
            pushed.map_err(|problem| self.lines.error(problem))?;
            bytes += count.values() * VALUE_BYTES;
            rows += 1;
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
        let columns = self.objects.finish().map_err(arrow)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        Ok(batch.map_err(arrow)?)
    }
}

impl Iterator for JsonBatches {
    type Item = Result<RecordBatch, TableError>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let batch = self.batch().transpose();
        self.finished = !matches!(batch, Some(Ok(_)));
        batch
    }
}
