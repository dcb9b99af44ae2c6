//! Lines in order, however many they are: sorted in memory, put aside on disk, merged.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::codec;
use super::line::Line;
use crate::report::error::ReportError;

/// How much is sorted in memory at a time, and how many sorted parts are merged at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SortLimits {
    /// Lines in memory.
    pub lines: usize,
    /// Bytes in memory, roughly.
    pub bytes: usize,
    /// Sorted parts on disk; one more, and they become one.
    pub parts: usize,
}

impl Default for SortLimits {
    fn default() -> Self {
        Self {
            lines: 200_000,
            bytes: 64 << 20,
            parts: 64,
        }
    }
}

/// Takes lines in any order.
#[derive(Debug)]
pub(crate) struct Sorter {
    limits: SortLimits,
    folder: PathBuf,
    lines: Vec<Line>,
    bytes: usize,
    parts: Vec<File>,
}

impl Sorter {
    /// A sorter that puts aside into nameless files of a folder: whatever happens, none of them remains.
    pub(crate) fn new(folder: &Path, limits: SortLimits) -> Self {
        Self {
            limits,
            folder: folder.to_owned(),
            lines: Vec::new(),
            bytes: 0,
            parts: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, line: Line) -> Result<(), ReportError> {
        self.bytes += line.memory_bytes();
        self.lines.push(line);
        if self.lines.len() >= self.limits.lines || self.bytes >= self.limits.bytes {
            self.put_aside()
                .map_err(|source| self.spill_error(source))?;
        }
        Ok(())
    }

    /// All lines, in order.
    pub(crate) fn finish(mut self) -> Result<Sorted, ReportError> {
        self.lines.sort_unstable_by(Line::order);
        let lines = std::mem::take(&mut self.lines);
        let parts = std::mem::take(&mut self.parts);
        let merge = Merge::new(parts, lines).map_err(|source| self.spill_error(source))?;
        Ok(Sorted {
            merge,
            folder: self.folder,
        })
    }

    fn put_aside(&mut self) -> io::Result<()> {
        self.lines.sort_unstable_by(Line::order);
        self.bytes = 0;
        let lines = std::mem::take(&mut self.lines);
        self.parts
            .push(write_part(&self.folder, lines.into_iter().map(Ok))?);
        if self.parts.len() > self.limits.parts {
            let merge = Merge::new(std::mem::take(&mut self.parts), Vec::new())?;
            self.parts.push(write_part(&self.folder, merge)?);
        }
        Ok(())
    }

    fn spill_error(&self, source: io::Error) -> ReportError {
        ReportError::Spill {
            folder: self.folder.clone(),
            source,
        }
    }
}

/// Lines in order.
pub(crate) struct Sorted {
    merge: Merge,
    folder: PathBuf,
}

impl Iterator for Sorted {
    type Item = Result<Line, ReportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.merge.next()?;
        Some(line.map_err(|source| ReportError::Spill {
            folder: self.folder.clone(),
            source,
        }))
    }
}

/// The sorted parts and the sorted rest in memory as one sequence.
struct Merge {
    heads: BinaryHeap<Head>,
    parts: Vec<Part>,
}

enum Part {
    Disk(BufReader<File>),
    Memory(std::vec::IntoIter<Line>),
}

/// The first line of a part that is not taken yet.
struct Head {
    line: Line,
    part: usize,
}

impl Merge {
    fn new(files: Vec<File>, lines: Vec<Line>) -> io::Result<Self> {
        let disk = files
            .into_iter()
            .map(|file| Part::Disk(BufReader::new(file)));
        let parts = disk.chain([Part::Memory(lines.into_iter())]).collect();
        let mut merge = Self {
            heads: BinaryHeap::new(),
            parts,
        };
        for part in 0..merge.parts.len() {
            merge.advance(part)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, part: usize) -> io::Result<()> {
        let line = match &mut self.parts[part] {
            Part::Disk(file) => read_line(file)?,
            Part::Memory(lines) => lines.next(),
        };
        self.heads.extend(line.map(|line| Head { line, part }));
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        let head = self.heads.pop()?;
        Some(self.advance(head.part).map(|()| head.line))
    }
}

impl Ord for Head {
    /// The heap gives its greatest first, so the first line is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .line
            .order(&self.line)
            .then_with(|| other.part.cmp(&self.part))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

fn write_part(folder: &Path, lines: impl Iterator<Item = io::Result<Line>>) -> io::Result<File> {
    let mut file = BufWriter::new(tempfile::tempfile_in(folder)?);
    let mut bytes = Vec::new();
    for line in lines {
        bytes.clear();
        codec::put_line(&mut bytes, &line?);
        file.write_all(&(bytes.len() as u64).to_le_bytes())?;
        file.write_all(&bytes)?;
    }
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

fn read_line(file: &mut BufReader<File>) -> io::Result<Option<Line>> {
    // Only an end between two lines is an end; inside one, lines are missing.
    if file.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged");
    let length = u64::from_le_bytes(length);
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    codec::line(&bytes).map(Some).ok_or_else(damaged)
}
