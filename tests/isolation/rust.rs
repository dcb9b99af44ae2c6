//! Rust tasks, which run in their worker itself.

use std::net::TcpListener;

use crate::playground::Playground;

/// The shop, whose new version is the hostile Rust task in one of its ways.
fn shop(way: &str, limits: &str) -> Playground {
    let shop = Playground::shop("").with_rust_tasks();
    shop.replace(
        "understudy.yaml",
        "v1: { command: [sh, v1.sh], inputs: csv }",
        "v1: { sql: v1.sql }",
    );
    shop.write("v1.sql", "SELECT * FROM orders");
    let place = shop.path("live/totals/date=2026-01-31/data.parquet");
    shop.replace(
        "understudy.yaml",
        "v2: { command: [sh, v2.sh], inputs: csv }",
        &format!(
            "v2: {{ rust: hostile, params: {{ way: \"{way}\", place: \"{}\" }}{limits} }}",
            place.display()
        ),
    );
    shop
}

/// Runs it; live is as without it, and the verdict begins so.
#[track_caller]
fn check(way: &str, limits: &str, begins: &str) {
    let shop = shop(way, limits);
    let ended = shop.run(&[]).expect(0);
    let verdict = ended.verdict("totals");
    assert!(verdict.starts_with(begins), "{way}: {verdict}");
    let rows = shop.rows("totals");
    assert_eq!(rows, crate::playground::ORDERS, "{way}");
    shop.nobody_is_left();
}

#[test]
fn whatever_it_does_to_itself_is_its_own() {
    let wall = ", limits: { wall: 2s }";
    check(
        "loop",
        wall,
        "inconclusive: the new version (v2) ran past its limit of 2 s",
    );
    check(
        "deadlock",
        wall,
        "inconclusive: the new version (v2) ran past its limit of 2 s",
    );
    check(
        "abort",
        "",
        "inconclusive: the new version (v2) died: its process was ended by SIGABRT",
    );
    check(
        "stack",
        "",
        "inconclusive: the new version (v2) died: its process was ended by SIG",
    );
    check("panic", "", "inconclusive: the new version (v2) failed");
    check(
        "memory",
        ", limits: { memory: 400MB, wall: 60s }",
        "inconclusive: the new version (v2) used ",
    );
    check(
        "processes",
        ", limits: { processes: 64, wall: 60s }",
        "inconclusive: the new version (v2) had ",
    );
}

#[test]
fn what_is_not_its_own_is_out_of_reach() {
    check("write", "", "identical");
    check("remove", "", "identical");
    check("daemon", "", "identical");
    check("log", "", "identical");
}

#[test]
fn it_has_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let shop = shop(&format!("connect {port}"), "");
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.verdict("totals"), "identical");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
}
