//! A pipeline with a hostile version of each task, and things beside it that nobody may touch.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use super::corpus::{Expected, Statement};
use super::trace::Calls;
use crate::playground::{DATE, Ended, Playground};

/// What stands in files that nobody may read.
const SECRET: &str = "canary-7f3a9c";
/// How long a run of a batch may take before it hangs.
const PATIENCE: Duration = Duration::from_secs(600);
/// The limits of a hostile version that may use everything up.
const TIGHT: &str = "{ wall: 2s, memory: 300MB }";
/// The limits of one that is refused at once, however busy the machine is.
const LOOSE: &str = "{ wall: 300s, memory: 1GB }";
/// What everybody may read: libraries, what the system tells of itself, zones and locales.
const SYSTEM: [&str; 8] = [
    "/lib",
    "/etc/locale.alias",
    "/usr",
    "/etc/ld.so",
    "/etc/localtime",
    "/proc",
    "/sys",
    "/dev",
];

pub(super) struct Scene {
    playground: Playground,
    elsewhere: TempDir,
    canaries: BTreeMap<PathBuf, (u64, i64, i64)>,
    /// What lies in the pipeline's folder before the run.
    entries: Vec<PathBuf>,
    without: BTreeMap<usize, Vec<u8>>,
}

impl Scene {
    pub(super) fn of(batch: &[&Statement]) -> Self {
        let calm = pipeline(batch, false);
        let without = (0..batch.len()).map(|task| (task, calm.published(&name(task)).unwrap()));
        let without = without.collect();
        let playground = pipeline(batch, true);
        let elsewhere = TempDir::new().unwrap();
        fs::create_dir(elsewhere.path().join("tmp")).unwrap();
        let canaries = [
            elsewhere.path().join("canary.csv"),
            playground.path("canary.csv"),
            playground.path("canary.parquet"),
            playground.path("live/canary.csv"),
        ];
        for canary in &canaries {
            fs::create_dir_all(canary.parent().unwrap()).unwrap();
            fs::write(canary, format!("a,b\n{SECRET},1\n")).unwrap();
            fs::set_permissions(canary, fs::Permissions::from_mode(0o644)).unwrap();
        }
        for (task, statement) in batch.iter().enumerate() {
            let published = format!("live/{}/date={DATE}/data.parquet", name(task));
            let sql = [
                ("{canary}", &canaries[0]),
                ("{live}", &playground.path(&published)),
                ("{out}", &elsewhere.path().join("out")),
            ];
            let put = |sql: String, (place, path): &(&str, &PathBuf)| {
                sql.replace(place, &path.display().to_string())
            };
            let sql = sql.iter().fold(statement.sql.clone(), put);
            playground.write(&format!("hostile/{task}.sql"), &sql);
        }
        Self {
            entries: entries(&playground.path("")),
            canaries: canaries.map(|path| (path.clone(), stat(&path))).into(),
            playground,
            elsewhere,
            without,
        }
    }

    pub(super) fn run(&self) -> Ended {
        self.ended(&mut self.command())
    }

    pub(super) fn run_traced(&self) -> (Ended, Calls) {
        let traces = TempDir::new().unwrap();
        let plain = self.command();
        let mut command = Command::new("strace");
        command
            .args(["-f", "-ff", "-y", "-s", "4096", "-e"])
            .arg("trace=%file,%network,%process")
            .arg("-o")
            .arg(traces.path().join("trace"))
            .arg(plain.get_program())
            .args(plain.get_args())
            .current_dir(self.playground.path(""));
        for (name, value) in plain.get_envs() {
            value.map(|value| command.env(name, value));
        }
        let ended = self.ended(&mut command);
        (ended, Calls::in_folder(traces.path()))
    }

    fn command(&self) -> Command {
        let mut command = self.playground.command(&["run", "--json", "--date", DATE]);
        command.env("TMPDIR", self.elsewhere.path().join("tmp"));
        command
    }

    fn ended(&self, command: &mut Command) -> Ended {
        let [out, err] = ["out", "err"].map(|name| self.elsewhere.path().join("tmp").join(name));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap();
        let since = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if since.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("it hangs: {}", fs::read_to_string(err).unwrap());
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        Ended::from(std::process::Output {
            status,
            stdout: fs::read(out).unwrap(),
            stderr: fs::read(err).unwrap(),
        })
    }

