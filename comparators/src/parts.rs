//! Bytes in parts, in memory as long as there is room and then in one temporary file.
//!
//! What belongs together (rows whose keys could be equal) goes to parts of the same number, so that a part of each
//! side is all that has to be in memory at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::means::{Means, TempError};
use crate::staging::Staging;

/// Parts, filled and taken by any thread.
pub(crate) struct Parts<'a> {
    means: &'a Means,
    parts: Vec<Mutex<Part>>,
    spill: Mutex<Option<Spill>>,
}

#[derive(Debug, Default)]
struct Part {
    full: Vec<Chunk>,
    open: Vec<u8>,
}

#[derive(Debug)]
enum Chunk {
    Memory(Vec<u8>),
    Disk { offset: u64, len: usize },
}

/// A file without a name: it is gone when it is closed, however that happens.
#[derive(Debug)]
struct Spill {
    file: Arc<File>,
    end: u64,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(means: &'a Means) -> Self {
        let mut parts = Vec::new();
        parts.resize_with(means.parts, Mutex::default);
        Self {
            means,
            parts,
            spill: Mutex::new(None),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Appends to a part. What is appended at once is never taken apart.
    pub(crate) fn append(&self, part: usize, bytes: &[u8]) -> Result<(), TempError> {
        let mut part = self.lock(part);
        if part.open.len() + bytes.len() > part.open.capacity() {
            self.close_chunk(&mut part, bytes.len())?;
        }
        part.open.extend_from_slice(bytes);
        Ok(())
    }

    /// Puts the open chunk away and makes room for at least so many bytes.
    fn close_chunk(&self, part: &mut Part, next_bytes: usize) -> Result<(), TempError> {
        let capacity = self.means.chunk_bytes.max(next_bytes);
        if part.open.is_empty() {
            part.open = Vec::with_capacity(capacity);
        } else if self.means.memory.take(part.open.capacity() as u64) {
            let full = std::mem::replace(&mut part.open, Vec::with_capacity(capacity));
            part.full.push(Chunk::Memory(full));
        } else {
            let chunk = self.spill(&part.open).map_err(self.means.temp_error())?;
            part.full.push(chunk);
            part.open.clear();
            part.open.reserve(capacity);
        }
        Ok(())
    }

    fn spill(&self, bytes: &[u8]) -> io::Result<Chunk> {
        let (file, offset) = self.spill_place(bytes.len())?;
        file.write_all_at(bytes, offset)?;
        Ok(Chunk::Disk {
            offset,
            len: bytes.len(),
        })
    }

    /// The temporary file, and where in it there is room for so many bytes.
    fn spill_place(&self, bytes: usize) -> io::Result<(Arc<File>, u64)> {
        let mut spill = self.lock_spill();
        let spill = match &mut *spill {
            Some(spill) => spill,
            none => none.insert(Spill {
                file: Arc::new(tempfile::tempfile_in(&self.means.temp_dir)?),
                end: 0,
            }),
        };
        let offset = spill.end;
        spill.end += bytes as u64;
        Ok((Arc::clone(&spill.file), offset))
    }

    /// How much was appended to a part.
    pub(crate) fn bytes(&self, part: usize) -> u64 {
        self.lock(part).bytes() as u64
    }

    /// Everything that was appended to a part. Its memory is free afterwards.
    pub(crate) fn take(&self, part: usize) -> Result<Vec<u8>, TempError> {
        let mut bytes = Vec::with_capacity(self.lock(part).bytes());
        self.take_chunks(part, |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// The same, chunk by chunk. What was appended at once is in one chunk.
    pub(crate) fn take_chunks(
        &self,
        part: usize,
        mut receive: impl FnMut(&[u8]) -> Result<(), TempError>,
    ) -> Result<(), TempError> {
        let part = std::mem::take(&mut *self.lock(part));
        let mut read = Vec::new();
        for chunk in part.full {
            match chunk {
                Chunk::Memory(held) => {
                    receive(&held)?;
                    self.means.memory.give_back(held.capacity() as u64);
                }
                Chunk::Disk { offset, len } => {
                    read.resize(len, 0);
                    self.read_spilled(&mut read, offset)
                        .map_err(self.means.temp_error())?;
                    receive(&read)?;
                }
            }
        }
        receive(&part.open)
    }

    fn read_spilled(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let file = self
            .lock_spill()
            .as_ref()
            .map(|spill| Arc::clone(&spill.file));
        file.expect("a chunk on disk has a file that it is in")
            .read_exact_at(bytes, offset)
    }

    /// Throws away what was appended to a part.
    pub(crate) fn forget(&self, part: usize) -> Result<(), TempError> {
        self.take_chunks(part, |_| Ok(()))
    }

    fn lock(&self, part: usize) -> MutexGuard<'_, Part> {
        self.parts[part]
            .lock()
            .expect("no thread panics with a part in its hands")
    }

    fn lock_spill(&self) -> MutexGuard<'_, Option<Spill>> {
        self.spill
            .lock()
            .expect("no thread panics with the spill file in its hands")
    }
}

impl Part {
    fn bytes(&self) -> usize {
        let full = self.full.iter().map(|chunk| match chunk {
            Chunk::Memory(held) => held.len(),
            Chunk::Disk { len, .. } => *len,
        });
        full.sum::<usize>() + self.open.len()
    }
}

/// Appends rows of words to parts, many at once.
pub(crate) struct PartWriter<'p> {
    parts: &'p Parts<'p>,
    staging: Staging,
    bytes: Vec<u8>,
}

impl<'p> PartWriter<'p> {
    pub(crate) fn new(parts: &'p Parts<'p>, words: usize) -> Self {
        Self {
            parts,
            staging: Staging::new(parts.len(), words),
            bytes: Vec::new(),
        }
    }

    /// Appends a row, which the caller writes into the words that it is given.
    pub(crate) fn append(
        &mut self,
        part: usize,
        write: impl FnOnce(&mut [u64]),
    ) -> Result<(), TempError> {
        write(self.staging.room(part));
        if self.staging.is_full(part) {
            self.flush(part)?;
        }
        Ok(())
    }

    /// Appends what was gathered; without this it would be lost.
    pub(crate) fn finish(mut self) -> Result<(), TempError> {
        (0..self.parts.len()).try_for_each(|part| self.flush(part))
    }

    fn flush(&mut self, part: usize) -> Result<(), TempError> {
        self.bytes.clear();
        let rows = self.staging.take(part).iter();
        self.bytes.extend(rows.flat_map(|word| word.to_le_bytes()));
        self.parts.append(part, &self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(memory_bytes: u64, spills: bool) {
        let folder = tempfile::tempdir().unwrap();
        let means = Means::with(memory_bytes, 1, folder.path(), 4, 4);
        let before = means.memory.left();
        let parts = Parts::new(&means);
        let mut expected = vec![Vec::new(); 4];
        for number in 0..20_000_u32 {
            let part = number as usize % 4;
            let bytes = vec![number as u8; number as usize % 50];
            parts.append(part, &bytes).unwrap();
            expected[part].extend_from_slice(&bytes);
        }
        assert_eq!(parts.lock_spill().is_some(), spills);
        for (part, expected) in expected.into_iter().enumerate() {
            assert!(parts.take(part).unwrap() == expected, "part {part}");
            assert!(parts.take(part).unwrap().is_empty(), "a part is taken once");
        }
        assert_eq!(means.memory.left(), before, "all memory is given back");
    }

    #[test]
    fn what_goes_in_comes_out_from_memory_and_from_disk() {
        check(100 << 20, false);
        check(100 << 10, true);
        check(0, true);
    }
}
