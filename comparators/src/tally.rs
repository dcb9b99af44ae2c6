//! The findings, counted: every row that differs is judged, counted, and kept if somebody has to see it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use understudy_core::comparison::{
    ColumnCounts, Comparison, CustomerCounts, RowChange, RowDifference, RuleCounts,
    SchemaDifference,
};
use understudy_core::customer::Customer;
use understudy_core::judge::rows::{JudgedRow, RowJudge, rule_for_schema};
use understudy_core::normalize::differs_only_by;
use understudy_core::rule::{Normalizer, Rule};
use understudy_core::value::Value;

use crate::both::Both;
use crate::bulk::BulkCounts;
use crate::compare::CompareError;
use crate::customers::CustomerCount;
use crate::means::{Means, TempError};
use crate::request::{Findings, Layout};
use crate::sorted::Sorter;

/// How many of the rows that a rule expects are handed on; of the rest only the counts are.
/// They are picked by the digests of their keys, so that they are the same rows in every run.
pub const EXPECTED_ROWS_PER_RULE: usize = 100;

/// What is known of the findings so far.
pub(crate) struct Tally<'a> {
    pub(crate) judge: RowJudge,
    rules: &'a [Rule],
    comparison: Comparison,
    kept: Sorter<'a, JudgedRow>,
    /// Changed cells by column and by the one normaliser that would make them equal.
    spellings: BTreeMap<(usize, Normalizer), u64>,
    /// For each rule the expected rows with the lowest lots, each with its number in the order of arrival.
    samples: Vec<BTreeMap<(u128, u64), Rc<JudgedRow>>>,
    arrived: u64,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(rules: &'a [Rule], layout: &Layout, means: &'a Means) -> Self {
        let columns = layout.columns.iter().map(|column| ColumnCounts {
            name: column.name.clone(),
            ..Default::default()
        });
        let rule_counts = rules.iter().map(|rule| RuleCounts {
            name: rule.name.clone(),
            differences: 0,
        });
        let comparison = Comparison {
            columns: columns.collect(),
            rules: rule_counts.collect(),
            ..Comparison::default()
        };
        Self {
            judge: RowJudge::new(rules, &layout.columns),
            rules,
            comparison,
            kept: Sorter::new(means, order),
            spellings: BTreeMap::new(),
            samples: vec![BTreeMap::new(); rules.len()],
            arrived: 0,
        }
    }

    /// The rules, in their order.
    pub(crate) fn rules(&self) -> &'a [Rule] {
        self.rules
    }

    /// Judges and counts the differences of the schemas.
    pub(crate) fn add_schema(&mut self, rules: &[Rule], differences: Vec<SchemaDifference>) {
        for mut difference in differences {
            if let Some(rule) = rule_for_schema(rules, &difference) {
                self.comparison.rules[rule].differences += 1;
                difference.rule = Some(rules[rule].name.clone());
            }
            self.comparison.schema.push(difference);
        }
    }

    /// Counts the rows of both sides.
    pub(crate) fn add_sides(&mut self, rows: Both<u64>) {
        self.comparison.rows.old = rows.old;
        self.comparison.rows.new = rows.new;
    }

    /// Counts the rows that each customer has on either side.
    pub(crate) fn add_customers(&mut self, counts: &CustomerCount<'_>) {
        for (customer, rows) in counts.counts() {
            let counts = self.comparison.customers.entry(customer).or_default();
            counts.old += rows.old;
            counts.new += rows.new;
        }
    }

    /// Counts pairs of rows that turned out to be equal.
    pub(crate) fn add_equal(&mut self, pairs: u64) {
        self.comparison.rows.matched += pairs;
    }

    /// Counts pairs that the first pass found to be as rules expect.
    pub(crate) fn add_expected(&mut self, expected: &BulkCounts, customers: &[Customer]) {
        self.comparison.rows.matched += expected.pairs;
        self.comparison.rows.changed += expected.pairs;
        for (column, count) in self.comparison.columns.iter_mut().zip(&expected.columns) {
            column.changed += count;
        }
        for (rule, count) in self.comparison.rules.iter_mut().zip(&expected.rules) {
            rule.differences += count;
        }
        for (customer, count) in customers
            .iter()
            .zip(&expected.customers)
            .filter(|(_, count)| **count > 0)
        {
            let counts = self.customer(customer);
            counts.changed += count;
            counts.expected += count;
        }
    }

    /// Judges, counts and perhaps keeps a row that differs. The lot decides whether it becomes part of a sample.
    pub(crate) fn add(&mut self, difference: RowDifference, lot: u128) -> Result<(), TempError> {
        let judged = self.judge.judge(difference);
        self.count_row(&judged);
        self.count_cells(&judged);
        self.count_customers(&judged);
        if judged.is_expected() {
            self.sample(judged, lot);
            return Ok(());
        }
        self.kept.push(judged)
    }

    fn count_row(&mut self, judged: &JudgedRow) {
        let rows = &mut self.comparison.rows;
        match judged.difference.change {
            RowChange::Cells(_) => {
                rows.matched += 1;
                rows.changed += 1;
            }
            RowChange::OnlyOld(_) => rows.only_old += 1,
            RowChange::OnlyNew(_) => rows.only_new += 1,
        }
        rows.unexpected += u64::from(!judged.is_expected());
    }

    fn count_cells(&mut self, judged: &JudgedRow) {
        for rule in judged.rules.iter().flatten() {
            self.comparison.rules[*rule].differences += 1;
        }
        if let RowChange::Cells(cells) = &judged.difference.change {
            for (cell, rule) in cells.iter().zip(&judged.rules) {
                let column = &mut self.comparison.columns[cell.column];
                column.changed += 1;
                column.unexpected += u64::from(rule.is_none());
                if let Some(normalizer) = differs_only_by(&cell.old, &cell.new) {
                    *self.spellings.entry((cell.column, normalizer)).or_default() += 1;
                }
            }
        }
    }

    /// A row that moved between customers counts for both.
    fn count_customers(&mut self, judged: &JudgedRow) {
        let RowDifference {
            old_customer,
            new_customer,
            change,
            ..
        } = &judged.difference;
        let moved_to = new_customer
            .as_ref()
            .filter(|new| Some(*new) != old_customer.as_ref());
        for customer in old_customer.iter().chain(moved_to) {
            let counts = self
                .comparison
                .customers
                .entry(customer.clone())
                .or_default();
            match change {
                RowChange::Cells(_) => counts.changed += 1,
                RowChange::OnlyOld(_) => counts.only_old += 1,
                RowChange::OnlyNew(_) => counts.only_new += 1,
            }
            if judged.is_expected() {
                counts.expected += 1;
            } else {
                counts.unexpected += 1;
            }
        }
    }

    fn sample(&mut self, judged: JudgedRow, lot: u128) {
        let judged = Rc::new(judged);
        let place = (lot, self.arrived);
        self.arrived += 1;
        for rule in judged.rules.iter().flatten() {
            let sample = &mut self.samples[*rule];
            sample.insert(place, Rc::clone(&judged));
            if sample.len() > EXPECTED_ROWS_PER_RULE {
                sample.pop_last();
            }
        }
    }

    /// The counts, to which what is known from elsewhere is added.
    pub(crate) fn comparison(&mut self) -> &mut Comparison {
        &mut self.comparison
    }

    fn customer(&mut self, customer: &Customer) -> &mut CustomerCounts {
        self.comparison
            .customers
            .entry(customer.clone())
            .or_default()
    }

    /// What is worth knowing of cells that differ in their spelling only.
    pub(crate) fn spelling_notes(&self) -> Vec<String> {
        let note = |(&(column, normalizer), &count): (&(usize, Normalizer), &u64)| {
            let name = &self.comparison.columns[column].name;
            let (cells, differ) = if count == 1 {
                ("cell", "differs")
            } else {
                ("cells", "differ")
            };
            format!(
                "`{name}`: {count} changed {cells} {differ} only by {}",
                normalizer.name()
            )
        };
        self.spellings.iter().map(note).collect()
    }

    /// Hands the kept rows on, in order, and gives the counts.
    pub(crate) fn finish(
        mut self,
        findings: &mut dyn Findings,
    ) -> Result<Comparison, CompareError> {
        let sampled: BTreeMap<u64, Rc<JudgedRow>> = self
            .samples
            .into_iter()
            .flatten()
            .map(|((_, number), row)| (number, row))
            .collect();
        for row in sampled.into_values() {
            self.kept.push((*row).clone())?;
        }
        let mut kept = self.kept.finish()?;
        while let Some(row) = kept.next()? {
            findings.row(row)?;
        }
        Ok(self.comparison)
    }
}

