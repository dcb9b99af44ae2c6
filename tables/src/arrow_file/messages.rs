//! The messages of a file, one after the other (Arrow's columnar format, "Serialization and Interprocess Communication").

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use arrow::buffer::{Buffer, MutableBuffer};
use arrow::datatypes::SchemaRef;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::read_footer_length;
use arrow_ipc::{Block, MessageHeader, MetadataVersion, root_as_footer, root_as_message};

use super::error::ArrowCause;
use super::limits::{self, MAX_BATCH_BYTES, MAX_METADATA_BYTES};
use crate::file::open_regular;

/// How a file in the file format begins and ends; a stream has no mark of its own.
const MAGIC: &[u8] = b"ARROW1";

/// How a file of Feather's first version begins.
const OLD_FEATHER: &[u8] = b"FEA1";

/// What stands before a message's length, but in files older than version 0.15.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The length of the footer and the magic after it.
const TRAILER_BYTES: usize = 10;

/// The rows, or the values of a dictionary, that a file consists of.
pub(super) struct Message {
    pub(super) content: Content,
    /// Where in the bytes its metadata end.
    pub(super) block: Block,
    pub(super) bytes: Buffer,
}

/// What a message brings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    Dictionary,
    Batch,
}

/// The messages of one file.
pub(super) struct Messages {
    input: BufReader<File>,
    schema: SchemaRef,
    version: MetadataVersion,
    order: Order,
}

/// Where the messages are.
enum Order {
    /// At these places, the next one last.
    Blocks(Vec<Block>),
    /// One after the other until the end mark; so many bytes are left.
    Stream(u64),
}

impl Messages {
    pub(super) fn open(path: &Path) -> Result<Self, ArrowCause> {
        let file = open_regular(path)?;
        let length = file.metadata()?.len();
        let mut input = BufReader::new(file);
        let mut start = Vec::new();
        input
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)?;
        input.rewind()?;
        if start == MAGIC {
            return Self::of_file(input, length);
        }
        if start.starts_with(OLD_FEATHER) {
            return Err(ArrowCause::OldFeather);
        }
        Self::of_stream(input, length)
    }

    fn of_file(mut input: BufReader<File>, length: u64) -> Result<Self, ArrowCause> {
        let most = length
            .checked_sub((TRAILER_BYTES + MAGIC.len()) as u64)
            .ok_or(ArrowCause::TooShort(length))?;
        let mut trailer = [0; TRAILER_BYTES];
        input.seek(SeekFrom::Start(length - TRAILER_BYTES as u64))?;
        input.read_exact(&mut trailer)?;
        let said = read_footer_length(trailer)? as u64;
        let said = bounded("the footer", said as i64, most.min(MAX_METADATA_BYTES))?;
        input.seek(SeekFrom::Start(length - TRAILER_BYTES as u64 - said))?;
        let footer = exactly(&mut input, said)?;
        let footer = root_as_footer(&footer).map_err(ArrowCause::flatbuffer)?;
        let schema = footer.schema().ok_or(ArrowCause::Schema)?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(ArrowCause::ByteOrder);
        }
        let blocks = footer.dictionaries().into_iter().flatten();
        let blocks = blocks.chain(footer.recordBatches().into_iter().flatten());
        let mut blocks: Vec<Block> = blocks.copied().collect();
        blocks.reverse();
        Ok(Self {
            schema: Arc::new(fb_to_schema(schema)),
            version: footer.version(),
            order: Order::Blocks(blocks),
            input,
        })
    }

    fn of_stream(mut input: BufReader<File>, length: u64) -> Result<Self, ArrowCause> {
        let mut left = length;
        let prefix = prefix(&mut input, &mut left)?.ok_or(ArrowCause::TooShort(length))?;
        let metadata = exactly(&mut input, prefix.metadata_bytes)?;
        left -= prefix.metadata_bytes;
        let message = root_as_message(&metadata).map_err(ArrowCause::flatbuffer)?;
        let schema = message.header_as_schema().ok_or(ArrowCause::Schema)?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(ArrowCause::ByteOrder);
        }
        // Nothing belongs into the body of a schema.
        bounded("the schema's body", message.bodyLength(), 0)?;
        Ok(Self {
            schema: Arc::new(fb_to_schema(schema)),
            version: message.version(),
            order: Order::Stream(left),
            input,
        })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(super) fn version(&self) -> MetadataVersion {
        self.version
    }

    /// The next message; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Message>, ArrowCause> {
        match &mut self.order {
            Order::Blocks(blocks) => match blocks.pop() {
                Some(block) => self.at(block).map(Some),
                None => Ok(None),
            },
            Order::Stream(left) => next_of_stream(&mut self.input, left),
        }
    }

    fn at(&mut self, block: Block) -> Result<Message, ArrowCause> {
        let length = self.input.get_ref().metadata()?.len();
        let begin = bounded("what is before a batch", block.offset(), length)?;
        let rest = length - begin;
        let metadata = i64::from(block.metaDataLength());
        let metadata = bounded("a batch's metadata", metadata, rest.min(MAX_METADATA_BYTES))?;
        let body = bounded(
            "a batch",
            block.bodyLength(),
            (rest - metadata).min(MAX_BATCH_BYTES),
        )?;
        self.input.seek(SeekFrom::Start(begin))?;
        let bytes = exactly(&mut self.input, metadata + body)?;
        message(block, bytes)
    }
}

