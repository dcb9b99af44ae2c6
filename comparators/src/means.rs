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
/// The share of the memory that rows may take that are kept from one pass to the next: one in so many. Rows come in
/// many small allocations, which leave gaps behind.
const KEPT_SHARE: u64 = 4;
/// The share of the memory that the customers' names and counts may take: one in so many.
const CUSTOMER_SHARE: u64 = 4;
/// They may take that much in any case.
const MIN_CUSTOMER_BYTES: u64 = 16 << 20;
/// The rows that share a cell: each row that differs takes so many with it into the second pass.
const CELL_ROWS: usize = 4;
/// The share of the memory that the cells may take: one in so many.
const CELL_SHARE: usize = 2;
/// The bytes of a cell: one sum of all columns, and one of those whose values are not kept.
const CELL_BYTES: usize = 2 * size_of::<u128>();
const MAX_CELLS: usize = 1 << 24;
/// The bits of the short form of a digest within its part. With those that say the part they are so many that of a
/// hundred million keys hardly two are alike.
pub(crate) const SHORT_BITS: u32 = 44;
/// The bits of the longer form of a digest within its part.
pub(crate) const LONG_BITS: u32 = 48;

/// What a comparison may use up.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) memory: Budget,
    /// What of the memory rows may take that are kept from one pass to the next.
    pub(crate) kept: Budget,
    /// What the customers' names and counts may take: they cannot be put on disk.
    pub(crate) customers: Budget,
    pub(crate) threads: usize,
    pub(crate) temp_dir: PathBuf,
    pub(crate) parts: usize,
    /// The cells that rows are summed up in; no fewer than parts.
    pub(crate) cells: usize,
    part_bits: u32,
    /// The bits that say which cell of a part it is.
    cell_bits: u32,
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
        let fitting = memory / CELL_SHARE / CELL_BYTES;
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
        let spoken_for = (memory / OPEN_SHARE) as u64 + memory_bytes / CUSTOMER_SHARE;
        Self {
            memory: Budget::new(memory_bytes.saturating_sub(spoken_for)),
            kept: Budget::new(memory_bytes / KEPT_SHARE),
            customers: Budget::new((memory_bytes / CUSTOMER_SHARE).max(MIN_CUSTOMER_BYTES)),
            threads: threads.max(1),
            temp_dir: temp_dir.to_owned(),
            parts,
            cells,
            part_bits: parts.ilog2(),
            cell_bits: (cells / parts).ilog2(),
            chunk_bytes: (memory / OPEN_SHARE / 2 / parts).clamp(MIN_CHUNK_BYTES, MAX_CHUNK_BYTES),
            most_part_bytes: memory_bytes / PART_SHARE / threads.max(1) as u64,
            key_mask: u128::MAX,
        }
    }

    /// The part of a digest, by its upper half: its highest bits, so that a part is a range of digests.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a part's number is less than their number"
    )]
    #[inline]
    pub(crate) fn part_of(&self, upper: u64) -> usize {
        upper.checked_shr(u64::BITS - self.part_bits).unwrap_or(0) as usize
    }

    /// A digest's bits behind those that say its part, from the highest bit on.
    #[inline]
    fn in_part(&self, upper: u64) -> u64 {
        upper << self.part_bits
    }

    /// The number within its part of the cell that a digest belongs to, by its upper half.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cell's number is less than their number"
    )]
    #[inline]
    pub(crate) fn cell_in_part(&self, upper: u64) -> usize {
        let shift = u64::BITS - self.cell_bits;
        self.in_part(upper).checked_shr(shift).unwrap_or(0) as usize
    }

    /// How many cells a part has.
    pub(crate) fn cells_of_part(&self) -> usize {
        1 << self.cell_bits
    }

    /// The number of the cell that a digest belongs to, by its upper half.
    #[inline]
    pub(crate) fn cell_of(&self, upper: u64) -> u64 {
        (self.part_of(upper) << self.cell_bits | self.cell_in_part(upper)) as u64
    }

    /// The bits that tell a digest from nearly all others of its part.
    #[inline]
    pub(crate) fn short_of(&self, upper: u64) -> u64 {
        self.in_part(upper) >> (u64::BITS - SHORT_BITS)
    }

    /// The same, with some more of them.
    #[inline]
    pub(crate) fn long_of(&self, upper: u64) -> u64 {
        self.in_part(upper) >> (u64::BITS - LONG_BITS)
    }

    /// The upper half of a digest as far as its part and the bits behind that say it.
    pub(crate) fn upper_of_short(&self, part: usize, short: u64) -> u64 {
        self.upper_of_rest(part, short << (u64::BITS - SHORT_BITS))
    }

    /// The same of the longer form.
    pub(crate) fn upper_of_long(&self, part: usize, long: u64) -> u64 {
        self.upper_of_rest(part, long << (u64::BITS - LONG_BITS))
    }

    fn upper_of_rest(&self, part: usize, in_part: u64) -> u64 {
        let part = part as u64;
        part.checked_shl(u64::BITS - self.part_bits).unwrap_or(0) | in_part >> self.part_bits
    }

    /// A digest's bits down to the end of its short form: what tells it from most others.
    #[inline]
    pub(crate) fn mark_of(&self, upper: u64) -> u64 {
        self.upper_of_short(self.part_of(upper), self.short_of(upper))
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

    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}
