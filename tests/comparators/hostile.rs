//! Checks that do what they must not: live is as without them, and nobody takes them for good.

use std::time::Instant;

use super::scene::{equal_shop, of_customer};
use crate::playground::{COPY, ORDERS, Playground};

/// A check that is this program, with limits.
fn program(script: &str, limits: &str) -> Playground {
    let shop = equal_shop(&format!("- {{ name: bad, command: [sh, bad.sh]{limits} }}"));
    shop.write("bad.sh", script);
    shop
}

/// Runs it; live is as without it, and the verdict begins so.
#[track_caller]
fn check(shop: &Playground, begins: &str) {
    let ended = shop.run(&[]).expect(0);
    let verdict = ended.verdict("totals");
    let begins = format!("inconclusive: check `bad` could not compare: {begins}");
    assert!(verdict.starts_with(&begins), "{verdict}");
    assert_eq!(shop.rows("totals"), ORDERS);
    shop.nobody_is_left();
}

#[test]
fn a_program_that_hangs_is_ended() {
    let shop = program(
        "touch \"$UNDERSTUDY_OUTPUT/found.csv\"; sleep 600 & sleep 600",
        ", limits: { wall: 1s }",
    );
    check(&shop, "ran past its limit of 1 s and was ended");
}

#[test]
fn a_program_that_forks_is_put_out() {
    let shop = program(
        "exec python3 -c '
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.1)'",
        ", limits: { processes: 64, wall: 60s }",
    );
    check(&shop, "had ");
}

#[test]
fn a_program_that_eats_memory_is_ended() {
    let eats = "exec python3 -c 'import time; x = b\"x\" * 3_000_000_000; time.sleep(600)'";
    check(
        &program(eats, ", limits: { memory: 300MB, wall: 60s }"),
        "used ",
    );
}

#[test]
fn a_program_that_floods_its_log_and_its_output() {
    let floods = "i=0; while [ $i -lt 200000 ]; do echo 'the quick brown fox jumps over the lazy dog'; i=$((i+1)); done; touch \"$UNDERSTUDY_OUTPUT/found.csv\"";
    let shop = program(floods, "");
    assert_eq!(shop.run(&[]).expect(0).verdict("totals"), "identical");
    let logs: usize = shop
        .everything()
        .iter()
        .filter(|(path, _)| path.to_string_lossy().contains("/logs/"))
        .map(|(_, bytes)| bytes.len())
        .sum();
    // What a log keeps: six MiB of its head, one of its tail, and what says so.
    assert!(logs < 7 * (1 << 20) + 1_000, "{logs} bytes of logs");
    let fills = "for file in 1 2 3 4 5 6 7 8; do head -c 20000000 /dev/zero > \"$UNDERSTUDY_OUTPUT/$file.csv\"; done; sleep 600";
    check(
        &program(fills, ", limits: { disk: 50MB, wall: 60s }"),
        "wrote ",
    );
}

#[test]
fn a_program_that_writes_elsewhere_is_refused() {
    let script = "\
        echo bad > live/totals/date=2026-01-31/data.parquet; echo bad > understudy.yaml; echo bad > v1.sh\n\
        echo bad > new-file; for old in \"$UNDERSTUDY_OLD\"/* \"$UNDERSTUDY_NEW\"/*; do echo bad > \"$old\"; rm -f \"$(readlink \"$old\")\"; done\n\
        touch \"$UNDERSTUDY_OUTPUT/found.csv\"\n";
    let shop = program(script, "");
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.verdict("totals"), "identical");
    assert_eq!(shop.rows("totals"), ORDERS);
    assert_eq!(shop.read("v1.sh"), COPY);
    assert!(!shop.path("new-file").exists());
    // The outputs that it read are whole: the next run takes them.
    assert_eq!(shop.run(&[]).expect(0).executed(), Vec::<String>::new());
}

#[test]
fn a_query_that_explodes_is_ended() {
    let query = "SELECT a.value AS x FROM generate_series(1, 1000000) a CROSS JOIN generate_series(1, 1000000) b WHERE a.value + b.value < 0";
    let shop = equal_shop("- { name: bad, sql: bad.sql, limits: { wall: 2s } }");
    shop.write("bad.sql", query);
    check(&shop, "ran past its limit of 2 s and was ended");
    let query = "SELECT array_agg(a.value) AS x, array_agg(b.value) FROM generate_series(1, 100000) a CROSS JOIN generate_series(1, 100000) b";
    let shop = equal_shop("- { name: bad, sql: bad.sql, limits: { wall: 60s, memory: 400MB } }");
    shop.write("bad.sql", query);
    check(&shop, "");
}