fn next_of_stream(
    input: &mut BufReader<File>,
    left: &mut u64,
) -> Result<Option<Message>, ArrowCause> {
    let Some(prefix) = prefix(input, left)? else {
        return match *left {
            0 => Ok(None),
            more => Err(ArrowCause::AfterEnd(more)),
        };
    };
    let metadata = exactly(input, prefix.metadata_bytes)?;
    *left -= prefix.metadata_bytes;
    let body = root_as_message(&metadata)
        .map_err(ArrowCause::flatbuffer)?
        .bodyLength();
    let body = bounded("a batch", body, (*left).min(MAX_BATCH_BYTES))?;
    *left -= body;
    let head = prefix.bytes.len() as u64 + prefix.metadata_bytes;
    let mut bytes = MutableBuffer::from_len_zeroed(to_usize(head + body));
    let (first, rest) = bytes.split_at_mut(prefix.bytes.len());
    first.copy_from_slice(&prefix.bytes);
    let (second, rest) = rest.split_at_mut(metadata.len());
    second.copy_from_slice(&metadata);
    input.read_exact(rest)?;
    let metadata_bytes = i32::try_from(head).expect("metadata are shorter than their limit");
    let block = Block::new(0, metadata_bytes, body as i64);
    message(block, bytes.into()).map(Some)
}

/// A message as it lies in the file: its prefix, its metadata and its body.
fn message(block: Block, bytes: Buffer) -> Result<Message, ArrowCause> {
    let (head, body) = bytes.split_at(to_usize(block.metaDataLength().unsigned_abs().into()));
    let prefix = if head.starts_with(&CONTINUATION) {
        8
    } else {
        4
    };
    let metadata = head.get(prefix..).ok_or(ArrowCause::OtherMessage)?;
    let parsed = root_as_message(metadata).map_err(ArrowCause::flatbuffer)?;
    limits::check(&parsed, body)?;
    let content = match parsed.header_type() {
        MessageHeader::DictionaryBatch => Content::Dictionary,
        _ => Content::Batch,
    };
    Ok(Message {
        content,
        block,
        bytes,
    })
}

/// What stands before a message's metadata.
struct Prefix {
    bytes: Vec<u8>,
    metadata_bytes: u64,
}

/// Reads the prefix of a stream's next message; `None` at the end mark.
fn prefix(input: &mut BufReader<File>, left: &mut u64) -> Result<Option<Prefix>, ArrowCause> {
    let mut word = || -> Result<[u8; 4], ArrowCause> {
        *left = left.checked_sub(4).ok_or(ArrowCause::NoEnd)?;
        let mut word = [0; 4];
        input.read_exact(&mut word)?;
        Ok(word)
    };
    let mut bytes = word()?.to_vec();
    let mut length = bytes.clone();
    if bytes == CONTINUATION {
        length = word()?.to_vec();
        bytes.extend(&length);
    }
    let said = i32::from_le_bytes([length[0], length[1], length[2], length[3]]);
    if said == 0 {
        return Ok(None);
    }
    let most = (*left).min(MAX_METADATA_BYTES);
    let metadata_bytes = bounded("a message's metadata", said.into(), most)?;
    Ok(Some(Prefix {
        bytes,
        metadata_bytes,
    }))
}

/// A length that a file states, if it can be.
fn bounded(what: &'static str, said: i64, most: u64) -> Result<u64, ArrowCause> {
    let length = u64::try_from(said).ok().filter(|length| *length <= most);
    length.ok_or(ArrowCause::WrongLength { what, said, most })
}

fn exactly(input: &mut impl Read, bytes: u64) -> Result<Buffer, ArrowCause> {
    let mut buffer = MutableBuffer::from_len_zeroed(to_usize(bytes));
    input.read_exact(&mut buffer)?;
    Ok(buffer.into())
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).expect("lengths are held against limits that memory has addresses for")
}
