//! Waves: customers go live in groups, one after the other, and a group falls whole.

use serde_json::Value;

use crate::playground::{Ended, Playground};

/// Twenty customers; the new version doubles their amounts, and makes nonsense of those above 1000.
const SHOP: &str = "\
pipeline: shop
datasets:
  orders: { location: \"orders/date={date}/\" }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [customer], customer: customer }
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql }
changes:
  double:
    new: { totals: v2 }
    expect:
      totals: [{ name: twice as much, columns: [amount], within: 100% }]
    gate: { clean_runs: 1, min_age: 0s, waves: [[c01, c02], 1, 60%, 100%] }
";

fn customer(number: usize) -> String {
    format!("c{number:02}")
}

fn shop() -> Playground {
    let shop = Playground::of(&[
        ("understudy.yaml", SHOP),
        ("v1.sql", "SELECT customer, amount FROM orders"),
        (
            "v2.sql",
            "SELECT customer, CASE WHEN amount > 1000 THEN -1 ELSE amount * 2 END AS amount FROM orders",
        ),
    ]);
    for day in 1..=9 {
        orders(&shop, day, &[]);
    }
    shop
}

/// A date's orders, in which these customers have an amount that the new version cannot take.
fn orders(shop: &Playground, day: u32, large: &[String]) {
    let mut rows = "customer,amount\n".to_owned();
    for name in (1..=20).map(customer) {
        let amount = if large.contains(&name) { 5_000 } else { 10 };
        rows.push_str(&format!("{name},{amount}\n"));
    }
    shop.write(&format!("orders/date=2026-03-{day:02}/rows.csv"), &rows);
}

fn run(shop: &Playground, day: u32) -> Ended {
    shop.understudy(&["run", "--json", "--date", &format!("2026-03-{day:02}")])
        .expect(0)
}

fn next(shop: &Playground, expected: i32) -> Value {
    shop.understudy(&["flip", "double", "--next", "--json"])
        .expect(expected)
        .json()
}

/// The customers whose published amount is the new version's.
fn new_rows(shop: &Playground, day: u32) -> Vec<String> {
    let rows = shop.rows_in(&format!("live/totals/date=2026-03-{day:02}"));
    let rows = rows.lines().skip(1);
    let mut new: Vec<String> = rows
        .filter_map(|row| row.strip_suffix(",20").map(str::to_owned))
        .collect();
    new.sort();
    new
}

fn lanes(moved: &Value) -> Vec<String> {
    let lanes = moved["lanes"].as_array().expect("lanes are a list");
    lanes
        .iter()
        .map(|lane| lane.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn waves_begin_one_after_the_other_and_each_waits_for_those_before() {
    let shop = shop();
    assert_eq!(next(&shop, 3)["done"], false);
    run(&shop, 1);
    let first = next(&shop, 0);
    assert_eq!(
        (lanes(&first), &first["wave"]),
        (vec![customer(1), customer(2)], &1.into())
    );
    // No run since: the wave before has shown nothing yet.
    assert_eq!(next(&shop, 1)["done"], false);
    let early = shop.understudy(&["gate", "double", "--next"]).expect(1);
    assert!(
        early.stdout.contains("clean runs since"),
        "{}",
        early.stdout
    );
    shop.understudy(&["flip", "double", "--all"]).expect(1);
    run(&shop, 2);
    assert_eq!(new_rows(&shop, 2), lanes(&first));
    let second = next(&shop, 0);
    assert_eq!(lanes(&second).len(), 1);
    run(&shop, 3);
    assert_eq!(new_rows(&shop, 3).len(), 3);
    let third = next(&shop, 0);
    run(&shop, 4);
    assert_eq!((lanes(&third).len(), new_rows(&shop, 4).len()), (9, 12));
    let last = next(&shop, 0);
    assert_eq!((&last["all"], &last["wave"]), (&true.into(), &4.into()));
    run(&shop, 5);
    assert_eq!(new_rows(&shop, 5).len(), 20);
    let none = shop.understudy(&["flip", "double", "--next"]).expect(2);
    assert!(none.stderr.contains("no wave left"), "{}", none.stderr);
    shop.understudy(&["complete", "double"]).expect(0);
    shop.understudy(&["audit", "verify"]).expect(0);
}

#[test]
fn a_wave_falls_whole_and_those_before_it_stay() {
    let shop = shop();
    run(&shop, 1);
    next(&shop, 0);
    run(&shop, 2);
    next(&shop, 0);
    run(&shop, 3);
    let third = lanes(&next(&shop, 0));
    // One of nine is more than a tenth.
    orders(&shop, 4, &third[..1]);
    let ended = run(&shop, 4);
    assert!(
        ended.stderr.contains("all of wave 3 fell back"),
        "{}",
        ended.stderr
    );
    assert_eq!(new_rows(&shop, 4).len(), 3);
    let status = shop.understudy(&["status", "--json"]).expect(0).json();
    assert_eq!(status["changes"]["double"]["live"], 3);
    // It is in the way until its lanes are live again, by name, or withdrawn.
    run(&shop, 5);
    let waits = shop.understudy(&["flip", "double", "--next"]).expect(1);
    assert!(waits.stdout.contains("flip them again"), "{}", waits.stdout);
    shop.understudy(&["flip", "double", "--customers", &third.join(",")])
        .expect(0);
    run(&shop, 6);
    let last = next(&shop, 0);
    assert_eq!(last["all"], true);
    // Of the last wave, everybody falls whom no wave before names.
    orders(
        &shop,
        7,
        &(1..=20)
            .map(customer)
            .filter(|name| !new_rows(&shop, 6).contains(name))
            .collect::<Vec<_>>(),
    );
    let ended = run(&shop, 7);
    assert!(
        ended.stderr.contains("all of wave 4 fell back"),
        "{}",
        ended.stderr
    );
    assert_eq!(new_rows(&shop, 7), new_rows(&shop, 6));
    let status = shop.understudy(&["status", "--json"]).expect(0).json();
    assert_eq!(status["changes"]["double"]["live"], 12);
    run(&shop, 8);
    assert_eq!(new_rows(&shop, 8), new_rows(&shop, 6));
    shop.understudy(&["audit", "verify"]).expect(0);
}
