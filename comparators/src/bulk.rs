//! Pairs of which the first pass knows already that a rule expects them: counted, and not looked at again.

use std::collections::BTreeMap;

use understudy_core::comparison::CellDifference;
use understudy_core::judge::rows::RowJudge;

use crate::both::{Both, Side};
use crate::customers::Customers;
use crate::held::{Held, HeldCell, HeldColumn};
use crate::record::{Pair, Records};
use crate::tally::EXPECTED_ROWS_PER_RULE;

/// Judges pairs by their held cells.
pub(crate) struct BulkJudge<'a> {
    pub(crate) judge: &'a RowJudge,
    pub(crate) held: &'a Held,
    pub(crate) customers: &'a Customers,
}

/// A pair that differs only as rules expect it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ExpectedPair {
    /// The digest of the key, by which the sample is drawn.
    pub(crate) lot: u128,
    pub(crate) positions: Both<u64>,
    /// The common numbers of its customers.
    pub(crate) customers: Both<u32>,
    /// Its differing columns among the compared ones, each with the rule that expects it.
    pub(crate) cells: Vec<(usize, usize)>,
}

impl BulkJudge<'_> {
    /// Whether two rows' held cells are the same for certain.
    pub(crate) fn same(&self, old: &[u64], new: &[u64]) -> bool {
        self.held.columns.iter().all(|column| column.same(old, new))
    }

    /// Judges two rows that differ in held cells only. `None` where a look at the tables is needed, or where some
    /// difference is unexpected, so that the tables will be looked at anyway.
    pub(crate) fn expected(&self, records: Both<&Records>, pair: Pair) -> Option<ExpectedPair> {
        let places = Both {
            old: records.old.places[pair.old],
            new: records.new.places[pair.new],
        };
        let numbers = Both {
            old: places.old.customer()?,
            new: places.new.customer()?,
        };
        let customers = self.customers.common(numbers);
        let words = Both {
            old: records.old.held(pair.old),
            new: records.new.held(pair.new),
        };
        let mut cells = Vec::new();
        for column in self
            .held
            .columns
            .iter()
            .filter(|column| !column.same(words.old, words.new))
        {
            cells.push((column.column, self.rule(column, words, customers)?));
        }
        let positions = Both {
            old: places.old.position(),
            new: places.new.position(),
        };
        (!cells.is_empty()).then(|| ExpectedPair {
            lot: records.old.keys[pair.old],
            positions,
            customers,
            cells,
        })
    }

    fn rule(
        &self,
        column: &HeldColumn,
        words: Both<&[u64]>,
        customers: Both<u32>,
    ) -> Option<usize> {
        let (old, new) = match (
            column.cell(Side::Old, words.old),
            column.cell(Side::New, words.new),
        ) {
            (HeldCell::Value(old), HeldCell::Value(new)) => (old, new),
            (HeldCell::Digest(_), HeldCell::Digest(_)) => {
                return self.rule_for_any(column, customers);
            }
            _ => return None,
        };
        let cell = CellDifference {
            column: column.column,
            old,
            new,
        };
        let customer = |number: u32| &self.customers.all[number as usize];
        self.judge
            .rule_for_cell(customer(customers.old), customer(customers.new), &cell)
    }

    /// The rule for a cell of which only the digests are known.
    fn rule_for_any(&self, column: &HeldColumn, customers: Both<u32>) -> Option<usize> {
        let customer = |number: u32| &self.customers.all[number as usize];
        self.judge.rule_for_unseen_cell(
            customer(customers.old),
            customer(customers.new),
            column.column,
        )
    }
}

/// Expected pairs, counted.
#[derive(Debug, Default)]
pub(crate) struct BulkCounts {
    pub(crate) pairs: u64,
    /// By position among the compared columns.
    pub(crate) columns: BTreeMap<usize, u64>,
    /// By position of the rule.
    pub(crate) rules: BTreeMap<usize, u64>,
    /// By the customers' common number.
    pub(crate) customers: Vec<u64>,
    /// For each rule the pairs with the lowest lots.
    samples: BTreeMap<usize, BTreeMap<(u128, u64), ExpectedPair>>,
}

impl BulkCounts {
    pub(crate) fn add(&mut self, pair: ExpectedPair) {
        self.count(&pair, 1);
        for rule in pair.cells.iter().map(|(_, rule)| *rule) {
            let sample = self.samples.entry(rule).or_default();
            let ticket = (pair.lot, pair.positions.old);
            if sample.len() < EXPECTED_ROWS_PER_RULE
                || sample.last_key_value().is_some_and(|last| ticket < *last.0)
            {
                sample.insert(ticket, pair.clone());
                shorten(sample);
            }
        }
    }

    #[expect(
        clippy::cast_sign_loss,
        reason = "a pair is taken away only after it was added"
    )]
    fn count(&mut self, pair: &ExpectedPair, times: i64) {
        let add = |count: &mut u64| *count = count.wrapping_add(times as u64);
        add(&mut self.pairs);
        for (column, rule) in &pair.cells {
            add(self.columns.entry(*column).or_default());
            add(self.rules.entry(*rule).or_default());
        }
        let Both { old, new } = pair.customers;
        let most = old.max(new) as usize;
        if most >= self.customers.len() {
            self.customers.resize(most + 1, 0);
        }
        add(&mut self.customers[old as usize]);
        if new != old {
            add(&mut self.customers[new as usize]);
        }
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.pairs += other.pairs;
        for (column, count) in other.columns {
            *self.columns.entry(column).or_default() += count;
        }
        for (rule, count) in other.rules {
            *self.rules.entry(rule).or_default() += count;
        }
        if other.customers.len() > self.customers.len() {
            self.customers.resize(other.customers.len(), 0);
        }
        for (count, more) in self.customers.iter_mut().zip(other.customers) {
            *count += more;
        }
        for (rule, sample) in other.samples {
            let own = self.samples.entry(rule).or_default();
            own.extend(sample);
            shorten(own);
        }
    }

    /// Takes the sampled pairs out of the counts again: their rows will be read, and count then.
    pub(crate) fn take_samples(&mut self) -> Vec<Both<u64>> {
        let samples = std::mem::take(&mut self.samples);
        let pairs: BTreeMap<u64, ExpectedPair> = samples
            .into_values()
            .flatten()
            .map(|(_, pair)| (pair.positions.old, pair))
            .collect();
        pairs.values().for_each(|pair| self.count(pair, -1));
        pairs.into_values().map(|pair| pair.positions).collect()
    }
}

fn shorten(sample: &mut BTreeMap<(u128, u64), ExpectedPair>) {
    while sample.len() > EXPECTED_ROWS_PER_RULE {
        sample.pop_last();
    }
}
