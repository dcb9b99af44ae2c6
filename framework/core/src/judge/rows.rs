//! Which rule expects a difference, if one does.

use std::collections::BTreeSet;

use crate::comparison::{CellDifference, RowChange, RowDifference, SchemaDifference};
use crate::customer::Customer;
use crate::normalize::same_after;
use crate::rule::{Allowance, ColumnSelector, DifferenceKind, Rule};
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
/// The first rule that both selects and allows a difference expects it. A rule that names columns never selects a
/// row that stands on one side only. A row that moved between two customers differs for both: a rule must expect
/// each difference for the one, and a rule, perhaps another, for the other.
#[derive(Clone, Debug)]
pub struct RowJudge {
    rules: Vec<BoundRule>,
}

/// For which rules, by position, a row meets the predicate. A rule with a predicate that nothing is known of selects
/// nothing.
#[derive(Clone, Copy, Debug)]
pub struct Met<'a>(pub &'a [bool]);

impl Met<'_> {
    /// Nothing is known of any predicate.
    pub const UNKNOWN: Met<'static> = Met(&[]);
}

#[derive(Clone, Debug)]
struct BoundRule {
    rule: Rule,
    /// The positions of the rule's columns among the compared ones; `None` selects all of them.
    columns: Option<BTreeSet<usize>>,
    /// Set where the rule allows a tolerance.
    tolerance: Option<Tolerance>,
    /// Whether it expects nothing, because it would have to forgive more rows than it may.
    is_absent: bool,
}

impl RowJudge {
    /// Binds rules to the compared columns, by whose positions cells are named.
    #[must_use]
    pub fn new(rules: &[Rule], columns: &[Column]) -> Self {
        Self::without(&BTreeSet::new(), rules, columns)
    }

    /// The same, where the rules at some positions count as absent.
    #[must_use]
    pub fn without(absent: &BTreeSet<usize>, rules: &[Rule], columns: &[Column]) -> Self {
        let bind = |(position, rule): (usize, &Rule)| BoundRule {
            rule: rule.clone(),
            columns: rule
                .columns
                .as_ref()
                .map(|selectors| positions(selectors, columns)),
            tolerance: match &rule.allow {
                Allowance::Within(within) => Some(Tolerance::new(within)),
                _ => None,
            },
            is_absent: absent.contains(&position),
        };
        Self {
            rules: rules.iter().enumerate().map(bind).collect(),
        }
    }

    /// Says for each part of a difference which rule expects it. Where two rules do, because the row moved between
    /// customers, it is the one for the customer that it belonged to before.
    #[must_use]
    pub fn judge(&self, difference: RowDifference, met: Met<'_>) -> JudgedRow {
        let mut owners = owners(&difference);
        let first = owners.next().unwrap_or(&Customer::Everybody);
        let mut rules = self.rules_for(&difference, first, met);
        for other in owners {
            let own = self.rules_for(&difference, other, met);
            for (first, second) in rules.iter_mut().zip(own) {
                *first = first.filter(|_| second.is_some());
            }
        }
        JudgedRow { difference, rules }
    }

    /// Says for each part of a difference which rule expects it for one of the row's customers.
    #[must_use]
    pub fn rules_for(
        &self,
        difference: &RowDifference,
        customer: &Customer,
        met: Met<'_>,
    ) -> Vec<Option<usize>> {
        match &difference.change {
            RowChange::Cells(cells) => cells
                .iter()
                .map(|cell| self.rule_for_owned_cell(customer, cell, met))
                .collect(),
            RowChange::OnlyOld(_) => {
                vec![self.rule_for_row(customer, DifferenceKind::OnlyOld, met)]
            }
            RowChange::OnlyNew(_) => {
                vec![self.rule_for_row(customer, DifferenceKind::OnlyNew, met)]
            }
        }
    }

