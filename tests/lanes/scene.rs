//! A pipeline of three tasks on four customers' rows, and what its published outputs hold.
//!
//! `prices` and `taxed` (which reads `prices`) have a new version in the change `dearer`; `totals` reads `prices`
//! too and is only downstream. Every row of `totals` holds the sum over all rows, so it tells whose rows it read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use tempfile::TempDir;
use understudy_core::customer::Customer;
use understudy_core::ledger::{LedgerEvent, Move, PublishedRun};
use understudy_core::stage::Stage;
use understudy_runtime::store::Store;
use understudy_runtime::store::ledger::Ledger;
use understudy_tables::{TableSource, pin, value_at};

/// The date that is run unless a test says another.
pub(crate) const DATE: &str = "2026-03-01";
/// The change that gives `prices` and `taxed` a new version.
pub(crate) const CHANGE: &str = "dearer";
/// What stands in the alert that every row of `totals` depends on all customers; tests of their own look at leaks.
const LEAK: &str = "leak in `totals`";
/// Every task.
pub(crate) const TASKS: [&str; 3] = ["prices", "taxed", "totals"];

/// The pipeline that every scene begins with.
const PIPELINE: &str = "\
pipeline: lanes
store: ./store
datasets:
  source: { location: data/source.csv }
tasks:
  prices:
    inputs: [source]
    output: { location: live/prices, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: sql/prices1.sql, threads: 1 }
      v2: { sql: sql/prices2.sql, threads: 1 }
  taxed:
    inputs: [prices]
    output: { location: live/taxed, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: sql/taxed1.sql, threads: 1 }
      v2: { sql: sql/taxed2.sql, threads: 1 }
  totals:
    inputs: [prices]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: sql/totals.sql, threads: 1 }
changes:
  dearer:
    new: { prices: v2, taxed: v2 }
    downstream: [totals]
    expect:
      prices: [{ name: dearer, columns: [price], within: 1000 }]
      taxed: [{ name: dearer, columns: [tax], within: 2001 }]
      totals: [{ name: follows, columns: [price, total], within: 4000 }]
";

const SOURCE: &str = "id,customer,price\n1,A,10\n2,B,20\n3,C,30\n4,,40\n";

const QUERIES: [(&str, &str); 5] = [
    ("prices1", "SELECT id, customer, price FROM source"),
    (
        "prices2",
        "SELECT id, customer, price + 1000 AS price FROM source",
    ),
    (
        "taxed1",
        "SELECT id, customer, price * 2 AS tax FROM prices",
    ),
    (
        "taxed2",
        "SELECT id, customer, price * 2 + 1 AS tax FROM prices",
    ),
    (
        "totals",
        "SELECT p.id, p.customer, p.price, t.total \
         FROM prices p CROSS JOIN (SELECT sum(price) AS total FROM prices) t",
    ),
];

/// A pipeline in a folder of its own.
pub(crate) struct Scene {
    folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// What `--json` printed; null where nothing was.
    pub(crate) report: Json,
    /// What people read meanwhile.
    pub(crate) errors: String,
}

impl Scene {
    /// The pipeline as it stands above.
    pub(crate) fn new() -> Self {
        let scene = Self {
            folder: TempDir::new().unwrap(),
        };
        scene.write("understudy.yaml", PIPELINE);
        scene.write("data/source.csv", SOURCE);
        // Flags that say nothing: without the file they count as down after the first move.
        scene.write("flags.yaml", "{}\n");
        for (name, query) in QUERIES {
            scene.query(name, query);
        }
        scene
    }

    /// The same, with lanes moved to a stage.
    pub(crate) fn at(lanes: &[&str], to: Stage) -> Self {
        let scene = Self::new();
        scene.moved(lanes, to);
        scene
    }

    /// A path in its folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Gives a SQL version its query.
    pub(crate) fn query(&self, name: &str, query: &str) {
        self.write(&format!("sql/{name}.sql"), query);
    }

