//! A pipeline made from text in a folder of its own, and the real binary on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use understudy_tables::{TableSource, pin, value_at};

/// The run date of every run here.
pub(crate) const DATE: &str = "2026-01-31";
/// The one input: two customers with two orders each.
pub(crate) const ORDERS: &str = "id,customer,amount\n1,Ann,10\n2,Ann,20\n3,Bob,30\n4,Bob,40\n";
/// A version that hands its input on.
pub(crate) const COPY: &str =
    "cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";
/// A version that waits, with a child, until somebody made the file `go`; then it hands its input on.
pub(crate) const WAITING: &str = "\
if [ ! -e go ]; then sleep 60 & touch waits; wait; fi
cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"
";
/// How long a test waits for something that has to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// One task with a change, both versions shell scripts.
const SHOP: &str = "\
pipeline: shop
datasets:
  orders: { location: data/orders.csv }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { command: [sh, v1.sh], inputs: csv }
      v2: { command: [sh, v2.sh], inputs: csv }
changes:
  better:
    new: { totals: v2 }
";

/// A folder with a pipeline in it; gone when dropped.
pub(crate) struct Playground {
    folder: TempDir,
    program: PathBuf,
    /// The parts of the sandbox that are left out.
    without: &'static str,
    /// What stands in the binary's environment beside what stands in the test's.
    variables: Vec<(&'static str, String)>,
}

/// How the binary ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary at work.
pub(crate) struct Started(Child);

impl Playground {
    /// A folder with the files that are given, by name.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let playground = Self {
            folder: TempDir::new().unwrap(),
            program: PathBuf::from(env!("CARGO_BIN_EXE_understudy")),
            without: "",
            variables: Vec::new(),
        };
        files
            .iter()
            .for_each(|(name, text)| playground.write(name, text));
        playground
    }

    /// The shop, whose live version hands its input on and whose new version is this script.
    pub(crate) fn shop(new_version: &str) -> Self {
        Self::of(&[
            ("understudy.yaml", SHOP),
            ("data/orders.csv", ORDERS),
            ("v1.sh", COPY),
            ("v2.sh", new_version),
        ])
    }

    /// The shop without an active change.
    pub(crate) fn shop_without_change() -> Self {
        let playground = Self::shop("exit 1");
        playground.replace(
            "understudy.yaml",
            "changes:\n  better:\n    new: { totals: v2 }\n",
            "",
        );
        playground
    }

    /// The same with a program that has Rust tasks: cargo builds it as an example, beside the binary.
    pub(crate) fn with_rust_tasks(mut self) -> Self {
        let folder = self.program.parent().unwrap();
        self.program = folder.join("examples").join("rust_tasks");
        self
    }

    /// The same without walls around shadows, for scripts that give signs of life in the pipeline's folder, and for what
    /// holds where there are none.
    pub(crate) fn without_walls(mut self) -> Self {
        self.without = "landlock";
        self
    }

    /// The same with parts of the sandbox left out, with commas between.
    pub(crate) fn with_parts_left_out(mut self, parts: &'static str) -> Self {
        self.without = parts;
        self
    }

    /// The same with a variable in the binary's environment.
    pub(crate) fn with_variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }

    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "`{from}` is not in `{name}`");
        self.write(name, &text.replace(from, to));
    }

    /// The binary with these arguments, in the pipeline's folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .env("UNDERSTUDY_SANDBOX_WITHOUT", self.without)
            .env_remove("UNDERSTUDY_FAULT")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn understudy(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }

    /// `run --json` for the one date.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.understudy(&[&["run", "--json", "--date", DATE], arguments].concat())
    }

    /// `run` with a fault; that it fired is asserted.
    pub(crate) fn run_with_fault(&self, point: &str, action: &str) -> Ended {
        let mut command = self.command(&["run", "--json", "--date", DATE]);
        let ended = Ended::from(
            command
                .env("UNDERSTUDY_FAULT", format!("{point}={action}"))
                .output()
                .unwrap(),
        );
        assert!(
            ended.stderr.contains(&format!("fault fired: {point}")),
            "{ended:?}"
        );
        ended
    }

    /// `run`, without waiting for its end.
    pub(crate) fn start(&self, arguments: &[&str]) -> Started {
        self.begin(&[&["run", "--json", "--date", DATE], arguments].concat())
    }

    /// The binary with these arguments, without waiting for its end.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Started {
        let mut command = self.command(arguments);
        Started(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    fn published_folder(task: &str) -> String {
        format!("live/{task}/date={DATE}")
    }

    /// The published rows of a task in a folder such as `live/totals/date=2026-01-31/slice=emea`.
    pub(crate) fn rows_in(&self, folder: &str) -> String {
        rows_of(&self.path(folder))
    }

    /// The published file of a task, as its bytes; `None` if there is none.
    pub(crate) fn published(&self, task: &str) -> Option<Vec<u8>> {
        fs::read(
            self.path(&Self::published_folder(task))
                .join("data.parquet"),
        )
        .ok()
    }

    /// The run that the marker beside a published output names.
    pub(crate) fn published_run(&self, task: &str) -> String {
        let marker = self.read(&format!(
            "{}/_understudy.json",
            Self::published_folder(task)
        ));
        let marker: Value = serde_json::from_str(&marker).unwrap();
        marker["run"].as_str().unwrap().to_owned()
    }

    /// The published rows of a task, a line each, after a line with the columns.
    pub(crate) fn rows(&self, task: &str) -> String {
        self.rows_in(&Self::published_folder(task))
    }

    /// Every file below the folder with its bytes, to see whether anything was written.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        files
    }

    /// Waits until a script has made a file.
    #[track_caller]
    pub(crate) fn wait_for(&self, name: &str) {
        wait_until(name, || self.path(name).exists());
    }

    /// Asserts that no process is left that was started here; a killed one needs a moment to go.
    #[track_caller]
    pub(crate) fn nobody_is_left(&self) {
        let here = self.folder.path().canonicalize().unwrap();
        let started_here = |entry: &fs::DirEntry| {
            fs::read_link(entry.path().join("cwd")).is_ok_and(|folder| folder == here)
        };
        wait_until("all processes end", || {
            !fs::read_dir("/proc")
                .unwrap()
                .flatten()
                .any(|entry| started_here(&entry))
        });
    }
}

