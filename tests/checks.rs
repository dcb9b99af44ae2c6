//! `check` is strict; a run holds back only what a problem is in.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::chain::chain;
use crate::playground::ORDERS;

const UNRUN: &str = "NOT CHECKED: the columns of `beside` v1: they show when it has run\n";

/// What `check` says of the chain after one edit of its pipeline file.
#[track_caller]
fn check(from: &str, to: &str, said: &str) {
    let chain = chain();
    chain.replace("understudy.yaml", from, to);
    let ended = chain.understudy(&["check"]).expect(2);
    assert_eq!(ended.stdout, format!("{said}{UNRUN}"));
}

#[test]
fn the_chain_is_good() {
    let ended = chain().understudy(&["check"]).expect(0);
    assert_eq!(ended.stdout, format!("no problems found\n{UNRUN}"));
}

#[test]
fn the_example_is_good() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flights");
    let ended = chain()
        .understudy(&["check", example.to_str().unwrap()])
        .expect(0);
    assert!(ended.stdout.starts_with("no problems found\n"), "{ended:?}");
}

#[test]
fn a_grain_column_that_the_output_lacks() {
    check(
        "grain: [id], customer",
        "grain: [idd], customer",
        "understudy.yaml:7:46: the grain column `idd` is not in what version `v1` of `totals` makes\n    \
         output: { location: live/totals, grain: [idd], customer: customer }\n    \
         hint: did you mean `id`? the columns are: amount, customer, id\n\
         1 problem\n",
    );
}

#[test]
fn a_customer_column_that_the_output_lacks() {
    check(
        "grain: [id], customer: customer",
        "grain: [id], customer: costumer",
        "understudy.yaml:7:61: the customer column `costumer` is not in what version `v1` of `totals` makes\n    \
         output: { location: live/totals, grain: [id], customer: costumer }\n    \
         hint: did you mean `customer`? the columns are: amount, customer, id\n\
         1 problem\n",
    );
}

#[test]
fn a_rule_with_an_unknown_column() {
    check(
        "columns: [amount], within: 1 ",
        "columns: [amonut], within: 1 ",
        "understudy.yaml:30:44: rule `a little more` names an unknown column `amonut`\n    \
         - { name: a little more, columns: [amonut], within: 1 }\n    \
         hint: did you mean `amount`? the columns are: amount, customer, id\n\
         1 problem\n",
    );
}

/// Runs the chain after one edit inside its change: live is published, and the change is suspended, loudly.
#[track_caller]
fn check_suspended(from: &str, to: &str, problem: &str) {
    let chain = chain();
    chain.replace("understudy.yaml", from, to);
    let ended = chain.run(&[]).expect(0);
    let report = ended.json();
    assert_eq!(report["live"]["status"], "published");
    assert_eq!(chain.rows("totals"), ORDERS);
    assert_eq!(report["suspended"]["better"][0], problem);
    assert_eq!(report["changes"].as_object().unwrap().len(), 0);
    assert_eq!(report["alerts"].as_array().unwrap().len(), 0, "{report:#}");
    let again = chain.run(&["--strict"]).expect(3);
    assert_eq!(again.reuse(), "3 of 3");
    let told = chain.understudy(&["report"]).expect(0).stdout;
    assert!(
        told.contains("better: SUSPENDED") && told.contains(problem),
        "{told}"
    );
    chain.understudy(&["check"]).expect(2);
}

#[test]
fn a_rule_with_an_unknown_column_suspends_its_change() {
    check_suspended(
        "columns: [amount], within: 1 ",
        "columns: [amonut], within: 1 ",
        "rule `a little more` names an unknown column `amonut`",
    );
}

#[test]
fn an_unknown_new_version_suspends_its_change() {
    check_suspended(
        "new: { totals: v2 }",
        "new: { totals: v9 }",
        "unknown version `v9`",
    );
}

#[test]
fn the_schema_is_the_committed_one() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pipeline.schema.json");
    let printed = chain().understudy(&["schema"]).expect(0).json();
    let committed: Value = serde_json::from_str(&fs::read_to_string(committed).unwrap()).unwrap();
    assert_eq!(printed, committed);
}
