//! What the first pass leaves in doubt: the cells whose rows have to be looked at again.

use std::collections::HashSet;

use crate::both::Both;
use crate::bulk::{BulkCounts, BulkJudge, ExpectedPair};
use crate::means::{Means, TempError};
use crate::row_set::RowSet;
use crate::setting::{Identity, Reading, Setting, on_parts};
use crate::sums::{Sums, cell_of, upper};

mod light;

use light::{LightRows, PairTable};

/// The rows that have to be looked at again, by the digests of their keys.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    cells: RowSet,
    /// Single keys, by the upper halves of their digests: the pairs of a sample.
    samples: HashSet<u64>,
}

impl Doubt {
    /// Whether nothing is in doubt.
    pub(crate) fn is_none(&self) -> bool {
        self.cells.len() == 0 && self.samples.is_empty()
    }

    /// Whether the rows of a key are in doubt.
    pub(crate) fn has(&self, key: u128, means: &Means) -> bool {
        self.cells.contains(cell_of(upper(key), means) as u64) || self.samples.contains(&upper(key))
    }

    /// The columns whose cells are not known to be equal.
    pub(crate) fn reading(&self) -> Reading {
        if self.cells.len() == 0 {
            Reading::HeldOnly
        } else {
            Reading::All
        }
    }
}

/// Says what is in doubt, and counts the expected pairs of what is not.
pub(crate) fn doubt(
    sums: &Both<Sums<'_>>,
    setting: Setting<'_>,
    judge: &BulkJudge<'_>,
) -> Result<(Doubt, BulkCounts), TempError> {
    let parts = sums.old.light.len();
    let found = on_parts(setting.means, parts, |part, found: &mut Found| {
        let doubter = Doubter::of(part, sums, setting, judge);
        doubter.run(found)
    })?;
    let mut all = Found::default();
    for found in found {
        all.cells.merge(found.cells);
        all.expected.merge(found.expected);
    }
    let samples = all
        .expected
        .take_samples()
        .into_iter()
        .map(|marks| marks.old)
        .collect();
    Ok((
        Doubt {
            cells: all.cells,
            samples,
        },
        all.expected,
    ))
}

#[derive(Debug, Default)]
struct Found {
    cells: RowSet,
    expected: BulkCounts,
}

/// One part at work.
struct Doubter<'a> {
    part: usize,
    sums: &'a Both<Sums<'a>>,
    setting: Setting<'a>,
    judge: &'a BulkJudge<'a>,
    first_cell: usize,
    /// Of each cell of the part.
    is_doubtful: Vec<bool>,
}

impl<'a> Doubter<'a> {
    fn of(
        part: usize,
        sums: &'a Both<Sums<'a>>,
        setting: Setting<'a>,
        judge: &'a BulkJudge<'a>,
    ) -> Self {
        let cells = setting.means.cells / sums.old.light.len();
        let range = part * cells..(part + 1) * cells;
        let pairs = sums.old.cells[range.clone()]
            .iter()
            .zip(&sums.new.cells[range.clone()]);
        let is_doubtful = pairs.map(|(old, new)| old != new).collect();
        Self {
            part,
            sums,
            setting,
            judge,
            first_cell: range.start,
            is_doubtful,
        }
    }

    fn run(mut self, found: &mut Found) -> Result<(), TempError> {
        if self.setting.identity == Identity::Key {
            self.look_at_rows(&mut found.expected)?;
        }
        let cells = self
            .is_doubtful
            .iter()
            .enumerate()
            .filter(|(_, is_doubtful)| **is_doubtful);
        cells.for_each(|(cell, _)| found.cells.insert((self.first_cell + cell) as u64));
        Ok(())
    }

    fn look_at_rows(&mut self, expected: &mut BulkCounts) -> Result<(), TempError> {
        let (old, new) = (&self.sums.old.light, &self.sums.new.light);
        if old.bytes(self.part) + new.bytes(self.part) > self.setting.means.most_part_bytes {
            // So many rows in one part are those of a few keys. They are sorted in the second pass.
            self.is_doubtful.fill(true);
            old.take_chunks(self.part, |_| Ok(()))?;
            return new.take_chunks(self.part, |_| Ok(()));
        }
        let words = self.setting.held.words;
        let rows = Both {
            old: LightRows::decode(&old.take(self.part)?, words),
            new: LightRows::decode(&new.take(self.part)?, words),
        };
        let pairs = self.pair(&rows);
        if words > 0 {
            self.judge_pairs(&rows, &pairs, expected);
        }
        Ok(())
    }

    /// Pairs rows of one key. A key that is not exactly once on each side is in doubt.
    fn pair(&mut self, rows: &Both<LightRows>) -> Vec<Both<usize>> {
        let mut table = PairTable::new(rows.old.keys.len());
        for (row, key) in rows.old.keys.iter().enumerate() {
            if !table.insert(&rows.old.keys, row) {
                self.doubt(*key);
            }
        }
        for (row, key) in rows.new.keys.iter().enumerate() {
            if !table.pair(&rows.old.keys, *key, row) {
                self.doubt(*key);
            }
        }
        table.pairs()
    }

    /// Judges the held cells of pairs whose other cells are equal.
    fn judge_pairs(
        &mut self,
        rows: &Both<LightRows>,
        pairs: &[Both<usize>],
        expected: &mut BulkCounts,
    ) {
        let mut cells = Vec::new();
        let mut judged = Vec::new();
        for pair in pairs {
            let key = rows.old.keys[pair.old];
            let words = Both {
                old: rows.old.held(pair.old),
                new: rows.new.held(pair.new),
            };
            if self.is_doubtful(key) || self.judge.same(words.old, words.new) {
                continue;
            }
            let numbers = Both {
                old: rows.old.customers[pair.old],
                new: rows.new.customers[pair.new],
            };
            let customers = self.judge.customers.common(numbers);
            let first = cells.len();
            if self.judge.judge_cells(words, customers, &mut cells) {
                judged.push((key, customers, first..cells.len()));
            } else {
                cells.truncate(first);
                self.doubt(key);
            }
        }
        for (key, customers, range) in judged {
            if !self.is_doubtful(key) {
                let marks = Both { old: key, new: key };
                expected.add(
                    key,
                    ExpectedPair {
                        marks,
                        customers,
                        cells: &cells[range],
                    },
                );
            }
        }
    }

    fn is_doubtful(&self, key: u64) -> bool {
        self.is_doubtful[cell_of(key, self.setting.means) - self.first_cell]
    }

    fn doubt(&mut self, key: u64) {
        self.is_doubtful[cell_of(key, self.setting.means) - self.first_cell] = true;
    }
}
