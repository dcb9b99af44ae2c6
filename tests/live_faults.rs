//! A live side that fails publishes nothing, and what stood there stays.

use std::process::Stdio;

use crate::playground::{COPY, DATE, ORDERS, Playground};

/// Publishes once, then breaks the live version on other data: nothing may move.
#[track_caller]
fn check(live_version: &str, limits: &str, reason: &str) {
    let shop = Playground::shop("echo ran > shadow-ran\nexit 1");
    shop.replace(
        "understudy.yaml",
        "[sh, v1.sh], inputs: csv",
        &format!("[sh, v1.sh], inputs: csv{limits}"),
    );
    shop.run(&["--live"]).expect(0);
    let before = shop.published("totals");
    shop.write("v1.sh", live_version);
    let ended = shop.run(&[]).expect(5);
    let live = &ended.json()["live"];
    assert_eq!(live["status"], "failed");
    assert_eq!(
        live["reasons"][0].as_str().unwrap(),
        format!("`totals` (v1) {reason}")
    );
    assert!(before.is_some());
    assert_eq!(shop.published("totals"), before);
    assert!(
        !shop.path("shadow-ran").exists(),
        "the shadow of a failed live side ran"
    );
    assert_eq!(ended.json()["changes"].as_object().unwrap().len(), 0);
    shop.run(&["--strict"]).expect(5);
}

#[test]
fn it_exits_with_1() {
    check(
        "exit 1",
        "",
        "failed: program `sh` exited with code 1; it wrote nothing to standard error",
    );
}

#[test]
fn it_kills_itself() {
    check(
        "kill -9 $$",
        "",
        "failed: program `sh` was killed by SIGKILL; it wrote nothing to standard error",
    );
}

#[test]
fn it_kills_its_own_worker() {
    check(
        "kill -9 $PPID; sleep 60",
        "",
        "died: its process was ended by SIGKILL",
    );
}

#[test]
fn it_writes_nothing() {
    check(
        "true",
        "",
        "failed: the program wrote nothing; it must write a table into the folder `UNDERSTUDY_OUTPUT`, as Parquet, CSV, JSON lines or Arrow",
    );
}

#[test]
fn it_leaves_out_the_customer() {
    check(
        "cut -d, -f1,3 \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"",
        "",
        "left an output without the column `customer` of its grain or customer; it has `id`, `amount`",
    );
}

#[test]
fn it_runs_past_its_wall_limit() {
    check(
        "sleep 60",
        ", limits: { wall: 1s }",
        "ran past its limit of 1 s and was ended",
    );
}

const TWO_TASKS: &str = "\
pipeline: pair
datasets:
  orders: { location: data/orders.csv }
tasks:
  good:
    inputs: [orders]
    output: { location: live/good, grain: [id] }
    live: v1
    versions:
      v1: { command: [sh, good.sh], inputs: csv }
  bad:
    inputs: [orders]
    output: { location: live/bad, grain: [id] }
    live: v1
    versions:
      v1: { command: [sh, bad.sh], inputs: csv }
";

#[test]
fn of_two_tasks_one_fails_and_none_is_published() {
    let files = [
        ("understudy.yaml", TWO_TASKS),
        ("data/orders.csv", ORDERS),
        ("good.sh", COPY),
        ("bad.sh", "exit 7"),
    ];
    let pair = Playground::of(&files);
    let ended = pair.run(&[]).expect(5);
    assert_eq!(
        ended.json()["live"]["reasons"][0],
        "`bad` (v1) failed: program `sh` exited with code 7; it wrote nothing to standard error"
    );
    assert!(!pair.path("live").exists());
    pair.write("bad.sh", COPY);
    pair.run(&[]).expect(0);
    assert_eq!(pair.rows("good"), ORDERS);
    assert_eq!(pair.published("bad"), pair.published("good"));
}

#[test]
fn without_a_change_the_same_bytes_are_published() {
    let with = Playground::shop(
        "sed s/10/11/ \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"",
    );
    let ended = with.run(&[]).expect(0);
    assert_eq!(
        ended.json()["changes"]["better"]["tasks"]["totals"]["rows"]["unexpected"],
        1
    );
    let without = Playground::shop_without_change();
    without.run(&[]).expect(0);
    assert_eq!(without.rows("totals"), ORDERS);
    assert_eq!(with.published("totals"), without.published("totals"));
}

/// `understudy run 2>&1 | head` must not end what runs.
#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let shop = Playground::shop(COPY);
    shop.write("v1.sh", &format!("sleep 0.3\n{COPY}"));
    let mut command = shop.command(&["run", "--date", DATE]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = command.spawn().unwrap();
    drop((run.stdout.take(), run.stderr.take()));
    assert!(run.wait().unwrap().success());
    let audit = shop.understudy(&["audit"]).expect(0);
    assert_eq!(audit.stdout.lines().count(), 2, "{}", audit.stdout);
    assert_eq!(shop.rows("totals"), ORDERS);
}
