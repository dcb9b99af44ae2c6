//! Which rows lanes get, as text: stages, what happened, and who gets what.

use expect_test::{Expect, expect};

use super::*;
use crate::comparison::SchemaDifference;
use crate::run::FailureKind;

fn named(name: &str) -> Customer {
    Customer::Named(name.to_owned())
}

fn stages(text: &str) -> LaneStages {
    let mut stages = LaneStages::default();
    for (lane, stage) in text
        .split_whitespace()
        .map(|part| part.split_once('=').unwrap())
    {
        let stage = match stage {
            "off" => Stage::Off,
            "shadow" => Stage::Shadow,
            "live" => Stage::Live,
            _ => Stage::Complete,
        };
        match lane {
            "*" => stages.unlisted = stage,
            lane => drop(stages.lanes.insert(named(lane), stage)),
        }
    }
    stages
}

/// What the live half knows of the one changed task.
#[derive(Default)]
struct Known {
    old_failure: Option<Failure>,
    new_failure: Option<Failure>,
    comparison: Option<Result<Comparison, Failure>>,
    customers: BTreeMap<Customer, Verdict>,
}

fn failed() -> Option<Failure> {
    Some(Failure::new(FailureKind::Task, "exited with 1"))
}

fn compared(customers: &[(&str, Verdict)], schema: &[DifferenceKind]) -> Known {
    let schema = schema.iter().map(|kind| SchemaDifference {
        column: "c".into(),
        kind: *kind,
        old: None,
        new: None,
        rule: None,
    });
    let comparison = Comparison {
        schema: schema.collect(),
        ..Comparison::default()
    };
    let customers = customers
        .iter()
        .map(|(name, verdict)| (named(name), *verdict))
        .collect();
    Known {
        comparison: Some(Ok(comparison)),
        customers,
        ..Known::default()
    }
}

fn check(stages_text: &str, known: &Known, expected: &Expect) {
    check_waves(stages_text, &[], known, expected);
}

fn wave(number: u32, lanes: Option<&str>, fallen: &str) -> LiveWave {
    let names = |text: &str| text.split_whitespace().map(named).collect();
    LiveWave {
        number,
        lanes: lanes.map(names),
        fallen: names(fallen),
    }
}

fn check_waves(stages_text: &str, waves: &[LiveWave], known: &Known, expected: &Expect) {
    let stages = stages(stages_text);
    let task = TaskBeforePublishing {
        task: "t",
        old_failure: known.old_failure.as_ref(),
        new_failure: known.new_failure.as_ref(),
        comparison: known.comparison.as_ref().map(Result::as_ref),
        customers: &known.customers,
    };
    let text = match assemble("x", &stages, waves, &[task]) {
        Err(failure) => format!("live failed: {failure}\n"),
        Ok(assembly) => shown(&assembly),
    };
    expected.assert_eq(&text);
}

fn shown(assembly: &Assembly) -> String {
    let lanes: Vec<String> = assembly
        .lanes
        .iter()
        .map(|(lane, side)| format!("{lane} {}", side.name()))
        .collect();
    let alerts: String = assembly
        .alerts
        .iter()
        .map(|alert| format!("alert: {alert}\n"))
        .collect();
    format!(
        "[{}], else {}, columns of {}\n{alerts}",
        lanes.join(", "),
        assembly.unlisted.name(),
        assembly.schema.name()
    )
}

