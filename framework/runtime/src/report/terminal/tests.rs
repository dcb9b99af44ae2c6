use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use understudy_core::comparison::{
    ColumnCounts, Comparison, CustomerCounts, RowCounts, RuleCounts, SchemaDifference,
};
use understudy_core::customer::Customer;
use understudy_core::judge::lanes::TaskVerdict;
use understudy_core::rule::DifferenceKind;
use understudy_core::stage::{LaneStages, Stage};
use understudy_core::world::Side;

use super::*;
use crate::report::files::diff::DiffFiles;
use crate::report::files::example::{Example, ExampleCell, NamedText};
use crate::report::model::{OutputReport, RUN_REPORT_FORMAT, ReuseReport, TaskFiles};

fn named(name: &str) -> Customer {
    Customer::Named(name.into())
}

/// What is compared of one customer: its rows, those expected, those unexpected.
fn counts(rows: u64, expected: u64, unexpected: u64) -> CustomerCounts {
    CustomerCounts {
        old: rows,
        new: rows,
        changed: expected + unexpected,
        expected,
        unexpected,
        ..Default::default()
    }
}

fn verdict_of(counts: &CustomerCounts) -> Verdict {
    match counts {
        CustomerCounts {
            unexpected: 1.., ..
        } => Verdict::Unexpected,
        CustomerCounts { expected: 1.., .. } => Verdict::Expected,
        _ => Verdict::Identical,
    }
}

fn comparison(customers: &[(&str, CustomerCounts)]) -> Comparison {
    let sum = |count: fn(&CustomerCounts) -> u64| {
        customers
            .iter()
            .map(|(_, counts)| count(counts))
            .sum::<u64>()
    };
    let rows = RowCounts {
        old: sum(|c| c.old),
        new: sum(|c| c.new),
        matched: sum(|c| c.old),
        changed: sum(|c| c.changed),
        unexpected: sum(|c| c.unexpected),
        ..Default::default()
    };
    let customers = customers
        .iter()
        .map(|(name, counts)| (Customer::from_label(name), *counts))
        .collect();
    Comparison {
        rows,
        customers,
        ..Default::default()
    }
}

fn task(versions: [&str; 2], comparison: &Comparison) -> TaskReport {
    let customers: BTreeMap<_, _> = comparison
        .customers
        .iter()
        .map(|(customer, counts)| (customer.clone(), verdict_of(counts)))
        .collect();
    let verdict = Verdict::worst(customers.values().copied());
    let verdict = TaskVerdict {
        verdict,
        reasons: Vec::new(),
        customers,
    };
    TaskReport::new(
        versions.map(str::to_owned),
        &verdict,
        Some(comparison),
        |_| (Stage::Shadow, Side::Old),
    )
}

fn not_checked(versions: [&str; 2], reasons: &[&str]) -> TaskReport {
    let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
    let verdict = TaskVerdict {
        verdict: Verdict::Inconclusive,
        reasons,
        customers: BTreeMap::new(),
    };
    TaskReport::new(versions.map(str::to_owned), &verdict, None, |_| {
        (Stage::Shadow, Side::Old)
    })
}

fn change(tasks: Vec<(&str, TaskReport)>) -> ChangeReport {
    let tasks: BTreeMap<_, _> = tasks
        .into_iter()
        .map(|(name, task)| (name.to_owned(), task))
        .collect();
    let verdict = Verdict::worst(tasks.values().map(|task| task.verdict));
    ChangeReport {
        leaks: Vec::new(),
        verdict,
        stages: LaneStages::default(),
        fallbacks: Vec::new(),
        tasks,
        page: None,
    }
}

fn run(changes: Vec<(&str, ChangeReport)>) -> RunReport {
    let output = |task: &str, rows| {
        let path = format!("live/{task}/date=2013-03-10/data.parquet");
        (
            task.to_owned(),
            OutputReport {
                path,
                rows,
                version: "v1".into(),
            },
        )
    };
    RunReport {
        version: RUN_REPORT_FORMAT,
        pipeline: "flights".into(),
        run: "8f31c2a90b7d".into(),
        date: "2013-03-10".parse().unwrap(),
        slice: None,
        live: LiveReport {
            status: LiveStatus::Published,
            outputs: [output("carrier_delay", 4_310), output("rank", 16)].into(),
            reasons: Vec::new(),
            wall_ms: 1_210,
        },
        changes: changes
            .into_iter()
            .map(|(name, change)| (name.to_owned(), change))
            .collect(),
        suspended: BTreeMap::new(),
        alerts: Vec::new(),
        notes: Vec::new(),
        reuse: ReuseReport::default(),
        wall_ms: 3_960,
        busy_ms: 3_600,
        next: Some("understudy report --task carrier_delay examples/flights".into()),
    }
}

