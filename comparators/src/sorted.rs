//! Things in order, however many there are: sorted in memory, and in runs on disk once there is no room.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, Write as _};

use crate::codec::Coded;
use crate::means::{Means, TempError};

/// What a thing in memory takes besides its encoded values, about: the enums, vectors and allocations around them.
const OVERHEAD_FACTOR: u64 = 4;
/// Of the budget, what is asked for at once.
const STEP_BYTES: u64 = 1 << 20;
/// Bytes that each run is read by when runs are merged.
const READ_BYTES: usize = 64 << 10;
/// Runs that are merged at once. Beyond that many, they are first merged into one.
const MAX_RUNS: usize = 64;

/// Says which of two things comes first.
pub(crate) type OrderOf<T> = fn(&T, &T) -> Ordering;

/// Takes things in any order and gives them back in theirs.
pub(crate) struct Sorter<'a, T> {
    means: &'a Means,
    order: OrderOf<T>,
    items: Vec<T>,
    runs: Vec<File>,
    used_bytes: u64,
    taken_bytes: u64,
    scratch: Vec<u8>,
}

impl<'a, T: Coded> Sorter<'a, T> {
    pub(crate) fn new(means: &'a Means, order: OrderOf<T>) -> Self {
        Self {
            means,
            order,
            items: Vec::new(),
            runs: Vec::new(),
            used_bytes: 0,
            taken_bytes: 0,
            scratch: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, item: T) -> Result<(), TempError> {
        self.scratch.clear();
        item.encode(&mut self.scratch);
        self.used_bytes += self.scratch.len() as u64 * OVERHEAD_FACTOR;
        self.items.push(item);
        if self.used_bytes > self.taken_bytes {
            self.grow()?;
        }
        Ok(())
    }

    /// Takes more memory, or makes a run of what there is.
    fn grow(&mut self) -> Result<(), TempError> {
        let missing = (self.used_bytes - self.taken_bytes).next_multiple_of(STEP_BYTES);
        if self.means.memory.take(missing) {
            self.taken_bytes += missing;
            return Ok(());
        }
        // Even without any budget a run is worth its file only from some size on.
        if self.used_bytes < STEP_BYTES {
            return Ok(());
        }
        self.write_run().map_err(self.means.temp_error())
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.items.sort_by(self.order);
        let mut run = RunWriter::new(self.means)?;
        for item in self.items.drain(..) {
            run.write(&item)?;
        }
        self.runs.push(run.finish()?);
        self.used_bytes = 0;
        if self.runs.len() == MAX_RUNS {
            self.merge_runs()?;
        }
        Ok(())
    }

    fn merge_runs(&mut self) -> io::Result<()> {
        let mut merged = RunWriter::new(self.means)?;
        let mut merge = Merge::start(self.order, std::mem::take(&mut self.runs), Vec::new())?;
        while let Some(item) = merge.next_item()? {
            merged.write(&item)?;
        }
        self.runs.push(merged.finish()?);
        Ok(())
    }

    /// Ends the taking. The memory is free when what comes back is dropped.
    pub(crate) fn finish(mut self) -> Result<Sorted<'a, T>, TempError> {
        self.items.sort_by(self.order);
        let temp_error = self.means.temp_error();
        let merge = Merge::start(self.order, self.runs, self.items).map_err(temp_error)?;
        Ok(Sorted {
            means: self.means,
            merge,
            taken_bytes: self.taken_bytes,
            peeked: None,
        })
    }
}

/// Things in their order.
pub(crate) struct Sorted<'a, T> {
    means: &'a Means,
    merge: Merge<T>,
    taken_bytes: u64,
    peeked: Option<T>,
}

impl<T: Coded> Sorted<'_, T> {
    /// The next thing, which is given away.
    pub(crate) fn next(&mut self) -> Result<Option<T>, TempError> {
        match self.peeked.take() {
            Some(item) => Ok(Some(item)),
            None => self.merge.next_item().map_err(self.means.temp_error()),
        }
    }

    /// The next thing, which is kept for later.
    pub(crate) fn peek(&mut self) -> Result<Option<&T>, TempError> {
        if self.peeked.is_none() {
            self.peeked = self.next()?;
        }
        Ok(self.peeked.as_ref())
    }

    /// The next thing, if it is one of those.
    pub(crate) fn next_if(
        &mut self,
        is_wanted: impl FnOnce(&T) -> bool,
    ) -> Result<Option<T>, TempError> {
        match self.peek()? {
            Some(item) if is_wanted(item) => self.next(),
            _ => Ok(None),
        }
    }
}