    /// Asserts that live is as without the statements, that each was answered as it says, and that nothing else was
    /// read, changed or made.
    pub(super) fn check(&self, ended: &Ended, batch: &[&Statement]) {
        assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
        let report = ended.json();
        assert_eq!(report["live"]["status"], "published");
        // What live needs was planned, whatever became of the planning of these.
        assert_eq!(report["alerts"], serde_json::json!([]), "{ended:?}");
        for (task, statement) in batch.iter().enumerate() {
            let published = self.playground.published(&name(task)).unwrap();
            assert!(self.without[&task] == published, "{statement:.200?}");
            let found = &report["changes"][format!("c{task}")]["tasks"][name(task)];
            let said = format!("{}: {}", found["verdict"], found["reasons"]);
            eprintln!("{}\n    {said:.300}", statement.tries);
            if let Expected::Refused(text) = &statement.expected {
                let failed = format!("failed in `hostile/{task}.sql`");
                assert!(
                    said.contains(&failed) && said.contains(text),
                    "{statement:.300?}\n{said}"
                );
            }
        }
        self.check_elsewhere(ended);
    }

    fn check_elsewhere(&self, ended: &Ended) {
        for (canary, before) in &self.canaries {
            assert_eq!(stat(canary), *before, "{canary:?}");
            assert!(fs::read_to_string(canary).unwrap().contains(SECRET));
        }
        let mut expected = self.entries.clone();
        expected.push(self.playground.path("store"));
        expected.sort();
        assert_eq!(entries(&self.playground.path("")), expected);
        let beside = ["canary.csv", "tmp"].map(|name| self.elsewhere.path().join(name));
        assert_eq!(entries(self.elsewhere.path()), beside);
        assert!(!ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET));
        for (path, bytes) in self.playground.everything() {
            let has = bytes
                .windows(SECRET.len())
                .any(|part| part == SECRET.as_bytes());
            assert!(!has || self.canaries.contains_key(&path), "{path:?}");
        }
    }

    /// Whether a worker may open a path.
    pub(super) fn grants(&self, path: &str, writes: bool) -> bool {
        let own = [
            self.playground.path("store"),
            self.elsewhere.path().join("tmp"),
        ];
        let below = |folder: &Path| Path::new(path).starts_with(folder.canonicalize().unwrap());
        // What the guard of a worker tells the kernel before the worker begins: its place in a group, a session, a queue.
        let of_guard = ["/sys/fs/cgroup", "/proc"];
        let is_of_guard = of_guard.iter().any(|place| path.starts_with(place));
        if own.iter().any(|folder| below(folder)) || path == "/dev/null" || is_of_guard {
            return true;
        }
        let program = Path::new(env!("CARGO_BIN_EXE_understudy"));
        !writes
            && (below(&self.playground.path("data"))
                || below(program)
                || SYSTEM.iter().any(|system| path.starts_with(system)))
    }
}

fn name(task: usize) -> String {
    format!("t{task}")
}

/// A task for each statement that hands its input on, with a change each if there are changes; without, it has run.
fn pipeline(batch: &[&Statement], with_changes: bool) -> Playground {
    let tasks = batch.len();
    let mut text =
        "pipeline: hostile\ndatasets:\n  orders: { location: data/orders.parquet }\ntasks:\n"
            .to_owned();
    for (task, statement) in batch.iter().enumerate() {
        let limits = match statement.expected {
            Expected::Refused(_) => LOOSE,
            Expected::Anything => TIGHT,
        };
        write!(
            text,
            "  t{task}:\n    inputs: [orders]\n    output: {{ location: live/t{task}, grain: [id], customer: customer }}\n    live: v1\n    versions:\n      v1: {{ sql: live.sql, threads: 1 }}\n      v2: {{ sql: hostile/{task}.sql, limits: {limits} }}\n"
        )
        .unwrap();
    }
    if with_changes {
        text += "changes:\n";
        for task in 0..tasks {
            writeln!(text, "  c{task}:\n    new: {{ t{task}: v2 }}").unwrap();
        }
    }
    let playground = Playground::of(&[
        ("understudy.yaml", &text),
        (
            "live.sql",
            "SELECT id, customer, amount FROM orders ORDER BY id",
        ),
        ("hostile/none", ""),
        ("data/none", ""),
    ]);
    for task in 0..tasks {
        playground.write(&format!("hostile/{task}.sql"), "SELECT 1 AS id");
    }
    orders(&playground.path("data/orders.parquet"));
    if !with_changes {
        playground.run(&[]).expect(0);
    }
    playground
}

fn orders(path: &Path) {
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(Int64Array::from_iter_values(1..=40))),
        (
            "customer",
            Arc::new(StringArray::from_iter_values(
                (1..=40).map(|id| format!("c{}", id % 4)),
            )),
        ),
        (
            "amount",
            Arc::new(Int64Array::from_iter_values((1..=40).map(|id| id * 10))),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn stat(path: &Path) -> (u64, i64, i64) {
    let found = fs::metadata(path).unwrap();
    (found.ino(), found.mtime_nsec(), found.ctime_nsec())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}