    /// Changes the pipeline file.
    pub(crate) fn replace(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("understudy.yaml")).unwrap();
        assert!(text.contains(from), "`{from}` is not in the pipeline");
        self.write("understudy.yaml", &text.replace(from, to));
    }

    /// Makes a SQL version a shell script, with more to say about it, such as `limits`.
    pub(crate) fn script(&self, name: &str, script: &str, more: &str) {
        let file = format!("{name}.sh");
        self.write(&file, script);
        let version = format!("{{ sql: sql/{name}.sql, threads: 1 }}");
        self.replace(
            &version,
            &format!("{{ command: [sh, {file}], inputs: csv{more} }}"),
        );
    }

    /// Records that lanes of the change moved; no lane means all.
    pub(crate) fn moved(&self, lanes: &[&str], to: Stage) {
        self.moved_of(CHANGE, lanes, to);
    }

    /// Records that lanes of some change moved; no lane means all.
    pub(crate) fn moved_of(&self, change: &str, lanes: &[&str], to: Stage) {
        let event = LedgerEvent::Moved(Move {
            change: change.to_owned(),
            lanes: lanes
                .iter()
                .map(|lane| Customer::from_label(lane))
                .collect(),
            to,
            by: "ana".to_owned(),
            reason: None,
            code: None,
            known_by: None,
            event: None,
            gate: None,
            wave: None,
            except: Vec::new(),
        });
        self.ledger()
            .append(&event, DateTime::<Utc>::UNIX_EPOCH)
            .unwrap();
    }

    /// Its ledger.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::open(&Store::at(self.path("store")).ledger_dir()).unwrap()
    }

    /// Runs it.
    pub(crate) fn run(&self) -> Ended {
        self.run_with(&[])
    }

    /// Runs it with more arguments.
    pub(crate) fn run_with(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// What a run is started with.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_understudy"));
        command.args(["run", "--json"]).args(arguments);
        if !arguments.contains(&"--date") {
            command.args(["--date", DATE]);
        }
        command.arg(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// The report of the last run as people read it.
    pub(crate) fn page(&self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_understudy"));
        let output = command
            .arg("report")
            .arg(self.folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The published bytes of a task, if there are any.
    pub(crate) fn bytes(&self, task: &str) -> Option<Vec<u8>> {
        fs::read(self.path(&published(task, DATE))).ok()
    }

    /// The published rows of a task, ordered by their first column: `1 A 10, 2 B 20`.
    pub(crate) fn rows(&self, task: &str) -> String {
        self.rows_on(task, DATE)
    }

    /// The published rows of a task for some date.
    pub(crate) fn rows_on(&self, task: &str, date: &str) -> String {
        rows_of(&self.source(&published(task, date)))
    }

    /// The names and types of a task's published columns.
    pub(crate) fn columns(&self, task: &str) -> String {
        let schema = self.source(&published(task, DATE)).schema().unwrap();
        let columns = schema
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), field.data_type()));
        columns.collect::<Vec<_>>().join(", ")
    }

    fn source(&self, path: &str) -> TableSource {
        let base = self.folder.path().to_owned();
        TableSource {
            snapshot: pin("published", path, &base).unwrap(),
            base,
            types: BTreeMap::new(),
        }
    }

    /// The last end of a live half in the ledger.
    pub(crate) fn last_published(&self) -> PublishedRun {
        let ledger = self.ledger();
        let mut ends = ledger
            .entries()
            .iter()
            .rev()
            .filter_map(|entry| match &entry.event {
                LedgerEvent::Published(end) => Some(end.clone()),
                _ => None,
            });
        ends.next().expect("a run records the end of its live half")
    }

    /// The lanes of the change that the last run sent back, as the ledger has them.
    pub(crate) fn fallbacks(&self) -> String {
        let fallbacks = self.last_published().fallbacks;
        let lanes = fallbacks.get(CHANGE).into_iter().flatten();
        lanes.map(Customer::label).collect::<Vec<_>>().join(" ")
    }

    /// Whether exactly these customers got the new rows, in all tasks.
    pub(crate) fn check_new(&self, customers: &str) {
        for (task, expected) in TASKS.iter().zip(expected_rows(customers)) {
            assert_eq!(
                self.rows(task),
                expected,
                "`{task}`, where {customers:?} get new rows"
            );
        }
    }

    /// Whether nothing is published, not even a trace of it.
    pub(crate) fn check_nothing_published(&self) {
        for task in TASKS {
            assert_eq!(self.bytes(task), None, "`{task}`");
        }
    }
}

