//! Pairs of which the first pass knows already that a rule expects them: counted, and not looked at again.

use std::collections::BTreeMap;

use understudy_core::comparison::CellDifference;
use understudy_core::judge::rows::RowJudge;

use crate::both::{Both, Side};
use crate::customers::Customers;
use crate::digest::upper;
use crate::held::{Held, HeldCell, HeldColumn};
use crate::record::{Pair, Records};
use crate::tally::EXPECTED_ROWS_PER_RULE;

/// Judges pairs by their held cells.
pub(crate) struct BulkJudge<'a> {
    pub(crate) judge: &'a RowJudge,
    pub(crate) held: &'a Held,
    pub(crate) customers: &'a Customers<'a>,
}

impl BulkJudge<'_> {
    /// Whether two rows' held cells are the same for certain.
    pub(crate) fn same(&self, old: &[u64], new: &[u64]) -> bool {
        self.held.columns.iter().all(|column| column.same(old, new))
    }

    /// Judges two rows that differ in held cells only, and counts them if every difference is expected.
    /// `false` where a look at the tables is needed, or where some difference is unexpected, so that the tables will
    /// be looked at anyway.
    pub(crate) fn count(
        &self,
        records: Both<&Records>,
        pair: Pair,
        counts: &mut BulkCounts,
    ) -> bool {
        let places = Both {
            old: records.old.places[pair.old],
            new: records.new.places[pair.new],
        };
        let (Some(old), Some(new)) = (places.old.customer(), places.new.customer()) else {
            return false;
        };
        let customers = Both { old, new };
        let words = Both {
            old: records.old.held(pair.old),
            new: records.new.held(pair.new),
        };
        let mut cells = std::mem::take(&mut counts.scratch);
        cells.clear();
        let is_expected = self.judge_cells(words, customers, &mut cells);
        if is_expected {
            let marks = Both {
                old: places.old.position(),
                new: places.new.position(),
            };
            let lot = upper(records.old.keys[pair.old]);
            counts.add(
                lot,
                ExpectedPair {
                    marks,
                    customers,
                    cells: &cells,
                },
            );
        }
        counts.scratch = cells;
        is_expected
    }

    /// Appends the differing columns, each with the rule that expects it; `false` if one has none.
    pub(crate) fn judge_cells(
        &self,
        words: Both<&[u64]>,
        customers: Both<u32>,
        cells: &mut Vec<(usize, usize)>,
    ) -> bool {
        for column in &self.held.columns {
            if column.same(words.old, words.new) {
                continue;
            }
            match self.rule(column, words, customers) {
                Some(rule) => cells.push((column.column, rule)),
                None => return false,
            }
        }
        true
    }

    fn rule(
        &self,
        column: &HeldColumn,
        words: Both<&[u64]>,
        customers: Both<u32>,
    ) -> Option<usize> {
        let customer = |number: u32| &self.customers.all[number as usize];
        let (old_customer, new_customer) = (customer(customers.old), customer(customers.new));
        let cells = (
            column.cell(Side::Old, words.old),
            column.cell(Side::New, words.new),
        );
        match cells {
            (HeldCell::Value(old), HeldCell::Value(new)) => {
                let cell = CellDifference {
                    column: column.column,
                    old,
                    new,
                };
                self.judge.rule_for_cell(old_customer, new_customer, &cell)
            }
            (HeldCell::Digest(_), HeldCell::Digest(_)) => {
                self.judge
                    .rule_for_unseen_cell(old_customer, new_customer, column.column)
            }
            _ => None,
        }
    }
}

/// A pair that differs only as rules expect it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedPair<C> {
    /// What its rows are found again by; no other pair has the same.
    pub(crate) marks: Both<u64>,
    /// The common numbers of its customers.
    pub(crate) customers: Both<u32>,
    /// Its differing columns among the compared ones, each with the rule that expects it.
    pub(crate) cells: C,
}

/// Expected pairs, counted.
#[derive(Debug, Default)]
pub(crate) struct BulkCounts {
    pub(crate) pairs: u64,
    /// By position among the compared columns.
    pub(crate) columns: Vec<u64>,
    /// By position of the rule.
    pub(crate) rules: Vec<BulkRule>,
    /// Whether a customer, by the common number, has a changed cell, by position among the compared columns.
    pub(crate) changed: Vec<Vec<bool>>,
    /// By the customers' common number.
    pub(crate) customers: Vec<u64>,
    /// For each rule the pairs with the lowest lots, by which the sample is drawn.
    samples: Vec<Sample>,
    /// The differing columns of the pair at hand, kept for its memory.
    scratch: Vec<(usize, usize)>,
}

