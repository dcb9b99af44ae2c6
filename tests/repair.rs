//! `repair`: bad output that no rule caught is taken back from what is published, without computing it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::playground::{Ended, Playground};

/// The rule allows anything: whatever the new version makes of amounts is published once a customer is flipped.
/// `rank` reads `totals`, `sums` adds up its own past, `free` reads neither.
const SHOP: &str = "\
pipeline: shop
datasets:
  orders: { location: \"orders/date={date}/\", customer: customer }
  opening: { location: opening.csv }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { command: [sh, v1.sh], inputs: csv }
      v2: { command: [sh, v2.sh], inputs: csv }
  rank:
    inputs: [totals]
    output: { location: live/rank, grain: [id], customer: customer }
    live: v1
    versions: { v1: { sql: rank.sql, threads: 1 } }
  sums:
    inputs: [totals, free, { dataset: sums, date: -1d, as: before, else: opening }]
    output: { location: live/sums, grain: [customer], customer: customer }
    live: v1
    versions: { v1: { sql: sums.sql, threads: 1 } }
  free:
    inputs: [orders]
    output: { location: live/free, grain: [customer], customer: customer }
    live: v1
    versions: { v1: { command: [sh, free.sh], inputs: csv } }
changes:
  better:
    new: { totals: v2 }
    expect:
      totals: [{ name: too much, columns: [amount], allow: any, reason: nobody looked }]
    gate: { clean_runs: 1 }
";

const V1: &str =
    "echo v1 >> trace\ncat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";
/// A thousand too much; where somebody said `slow`, it waits until somebody says `go`.
const V2: &str = "\
echo v2 >> trace
if [ -e slow ]; then touch waits; while [ ! -e go ]; do sleep 0.05; done; fi
cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv | sed 's/,\\([0-9]*\\)$/,9\\1/' > \"$UNDERSTUDY_OUTPUT/rows.csv\"
";
const FREE: &str = "echo free >> trace\ncat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv | cut -d, -f2 > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";
const RANK: &str =
    "SELECT id, customer, rank() OVER (ORDER BY amount) AS place FROM totals ORDER BY id";
const SUMS: &str = "\
SELECT f.customer, CAST(coalesce(b.amount, 0) + t.amount AS BIGINT) AS amount
FROM free f
JOIN (SELECT customer, sum(amount) AS amount FROM totals GROUP BY customer) t ON t.customer = f.customer
LEFT JOIN before b ON b.customer = f.customer ORDER BY 1";

const TASKS: [&str; 4] = ["totals", "rank", "sums", "free"];

fn shop() -> Playground {
    let shop = Playground::of(&[
        ("understudy.yaml", SHOP),
        ("v1.sh", V1),
        ("v2.sh", V2),
        ("free.sh", FREE),
        ("rank.sql", RANK),
        ("sums.sql", SUMS),
        ("opening.csv", "customer,amount\nAnn,1000\nBob,2000\n"),
    ])
    .without_walls();
    for day in 1..=8 {
        let rows = format!("id,customer,amount\n1,Ann,{day}0\n2,Bob,3{day}\n3,Cat,7\n");
        shop.write(&format!("orders/date=2026-03-{day:02}/rows.csv"), &rows);
    }
    shop
}

fn date(day: u32) -> String {
    format!("2026-03-{day:02}")
}

fn run(shop: &Playground, day: u32) -> Ended {
    shop.understudy(&["run", "--json", "--date", &date(day)])
        .expect(0)
}

fn flip(shop: &Playground, customers: &str) {
    shop.understudy(&["flip", "better", "--customers", customers, "--as", "priya"])
        .expect(0);
}

fn rollback(shop: &Playground, customers: &[&str]) {
    let arguments = [&["rollback", "better"], customers].concat();
    shop.understudy(&arguments).expect(0);
}

fn repair(shop: &Playground) -> Ended {
    shop.understudy(&[
        "repair",
        "better",
        "--json",
        "--as",
        "priya",
        "--reason",
        "bad amounts",
    ])
}

/// What is published on some days, by task and day.
fn published(
    shop: &Playground,
    days: std::ops::RangeInclusive<u32>,
) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for task in TASKS {
        for day in days.clone() {
            let folder = format!("live/{task}/date={}", date(day));
            let mut rows: Vec<String> = shop.rows_in(&folder).lines().map(str::to_owned).collect();
            rows[1..].sort();
            all.insert(folder, rows);
        }
    }
    all
}