/// By customer, key and kind; what is left after that is the order of the rows' values.
fn order(left: &JudgedRow, right: &JudgedRow) -> Ordering {
    let (left, right) = (&left.difference, &right.difference);
    owner(left)
        .cmp(&owner(right))
        .then_with(|| Value::order_all(&left.key, &right.key))
        .then_with(|| order_changes(&left.change, &right.change))
}

fn owner(difference: &RowDifference) -> Option<&Customer> {
    difference
        .old_customer
        .as_ref()
        .or(difference.new_customer.as_ref())
}

fn order_changes(left: &RowChange, right: &RowChange) -> Ordering {
    match (left, right) {
        (RowChange::Cells(left), RowChange::Cells(right)) => {
            let mut pairs = left.iter().zip(right).map(|(a, b)| {
                a.column
                    .cmp(&b.column)
                    .then_with(|| a.old.order(&b.old))
                    .then_with(|| a.new.order(&b.new))
            });
            pairs
                .find(|order| order.is_ne())
                .unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        (RowChange::OnlyOld(left), RowChange::OnlyOld(right))
        | (RowChange::OnlyNew(left), RowChange::OnlyNew(right)) => Value::order_all(left, right),
        _ => kind_rank(left).cmp(&kind_rank(right)),
    }
}

fn kind_rank(change: &RowChange) -> u8 {
    match change {
        RowChange::Cells(_) => 0,
        RowChange::OnlyOld(_) => 1,
        RowChange::OnlyNew(_) => 2,
    }
}