/// Folders count as well: an empty one that is made is something written.
fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
            files.insert(path, Vec::new());
        } else {
            let bytes = fs::read(&path).unwrap();
            files.insert(path, bytes);
        }
    }
}

/// The rows of `data.parquet` in a folder, a line each, after a line with the columns.
fn rows_of(base: &Path) -> String {
    let snapshot = pin("rows", "data.parquet", base).unwrap();
    let source = TableSource {
        base: base.to_owned(),
        snapshot,
        types: BTreeMap::new(),
    };
    let schema = source.schema().unwrap();
    let names = schema.fields().iter().map(|field| field.name().clone());
    let mut text = names.collect::<Vec<_>>().join(",") + "\n";
    for batch in source.read(&schema, None, 1_000).unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let values = batch
                .columns()
                .iter()
                .map(|column| value_at(column, row).unwrap());
            let cells = values.map(|value| value.render().unwrap_or_else(|| "NULL".to_owned()));
            text.push_str(&(cells.collect::<Vec<_>>().join(",") + "\n"));
        }
    }
    text
}

impl Ended {
    /// What it printed, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self:?}"))
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The verdict on the one change and its reasons for a task, such as `inconclusive: both outputs are empty`.
    pub(crate) fn verdict(&self, task: &str) -> String {
        let report = self.json();
        let found = &report["changes"]["better"]["tasks"][task];
        let reasons = found["reasons"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let reasons: Vec<&str> = reasons
            .iter()
            .map(|reason| reason.as_str().unwrap())
            .collect();
        let verdict = found["verdict"]
            .as_str()
            .unwrap_or_else(|| panic!("no verdict on `{task}` in {report:#}"));
        if reasons.is_empty() {
            verdict.to_owned()
        } else {
            format!("{verdict}: {}", reasons.join("; "))
        }
    }

    /// How many of the steps were there already, such as `3 of 4`.
    pub(crate) fn reuse(&self) -> String {
        let reuse = &self.json()["reuse"];
        format!("{} of {}", reuse["reused"], reuse["needed"])
    }

    /// The steps that were executed, not reused, a line each.
    pub(crate) fn executed(&self) -> Vec<String> {
        let steps = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("live ") || line.starts_with("shadow "));
        let executed = steps.filter(|line| !line.ends_with("there already"));
        let name = |line: &str| {
            Some(
                line.split_once("  ")?
                    .1
                    .trim()
                    .split_once(": ")?
                    .0
                    .to_owned(),
            )
        };
        executed.filter_map(name).collect()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let signal = output.status.signal().map(|signal| 128 + signal);
        Self {
            code: output.status.code().or(signal).unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Started {
    /// The binary's process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal, such as `INT`, to the binary alone.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.0.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    pub(crate) fn end(self) -> Ended {
        Ended::from(self.0.wait_with_output().unwrap())
    }
}

/// Waits until something holds, or fails.
#[track_caller]
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
