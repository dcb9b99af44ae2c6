//! What a change adds to the runs of a pipeline with many customers, and what looking at it and moving its lanes
//! takes with a long history: by the real binary, a date a run, half of the customers live from the middle on.
//!
//! `cargo build && cargo run --example rollout_benchmark -- --customers 10000 --days 365`
//!
//! The rows are made from the date, so that every run of the benchmark has the same ones.
//! It ends with 1 if something takes [`NOISE`] times what it may.

use std::fs;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use chrono::{Days, NaiveDate};
use serde_json::Value;

mod measured;

use measured::{Took, run, understudy};

const PIPELINE: &str = "\
pipeline: rollout
datasets:
  orders: { location: \"../orders/date={date}/\" }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql }
";

const CHANGES: &str = "\
changes:
  more:
    new: { totals: v2 }
    expect:
      totals: [{ name: one more, columns: [amount], within: 100% }]
";

const OLD: &str = "SELECT id, customer, amount FROM orders";
/// One row in three differs, as the rule expects.
const NEW: &str = "SELECT id, customer, CASE WHEN id % 3 = 0 THEN amount + 1 ELSE amount END AS amount FROM orders";

/// Rows of a customer and date.
const ROWS_EACH: u64 = 2;
/// How often a thing is measured. Of runs the best is shown, because it is a difference of two, and else the median.
const REPEATS: u64 = 3;
/// What other processes on the machine may make of a figure: beyond so many times its target it is missed.
const NOISE: f64 = 3.0;

/// What planning, judging and keeping evidence may add to a run.
const OWN_OF_A_RUN: Duration = Duration::from_secs(2);
/// What looking may take.
const LOOKING: Duration = Duration::from_secs(1);
/// What the way back may take.
const WAY_BACK: Duration = Duration::from_secs(5);

/// What a command took, and what it may take.
struct Figure {
    what: String,
    took: Took,
    target: Option<Duration>,
}

/// What some runs took, with the change and without.
struct Added {
    when: &'static str,
    plain: Took,
    changed: Took,
    /// What the versions and the comparison take more.
    busy: Duration,
    /// What everything else takes more.
    own: Duration,
}

/// The pipeline without changes and with one, over the same data.
struct Bench {
    folder: tempfile::TempDir,
    customers: u64,
    days: u64,
}

fn main() -> ExitCode {
    let bench = Bench {
        folder: tempfile::tempdir().expect("a temporary folder can be made"),
        customers: asked_for("--customers", 10_000),
        days: asked_for("--days", 365),
    };
    bench.write_pipelines();
    let mut figures = Vec::new();
    let added = bench.year(&mut figures);
    figures.extend(bench.looks());
    figures.extend(bench.moves());
    println!("{} customers, {} daily runs", bench.customers, bench.days);
    println!("\n{ADDED_HEAD}");
    added.iter().for_each(|added| println!("{}", added.line()));
    println!("\n{FIGURES_HEAD}");
    figures
        .iter()
        .for_each(|figure| println!("{}", figure.line()));
    let runs = added.iter().filter(|added| added.is_missed());
    let commands = figures.iter().filter(|figure| figure.is_missed());
    let missed: Vec<&str> = runs
        .map(|added| added.when)
        .chain(commands.map(|figure| figure.what.as_str()))
        .collect();
    missed
        .iter()
        .for_each(|what| eprintln!("missed by far: {what}"));
    ExitCode::from(u8::from(!missed.is_empty()))
}

fn asked_for(name: &str, default: u64) -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let value = arguments
        .iter()
        .position(|argument| argument == name)
        .and_then(|place| arguments.get(place + 1));
    value.map_or(default, |value| {
        value.parse().expect("a whole number follows")
    })
}

const ADDED_HEAD: &str = "\
| runs | without the change | with it | added by versions and comparison | added by the framework | to reach | peak memory |
|---|---|---|---|---|---|---|";

impl Added {
    fn line(&self) -> String {
        format!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            self.when,
            seconds(self.plain.wall),
            seconds(self.changed.wall),
            seconds(self.busy),
            seconds(self.own),
            seconds(OWN_OF_A_RUN),
            megabytes(self.changed.peak_bytes)
        )
    }

    fn is_missed(&self) -> bool {
        self.own > OWN_OF_A_RUN.mul_f64(NOISE)
    }
}

const FIGURES_HEAD: &str = "\
| command | took | to reach | peak memory |
|---|---|---|---|";

impl Figure {
    fn line(&self) -> String {
        format!(
            "| {} | {} | {} | {} |",
            self.what,
            seconds(self.took.wall),
            self.target.map_or("–".to_owned(), seconds),
            megabytes(self.took.peak_bytes)
        )
    }