/// What one rule expects, counted.
#[derive(Debug, Default)]
pub(crate) struct BulkRule {
    pub(crate) differences: u64,
    pub(crate) rows: u64,
    /// Differences by the customers' common number.
    pub(crate) customers: Vec<u64>,
}

type Sample = BTreeMap<(u64, u64), ExpectedPair<Vec<(usize, usize)>>>;

impl BulkCounts {
    /// Counts a pair. The lot decides whether it becomes part of a sample.
    pub(crate) fn add(&mut self, lot: u64, pair: ExpectedPair<&[(usize, usize)]>) {
        self.count(pair, 1);
        let ticket = (lot, pair.marks.old);
        for (_, rule) in pair.cells {
            if *rule >= self.samples.len() {
                self.samples.resize_with(rule + 1, BTreeMap::new);
            }
            let sample = &mut self.samples[*rule];
            let is_drawn = sample.len() < EXPECTED_ROWS_PER_RULE
                || sample.last_key_value().is_some_and(|last| ticket < *last.0);
            if is_drawn {
                let (marks, customers) = (pair.marks, pair.customers);
                let cells = pair.cells.to_vec();
                sample.insert(
                    ticket,
                    ExpectedPair {
                        marks,
                        customers,
                        cells,
                    },
                );
                shorten(sample);
            }
        }
    }

    #[expect(
        clippy::cast_sign_loss,
        reason = "a pair is taken away only after it was added"
    )]
    fn count(&mut self, pair: ExpectedPair<&[(usize, usize)]>, times: i64) {
        let times = times as u64;
        self.pairs = self.pairs.wrapping_add(times);
        // Of a row that moved between customers nothing is counted here: its rules are found by its values.
        let customer = pair.customers.old as usize;
        add_at(&mut self.customers, customer, times);
        for (position, (column, rule)) in pair.cells.iter().enumerate() {
            add_at(&mut self.columns, *column, times);
            let earlier = &pair.cells[..position];
            let is_first = !earlier.iter().any(|(_, other)| other == rule);
            let counts = at(&mut self.rules, *rule);
            counts.differences = counts.differences.wrapping_add(times);
            add_at(&mut counts.customers, customer, times);
            if is_first {
                counts.rows = counts.rows.wrapping_add(times);
            }
            *at(at(&mut self.changed, *column), customer) = true;
        }
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.pairs += other.pairs;
        add_all(&mut self.columns, &other.columns);
        for (rule, more) in other.rules.iter().enumerate() {
            let counts = at(&mut self.rules, rule);
            counts.differences = counts.differences.wrapping_add(more.differences);
            counts.rows = counts.rows.wrapping_add(more.rows);
            add_all(&mut counts.customers, &more.customers);
        }
        for (column, customers) in other.changed.iter().enumerate() {
            let own = at(&mut self.changed, column);
            for (customer, _) in customers.iter().enumerate().filter(|(_, is)| **is) {
                *at(own, customer) = true;
            }
        }
        add_all(&mut self.customers, &other.customers);
        if other.samples.len() > self.samples.len() {
            self.samples.resize_with(other.samples.len(), BTreeMap::new);
        }
        for (own, sample) in self.samples.iter_mut().zip(other.samples) {
            own.extend(sample);
            shorten(own);
        }
    }

    /// Takes the sampled pairs out of the counts again: their rows will be read, and count then.
    pub(crate) fn take_samples(&mut self) -> Vec<Both<u64>> {
        let samples = std::mem::take(&mut self.samples);
        let pairs = samples
            .into_iter()
            .flatten()
            .map(|(_, pair)| (pair.marks.old, pair));
        let pairs: BTreeMap<u64, _> = pairs.collect();
        for pair in pairs.values() {
            let (marks, customers) = (pair.marks, pair.customers);
            let cells = pair.cells.as_slice();
            self.count(
                ExpectedPair {
                    marks,
                    customers,
                    cells,
                },
                -1,
            );
        }
        pairs.into_values().map(|pair| pair.marks).collect()
    }
}

/// The entry at a place, which is made where it is not there yet.
fn at<T: Default>(entries: &mut Vec<T>, place: usize) -> &mut T {
    if place >= entries.len() {
        entries.resize_with(place + 1, T::default);
    }
    &mut entries[place]
}

fn add_at(counts: &mut Vec<u64>, place: usize, times: u64) {
    let count = at(counts, place);
    *count = count.wrapping_add(times);
}

fn add_all(counts: &mut Vec<u64>, others: &[u64]) {
    for (place, other) in others.iter().enumerate() {
        add_at(counts, place, *other);
    }
}

fn shorten(sample: &mut Sample) {
    while sample.len() > EXPECTED_ROWS_PER_RULE {
        sample.pop_last();
    }
}
