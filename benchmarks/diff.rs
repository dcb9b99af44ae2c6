//! `understudy diff` beside the tools that somebody would pick instead, on the same tables in the same run.
//!
//! `cargo run --example diff_benchmark -- [--rows N | --pair DIR] [--only same,changed,noise] [--peers NAMES]
//! [--python PROGRAM] [--compara PROGRAM] [--repeat N] [--warm]`
//!
//! The tables look like lineitem of TPC-H. With `--rows` they are made here, from a seed; with `--pair` they are
//! `live.parquet`, `same.parquet`, `changed.parquet` and `noise.parquet` of a folder. All tools match rows on
//! (l_orderkey, l_linenumber), tolerate 1e-9 of l_extendedprice, and write the rows that differ to files. With `--warm` the tables are read once
//! before each run, so that every tool finds them in the system's cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod lineitem;
mod measured;

use measured::{Took, run, understudy};

const KEY: &str = "l_orderkey,l_linenumber";
/// 1e-9 of the old value.
const WITHIN: &str = "l_extendedprice=0.0000001%";
/// compara knows an absolute tolerance only, for all columns; the noise of the shadow is below this one.
const COMPARA_TOLERANCE: &str = "0.000001";
const PEERS: [&str; 4] = ["duckdb", "polars", "datacompy", "compara"];

/// What each shadow asks of `diff`: its time as a share of the best peer's, at 6 and at 60 million rows.
const SHADOWS: [(&str, f64, f64); 3] = [
    ("same", 0.8, 0.8),
    ("changed", 0.8, 0.6),
    ("noise", 0.9, 0.7),
];

struct Options {
    rows: u64,
    pair: Option<PathBuf>,
    only: Vec<String>,
    peers: Vec<String>,
    python: String,
    compara: String,
    repeat: usize,
    is_warm: bool,
}

fn main() {
    let options = options();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let pair = options.pair.clone().unwrap_or_else(|| {
        lineitem::write(folder.path(), options.rows);
        folder.path().to_owned()
    });
    let tools = tools(&options);
    println!("| shadow | tool | seconds | of the best peer's | peak memory | rows that differ |");
    println!("|---|---|---|---|---|---|");
    let wanted = SHADOWS
        .iter()
        .filter(|(shadow, ..)| options.only.iter().any(|only| only == shadow));
    for (shadow, small, large) in wanted {
        let results = measure(&tools, &pair, shadow, &options, folder.path());
        print_results(shadow, &results);
        println!(
            "| {shadow} | *to reach* | | {small} at 6 million rows, {large} at 60 million | 1.5 GB | |"
        );
    }
}

fn options() -> Options {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        Some(
            arguments
                .get(place + 1)
                .unwrap_or_else(|| panic!("{name} takes a value"))
                .clone(),
        )
    };
    let list = |name: &str, default: &str| -> Vec<String> {
        let text = value(name).unwrap_or_else(|| default.to_owned());
        text.split(',').map(str::to_owned).collect()
    };
    Options {
        rows: value("--rows").map_or(1_000_000, |rows| {
            rows.parse().expect("--rows takes a whole number")
        }),
        pair: value("--pair").map(PathBuf::from),
        only: list("--only", "same,changed,noise"),
        peers: list("--peers", &PEERS.join(",")),
        python: value("--python").unwrap_or_else(|| "python3".to_owned()),
        compara: value("--compara").unwrap_or_else(|| "compara".to_owned()),
        repeat: value("--repeat").map_or(1, |times| {
            times.parse().expect("--repeat takes a whole number")
        }),
        is_warm: arguments.iter().any(|argument| argument == "--warm"),
    }
}

/// How to compare the live table with a shadow of that kind, with files left in a folder.
type Call = dyn Fn(&Path, &Path, &str, &Path) -> Command;

/// A tool and how it is called.
struct Tool {
    name: String,
    is_peer: bool,
    command: Box<Call>,
    /// How many rows it says differ, from what it left.
    rows: fn(&Path) -> Option<u64>,
}

fn tools(options: &Options) -> Vec<Tool> {
    let mut tools = vec![
        ours("understudy diff", &[]),
        ours("understudy diff --memory 256MB", &["--memory", "256MB"]),
    ];
    for peer in &options.peers {
        let tool = match peer.as_str() {
            "none" => continue,
            "compara" => compara(&options.compara),
            name => python(name, &options.python),
        };
        match tool {
            Some(tool) => tools.push(tool),
            None => eprintln!("{peer}: not found"),
        }
    }
    tools
}

fn ours(name: &str, more: &'static [&str]) -> Tool {
    Tool {
        name: name.to_owned(),
        is_peer: false,
        command: Box::new(move |live, shadow, _, out| {
            let mut command = Command::new(understudy());
            command.arg("diff").args([live, shadow]);
            command
                .args(["--key", KEY, "--within", WITHIN, "--out"])
                .arg(out)
                .args(more);
            command
        }),
        rows: |out| {
            let summary: serde_json::Value =
                serde_json::from_slice(&fs::read(out.join("summary.json")).ok()?).ok()?;
            summary["rows"]["unexpected"].as_u64()
        },
    }
}

