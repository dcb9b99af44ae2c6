//! Verdicts of lanes, as text: what a run left behind, and what follows from it.

use super::*;
use crate::comparison::{NotCompared, RowCounts, SchemaDifference};
use crate::digest::Digest;
use crate::plan::{Half, Node, NodeId, PLAN_FORMAT, Work};
use crate::rule::DifferenceKind;
use crate::run::{ComparisonRecord, Failure, FailureKind, NodeOutput, NodeRecord, Usage};
use crate::spec::Limits;

/// What the one task of the change `x` left behind.
struct Left {
    old: Option<Result<u64, &'static str>>,
    new: Option<Result<u64, &'static str>>,
    comparison: Option<Result<Comparison, &'static str>>,
    changed_inputs: &'static [&'static str],
}

impl Left {
    fn compared(comparison: Comparison) -> Self {
        let (old, new) = (comparison.rows.old, comparison.rows.new);
        Self {
            old: Some(Ok(old)),
            new: Some(Ok(new)),
            comparison: Some(Ok(comparison)),
            changed_inputs: &[],
        }
    }

    fn log(self) -> RunLog {
        let failure = |text: &str| Failure::new(FailureKind::Task, text);
        let node = |id: usize, outcome: Option<Result<u64, &str>>| {
            let outcome = outcome?
                .map(|rows| NodeOutput {
                    rows,
                    bytes: rows,
                    digest: None,
                })
                .map_err(failure);
            Some((
                NodeId(id),
                NodeRecord {
                    outcome,
                    usage: Usage::default(),
                    reused: false,
                    isolation: None,
                },
            ))
        };
        let record = self.comparison.map(|outcome| ComparisonRecord {
            outcome: outcome.map_err(failure),
            usage: Usage::default(),
            reused: false,
        });
        RunLog {
            nodes: [node(0, self.old), node(1, self.new)]
                .into_iter()
                .flatten()
                .collect(),
            comparisons: record.into_iter().map(|record| (0, record)).collect(),
            changed_inputs: self
                .changed_inputs
                .iter()
                .map(|what| (*what).to_owned())
                .collect(),
            ..RunLog::default()
        }
    }

    fn judged(self) -> ChangeVerdict {
        judge(&plan(), &self.log()).remove("x").unwrap()
    }
}

fn plan() -> Plan {
    let node = |version: &str| Node {
        task: "t".into(),
        half: Half::Shadow,
        work: Work::Compute {
            version: version.into(),
            inputs: Vec::new(),
            limits: Limits::default(),
            shadow_of: None,
        },
        key: Digest::of_bytes(version.as_bytes()),
        folder: version.into(),
    };
    let comparison = PlannedComparison {
        change: "x".into(),
        task: "t".into(),
        changed: true,
        old: NodeId(0),
        new: NodeId(1),
        half: Half::Shadow,
        key: vec!["id".into()],
        customer: Some("customer".into()),
        rules: Vec::new(),
        checks: Vec::new(),
    };
    Plan {
        leaks: Vec::new(),
        version: PLAN_FORMAT,
        run: "r".into(),
        pipeline: "p".into(),
        slice: None,
        date: "2026-03-01".parse().unwrap(),
        nodes: vec![node("v1"), node("v2")],
        comparisons: vec![comparison],
        publications: Vec::new(),
        stages: BTreeMap::new(),
        waves: BTreeMap::new(),
    }
}

/// A comparison of as many rows on each side, from customers with so many expected and unexpected rows.
fn found(old: u64, new: u64, customers: &[(&str, u64, u64)]) -> Comparison {
    let counts = customers.iter().map(|(name, expected, unexpected)| {
        let counts = CustomerCounts {
            expected: *expected,
            unexpected: *unexpected,
            ..CustomerCounts::default()
        };
        (Customer::from_label(name), counts)
    });
    let unexpected = customers.iter().map(|(_, _, unexpected)| unexpected).sum();
    Comparison {
        rows: RowCounts {
            old,
            new,
            unexpected,
            ..RowCounts::default()
        },
        customers: counts.collect(),
        ..Comparison::default()
    }
}

fn with_schema(mut comparison: Comparison, kind: DifferenceKind, rule: Option<&str>) -> Comparison {
    let rule = rule.map(str::to_owned);
    comparison.schema.push(SchemaDifference {
        column: "c".into(),
        kind,
        old: None,
        new: None,
        rule,
    });
    comparison
}

fn not_compared(mut comparison: Comparison) -> Comparison {
    comparison.not_compared.push(NotCompared {
        column: "c".into(),
        reason: "too deep".into(),
    });
    comparison
}

