//! Records of one length in order, however many there are: what does not fit into memory goes to temporary files.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::comparator::CheckError;

/// The fewest records that are sorted in memory.
const MIN_HELD: usize = 1 << 10;
/// The files that are merged at once; beyond it, they are made one.
const MAX_RUNS: usize = 64;

/// What becomes of records that stand more than once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Twins {
    Kept,
    /// One of them is.
    Dropped,
}

/// Takes records in any order.
#[derive(Debug)]
pub(super) struct Sorter<const N: usize> {
    held: Vec<[u8; N]>,
    max_held: usize,
    runs: Vec<File>,
    folder: PathBuf,
    twins: Twins,
}

impl<const N: usize> Sorter<N> {
    /// One that holds so many bytes before it takes to files in a folder.
    pub(super) fn new(folder: &Path, bytes: u64, twins: Twins) -> Self {
        Self {
            held: Vec::new(),
            max_held: usize::try_from(bytes / N as u64)
                .unwrap_or(usize::MAX)
                .max(MIN_HELD),
            runs: Vec::new(),
            folder: folder.to_owned(),
            twins,
        }
    }

    pub(super) fn push(&mut self, record: [u8; N]) -> Result<(), CheckError> {
        if self.held.len() >= self.max_held {
            self.make_room()?;
        }
        self.held.push(record);
        Ok(())
    }

    /// Records that stand often take no file.
    fn make_room(&mut self) -> Result<(), CheckError> {
        self.sort_held();
        if self.held.len() > self.max_held / 2 {
            let run = written(&self.folder, self.held.drain(..).map(Ok))?;
            self.runs.push(run);
        }
        if self.runs.len() >= MAX_RUNS {
            let runs = std::mem::take(&mut self.runs);
            let merged = Merged::<N>::of(runs, Vec::new(), self.twins)?;
            self.runs.push(written(&self.folder, merged)?);
        }
        Ok(())
    }

    fn sort_held(&mut self) {
        self.held.sort_unstable();
        if self.twins == Twins::Dropped {
            self.held.dedup();
        }
    }

    /// All records in order.
    pub(super) fn finish(mut self) -> Result<Merged<N>, CheckError> {
        self.sort_held();
        Merged::of(self.runs, self.held, self.twins)
    }
}

fn written<const N: usize>(
    folder: &Path,
    records: impl Iterator<Item = Result<[u8; N], CheckError>>,
) -> Result<File, CheckError> {
    let mut file = BufWriter::new(tempfile::tempfile_in(folder)?);
    for record in records {
        file.write_all(&record?)?;
    }
    let mut file = file
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

/// Records in order.
#[derive(Debug)]
pub(super) struct Merged<const N: usize> {
    sources: Vec<Source<N>>,
    next: BinaryHeap<Reverse<([u8; N], usize)>>,
    last: Option<[u8; N]>,
    twins: Twins,
}

#[derive(Debug)]
enum Source<const N: usize> {
    File(BufReader<File>),
    Held(std::vec::IntoIter<[u8; N]>),
}

impl<const N: usize> Merged<N> {
    fn of(runs: Vec<File>, held: Vec<[u8; N]>, twins: Twins) -> Result<Self, CheckError> {
        let files = runs
            .into_iter()
            .map(|file| Source::File(BufReader::new(file)));
        let mut merged = Self {
            sources: files.chain([Source::Held(held.into_iter())]).collect(),
            next: BinaryHeap::new(),
            last: None,
            twins,
        };
        for number in 0..merged.sources.len() {
            merged.refill(number)?;
        }
        Ok(merged)
    }

    fn refill(&mut self, number: usize) -> Result<(), CheckError> {
        let record = match &mut self.sources[number] {
            Source::File(file) => read(file)?,
            Source::Held(records) => records.next(),
        };
        self.next
            .extend(record.map(|record| Reverse((record, number))));
        Ok(())
    }
}

fn read<const N: usize>(file: &mut impl Read) -> Result<Option<[u8; N]>, CheckError> {
    let mut record = [0; N];
    match file.read_exact(&mut record) {
        Ok(()) => Ok(Some(record)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl<const N: usize> Iterator for Merged<N> {
    type Item = Result<[u8; N], CheckError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse((record, number)) = self.next.pop()?;
            if let Err(error) = self.refill(number) {
                return Some(Err(error));
            }
            let is_twin = self.twins == Twins::Dropped && self.last == Some(record);
            if !is_twin {
                self.last = Some(record);
                return Some(Ok(record));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(records: &[u16], bytes: u64, twins: Twins) -> (Vec<u16>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::<2>::new(folder.path(), bytes, twins);
        for record in records {
            sorter.push(record.to_be_bytes()).unwrap();
        }
        let runs = sorter.runs.len();
        let sorted = sorter.finish().unwrap();
        (
            sorted
                .map(|record| u16::from_be_bytes(record.unwrap()))
                .collect(),
            runs,
        )
    }

    #[test]
    fn all_come_back_in_order_from_memory_and_from_files() {
        let records: Vec<u16> = (0..200_000_u32)
            .map(|n| (n.wrapping_mul(40_503) >> 3) as u16)
            .collect();
        let mut expected = records.clone();
        expected.sort_unstable();
        assert_eq!(
            sorted(&records, 1 << 30, Twins::Kept),
            (expected.clone(), 0)
        );
        let (spilled, runs) = sorted(&records, 0, Twins::Kept);
        assert_eq!(spilled, expected);
        assert!((1..MAX_RUNS).contains(&runs), "{runs} runs");
        expected.dedup();
        assert_eq!(sorted(&records, 1 << 30, Twins::Dropped).0, expected);
        assert_eq!(sorted(&records, 0, Twins::Dropped).0, expected);
    }

    #[test]
    fn records_that_stand_often_take_no_file() {
        let records: Vec<u16> = (0..100_000_u32).map(|n| (n % 100) as u16).collect();
        let (found, runs) = sorted(&records, 0, Twins::Dropped);
        assert_eq!((found.len(), runs), (100, 0));
        assert_eq!(sorted(&[], 0, Twins::Dropped), (Vec::new(), 0));
    }
}
