//! Bytes in parts, in memory as long as there is room and then in one temporary file.
//!
//! What belongs together (rows whose keys could be equal) goes to parts of the same number, so that a part of each
//! side is all that has to be in memory at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Mutex;

use crate::means::{Means, TempError};

/// Parts that are being filled.
pub(crate) struct PartWriter<'a> {
    means: &'a Means,
    parts: Vec<Part>,
    spill: Option<Spill>,
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
    file: File,
    end: u64,
}

impl<'a> PartWriter<'a> {
    pub(crate) fn new(means: &'a Means) -> Self {
        let mut parts = Vec::new();
        parts.resize_with(means.parts, Part::default);
        Self {
            means,
            parts,
            spill: None,
        }
    }

    /// The part of a key's digest: its highest bits, so that a part is a range of digests.
    pub(crate) fn part_of(&self, digest: u128) -> usize {
        let bits = self.parts.len().ilog2();
        digest.checked_shr(u128::BITS - bits).unwrap_or(0) as usize
    }

    /// Appends to a part. What is appended at once is never taken apart.
    pub(crate) fn append(&mut self, part: usize, bytes: &[u8]) -> Result<(), TempError> {
        let open = &mut self.parts[part].open;
        if open.len() + bytes.len() > open.capacity() {
            self.close_chunk(part, bytes.len())?;
        }
        self.parts[part].open.extend_from_slice(bytes);
        Ok(())
    }

    /// Puts the open chunk away and makes room for at least so many bytes.
    fn close_chunk(&mut self, part: usize, next_bytes: usize) -> Result<(), TempError> {
        let capacity = self.means.chunk_bytes.max(next_bytes);
        let part = &mut self.parts[part];
        if part.open.is_empty() {
            part.open = Vec::with_capacity(capacity);
        } else if self.means.memory.take(part.open.capacity() as u64) {
            part.full.push(Chunk::Memory(std::mem::replace(
                &mut part.open,
                Vec::with_capacity(capacity),
            )));
        } else {
            let chunk = spill(&mut self.spill, &part.open, self.means);
            part.full.push(chunk.map_err(self.means.temp_error())?);
            part.open.clear();
            part.open.reserve(capacity);
        }
        Ok(())
    }

    /// Ends the filling.
    pub(crate) fn finish(self) -> Parts<'a> {
        let parts = self.parts.into_iter().map(Mutex::new).collect();
        Parts {
            means: self.means,
            parts,
            spill: self.spill,
        }
    }
}

fn spill(spill: &mut Option<Spill>, bytes: &[u8], means: &Means) -> io::Result<Chunk> {
    let spill = match spill {
        Some(spill) => spill,
        None => spill.insert(Spill {
            file: tempfile::tempfile_in(&means.temp_dir)?,
            end: 0,
        }),
    };
    spill.file.write_all_at(bytes, spill.end)?;
    let chunk = Chunk::Disk {
        offset: spill.end,
        len: bytes.len(),
    };
    spill.end += bytes.len() as u64;
    Ok(chunk)
}

/// Parts that are full. Each can be taken once, by any thread.
pub(crate) struct Parts<'a> {
    means: &'a Means,
    parts: Vec<Mutex<Part>>,
    spill: Option<Spill>,
}

impl Parts<'_> {
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// How much was appended to a part.
    pub(crate) fn bytes(&self, part: usize) -> u64 {
        self.lock(part).bytes() as u64
    }

    /// Everything that was appended to a part, in order. Its memory is free afterwards.
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
            match &chunk {
                Chunk::Memory(held) => {
                    receive(held)?;
                    self.means.memory.give_back(held.capacity() as u64);
                }
                Chunk::Disk { offset, len } => {
                    read.resize(*len, 0);
                    let spill = self
                        .spill
                        .as_ref()
                        .expect("a chunk on disk has a file that it is in");
                    spill
                        .file
                        .read_exact_at(&mut read, *offset)
                        .map_err(self.means.temp_error())?;
                    receive(&read)?;
                }
            }
        }
        receive(&part.open)
    }

    fn lock(&self, part: usize) -> std::sync::MutexGuard<'_, Part> {
        self.parts[part]
            .lock()
            .expect("no thread panics with a part in its hands")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(memory_bytes: u64, spills: bool) {
        let folder = tempfile::tempdir().unwrap();
        let means = Means::with(memory_bytes, 1, folder.path(), 4, 4);
        let mut writer = PartWriter::new(&means);
        let mut expected = vec![Vec::new(); 4];
        for number in 0..20_000_u32 {
            let part = number as usize % 4;
            let bytes = vec![number as u8; number as usize % 50];
            writer.append(part, &bytes).unwrap();
            expected[part].extend_from_slice(&bytes);
        }
        assert_eq!(writer.spill.is_some(), spills);
        let parts = writer.finish();
        for (part, expected) in expected.into_iter().enumerate() {
            assert!(parts.take(part).unwrap() == expected, "part {part}");
            assert!(parts.take(part).unwrap().is_empty(), "a part is taken once");
        }
        assert!(
            means
                .memory
                .take((memory_bytes - memory_bytes / 8).saturating_sub(128)),
            "all memory is given back"
        );
    }

    #[test]
    fn what_goes_in_comes_out_from_memory_and_from_disk() {
        check(100 << 20, false);
        check(100 << 10, true);
        check(0, true);
    }
}
