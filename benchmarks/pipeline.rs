//! How much of a run is the framework's own, and how much memory a run takes: a pipeline over many rows, live and
//! shadow, by the real binary.
//!
//! `cargo run --example pipeline_benchmark -- --rows 10000000`
//!
//! The rows are made from a seed, so that every run of the benchmark has the same ones.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use understudy_tables::ParquetFile;

mod measured;

use measured::{run, understudy};

/// Rows of one generated batch.
const BATCH_ROWS: u64 = 65_536;
/// Accounts that the rows belong to.
const ACCOUNTS: u64 = 1_000;

const PIPELINE: &str = "\
pipeline: benchmark
datasets:
  events: { location: events.parquet }
tasks:
  # Row by row: as many rows out as in.
  charges:
    inputs: [events]
    output: { location: live/charges, grain: [id], customer: account }
    live: v1
    versions:
      v1: { sql: charges_v1.sql }
      v2: { sql: charges_v2.sql }
  # Few rows from many.
  totals:
    inputs: [charges]
    output: { location: live/totals, grain: [account, kind], customer: account }
    live: v1
    versions:
      v1: { sql: totals.sql }
changes:
  fees:
    new: { charges: v2 }
    downstream: [totals]
    expect:
      charges:
        - { columns: [charge], within: 1% }
      totals:
        - { columns: [charge], within: 1% }
";

const CHARGES: &str = "SELECT id, account, kind, amount * quantity AS charge FROM events";
const CHARGES_NEW: &str = "SELECT id, account, kind, \
    amount * quantity * CASE WHEN id % 1000 = 7 THEN 1.005 ELSE 1.0 END AS charge FROM events";
const TOTALS: &str = "SELECT account, kind, sum(charge) AS charge, count(*) AS charges FROM charges GROUP BY account, kind";

fn main() {
    let rows = rows_asked_for();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write_pipeline(folder.path(), rows);
    println!("pipeline over {rows} rows, {} accounts", ACCOUNTS);
    println!("| run | wall | framework's own | peak memory, all processes |");
    println!("|---|---|---|---|");
    for (name, arguments) in [
        ("first", [].as_slice()),
        ("again, reused", &[]),
        ("--fresh", &["--fresh"]),
    ] {
        println!("{}", measured(name, folder.path(), arguments));
    }
}

fn rows_asked_for() -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let value = arguments
        .iter()
        .position(|argument| argument == "--rows")
        .and_then(|place| arguments.get(place + 1));
    value.map_or(1_000_000, |value| {
        value.parse().expect("--rows takes a whole number")
    })
}

fn write_pipeline(folder: &Path, rows: u64) {
    for (name, text) in [
        ("understudy.yaml", PIPELINE),
        ("charges_v1.sql", CHARGES),
        ("charges_v2.sql", CHARGES_NEW),
        ("totals.sql", TOTALS),
    ] {
        fs::write(folder.join(name), text).expect("the pipeline can be written");
    }
    let first = batch(0, 1);
    let mut file = ParquetFile::create(&folder.join("events.parquet"), &first.schema())
        .expect("the input can be created");
    for start in (0..rows).step_by(usize::try_from(BATCH_ROWS).expect("a batch fits into memory")) {
        file.write(&batch(start, BATCH_ROWS.min(rows - start)))
            .expect("the input can be written");
    }
    file.finish().expect("the input can be finished");
}

/// Rows from a seed: the same numbers for the same row, whatever the batches.
fn batch(start: u64, rows: u64) -> RecordBatch {
    let ids = || start..start + rows;
    let kinds = ["visit", "order", "refund", "call"];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids().map(signed).collect::<Int64Array>())),
        (
            "account",
            Arc::new(
                ids()
                    .map(|id| signed(mixed(id) % ACCOUNTS))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "kind",
            Arc::new(
                ids()
                    .map(|id| Some(kinds[(mixed(id ^ 1) % 4) as usize]))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "amount",
            Arc::new(
                ids()
                    .map(|id| (mixed(id ^ 2) % 100_000) as f64 / 100.0)
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "quantity",
            Arc::new(
                ids()
                    .map(|id| signed(1 + mixed(id ^ 3) % 9))
                    .collect::<Int64Array>(),
            ),
        ),
    ];
    RecordBatch::try_from_iter(columns).expect("all columns have as many rows")
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("the numbers are small")
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn measured(name: &str, folder: &Path, arguments: &[&str]) -> String {
    // A pipe that nobody reads while the child runs would hold it up.
    let report = fs::File::create(folder.join("report.json")).expect("the report can be created");
    let took = run(Command::new(understudy())
        .arg("run")
        .args(arguments)
        .arg("--json")
        .arg(folder)
        .stdout(report)
        .stderr(Stdio::null()));
    assert_eq!(took.exit_code, Some(0), "the run failed");
    let wall = took.wall;
    let report = fs::read(folder.join("report.json")).expect("the report can be read");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("the report is JSON");
    assert_eq!(
        report["changes"]["fees"]["verdict"], "expected",
        "every difference is one that was meant"
    );
    let busy = Duration::from_millis(
        report["busy_ms"]
            .as_u64()
            .expect("the report has `busy_ms`"),
    );
    let own = wall.saturating_sub(busy);
    let share = if busy.is_zero() {
        String::new()
    } else {
        format!(", {:.1} %", 100.0 * own.as_secs_f64() / wall.as_secs_f64())
    };
    format!(
        "| {name} | {:.2} s | {:.2} s{share} | {:.2} GB |",
        wall.as_secs_f64(),
        own.as_secs_f64(),
        took.peak_bytes as f64 / 1e9
    )
}