#[test]
fn findings_of_made_up_customers_concern_everybody() {
    let shop = equal_shop("- { name: many, sql: many.sql }");
    shop.write(
        "many.sql",
        "SELECT 'c' || value AS customer FROM generate_series(1, 100000)",
    );
    let ended = shop.run(&[]).expect(0);
    let verdict = ended.verdict("totals");
    assert!(
        verdict.starts_with("unexpected: check `many`: 100000 findings"),
        "{verdict}"
    );
    assert_eq!(of_customer(&ended, "Bob"), "unexpected");
}

#[test]
fn names_and_findings_with_escapes_are_quiet() {
    let shop = equal_shop("- { name: \"../../x\", sql: q.sql }");
    shop.write(
        "q.sql",
        "SELECT customer, '=cmd()' || chr(27) || '[31m<script>' AS x FROM new",
    );
    let ended = shop.run(&[]).expect(0);
    assert!(
        ended
            .verdict("totals")
            .starts_with("unexpected: check `../../x`: 4 findings"),
        "{ended:?}"
    );
    let report = shop.understudy(&["report"]).expect(0);
    for text in [&ended.stdout, &ended.stderr, &report.stdout] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    assert!(!shop.path("../x").exists());
}

#[test]
fn a_live_half_waits_for_no_check_longer_than_it_may() {
    let shop = program("sleep 600", ", limits: { wall: 2s }");
    shop.run(&[]).expect(0);
    shop.replace(
        "bad.sh",
        "sleep 600",
        "touch \"$UNDERSTUDY_OUTPUT/found.csv\"",
    );
    shop.run(&[]).expect(0);
    let gate = "    new: { totals: v2 }\n";
    shop.replace(
        "understudy.yaml",
        gate,
        &format!("{gate}    gate: {{ clean_runs: 1, soak: 0s }}\n"),
    );
    let flipped = shop.understudy(&[
        "flip",
        "better",
        "--customers",
        "Ann",
        "--override",
        "--reason",
        "a test",
    ]);
    assert_eq!(flipped.code, 0, "{flipped:?}");
    // A good check of a live lane lets it be.
    let ended = shop.run(&["--fresh"]).expect(0);
    assert_eq!(
        ended.json()["changes"]["better"]["tasks"]["totals"]["customers"]["Ann"]["gets"],
        "new",
        "{}",
        ended.stdout
    );
    // One that hangs costs its own limit, and live lanes get their old rows, as where comparing fails.
    shop.write("bad.sh", "sleep 600");
    let since = Instant::now();
    let ended = shop.run(&["--fresh"]).expect(0);
    assert!(since.elapsed().as_secs() < 60);
    assert_eq!(shop.rows("totals"), ORDERS);
    let alerts = ended.json()["alerts"].to_string();
    assert!(
        alerts.contains("check `bad` of `totals` could not compare"),
        "{alerts}"
    );
}

#[test]
fn rust_comparators_panic_and_die_alone() {
    for (way, begins) in [
        (
            "panics",
            "the Rust comparator `panics` panicked: on purpose",
        ),
        ("aborts", "died: its process was ended by SIGABRT"),
    ] {
        let shop = equal_shop(&format!("- {{ name: bad, rust: {way} }}")).with_rust_tasks();
        check(&shop, begins);
    }
    let shop = equal_shop("- { name: good, rust: counts }").with_rust_tasks();
    assert_eq!(shop.run(&[]).expect(0).verdict("totals"), "identical");
    shop.write(
        "v2.sh",
        &format!("{COPY}echo 5,Zoe,1 >> \"$UNDERSTUDY_OUTPUT/rows.csv\"\n"),
    );
    let verdict = shop.run(&[]).expect(0).verdict("totals");
    assert!(
        verdict.contains("check `good`: 1 finding: rows is 5, was 4"),
        "{verdict}"
    );
    // A program without it says so before anything runs.
    shop.replace("understudy.yaml", "rust: counts", "rust: count");
    let checked = shop.understudy(&["check"]).expect(2);
    assert!(
        checked.stdout.contains("no Rust comparator `count`")
            && checked.stdout.contains("did you mean `counts`?"),
        "{}",
        checked.stdout
    );
}
