//! What is complete is taken, and only that.

use std::fs;

use crate::chain::chain;
use crate::playground::{ORDERS, Playground};

/// Steps of a whole run: three live, two in the new world, two comparisons.
const ALL: usize = 7;

/// A pipeline that has run once.
fn ran() -> Playground {
    let chain = chain();
    let ended = chain.run(&["--strict"]).expect(0);
    assert_eq!(ended.executed().len(), ALL, "{}", ended.stderr);
    assert_eq!(chain.rows("sums"), "customer,amount\nAnn,30\nBob,70\n");
    chain
}

#[test]
fn the_same_run_again_takes_everything() {
    let chain = ran();
    let again = chain.run(&["--strict"]).expect(0);
    assert_eq!(again.executed(), Vec::<String>::new());
    assert_eq!(again.reuse(), "7 of 7");
    assert_eq!(again.json()["live"]["status"], "already_published");
    assert_eq!(
        [again.verdict("totals"), again.verdict("sums")],
        ["expected", "expected"]
    );
    let said = chain
        .understudy(&["run", "--date", "2026-01-31"])
        .expect(0)
        .stdout;
    assert!(said.contains("7 of 7 steps reused"), "{said}");
}

#[test]
fn fresh_takes_nothing() {
    let chain = ran();
    let again = chain.run(&["--fresh"]).expect(0);
    assert_eq!(again.executed().len(), ALL, "{}", again.stderr);
    assert_eq!(again.json()["live"]["status"], "published");
    assert_eq!(chain.run(&[]).expect(0).reuse(), "7 of 7");
}

#[test]
fn a_changed_input_is_computed_anew() {
    let chain = ran();
    chain.replace("data/orders.csv", "30", "31");
    let again = chain.run(&[]).expect(0);
    assert_eq!(again.executed().len(), ALL, "{}", again.stderr);
    assert_eq!(chain.rows("sums"), "customer,amount\nAnn,30\nBob,71\n");
}

#[test]
fn an_input_that_was_only_touched_is_the_same() {
    let chain = ran();
    std::thread::sleep(std::time::Duration::from_millis(20));
    chain.write("data/orders.csv", ORDERS);
    assert_eq!(chain.run(&[]).expect(0).reuse(), "7 of 7");
}

#[test]
fn a_changed_query_of_the_new_version_is_computed_anew() {
    let chain = ran();
    chain.replace("v2.sql", "amount + $more", "amount + $more + 4");
    let again = chain.run(&["--strict"]).expect(1);
    let executed = again.executed();
    for step in [
        "totals v2",
        "compare totals of better",
        "compare sums of better",
    ] {
        assert!(
            executed.iter().any(|name| name == step),
            "{step} is not in {executed:?}"
        );
    }
    assert_eq!(
        [again.verdict("totals"), again.verdict("sums")],
        ["unexpected", "unexpected"]
    );
    assert_eq!(chain.rows("totals"), ORDERS);
}

#[test]
fn a_changed_parameter_is_computed_anew() {
    let chain = ran();
    chain.replace("understudy.yaml", "more: 1", "more: 0");
    let again = chain.run(&["--strict"]).expect(0);
    assert_eq!(
        [again.verdict("totals"), again.verdict("sums")],
        ["identical", "identical"]
    );
}

#[test]
fn changed_rules_judge_what_is_there() {
    let chain = ran();
    chain.replace(
        "understudy.yaml",
        "columns: [amount], within: 1",
        "columns: [amount], within: 0.5",
    );
    let again = chain.run(&["--strict"]).expect(1);
    assert_eq!(again.executed(), ["compare totals of better"]);
    assert_eq!(
        [again.verdict("totals"), again.verdict("sums")],
        ["unexpected", "expected"]
    );
}

#[test]
fn an_output_that_somebody_removed_or_overwrote_is_published_again() {
    let chain = ran();
    let published = chain.published("totals");
    let file = chain.path("live/totals/date=2026-01-31/data.parquet");
    fs::remove_file(&file).unwrap();
    let again = chain.run(&[]).expect(0);
    assert_eq!(
        (again.json()["live"]["status"].as_str(), again.reuse()),
        (Some("published"), "7 of 7".to_owned())
    );
    assert_eq!(chain.published("totals"), published);
    // As many bytes as before, so that only their digest tells.
    fs::write(&file, vec![b'x'; published.as_ref().unwrap().len()]).unwrap();
    let again = chain.run(&[]).expect(0);
    assert_eq!(again.json()["live"]["status"], "published");
    assert_eq!(chain.published("totals"), published);
}
