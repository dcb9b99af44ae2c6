//! What a year of daily dates takes: an external old version, a new one in SQL, in shadow, by one command; and what the
//! framework's own share of a date is.
//!
//! `cargo build && cargo run --example year_benchmark -- --days 365`
//!
//! The rows are made from the date, so that every run of the benchmark has the same ones.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{Days, NaiveDate};
use serde_json::Value;

mod measured;

use measured::{run, understudy};

const PIPELINE: &str = "\
pipeline: year
datasets:
  events: { location: \"events/date={date}/\" }
tasks:
  totals:
    inputs: [events]
    output: { grain: [account], customer: account }
    live: v1
    versions:
      v1: { external: { location: \"lake/dt={date}/\" } }
      v2: { sql: totals.sql, threads: 1 }
changes:
  new-totals:
    new: { totals: v2 }
";

/// Accounts of a day.
const ACCOUNTS: u32 = 200;

fn main() {
    let days = days_asked_for();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).expect("the first of January is a date");
    write_pipeline(folder.path(), first, days);
    let last = first + Days::new(days - 1);
    println!(
        "{days} daily dates of {} rows, in shadow against what is published",
        ACCOUNTS * 5
    );
    println!(
        "| run | wall | a date | framework's own, a date | of it in the last tenth | peak memory |"
    );
    println!("|---|---|---|---|---|---|");
    for name in ["first", "again, reused"] {
        println!("{}", measured(name, folder.path(), [first, last]));
    }
    let which = run(Command::new(understudy())
        .args(["which", "totals", "--customer", "a1"])
        .current_dir(folder.path())
        .stdout(Stdio::null()));
    println!(
        "\n`which totals --customer a1` with that ledger: {} ms",
        which.wall.as_millis()
    );
}

fn days_asked_for() -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let value = arguments
        .iter()
        .position(|argument| argument == "--days")
        .and_then(|at| arguments.get(at + 1));
    value.map_or(365, |value| value.parse().expect("--days takes a number"))
}

fn write_pipeline(folder: &Path, first: NaiveDate, days: u64) {
    let write = |name: String, text: &str| {
        let path = folder.join(name);
        let parent = path.parent().expect("a file has a folder");
        fs::create_dir_all(parent).expect("the temporary folder can be written");
        fs::write(path, text).expect("the temporary folder can be written");
    };
    write("understudy.yaml".to_owned(), PIPELINE);
    write(
        "totals.sql".to_owned(),
        "SELECT account, sum(n) AS n FROM events GROUP BY account",
    );
    for day in 0..days {
        let date = first + Days::new(day);
        let (mut events, mut totals) = ("account,n\n".to_owned(), "account,n\n".to_owned());
        for account in 0..ACCOUNTS {
            let numbers: Vec<u64> = (0..5)
                .map(|step| (day * 31 + u64::from(account) * 7 + step * 13) % 100)
                .collect();
            for number in &numbers {
                events.push_str(&format!("a{account},{number}\n"));
            }
            totals.push_str(&format!("a{account},{}\n", numbers.iter().sum::<u64>()));
        }
        write(format!("events/date={date}/rows.csv"), &events);
        write(format!("lake/dt={date}/rows.csv"), &totals);
    }
}

fn measured(name: &str, folder: &Path, [first, last]: [NaiveDate; 2]) -> String {
    let output = folder.join("report.json");
    let file = fs::File::create(&output).expect("the temporary folder can be written");
    let took = run(Command::new(understudy())
        .args([
            "run",
            "--shadow",
            "--strict",
            "--json",
            "--from",
            &first.to_string(),
            "--to",
            &last.to_string(),
        ])
        .current_dir(folder)
        .stdout(file));
    assert_eq!(took.exit_code, Some(0), "every date is identical");
    let report: Value = serde_json::from_slice(&fs::read(output).expect("it was just written"))
        .expect("it is JSON");
    let own: Vec<u64> = report["dates"]
        .as_array()
        .expect("there are dates")
        .iter()
        .map(own_ms)
        .collect();
    let mean = |dates: &[u64]| dates.iter().sum::<u64>() / dates.len().max(1) as u64;
    let tenth = &own[own.len() - own.len().div_ceil(10)..];
    format!(
        "| {name} | {:.1} s | {} ms | {} ms | {} ms | {} MB |",
        took.wall.as_secs_f64(),
        took.wall.as_millis() / own.len().max(1) as u128,
        mean(&own),
        mean(tenth),
        took.peak_bytes / 1_000_000
    )
}

/// The wall time of one date in which no version and no comparison was at work.
fn own_ms(date: &Value) -> u64 {
    let number = |key: &str| {
        date["report"][key]
            .as_u64()
            .expect("a report has its times")
    };
    number("wall_ms") - number("busy_ms")
}
