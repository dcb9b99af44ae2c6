//! What a message may ask for. A file of a hundred bytes can state a batch of a million gigabytes.

use arrow_ipc::{Message, MessageHeader, RecordBatch};

use super::error::ArrowCause;

/// The metadata of a message, or of the whole file, have at most so many bytes.
pub(super) const MAX_METADATA_BYTES: u64 = 64 << 20;

/// The values of a batch have at most so many bytes, compressed or not.
pub(super) const MAX_BATCH_BYTES: u64 = 1 << 30;

/// A column of a batch, and a nested one within it, has at most so many values: those of some types take no bytes.
const MAX_BATCH_VALUES: i64 = 1 << 28;

/// The length before each compressed buffer of what it becomes (Arrow's columnar format, "Compression").
const LENGTH_BYTES: usize = 8;

/// Refuses a message whose batch would be too large, or whose buffers are not in its body.
pub(super) fn check(message: &Message<'_>, body: &[u8]) -> Result<(), ArrowCause> {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message
            .header_as_dictionary_batch()
            .and_then(|dictionary| dictionary.data()),
        _ => None,
    };
    let batch = batch.ok_or(ArrowCause::OtherMessage)?;
    check_values(&batch)?;
    check_bytes(&batch, body)
}

fn check_values(batch: &RecordBatch<'_>) -> Result<(), ArrowCause> {
    let nodes = batch
        .nodes()
        .into_iter()
        .flatten()
        .map(|node| node.length());
    for found in nodes.chain([batch.length()]) {
        if !(0..=MAX_BATCH_VALUES).contains(&found) {
            return Err(ArrowCause::TooLarge {
                what: "rows",
                found,
                limit: MAX_BATCH_VALUES,
            });
        }
    }
    Ok(())
}

fn check_bytes(batch: &RecordBatch<'_>, body: &[u8]) -> Result<(), ArrowCause> {
    let is_compressed = batch.compression().is_some();
    let mut all: i64 = 0;
    for buffer in batch.buffers().into_iter().flatten() {
        let bytes = slice(body, buffer.offset(), buffer.length())?;
        let decoded = if is_compressed {
            decoded_bytes(bytes)
        } else {
            0
        };
        all = all.saturating_add(decoded);
        let limit = MAX_BATCH_BYTES as i64;
        if decoded < 0 || all > limit {
            let found = if decoded < 0 { decoded } else { all };
            return Err(ArrowCause::TooLarge {
                what: "bytes",
                found,
                limit,
            });
        }
    }
    Ok(())
}

fn slice(body: &[u8], offset: i64, length: i64) -> Result<&[u8], ArrowCause> {
    let range = || {
        let begin = usize::try_from(offset).ok()?;
        let end = begin.checked_add(usize::try_from(length).ok()?)?;
        body.get(begin..end)
    };
    range().ok_or(ArrowCause::WrongLength {
        what: "a column",
        said: length,
        most: body.len() as u64,
    })
}

/// What a compressed buffer says of its length. One of `-1` is not compressed after all.
fn decoded_bytes(buffer: &[u8]) -> i64 {
    match buffer.first_chunk::<LENGTH_BYTES>() {
        Some(length) => match i64::from_le_bytes(*length) {
            -1 => buffer.len() as i64,
            said => said,
        },
        None => 0,
    }
}