fn python(name: &str, program: &str) -> Option<Tool> {
    let import = format!("import {name}");
    let found = Command::new(program)
        .args(["-c", &import])
        .stderr(Stdio::null())
        .status();
    found.ok().filter(std::process::ExitStatus::success)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benchmarks/peers/keyed_diff.py");
    let (name, program) = (name.to_owned(), program.to_owned());
    Some(Tool {
        name: name.clone(),
        is_peer: true,
        command: Box::new(move |live, shadow, _, out| {
            let mut command = Command::new(&program);
            fs::create_dir_all(out).expect("the folder can be made");
            command
                .arg(&script)
                .arg(&name)
                .args([live, shadow])
                .arg(out.join("rows.csv"));
            command
        }),
        rows: |out| {
            fs::read_to_string(out.join("printed"))
                .ok()?
                .trim()
                .parse()
                .ok()
        },
    })
}

fn compara(program: &str) -> Option<Tool> {
    let found = Command::new(program)
        .arg("version")
        .stdout(Stdio::null())
        .status();
    found.ok().filter(std::process::ExitStatus::success)?;
    let program = program.to_owned();
    Some(Tool {
        name: "compara".to_owned(),
        is_peer: true,
        command: Box::new(move |live, shadow, kind, out| {
            let mut command = Command::new(&program);
            command
                .arg("compare")
                .args([live, shadow])
                .args(["-k", KEY, "--export-dir"])
                .arg(out);
            // A tolerance makes it many times slower, so that it has one only where it cannot do without.
            if kind == "noise" {
                command.args(["--tolerance", COMPARA_TOLERANCE]);
            }
            command
        }),
        rows: |out| {
            let files = ["added.csv", "changed.csv", "removed.csv"]
                .map(|name| fs::read_to_string(out.join(name)));
            files
                .into_iter()
                .map(|text| Some(text.ok()?.lines().count().saturating_sub(1) as u64))
                .sum()
        },
    })
}

/// A tool's name, what each of its runs took, and the rows that it says differ.
type Measured<'t> = (&'t Tool, Vec<Took>, Option<u64>);

/// Runs all tools, one after the other, as often as wanted.
fn measure<'t>(
    tools: &'t [Tool],
    pair: &Path,
    shadow: &str,
    options: &Options,
    folder: &Path,
) -> Vec<Measured<'t>> {
    let (repeat, is_warm) = (options.repeat, options.is_warm);
    let (live, shadow_file) = (
        pair.join("live.parquet"),
        pair.join(format!("{shadow}.parquet")),
    );
    let mut measured: Vec<Measured<'_>> =
        tools.iter().map(|tool| (tool, Vec::new(), None)).collect();
    for _ in 0..repeat {
        for (tool, took, rows) in &mut measured {
            let out = folder.join("out");
            let _ = fs::remove_dir_all(&out);
            let mut command = (tool.command)(&live, &shadow_file, shadow, &out);
            if is_warm {
                warm(&[&live, &shadow_file]);
            }
            let printed = folder.join("printed");
            let file = fs::File::create(&printed).expect("what is printed can be kept");
            took.push(run(command.stdout(file).stderr(Stdio::null())));
            if out.is_dir() {
                let _ = fs::rename(&printed, out.join("printed"));
            }
            *rows = (tool.rows)(&out);
        }
    }
    measured
}

/// Reads files once, so that a tool finds them in the system's cache, which one that takes much memory drives them
/// out of for the next.
fn warm(files: &[&Path]) {
    for file in files {
        let mut file = fs::File::open(file).expect("a table can be opened");
        std::io::copy(&mut file, &mut std::io::sink()).expect("a table can be read");
    }
}

fn print_results(shadow: &str, results: &[Measured<'_>]) {
    let best_peer = results
        .iter()
        .filter(|(tool, ..)| tool.is_peer)
        .filter_map(|(_, took, _)| median(took));
    let best_peer = best_peer.min_by(f64::total_cmp);
    let unlimited = results.first().and_then(|(_, took, _)| median(took));
    let ours = results.first().and_then(|(_, _, rows)| *rows);
    for (tool, took, rows) in results {
        let Some(seconds) = median(took) else {
            let codes: Vec<_> = took.iter().map(|took| took.exit_code).collect();
            println!(
                "| {shadow} | {} | failed, exit codes {codes:?} | | | |",
                tool.name
            );
            continue;
        };
        let ratio = match (best_peer, unlimited) {
            (_, Some(unlimited)) if tool.name.contains("--memory") => {
                format!("{:.2} of its own unlimited time", seconds / unlimited)
            }
            (Some(best), _) => format!("{:.2}", seconds / best),
            (None, _) => "no peer found".to_owned(),
        };
        let peak = took
            .iter()
            .map(|took| took.peak_bytes)
            .max()
            .unwrap_or_default();
        let rows = match rows {
            Some(rows) if Some(*rows) == ours => rows.to_string(),
            Some(rows) => format!("{rows} (says something else)"),
            None => "not said".to_owned(),
        };
        println!(
            "| {shadow} | {} | {seconds:.2} | {ratio} | {:.2} GB | {rows} |",
            tool.name,
            peak as f64 / 1e9
        );
    }
}

/// The median of the runs that came to their end; both that tables differ and that they don't are ends.
fn median(took: &[Took]) -> Option<f64> {
    let ended = took
        .iter()
        .filter(|took| matches!(took.exit_code, Some(0 | 1)));
    let mut seconds: Vec<f64> = ended.map(|took| took.wall.as_secs_f64()).collect();
    seconds.sort_by(f64::total_cmp);
    (seconds.len() == took.len()).then(|| seconds[seconds.len() / 2])
}
