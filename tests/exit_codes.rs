//! Every exit code of the command line, as schedulers and scripts see them.

use crate::playground::{COPY, ORDERS, Playground};

/// A new version that changes one amount.
const TEN_IS_ELEVEN: &str =
    "sed s/10/11/ \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"";

/// The binary ends so, and says so on standard error.
#[track_caller]
fn check(shop: &Playground, arguments: &[&str], code: i32, said: &str) {
    let ended = shop.understudy(arguments).expect(code);
    assert!(
        ended.stderr.contains(said),
        "`{said}` is not in:\n{}",
        ended.stderr
    );
}

#[test]
fn zero_for_what_is_good_and_for_a_shadow_that_is_not() {
    for version in [COPY, TEN_IS_ELEVEN, "exit 1"] {
        let shop = Playground::shop(version);
        shop.run(&[]).expect(0);
    }
    let shop = Playground::shop(COPY);
    shop.run(&["--strict"]).expect(0);
    check(&shop, &["--help"], 0, "");
    check(&shop, &["--version"], 0, "");
}

#[test]
fn one_for_unexpected_differences() {
    let shop = Playground::shop(TEN_IS_ELEVEN);
    assert_eq!(
        shop.run(&["--strict"]).expect(1).verdict("totals"),
        "unexpected"
    );
    shop.run(&["--strict", "--shadow"]).expect(1);
    shop.run(&["--strict", "--live"]).expect(0);
}

#[test]
fn one_for_a_broken_chain() {
    let shop = Playground::shop(COPY);
    shop.run(&[]).expect(0);
    let verified = shop.understudy(&["audit", "verify"]).expect(0);
    assert_eq!(verified.stdout, "the chain is whole: 2 entries\n");
    shop.replace("store/ledger/00000001.json", "totals", "sums");
    let verified = shop.understudy(&["audit", "verify"]).expect(1);
    assert_eq!(
        verified.stdout,
        "THE CHAIN IS BROKEN\n  entry 1 was changed: entry 2 carries another digest\n"
    );
    let json = shop
        .understudy(&["audit", "verify", "--json"])
        .expect(1)
        .json();
    assert_eq!(json["whole"], false);
}

#[test]
fn two_for_wrong_usage() {
    let shop = Playground::shop(COPY);
    check(&shop, &[], 2, "Usage: understudy");
    check(&shop, &["jump"], 2, "unrecognized subcommand 'jump'");
    check(
        &shop,
        &["run", "--live", "--shadow"],
        2,
        "'--live' cannot be used with '--shadow'",
    );
    check(&shop, &["run", "--parallel", "0"], 2, "0 is not in 1..=256");
    check(
        &shop,
        &["run", "--date", "2026-02-30"],
        2,
        "`2026-02-30` is not a date; write it as YYYY-MM-DD",
    );
    check(
        &shop,
        &["run", "nowhere"],
        2,
        "there is no pipeline at `nowhere`",
    );
    check(
        &shop,
        &["report"],
        2,
        "no run of this pipeline has ended yet",
    );
}

#[test]
fn two_for_a_wrong_configuration() {
    let shop = Playground::shop(COPY);
    shop.replace("understudy.yaml", "live: v1", "live: v7");
    check(
        &shop,
        &["run"],
        2,
        "understudy.yaml:8:11: unknown version `v7`",
    );
    shop.understudy(&["check"]).expect(2);
    shop.understudy(&["plan"]).expect(2);
    assert!(!shop.path("store").exists());
}

#[test]
fn three_for_what_could_not_be_checked() {
    let shop = Playground::shop("exit 1");
    shop.run(&["--strict"]).expect(3);
    shop.run(&["--strict", "--shadow"]).expect(3);
    shop.run(&["--shadow"]).expect(0);
}

#[test]
fn three_where_there_was_nothing_to_compare() {
    let shop = Playground::shop(COPY);
    shop.write("data/orders.csv", "id,customer,amount\n");
    let ended = shop.run(&["--strict"]).expect(3);
    assert_eq!(
        ended.verdict("totals"),
        "inconclusive: both outputs are empty: there was nothing to compare"
    );
}

#[test]
fn five_for_a_live_side_that_failed() {
    let shop = Playground::shop(COPY);
    shop.write("v1.sh", "exit 1");
    let ended = shop.run(&[]).expect(5);
    assert!(
        ended
            .stderr
            .contains("LIVE FAILED: `totals` (v1) failed: program `sh` exited with code 1"),
        "{ended:?}"
    );
    shop.run(&["--live"]).expect(5);
}

#[test]
fn six_for_a_missing_input() {
    let shop = Playground::shop(COPY);
    std::fs::remove_file(shop.path("data/orders.csv")).unwrap();
    check(
        &shop,
        &["run"],
        6,
        "nothing is at `data/orders.csv`; check the path and the run date",
    );
    assert!(!shop.path("live").exists());
}

#[test]
fn six_for_an_input_that_cannot_be_read() {
    let shop = Playground::shop(COPY);
    shop.write("data/orders.csv", &format!("{ORDERS}5,Cat\n"));
    check(
        &shop,
        &["run"],
        6,
        "LIVE FAILED: `totals` (v1) could not read its input `orders`: ",
    );
    check(
        &shop,
        &["run"],
        6,
        "data/orders.csv`, line 6: 2 fields where the header has 3",
    );
    assert!(!shop.path("live").exists());
}

#[test]
fn six_for_a_store_that_cannot_be_used() {
    let shop = Playground::shop(COPY);
    shop.write("store", "in the way");
    check(&shop, &["run"], 6, "store");
    assert!(!shop.path("live").exists());
}

#[test]
fn six_for_a_disk_that_fails_while_publishing() {
    let shop = Playground::shop(COPY);
    let ended = shop
        .run_with_fault("publish.before-staging", "error")
        .expect(6);
    assert!(
        ended.stderr.contains("error: nothing was published"),
        "{ended:?}"
    );
    assert!(shop.published("totals").is_none());
    shop.run(&[]).expect(0);
}

#[test]
fn seventy_for_a_bug() {
    let shop = Playground::shop(COPY);
    let ended = shop
        .run_with_fault("publish.before-intent", "panic")
        .expect(70);
    assert!(
        ended
            .stderr
            .contains("this is a bug in understudy, not in your pipeline"),
        "{ended:?}"
    );
    assert!(shop.published("totals").is_none());
    assert_eq!(shop.run(&[]).expect(0).verdict("totals"), "identical");
}

/// Promise 1: once live is published, even a bug of our own does not change how the run ends for it.
#[test]
fn a_bug_after_publishing_costs_the_verdict_only() {
    let shop = Playground::shop(COPY);
    let ended = shop
        .run_with_fault("ledger.before-entry", "panic")
        .expect(0);
    assert!(shop.published("totals").is_some());
    assert!(
        ended
            .stderr
            .contains("ALERT: a bug in understudy ended the run after its live half"),
        "{ended:?}"
    );
    assert_eq!(
        shop.run(&["--strict"]).expect(0).verdict("totals"),
        "identical"
    );
}
