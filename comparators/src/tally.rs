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
use understudy_core::rule::Rule;
use understudy_core::value::Value;

use crate::request::{Findings, FindingsError, Layout};

/// How many of the rows that a rule expects are handed on; of the rest only the counts are.
/// They are picked by the digests of their keys, so that they are the same rows in every run.
pub const EXPECTED_ROWS_PER_RULE: usize = 100;

/// What is known of the findings so far.
pub(crate) struct Tally {
    judge: RowJudge,
    comparison: Comparison,
    unexpected: Vec<JudgedRow>,
    /// For each rule the expected rows with the lowest lots, each with its number in the order of arrival.
    samples: Vec<BTreeMap<(u128, u64), Rc<JudgedRow>>>,
    arrived: u64,
}

impl Tally {
    pub(crate) fn new(rules: &[Rule], layout: &Layout) -> Self {
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
            comparison,
            unexpected: Vec::new(),
            samples: vec![BTreeMap::new(); rules.len()],
            arrived: 0,
        }
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

    /// Counts a pair of rows that turned out to be equal.
    pub(crate) fn add_equal(&mut self, pairs: u64) {
        self.comparison.rows.matched += pairs;
    }

    /// Judges, counts and perhaps keeps a row that differs. The lot decides whether it becomes part of a sample.
    pub(crate) fn add(&mut self, difference: RowDifference, lot: u128) {
        let judged = self.judge.judge(difference);
        self.count_row(&judged);
        self.count_cells(&judged);
        self.count_customers(&judged);
        if judged.is_expected() {
            self.sample(judged, lot);
        } else {
            self.unexpected.push(judged);
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

    /// Counts the rows that a customer has on a side.
    pub(crate) fn customer(&mut self, customer: Customer) -> &mut CustomerCounts {
        self.comparison.customers.entry(customer).or_default()
    }

    /// Hands the kept rows on, in order, and gives the counts.
    pub(crate) fn finish(self, findings: &mut dyn Findings) -> Result<Comparison, FindingsError> {
        let sampled: BTreeMap<u64, Rc<JudgedRow>> = self
            .samples
            .into_iter()
            .flatten()
            .map(|((_, number), row)| (number, row))
            .collect();
        let sampled = sampled.into_values().map(|row| (*row).clone());
        let mut rows: Vec<_> = self.unexpected.into_iter().chain(sampled).collect();
        rows.sort_by(|a, b| order(&a.difference, &b.difference));
        rows.into_iter().try_for_each(|row| findings.row(row))?;
        Ok(self.comparison)
    }
}

/// By customer, key and kind; what is left after that is the order of the rows' values.
fn order(left: &RowDifference, right: &RowDifference) -> Ordering {
    let owner = |difference: &RowDifference| {
        difference
            .old_customer
            .clone()
            .or_else(|| difference.new_customer.clone())
    };
    owner(left)
        .cmp(&owner(right))
        .then_with(|| Value::order_all(&left.key, &right.key))
        .then_with(|| order_changes(&left.change, &right.change))
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
