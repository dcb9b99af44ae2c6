//! What findings of checks mean: which rule expects one, and which lanes they concern.

use std::collections::BTreeMap;

use crate::comparison::{CheckFinding, CheckFindings, CheckFound, Comparison};
use crate::customer::Customer;
use crate::rule::{Allowance, DifferenceKind, Rule};
use crate::schema::Column;
use crate::verdict::Verdict;

/// The position of the rule that expects a finding, if one does.
///
/// A finding has no two cells that a tolerance or a spelling could be held against, so only `ignore` and `allow: any`
/// expect one. A rule without `kinds` selects findings as it selects whole rows: if it names no columns. One with
/// `kinds` selects those of its kinds, and with `columns` only what is about one of them. A rule that names customers
/// selects what belongs to one of them, and nothing that belongs to everybody. A rule with a predicate or a limit of
/// rows selects none: both are about rows, which a finding is not.
#[must_use]
pub fn rule_for_finding(
    rules: &[Rule],
    kind: DifferenceKind,
    customer: Option<&Customer>,
    column: Option<&Column>,
) -> Option<usize> {
    rules.iter().position(|rule| {
        let is_about_rows = rule.predicate.is_some() || rule.max_rows.is_some();
        !is_about_rows
            && matches!(rule.allow, Allowance::Ignore | Allowance::Any)
            && selects_kind(rule, kind)
            && selects_column(rule, column)
            && selects_customer(rule, customer)
    })
}

fn selects_kind(rule: &Rule, kind: DifferenceKind) -> bool {
    match &rule.kinds {
        Some(kinds) => kinds.contains(&kind),
        None => rule.columns.is_none(),
    }
}

fn selects_column(rule: &Rule, column: Option<&Column>) -> bool {
    rule.columns.as_ref().is_none_or(|selectors| {
        column.is_some_and(|column| selectors.iter().any(|selector| selector.selects(column)))
    })
}

fn selects_customer(rule: &Rule, customer: Option<&Customer>) -> bool {
    rule.customers
        .as_ref()
        .is_none_or(|names| matches!(customer, Some(Customer::Named(name)) if names.contains(name)))
}

/// What all checks of a comparison say together.
#[derive(Debug)]
pub(super) struct ChecksVerdict {
    /// What concerns every lane.
    pub(super) shared: Verdict,
    /// Lanes with a finding that no rule expects.
    pub(super) lanes: BTreeMap<Customer, Verdict>,
    /// What was found, in a sentence each.
    pub(super) reasons: Vec<String>,
    /// What is not known.
    pub(super) doubts: Vec<String>,
}

/// Judges the findings of a comparison's checks. A finding of a customer whom the comparison does not know concerns
/// every lane: nobody can say whose it is.
pub(super) fn judge_checks(comparison: &Comparison) -> ChecksVerdict {
    let mut verdict = ChecksVerdict {
        shared: Verdict::Identical,
        lanes: BTreeMap::new(),
        reasons: Vec::new(),
        doubts: Vec::new(),
    };
    for check in &comparison.checks {
        match &check.outcome {
            Ok(found) => verdict.add(check, found, comparison),
            Err(reason) => {
                let doubt = format!("check `{}` could not compare: {reason}", check.name);
                verdict.doubts.push(doubt);
            }
        }
    }
    verdict
}

impl ChecksVerdict {
    fn add(&mut self, check: &CheckFound, found: &CheckFindings, comparison: &Comparison) {
        let name = &check.name;
        let doubts = found.not_compared.iter();
        self.doubts
            .extend(doubts.map(|doubt| format!("check `{name}`: {doubt}")));
        let has_findings = found.unexpected > 0 || found.expected > 0;
        if found.looked_at == 0 && !has_findings && found.not_compared.is_empty() {
            self.doubts
                .push(format!("check `{name}` looked at nothing"));
        }
        if found.expected > 0 {
            self.shared = self.shared.max(Verdict::Expected);
        }
        if found.unexpected == 0 {
            return;
        }
        self.reasons.push(reason(name, found));
        let mut of_lanes: u64 = 0;
        for (customer, count) in &found.customers {
            if comparison.customers.contains_key(customer) {
                of_lanes = of_lanes.saturating_add(*count);
                self.lanes.insert(customer.clone(), Verdict::Unexpected);
            }
        }
        if of_lanes < found.unexpected {
            self.shared = Verdict::Unexpected;
        }
    }

    /// What they say of one lane alone.
    pub(super) fn of(&self, customer: &Customer) -> Verdict {
        let own = self.lanes.get(customer).copied();
        own.unwrap_or(Verdict::Identical)
    }
}

fn reason(name: &str, found: &CheckFindings) -> String {
    let count = match found.unexpected {
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    let mut examples = found.examples.iter();
    match examples.find(|finding| finding.rule.is_none()) {
        Some(first) => format!("check `{name}`: {count}: {}", sentence(first)),
        None => format!("check `{name}`: {count}"),
    }
}

/// A finding in a sentence, such as `sum of mean_delay for AS is 12.5, was 10`.
#[must_use]
pub fn sentence(finding: &CheckFinding) -> String {
    let figure = |figure: &Option<String>| figure.clone().unwrap_or_else(|| "NULL".to_owned());
    let CheckFinding { what, old, new, .. } = finding;
    let subject = match (what.as_str(), &finding.column) {
        ("", Some(column)) => column.as_str(),
        (what, _) => what,
    };
    let subject = match (subject, &finding.customer) {
        (subject, None) => subject.to_owned(),
        ("", Some(customer)) => format!("a row of {customer}"),
        (subject, Some(customer)) => format!("{subject} for {customer}"),
    };
    if old.is_none() && new.is_none() {
        return subject;
    }
    format!("{subject} is {}, was {}", figure(new), figure(old))
}

#[cfg(test)]
mod tests;