fn example(
    customer: &str,
    key: &[(&str, &str)],
    kind: DifferenceKind,
    cells: &[[&str; 4]],
) -> Example {
    let some = |text: &str| (text != "NULL").then(|| text.to_owned());
    let key = key.iter().map(|(column, text)| NamedText {
        column: (*column).into(),
        text: some(text),
    });
    let cells = cells
        .iter()
        .map(|[column, old, new, delta_pct]| ExampleCell {
            delta: None,
            column: (*column).into(),
            old: some(old),
            new: some(new),
            delta_pct: some(delta_pct),
        });
    Example {
        customer: named(customer),
        key: key.collect(),
        kind,
        cells: cells.collect(),
    }
}

fn files(lines: u64, examples: Vec<Example>) -> Option<TaskFiles> {
    let diff = DiffFiles {
        lines,
        unexpected_lines: lines,
        csv_lines: lines,
        csv_files: 1,
        csv_complete: true,
        examples,
        groups: Vec::new(),
    };
    Some(TaskFiles {
        folder: "store/runs/8f31c2a90b7d/utc-delays/carrier_delay/".into(),
        diff,
    })
}

/// The worst that a run can be, with everything there is to say.
fn busy() -> RunReport {
    let customers = [
        ("HA", counts(31, 5, 12)),
        ("B6", counts(610, 1_201, 398)),
        ("F9", counts(58, 0, 1)),
        ("OO", counts(8_000, 0, 1)),
        ("AS", counts(62, 62, 0)),
        ("VX", counts(420, 9, 0)),
        ("9E", counts(500, 0, 0)),
        ("AA", counts(500, 0, 0)),
    ];
    let mut comparison = comparison(&customers);
    comparison.rows.only_old = 1_012;
    comparison.columns = [
        ("flights", 2, 2),
        ("computed_at", 4_310, 0),
        ("mean_delay", 1_611, 410),
        ("same", 0, 0),
    ]
    .map(|(name, changed, unexpected)| ColumnCounts {
        name: name.into(),
        changed,
        unexpected,
    })
    .into();
    comparison.rules = [
        ("western carriers move a little", 1_100),
        ("set by the run", 4_310),
        ("no more", 0),
    ]
    .map(|(name, differences)| RuleCounts {
        name: name.into(),
        differences,
        ..RuleCounts::default()
    })
    .into();
    comparison.schema = vec![SchemaDifference {
        column: "on_time".into(),
        kind: DifferenceKind::ColumnAdded,
        old: None,
        new: Some("Boolean".into()),
        rule: Some("set by the run".into()),
    }];
    comparison.notes = vec!["the columns stand in another order".into()];
    let mut worst = task(["v1", "v2"], &comparison);
    let gone = [
        ["flights", "3", "NULL", "NULL"],
        ["mean_delay", "12.5", "NULL", "NULL"],
    ];
    worst.files = files(
        6_000,
        vec![
            example(
                "B6",
                &[("carrier", "B6"), ("origin", "BQN")],
                DifferenceKind::OnlyOld,
                &gone,
            ),
            example(
                "HA",
                &[("carrier", "HA"), ("origin", "JFK")],
                DifferenceKind::Changed,
                &[["mean_delay", "12.5", "14.25", "14"]],
            ),
            example(
                "HA",
                &[("carrier", "HA"), ("origin", "JFK")],
                DifferenceKind::Changed,
                &[["flights", "31", "30", "-3.225806"]],
            ),
        ],
    );
    let rank = not_checked(
        ["v1", "v1"],
        &[
            "the new version (v1) ran past its limit of 10 minutes",
            "an input changed during the run: data/x.csv was written to",
        ],
    );
    let mut run = run(vec![
        (
            "quiet",
            change(vec![(
                "rank",
                task(["v1", "v2"], &self::comparison(&[("*", counts(16, 0, 0))])),
            )]),
        ),
        (
            "utc-delays",
            change(vec![("carrier_delay", worst), ("rank", rank)]),
        ),
    ]);
    run.reuse = ReuseReport {
        reused: 3,
        needed: 7,
    };
    run
}

