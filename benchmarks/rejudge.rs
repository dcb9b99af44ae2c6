//! What judging stored runs again takes, when rules were changed: from quarantine, with nothing computed.
//!
//! `cargo build && cargo run --example rejudge_benchmark -- --runs 30 --rows 1000000`
//!
//! One row in a hundred differs. Rules of several kinds are tried, some of which turn every verdict.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{Days, NaiveDate};

mod measured;

use measured::{Took, run, understudy};

const RULES: [(&str, &str); 4] = [
    ("a wider tolerance", "within: 10%"),
    ("a narrower one, which turns every verdict", "within: 1%"),
    (
        "a predicate",
        "where: new.score > old.score, allow: any, reason: measured",
    ),
    (
        "some customers only",
        "customers: { file: hundredth.txt }, within: 10%",
    ),
];

fn main() {
    let (runs, rows) = (asked("--runs", 30), asked("--rows", 1_000_000));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).expect("the first of January is a date");
    let last = first + Days::new(runs - 1);
    write(folder, "within: 5%", rows, first, runs);
    let (first, last) = (first.to_string(), last.to_string());
    let shadow = ["run", "--shadow", "--from", &first, "--to", &last];
    let took = of(folder, &shadow, 0);
    println!("{runs} stored runs of {rows} rows and 8 columns, one row in a hundred differs\n");
    println!("| what | wall | a run | peak memory |");
    println!("|---|---|---|---|");
    print(&format!("the runs themselves, {runs}"), &took, runs);
    for (position, (name, rule)) in RULES.iter().enumerate() {
        let rules = format!("- {{ name: moved, {rule} }}\n");
        fs::write(folder.join("rules.yaml"), rules).expect("the temporary folder can be written");
        let turns = [false, true, false, true][position];
        let trial = ["report", "--rejudge", "--rules", "rules.yaml"];
        let took = of(folder, &trial, i32::from(turns));
        print(&format!("`report --rejudge --rules`: {name}"), &took, runs);
    }
    write_pipeline(folder, "within: 10%");
    let took = of(folder, &["report", "--rejudge"], 0);
    print("`report --rejudge`, kept as evidence", &took, runs);
}

fn of(folder: &Path, arguments: &[&str], exit_code: i32) -> Took {
    let took = run(Command::new(understudy())
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null()));
    assert_eq!(took.exit_code, Some(exit_code), "{arguments:?}");
    took
}

fn print(what: &str, took: &Took, runs: u64) {
    println!(
        "| {what} | {:.1} s | {} ms | {} MB |",
        took.wall.as_secs_f64(),
        took.wall.as_millis() / u128::from(runs.max(1)),
        took.peak_bytes / 1_000_000
    );
}

fn asked(option: &str, otherwise: u64) -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let place = arguments.iter().position(|argument| argument == option);
    let value = place.and_then(|place| arguments.get(place + 1));
    value.map_or(otherwise, |value| value.parse().expect("a number"))
}

/// Two tables are computed once; each date has them as what external versions left.
fn write(folder: &Path, rule: &str, rows: u64, first: NaiveDate, runs: u64) {
    write_pipeline(folder, rule);
    let made = folder.join("made");
    make_tables(&made, rows);
    for day in 0..runs {
        for side in ["old", "new"] {
            let day_folder = folder.join(format!("lake/{side}/dt={}", first + Days::new(day)));
            fs::create_dir_all(&day_folder).expect("the temporary folder can be written");
            let table = made.join(format!("{side}/date=2025-01-01/data.parquet"));
            fs::hard_link(table, day_folder.join("data.parquet")).expect("it was published");
        }
    }
    let customers = (2..1_000).step_by(100);
    let customers: String = customers.map(|customer| format!("a{customer}\n")).collect();
    fs::write(folder.join("hundredth.txt"), customers)
        .expect("the temporary folder can be written");
}

fn write_pipeline(folder: &Path, rule: &str) {
    let pipeline = format!(
        "\
pipeline: rejudge
datasets:
  seed: {{ location: made/seed.csv }}
tasks:
  scores:
    inputs: [seed]
    output: {{ grain: [id], customer: account }}
    live: v1
    versions:
      v1: {{ external: {{ location: \"lake/old/dt={{date}}/\" }} }}
      v2: {{ external: {{ location: \"lake/new/dt={{date}}/\" }} }}
changes:
  new-scores:
    new: {{ scores: v2 }}
    expect:
      scores:
        - {{ name: moved, {rule} }}
"
    );
    fs::write(folder.join("understudy.yaml"), pipeline)
        .expect("the temporary folder can be written");
}

fn make_tables(folder: &Path, rows: u64) {
    let select = |score: &str| {
        format!(
            "SELECT n AS id, concat('a', CAST(n % 1000 AS VARCHAR)) AS account, {score} AS score,
  n * 7 % 1013 AS visits, CAST(n * 31 % 100000 AS DECIMAL(12, 2)) / 100 AS amount,
  concat('name of ', CAST(n * 17 % 5003 AS VARCHAR)) AS name, n % 3 = 0 AS active,
  CAST(n % 97 AS DOUBLE) / 7 + seed AS ratio
FROM (SELECT value AS n FROM generate_series(1, {rows})) CROSS JOIN seed"
        )
    };
    let score = "CAST(n * 13 % 100 + 1 AS DOUBLE)";
    let moved = format!("CASE WHEN n % 100 = 1 THEN {score} * 1.04 ELSE {score} END");
    let task = |side: &str| {
        format!(
            "  {side}:
    inputs: [seed]
    output: {{ location: {side}, grain: [id], customer: account }}
    live: v1
    versions: {{ v1: {{ sql: {side}.sql }} }}
"
        )
    };
    let pipeline = format!(
        "pipeline: tables\ndatasets:\n  seed: {{ location: seed.csv }}\ntasks:\n{}{}",
        task("old"),
        task("new")
    );
    let files = [
        ("understudy.yaml", pipeline),
        ("seed.csv", "seed\n1\n".to_owned()),
        ("old.sql", select(score)),
        ("new.sql", select(&moved)),
    ];
    fs::create_dir_all(folder).expect("the temporary folder can be written");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("the temporary folder can be written");
    }
    of(folder, &["run", "--live", "--date", "2025-01-01"], 0);
}
