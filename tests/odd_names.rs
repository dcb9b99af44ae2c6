//! Names that are meant to leave their folder, of everything that has a name, through the real binary.
//!
//! That every text has one safe part of a path is a property of core; here nothing appears anywhere but in the store and
//! in the live location, nothing crashes, and what is refused is refused with its place and what to do.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::playground::{DATE, Playground};

/// What can be named, each with a plain name.
const PLAIN: [&str; 8] = [
    "orders", "totals", "v2", "better", "amount", "a rule", "Ann", "north",
];

const NAMES: &[&str] = &[
    "..",
    ".",
    "...",
    "../../../up",
    "..\\..\\up",
    "/tmp/absolute",
    "/proc/self/root",
    "/etc/passwd",
    "a/b",
    "a//b",
    "./a",
    "a\0b",
    "%2e%2e%2f",
    "%2E%2E",
    "..%2f..%2fup",
    "%00",
    "%",
    "%%",
    "con",
    "NUL",
    "aux.txt",
    "com1",
    "a.",
    "a ",
    " a",
    "~",
    "$HOME",
    "$(touch pwned)",
    "`touch pwned`",
    "a;b",
    "-rf",
    "--help",
    "*",
    "?",
    "{date}",
    "{slice}",
    "é",
    "e\u{301}",
    "A",
    "a",
    "\u{202e}cod.exe",
    "\u{200b}",
    "\u{feff}x",
    "\u{2028}",
    "日本",
    "data.parquet",
    "run.json",
    "logs",
    "evidence",
    "outputs",
    "work",
    "head.json",
    "slice=x",
    "date=2026-01-01",
    "_understudy.json",
    "file:///etc/passwd",
    "s3://bucket/x",
    "'; DROP TABLE x; --",
    "\"x\"",
];

fn pipeline(names: &[String; 8]) -> String {
    let quoted = names
        .clone()
        .map(|name| serde_json::to_string(&name).unwrap());
    let [
        dataset,
        task,
        version,
        change,
        column,
        rule,
        customer,
        slice,
    ] = quoted;
    format!(
        "\
pipeline: shop
datasets:
  {dataset}: {{ location: data/orders.csv, customer: customer }}
slices: {{ {slice}: [{customer}], rest: {{ others: true }} }}
tasks:
  {task}:
    inputs: [{dataset}]
    output: {{ location: live/totals, grain: [id], customer: customer, columns: {{ {column}: mask }} }}
    live: v1
    versions:
      v1: {{ command: [sh, v1.sh], inputs: csv }}
      {version}: {{ command: [sh, v2.sh], inputs: csv }}
changes:
  {change}:
    new: {{ {task}: {version} }}
    expect: {{ {task}: [{{ name: {rule}, columns: [{column}], customers: [{customer}], within: 1% }}] }}
"
    )
}

/// Runs a pipeline in a folder within a folder, in which one kind of thing has an odd name. Gives the exit code.
#[track_caller]
fn check(kind: usize, name: &str) -> i32 {
    let mut names = PLAIN.map(str::to_owned);
    names[kind] = name.to_owned();
    let outer = Playground::of(&[]);
    let column = csv_field(&names[4]);
    let rows = format!(
        "id,customer,{column}\n1,{0},10\n2,Bob,20\n",
        csv_field(&names[6])
    );
    outer.write("in/ner/understudy.yaml", &pipeline(&names));
    outer.write("in/ner/data/orders.csv", &rows);
    let copy = "cat data/orders.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";
    outer.write("in/ner/v1.sh", copy);
    outer.write("in/ner/v2.sh", &copy.replace("cat", "sed s/20/21/"));
    let before = around(&outer);
    let mut ran = None;
    for verb in [
        &["check", "in/ner"][..],
        &["plan", "--date", DATE, "in/ner"],
        &["run", "--date", DATE, "in/ner"],
        &["run", "--date", DATE, "--slice", &names[7], "in/ner"],
        &["report", "--task", &names[1], "in/ner"],
        &["which", &names[1], "--customer", &names[6], "in/ner"],
        &["gate", &names[3], "in/ner"],
    ] {
        let is_option = ["which", "gate"].contains(&verb[0]) && verb[1].starts_with('-');
        if verb.iter().any(|word| word.contains('\0')) || is_option {
            continue;
        }
        let ended = outer.understudy(verb);
        assert_ne!(ended.code, 70, "{verb:?} {ended:?}");
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            !text
                .chars()
                .any(|c| c != '\n' && understudy_core::visible::acts(c)),
            "{verb:?} {text:?}"
        );
        if ended.code == 2 && verb[0] == "check" {
            assert!(
                text.contains("understudy.yaml:") && text.contains("hint:"),
                "{text}"
            );
        }
        if verb[0] == "run" {
            ran = ran.or(Some(ended.code));
        }
    }
    assert_eq!(
        around(&outer),
        before,
        "kind {kind}, {name:?}: something was written elsewhere"
    );
    ran.unwrap()
}

fn csv_field(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Everything there is but what is below the store, the live location and what runs work in.
fn around(outer: &Playground) -> BTreeSet<PathBuf> {
    let own = ["in/ner/store", "in/ner/live"].map(|own| outer.path(own));
    let all = outer.everything().into_keys();
    all.filter(|path| !own.iter().any(|own| path.starts_with(own)))
        .collect()
}

#[test]
fn nothing_is_written_elsewhere() {
    let mut published = 0;
    for (position, name) in NAMES.iter().enumerate() {
        // Each name is that of one thing, and of the next one in the list of things for the next name.
        published += usize::from(check(position % PLAIN.len(), name) == 0);
    }
    assert!(published > 30, "hardly anything ran: {published}");
}

#[test]
fn names_that_climb_are_tried_on_everything() {
    for kind in 0..PLAIN.len() {
        check(kind, "../../up");
        check(kind, &"../".repeat(3_000));
    }
}