    /// The rules that say that their customers must change and that select some part of a difference of a customer's
    /// row, whether they allow it or not.
    pub fn asking<'a>(
        &'a self,
        difference: &'a RowDifference,
        customer: &'a Customer,
        met: Met<'a>,
    ) -> impl Iterator<Item = usize> + 'a {
        let asking = self.rules.iter().enumerate();
        let asking = asking.filter(|(_, rule)| rule.rule.must_change);
        asking
            .filter(move |(position, rule)| {
                rule.selects_customer(customer)
                    && rule.is_met(*position, met)
                    && rule.selects_part(&difference.change)
            })
            .map(|(position, _)| position)
    }

    /// The rules that say that their customers must change, each with the columns that it selects cells of; `None` for
    /// all of them.
    pub fn must_change(&self) -> impl Iterator<Item = (usize, Option<&BTreeSet<usize>>)> {
        let asking = self.rules.iter().enumerate();
        let asking = asking.filter(|(_, rule)| {
            rule.rule.must_change && rule.selects_kind(DifferenceKind::Changed)
        });
        asking.map(|(position, rule)| (position, rule.columns.as_ref()))
    }

    /// The position of the rule that expects one cell of a matched row, given whose row it is on each side, and
    /// nothing about predicates. `None` also where the row moved between customers.
    #[must_use]
    pub fn rule_for_cell(
        &self,
        old: &Customer,
        new: &Customer,
        cell: &CellDifference,
    ) -> Option<usize> {
        let rule = self.rule_for_owned_cell(old, cell, Met::UNKNOWN)?;
        (old == new).then_some(rule)
    }

    /// The same of a row that may have moved, whose two customers may have two rules.
    #[must_use]
    pub fn expects_cell(&self, old: &Customer, new: &Customer, cell: &CellDifference) -> bool {
        let expects = |customer| {
            self.rule_for_owned_cell(customer, cell, Met::UNKNOWN)
                .is_some()
        };
        expects(old) && (old == new || expects(new))
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
        let selects = |rule: &BoundRule| {
            rule.selects_cell(old, column)
                && !rule.is_absent
                && !matches!(rule.rule.allow, Allowance::Within(_) | Allowance::Nothing)
        };
        let first = self.rules.iter().position(selects)?;
        let rule = &self.rules[first].rule;
        (old == new && rule.predicate.is_none() && allows_whole(&rule.allow)).then_some(first)
    }

    fn rule_for_owned_cell(
        &self,
        customer: &Customer,
        cell: &CellDifference,
        met: Met<'_>,
    ) -> Option<usize> {
        let mut rules = self.rules.iter().enumerate();
        rules.position(|(position, rule)| {
            rule.selects_cell(customer, cell.column)
                && !rule.is_absent
                && rule.is_met(position, met)
                && rule.allows_cell(cell)
        })
    }

    fn rule_for_row(
        &self,
        customer: &Customer,
        kind: DifferenceKind,
        met: Met<'_>,
    ) -> Option<usize> {
        let mut rules = self.rules.iter().enumerate();
        rules.position(|(position, rule)| {
            rule.columns.is_none()
                && !rule.is_absent
                && rule.selects_kind(kind)
                && rule.selects_customer(customer)
                && rule.is_met(position, met)
                && allows_whole(&rule.rule.allow)
        })
    }
}

/// Whose row it is: two customers, where it moved between them.
pub fn owners(difference: &RowDifference) -> impl Iterator<Item = &Customer> {
    let old = difference.old_customer.as_ref();
    let new = difference.new_customer.as_ref();
    old.into_iter().chain(new.filter(|_| new != old))
}

/// The position of the rule that expects a difference between the schemas, if one does. Such a difference belongs
/// to every customer and to no row, so that a rule that names customers or has a predicate never selects it, and no
/// tolerance allows it.
#[must_use]
pub fn rule_for_schema(
    rules: &[Rule],
    absent: &BTreeSet<usize>,
    difference: &SchemaDifference,
) -> Option<usize> {
    let mut rules = rules.iter().enumerate();
    rules.position(|(position, rule)| {
        !absent.contains(&position)
            && rule.customers.is_none()
            && rule.predicate.is_none()
            && rule.columns.as_ref().is_none_or(|columns| {
                columns
                    .iter()
                    .any(|column| selects_schema(column, difference))
            })
            && selects_kind(rule, difference.kind)
            && allows_whole(&rule.allow)
    })
}

/// By name, or by the type on either side.
fn selects_schema(selector: &ColumnSelector, difference: &SchemaDifference) -> bool {
    let mut types = difference.old.iter().chain(&difference.new);
    match selector {
        ColumnSelector::Type { family } => types.any(|text| family.has_type(text)),
        named => named.names(&difference.column),
    }
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
            (Allowance::Pattern(pattern), _) => pattern.allows(&cell.old, &cell.new),
            (Allowance::Nothing, _) => false,
        }
    }

    fn selects_cell(&self, customer: &Customer, column: usize) -> bool {
        self.selects_column(column)
            && self.selects_kind(DifferenceKind::Changed)
            && self.selects_customer(customer)
    }

    fn selects_customer(&self, customer: &Customer) -> bool {
        self.rule.names(customer)
    }

    fn is_met(&self, position: usize, met: Met<'_>) -> bool {
        self.rule.predicate.is_none() || met.0.get(position).copied().unwrap_or(false)
    }

    fn selects_part(&self, change: &RowChange) -> bool {
        match change {
            RowChange::Cells(cells) => {
                self.selects_kind(DifferenceKind::Changed)
                    && cells.iter().any(|cell| self.selects_column(cell.column))
            }
            RowChange::OnlyOld(_) => {
                self.columns.is_none() && self.selects_kind(DifferenceKind::OnlyOld)
            }
            RowChange::OnlyNew(_) => {
                self.columns.is_none() && self.selects_kind(DifferenceKind::OnlyNew)
            }
        }
    }
}

fn positions(selectors: &[ColumnSelector], columns: &[Column]) -> BTreeSet<usize> {
    let is_selected = |column: &Column| selectors.iter().any(|selector| selector.selects(column));
    columns
        .iter()
        .enumerate()
        .filter(|(_, column)| is_selected(column))
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
        Allowance::Within(_)
        | Allowance::Normalize(_)
        | Allowance::Pattern(_)
        | Allowance::Nothing => false,
        Allowance::Ignore | Allowance::Any => true,
    }
}

#[cfg(test)]
mod tests;