/// The verdict of the task, each customer's, and the reasons: `expected: A expected, B identical; why`.
fn shown(verdict: &ChangeVerdict) -> String {
    assert_eq!(
        verdict.verdict, verdict.tasks["t"].verdict,
        "one task gives the change its verdict"
    );
    let task = &verdict.tasks["t"];
    let customers = task
        .customers
        .iter()
        .map(|(customer, verdict)| format!("{customer} {verdict}"));
    let customers = customers.collect::<Vec<_>>().join(", ");
    [format!("{}: {customers}", task.verdict)]
        .into_iter()
        .chain(task.reasons.clone())
        .collect::<Vec<_>>()
        .join("; ")
}

fn check(left: Left, expected: &str) {
    assert_eq!(shown(&left.judged()), expected);
}

#[test]
fn a_comparison_gives_each_customer_its_verdict_and_the_worst_wins() {
    check(
        Left::compared(found(2, 2, &[("A", 0, 0), ("B", 0, 0)])),
        "identical: A identical, B identical",
    );
    check(
        Left::compared(found(2, 2, &[("A", 1, 0), ("B", 0, 0)])),
        "expected: A expected, B identical",
    );
    check(
        Left::compared(found(3, 3, &[("A", 1, 0), ("B", 5, 1), ("*null*", 0, 0)])),
        "unexpected: *null* identical, A expected, B unexpected",
    );
}

#[test]
fn a_side_that_is_missing_is_inconclusive_and_the_reason_names_it() {
    let failed = |old, new| Left {
        old,
        new,
        comparison: None,
        changed_inputs: &[],
    };
    check(
        failed(Some(Ok(1)), Some(Err("exited with 3"))),
        "inconclusive: ; the new version (v2) exited with 3",
    );
    check(
        failed(Some(Err("exited with 3")), Some(Ok(1))),
        "inconclusive: ; the old version (v1) exited with 3",
    );
    check(
        failed(Some(Err("died")), Some(Err("exited with 3"))),
        "inconclusive: ; the new version (v2) exited with 3",
    );
    check(
        failed(Some(Ok(1)), None),
        "inconclusive: ; it was not compared",
    );
    check(failed(None, None), "inconclusive: ; it was not compared");
}

#[test]
fn a_comparison_that_failed_is_inconclusive() {
    let failed = |new, why| Left {
        old: Some(Ok(1)),
        new,
        comparison: Some(Err(why)),
        changed_inputs: &[],
    };
    check(
        failed(Some(Ok(1)), "ran out of memory"),
        "inconclusive: ; ran out of memory",
    );
    check(
        failed(Some(Err("exited with 3")), "nothing to compare"),
        "inconclusive: ; the new version (v2) exited with 3",
    );
}

#[test]
fn two_empty_outputs_are_no_evidence() {
    check(
        Left::compared(found(0, 0, &[])),
        "inconclusive: ; both outputs are empty: there was nothing to compare",
    );
}

#[test]
fn one_empty_output_is_as_bad_as_the_rows_that_it_lacks() {
    check(
        Left::compared(found(2, 0, &[("A", 0, 2)])),
        "unexpected: A unexpected",
    );
    check(
        Left::compared(found(0, 2, &[("A", 0, 2)])),
        "unexpected: A unexpected",
    );
    check(
        Left::compared(found(0, 2, &[("A", 2, 0)])),
        "expected: A expected",
    );
}

#[test]
fn a_column_that_was_not_compared_leaves_no_lane_checked() {
    check(
        Left::compared(not_compared(found(
            2,
            2,
            &[("A", 0, 0), ("B", 1, 0), ("C", 0, 1)],
        ))),
        "unexpected: A inconclusive, B inconclusive, C unexpected; column `c` was not compared: too deep",
    );
    check(
        Left::compared(not_compared(found(2, 2, &[("A", 0, 0)]))),
        "inconclusive: A inconclusive; column `c` was not compared: too deep",
    );
}

#[test]
fn a_difference_of_schema_concerns_every_lane() {
    for (kind, name) in [
        (DifferenceKind::ColumnAdded, "column added"),
        (DifferenceKind::ColumnRemoved, "column removed"),
        (DifferenceKind::TypeChanged, "type changed"),
    ] {
        let unexpected = with_schema(found(2, 2, &[("A", 0, 0), ("B", 1, 0)]), kind, None);
        check(
            Left::compared(unexpected),
            &format!("unexpected: A unexpected, B unexpected; {name}: `c`"),
        );
        let expected = with_schema(
            found(2, 2, &[("A", 0, 0), ("B", 0, 1)]),
            kind,
            Some("meant"),
        );
        check(
            Left::compared(expected),
            "unexpected: A expected, B unexpected",
        );
        let alone = with_schema(found(2, 2, &[]), kind, Some("meant"));
        check(Left::compared(alone), "expected: ");
    }
}

