//! Rules through the real binary: what needs a pipeline, a dataset or the engine of SQL.

use crate::playground::Playground;

const PIPELINE: &str = "\
pipeline: rules
datasets:
  orders: { location: data/orders.csv }
  accounts: { location: data/accounts.csv, customer: name }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql }
changes:
  better:
    new: { totals: v2 }
    expect:
      totals:
        - name: trial
          customers: { dataset: accounts, where: \"plan = 'trial'\" }
          columns: [{ type: number }]
          where: new.amount > old.amount
          max_rows: 2
          allow: any
          reason: meant
";

fn shop() -> Playground {
    Playground::of(&[
        ("understudy.yaml", PIPELINE),
        (
            "data/orders.csv",
            "id,customer,amount\n1,Ann,10\n2,Ann,20\n3,Bob,30\n4,Cid,40\n",
        ),
        (
            "data/accounts.csv",
            "name,plan\nAnn,trial\nBob,paid\nCid,trial\n",
        ),
        ("v1.sql", "SELECT * FROM orders\n"),
        (
            "v2.sql",
            "SELECT id, customer, CASE WHEN id IN (1, 2) THEN amount + 1 ELSE amount END AS amount FROM orders\n",
        ),
    ])
}

#[test]
fn customers_by_a_query_and_a_predicate_over_both_rows() {
    let shop = shop();
    let run = shop.run(&[]).expect(0);
    assert_eq!(run.verdict("totals"), "expected");
    let rule = run.json()["changes"]["better"]["tasks"]["totals"]["rules"][0].clone();
    assert_eq!(rule["customers"], serde_json::json!({ "Ann": 2 }));
    assert_eq!(rule["rows"], 2);
}

#[test]
fn a_rule_that_would_forgive_too_much_is_absent_and_who_must_change_is_asked() {
    let shop = shop();
    shop.replace("understudy.yaml", "max_rows: 2", "max_rows: 1");
    let verdict = shop.run(&[]).expect(0).verdict("totals");
    assert!(
        verdict.starts_with("unexpected: rule \"trial\" counts as absent"),
        "{verdict}"
    );
    let shop = self::shop();
    shop.replace("understudy.yaml", "max_rows: 2", "must_change: true");
    let run = shop.run(&[]).expect(0);
    assert!(run.verdict("totals").starts_with("unexpected"));
    let customers = run.json()["changes"]["better"]["tasks"]["totals"]["customers"].clone();
    assert_eq!(customers["Ann"]["verdict"], "expected");
    assert_eq!(customers["Cid"]["verdict"], "unexpected");
    assert_eq!(customers["Bob"]["verdict"], "identical");
}

#[test]
fn a_query_that_cannot_be_asked_suspends_its_change_and_check_says_so() {
    let shop = shop();
    shop.replace("understudy.yaml", "plan = 'trial'", "plann = 'trial'");
    let checked = shop.understudy(&["check"]).expect(2);
    assert!(
        checked.stdout.contains("did you mean `plan`?"),
        "{checked:?}"
    );
    let run = shop.run(&[]).expect(0).json();
    assert_eq!(run["live"]["status"], "published");
    assert!(run["suspended"]["better"].is_array(), "{run}");
}

#[test]
fn a_predicate_that_cannot_be_used_is_inconclusive() {
    let shop = shop();
    shop.replace("understudy.yaml", "where: new.amount", "where: new.amout");
    let verdict = shop.run(&[]).expect(0).verdict("totals");
    assert!(
        verdict.starts_with("inconclusive: the predicate (`where`) of rule `trial`"),
        "{verdict}"
    );
}

#[test]
fn rules_are_tried_on_stored_runs_without_a_trace_and_then_kept() {
    let shop = shop();
    shop.run(&[]).expect(0);
    // Who holds the run's lock, and the log of whoever compared, are no findings.
    let found = || {
        let mut files = shop.everything();
        files.retain(|path, _| {
            let path = path.to_string_lossy();
            !path.contains("/locks/") && !path.contains("/logs/")
        });
        files
    };
    let before = found();
    std::fs::write(shop.path("narrow.yaml"), "- { name: half, within: 0.5 }\n").unwrap();
    let tried = shop
        .understudy(&["report", "--rejudge", "--rules", "narrow.yaml"])
        .expect(1);
    assert!(tried.stdout.contains("1 verdict would turn"), "{tried:?}");
    std::fs::remove_file(shop.path("narrow.yaml")).unwrap();
    assert!(found() == before, "a trial leaves no trace");
    shop.replace("understudy.yaml", "max_rows: 2", "max_rows: 1");
    let judged = shop
        .understudy(&["report", "--rejudge", "--json"])
        .expect(1)
        .json();
    let run = &judged["changes"]["better"]["runs"][0];
    assert_eq!(run["before"]["verdict"], "expected");
    assert_eq!(run["after"]["verdict"], "unexpected");
    let report = shop.understudy(&["report", "--json"]).expect(0).json();
    assert_eq!(report["changes"]["better"]["verdict"], "unexpected");
}
