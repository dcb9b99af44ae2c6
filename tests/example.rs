//! The flights example: what its README tells has to be what a run finds.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const CHANGE: &str = "summer-time";

#[test]
fn october_is_as_the_readme_tells() {
    let report = Example::copy().run(&[]);
    assert_eq!(report["date"], "2013-10-01");
    assert_eq!(report["live"]["status"], "published");
    assert_eq!(
        customers(&report, "block_times"),
        "9E identical, 1673 rows\n\
         AA unexpected, 2715 rows: 0 expected, 70 unexpected\n\
         AS identical, 62 rows\n\
         B6 unexpected, 4361 rows: 31 expected, 254 unexpected\n\
         DL unexpected, 4093 rows: 31 expected, 123 unexpected\n\
         EV identical, 4908 rows\n\
         F9 identical, 57 rows\n\
         FL identical, 236 rows\n\
         HA expected, 21 rows: 21 expected, 0 unexpected\n\
         MQ identical, 2228 rows\n\
         UA unexpected, 5060 rows: 120 expected, 43 unexpected\n\
         US expected, 1846 rows: 209 expected, 0 unexpected\n\
         VX identical, 472 rows\n\
         WN expected, 1091 rows: 31 expected, 0 unexpected\n\
         YV identical, 66 rows\n"
    );
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let start = readme.find("```\nflights 2013-10-01").unwrap() + "```\n".len();
    let shown = readme[start..].split("```").next().unwrap();
    let printed = Example::copy().print(&["run"]);
    let (shown, now) = (timeless(shown), timeless(&printed));
    let parting = shown
        .lines()
        .zip(now.lines())
        .find(|(shown, now)| shown != now);
    assert!(
        shown == now,
        "the README differs first at {parting:?}; it printed:\n{printed}"
    );
}

#[test]
fn what_is_downstream_shows_it_too() {
    let report = Example::copy().run(&[]);
    assert_eq!(
        lanes(&report, CHANGE, "route_times"),
        "expected HA US WN, unexpected AA B6 DL UA"
    );
    assert_eq!(
        lanes(&report, CHANGE, "ground_time"),
        "expected HA US, unexpected AA B6 DL UA"
    );
    assert!(report["changes"]["summer-time"]["tasks"]["punctuality"].is_null());
}

#[test]
fn january_has_no_summer_time_and_lacks_flights_all_the_same() {
    let report = Example::copy().run(&["--date", "2013-01-01"]);
    assert_eq!(
        lanes(&report, CHANGE, "block_times"),
        "unexpected AA B6 DL UA"
    );
}

#[test]
fn the_mended_version_is_as_expected() {
    let example = Example::copy();
    example.replace("new: { block_times: v2 }", "new: { block_times: v3 }");
    let report = example.run(&["--strict"]);
    assert_eq!(report["changes"]["summer-time"]["verdict"], "expected");
    assert_eq!(
        lanes(&report, CHANGE, "block_times"),
        "expected B6 DL HA UA US WN"
    );
}

/// A copy of the example, below a folder of its own, as somebody would take it elsewhere.
pub(crate) struct Example {
    root: TempDir,
    /// Where it stands below that folder: as in the repository, so that the same is printed.
    place: &'static str,
}

impl Example {
    fn copy() -> Self {
        Self::copy_of("examples/flights")
    }

    pub(crate) fn copy_of(place: &'static str) -> Self {
        let root = TempDir::new().unwrap();
        let folder = root.path().join(place);
        fs::create_dir_all(&folder).unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        copy_all(&repository.join(place), &folder);
        Self { root, place }
    }

    pub(crate) fn replace(&self, from: &str, to: &str) {
        let file = self.root.path().join(self.place).join("understudy.yaml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "`{from}` is not in the example");
        fs::write(&file, text.replace(from, to)).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let text = self.print(&[&["run", "--json"], arguments].concat());
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn print(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_understudy"))
            .args(arguments)
            .arg(self.place)
            .current_dir(self.root.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}\n{errors}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Copies an example without what its runs left.
pub(crate) fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (source, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .unwrap();
        let target: PathBuf = to.join(&name);
        if source.is_file() {
            fs::copy(&source, &target).unwrap();
        } else if name != "store" && name != "live" {
            fs::create_dir(&target).unwrap();
            copy_all(&source, &target);
        }
    }
}

/// A text without what differs from run to run: how long things took.
fn timeless(text: &str) -> String {
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        for position in 1..words.len() {
            if matches!(words[position], "ms" | "s") {
                words[position - 1] = "0";
                words[position] = "ms";
            }
        }
        words.join(" ")
    };
    text.trim_end()
        .lines()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn of_task<'a>(
    report: &'a Value,
    change: &str,
    task: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let task = &report["changes"][change]["tasks"][task];
    task["customers"].as_object().unwrap().iter()
}

/// Each customer of a task, a line each.
fn customers(report: &Value, task: &str) -> String {
    let mut text = String::new();
    for (customer, found) in of_task(report, CHANGE, task) {
        let verdict = found["verdict"].as_str().unwrap();
        write!(text, "{customer} {verdict}, {} rows", found["rows"]).unwrap();
        if verdict != "identical" {
            write!(
                text,
                ": {} expected, {} unexpected",
                found["expected"], found["unexpected"]
            )
            .unwrap();
        }
        text.push('\n');
    }
    text
}

/// The customers of a task that are not identical, by verdict.
pub(crate) fn lanes(report: &Value, change: &str, task: &str) -> String {
    let with = |verdict: &str| {
        let lanes = of_task(report, change, task).filter(|(_, found)| found["verdict"] == verdict);
        lanes.fold(String::new(), |text, (customer, _)| {
            format!("{text} {customer}")
        })
    };
    let texts = ["expected", "inconclusive", "unexpected"].map(|verdict| (verdict, with(verdict)));
    let named = texts.iter().filter(|(_, lanes)| !lanes.is_empty());
    named
        .map(|(verdict, lanes)| format!("{verdict}{lanes}"))
        .collect::<Vec<_>>()
        .join(", ")
}
