//! The findings, counted: every row that differs is judged, counted, and kept if somebody has to see it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use understudy_core::comparison::{
    ColumnCounts, Comparison, CustomerCounts, RowChange, RowDifference, RuleCounts,
    SchemaDifference,
};
use understudy_core::customer::Customer;
use understudy_core::judge::customers::{notes, unmet};
use understudy_core::judge::rows::{JudgedRow, Met, RowJudge, owners, rule_for_schema};
use understudy_core::normalize::differs_only_by;
use understudy_core::rule::{Normalizer, Rule};
use understudy_core::value::Value;

use crate::both::Both;
use crate::bulk::BulkCounts;
use crate::compare::CompareError;
use crate::customers::CustomerCount;
use crate::means::{Means, TempError};
use crate::predicates::{PredicateError, RulePredicates, SeenRow};
use crate::request::{Findings, Layout};
use crate::sorted::Sorter;

/// How many of the rows that a rule expects are handed on; of the rest only the counts are.
/// They are picked by the digests of their keys, so that they are the same rows in every run.
pub const EXPECTED_ROWS_PER_RULE: usize = 100;

/// How many rows predicates are asked about at once.
const ASKED_ROWS: usize = 4096;

/// What is known of the findings so far.
pub(crate) struct Tally<'a> {
    pub(crate) judge: RowJudge,
    rules: &'a [Rule],
    /// The rules that count as absent, each with the rows that it would have expected differences of.
    absent: &'a BTreeMap<usize, u64>,
    predicates: &'a RulePredicates,
    /// Rows that predicates are still to be asked about.
    pending: Vec<SeenRow>,
    /// The rule whose predicate failed on some row. Nothing is judged any more then.
    failed: Option<(usize, PredicateError)>,
    /// Of each rule that says that its customers must change, those who did.
    changed: BTreeMap<usize, BTreeSet<Customer>>,
    comparison: Comparison,
    kept: Sorter<'a, JudgedRow>,
    /// Changed cells by column and by the one normaliser that would make them equal.
    spellings: BTreeMap<(usize, Normalizer), u64>,
    /// For each rule the expected rows with the lowest lots, each with its number in the order of arrival.
    samples: Vec<BTreeMap<(u128, u64), Rc<JudgedRow>>>,
    arrived: u64,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(
        rules: &'a [Rule],
        absent: &'a BTreeMap<usize, u64>,
        predicates: &'a RulePredicates,
        layout: &Layout,
        means: &'a Means,
    ) -> Self {
        let columns = layout.columns.iter().map(|column| ColumnCounts {
            name: column.name.clone(),
            ..Default::default()
        });
        let rule_counts = rules.iter().map(|rule| RuleCounts {
            name: rule.name.clone(),
            ..RuleCounts::default()
        });
        let comparison = Comparison {
            columns: columns.collect(),
            rules: rule_counts.collect(),
            ..Comparison::default()
        };
        Self {
            judge: RowJudge::without(&absent.keys().copied().collect(), rules, &layout.columns),
            rules,
            absent,
            predicates,
            pending: Vec::new(),
            failed: None,
            changed: BTreeMap::new(),
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
    pub(crate) fn add_schema(&mut self, differences: &[SchemaDifference]) {
        let absent = self.absent.keys().copied().collect();
        for difference in differences {
            let mut difference = difference.clone();
            if let Some(rule) = rule_for_schema(self.rules, &absent, &difference) {
                self.comparison.rules[rule].differences += 1;
                difference.rule = Some(self.rules[rule].name.clone());
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
        for (rule, found) in self.comparison.rules.iter_mut().zip(&expected.rules) {
            rule.differences += found.differences;
            rule.rows += found.rows;
            for (customer, count) in customers.iter().zip(&found.customers) {
                if *count > 0 {
                    *rule.customers.entry(customer.clone()).or_default() += count;
                }
            }
        }
        self.note_changed(expected, customers);
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

    /// Which customers of rules that ask for changes had them in pairs that were counted without being looked at.
    fn note_changed(&mut self, expected: &BulkCounts, customers: &[Customer]) {
        for (rule, columns) in self.judge.must_change() {
            let changed = self.changed.entry(rule).or_default();
            for (column, by_customer) in expected.changed.iter().enumerate() {
                if columns.is_some_and(|columns| !columns.contains(&column)) {
                    continue;
                }
                let own = customers.iter().zip(by_customer);
                changed.extend(own.filter(|(_, is)| **is).map(|(name, _)| name.clone()));
            }
        }
    }

    /// Whether a row that differs must come with all its cells, because predicates are asked about them.
    pub(crate) fn wants_cells(&self) -> bool {
        !self.predicates.is_empty()
    }

    /// Judges, counts and perhaps keeps a row that differs, now or when there are enough of them to ask predicates.
    pub(crate) fn add(&mut self, row: SeenRow) -> Result<(), TempError> {
        if self.predicates.is_empty() {
            return self.judge(row.difference, row.lot, Met::UNKNOWN);
        }
        self.pending.push(row);
        if self.pending.len() < ASKED_ROWS {
            return Ok(());
        }
        self.ask()
    }

    /// Asks the predicates about the rows that wait, and judges those.
    pub(crate) fn ask(&mut self) -> Result<(), TempError> {
        let rows = std::mem::take(&mut self.pending);
        if self.failed.is_some() || rows.is_empty() {
            return Ok(());
        }
        match self.predicates.met(&rows) {
            Ok(met) => rows
                .into_iter()
                .zip(met)
                .try_for_each(|(row, met)| self.judge(row.difference, row.lot, Met(&met))),
            Err(failed) => {
                self.failed = Some(failed);
                Ok(())
            }
        }
    }

    /// The rule whose predicate failed on some row, and how.
    pub(crate) fn failed_predicate(&mut self) -> Option<(String, PredicateError)> {
        let (rule, error) = self.failed.take()?;
        Some((self.rules[rule].name.clone(), error))
    }

    /// The first rule that expects differences of more rows than it may, with their number.
    pub(crate) fn exceeded(&self) -> Option<(usize, u64)> {
        let counts = self.comparison.rules.iter().zip(self.rules);
        let mut counts = counts.map(|(counts, rule)| (counts.rows, rule.max_rows));
        let position = counts
            .clone()
            .position(|(rows, most)| most.is_some_and(|most| rows > most))?;
        counts.nth(position).map(|(rows, _)| (position, rows))
    }

    /// The lot decides whether the row becomes part of a sample.
    fn judge(
        &mut self,
        difference: RowDifference,
        lot: u128,
        met: Met<'_>,
    ) -> Result<(), TempError> {
        let judged = self.judge.judge(difference, met);
        self.count_row(&judged);
        self.count_cells(&judged);
        self.count_customers(&judged);
        self.count_rules(&judged, met);
        if judged.is_expected() {
            self.sample(judged, lot);
            return Ok(());
        }
        self.kept.push(judged)
    }

    /// What rules expect of a row for each of its customers. What is allowed for the one counts, whether it is allowed
    /// for the other or not: otherwise a rule for the other could make this one exceed what it may forgive.
    fn count_rules(&mut self, judged: &JudgedRow, met: Met<'_>) {
        let difference = &judged.difference;
        let mut of_row = BTreeSet::new();
        for customer in owners(difference) {
            let rules = self.judge.rules_for(difference, customer, met);
            for rule in rules.into_iter().flatten() {
                of_row.insert(rule);
                let counts = &mut self.comparison.rules[rule].customers;
                *counts.entry(customer.clone()).or_default() += 1;
            }
            for rule in self.judge.asking(difference, customer, met) {
                let changed = self.changed.entry(rule).or_default();
                changed.insert(customer.clone());
            }
        }
        for rule in of_row {
            self.comparison.rules[rule].rows += 1;
        }
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
        let mut comparison = self.comparison;
        for (position, rule) in self.rules.iter().enumerate() {
            let changed = self.changed.remove(&position).unwrap_or_default();
            let counts = &mut comparison.rules[position];
            counts.unmet = unmet(rule, &changed, &comparison.customers);
            counts.exceeded = self.absent.get(&position).copied();
        }
        comparison.notes = notes(self.rules, &comparison.customers);
        Ok(comparison)
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
