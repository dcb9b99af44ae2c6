//! Rows in order, however many there are: sorted in memory, and in runs on disk once there is no room.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, Write as _};

use understudy_core::judge::rows::JudgedRow;

use crate::codec::Coded as _;
use crate::means::{Means, TempError};

/// What a row in memory takes besides its encoded values, about: the enums, vectors and allocations around them.
const OVERHEAD_FACTOR: u64 = 4;
/// Of the budget, what is asked for at once.
const STEP_BYTES: u64 = 1 << 20;
/// Bytes that each run is read by when runs are merged.
const READ_BYTES: usize = 256 << 10;

/// Says which of two rows comes first.
pub(crate) type RowOrder = fn(&JudgedRow, &JudgedRow) -> Ordering;

/// Takes rows in any order and gives them back in theirs.
pub(crate) struct Sorter<'a> {
    means: &'a Means,
    order: RowOrder,
    rows: Vec<JudgedRow>,
    runs: Vec<File>,
    used_bytes: u64,
    taken_bytes: u64,
    scratch: Vec<u8>,
}

impl<'a> Sorter<'a> {
    pub(crate) fn new(means: &'a Means, order: RowOrder) -> Self {
        Self {
            means,
            order,
            rows: Vec::new(),
            runs: Vec::new(),
            used_bytes: 0,
            taken_bytes: 0,
            scratch: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: JudgedRow) -> Result<(), TempError> {
        self.scratch.clear();
        row.encode(&mut self.scratch);
        self.used_bytes += self.scratch.len() as u64 * OVERHEAD_FACTOR;
        self.rows.push(row);
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
        self.rows.sort_by(self.order);
        let mut file = io::BufWriter::new(tempfile::tempfile_in(&self.means.temp_dir)?);
        for row in self.rows.drain(..) {
            self.scratch.clear();
            row.encode(&mut self.scratch);
            file.write_all(&(self.scratch.len() as u64).to_le_bytes())?;
            file.write_all(&self.scratch)?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        self.used_bytes = 0;
        Ok(())
    }

    /// Gives every row, in order, to a receiver.
    pub(crate) fn drain<E: From<TempError>>(
        mut self,
        mut receive: impl FnMut(JudgedRow) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows.sort_by(self.order);
        if self.runs.is_empty() {
            self.rows.drain(..).try_for_each(receive)?;
        } else {
            let temp_error = self.means.temp_error();
            let mut merge = Merge::start(&mut self).map_err(&temp_error)?;
            while let Some(row) = merge.next_row().map_err(&temp_error)? {
                receive(row)?;
            }
        }
        self.means.memory.give_back(self.taken_bytes);
        Ok(())
    }
}

/// Runs that are being merged.
struct Merge {
    heads: BinaryHeap<Head>,
    runs: Vec<Run>,
}

enum Run {
    Memory(std::vec::IntoIter<JudgedRow>),
    Disk(BufReader<File>),
}

/// The first row of a run that was not given away yet.
struct Head {
    row: JudgedRow,
    run: usize,
    order: RowOrder,
}

impl Merge {
    fn start(sorter: &mut Sorter<'_>) -> io::Result<Self> {
        let disk = sorter
            .runs
            .drain(..)
            .map(|file| Run::Disk(BufReader::with_capacity(READ_BYTES, file)));
        let mut runs: Vec<_> = disk.collect();
        runs.push(Run::Memory(std::mem::take(&mut sorter.rows).into_iter()));
        let mut merge = Self {
            heads: BinaryHeap::new(),
            runs,
        };
        for run in 0..merge.runs.len() {
            merge.advance(run, sorter.order)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, run: usize, order: RowOrder) -> io::Result<()> {
        if let Some(row) = self.runs[run].next_row()? {
            self.heads.push(Head { row, run, order });
        }
        Ok(())
    }

    fn next_row(&mut self) -> io::Result<Option<JudgedRow>> {
        let Some(head) = self.heads.pop() else {
            return Ok(None);
        };
        self.advance(head.run, head.order)?;
        Ok(Some(head.row))
    }
}

impl Run {
    fn next_row(&mut self) -> io::Result<Option<JudgedRow>> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::Disk(file) => {
                let mut len = [0; 8];
                match file.read_exact(&mut len) {
                    Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    read => read?,
                }
                let len = usize::try_from(u64::from_le_bytes(len)).map_err(io::Error::other)?;
                let mut bytes = vec![0; len];
                file.read_exact(&mut bytes)?;
                Ok(Some(JudgedRow::decode(&mut bytes.as_slice())))
            }
        }
    }
}

impl Ord for Head {
    /// Turned round, because the heap gives the greatest first; among equal rows the earlier run goes first.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.order)(&other.row, &self.row).then_with(|| other.run.cmp(&self.run))
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

#[cfg(test)]
mod tests {
    use understudy_core::comparison::{RowChange, RowDifference};
    use understudy_core::value::Value;

    use super::*;

    fn row(number: i128) -> JudgedRow {
        let key = vec![Value::Integer(number), Value::Text("x".repeat(100))];
        let difference = RowDifference {
            key,
            old_customer: None,
            new_customer: None,
            change: RowChange::OnlyOld(vec![]),
        };
        JudgedRow {
            difference,
            rules: vec![None],
        }
    }

    fn by_key(left: &JudgedRow, right: &JudgedRow) -> Ordering {
        Value::order_all(&left.difference.key, &right.difference.key)
    }

    #[track_caller]
    fn check(memory_bytes: u64, on_disk: bool) {
        let folder = tempfile::tempdir().unwrap();
        let means = Means::new(memory_bytes, 1, folder.path());
        let mut sorter = Sorter::new(&means, by_key);
        let numbers: Vec<i128> = (0..20_000).map(|number| number * 7919 % 20_000).collect();
        numbers
            .iter()
            .for_each(|number| sorter.push(row(*number)).unwrap());
        assert_eq!(!sorter.runs.is_empty(), on_disk);
        let mut given = Vec::new();
        sorter
            .drain(|row| Ok::<_, TempError>(given.push(row)))
            .unwrap();
        let expected: Vec<JudgedRow> = (0..20_000).map(row).collect();
        assert!(given == expected, "all rows, in order");
    }

    #[test]
    fn rows_come_in_order_from_memory_and_from_runs() {
        check(1 << 30, false);
        check(4 << 20, true);
        check(0, true);
    }
}
