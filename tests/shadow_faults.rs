//! Promise 1: whatever a new version does, live publishes the same bytes, and the run exits with 0.

use crate::playground::{COPY, ORDERS, Playground};

/// Runs the shop with a new version that misbehaves: live is as without it, and the verdict is as told.
#[track_caller]
fn check(new_version: &str, limits: &str, verdict: &str, strict: i32) -> Playground {
    check_in(Playground::shop(new_version), limits, verdict, strict)
}

#[track_caller]
fn check_in(shop: Playground, limits: &str, verdict: &str, strict: i32) -> Playground {
    shop.replace(
        "understudy.yaml",
        "[sh, v2.sh], inputs: csv",
        &format!("[sh, v2.sh], inputs: csv{limits}"),
    );
    check_shop(&shop, verdict, strict);
    shop
}

#[track_caller]
fn check_shop(shop: &Playground, verdict: &str, strict: i32) {
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.verdict("totals"), verdict);
    assert_eq!(ended.json()["live"]["status"], "published");
    let without = Playground::shop_without_change();
    let calm = without.run(&[]).expect(0);
    assert_eq!(
        calm.json()["live"]["outputs"],
        ended.json()["live"]["outputs"]
    );
    assert!(shop.published("totals").is_some());
    assert_eq!(shop.published("totals"), without.published("totals"));
    shop.run(&["--strict"]).expect(strict);
}

#[test]
fn it_exits_with_1() {
    check(
        "echo the disk is on fire >&2; exit 1",
        "",
        "inconclusive: the new version (v2) failed: program `sh` exited with code 1; the end of its standard error:\n    the disk is on fire",
        3,
    );
}

#[test]
fn it_kills_itself() {
    check(
        "kill -9 $$",
        "",
        "inconclusive: the new version (v2) failed: program `sh` was killed by SIGKILL; it wrote nothing to standard error",
        3,
    );
}

#[test]
fn it_aborts() {
    check(
        "kill -ABRT $$",
        "",
        "inconclusive: the new version (v2) failed: program `sh` was killed by SIGABRT; it wrote nothing to standard error",
        3,
    );
}

#[test]
fn it_kills_its_own_worker() {
    check_in(
        Playground::shop("kill -9 $PPID; sleep 60").without_walls(),
        "",
        "inconclusive: the new version (v2) died: its process was ended by SIGKILL",
        3,
    );
}

#[test]
fn it_writes_nothing() {
    check(
        "true",
        "",
        "inconclusive: the new version (v2) failed: the program wrote nothing; it must write a table into the folder `UNDERSTUDY_OUTPUT`, as Parquet, CSV, JSON lines or Arrow",
        3,
    );
}

#[test]
fn it_writes_unreadable_parquet() {
    let shop = Playground::shop("echo no table at all > \"$UNDERSTUDY_OUTPUT/rows.parquet\"");
    let ended = shop.run(&[]).expect(0);
    let verdict = ended.verdict("totals");
    let (file, why) = verdict
        .split_once("raw/rows.parquet` ")
        .unwrap_or_else(|| panic!("{verdict}"));
    assert!(
        file.starts_with("inconclusive: the new version (v2) failed: `"),
        "{verdict}"
    );
    assert!(
        why.starts_with("cannot be read as Parquet; it is cut off, damaged or something else: "),
        "{verdict}"
    );
    assert_eq!(shop.rows("totals"), ORDERS);
    shop.run(&["--strict"]).expect(3);
}

#[test]
fn it_leaves_out_a_column() {
    check(
        "cut -d, -f1,2 \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"",
        "",
        "unexpected: column removed: `amount`",
        1,
    );
}

#[test]
fn it_leaves_out_the_grain() {
    check(
        "cut -d, -f2,3 \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"",
        "",
        "inconclusive: the new version (v2) left an output without the column `id` of its grain or customer; it has `customer`, `amount`",
        3,
    );
}

#[test]
fn it_adds_a_column() {
    check(
        "sed '1s/$/,extra/; 2,$s/$/,1/' \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"",
        "",
        "unexpected: column added: `extra`",
        1,
    );
}

#[test]
fn it_changes_a_type() {
    let shop = Playground::shop("");
    shop.replace(
        "understudy.yaml",
        "v1: { command: [sh, v1.sh], inputs: csv }",
        "v1: { sql: v1.sql }",
    );
    shop.replace(
        "understudy.yaml",
        "v2: { command: [sh, v2.sh], inputs: csv }",
        "v2: { sql: v2.sql }",
    );
    shop.write("v1.sql", "SELECT * FROM orders");
    shop.write(
        "v2.sql",
        "SELECT id, customer, CAST(amount AS VARCHAR) AS amount FROM orders",
    );
    let ended = shop.run(&[]).expect(0);
    assert!(
        ended
            .verdict("totals")
            .starts_with("unexpected: type changed: `amount`"),
        "{ended:?}"
    );
    assert_eq!(shop.rows("totals"), ORDERS);
    shop.run(&["--strict"]).expect(1);
}

#[test]
fn it_runs_past_its_wall_limit() {
    check(
        "sleep 60",
        ", limits: { wall: 1s }",
        "inconclusive: the new version (v2) ran past its limit of 1 s and was ended",
        3,
    );
}

#[test]
fn it_uses_more_memory_than_it_may() {
    let shop =
        Playground::shop("python3 -c 'import time; x = b\"x\" * 600_000_000; time.sleep(60)'");
    shop.replace(
        "understudy.yaml",
        "[sh, v2.sh], inputs: csv",
        "[sh, v2.sh], inputs: csv, limits: { memory: 400MB }",
    );
    let ended = shop.run(&[]).expect(0);
    let verdict = ended.verdict("totals");
    let [before, after] = [
        "inconclusive: the new version (v2) used ",
        " of memory, more than its limit of 400.0 MB, and was ended",
    ];
    assert!(
        verdict.starts_with(before) && verdict.ends_with(after),
        "{verdict}"
    );
    assert!(shop.published("totals").is_some());
    shop.run(&["--strict"]).expect(3);
}

#[test]
fn its_query_does_not_plan() {
    let shop = Playground::shop("");
    shop.replace(
        "understudy.yaml",
        "v2: { command: [sh, v2.sh], inputs: csv }",
        "v2: { sql: v2.sql }",
    );
    shop.write("v2.sql", "SELECT id, customer, price FROM orders");
    check_shop(
        &shop,
        "inconclusive: the new version (v2) failed in `v2.sql`: line 1, column 22: no column `price`; there are: orders.id, orders.customer, orders.amount",
        3,
    );
}

#[test]
fn it_will_not_go_and_has_children() {
    let stubborn =
        "trap '' TERM INT\n(trap '' TERM INT; sleep 60; sleep 60) &\ntouch started\nwait\n";
    let shop = check_in(
        Playground::shop(stubborn).without_walls(),
        ", limits: { wall: 1s }",
        "inconclusive: the new version (v2) ran past its limit of 1 s and was ended",
        3,
    );
    assert!(shop.path("started").exists());
    shop.nobody_is_left();
}

#[test]
fn it_leaves_a_process_behind() {
    let shop = Playground::shop(&format!("{COPY}sleep 60 & touch started")).without_walls();
    assert_eq!(shop.run(&[]).expect(0).verdict("totals"), "identical");
    assert!(shop.path("started").exists());
    shop.nobody_is_left();
}
