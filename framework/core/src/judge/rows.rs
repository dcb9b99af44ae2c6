//! Which rule expects a difference, if one does.

use std::collections::BTreeSet;

use crate::comparison::{CellDifference, RowChange, RowDifference, SchemaDifference};
use crate::customer::Customer;
use crate::normalize::same_after;
use crate::rule::{Allowance, DifferenceKind, Rule};
use crate::schema::Column;
use crate::tolerance::Tolerance;

/// A differing row and what the rules say of it.
#[derive(Clone, PartialEq, Debug)]
pub struct JudgedRow {
    /// The difference.
    pub difference: RowDifference,
    /// For each cell of a matched row, or for the one row that stands on one side: the position of the rule
    /// that expects it; `None` where no rule does.
    pub rules: Vec<Option<usize>>,
}

impl JudgedRow {
    /// Whether a rule expects every part of it.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.rules.iter().all(Option::is_some)
    }
}

/// Rules, bound to the columns of one comparison.
///
/// The first rule that both selects and allows a difference expects it. A rule that names customers selects a row
/// only if it names every customer that the row belongs to: both, where the row moved between two. A rule that
/// names columns never selects a row that stands on one side only.
#[derive(Clone, Debug)]
pub struct RowJudge {
    rules: Vec<BoundRule>,
}

#[derive(Clone, Debug)]
struct BoundRule {
    rule: Rule,
    /// The positions of the rule's columns among the compared ones; `None` selects all of them.
    columns: Option<BTreeSet<usize>>,
    /// Set where the rule allows a tolerance.
    tolerance: Option<Tolerance>,
}

impl RowJudge {
    /// Binds rules to the compared columns, by whose positions cells are named.
    #[must_use]
    pub fn new(rules: &[Rule], columns: &[Column]) -> Self {
        let bind = |rule: &Rule| BoundRule {
            rule: rule.clone(),
            columns: rule.columns.as_ref().map(|names| positions(names, columns)),
            tolerance: match &rule.allow {
                Allowance::Within(within) => Some(Tolerance::new(within)),
                _ => None,
            },
        };
        Self {
            rules: rules.iter().map(bind).collect(),
        }
    }

    /// Says for each part of a difference which rule expects it.
    #[must_use]
    pub fn judge(&self, difference: RowDifference) -> JudgedRow {
        let customers = Customers {
            old: difference.old_customer.as_ref(),
            new: difference.new_customer.as_ref(),
        };
        let rules = match &difference.change {
            RowChange::Cells(cells) => cells
                .iter()
                .map(|cell| self.rule_for_owned_cell(customers, cell))
                .collect(),
            RowChange::OnlyOld(_) => vec![self.rule_for_row(customers, DifferenceKind::OnlyOld)],
            RowChange::OnlyNew(_) => vec![self.rule_for_row(customers, DifferenceKind::OnlyNew)],
        };
        JudgedRow { difference, rules }
    }

    /// The position of the rule that expects one cell of a matched row, given whose row it is on each side.
    #[must_use]
    pub fn rule_for_cell(
        &self,
        old: &Customer,
        new: &Customer,
        cell: &CellDifference,
    ) -> Option<usize> {
        let customers = Customers {
            old: Some(old),
            new: Some(new),
        };
        self.rule_for_owned_cell(customers, cell)
    }

    /// The same for a cell of which nothing is known but that it differs and that it is neither a number nor a time.
    /// `None` also where a rule would have to look at the values.
    #[must_use]
    pub fn rule_for_unseen_cell(
        &self,
        old: &Customer,
        new: &Customer,
        column: usize,
    ) -> Option<usize> {
        let customers = Customers {
            old: Some(old),
            new: Some(new),
        };
        let selects = |rule: &BoundRule| {
            rule.selects_column(column)
                && rule.selects_kind(DifferenceKind::Changed)
                && rule.selects_customers(customers)
                && !matches!(rule.rule.allow, Allowance::Within(_))
        };
        let first = self.rules.iter().position(selects)?;
        allows_whole(&self.rules[first].rule.allow).then_some(first)
    }

    fn rule_for_owned_cell(
        &self,
        customers: Customers<'_>,
        cell: &CellDifference,
    ) -> Option<usize> {
        self.rules.iter().position(|rule| {
            rule.selects_column(cell.column)
                && rule.selects_kind(DifferenceKind::Changed)
                && rule.selects_customers(customers)
                && rule.allows_cell(cell)
        })
    }

    fn rule_for_row(&self, customers: Customers<'_>, kind: DifferenceKind) -> Option<usize> {
        self.rules.iter().position(|rule| {
            rule.columns.is_none()
                && rule.selects_kind(kind)
                && rule.selects_customers(customers)
                && allows_whole(&rule.rule.allow)
        })
    }
}

/// The position of the rule that expects a difference between the schemas, if one does. Such a difference belongs
/// to every customer, so that a rule that names customers never selects it, and no tolerance allows it.
#[must_use]
pub fn rule_for_schema(rules: &[Rule], difference: &SchemaDifference) -> Option<usize> {
    rules.iter().position(|rule| {
        rule.customers.is_none()
            && rule
                .columns
                .as_ref()
                .is_none_or(|columns| columns.contains(&difference.column))
            && selects_kind(rule, difference.kind)
            && allows_whole(&rule.allow)
    })
}

/// Whose row it is on each side that has it.
#[derive(Clone, Copy)]
struct Customers<'a> {
    old: Option<&'a Customer>,
    new: Option<&'a Customer>,
}

impl BoundRule {
    fn selects_column(&self, column: usize) -> bool {
        self.columns
            .as_ref()
            .is_none_or(|columns| columns.contains(&column))
    }

    fn selects_kind(&self, kind: DifferenceKind) -> bool {
        selects_kind(&self.rule, kind)
    }

    fn allows_cell(&self, cell: &CellDifference) -> bool {
        match (&self.rule.allow, &self.tolerance) {
            (_, Some(tolerance)) => tolerance.allows(&cell.old, &cell.new),
            (Allowance::Within(within), None) => within.allows(&cell.old, &cell.new),
            (Allowance::Normalize(normalizers), _) => same_after(normalizers, &cell.old, &cell.new),
            (Allowance::Ignore | Allowance::Any, _) => true,
        }
    }

    fn selects_customers(&self, customers: Customers<'_>) -> bool {
        self.rule.customers.as_ref().is_none_or(|names| {
            let is_named = |customer: &Customer| matches!(customer, Customer::Named(name) if names.contains(name));
            let owners = [customers.old, customers.new];
            owners.iter().any(Option::is_some) && owners.into_iter().flatten().all(is_named)
        })
    }
}

fn positions(names: &[String], columns: &[Column]) -> BTreeSet<usize> {
    let is_named = |column: &Column| names.contains(&column.name);
    columns
        .iter()
        .enumerate()
        .filter(|(_, column)| is_named(column))
        .map(|(position, _)| position)
        .collect()
}

fn selects_kind(rule: &Rule, kind: DifferenceKind) -> bool {
    rule.kinds
        .as_ref()
        .is_none_or(|kinds| kinds.contains(&kind))
}

/// Whether an allowance covers what has no two values to measure: a row on one side, or a schema.
fn allows_whole(allowance: &Allowance) -> bool {
    match allowance {
        Allowance::Within(_) | Allowance::Normalize(_) => false,
        Allowance::Ignore | Allowance::Any => true,
    }
}

#[cfg(test)]
mod tests;
