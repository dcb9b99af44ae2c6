//! What is left, and what is said, when somebody stops the comparison or its worker.

use std::fs;
use std::process::{Child, Command};

use expect_test::{Expect, expect};

use super::scene::Scene;
use crate::playground::{Ended, wait_until};

/// What a worker computes before it is stopped, in hundredths of a second: by then it reads rows.
const AT_WORK_TICKS: u64 = 5;

/// Starts `diff` on a large table and stops its worker in the middle of its work.
fn halted(scene: &Scene, arguments: &str) -> (Child, u32) {
    let mut command = scene.command(&format!("large.csv large.csv --key id {arguments}"));
    let child = command.spawn().unwrap();
    let diff = child.id();
    wait_until("the worker is at work", || {
        worker_of(diff).is_some_and(|worker| ticks(worker) >= AT_WORK_TICKS)
    });
    let worker = worker_of(diff).expect("the table is large enough for the worker to be met");
    signal("STOP", worker);
    wait_until("the worker stands still", || {
        stat(worker).first().is_some_and(|state| state == "T")
    });
    (child, worker)
}

/// What a process has computed.
fn ticks(process: u32) -> u64 {
    let times = stat(process).into_iter().skip(11).take(2);
    times.map(|time| time.parse::<u64>().unwrap()).sum()
}

/// What the system says of a process, from its state on.
fn stat(process: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().map(str::to_owned).collect()
}

/// The process that another one started, once it is the worker.
fn worker_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let worker = children.split_whitespace().next()?.parse().ok()?;
    let arguments = fs::read(format!("/proc/{worker}/cmdline")).ok()?;
    let is_worker = arguments.split(|byte| *byte == 0).nth(1) == Some(b"worker");
    is_worker.then_some(worker)
}

#[track_caller]
fn signal(name: &str, process: u32) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status();
    assert!(status.unwrap().success(), "nobody got {name}");
}

/// Lets something happen to `diff` or its worker, and looks at how it ends and what it leaves.
#[track_caller]
fn check(arguments: &str, disturb: impl Fn(u32, u32), expected: &Expect) {
    let scene = Scene::of_a_large_table();
    let before = scene.playground.everything();
    let (child, worker) = halted(&scene, arguments);
    disturb(child.id(), worker);
    let ended = Ended::from(child.wait_with_output().unwrap());
    let told = scene.told(ended, &before);
    expected.assert_eq(&told.text());
    assert_eq!(told.names(), [""; 0], "half a report was left");
}

#[test]
fn an_interrupted_comparison_leaves_nothing() {
    let interrupted = expect![[r#"
        exit 130
        -- standard error
        interrupted: nothing was compared to the end
    "#]];
    check("", |diff, _| signal("INT", diff), &interrupted);
    check(
        "--out report --json",
        |diff, _| signal("INT", diff),
        &interrupted,
    );
    check("", |diff, _| signal("TERM", diff), &interrupted);
}

#[test]
fn a_worker_that_is_killed_leaves_nothing() {
    let killed = expect![[r#"
        exit 6
        -- standard error
        error: the comparison died: its process was ended by SIGKILL
    "#]];
    check("", |_, worker| signal("KILL", worker), &killed);
    check(
        "--out report --json",
        |_, worker| signal("KILL", worker),
        &killed,
    );
}

/// Nobody can tidy up after a killed `diff`, but its worker must not go on.
#[test]
fn a_killed_diff_takes_its_worker_with_it() {
    let scene = Scene::of_a_large_table();
    let (mut child, worker) = halted(&scene, "--out report");
    signal("KILL", child.id());
    child.wait().unwrap();
    signal("CONT", worker);
    scene.playground.nobody_is_left();
    let everything = scene.playground.everything();
    let answered = everything
        .keys()
        .any(|path| path.ends_with("work/answer.json"));
    assert!(!answered, "the worker went on to its end");
    assert!(!scene.playground.path("report/diff.csv").exists());
}

#[test]
fn a_bug_is_said_to_be_one() {
    let scene = Scene::of("-- a.csv\nid\n1\n");
    let before = scene.playground.everything();
    let mut command = scene.command("a.csv a.csv --out report");
    command.env("UNDERSTUDY_FAULT", "durable.before-rename=panic");
    let ended = Ended::from(command.output().unwrap()).expect(70);
    assert!(ended.stderr.contains("fault fired: durable.before-rename"));
    assert!(ended.stderr.contains("\nbug: panicked at "), "{ended:?}");
    scene.told(ended, &before);
}
