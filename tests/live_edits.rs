//! Edits of what everybody gets: published, told, and where the pipeline file says so refused.

use serde_json::Value;

use crate::playground::{Ended, Playground};

const SHOP: &str = "\
pipeline: shop
datasets:
  orders: { location: orders.csv }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql }
changes:
  double:
    new: { totals: v2 }
    expect:
      totals: [{ name: twice as much, columns: [amount], within: 100% }]
    gate: { clean_runs: 2, min_age: 0s }
";

const V1: &str = "SELECT id, customer, amount FROM orders";

fn shop() -> Playground {
    Playground::of(&[
        ("understudy.yaml", SHOP),
        ("orders.csv", "id,customer,amount\n1,Ann,10\n2,Bob,20\n"),
        ("v1.sql", V1),
        (
            "v2.sql",
            "SELECT id, customer, amount * 2 AS amount FROM orders",
        ),
    ])
}

fn date(day: u32) -> String {
    format!("2026-03-{day:02}")
}

fn run(shop: &Playground, day: u32) -> Ended {
    shop.understudy(&["run", "--json", "--date", &date(day)])
        .expect(0)
}

fn texts(ended: &Ended, of: &str) -> Vec<String> {
    let report = ended.json();
    let texts = report[of].as_array().unwrap();
    texts
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn alerts(ended: &Ended) -> Vec<String> {
    texts(ended, "alerts")
}

fn amounts(shop: &Playground, day: u32) -> String {
    let rows = shop.rows_in(&format!("live/totals/date={}", date(day)));
    let mut rows: Vec<&str> = rows.lines().skip(1).collect();
    rows.sort_unstable();
    rows.join(" ")
}

/// Two clean dates, and Ann live on the third.
fn half_way() -> Playground {
    let shop = shop();
    run(&shop, 1);
    run(&shop, 2);
    shop.understudy(&["flip", "double", "--customers", "Ann"])
        .expect(0);
    run(&shop, 3);
    assert_eq!(amounts(&shop, 3), "1,Ann,20 2,Bob,20");
    shop
}

#[test]
fn a_hotfix_in_the_middle_keeps_the_lanes_and_starts_the_evidence_anew() {
    let shop = half_way();
    shop.understudy(&["gate", "double"]).expect(0);
    shop.replace("v1.sql", "amount FROM", "amount + 1 AS amount FROM");
    let gate = shop.understudy(&["gate", "double"]).expect(3);
    let why = "the old version is another one since";
    assert!(gate.stdout.contains(why), "{}", gate.stdout);
    // What only compares publishes nothing, and has nothing to tell.
    let shadow = shop.understudy(&["run", "--json", "--shadow", "--date", &date(3)]);
    assert_eq!(alerts(&shadow.expect(0)), [""; 0]);
    let ended = run(&shop, 4);
    let alert = "the live version `v1` of `totals` was edited since the run of 2026-03-03: it is published as it is now; evidence of `double` starts anew";
    assert_eq!(alerts(&ended), [alert]);
    let audit = shop.understudy(&["audit", "--json"]).expect(0).stdout;
    assert_eq!(audit.matches(alert).count(), 1, "{audit}");
    // Ann stays where she is, and Bob gets the hotfix.
    assert_eq!(amounts(&shop, 4), "1,Ann,20 2,Bob,21");
    let status = shop.understudy(&["status", "--json"]).expect(0).json();
    let lanes = status["changes"]["double"]["lanes"].as_array().unwrap();
    let ann = lanes.iter().find(|lane| lane["customer"] == "Ann");
    assert_eq!(ann.map(|lane| &lane["stage"]), Some(&Value::from("live")));
    // It is told once: by now it is what it was.
    assert_eq!(alerts(&run(&shop, 4)), [""; 0]);
    assert_eq!(alerts(&run(&shop, 5)), [""; 0]);
    // The streak is two dates of the new code, or three with the one that was judged again.
    shop.understudy(&["gate", "double"]).expect(0);
    shop.write("v1.sql", V1);
    assert!(alerts(&run(&shop, 6))[0].contains("since the run of 2026-03-05"));
    assert_eq!(amounts(&shop, 6), "1,Ann,20 2,Bob,20");
}

#[test]
fn where_edits_are_refused_nothing_runs_until_it_is_a_change_or_taken_back() {
    let shop = half_way();
    let strict = "pipeline: shop\nlive_edits: refuse";
    shop.replace("understudy.yaml", "pipeline: shop", strict);
    run(&shop, 4);
    shop.replace("v1.sql", "amount FROM", "amount + 1 AS amount FROM");
    let day = date(5);
    for verb in [&["run"][..], &["run", "--live"], &["plan"]] {
        let refused = shop.understudy(&[verb, &["--date", &day]].concat());
        let refused = refused.expect(2).stderr;
        for part in [
            "`v1` of `totals` was edited since the run of 2026-03-04",
            "`live_edits: refuse`",
            "a new version",
            "take the edit back",
        ] {
            assert!(refused.contains(part), "{refused}");
        }
    }
    assert!(!shop.path("live/totals/date=2026-03-05").exists());
    let check = shop.understudy(&["check", "--date", &day]).expect(2);
    assert!(
        check.stdout.contains("understudy.yaml:11:7: ") && check.stdout.contains("was edited"),
        "{}",
        check.stdout
    );
    shop.understudy(&["run", "--shadow", "--date", &day])
        .expect(0);
    // As a version of its own it stands in the file, where everybody sees it.
    shop.write("v1b.sql", &shop.read("v1.sql"));
    shop.write("v1.sql", V1);
    shop.understudy(&["check", "--date", &day]).expect(0);
    let v1b = "live: v1b\n    versions:\n      v1b: { sql: v1b.sql }\n";
    shop.replace("understudy.yaml", "live: v1\n    versions:\n", v1b);
    let ended = run(&shop, 5);
    assert_eq!(alerts(&ended), [""; 0]);
    let notes = texts(&ended, "notes").join("\n");
    assert!(
        notes.contains("the live version of `totals` is `v1b`, which was `v1`"),
        "{notes}"
    );
    assert_eq!(amounts(&shop, 5), "1,Ann,20 2,Bob,21");
}

#[test]
fn a_word_that_is_none_of_the_two_is_a_problem() {
    let shop = shop();
    shop.replace(
        "understudy.yaml",
        "pipeline: shop",
        "pipeline: shop\nlive_edits: refused",
    );
    let problem = shop.understudy(&["check", "--date", &date(1)]).expect(2);
    assert!(
        problem.stdout.contains("`live_edits`"),
        "{}",
        problem.stdout
    );
}

#[test]
fn what_became_live_by_a_change_is_no_edit() {
    for runs_between in [false, true] {
        let shop = half_way();
        let strict = "pipeline: shop\nlive_edits: refuse";
        shop.replace("understudy.yaml", "pipeline: shop", strict);
        shop.understudy(&["flip", "double", "--all"]).expect(0);
        run(&shop, 4);
        shop.understudy(&["complete", "double"]).expect(0);
        if runs_between {
            assert_eq!(alerts(&run(&shop, 5)), [""; 0]);
        }
        let text = shop.read("understudy.yaml");
        let (tasks, _) = text.split_once("changes:").unwrap();
        shop.write("understudy.yaml", &tasks.replace("live: v1", "live: v2"));
        assert_eq!(alerts(&run(&shop, 6)), [""; 0]);
        assert_eq!(amounts(&shop, 6), "1,Ann,20 2,Bob,40");
        // From now on it is watched like any other.
        shop.replace("v2.sql", "amount * 2", "amount * 3");
        let refused = shop.understudy(&["run", "--date", &date(7)]).expect(2);
        assert!(
            refused.stderr.contains("`v2` of `totals`"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn a_complete_change_that_still_stands_in_the_file_is_watched_by_its_new_version() {
    let shop = half_way();
    shop.understudy(&["flip", "double", "--all"]).expect(0);
    run(&shop, 4);
    shop.understudy(&["complete", "double"]).expect(0);
    run(&shop, 5);
    shop.replace("v1.sql", "amount FROM", "amount + 1 AS amount FROM");
    assert_eq!(alerts(&run(&shop, 6)), [""; 0]);
    shop.replace("v2.sql", "amount * 2", "amount * 3");
    let found = alerts(&run(&shop, 7));
    assert_eq!(
        found,
        [
            "the live version `v2` of `totals` was edited since the run of 2026-03-06: it is published as it is now"
        ]
    );
}