    fn is_missed(&self) -> bool {
        let target = self.target.map(|target| target.mul_f64(NOISE));
        target.is_some_and(|target| self.took.wall > target)
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

impl Bench {
    fn write_pipelines(&self) {
        for (folder, changes) in [("plain", ""), ("changed", CHANGES)] {
            self.write(
                &format!("{folder}/understudy.yaml"),
                &format!("{PIPELINE}{changes}"),
            );
            self.write(&format!("{folder}/v1.sql"), OLD);
            self.write(&format!("{folder}/v2.sql"), NEW);
        }
        for day in 0..self.days {
            let mut rows = "id,customer,amount\n".to_owned();
            for id in 0..self.customers * ROWS_EACH {
                let amount = 10 + (day * 31 + id * 7) % 1_000;
                rows.push_str(&format!("{id},{},{amount}\n", customer(id / ROWS_EACH)));
            }
            self.write(&format!("orders/date={}/rows.csv", date(day)), &rows);
        }
        let half: String = (0..self.customers / 2)
            .map(|number| customer(number) + "\n")
            .collect();
        self.write("changed/half.txt", &half);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let parent = path.parent().expect("a file has a folder");
        fs::create_dir_all(parent).expect("the temporary folder can be written");
        fs::write(path, text).expect("the temporary folder can be written");
    }

    /// The year, with what a run takes at its start, before half of the customers go live, and at its end.
    fn year(&self, figures: &mut Vec<Figure>) -> Vec<Added> {
        let (middle, end) = (self.days / 2, self.days - REPEATS);
        let mut added = vec![self.added("the first dates", 0)];
        self.pass(REPEATS, middle - REPEATS);
        added.push(self.added("in the middle", middle - REPEATS));
        let took = self.changed(&["flip", "more", "--file", "half.txt"]);
        figures.push(figure(
            "`flip --file`, half of all, in the middle",
            took,
            None,
        ));
        self.pass(middle, end);
        added.push(self.added("in the end, half of all live", end));
        added
    }

    /// What the change adds to a run: of some runs of each pipeline, in turns, the best.
    fn added(&self, when: &'static str, first: u64) -> Added {
        let days = first..first + REPEATS;
        let runs = days.map(|day| ["plain", "changed"].map(|folder| self.one_run(folder, day)));
        let runs: Vec<[(Took, Duration); 2]> = runs.collect();
        let [plain, changed] = [0, 1].map(|which| {
            let own = runs.iter().map(|both| both[which]);
            let best = own.min_by_key(|(took, _)| took.wall);
            best.expect("something was run")
        });
        let own = |(took, busy): (Took, Duration)| took.wall.saturating_sub(busy);
        Added {
            when,
            plain: plain.0,
            changed: changed.0,
            busy: changed.1.saturating_sub(plain.1),
            own: own(changed).saturating_sub(own(plain)),
        }
    }

    /// What a run took, and for how long a version or comparison was at work in it.
    fn one_run(&self, folder: &str, day: u64) -> (Took, Duration) {
        let output = self.folder.path().join("report.json");
        let file = fs::File::create(&output).expect("the temporary folder can be written");
        let took = run(Command::new(understudy())
            .args(["run", "--strict", "--json", "--date"])
            .arg(date(day).to_string())
            .current_dir(self.folder.path().join(folder))
            .stdout(file)
            .stderr(Stdio::null()));
        assert_eq!(took.exit_code, Some(0), "every date is as expected");
        let text = fs::read(output).expect("it was just written");
        let report: Value = serde_json::from_slice(&text).expect("it is JSON");
        let busy = report["busy_ms"].as_u64().expect("a report has its times");
        (took, Duration::from_millis(busy))
    }

    /// Runs the dates from one day up to another with the change.
    fn pass(&self, from: u64, to: u64) {
        if from < to {
            let [from, to] = [from, to - 1].map(|day| date(day).to_string());
            self.changed(&["run", "--strict", "--json", "--from", &from, "--to", &to]);
        }
    }

    fn changed(&self, arguments: &[&str]) -> Took {
        let took = run(Command::new(understudy())
            .args(arguments)
            .current_dir(self.folder.path().join("changed"))
            .stdout(Stdio::null())
            .stderr(Stdio::null()));
        assert_eq!(took.exit_code, Some(0), "{arguments:?}");
        took
    }

    fn looks(&self) -> Vec<Figure> {
        let one = customer(7);
        let asked: [(&str, &[&str], Option<Duration>); 5] = [
            ("`status`", &["status"], Some(LOOKING)),
            ("`status CHANGE`", &["status", "more"], Some(LOOKING)),
            (
                "`status CHANGE --customer`",
                &["status", "more", "--customer", &one],
                Some(LOOKING),
            ),
            ("`gate CHANGE`", &["gate", "more"], None),
            (
                "`which TASK --customer`",
                &["which", "totals", "--customer", &one],
                None,
            ),
        ];
        let looked = asked
            .iter()
            .map(|(what, arguments, target)| self.repeated(what, arguments, *target));
        let mut figures: Vec<Figure> = looked.collect();
        let index = self.folder.path().join("changed/store/index");
        fs::remove_dir_all(index).expect("there is an index");
        let took = self.changed(&["status"]);
        figures.push(figure("`status`, the index removed", took, None));
        figures
    }

    fn moves(&self) -> Vec<Figure> {
        let one = customer(self.customers - 1);
        let only = ["--customers", &one];
        let mut figures = vec![self.repeated(
            "`flip --all --dry-run`",
            &["flip", "more", "--all", "--dry-run"],
            None,
        )];
        for (verb, target) in [("flip", None), ("rollback", Some(WAY_BACK))] {
            let took = self.changed(&[&[verb, "more"], &only[..]].concat());
            figures.push(figure(&format!("`{verb}` of one customer"), took, target));
        }
        let took = self.changed(&["rollback", "more", "--all"]);
        figures.push(figure("`rollback --all`", took, Some(WAY_BACK)));
        figures
    }

    fn repeated(&self, what: &str, arguments: &[&str], target: Option<Duration>) -> Figure {
        let took = (0..REPEATS).map(|_| self.changed(arguments));
        figure(what, median(took.collect()), target)
    }
}

fn figure(what: &str, took: Took, target: Option<Duration>) -> Figure {
    Figure {
        what: what.to_owned(),
        took,
        target,
    }
}

fn customer(number: u64) -> String {
    format!("customer {number}")
}

fn date(day: u64) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).expect("the first of January is a date");
    first + Days::new(day)
}

/// The one whose wall time is in the middle.
fn median(mut took: Vec<Took>) -> Took {
    took.sort_unstable_by_key(|took| took.wall);
    took[took.len() / 2]
}
