//! The pass over held values: pairs of rows that are known to be the same in all other columns, and what rules say
//! of their differences.
//!
//! Where a tolerance covers a column, nearly every row may differ in it. Of each such row only the short form of its
//! key, its customer and its held values are kept, which is little; a pair that is not as rules expect goes on to the
//! next pass, which keeps everything.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::both::{Both, Side};
use crate::bulk::{BulkCounts, BulkJudge, ExpectedPair};
use crate::digest::upper;
use crate::digester::{Digester, Digests};
use crate::kept::{Kept, KeptRows};
use crate::means::{SHORT_BITS, TempError};
use crate::parts::{PartWriter, Parts};
use crate::row_set::RowSet;
use crate::scan::{BATCH_ROWS, PassError};
use crate::setting::{Reading, Setting, on_parts, on_pieces};
use crate::table::Table;
use crate::tally::EXPECTED_ROWS_PER_RULE;

mod pairs;

use pairs::{LightRows, UNNUMBERED, pairs};

/// What the pass over held values found.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// Pairs that rules expect.
    pub(crate) expected: BulkCounts,
    /// Cells with a pair that needs another look.
    pub(crate) cells: RowSet,
}

/// Light rows of both sides.
pub(crate) struct Light<'a>(Both<Parts<'a>>);

/// Rows of the keys whose digests are the lowest, whole: samples are drawn from those, and need no pass of their own
/// then.
pub(crate) struct Candidates<'a> {
    pub(crate) kept: Both<KeptRows<'a>>,
    /// The marks of their keys are below this one.
    pub(crate) end: u64,
}

/// The candidates that there should be, about: enough for a sample of every rule where each expects some of them.
const CANDIDATES: u64 = 8 * EXPECTED_ROWS_PER_RULE as u64;

impl<'a> Light<'a> {
    pub(crate) fn new(setting: Setting<'a>) -> Self {
        Self(Both {
            old: Parts::new(setting.means),
            new: Parts::new(setting.means),
        })
    }

    /// Reads the rows of some cells, of tables with so many rows.
    pub(crate) fn read(
        &self,
        tables: &Both<&dyn Table>,
        setting: Setting<'a>,
        judge: &BulkJudge<'_>,
        cells: &RowSet,
        rows: u64,
    ) -> Result<Candidates<'a>, (Side, PassError)> {
        let share = u64::MAX / rows.max(1);
        let wanted = Wanted {
            cells,
            end: setting.means.mark_of(share.saturating_mul(CANDIDATES)),
        };
        let digesters = Both {
            old: Digester::new(setting, Side::Old, Reading::Held),
            new: Digester::new(setting, Side::New, Reading::Held),
        };
        let of_threads = on_pieces(
            setting.means,
            tables,
            || Both {
                old: Writer::new(&self.0.old, setting, judge, Side::Old),
                new: Writer::new(&self.0.new, setting, judge, Side::New),
            },
            |writers, side, piece| {
                let (writer, digester) = (writers.get_mut(side), digesters.get(side));
                let columns = digester.projection.positions();
                let batches = tables.get(side).read(piece, columns, BATCH_ROWS, None);
                let mut batches = batches.map_err(|error| (side, error.into()))?;
                let mut first = piece.first_row;
                batches.try_for_each(|batch| {
                    let batch = batch.map_err(|error| (side, error.into()))?;
                    let rows = batch.num_rows() as u64;
                    let taken = writer.take(digester, &batch, first, &wanted);
                    first += rows;
                    taken.map_err(|error| (side, error))
                })
            },
            |writers| {
                let Both { old, new } = writers;
                old.rows
                    .finish()
                    .map_err(|error| (Side::Old, error.into()))?;
                new.rows
                    .finish()
                    .map_err(|error| (Side::New, error.into()))?;
                Ok(Both {
                    old: old.kept,
                    new: new.kept,
                })
            },
        )?;
        let mut kept = Both {
            old: KeptRows::of_few(setting.means),
            new: KeptRows::of_few(setting.means),
        };
        for Both { old, new } in of_threads {
            kept.old.merge(old);
            kept.new.merge(new);
        }
        let end = wanted.end;
        Ok(Candidates { kept, end })
    }

    /// Pairs the rows, each of which has the only one of its key on its side, and judges the pairs.
    pub(crate) fn judge(
        &self,
        setting: Setting<'_>,
        judge: &BulkJudge<'_>,
    ) -> Result<Judged, TempError> {
        let of_threads = on_parts(setting.means, |part, judged: &mut Judged| {
            self.judge_part(part, setting, judge, judged)
        })?;
        let mut judged = Judged::default();
        for more in of_threads {
            judged.expected.merge(more.expected);
            judged.cells.merge(more.cells);
        }
        Ok(judged)
    }

    fn judge_part(
        &self,
        part: usize,
        setting: Setting<'_>,
        judge: &BulkJudge<'_>,
        judged: &mut Judged,
    ) -> Result<(), TempError> {
        let (means, words) = (setting.means, setting.held.words);
        let mut work = PartWork {
            part,
            setting,
            judge,
            first_cell: part * means.cells_of_part(),
            is_doubtful: vec![false; means.cells_of_part()],
        };
        if self.0.old.bytes(part) + self.0.new.bytes(part) > means.most_part_bytes {
            // There is no room to pair so many. They are sorted in the next pass.
            work.is_doubtful.fill(true);
            self.0.old.forget(part)?;
            self.0.new.forget(part)?;
        } else {
            let rows = Both {
                old: LightRows::decode(&self.0.old.take(part)?, words),
                new: LightRows::decode(&self.0.new.take(part)?, words),
            };
            work.judge(&rows, &mut judged.expected);
        }
        let cells = (work.first_cell as u64..).zip(work.is_doubtful);
        cells
            .filter(|(_, is_doubtful)| *is_doubtful)
            .for_each(|(cell, _)| judged.cells.insert(cell));
        Ok(())
    }
}

