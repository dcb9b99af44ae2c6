//! What customers who were not flipped see of others' flip, in tasks that only stand downstream.

use serde_json::{Value, json};

use crate::playground::{Ended, Playground};

/// `ranks` compares customers with each other, `kept` does not, and of `shares` nobody knows whose the rows are.
const SHOP: &str = "\
pipeline: shop
datasets:
  orders: { location: \"orders/date={date}/\" }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql }
  ranks:
    inputs: [totals]
    output: { location: live/ranks, grain: [customer], customer: customer }
    live: v1
    versions:
      v1: { sql: ranks.sql }
  kept:
    inputs: [totals]
    output: { location: live/kept, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { command: [sh, kept.sh], inputs: csv }
  shares:
    inputs: [totals]
    output: { location: live/shares, grain: [id] }
    live: v1
    versions:
      v1: { sql: shares.sql }
changes:
  double:
    new: { totals: v2 }
    downstream: [ranks, kept, shares]
    expect:
      totals: [{ name: twice as much, columns: [amount], within: 100% }]
      ranks: [{ name: others pass by, columns: [rank], allow: any, reason: a rank follows the amounts }]
      kept: [{ name: twice as much, columns: [amount], within: 100% }]
    gate: { clean_runs: 1 }
";

/// Hands its input on; where a file `strict` stands, only what has no 10 in it.
const KEPT: &str = "\
if [ -e strict ] && cat \"$UNDERSTUDY_INPUT_TOTALS\"/*.csv | grep -q ',10$'; then exit 1; fi
cat \"$UNDERSTUDY_INPUT_TOTALS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"
";

/// Twice as much lets Ann pass Bob, and nobody else anybody.
const ORDERS: &str = "id,customer,amount\n1,Ann,10\n2,Bob,15\n3,Cat,30\n";

fn shop() -> Playground {
    let shop = Playground::of(&[
        ("understudy.yaml", SHOP),
        ("v1.sql", "SELECT id, customer, amount FROM orders"),
        (
            "v2.sql",
            "SELECT id, customer, amount * 2 AS amount FROM orders",
        ),
        (
            "ranks.sql",
            "SELECT customer, rank() OVER (ORDER BY amount DESC) AS rank FROM totals",
        ),
        ("kept.sh", KEPT),
        (
            "shares.sql",
            "SELECT id, amount * 1000 / sum(amount) OVER () AS share FROM totals",
        ),
    ]);
    for day in 1..=5 {
        shop.write(&format!("orders/date=2026-03-{day:02}/rows.csv"), ORDERS);
    }
    shop
}

fn run(shop: &Playground, day: u32, more: &[&str]) -> Ended {
    let date = format!("2026-03-{day:02}");
    let ended = shop.understudy(&[&["run", "--json", "--date", &date], more].concat());
    ended.expect(0)
}

/// The leaks of a run: task, customers, rows and examples.
fn leaks(ended: &Ended) -> Vec<Value> {
    let report = ended.json();
    let leaks = report["changes"]["double"]["leaks"].as_array().unwrap();
    leaks
        .iter()
        .map(|leak| {
            json!([
                leak["task"],
                leak["customers"],
                leak["rows"],
                leak["examples"]
            ])
        })
        .collect()
}

fn alerts(ended: &Ended) -> String {
    let report = ended.json();
    let alerts = report["alerts"].as_array().unwrap();
    let alerts = alerts.iter().map(|alert| alert.as_str().unwrap());
    alerts.collect::<Vec<_>>().join("\n")
}

#[test]
fn who_is_passed_by_a_flipped_customer_is_named() {
    let shop = shop();
    // Nobody was flipped: there is nothing that could leak.
    assert_eq!(leaks(&run(&shop, 1, &[])), [Value::Null; 0]);
    shop.understudy(&["flip", "double", "--customers", "Ann"])
        .expect(0);
    let ended = run(&shop, 2, &["--markdown", "report.md"]);
    assert_eq!(
        leaks(&ended),
        [
            json!(["ranks", 1, 1, [{ "customer": "Bob", "rows": 1 }]]),
            json!(["shares", null, 3, []])
        ]
    );
    let alert = "`double`: leak in `ranks`: 1 customer who gets OLD has other rows than without the flip (Bob 1 row), because Ann gets NEW";
    for (place, text) in [
        ("report", alerts(&ended)),
        ("progress", ended.stderr.clone()),
        (
            "ledger",
            shop.understudy(&["audit", "--json"]).expect(0).stdout,
        ),
    ] {
        assert!(text.contains(alert), "{place}: {text}");
    }
    let page = shop.understudy(&["report"]).expect(0).stdout;
    assert!(page.contains("LEAK into ranks"), "{page}");
    assert!(
        shop.read("report.md").contains("**LEAK** into `ranks`"),
        "{}",
        shop.read("report.md")
    );
    let report = ended.json();
    let change = &report["changes"]["double"];
    let differences = change["leaks"][0]["differences"].as_str().unwrap();
    assert!(shop.read(differences).contains("Bob"), "{differences}");
    // It is no evidence: no verdict and no gate knows of it.
    assert_eq!(change["verdict"], "expected");
    assert_eq!(
        change["tasks"]["ranks"]["customers"]["Bob"]["verdict"],
        "identical"
    );
    shop.understudy(&["gate", "double"]).expect(0);
    // Again, from what is there.
    let again = run(&shop, 2, &[]);
    assert_eq!(leaks(&again).len(), 2);
    assert_eq!(again.executed(), Vec::<String>::new());
}

#[test]
fn where_nobody_is_passed_nothing_leaks() {
    let shop = shop();
    run(&shop, 1, &[]);
    shop.understudy(&["flip", "double", "--customers", "Cat"])
        .expect(0);
    // Cat was the first before: only the shares of the total shift.
    let ended = run(&shop, 2, &[]);
    assert_eq!(leaks(&ended), [json!(["shares", null, 3, []])]);
    assert!(!alerts(&ended).contains("`ranks`"), "{}", alerts(&ended));
    // All of them: everybody has what the new version gives.
    shop.understudy(&["flip", "double", "--all"]).expect(0);
    let all = run(&shop, 3, &[]);
    assert_eq!(leaks(&all), [Value::Null; 0]);
    assert_eq!(alerts(&all), "");
}

#[test]
fn what_could_not_be_compared_is_said() {
    let shop = shop();
    run(&shop, 1, &[]);
    shop.understudy(&["flip", "double", "--customers", "Ann"])
        .expect(0);
    // In the old world Ann still has 10.
    shop.write("strict", "");
    let notes = run(&shop, 2, &[]).json()["notes"].to_string();
    assert!(
        notes.contains("whether customers who get OLD have other rows of `kept`"),
        "{notes}"
    );
}

#[test]
fn the_shadow_half_alone_looks_at_what_the_live_half_published() {
    let shop = shop();
    run(&shop, 1, &[]);
    shop.understudy(&["flip", "double", "--customers", "Ann"])
        .expect(0);
    let date = ["--date", "2026-03-02"];
    shop.understudy(&[&["run", "--live"], &date[..]].concat())
        .expect(0);
    let shadow = run(&shop, 2, &["--shadow"]);
    assert_eq!(leaks(&shadow).len(), 2);
    // Of a date that was not published nothing can have leaked.
    assert_eq!(leaks(&run(&shop, 3, &["--shadow"])), [Value::Null; 0]);
}