impl Ended {
    /// The end of a run that is about to be started.
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from_output(&command.output().unwrap())
    }

    /// The end of a run that was waited for.
    pub(crate) fn from_output(output: &std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            report: serde_json::from_slice(&output.stdout).unwrap_or(Json::Null),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Whether it exited with this code.
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(
            self.code,
            Some(code),
            "{}\n{:#}",
            self.errors,
            self.report["alerts"]
        );
        self
    }

    /// Whether one alert, in the report and on stderr, holds all these texts.
    pub(crate) fn alerts(&self, texts: &[&str]) -> &Self {
        let holds_all =
            |line: &str| !line.contains(LEAK) && texts.iter().all(|text| line.contains(text));
        let alerts = self.alerts_beside_leaks();
        let reported = alerts.iter().any(|alert| holds_all(alert));
        assert!(reported, "no alert with {texts:?}: {alerts:#?}");
        assert!(
            self.errors.lines().any(holds_all),
            "no line with {texts:?}:\n{}",
            self.errors
        );
        self
    }

    /// Whether it has nothing to alert anybody of, but that `totals` leaks.
    pub(crate) fn alerts_nobody(&self) -> &Self {
        assert_eq!(self.alerts_beside_leaks(), [""; 0]);
        self
    }

    fn alerts_beside_leaks(&self) -> Vec<&str> {
        let alerts = self.report["alerts"].as_array().unwrap();
        let texts = alerts.iter().map(|alert| alert.as_str().unwrap());
        texts.filter(|alert| !alert.contains(LEAK)).collect()
    }

    /// The verdict on the change.
    pub(crate) fn verdict(&self) -> &str {
        self.report["changes"][CHANGE]["verdict"]
            .as_str()
            .unwrap_or("none")
    }

    /// Each customer of `prices` with its stage and whose rows it gets: `A live new, B shadow old`.
    pub(crate) fn who(&self) -> String {
        let customers = self.report["changes"][CHANGE]["tasks"]["prices"]["customers"]
            .as_object()
            .unwrap();
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let each = customers.iter().map(|(customer, found)| {
            format!(
                "{customer} {} {}",
                text(&found["stage"]),
                text(&found["gets"])
            )
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

fn published(task: &str, date: &str) -> String {
    format!("live/{task}/date={date}/data.parquet")
}

fn rows_of(source: &TableSource) -> String {
    let schema = source.schema().unwrap();
    let mut rows = Vec::new();
    for batch in source.read(&schema, None, 1024).unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|column| value_at(column.as_ref(), row).unwrap().render());
            rows.push(
                cells
                    .map(|cell| cell.unwrap_or("NULL".to_owned()))
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
    }
    rows.sort();
    rows.join(", ")
}

/// What `prices`, `taxed` and `totals` hold where these customers get new rows, straight from the queries' sense.
pub(crate) fn expected_rows(new: &str) -> [String; 3] {
    let rows = [("A", 10), ("B", 20), ("C", 30), ("NULL", 40)];
    let is_new = |customer: &str| new.split_whitespace().any(|name| name == customer);
    let price = |(customer, price): (&str, i64)| {
        if is_new(customer) {
            price + 1000
        } else {
            price
        }
    };
    let tax = |row: (&str, i64)| price(row) * 2 + i64::from(is_new(row.0));
    let total: i64 = rows.into_iter().map(price).sum();
    let each = |line: &dyn Fn((&str, i64)) -> String| {
        let lines = rows
            .into_iter()
            .enumerate()
            .map(|(at, row)| format!("{} {} {}", at + 1, row.0, line(row)));
        lines.collect::<Vec<_>>().join(", ")
    };
    [
        each(&|row| price(row).to_string()),
        each(&|row| tax(row).to_string()),
        each(&|row| format!("{} {total}", price(row))),
    ]
}

/// The files below a folder, with what they hold.
pub(crate) fn all_files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}
