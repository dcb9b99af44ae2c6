//! What a comparison may use up: memory, threads, and room for temporary files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The most parts that rows are kept in: more would make writing to them slow, because each has a page of its own.
const MAX_PARTS: usize = 1024;
/// The rows that a part should have: what is kept of them on both sides fits into the cache that a processor core
/// has for itself.
const PART_ROWS: usize = 16 << 10;
/// The share of the memory that one part of both sides may take when it is matched: one in so many.
const PART_SHARE: u64 = 8;
/// The least and the most bytes that a part is kept in and written to disk by.
const MIN_CHUNK_BYTES: usize = 4 << 10;
const MAX_CHUNK_BYTES: usize = 64 << 10;
/// The share of the memory that the unfinished chunks of all parts may take: one in so many.
const OPEN_SHARE: usize = 8;
/// The rows that share a cell: each row that differs takes so many with it into the second pass.
const CELL_ROWS: usize = 8;
/// The share of the memory that the cells of both sides may take together: one in so many.
const CELL_SHARE: usize = 4;
const MAX_CELLS: usize = 1 << 24;

/// What a comparison may use up.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) memory: Budget,
    pub(crate) threads: usize,
    pub(crate) temp_dir: PathBuf,
    pub(crate) parts: usize,
    /// The cells that rows are summed up in; no fewer than parts.
    pub(crate) cells: usize,
    pub(crate) chunk_bytes: usize,
    /// Parts of more bytes, both sides together, are sorted on disk instead of being loaded.
    pub(crate) most_part_bytes: u64,
    /// The bits of a key's digest that are looked at: all of them, but where tests want keys to collide.
    pub(crate) key_mask: u128,
}

impl Means {
    /// The means for a comparison whose greater side has so many rows, about.
    pub(crate) fn new(
        memory_bytes: u64,
        threads: usize,
        temp_dir: &Path,
        expected_rows: Option<u64>,
    ) -> Self {
        let memory = usize::try_from(memory_bytes).unwrap_or(usize::MAX);
        let rows = expected_rows.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
        let fitting = memory / OPEN_SHARE / 2 / MIN_CHUNK_BYTES;
        let parts = rows.map_or(MAX_PARTS, |rows| rows / PART_ROWS);
        let parts = 1 << parts.min(fitting).clamp(1, MAX_PARTS).ilog2();
        let fitting = memory / CELL_SHARE / 2 / size_of::<u128>();
        let cells = rows.map_or(MAX_CELLS, |rows| rows / CELL_ROWS).min(fitting);
        let cells = 1 << cells.clamp(1, MAX_CELLS).ilog2();
        Self::with(memory_bytes, threads, temp_dir, parts, cells)
    }

    /// The same with given numbers of parts and of cells, both powers of two.
    pub(crate) fn with(
        memory_bytes: u64,
        threads: usize,
        temp_dir: &Path,
        parts: usize,
        cells: usize,
    ) -> Self {
        let cells = cells.max(parts);
        let memory = usize::try_from(memory_bytes).unwrap_or(usize::MAX);
        let spoken_for = memory / OPEN_SHARE + 2 * cells * size_of::<u128>();
        Self {
            memory: Budget::new(memory_bytes.saturating_sub(spoken_for as u64)),
            threads: threads.max(1),
            temp_dir: temp_dir.to_owned(),
            parts,
            cells,
            chunk_bytes: (memory / OPEN_SHARE / 2 / parts).clamp(MIN_CHUNK_BYTES, MAX_CHUNK_BYTES),
            most_part_bytes: memory_bytes / PART_SHARE / threads.max(1) as u64,
            key_mask: u128::MAX,
        }
    }

    /// Says of a failure which folder it happened in.
    pub(crate) fn temp_error(&self) -> impl Fn(io::Error) -> TempError + use<> {
        let folder = self.temp_dir.clone();
        move |source| TempError {
            folder: folder.clone(),
            source,
        }
    }
}

/// Temporary files cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("temporary files in `{}` cannot be written or read", folder.display())]
pub struct TempError {
    /// The folder.
    pub folder: PathBuf,
    /// What the file system said.
    pub source: io::Error,
}

/// Memory that several threads draw on.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            left: AtomicU64::new(bytes),
        }
    }

    /// Takes bytes if they are there.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let take = |left: u64| left.checked_sub(bytes);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}