/// The same from the old versions alone, without any change.
fn old_alone(days: std::ops::RangeInclusive<u32>) -> BTreeMap<String, Vec<String>> {
    let alone = shop();
    let text = alone.read("understudy.yaml");
    let (before, _) = text.split_once("changes:").unwrap();
    alone.write("understudy.yaml", before);
    days.clone().for_each(|day| _ = run(&alone, day));
    published(&alone, days)
}

/// Two clean dates, two customers live, and bad rows on the third and fourth day.
fn bad() -> Playground {
    let shop = shop();
    (1..=2).for_each(|day| _ = run(&shop, day));
    flip(&shop, "Ann,Bob");
    (3..=4).for_each(|day| _ = run(&shop, day));
    shop
}

fn outcomes(report: &Value) -> Vec<String> {
    let dates = report["dates"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let each = dates
        .iter()
        .map(|date| format!("{} {}", text(&date["date"]), text(&date["outcome"])));
    each.collect()
}

fn status(shop: &Playground) -> String {
    shop.understudy(&["status"]).expect(0).stdout
}

#[test]
fn bad_output_is_taken_back_and_what_was_made_of_it_is_computed_again() {
    let shop = bad();
    let said = status(&shop);
    assert!(
        said.contains("Published with NEW: 3 March and 4 March. Old output ready for both: yes.")
            && said.contains("Next: understudy rollback better --all"),
        "{said}"
    );
    // The move back arrives while the fifth day is being computed, and is honoured when it publishes.
    shop.write("slow", "");
    let mut fifth = shop.command(&["run", "--json", "--date", &date(5)]);
    let fifth = fifth
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shop.wait_for("waits");
    rollback(&shop, &["--all"]);
    shop.write("go", "");
    let ended = Ended::from(fifth.wait_with_output().unwrap()).expect(0);
    assert!(ended.stderr.contains("is honoured"), "{}", ended.stderr);
    run(&shop, 6);
    let said = status(&shop);
    assert!(said.contains("Next: understudy repair better"), "{said}");
    // Neither version can run any more, nor is there anything for it to read.
    for day in 1..=6 {
        fs::remove_dir_all(shop.path(&format!("orders/date={}", date(day)))).unwrap();
    }
    shop.write("trace", "");
    let dry = shop
        .understudy(&["repair", "better", "--json", "--dry-run"])
        .expect(0)
        .json();
    let repaired = repair(&shop).expect(0);
    let report = repaired.json();
    // The fifth and the sixth day were published with the old rows, and their sums build on the fourth.
    let days = ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"];
    assert_eq!(
        outcomes(&dry),
        days.map(|day| format!("{day} would_repair"))
    );
    assert_eq!(outcomes(&report), days.map(|day| format!("{day} repaired")));
    assert_eq!(report["dates"][0]["given"], serde_json::json!(["totals"]));
    assert_eq!(
        report["dates"][0]["computed"],
        serde_json::json!(["rank", "sums"])
    );
    assert_eq!(report["dates"][2]["computed"], serde_json::json!(["sums"]));
    assert_eq!(report["replaced"]["live/sums"].as_array().unwrap().len(), 4);
    assert_eq!(report["replaced"]["live/free"], Value::Null);
    assert_eq!(
        shop.read("trace"),
        "",
        "nothing of the changed task is computed"
    );
    assert_eq!(published(&shop, 1..=6), old_alone(1..=6));
    // A second repair has nothing to do, and does nothing.
    let before = shop.everything();
    let again = repair(&shop).expect(0).json();
    assert_eq!(outcomes(&again), [""; 0]);
    assert_eq!(shop.everything(), before);
    let said = status(&shop);
    assert!(
        !said.contains("Published with NEW") && !said.contains("repair"),
        "{said}"
    );
    shop.understudy(&["audit", "verify"]).expect(0);
    let audit = shop.understudy(&["audit"]).expect(0).stdout;
    assert_eq!(
        audit
            .matches("to repair better, by priya (as they said)")
            .count(),
        4,
        "{audit}"
    );
}

#[test]
fn who_stays_live_keeps_the_new_rows() {
    let shop = bad();
    let amounts = |day: u32| {
        published(&shop, day..=day)[&format!("live/totals/date={}", date(day))][1..].to_vec()
    };
    assert_eq!(amounts(3), ["1,Ann,930", "2,Bob,933", "3,Cat,7"]);
    let nothing = shop.understudy(&["repair", "better"]).expect(0);
    assert!(
        nothing.stdout.contains("nothing to repair"),
        "{}",
        nothing.stdout
    );
    assert!(
        nothing.stdout.contains("rollback better --all"),
        "{}",
        nothing.stdout
    );
    rollback(&shop, &["--customers", "Ann"]);
    shop.write("trace", "");
    let report = repair(&shop).expect(0).json();
    assert_eq!(
        outcomes(&report),
        ["2026-03-03 repaired", "2026-03-04 repaired"]
    );
    assert_eq!(amounts(3), ["1,Ann,30", "2,Bob,933", "3,Cat,7"]);
    assert_eq!(amounts(4), ["1,Ann,40", "2,Bob,934", "3,Cat,7"]);
    assert_eq!(outcomes(&repair(&shop).expect(0).json()), [""; 0]);
    let said = status(&shop);
    assert!(said.contains("Old output ready for both: yes."), "{said}");
    // The other one goes back as well: from what the first repair was made of.
    rollback(&shop, &["--all"]);
    repair(&shop).expect(0);
    assert_eq!(shop.read("trace"), "");
    assert_eq!(published(&shop, 1..=4), old_alone(1..=4));
}

#[test]
fn what_is_gone_from_quarantine_has_to_be_computed_and_is_said() {
    let shop = bad();
    run(&shop, 5);
    let rollback_all = || rollback(&shop, &["--all"]);
    let runs = fs::read_dir(shop.path("store/quarantine/better/totals/date=2026-03-04")).unwrap();
    let old = runs
        .map(|run| run.unwrap().path().join("old/data.parquet"))
        .find(|path| path.exists());
    let old = old.unwrap();
    let bytes = fs::read(&old).unwrap();
    // Another file of the same length is not what the run left.
    let mut others = bytes.clone();
    others[10] ^= 1;
    fs::write(&old, &others).unwrap();
    rollback_all();
    let report = repair(&shop).expect(3).json();
    assert_eq!(
        outcomes(&report),
        [
            "2026-03-03 repaired",
            "2026-03-04 gone",
            "2026-03-05 not_begun"
        ]
    );
    let reason = report["dates"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("is not what run"), "{reason}");
    assert_eq!(
        report["dates"][1]["command"],
        "understudy run --live --date 2026-03-04"
    );
    fs::remove_file(&old).unwrap();
    let said = status(&shop);
    assert!(
        said.contains("Old output ready for both: no: 4 March is gone."),
        "{said}"
    );
    let text = shop.understudy(&["repair", "better"]).expect(3).stdout;
    assert!(
        text.contains("compute it: understudy run --live --date 2026-03-04"),
        "{text}"
    );
    // Computed as it says, what builds on it can be repaired.
    shop.understudy(&["run", "--live", "--date", "2026-03-04"])
        .expect(0);
    let report = repair(&shop).expect(0).json();
    assert_eq!(outcomes(&report), ["2026-03-05 repaired"]);
    assert_eq!(published(&shop, 1..=5), old_alone(1..=5));
}

#[test]
fn a_date_whose_downstream_fails_keeps_what_it_had_and_the_others_go_on() {
    let shop = bad();
    rollback(&shop, &["--all"]);
    let before = published(&shop, 3..=4);
    shop.replace("rank.sql", "SELECT id,", "SELECT id / (CASE WHEN CAST($run_date AS VARCHAR) = '2026-03-03' THEN amount - amount ELSE 1 END) AS id,");
    shop.replace(
        "understudy.yaml",
        ", { dataset: sums, date: -1d, as: before, else: opening }]",
        ", { dataset: opening, as: before }]",
    );
    let ended = repair(&shop).expect(5);
    assert_eq!(
        outcomes(&ended.json()),
        ["2026-03-03 live_failed", "2026-03-04 repaired"]
    );
    let after = published(&shop, 3..=4);
    let of = |all: &BTreeMap<String, Vec<String>>, task: &str, day: u32| {
        all[&format!("live/{task}/date={}", date(day))].clone()
    };
    for task in TASKS {
        assert_eq!(of(&before, task, 3), of(&after, task, 3));
    }
    assert_eq!(of(&after, "totals", 4)[1], "1,Ann,40");
}

#[test]
fn a_changed_task_that_reads_its_own_past_is_computed_where_its_past_does_not_hold() {
    let shop = shop();
    let balance = |times: u32| {
        format!(
            "SELECT o.customer, CAST(coalesce(b.amount, 0) + {times} * o.amount AS BIGINT) AS amount FROM orders o LEFT JOIN before b ON b.customer = o.customer"
        )
    };
    let pipeline = "\
pipeline: shop
datasets:
  orders: { location: \"orders/date={date}/\" }
  opening: { location: opening.csv }
tasks:
  balance:
    inputs: [orders, { dataset: balance, date: -1d, as: before, else: opening }]
    output: { location: live/balance, grain: [customer], customer: customer }
    live: v1
    versions: { v1: { sql: once.sql }, v2: { sql: twice.sql } }
changes:
  better:
    new: { balance: v2 }
    expect:
      balance: [{ name: too much, columns: [amount], allow: any, reason: nobody looked }]
    gate: { clean_runs: 1 }
";
    shop.write("understudy.yaml", pipeline);
    shop.write("once.sql", &balance(1));
    shop.write("twice.sql", &balance(2));
    let amounts = |day: u32| {
        let rows = shop.rows_in(&format!("live/balance/date={}", date(day)));
        let mut rows: Vec<String> = rows.lines().skip(1).map(str::to_owned).collect();
        rows.sort();
        rows
    };
    run(&shop, 1);
    flip(&shop, "Ann");
    (2..=4).for_each(|day| _ = run(&shop, day));
    assert_eq!(amounts(4)[0], format!("Ann,{}", 1010 + 2 * (20 + 30 + 40)));
    rollback(&shop, &["--all"]);
    let report = repair(&shop).expect(0).json();
    assert_eq!(report["dates"][0]["given"], serde_json::json!(["balance"]));
    assert_eq!(
        report["dates"][1]["computed"],
        serde_json::json!(["balance"])
    );
    assert_eq!(
        amounts(4),
        [
            format!("Ann,{}", 1010 + 20 + 30 + 40),
            "Bob,2130".to_owned(),
            "Cat,28".to_owned()
        ]
    );
    assert_eq!(outcomes(&repair(&shop).expect(0).json()), [""; 0]);
}

#[test]
fn slices_are_repaired_one_by_one() {
    let shop = shop();
    shop.replace(
        "understudy.yaml",
        "tasks:\n",
        "slices: { ann: [Ann], others: { others: true } }\ntasks:\n",
    );
    shop.replace(
        "understudy.yaml",
        "opening.csv }",
        "opening.csv, customer: customer }",
    );
    let both = |day: u32| {
        for slice in ["ann", "others"] {
            shop.understudy(&["run", "--json", "--date", &date(day), "--slice", slice])
                .expect(0);
        }
    };
    both(1);
    flip(&shop, "Ann");
    both(2);
    let rows = |slice: &str| shop.rows_in(&format!("live/totals/date={}/slice={slice}", date(2)));
    assert!(rows("ann").contains("1,Ann,920"), "{}", rows("ann"));
    rollback(&shop, &["--customers", "Ann"]);
    let others = rows("others");
    let report = repair(&shop).expect(0).json();
    assert_eq!(outcomes(&report), ["2026-03-02 repaired"]);
    assert_eq!(report["dates"][0]["slice"], "ann");
    assert!(rows("ann").contains("1,Ann,20"), "{}", rows("ann"));
    assert_eq!(rows("others"), others);
    assert_eq!(outcomes(&repair(&shop).expect(0).json()), [""; 0]);
}

#[test]
fn a_repair_waits_for_nobody_and_knows_no_other_changes() {
    let shop = bad();
    let unknown = shop.understudy(&["repair", "bettr"]).expect(2);
    assert!(unknown.stderr.contains("better"), "{}", unknown.stderr);
    shop.write("slow", "");
    let mut third = shop.command(&["run", "--fresh", "--date", &date(3)]);
    let third = third
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    shop.wait_for("waits");
    rollback(&shop, &["--all"]);
    let report = repair(&shop).expect(6).json();
    let reason = report["dates"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("another run of 2026-03-03 is going on"),
        "{reason}"
    );
    shop.write("go", "");
    assert!(third.wait_with_output().unwrap().status.success());
    repair(&shop).expect(0);
    assert_eq!(published(&shop, 1..=4), old_alone(1..=4));
}

#[test]
fn a_repair_that_was_cut_off_goes_on() {
    let shop = bad();
    rollback(&shop, &["--all"]);
    let mut cut = shop.command(&["repair", "better", "--as", "priya"]);
    let cut = cut
        .env("UNDERSTUDY_FAULT", "publish.between-renames=kill")
        .output()
        .unwrap();
    let cut = Ended::from(cut);
    assert!(cut.stderr.contains("fault fired"), "{}", cut.stderr);
    let report = repair(&shop).expect(0).json();
    // What it had begun is finished first, and stands in the ledger as what it was.
    assert_eq!(outcomes(&report), ["2026-03-04 repaired"]);
    let audit = shop.understudy(&["audit"]).expect(0).stdout;
    assert_eq!(
        audit.matches("to repair better, by priya").count(),
        2,
        "{audit}"
    );
    assert_eq!(published(&shop, 1..=4), old_alone(1..=4));
    shop.understudy(&["audit", "verify"]).expect(0);
}

/// Ann is live in both changes; `rank` is changed by the second one, and reads what the first one changes.
fn two_changes() -> Playground {
    let shop = shop();
    shop.replace("understudy.yaml", "versions: { v1: { sql: rank.sql, threads: 1 } }", "versions: { v1: { sql: rank.sql, threads: 1 }, v2: { command: [sh, places.sh], inputs: csv } }");
    shop.replace("understudy.yaml", "changes:\n", "changes:\n  places:\n    new: { rank: v2 }\n    expect:\n      rank: [{ name: others, columns: [place], allow: any, reason: nobody looked }]\n    gate: { clean_runs: 1 }\n");
    let places = "echo places >> trace\ncat \"$UNDERSTUDY_INPUT_TOTALS\"/*.csv | sed 's/amount/place/' > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";
    shop.write("places.sh", places);
    run(&shop, 1);
    shop.understudy(&["flip", "places", "--customers", "Ann"])
        .expect(0);
    run(&shop, 2);
    shop.understudy(&[
        "flip",
        "better",
        "--customers",
        "Ann",
        "--override",
        "--reason",
        "sure",
    ])
    .expect(0);
    run(&shop, 3);
    shop
}

#[test]
fn a_repair_hides_no_edit_of_a_live_version() {
    let shop = bad();
    rollback(&shop, &["--all"]);
    shop.write("v1.sh", &format!("# mended\n{V1}"));
    repair(&shop).expect(0);
    let ended = shop
        .understudy(&["run", "--json", "--date", &date(5)])
        .expect(0);
    let alerts = ended.json()["alerts"].to_string();
    let edited = "the live version `v1` of `totals` was edited since the run of 2026-03-04";
    assert!(alerts.contains(edited), "{alerts}");
}

#[test]
fn another_change_keeps_its_live_lanes_and_is_repaired_by_itself() {
    let shop = two_changes();
    let rows = |task: &str| {
        published(&shop, 3..=3)[&format!("live/{task}/date={}", date(3))][1..].to_vec()
    };
    assert_eq!(rows("rank")[0], "1,Ann,930");
    rollback(&shop, &["--all"]);
    shop.write("trace", "");
    let report = repair(&shop).expect(0).json();
    assert_eq!(outcomes(&report), ["2026-03-03 repaired"]);
    // What Ann gets of the other change is computed from the old amounts now, and is still new.
    assert_eq!(rows("rank")[0], "1,Ann,30");
    assert_eq!(shop.read("trace"), "places\n");
    shop.understudy(&["rollback", "places", "--all"]).expect(0);
    shop.write("trace", "");
    let places = shop
        .understudy(&["repair", "places", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        outcomes(&places),
        ["2026-03-02 repaired", "2026-03-03 repaired"]
    );
    assert_eq!(shop.read("trace"), "");
    assert_eq!(published(&shop, 1..=3), old_alone(1..=3));
    for change in ["better", "places"] {
        let again = shop
            .understudy(&["repair", change, "--json"])
            .expect(0)
            .json();
        assert_eq!(outcomes(&again), [""; 0]);
    }
}

#[test]
fn a_change_over_several_tasks_goes_back_as_one() {
    let shop = shop();
    shop.replace("understudy.yaml", "versions: { v1: { command: [sh, free.sh], inputs: csv } }", "versions: { v1: { command: [sh, free.sh], inputs: csv }, v2: { command: [sh, nobody.sh], inputs: csv } }");
    shop.replace("understudy.yaml", "new: { totals: v2 }\n    expect:\n", "new: { totals: v2, free: v2, sums: v2 }\n    expect:\n      sums: [{ name: too much, columns: [amount], allow: any, reason: nobody looked }]\n");
    shop.replace(
        "understudy.yaml",
        "versions: { v1: { sql: sums.sql, threads: 1 } }",
        "versions: { v1: { sql: sums.sql, threads: 1 }, v2: { sql: more.sql, threads: 1 } }",
    );
    shop.write("nobody.sh", &FREE.replace("echo free", "echo nobody"));
    shop.write("more.sql", &SUMS.replace("+ t.amount", "+ 2 * t.amount"));
    run(&shop, 1);
    flip(&shop, "Ann");
    (2..=3).for_each(|day| _ = run(&shop, day));
    rollback(&shop, &["--all"]);
    shop.write("trace", "");
    let report = repair(&shop).expect(0).json();
    // On the second day the sums read what holds; on the third they read the second.
    assert_eq!(
        report["dates"][0]["given"],
        serde_json::json!(["free", "sums", "totals"])
    );
    assert_eq!(report["dates"][0]["computed"], serde_json::json!(["rank"]));
    assert_eq!(
        report["dates"][1]["given"],
        serde_json::json!(["free", "totals"])
    );
    assert_eq!(shop.read("trace"), "");
    assert_eq!(published(&shop, 1..=3), old_alone(1..=3));
}

#[test]
fn what_somebody_else_runs_is_listed() {
    let shop = bad();
    shop.replace("understudy.yaml", "changes:\n", "  mails:\n    inputs: [totals]\n    output: { grain: [id], customer: customer }\n    live: theirs\n    versions: { theirs: { external: { location: \"mails/{date}/\" } } }\nchanges:\n");
    rollback(&shop, &["--all"]);
    let text = shop.understudy(&["repair", "better"]).expect(0).stdout;
    assert!(
        text.contains("`mails` is run by somebody else and reads `totals`"),
        "{text}"
    );
    assert!(
        text.contains(
            "Others may have read what was replaced: live/rank for 3 March and 4 March; live/sums"
        ),
        "{text}"
    );
    assert!(
        text.contains(
            "2026-03-03  repaired: totals as quarantine has it; rank, sums computed again; run "
        ),
        "{text}"
    );
    assert!(text.contains("better: 2 dates repaired"), "{text}");
}

#[test]
fn rows_of_lanes_that_fell_back_by_themselves_are_repaired_too() {
    let shop = bad();
    // From the fifth day on, the rule allows only what the fifth day does not hold to.
    shop.replace(
        "understudy.yaml",
        "columns: [amount], allow: any, reason: nobody looked",
        "columns: [amount], within: 5000",
    );
    shop.write(
        "orders/date=2026-03-05/rows.csv",
        "id,customer,amount\n1,Ann,50000\n2,Bob,35\n3,Cat,7\n",
    );
    let fallen = run(&shop, 5);
    assert!(fallen.stderr.contains("Ann fell back"), "{}", fallen.stderr);
    let report = repair(&shop).expect(0).json();
    assert_eq!(
        outcomes(&report)[..2],
        ["2026-03-03 repaired", "2026-03-04 repaired"]
    );
    let totals = &published(&shop, 3..=3)["live/totals/date=2026-03-03"];
    assert_eq!(totals[1..], ["1,Ann,30", "2,Bob,933", "3,Cat,7"]);
}