impl<T> Drop for Sorted<'_, T> {
    fn drop(&mut self) {
        self.means.memory.give_back(self.taken_bytes);
    }
}

/// A run on its way to disk: each thing after its length.
struct RunWriter {
    file: io::BufWriter<File>,
    scratch: Vec<u8>,
}

impl RunWriter {
    fn new(means: &Means) -> io::Result<Self> {
        let file = io::BufWriter::new(tempfile::tempfile_in(&means.temp_dir)?);
        Ok(Self {
            file,
            scratch: Vec::new(),
        })
    }

    fn write(&mut self, item: &impl Coded) -> io::Result<()> {
        self.scratch.clear();
        item.encode(&mut self.scratch);
        self.file
            .write_all(&(self.scratch.len() as u64).to_le_bytes())?;
        self.file.write_all(&self.scratch)
    }

    fn finish(self) -> io::Result<File> {
        let mut file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// Runs that are being merged.
struct Merge<T> {
    heads: BinaryHeap<Head<T>>,
    runs: Vec<Run<T>>,
    order: OrderOf<T>,
}

enum Run<T> {
    Memory(std::vec::IntoIter<T>),
    Disk(BufReader<File>),
}

/// The first thing of a run that was not given away yet.
struct Head<T> {
    item: T,
    run: usize,
    order: OrderOf<T>,
}

impl<T: Coded> Merge<T> {
    fn start(order: OrderOf<T>, files: Vec<File>, items: Vec<T>) -> io::Result<Self> {
        let disk = files
            .into_iter()
            .map(|file| Run::Disk(BufReader::with_capacity(READ_BYTES, file)));
        let runs = disk.chain([Run::Memory(items.into_iter())]).collect();
        let mut merge = Self {
            heads: BinaryHeap::new(),
            runs,
            order,
        };
        for run in 0..merge.runs.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        if let Some(item) = self.runs[run].next_item()? {
            self.heads.push(Head {
                item,
                run,
                order: self.order,
            });
        }
        Ok(())
    }

    fn next_item(&mut self) -> io::Result<Option<T>> {
        let Some(head) = self.heads.pop() else {
            return Ok(None);
        };
        self.advance(head.run)?;
        Ok(Some(head.item))
    }
}

impl<T: Coded> Run<T> {
    fn next_item(&mut self) -> io::Result<Option<T>> {
        match self {
            Self::Memory(items) => Ok(items.next()),
            Self::Disk(file) => {
                let mut len = [0; 8];
                match file.read_exact(&mut len) {
                    Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    read => read?,
                }
                let len = usize::try_from(u64::from_le_bytes(len)).map_err(io::Error::other)?;
                let mut bytes = vec![0; len];
                file.read_exact(&mut bytes)?;
                Ok(Some(T::decode(&mut bytes.as_slice())))
            }
        }
    }
}

impl<T> Ord for Head<T> {
    /// Turned round, because the heap gives the greatest first; among equal things the earlier run goes first.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.order)(&other.item, &self.item).then_with(|| other.run.cmp(&self.run))
    }
}

impl<T> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Head<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Head<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u64) -> (u64, String) {
        (number, "x".repeat(100))
    }

    #[track_caller]
    fn check(memory_bytes: u64, on_disk: bool) {
        let folder = tempfile::tempdir().unwrap();
        let means = Means::with(memory_bytes, 1, folder.path(), 1, 1);
        let before = means.memory.left();
        let mut sorter = Sorter::new(&means, Ord::cmp);
        for number in 0..300_000 {
            sorter.push(item(number * 7919 % 300_000)).unwrap();
        }
        assert_eq!(!sorter.runs.is_empty(), on_disk);
        let mut sorted = sorter.finish().unwrap();
        for number in 0..300_000 {
            assert!(sorted.next_if(|next| next.0 != number).unwrap().is_none());
            assert!(
                sorted.next().unwrap() == Some(item(number)),
                "all things, in order: {number}"
            );
        }
        assert!(sorted.next().unwrap().is_none());
        drop(sorted);
        assert_eq!(means.memory.left(), before, "all memory is given back");
    }

    #[test]
    fn things_come_in_order_from_memory_and_from_runs() {
        check(1 << 30, false);
        check(4 << 20, true);
        check(0, true);
    }
}