fn shown(report: &RunReport) -> String {
    let text = render(report, &View::default());
    for line in text.lines() {
        let is_path = line.contains("store/") || line.contains("live/") || line.starts_with("next");
        assert!(
            width::width(line) <= width::MAX_WIDTH || is_path,
            "too wide: {line}"
        );
    }
    text
}

fn check(report: &RunReport, expected: &Expect) {
    expected.assert_eq(&shown(report));
}

#[test]
fn a_run_with_everything_to_say() {
    check(
        &busy(),
        &expect![[r#"
            flights 2013-03-10  run 8f31c2a90b7d  3.9 s, 3 of 7 steps reused
            live      published 2 outputs in 1.2 s
                      carrier_delay  v1  4,310 rows  live/carrier_delay/date=2013-03-10/data.parquet
                      rank           v1  16 rows  live/rank/date=2013-03-10/data.parquet

            utc-delays: UNEXPECTED differences; everybody gets OLD; nobody saw the unexpected ones
              carrier_delay  v1 -> v2       UNEXPECTED in 412 of 11,193 rows (3.7 %), 1,277 as expected
                rows      1,012 only in OLD
                columns   mean_delay 1,611 changed, 410 UNEXPECTED; flights 2 changed, all UNEXPECTED;
                          computed_at 4,310 changed as expected
                schema    column added: on_time (Boolean), expected by "set by the run"
                customer  unexpected          expected   rows
                B6               398  65.2 %     1,201    610
                HA                12  38.7 %         5     31
                F9                 1   1.7 %         0     58
                OO                 1  0.01 %         0  8,000
                and 2 as expected, 2 identical
                rules     "western carriers move a little" explains 1,100; "set by the run" explains 4,310
                idle      "no more" matched nothing
                example   B6  origin=BQN  only in OLD: flights=3 mean_delay=12.5
                          HA  origin=JFK  mean_delay  12.5 -> 14.25 (+14 %)
                note      the columns stand in another order
              rank           v1 downstream  NOT CHECKED: the new version (v1) ran past its limit of 10 minutes
                because   an input changed during the run: data/x.csv was written to

            quiet: identical; everybody gets OLD
              rank  v1 -> v2  identical in 16 rows

            differences  store/runs/8f31c2a90b7d/utc-delays/carrier_delay/diff.csv
            next         understudy report --task carrier_delay examples/flights
        "#]],
    );
}

#[test]
fn one_task_with_all_that_is_known() {
    let view = View {
        detail: Detail::Task("carrier_delay".into()),
        ..Default::default()
    };
    expect![[r#"
        flights 2013-03-10  run 8f31c2a90b7d  3.9 s, 3 of 7 steps reused
        live      published 2 outputs in 1.2 s
                  carrier_delay  v1  4,310 rows  live/carrier_delay/date=2013-03-10/data.parquet
                  rank           v1  16 rows  live/rank/date=2013-03-10/data.parquet

        utc-delays: UNEXPECTED differences; everybody gets OLD; nobody saw the unexpected ones
          carrier_delay  v1 -> v2  UNEXPECTED in 412 of 11,193 rows (3.7 %), 1,277 as expected
            rows      1,012 only in OLD
            columns   mean_delay 1,611 changed, 410 UNEXPECTED; flights 2 changed, all UNEXPECTED;
                      computed_at 4,310 changed as expected
            schema    column added: on_time (Boolean), expected by "set by the run"
            customer  unexpected          expected   rows
            B6               398  65.2 %     1,201    610
            HA                12  38.7 %         5     31
            F9                 1   1.7 %         0     58
            OO                 1  0.01 %         0  8,000
            AS                 0     0 %        62     62
            VX                 0     0 %         9    420
            and 2 identical
            rules     "western carriers move a little" explains 1,100; "set by the run" explains 4,310
            idle      "no more" matched nothing
            example   B6  origin=BQN  only in OLD: flights=3 mean_delay=12.5
                      HA  origin=JFK  mean_delay  12.5 -> 14.25 (+14 %)
                      HA  origin=JFK  flights  31 -> 30 (-3.2 %)
            note      the columns stand in another order

        differences  store/runs/8f31c2a90b7d/utc-delays/carrier_delay/diff.csv
        next         understudy report --task carrier_delay examples/flights
    "#]].assert_eq(&render(&busy(), &view));
}

#[test]
fn a_run_without_a_change() {
    let mut run = run(Vec::new());
    run.live.status = LiveStatus::AlreadyPublished;
    run.next = None;
    check(
        &run,
        &expect![[r#"
        flights 2013-03-10  run 8f31c2a90b7d  3.9 s
        live      published 2 outputs before, unchanged since
                  carrier_delay  v1  4,310 rows  live/carrier_delay/date=2013-03-10/data.parquet
                  rank           v1  16 rows  live/rank/date=2013-03-10/data.parquet
    "#]],
    );
}

#[test]
fn all_is_as_expected() {
    let customers = [
        ("AS", counts(62, 62, 0)),
        ("VX", counts(420, 9, 0)),
        ("9E", counts(500, 0, 0)),
    ];
    let mut expected = task(["v1", "v2"], &comparison(&customers));
    expected.files = files(71, Vec::new());
    check(
        &run(vec![(
            "utc-delays",
            change(vec![("carrier_delay", expected)]),
        )]),
        &expect![[r#"
            flights 2013-03-10  run 8f31c2a90b7d  3.9 s
            live      published 2 outputs in 1.2 s
                      carrier_delay  v1  4,310 rows  live/carrier_delay/date=2013-03-10/data.parquet
                      rank           v1  16 rows  live/rank/date=2013-03-10/data.parquet

            utc-delays: differs as expected; everybody gets OLD
              carrier_delay  v1 -> v2  as expected in 71 of 982 rows (7.2 %)
                customers 2 as expected, 1 identical

            differences  store/runs/8f31c2a90b7d/utc-delays/carrier_delay/diff.csv
            next         understudy report --task carrier_delay examples/flights
        "#]],
    );
}

#[test]
fn nothing_was_checked() {
    let reason = "the new version (v2) exited with code 1; its errors are in store/runs/8f31c2a90b7d/logs/carrier_delay-v2.err";
    let run = run(vec![(
        "utc-delays",
        change(vec![(
            "carrier_delay",
            not_checked(["v1", "v2"], &[reason]),
        )]),
    )]);
    check(
        &run,
        &expect![[r#"
        flights 2013-03-10  run 8f31c2a90b7d  3.9 s
        live      published 2 outputs in 1.2 s
                  carrier_delay  v1  4,310 rows  live/carrier_delay/date=2013-03-10/data.parquet
                  rank           v1  16 rows  live/rank/date=2013-03-10/data.parquet

        utc-delays: NOT CHECKED; everybody gets OLD
          carrier_delay  v1 -> v2  NOT CHECKED: the new version (v2) exited with code 1; its errors are in
                                              store/runs/8f31c2a90b7d/logs/carrier_delay-v2.err

        next         understudy report --task carrier_delay examples/flights
    "#]],
    );
}

#[test]
fn live_failed() {
    let mut run = run(vec![(
        "utc-delays",
        change(vec![(
            "carrier_delay",
            not_checked(["v1", "v2"], &["live failed"]),
        )]),
    )]);
    run.live.status = LiveStatus::Failed;
    run.live.outputs.clear();
    run.live.reasons = vec!["task `carrier_delay` (v1) exited with code 1".into()];
    run.suspended = [(
        "other".to_owned(),
        vec!["understudy.yaml:12:3: `v9` is not a version of `rank`".to_owned()],
    )]
    .into();
    check(
        &run,
        &expect![[r#"
        flights 2013-03-10  run 8f31c2a90b7d  3.9 s
        live      FAILED and published nothing
                  task `carrier_delay` (v1) exited with code 1

        utc-delays: NOT CHECKED; nothing was published
          carrier_delay  v1 -> v2  NOT CHECKED: live failed

        other: SUSPENDED, its lanes keep what was last authorised
          understudy.yaml:12:3: `v9` is not a version of `rank`

        next         understudy report --task carrier_delay examples/flights
    "#]],
    );
}

#[test]
fn some_customers_are_live() {
    let customers = [
        ("AS", counts(62, 0, 3)),
        ("VX", counts(420, 9, 2)),
        ("9E", counts(500, 0, 0)),
    ];
    let mut outcome = change(vec![(
        "carrier_delay",
        task(["v1", "v2"], &comparison(&customers)),
    )]);
    outcome.stages.lanes = [(named("AS"), Stage::Live), (named("VX"), Stage::Live)].into();
    outcome.fallbacks = vec![named("AS")];
    let lanes = &mut outcome.tasks.get_mut("carrier_delay").unwrap().customers;
    lanes.get_mut(&named("AS")).unwrap().stage = Stage::Live;
    let vx = lanes.get_mut(&named("VX")).unwrap();
    (vx.stage, vx.gets) = (Stage::Live, Side::New);
    let mut run = run(vec![("utc-delays", outcome)]);
    run.alerts = vec!["utc-delays: AS was live, differs unexpectedly and got its OLD rows".into()];
    check(
        &run,
        &expect![[r#"
        flights 2013-03-10  run 8f31c2a90b7d  3.9 s
        ALERT     utc-delays: AS was live, differs unexpectedly and got its OLD rows
        live      published 2 outputs in 1.2 s
                  carrier_delay  v1  4,310 rows  live/carrier_delay/date=2013-03-10/data.parquet
                  rank           v1  16 rows  live/rank/date=2013-03-10/data.parquet

        utc-delays: UNEXPECTED differences; NEW for AS, VX, everybody else gets OLD; AS FELL BACK to OLD;
                                          SEEN BY VX
          carrier_delay  v1 -> v2  UNEXPECTED in 5 of 982 rows (0.5 %), 9 as expected
            customer  unexpected         expected  rows  stage  gets
            AS                 3  4.8 %         0    62  live   OLD, fell back
            VX                 2  0.5 %         9   420  live   NEW
            and 1 identical

        next         understudy report --task carrier_delay examples/flights
    "#]],
    );
}

#[test]
fn who_gets_what_in_a_sentence() {
    let check = |lanes: &[(&str, Stage)], unlisted: Stage, sentence: &str| {
        let mut outcome = change(vec![(
            "t",
            task(["v1", "v2"], &comparison(&[("A", counts(1, 0, 0))])),
        )]);
        let lanes = lanes.iter().map(|(name, stage)| (named(name), *stage));
        outcome.stages = LaneStages {
            lanes: lanes.collect(),
            unlisted,
        };
        let text = shown(&run(vec![("c", outcome)]));
        let line = text.lines().find(|line| line.starts_with("c: ")).unwrap();
        assert_eq!(line, format!("c: identical; {sentence}"));
    };
    check(&[], Stage::Shadow, "everybody gets OLD");
    check(
        &[("A", Stage::Off)],
        Stage::Off,
        "everybody gets OLD, the change is off",
    );
    check(&[], Stage::Live, "everybody gets NEW");
    check(&[], Stage::Complete, "everybody gets NEW for good");
    check(
        &[("A", Stage::Live)],
        Stage::Shadow,
        "NEW for A, everybody else gets OLD",
    );
    check(
        &[("A", Stage::Shadow)],
        Stage::Live,
        "everybody gets NEW but A",
    );
    let many: Vec<_> = ["A", "B", "C", "D", "E", "F", "G"]
        .map(|name| (name, Stage::Live))
        .into();
    check(
        &many,
        Stage::Shadow,
        "NEW for A, B, C, D, E and 2 other customers, everybody else gets OLD",
    );
}

#[test]
fn nothing_from_data_acts_on_the_terminal() {
    let nasty = "\x1b[31mX\x1b]0;t\x07\u{202e}evil\r\n\u{9b}2J";
    let mut comparison = comparison(&[(nasty, counts(9, 0, 3))]);
    comparison.columns = vec![ColumnCounts {
        name: nasty.into(),
        changed: 3,
        unexpected: 3,
    }];
    comparison.rules = vec![RuleCounts {
        name: nasty.into(),
        ..RuleCounts::default()
    }];
    comparison.notes = vec![nasty.into()];
    let mut worst = task([nasty, nasty], &comparison);
    worst.reasons = vec![nasty.into()];
    worst.files = files(
        3,
        vec![example(
            nasty,
            &[(nasty, nasty)],
            DifferenceKind::Changed,
            &[[nasty, nasty, nasty, nasty]],
        )],
    );
    let mut run = run(vec![(nasty, change(vec![(nasty, worst)]))]);
    run.pipeline = nasty.into();
    run.alerts = vec![nasty.into()];
    run.live.reasons = vec![nasty.into()];
    run.suspended = [(nasty.to_owned(), vec![nasty.to_owned()])].into();
    run.notes = vec![nasty.into()];
    run.next = Some(nasty.into());
    let text = shown(&run);
    assert!(text.contains("␛[31mX␛]0;t␇<U+202E>evil␍␊<U+009B>2J"));
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plain = render(&busy(), &View::default());
    let coloured = render(
        &busy(),
        &View {
            ink: Ink::Colour,
            ..Default::default()
        },
    );
    assert_ne!(coloured, plain);
    let mut bare = String::new();
    let mut parts = coloured.split("\x1b[");
    bare.push_str(parts.next().unwrap());
    for part in parts {
        bare.push_str(part.split_once('m').unwrap().1);
    }
    let trimmed = |text: &str| {
        text.lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect::<String>()
    };
    assert_eq!(trimmed(&bare), plain);
}

#[test]
fn long_and_wide_names_stay_in_their_columns() {
    let long = "東京".repeat(60);
    let mut comparison = comparison(&[(&long, counts(9, 0, 3)), ("B", counts(9, 0, 2))]);
    comparison.columns = vec![ColumnCounts {
        name: long.clone(),
        changed: 3,
        unexpected: 3,
    }];
    let mut worst = task([&long, "v2"], &comparison);
    worst.reasons = vec![long.clone()];
    worst.files = files(
        3,
        vec![example(
            &long,
            &[(&long, &long)],
            DifferenceKind::Changed,
            &[[&long, &long, "x", "1"]],
        )],
    );
    let text = shown(&run(vec![(&long, change(vec![(&long, worst)]))]));
    let columns: Vec<_> = text
        .lines()
        .filter(|line| line.ends_with(" 9"))
        .map(width::width)
        .collect();
    assert_eq!(columns.len(), 2);
    assert_eq!(columns[0], columns[1], "{text}");
}

#[test]
fn many_customers_are_cut_with_a_count() {
    let names: Vec<_> = (0..30).map(|number| format!("C{number:02}")).collect();
    let customers: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (name.as_str(), counts(100, 0, n as u64)))
        .collect();
    let report = run(vec![(
        "c",
        change(vec![("t", task(["v1", "v2"], &comparison(&customers)))]),
    )]);
    let text = shown(&report);
    assert!(
        text.contains("    C29               29  29 %         0   100"),
        "{text}"
    );
    assert!(!text.contains("C21"));
    assert!(
        text.contains("    and 21 UNEXPECTED, 1 identical"),
        "{text}"
    );
    let whole = render(
        &report,
        &View {
            detail: Detail::Task("t".into()),
            ..Default::default()
        },
    );
    assert!(
        whole.contains("C01") && whole.contains("    and 1 identical"),
        "{whole}"
    );
}

#[test]
fn values_show_where_they_differ() {
    let check = |old: &str, new: &str, sentence: &str| {
        let mut worst = task(["v1", "v2"], &comparison(&[("A", counts(9, 0, 3))]));
        worst.files = files(
            1,
            vec![example(
                "A",
                &[],
                DifferenceKind::Changed,
                &[["c", old, new, "NULL"]],
            )],
        );
        let text = shown(&run(vec![("c", change(vec![("t", worst)]))]));
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("    example   A  c  "))
            .unwrap();
        assert_eq!(line, sentence);
    };
    check("NULL", "", "NULL -> \"\"");
    check("AA ", "AA", "\"AA \" -> AA");
    check("a\tb", "a b", "\"a␉b\" -> a b");
    check("caf\u{e9}", "cafe\u{301}", "caf\\u{e9} -> cafe\\u{301}");
    check("a\u{200d}b", "ab", "a\\u{200d}b -> ab");
    let long = "the same long beginning of a text, then ";
    check(
        &format!("{long}this"),
        &format!("{long}that"),
        "… then this -> … then that",
    );
}

#[test]
fn a_capped_csv_says_so() {
    let mut worst = task(["v1", "v2"], &comparison(&[("A", counts(9, 0, 3))]));
    worst.files = files(2_345_678, Vec::new());
    let diff = &mut worst.files.as_mut().unwrap().diff;
    (diff.csv_lines, diff.csv_complete) = (1_000_000, false);
    let text = shown(&run(vec![("c", change(vec![("t", worst)]))]));
    assert!(
        text.contains("diff.csv has 1,000,000 of 2,345,678 differences; diff.parquet has all"),
        "{text}"
    );
}

#[test]
fn a_report_comes_back_from_json() {
    let json = serde_json::to_string(&busy()).unwrap();
    let back: RunReport = serde_json::from_str(&json).unwrap();
    assert_eq!(back, busy());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let customer = &json["changes"]["utc-delays"]["tasks"]["carrier_delay"]["customers"]["HA"];
    assert_eq!(json["version"], 1);
    assert_eq!(json["date"], "2013-03-10");
    assert_eq!(json["live"]["status"], "published");
    assert_eq!(
        customer.to_string(),
        r#"{"verdict":"unexpected","stage":"shadow","gets":"old","rows":31,"expected":5,"unexpected":12}"#
    );
}
