use std::collections::BTreeSet;

use super::*;
use crate::comparison::CustomerCounts;
use crate::judge::lanes::judge_comparison;
use crate::pattern::{Pattern, PatternAllowance};
use crate::rule::{ColumnSelector, TypeFamily, Within};
use crate::schema::ColumnKind;

fn named(name: &str) -> Customer {
    Customer::Named(name.to_owned())
}

fn number(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: "Float64".to_owned(),
        kind: ColumnKind::Number,
    }
}

fn any(name: &str) -> Rule {
    Rule::new(name, Allowance::Any)
}

fn of_kinds(kinds: &[DifferenceKind]) -> Rule {
    Rule {
        kinds: Some(kinds.iter().copied().collect()),
        ..any("kinds")
    }
}

/// Whether a rule expects a metric's finding about `delay` that belongs to AS.
fn expects(rule: Rule) -> bool {
    let (customer, column) = (named("AS"), number("delay"));
    let kind = DifferenceKind::Metric;
    rule_for_finding(&[rule], kind, Some(&customer), Some(&column)).is_some()
}

#[test]
fn only_what_covers_a_whole_row_allows_a_finding() {
    let within = Within {
        up: Default::default(),
        down: Default::default(),
    };
    let pattern = PatternAllowance {
        pattern: Pattern::Changed,
        within: None,
    };
    for (allow, expected) in [
        (Allowance::Any, true),
        (Allowance::Ignore, true),
        (Allowance::Nothing, false),
        (Allowance::Within(within), false),
        (Allowance::Normalize(Vec::new()), false),
        (Allowance::Pattern(pattern), false),
    ] {
        assert_eq!(
            expects(Rule::new("r", allow.clone())),
            expected,
            "{allow:?}"
        );
    }
}

#[test]
fn kinds_and_columns_select_findings() {
    use DifferenceKind::{Changed, Check, Metric};
    let columns = |selectors: Vec<ColumnSelector>| Rule {
        columns: Some(selectors),
        ..of_kinds(&[Metric])
    };
    let number = ColumnSelector::Type {
        family: TypeFamily::Number,
    };
    let text = ColumnSelector::Type {
        family: TypeFamily::Text,
    };
    for (rule, expected) in [
        (any("all"), true),
        (of_kinds(&[Metric]), true),
        (of_kinds(&[Changed, Check]), false),
        (columns(vec!["delay".into()]), true),
        (columns(vec![ColumnSelector::written("del*")]), true),
        (columns(vec![number]), true),
        (columns(vec![text]), false),
        (columns(vec!["other".into()]), false),
        // A rule for cells of a column says nothing of figures.
        (
            Rule {
                kinds: None,
                ..columns(vec!["delay".into()])
            },
            false,
        ),
    ] {
        assert_eq!(expects(rule.clone()), expected, "{rule:?}");
    }
    let about_none = rule_for_finding(&[columns(vec!["delay".into()])], Metric, None, None);
    assert_eq!(about_none, None);
}

#[test]
fn what_is_about_rows_selects_no_finding() {
    let predicate = Rule {
        predicate: Some("old.x > 1".to_owned()),
        ..any("where")
    };
    let limited = Rule {
        max_rows: Some(1_000),
        ..any("limited")
    };
    assert!(!expects(predicate));
    assert!(!expects(limited));
}

#[test]
fn customers_select_their_own_findings() {
    let of = |names: &[&str]| Rule {
        customers: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..any("some")
    };
    let find = |customer: Option<&Customer>| {
        rule_for_finding(&[of(&["AS", "VX"])], DifferenceKind::Check, customer, None)
    };
    assert_eq!(find(Some(&named("AS"))), Some(0));
    assert_eq!(find(Some(&named("DL"))), None);
    assert_eq!(find(Some(&Customer::Null)), None);
    assert_eq!(find(None), None);
}

