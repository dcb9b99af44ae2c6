//! Many dates by one command.

use serde_json::Value;

use crate::playground::Playground;

const PIPELINE: &str = "\
pipeline: daily
datasets:
  orders: { location: \"orders/date={date}/\" }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: OLD
      v2: { sql: new.sql }
changes:
  better:
    new: { totals: v2 }
";
const EXTERNAL: &str = "{ external: { location: \"lake/dt={date}/\" } }";
const SQL: &str = "{ sql: old.sql }";

/// The first days of March, whose third day differs where the old side is external.
fn daily(old: &str, days: u32) -> Playground {
    let daily = Playground::of(&[
        ("understudy.yaml", &PIPELINE.replace("OLD", old)),
        ("old.sql", "SELECT id, customer, amount FROM orders"),
        (
            "new.sql",
            "SELECT id, customer, amount FROM orders ORDER BY id",
        ),
    ]);
    for day in 1..=days {
        let rows = format!("id,customer,amount\n1,Ann,{day}\n2,Bob,{}\n", day * 2);
        daily.write(&format!("orders/date=2026-03-{day:02}/rows.csv"), &rows);
        let rows = if day == 3 {
            rows.replace("Ann,3", "Ann,4")
        } else {
            rows
        };
        daily.write(&format!("lake/dt=2026-03-{day:02}/rows.csv"), &rows);
    }
    daily
}

fn dates(report: &Value) -> Vec<String> {
    let date = |date: &Value| {
        let word = |key: &str| date[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", word("date"), word("outcome"), word("verdict"))
    };
    report["dates"]
        .as_array()
        .unwrap()
        .iter()
        .map(date)
        .collect()
}

#[test]
fn months_that_are_there_are_compared_by_one_command() {
    let daily = daily(EXTERNAL, 4);
    let month = [
        "run",
        "--shadow",
        "--from",
        "2026-03-01",
        "--to",
        "2026-03-05",
        "--json",
    ];
    let ended = daily.understudy(&month).expect(0);
    let expected = [
        "2026-03-01 ran identical",
        "2026-03-02 ran identical",
        "2026-03-03 ran unexpected",
        "2026-03-04 ran identical",
        "2026-03-05 ran inconclusive",
    ];
    assert_eq!(dates(&ended.json()), expected);
    assert!(!daily.path("live").exists());
    daily
        .understudy(&[&month[..], &["--strict"]].concat())
        .expect(1);
    // What is complete is not done again.
    let again = daily.understudy(&month).expect(0).json();
    for date in &again["dates"].as_array().unwrap()[..4] {
        let reuse = &date["report"]["reuse"];
        assert_eq!(reuse["reused"], reuse["needed"], "{date:#}");
    }
    daily.understudy(&["audit", "verify"]).expect(0);
}

#[test]
fn people_read_a_line_a_date_and_the_sum() {
    let daily = daily(EXTERNAL, 3);
    let ended = daily
        .understudy(&[
            "run",
            "--shadow",
            "--from",
            "2026-03-02",
            "--to",
            "2026-03-04",
        ])
        .expect(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(
        lines[0].starts_with("2026-03-02  identical  run "),
        "{}",
        ended.stdout
    );
    assert!(
        lines[1].starts_with("2026-03-03  UNEXPECTED  totals of better: 1 rows unexpected"),
        "{}",
        ended.stdout
    );
    assert!(
        lines[2]
            .starts_with("2026-03-04  NOT CHECKED  totals of better: the new version (v2) waits"),
        "{}",
        ended.stdout
    );
    let sum = &lines[lines.len() - 4..];
    assert_eq!(
        sum,
        [
            "3 dates",
            "  1 NOT CHECKED: 2026-03-04",
            "  1 UNEXPECTED: 2026-03-03",
            "  1 identical"
        ]
    );
}

#[test]
fn published_dates_are_never_published_again() {
    let daily = daily(SQL, 3);
    let month = [
        "run",
        "--from",
        "2026-03-01",
        "--to",
        "2026-03-03",
        "--json",
    ];
    daily
        .understudy(&["run", "--live", "--date", "2026-03-02"])
        .expect(0);
    let published = std::fs::read(daily.path("live/totals/date=2026-03-02/data.parquet")).unwrap();
    // Even with other code: what is published stays.
    daily.write(
        "old.sql",
        "SELECT id, customer, amount + 100 AS amount FROM orders",
    );
    let report = daily.understudy(&month).expect(0).json();
    assert_eq!(dates(&report).len(), 3);
    let status = |day: usize| report["dates"][day]["report"]["live"]["status"].clone();
    assert_eq!(status(0), "published");
    assert_ne!(status(1), "published");
    assert_eq!(status(2), "published");
    assert_eq!(
        std::fs::read(daily.path("live/totals/date=2026-03-02/data.parquet")).unwrap(),
        published
    );
    let live = daily.understudy(&[
        "run",
        "--live",
        "--from",
        "2026-03-01",
        "--to",
        "2026-03-03",
        "--json",
    ]);
    let expected = [
        "2026-03-01 already_published -",
        "2026-03-02 already_published -",
        "2026-03-03 already_published -",
    ];
    assert_eq!(dates(&live.expect(0).json()), expected);
}

#[test]
fn a_live_half_that_fails_does_not_keep_the_others_from_running() {
    let daily = daily(SQL, 4);
    daily.write(
        "orders/date=2026-03-02/rows.csv",
        "id,customer,amount\n1,Ann\n",
    );
    let ended = daily.understudy(&[
        "run",
        "--from",
        "2026-03-01",
        "--to",
        "2026-03-04",
        "--json",
    ]);
    let found = dates(&ended.expect(6).json());
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[1].starts_with("2026-03-02 live_failed"), "{found:?}");
    assert_eq!(found[3], "2026-03-04 ran identical");
}

#[test]
fn where_later_dates_build_on_it_a_failure_ends_it_and_the_rest_is_named() {
    let daily = daily(SQL, 4);
    daily.write(
        "orders/date=2026-03-02/rows.csv",
        "id,customer,amount\n1,Ann\n",
    );
    daily.replace(
        "understudy.yaml",
        "inputs: [orders]",
        "inputs: [orders, { dataset: totals, date: -1d, as: before, else: orders }]",
    );
    let all = ["run", "--from", "2026-03-01", "--to", "2026-03-04"];
    let ended = daily.understudy(&all).expect(6);
    let last = ended.stdout.lines().last().unwrap();
    assert_eq!(
        last,
        "  2 NOT RUN: 2026-03-03 to 2026-03-04, because the pipeline reads what it published before"
    );
    let report = daily
        .understudy(&[&all[..], &["--json"]].concat())
        .expect(6)
        .json();
    assert_eq!(dates(&report).len(), 2);
    assert_eq!(report["not_run"]["dates"], 2);
    assert_eq!(report["dates"][0]["published_before"], true);
    // A report file is for one date.
    daily
        .understudy(&[&all[..], &["--junit", "report.xml"]].concat())
        .expect(2);
}

#[test]
fn dates_in_the_wrong_order_are_refused() {
    let daily = daily(SQL, 1);
    let ended = daily
        .understudy(&["run", "--from", "2026-03-02", "--to", "2026-03-01"])
        .expect(2);
    assert!(
        ended
            .stderr
            .contains("`--from 2026-03-02` is after `--to 2026-03-01`"),
        "{}",
        ended.stderr
    );
    daily.understudy(&["run", "--from", "2026-03-02"]).expect(2);
    daily
        .understudy(&["run", "--from", "2000-01-01", "--to", "2999-01-01"])
        .expect(2);
}
