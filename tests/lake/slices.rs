//! A part of the customers by itself.

use std::sync::Barrier;

use crate::playground::{DATE, Playground};

const PIPELINE: &str = "\
pipeline: nights
datasets:
  events: { location: events.csv, customer: customer }
  plans: { location: plans.csv }
slices:
  emea: [Ann, Bob]
  apac: { file: apac.txt }
  rest: { others: true }
tasks:
  score:
    inputs: [events, plans]
    output: { location: live/score, grain: [customer], customer: customer }
    live: v1
    versions:
      v1: { sql: score.sql }
      v2: { command: [sh, score.sh], inputs: csv }
changes:
  better:
    new: { score: v2 }
";

fn nights() -> Playground {
    Playground::of(&[
        ("understudy.yaml", PIPELINE),
        ("apac.txt", "Chi\n"),
        (
            "events.csv",
            "customer,n\nAnn,1\nAnn,2\nBob,3\nChi,4\nDia,5\n,6\n",
        ),
        (
            "plans.csv",
            "customer,factor\nAnn,10\nBob,10\nChi,10\nDia,10\n",
        ),
        (
            "score.sql",
            "SELECT e.customer, sum(e.n) AS n FROM events e GROUP BY e.customer",
        ),
        (
            "score.sh",
            "awk -F, 'NR==1 {next} {n[$1]+=$2} END {print \"customer,n\"; for (c in n) print c \",\" n[c] + (c == \"Chi\")}' \
             \"$UNDERSTUDY_INPUT_EVENTS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n",
        ),
    ])
}

fn rows(nights: &Playground, slice: &str) -> Vec<String> {
    let folder = format!("live/score/date={DATE}/slice={slice}");
    let mut rows: Vec<String> = nights
        .rows_in(&folder)
        .lines()
        .skip(1)
        .map(str::to_owned)
        .collect();
    rows.sort();
    rows
}

#[test]
fn a_slice_reads_publishes_and_judges_its_customers_only() {
    let nights = nights();
    let ended = nights.run(&["--slice", "emea", "--strict"]).expect(0);
    assert_eq!(ended.json()["slice"], "emea");
    assert_eq!(rows(&nights, "emea"), ["Ann,3", "Bob,3"]);
    let customers = ended.json()["changes"]["better"]["tasks"]["score"]["customers"].clone();
    let names: Vec<&String> = customers.as_object().unwrap().keys().collect();
    assert_eq!(names, ["Ann", "Bob"]);
    assert!(
        !nights
            .path(&format!("live/score/date={DATE}/data.parquet"))
            .exists()
    );
    // The others' lanes are another run's business.
    nights.run(&["--slice", "apac", "--strict"]).expect(1);
    assert_eq!(rows(&nights, "apac"), ["Chi,4"]);
    let ended = nights.run(&["--slice", "rest"]).expect(0);
    assert_eq!(rows(&nights, "rest"), ["Dia,5", "NULL,6"]);
    let customers = ended.json()["changes"]["better"]["tasks"]["score"]["customers"].clone();
    assert_eq!(customers.as_object().unwrap().len(), 2, "{customers:#}");
}

#[test]
fn the_ledger_says_for_whom_a_run_was() {
    let nights = nights();
    nights.run(&["--slice", "emea"]).expect(0);
    let entries = nights.understudy(&["audit", "--json"]).expect(0).json();
    let events: Vec<_> = entries["entries"].as_array().unwrap().iter().collect();
    assert_eq!(events.len(), 2, "{entries:#}");
    for entry in events {
        assert_eq!(entry["event"]["slice"], "emea");
        assert_eq!(
            entry["version"], 2,
            "an older program must not take it for everybody's"
        );
    }
    nights.understudy(&["audit", "verify"]).expect(0);
}

#[test]
fn rows_of_other_customers_are_left_out_and_that_is_said() {
    let nights = nights();
    nights.replace("score.sql", "FROM events e GROUP BY", "FROM (SELECT * FROM events UNION ALL SELECT * FROM (VALUES ('Eve', 1))) e (customer, n) GROUP BY");
    let ended = nights.run(&["--slice", "emea"]).expect(0);
    assert_eq!(rows(&nights, "emea"), ["Ann,3", "Bob,3"]);
    let notes = ended.json()["changes"]["better"]["tasks"]["score"]["notes"].to_string();
    assert!(
        notes.contains("v1: 1 rows of customers that are not in slice `emea` were left out"),
        "{notes}"
    );
}

#[test]
fn whole_and_sliced_outputs_of_a_date_do_not_stand_beside_each_other() {
    let nights = nights();
    nights.run(&["--live", "--slice", "emea"]).expect(0);
    let ended = nights.run(&["--live"]).expect(6);
    assert!(
        ended
            .stderr
            .contains("would stand beside the outputs of slices"),
        "{}",
        ended.stderr
    );
    std::fs::remove_dir_all(nights.path("live")).unwrap();
    nights.run(&["--live"]).expect(0);
    let ended = nights.run(&["--live", "--slice", "emea"]).expect(6);
    assert!(
        ended
            .stderr
            .contains("would stand beside an output of the same date that is for everybody"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_slice_that_is_none_is_named() {
    let nights = nights();
    let ended = nights.run(&["--slice", "emae"]).expect(2);
    assert!(
        ended
            .stderr
            .contains("there is no slice `emae`; did you mean `emea`?"),
        "{}",
        ended.stderr
    );
}

#[test]
fn slices_and_dates_run_side_by_side_and_the_same_one_does_not() {
    let nights = nights();
    nights.replace("score.sh", "awk", "sleep 0.7; awk");
    let together = Barrier::new(3);
    let run = |arguments: &[&str]| {
        together.wait();
        nights
            .understudy(&[&["run", "--json"], arguments].concat())
            .code
    };
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let runs = [
            vec!["--date", DATE, "--slice", "emea"],
            vec!["--date", DATE, "--slice", "apac"],
            vec!["--date", "2026-02-01", "--slice", "emea"],
        ];
        let run = &run;
        let started: Vec<_> = runs
            .into_iter()
            .map(|arguments| scope.spawn(move || run(&arguments)))
            .collect();
        started.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(codes, [0, 0, 0]);
    nights.replace("score.sh", "sleep 0.7", "sleep 3");
    let first = nights.start(&["--slice", "rest"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let second = nights.run(&["--slice", "rest"]).expect(6);
    assert!(
        second
            .stderr
            .contains(&format!("another run of {DATE} slice rest is going on")),
        "{}",
        second.stderr
    );
    let whole = nights.run(&["--shadow"]).expect(6);
    assert!(whole.stderr.contains("is going on"), "{}", whole.stderr);
    first.end().expect(0);
}

#[test]
fn locations_can_be_those_of_a_slice() {
    let nights = nights();
    nights.replace(
        "understudy.yaml",
        "location: events.csv, customer: customer",
        "location: \"in/{slice}/date={date}/\"",
    );
    nights.write(
        &format!("in/emea/date={DATE}/rows.csv"),
        "customer,n\nAnn,7\n",
    );
    let ended = nights.run(&[]).expect(2);
    assert!(
        ended
            .stderr
            .contains("is that of a slice; name one with --slice"),
        "{}",
        ended.stderr
    );
    nights.understudy(&["run", "--slice", "emea"]).expect(0);
    assert_eq!(rows(&nights, "emea"), ["Ann,7"]);
}
