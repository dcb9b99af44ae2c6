//! Pipeline files, rules and flags that are made to take time and memory from whoever reads them: each is refused with its
//! place and what to do, by a process that may have little memory.

mod corpus;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use crate::playground::{DATE, Ended, Playground};

/// The memory that reading may ask the system for: the binary's own mappings, and a margin of a few files.
const MAX_VIRTUAL_KB: u64 = 512 << 10;
/// A process that reads for so long hangs.
const HANGS_AFTER_SECS: u64 = 120;

/// The binary, with little memory.
fn starved(playground: &Playground, arguments: &[&str]) -> Ended {
    let command = playground.command(arguments);
    let shell =
        format!("ulimit -v {MAX_VIRTUAL_KB}; exec timeout {HANGS_AFTER_SECS} \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &shell])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(playground.path(""))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.signal(), None, "{output:?}");
    Ended::from(output)
}

#[track_caller]
fn require_refused(name: &str, ended: &Ended, place: &str) {
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 2, "{name}: {text}");
    assert!(text.contains(place), "{name} has no place: {text}");
    assert!(text.contains("hint:"), "{name} has no fix: {text}");
    assert!(text.len() < 20_000, "{name}: {} bytes are said", text.len());
}

/// What is beyond a limit is refused for that, and not for what it would have become.
#[track_caller]
fn require_limit(name: &str, ended: &Ended) {
    let limits = [
        ("00 aliases of one", "more than 64 aliases"),
        ("65 aliases of one", "more than 64 aliases"),
        (" MB", "at most 1048576 are read"),
        ("a million small values", "more than 100000 values"),
        ("the tag ", "tags are not read"),
        ("merge", "`<<` merges"),
    ];
    for (_, says) in limits.iter().filter(|(part, _)| name.contains(part)) {
        assert!(ended.stdout.contains(says), "{name}: {ended:?}");
    }
}

#[test]
fn of_pipelines() {
    let playground = Playground::shop("exit 1");
    let corpus = corpus::all();
    assert!(corpus.len() >= 60, "{}", corpus.len());
    for (name, bytes) in &corpus {
        fs::write(playground.path("understudy.yaml"), bytes).unwrap();
        let ended = starved(&playground, &["check"]);
        require_refused(name, &ended, "understudy.yaml");
        require_limit(name, &ended);
    }
}

#[test]
fn of_rules() {
    let playground = Playground::shop("exit 1");
    for (name, bytes) in &corpus::all() {
        fs::write(playground.path("rules.yaml"), bytes).unwrap();
        let ended = starved(
            &playground,
            &[
                "diff",
                "data/orders.csv",
                "data/orders.csv",
                "--rules",
                "rules.yaml",
            ],
        );
        require_refused(name, &ended, "rules.yaml");
    }
}

/// Flags that nobody can read are down: live goes on, and somebody is told why and where.
#[test]
fn of_flags() {
    let playground = Playground::shop("exit 1");
    for (name, bytes) in &corpus::all() {
        // A file with nothing in it says nothing.
        if name == "nothing but an anchor" {
            continue;
        }
        fs::write(playground.path("flags.yaml"), bytes).unwrap();
        let ended = starved(&playground, &["which", "totals"]);
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(text.contains("flags.yaml"), "{name}: {ended:?}");
        assert!(
            text.contains("line ") || text.contains("bytes") || text.contains("UTF-8"),
            "{name} has no place: {text}"
        );
        assert_ne!(ended.code, 70, "{name}: {text}");
    }
}

/// What never ends, or waits for a writer.
#[test]
fn of_files_that_are_none() {
    for (verb, file) in [
        (&["check"][..], "understudy.yaml"),
        (
            &[
                "diff",
                "data/orders.csv",
                "data/orders.csv",
                "--rules",
                "rules.yaml",
            ],
            "rules.yaml",
        ),
        (&["which", "totals"], "flags.yaml"),
        (&["run", "--date", DATE], "v1.sql"),
        (&["check"], "customers.txt"),
        (&["flip", "better", "--file", "lanes.txt"], "lanes.txt"),
    ] {
        for make in [
            "mkfifo $0",
            "ln -s /dev/zero $0",
            "ln -s /dev/stdin $0",
            "mkdir $0",
            "ln -s $0 $0",
            "truncate -s 8G $0",
        ] {
            let playground = Playground::shop("exit 1");
            playground.replace(
                "understudy.yaml",
                "v1: { command: [sh, v1.sh], inputs: csv }",
                "v1: { sql: v1.sql }",
            );
            playground.write("v1.sql", "SELECT * FROM orders\n");
            if file == "customers.txt" {
                playground.replace(
                    "understudy.yaml",
                    "tasks:\n",
                    "slices: { some: { file: customers.txt } }\ntasks:\n",
                );
            }
            let _ = fs::remove_file(playground.path(file));
            let made = Command::new("sh")
                .args(["-c", make, file])
                .current_dir(playground.path(""))
                .status();
            assert!(made.unwrap().success(), "{make} {file}");
            let ended = starved(&playground, verb);
            let text = format!("{}{}", ended.stdout, ended.stderr);
            assert!(
                ![70, 124, 134].contains(&ended.code),
                "{make} {file}: {ended:?}"
            );
            assert!(
                ended.code != 0 || file == "flags.yaml",
                "{make} {file}: {ended:?}"
            );
            let named = text.contains(file) || file == "understudy.yaml";
            assert!(named, "{make} {file}: {text}");
        }
    }
}
