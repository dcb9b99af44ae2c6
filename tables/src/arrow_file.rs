//! Arrow IPC files, in the file format (also known as Feather, version 2) or as a stream.
//!
//! A batch is held in memory as its writer cut it. The lengths that a file states are held against the file and
//! against limits before anything is made of them.

mod error;
mod limits;
mod messages;

use std::path::{Path, PathBuf};

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Fields, SchemaRef};
use arrow_ipc::reader::FileDecoder;

pub use error::{ArrowCause, ArrowFileError};

use error::guarded;
use messages::{Content, Message, Messages};

/// The batches of one file.
pub(crate) struct ArrowBatches {
    path: PathBuf,
    messages: Messages,
    decoder: FileDecoder,
    /// A batch that has more rows than were asked for, and how many of them are given already.
    rest: Option<(RecordBatch, usize)>,
    batch_rows: usize,
    finished: bool,
}

/// The schema of one file.
pub(crate) fn file_schema(path: &Path) -> Result<SchemaRef, ArrowFileError> {
    guarded(path, || Ok(Messages::open(path)?.schema()))
}

impl ArrowBatches {
    /// Opens a file to read those of the fields that it has. They come in the file's order.
    pub(crate) fn open(
        path: &Path,
        fields: &Fields,
        batch_rows: usize,
    ) -> Result<Self, ArrowFileError> {
        let messages = guarded(path, || Messages::open(path))?;
        let schema = messages.schema();
        let own = schema.fields().iter().enumerate();
        let wanted = own.filter(|(_, own)| fields.find(own.name()).is_some());
        let positions = wanted.map(|(position, _)| position).collect();
        let decoder = FileDecoder::new(schema, messages.version()).with_projection(positions);
        Ok(Self {
            path: path.to_owned(),
            messages,
            decoder,
            rest: None,
            batch_rows,
            finished: false,
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, ArrowCause> {
        loop {
            if let Some((batch, begin)) = self.rest.take() {
                return self.piece(batch, begin).map(Some);
            }
            let Some(message) = self.messages.next()? else {
                return Ok(None);
            };
            self.rest = self.decode(&message)?.map(|batch| (batch, 0));
        }
    }

    fn decode(&mut self, message: &Message) -> Result<Option<RecordBatch>, ArrowCause> {
        let (block, bytes) = (&message.block, &message.bytes);
        Ok(match message.content {
            Content::Dictionary => {
                self.decoder.read_dictionary(block, bytes)?;
                None
            }
            Content::Batch => self.decoder.read_record_batch(block, bytes)?,
        })
    }

    /// Rows are copied, not cut out: whoever counts the memory of a piece would count the whole batch otherwise.
    fn piece(&mut self, batch: RecordBatch, begin: usize) -> Result<RecordBatch, ArrowCause> {
        let end = batch.num_rows().min(begin + self.batch_rows);
        if begin == 0 && end == batch.num_rows() {
            return Ok(batch);
        }
        let piece = if batch.num_columns() == 0 {
            batch.slice(begin, end - begin)
        } else {
            let rows = UInt64Array::from_iter_values(begin as u64..end as u64);
            take_record_batch(&batch, &rows)?
        };
        if end < batch.num_rows() {
            self.rest = Some((batch, end));
        }
        Ok(piece)
    }
}

impl Iterator for ArrowBatches {
    type Item = Result<RecordBatch, crate::TableError>;

    /// After an error there is nothing more: a decoder that failed is not asked again.
    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let path = self.path.clone();
        let batch = guarded(&path, || self.batch());
        let batch = batch.map_err(crate::TableError::from).transpose();
        self.finished = !matches!(batch, Some(Ok(_)));
        batch
    }
}

#[cfg(test)]
mod tests;
