//! What a hostile shadow costs live: its wall time without a shadow, before one that burns every core, and beside one.
//!
//! `cargo build && cargo run --example isolation_benchmark -- --rounds 20`
//!
//! The three take turns, so that a noisy machine is noisy for all of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

mod measured;

use measured::{Took, run, understudy};

const PIPELINE: &str = "\
pipeline: burning
datasets:
  orders: { location: orders.csv }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id] }
    live: v1
    versions:
      v1: { sql: totals.sql, threads: 1 }
      v2: { command: [sh, burn.sh], inputs: urls, limits: { wall: SECONDS } }
";
const CHANGE: &str = "changes:\n  burn:\n    new: { totals: v2 }\n";
/// Burns every core, from processes of sessions of their own.
const BURN: &str = "\
touch \"$TMPDIR/burns\"
for core in $(seq $(($(nproc) * 2))); do setsid sh -c 'while :; do :; done' & done
wait
";
/// Live's own work: about half a second of one core.
const ROWS: u64 = 3_000_000;

fn main() {
    let rounds = rounds_asked_for();
    let alone = tempfile::tempdir().expect("a temporary folder can be made");
    let shadowed = tempfile::tempdir().expect("a temporary folder can be made");
    let burning = tempfile::tempdir().expect("a temporary folder can be made");
    write(alone.path(), PIPELINE, "1s");
    write(shadowed.path(), &format!("{PIPELINE}{CHANGE}"), "1s");
    write(burning.path(), &format!("{PIPELINE}{CHANGE}"), "1h");
    let mut walls = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        walls[0].push(live_ms(alone.path()));
        walls[1].push(live_ms(shadowed.path()));
        let mut fire = start(burning.path());
        std::thread::sleep(std::time::Duration::from_secs(3));
        walls[2].push(live_ms(alone.path()));
        fire.kill().expect("it burns still");
        fire.wait().expect("it can be waited for");
    }
    println!(
        "| {rounds} rounds | live, median | of alone | least | most | whole run, median | most memory |"
    );
    println!("|---|---|---|---|---|---|---|");
    let names = [
        "without a shadow",
        "before one that burns every core",
        "beside one that burns every core",
    ];
    let base = median(&live(&walls[0]));
    for (name, rounds) in names.into_iter().zip(&walls) {
        let walls = live(rounds);
        let whole = rounds.iter().map(|(_, took)| took.wall.as_millis() as u64);
        let whole = median(&whole.collect::<Vec<_>>());
        let peak = rounds.iter().map(|(_, took)| took.peak_bytes).max();
        println!(
            "| {name} | {} ms | {:.2} x | {} ms | {} ms | {whole} ms | {} MB |",
            median(&walls),
            median(&walls) as f64 / base as f64,
            walls.iter().min().expect("there is a round"),
            walls.iter().max().expect("there is a round"),
            peak.expect("there is a round") / 1_000_000,
        );
    }
}

fn live(rounds: &[(u64, Took)]) -> Vec<u64> {
    rounds.iter().map(|(wall, _)| *wall).collect()
}

fn rounds_asked_for() -> usize {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => 20,
        [name, rounds] if name == "--rounds" => rounds.parse().expect("--rounds takes a number"),
        _ => panic!("usage: isolation_benchmark [--rounds 20]"),
    }
}

fn write(folder: &Path, pipeline: &str, wall: &str) {
    let file = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("the folder can be written");
    };
    file("understudy.yaml", &pipeline.replace("SECONDS", wall));
    file("burn.sh", BURN);
    file("orders.csv", "id\n1\n");
    file(
        "totals.sql",
        &format!(
            "SELECT 1 AS id, sum(value % 7) AS total, count(DISTINCT value % 1000003) AS known FROM generate_series(1, {ROWS})"
        ),
    );
}

/// What live's half took in milliseconds, and what the whole run took, computed anew.
fn live_ms(folder: &Path) -> (u64, Took) {
    let path = folder.join("report.json");
    let report = fs::File::create(&path).expect("the folder can be written");
    let took = run(Command::new(understudy())
        .args(["run", "--fresh", "--json"])
        .current_dir(folder)
        .stdout(report)
        .stderr(Stdio::null()));
    assert_eq!(took.exit_code, Some(0), "live publishes");
    let report = fs::read(path).expect("it is there");
    let report: Value = serde_json::from_slice(&report).expect("it prints JSON");
    let wall = report["live"]["wall_ms"].as_u64();
    (wall.expect("live has a wall time"), took)
}

fn start(folder: &Path) -> std::process::Child {
    Command::new(understudy())
        .args(["run", "--fresh", "--json"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program can be started")
}

fn median(walls: &[u64]) -> u64 {
    let mut sorted = walls.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