#[test]
fn one_expected_difference_of_schema_does_not_excuse_another() {
    let first = with_schema(
        found(2, 2, &[("A", 0, 0)]),
        DifferenceKind::ColumnAdded,
        None,
    );
    let both = with_schema(first, DifferenceKind::TypeChanged, Some("meant"));
    check(
        Left::compared(both),
        "unexpected: A unexpected; column added: `c`",
    );
}

#[test]
fn inputs_that_changed_leave_nothing_checked_whatever_was_found() {
    let changed = |comparison| Left {
        changed_inputs: &["`data.csv` was removed"],
        ..Left::compared(comparison)
    };
    check(
        changed(found(1, 1, &[("A", 0, 0), ("B", 0, 1)])),
        "inconclusive: A inconclusive, B inconclusive; an input changed during the run: `data.csv` was removed",
    );
    check(
        changed(found(1, 1, &[("A", 1, 0)])),
        "inconclusive: A inconclusive; an input changed during the run: `data.csv` was removed",
    );
}

#[test]
fn unexpected_rows_count_without_a_customer_too() {
    let mut nobodys = found(1, 1, &[("A", 0, 0)]);
    nobodys.rows.unexpected = 1;
    check(Left::compared(nobodys), "unexpected: A identical");
}

#[test]
fn a_change_is_as_bad_as_its_worst_task_and_a_lane_as_bad_as_it_is_in_any() {
    let mut plan = plan();
    let other = PlannedComparison {
        task: "u".into(),
        ..plan.comparisons[0].clone()
    };
    plan.comparisons.push(other);
    let mut log = Left::compared(found(2, 2, &[("A", 0, 0), ("B", 1, 0)])).log();
    let second = Left::compared(found(2, 2, &[("A", 0, 1), ("C", 0, 0)])).log();
    log.comparisons.insert(1, second.comparisons[&0].clone());
    let verdict = judge(&plan, &log).remove("x").unwrap();
    assert_eq!(verdict.verdict, Verdict::Unexpected);
    assert_eq!(verdict.tasks["t"].verdict, Verdict::Expected);
    let lanes = BTreeMap::from([
        (Verdict::Identical, 1),
        (Verdict::Expected, 1),
        (Verdict::Unexpected, 1),
    ]);
    assert_eq!(verdict.lanes(), lanes);
    log.comparisons.remove(&1);
    assert_eq!(judge(&plan, &log)["x"].verdict, Verdict::Inconclusive);
}

/// The law: whatever evidence is taken away, no verdict gets better than it was, except that what is gone can no
/// longer be unexpected: it is inconclusive then, and never good.
#[test]
fn removing_evidence_never_improves_a_verdict() {
    let comparisons = [
        found(2, 2, &[("A", 0, 0)]),
        found(2, 2, &[("A", 1, 0)]),
        found(2, 2, &[("A", 0, 1)]),
        not_compared(found(2, 2, &[("A", 0, 0)])),
        with_schema(
            found(2, 2, &[("A", 0, 0)]),
            DifferenceKind::ColumnAdded,
            None,
        ),
        found(0, 0, &[]),
    ];
    for comparison in comparisons {
        let whole = Left::compared(comparison.clone()).judged().verdict;
        let remaining = [
            Left {
                comparison: None,
                ..Left::compared(comparison.clone())
            },
            Left {
                comparison: Some(Err("timed out")),
                ..Left::compared(comparison.clone())
            },
            Left {
                new: Some(Err("died")),
                comparison: None,
                ..Left::compared(comparison.clone())
            },
            Left {
                old: None,
                new: None,
                comparison: None,
                changed_inputs: &[],
            },
            Left {
                changed_inputs: &["`data.csv` changed"],
                ..Left::compared(comparison.clone())
            },
            Left::compared(not_compared(comparison.clone())),
        ];
        for left in remaining {
            let verdict = left.judged().verdict;
            assert!(
                verdict >= whole.min(Verdict::Inconclusive),
                "{verdict} after {whole}"
            );
            assert!(
                verdict >= Verdict::Inconclusive,
                "{verdict} without evidence"
            );
        }
    }
}