/// One thread's rows of one side on their way to their parts.
struct Writer<'p, 'a> {
    rows: PartWriter<'p>,
    setting: Setting<'a>,
    judge: &'p BulkJudge<'p>,
    side: Side,
    digests: Digests,
    customers: Vec<u32>,
    kept: KeptRows<'a>,
}

impl<'p, 'a> Writer<'p, 'a> {
    fn new(
        parts: &'p Parts<'a>,
        setting: Setting<'a>,
        judge: &'p BulkJudge<'p>,
        side: Side,
    ) -> Self {
        Self {
            rows: PartWriter::new(parts, 1 + setting.held.words),
            setting,
            judge,
            side,
            digests: Digests::default(),
            customers: Vec::new(),
            kept: KeptRows::of_few(setting.means),
        }
    }

    /// Takes the rows of the wanted cells, which are many, from a batch whose first row stands there.
    fn take(
        &mut self,
        digester: &Digester<'_>,
        batch: &RecordBatch,
        first: u64,
        wanted: &Wanted<'_>,
    ) -> Result<(), PassError> {
        digester.digest(batch, &mut self.digests);
        let column = digester.projection.customer(batch);
        let (rows, numbers) = (batch.num_rows(), &mut self.customers);
        self.judge
            .customers
            .numbers(self.side, column, rows, numbers)?;
        let (means, words) = (self.setting.means, self.setting.held.words);
        for row in 0..rows {
            let key = upper(self.digests.keys[row]);
            if !wanted.cells.contains(means.cell_of(key)) {
                continue;
            }
            let held = &self.digests.held[row * words..(row + 1) * words];
            let (short, customer) = (means.short_of(key), self.customers[row]);
            self.rows.append(means.part_of(key), |light| {
                light[0] = u64::from(customer.min(UNNUMBERED)) << SHORT_BITS | short;
                light[1..].copy_from_slice(held);
            })?;
        }
        self.keep_candidates(batch, first, wanted)
    }

    fn keep_candidates(
        &mut self,
        batch: &RecordBatch,
        first: u64,
        wanted: &Wanted<'_>,
    ) -> Result<(), PassError> {
        let keys = || self.digests.keys.iter();
        let is_candidate = |key: &u128| upper(*key) < wanted.end;
        if !keys().any(is_candidate) {
            return Ok(());
        }
        let found = (first..).zip(keys()).filter(|(_, key)| is_candidate(key));
        let positions = found.map(|(position, _)| position).collect();
        let mask: BooleanArray = keys().map(|key| Some(is_candidate(key))).collect();
        let batch = filter_record_batch(batch, &mask)?;
        self.kept.keep(Kept { positions, batch });
        Ok(())
    }
}

/// What the pass over held values takes.
struct Wanted<'w> {
    cells: &'w RowSet,
    /// Rows whose keys' digests are below it are kept whole.
    end: u64,
}

/// One part at work.
struct PartWork<'w> {
    part: usize,
    setting: Setting<'w>,
    judge: &'w BulkJudge<'w>,
    first_cell: usize,
    /// Of each cell of the part.
    is_doubtful: Vec<bool>,
}

/// A pair that rules expect, and its differing columns among all that were found.
struct ExpectedRange {
    key: u64,
    customers: Both<u32>,
    cells: std::ops::Range<usize>,
}

impl PartWork<'_> {
    fn judge(&mut self, rows: &Both<LightRows>, expected: &mut BulkCounts) {
        let mut cells = Vec::new();
        let mut found = Vec::new();
        let pairs = pairs(rows, |single| self.doubt(single));
        for pair in pairs {
            let key = rows.old.keys[pair.old];
            let words = Both {
                old: rows.old.held(pair.old),
                new: rows.new.held(pair.new),
            };
            if self.is_doubtful(key) || self.judge.same(words.old, words.new) {
                continue;
            }
            let customers = Both {
                old: rows.old.customers[pair.old],
                new: rows.new.customers[pair.new],
            };
            let is_numbered = customers.old < UNNUMBERED && customers.new < UNNUMBERED;
            let first = cells.len();
            if is_numbered && self.judge.judge_cells(words, customers, &mut cells) {
                let cells = first..cells.len();
                found.push(ExpectedRange {
                    key,
                    customers,
                    cells,
                });
            } else {
                cells.truncate(first);
                self.doubt(key);
            }
        }
        // A cell can have come into doubt after a pair of it was judged; all its pairs go on to the next pass.
        for pair in found.into_iter().filter(|pair| !self.is_doubtful(pair.key)) {
            self.count(pair, &cells, expected);
        }
    }

    fn count(&self, pair: ExpectedRange, cells: &[(usize, usize)], expected: &mut BulkCounts) {
        let mark = self.setting.means.upper_of_short(self.part, pair.key);
        let expected_pair = ExpectedPair {
            marks: Both {
                old: mark,
                new: mark,
            },
            customers: pair.customers,
            cells: &cells[pair.cells],
        };
        expected.add(mark, expected_pair);
    }

    fn is_doubtful(&self, key: u64) -> bool {
        self.is_doubtful[self.cell(key)]
    }

    fn doubt(&mut self, key: u64) {
        let cell = self.cell(key);
        self.is_doubtful[cell] = true;
    }

    /// The number within the part of a key's cell.
    fn cell(&self, key: u64) -> usize {
        let means = self.setting.means;
        means.cell_in_part(means.upper_of_short(self.part, key))
    }
}
