//! Batches of one file of JSON lines.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Fields, Schema};
use arrow_json::reader::{Decoder, ReaderBuilder};

use super::error::JsonProblem;
use super::scan::JsonLines;
use crate::error::TableError;

/// A batch that has so many bytes of text is not given more rows.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// The wanted columns of one file.
pub(crate) struct JsonBatches {
    lines: JsonLines,
    decoder: Decoder,
    schema: Arc<Schema>,
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
        let own = fields
            .iter()
            .filter(|field| !partitions.iter().any(|(key, _)| key == field.name()));
        let own: Vec<Field> = own
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect();
        let schema = Arc::new(Schema::new(own));
        let lines = JsonLines::open(path)?;
        let decoder = ReaderBuilder::new(Arc::clone(&schema))
            .with_batch_size(batch_rows)
            .with_coerce_primitive(true)
            .build_decoder()
            .map_err(|error| lines.error(JsonProblem::WrongValue(error.to_string())))?;
        Ok(Self {
            lines,
            decoder,
            schema,
            batch_rows,
            finished: false,
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_rows && bytes < MAX_BATCH_BYTES {
            let Some(line) = self.lines.next()? else {
                self.finished = true;
                break;
            };
            bytes += line.len();
            rows += 1;
            if !self.schema.fields().is_empty() {
                let decoded = self.decoder.decode(line.as_bytes());
                decoded.map_err(|error| {
                    self.lines.error(JsonProblem::WrongValue(error.to_string()))
                })?;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        if self.schema.fields().is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let batch =
                RecordBatch::try_new_with_options(Arc::clone(&self.schema), Vec::new(), &options);
            return batch
                .map(Some)
                .map_err(|error| self.lines.error(JsonProblem::WrongValue(error.to_string())));
        }
        let batch = self.decoder.flush();
        batch.map_err(|error| self.lines.error(JsonProblem::WrongValue(error.to_string())))
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
        self.finished = self.finished || !matches!(batch, Some(Ok(_)));
        batch
    }
}