#[test]
fn each_lane_gets_what_its_stage_says() {
    let clean = compared(&[("A", Verdict::Expected), ("B", Verdict::Unexpected)], &[]);
    check(
        "A=live",
        &clean,
        &expect![[r#"
        [A new], else old, columns of old
    "#]],
    );
    check(
        "*=live B=shadow",
        &clean,
        &expect![[r#"
        [B old], else new, columns of old
    "#]],
    );
}

#[test]
fn a_live_lane_with_unexpected_differences_gets_its_old_rows() {
    let bad = compared(
        &[("A", Verdict::Unexpected), ("B", Verdict::Identical)],
        &[],
    );
    check(
        "A=live B=live",
        &bad,
        &expect![[r#"
        [A old, B new], else old, columns of old
        alert: `x`: A fell back to its old rows: unexpected differences in `t`
    "#]],
    );
    check(
        "*=live",
        &bad,
        &expect![[r#"
        [A old], else new, columns of old
        alert: `x`: A fell back to its old rows: unexpected differences in `t`
    "#]],
    );
}

#[test]
fn a_wave_falls_whole_when_three_lanes_or_a_tenth_of_it_fall() {
    use Verdict::{Identical, Unexpected};
    let one_of_two = compared(
        &[("A", Unexpected), ("B", Identical), ("C", Identical)],
        &[],
    );
    // C went before, by itself: no wave takes it along.
    check_waves(
        "A=live B=live C=live",
        &[wave(1, Some("A B"), "")],
        &one_of_two,
        &expect![[r#"
            [A old, B old, C new], else old, columns of old
            alert: `x`: A fell back to its old rows: unexpected differences in `t`
            alert: `x`: all of wave 1 fell back to its old rows, because 1 of its 2 lanes did
        "#]],
    );
    let eleven = "A B c d e f g h i j k";
    let live = "A=live B=live";
    check_waves(
        live,
        &[wave(1, Some(eleven), "")],
        &one_of_two,
        &expect![[r#"
            [A old, B new], else old, columns of old
            alert: `x`: A fell back to its old rows: unexpected differences in `t`
        "#]],
    );
    // What fell in earlier runs counts.
    check_waves(
        live,
        &[wave(1, Some(eleven), "c d")],
        &one_of_two,
        &expect![[r#"
            [A old, B old], else old, columns of old
            alert: `x`: A fell back to its old rows: unexpected differences in `t`
            alert: `x`: all of wave 1 fell back to its old rows, because 3 of its 11 lanes did
        "#]],
    );
}

#[test]
fn when_the_last_wave_falls_those_before_it_stay() {
    use Verdict::{Identical, Unexpected};
    let found = compared(
        &[("A", Identical), ("B", Unexpected), ("C", Identical)],
        &[],
    );
    check_waves(
        "*=live",
        &[wave(1, Some("A"), ""), wave(2, None, "")],
        &found,
        &expect![[r#"
            [A new, B old], else old, columns of old
            alert: `x`: B fell back to its old rows: unexpected differences in `t`
            alert: `x`: all of wave 2 fell back to its old rows, because 1 of its 2 lanes did
        "#]],
    );
}

#[test]
fn whatever_keeps_the_new_version_from_being_checked_keeps_it_from_being_published() {
    let not_compared = Known::default();
    check(
        "A=live",
        &not_compared,
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: live lanes get their old rows: `t` was not compared
    "#]],
    );
    let new_failed = Known {
        new_failure: failed(),
        ..Known::default()
    };
    check(
        "A=live",
        &new_failed,
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: live lanes get their old rows: the new version of `t` failed: exited with 1
    "#]],
    );
    check(
        "*=live",
        &new_failed,
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: live lanes get their old rows: the new version of `t` failed: exited with 1
    "#]],
    );
    let timed_out = Known {
        comparison: Some(Err(failed().unwrap())),
        ..Known::default()
    };
    check(
        "*=live",
        &timed_out,
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: live lanes get their old rows: comparing `t` failed: exited with 1
    "#]],
    );
}

#[test]
fn a_lost_column_forbids_a_partial_flip_and_an_added_one_waits_for_all() {
    use DifferenceKind::{ColumnAdded, ColumnRemoved, TypeChanged};
    let found = |verdict, kind| compared(&[("A", verdict)], &[kind]);
    check(
        "A=live",
        &found(Verdict::Expected, ColumnRemoved),
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: live lanes get their old rows: column `c` of `t` is missing or has another type, which forbids a partial flip
    "#]],
    );
    check(
        "A=live",
        &found(Verdict::Expected, TypeChanged),
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: live lanes get their old rows: column `c` of `t` is missing or has another type, which forbids a partial flip
    "#]],
    );
    check(
        "*=live",
        &found(Verdict::Expected, ColumnRemoved),
        &expect![[r#"
        [], else new, columns of new
    "#]],
    );
    check(
        "*=live",
        &found(Verdict::Unexpected, TypeChanged),
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: A fell back to its old rows: unexpected differences in `t`
        alert: `x`: everybody gets old rows, because the two versions' columns do not go together
    "#]],
    );
    check(
        "A=live",
        &found(Verdict::Expected, ColumnAdded),
        &expect![[r#"
        [A new], else old, columns of old
    "#]],
    );
}

#[test]
fn when_the_old_version_fails_live_fails_unless_nobody_gets_its_rows() {
    let old_failed = Known {
        old_failure: failed(),
        ..Known::default()
    };
    check(
        "A=live",
        &old_failed,
        &expect![[r#"
        live failed: exited with 1
    "#]],
    );
    check(
        "*=live",
        &old_failed,
        &expect![[r#"
        [], else new, columns of new
        alert: `x`: the old version of `t` failed, the new rows are published unchecked: exited with 1
    "#]],
    );
    let both_failed = Known {
        old_failure: failed(),
        new_failure: failed(),
        ..Known::default()
    };
    check(
        "*=live",
        &both_failed,
        &expect![[r#"
        live failed: exited with 1
    "#]],
    );
}

fn all_stages(text: &str) -> String {
    let stages = stages(text);
    format!("{:?}", ["A", "B", "C"].map(|lane| stages.of(&named(lane))))
}

#[test]
fn a_move_towards_old_is_honoured_up_to_publishing_and_one_towards_new_is_not() {
    let check = |held: &str, now: &str, expected: &str, differ: bool| {
        let (before, now) = (stages(held), stages(now));
        let after = lowered(&before, &now);
        let lanes = ["A", "B", "C"].map(|lane| after.of(&named(lane)));
        assert_eq!(
            format!("{lanes:?}"),
            all_stages(expected),
            "{held} then {now:?}"
        );
        assert_eq!(sides_differ(&before, &after), differ, "{held} then {now:?}");
    };
    check("A=live", "A=shadow B=live", "A=shadow", true);
    check("A=live", "A=live B=live *=live", "A=live", false);
    check("A=live", "*=off", "*=off", true);
    check("*=live", "*=live A=off", "A=off *=live", true);
    check("A=off *=live", "*=live", "A=off *=live", false);
    check("A=live", "*=complete", "A=live", false);
    check("A=shadow", "A=off", "A=off", false);
}

#[test]
fn the_one_lane_is_the_named_one_or_what_holds_for_everybody() {
    let one = |text: &str| as_one_lane(&stages(text)).of(&Customer::Everybody);
    assert_eq!(one("A=live"), Stage::Shadow);
    assert_eq!(one("*=live"), Stage::Live);
    let mut named = stages("A=off");
    named.lanes.insert(Customer::Everybody, Stage::Live);
    assert_eq!(as_one_lane(&named), stages("*=live"));
}

#[test]
fn where_the_one_lane_is_unexpected_everybody_gets_old_rows() {
    let mut known = compared(&[], &[]);
    known
        .customers
        .insert(Customer::Everybody, Verdict::Unexpected);
    check(
        "*=live",
        &known,
        &expect![[r#"
        [], else old, columns of old
        alert: `x`: * fell back to its old rows: unexpected differences in `t`
    "#]],
    );
}

#[test]
fn flags_move_lanes_back_and_never_forward() {
    let ledger = Stages(BTreeMap::from([("x".to_owned(), stages("A=live B=live"))]));
    let flags = BTreeMap::from([("x".to_owned(), stages("A=shadow B=live C=live"))]);
    let (stages, alerts) = interlock(&ledger, &flags);
    let lanes: Vec<_> = ["A", "B", "C", "D"]
        .map(|lane| format!("{lane} {}", stages.of("x").of(&named(lane))))
        .into();
    expect![[r#"
        A shadow, B live, C shadow, D shadow
        `x`: the flag moved A back from live to shadow, which is honoured
        `x`: the flag moved C to live and nobody authorised it: C stays at shadow"#]]
    .assert_eq(&format!("{}\n{}", lanes.join(", "), alerts.join("\n")));
    assert_eq!(interlock(&ledger, &BTreeMap::new()), (ledger, Vec::new()));
}

#[test]
fn a_lane_that_is_wrong_and_has_no_old_rows_to_go_back_to_fails_live() {
    let wrong = compared(&[("A", Verdict::Unexpected)], &[]);
    let known = Known {
        old_failure: failed(),
        ..wrong
    };
    check(
        "*=live",
        &known,
        &expect![[r#"
        live failed: exited with 1
    "#]],
    );
}
