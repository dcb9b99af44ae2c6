//! Files of lines, plain or compressed.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::TableError;
use crate::file::open_regular;

const BUFFER_BYTES: usize = 1 << 18;

/// The largest window that a zstd file may ask for, as a power of two: 128 MiB, what `zstd` itself reads unless told
/// otherwise.
const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// Lines as they are read, whatever the file's compression.
pub type Lines = BufReader<Box<dyn Read + Send>>;

/// The endings of compressed files.
const COMPRESSED: [&str; 2] = ["gz", "zst"];

/// Opens a file; what its name says of compression is undone on the way.
///
/// # Errors
/// It cannot be read.
pub fn open(path: &Path) -> Result<Lines, TableError> {
    let failed = |source| TableError::reading(path, source);
    let file = open_regular(path).map_err(failed)?;
    if is_compressed(path) && file.metadata().map_err(failed)?.len() == 0 {
        // Nothing, compressed, is something; and a zstd decoder would take it for nothing.
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    let input: Box<dyn Read + Send> = match compression(path) {
        Some("gz") => Box::new(MultiGzDecoder::new(BufReader::with_capacity(
            BUFFER_BYTES,
            file,
        ))),
        Some("zst") => {
            let mut decoder = zstd::Decoder::new(file).map_err(failed)?;
            decoder
                .window_log_max(MAX_ZSTD_WINDOW_LOG)
                .map_err(failed)?;
            Box::new(decoder)
        }
        _ => Box::new(file),
    };
    Ok(BufReader::with_capacity(BUFFER_BYTES, input))
}

/// Whether a file's name says that it is compressed.
#[must_use]
pub fn is_compressed(path: &Path) -> bool {
    compression(path).is_some()
}

fn compression(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    COMPRESSED
        .into_iter()
        .find(|known| extension.eq_ignore_ascii_case(known))
}

/// What became of reading a line.
pub(crate) enum Line {
    /// There is one, with its end.
    Read,
    /// The file ends.
    End,
    /// It is longer than the limit.
    TooLong,
}

/// Reads one line, with its end, into an empty buffer.
pub(crate) fn read_line(input: &mut Lines, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    let read = input
        .by_ref()
        .take(limit as u64 + 1)
        .read_until(b'\n', line)?;
    Ok(match read {
        0 => Line::End,
        read if read > limit => Line::TooLong,
        _ => Line::Read,
    })
}
