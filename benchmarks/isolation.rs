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

use measured::understudy;

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
    println!("| live, {rounds} rounds | median | of alone | least | most |");
    println!("|---|---|---|---|---|");
    let names = [
        "without a shadow",
        "before one that burns every core",
        "beside one that burns every core",
    ];
    let base = median(&walls[0]);
    for (name, walls) in names.into_iter().zip(&walls) {
        let (least, most) = (walls.iter().min(), walls.iter().max());
        println!(
            "| {name} | {} ms | {:.2} x | {} ms | {} ms |",
            median(walls),
            median(walls) as f64 / base as f64,
            least.expect("there is a round"),
            most.expect("there is a round"),
        );
    }
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

/// The wall time of live's half, computed anew.
fn live_ms(folder: &Path) -> u64 {
    let output = Command::new(understudy())
        .args(["run", "--fresh", "--json"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .output()
        .expect("the program can be started");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    report["live"]["wall_ms"]
        .as_u64()
        .expect("live has a wall time")
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