fn compared(customers: &[&str], outcome: Result<CheckFindings, String>) -> Comparison {
    let counts = CustomerCounts {
        old: 1,
        new: 1,
        ..Default::default()
    };
    let mut comparison = Comparison {
        customers: customers.iter().map(|name| (named(name), counts)).collect(),
        checks: vec![CheckFound {
            name: "totals".to_owned(),
            kind: DifferenceKind::Metric,
            outcome,
        }],
        ..Default::default()
    };
    (comparison.rows.old, comparison.rows.new) = (2, 2);
    comparison
}

fn found(unexpected: u64, customers: &[(&str, u64)]) -> CheckFindings {
    let example = CheckFinding {
        customer: None,
        column: Some("delay".to_owned()),
        what: "sum of delay".to_owned(),
        old: Some("10".to_owned()),
        new: None,
        delta: None,
        rule: None,
    };
    CheckFindings {
        looked_at: 4,
        unexpected,
        customers: customers
            .iter()
            .map(|(name, count)| (named(name), *count))
            .collect(),
        examples: vec![example],
        ..Default::default()
    }
}

/// The verdict of the task, and of AS and VX.
fn verdicts(outcome: Result<CheckFindings, String>) -> (Verdict, [Verdict; 2], Vec<String>) {
    let judged = judge_comparison(&compared(&["AS", "VX"], outcome), Vec::new());
    let of = |name| judged.customers[&named(name)];
    (judged.verdict, [of("AS"), of("VX")], judged.reasons.clone())
}

#[test]
fn a_finding_makes_its_own_lane_unexpected() {
    use Verdict::{Identical, Unexpected};
    let (task, lanes, reasons) = verdicts(Ok(found(3, &[("AS", 3)])));
    assert_eq!((task, lanes), (Unexpected, [Unexpected, Identical]));
    assert_eq!(
        reasons,
        ["check `totals`: 3 findings: sum of delay is NULL, was 10"]
    );
}

#[test]
fn a_finding_of_nobody_makes_all_lanes_unexpected() {
    use Verdict::Unexpected;
    for found in [
        found(1, &[]),
        found(4, &[("AS", 3)]),
        // Whose it is cannot be said: the comparison does not know them.
        found(3, &[("Nobody", 3)]),
    ] {
        let (task, lanes, _) = verdicts(Ok(found.clone()));
        assert_eq!((task, lanes), (Unexpected, [Unexpected; 2]), "{found:?}");
    }
}

#[test]
fn what_could_not_be_compared_is_inconclusive_and_unexpected_is_worse() {
    use Verdict::{Identical, Inconclusive, Unexpected};
    let (task, lanes, reasons) = verdicts(Err("it exited with code 3".to_owned()));
    assert_eq!((task, lanes), (Inconclusive, [Inconclusive; 2]));
    assert_eq!(
        reasons,
        ["check `totals` could not compare: it exited with code 3"]
    );
    let in_part = CheckFindings {
        not_compared: vec!["mean of x is NaN".to_owned()],
        ..found(0, &[])
    };
    assert_eq!(verdicts(Ok(in_part.clone())).0, Inconclusive);
    let both = CheckFindings {
        not_compared: in_part.not_compared,
        ..found(1, &[("AS", 1)])
    };
    let (task, lanes, _) = verdicts(Ok(both));
    assert_eq!((task, lanes), (Unexpected, [Unexpected, Inconclusive]));
    let nothing = CheckFindings {
        looked_at: 0,
        ..found(0, &[])
    };
    assert_eq!(verdicts(Ok(nothing)).0, Inconclusive);
    assert_eq!(verdicts(Ok(found(0, &[]))).0, Identical);
}

#[test]
fn what_a_rule_expects_is_no_more_than_expected() {
    let expected = CheckFindings {
        expected: 2,
        ..found(0, &[])
    };
    assert_eq!(verdicts(Ok(expected)).0, Verdict::Expected);
}

#[test]
fn the_first_rule_that_allows_it_expects_it() {
    let rules = [of_kinds(&[DifferenceKind::Check]), any("a"), any("b")];
    let found = rule_for_finding(&rules, DifferenceKind::Metric, None, None);
    assert_eq!(found, Some(1));
    let _: BTreeSet<DifferenceKind> = DifferenceKind::ALL.into();
}
