//! The life of a change: evidence, the gate, flips, what falls back by itself, and the way back.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::playground::{Ended, Playground};

/// The new version doubles what the rule allows to double; of large amounts it makes something else.
const SHOP: &str = "\
pipeline: shop
owner: data-core
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
changes:
  double:
    new: { totals: v2 }
    expect:
      totals: [{ name: twice as much, columns: [amount], within: 100% }]
    gate: { clean_runs: 3 }
";

fn shop() -> Playground {
    let shop = Playground::of(&[
        ("understudy.yaml", SHOP),
        ("v1.sql", "SELECT id, customer, amount FROM orders"),
        (
            "v2.sql",
            "SELECT id, customer, CASE WHEN amount > 1000 THEN amount * 5 ELSE amount * 2 END AS amount FROM orders",
        ),
    ]);
    for day in 1..=9 {
        let large = if day == 5 { 2_000 } else { 10 };
        let rows = format!("id,customer,amount\n1,Ann,{large}\n2,Bob,20\n3,Cat,30\n4,,40\n");
        shop.write(&format!("orders/date=2026-03-{day:02}/rows.csv"), &rows);
    }
    shop
}

fn run(shop: &Playground, day: u32) -> Ended {
    shop.understudy(&["run", "--json", "--date", &format!("2026-03-{day:02}")])
        .expect(0)
}

/// Three clean dates, which is what the gate wants.
fn ready() -> Playground {
    let shop = shop();
    (1..=3).for_each(|day| _ = run(&shop, day));
    shop
}

fn amounts(shop: &Playground, day: u32) -> Vec<String> {
    let rows = shop.rows_in(&format!("live/totals/date=2026-03-{day:02}"));
    let mut rows: Vec<String> = rows.lines().skip(1).map(str::to_owned).collect();
    rows.sort();
    rows
}

fn flip(shop: &Playground, customers: &str) -> Ended {
    shop.understudy(&["flip", "double", "--customers", customers, "--as", "priya"])
}

fn lane(status: &Value, customer: &str) -> Value {
    let lanes = status["changes"]["double"]["lanes"]
        .as_array()
        .expect("lanes are a list");
    let lane = lanes.iter().find(|lane| lane["customer"] == customer);
    lane.unwrap_or_else(|| panic!("{customer} is not in {status:#}"))
        .clone()
}

fn status(shop: &Playground) -> Value {
    shop.understudy(&["status", "--json"]).expect(0).json()
}

#[test]
fn the_gate_opens_with_the_last_clean_run_and_says_what_it_waits_for() {
    let shop = shop();
    let nothing = shop.understudy(&["gate", "double"]).expect(3);
    assert!(
        nothing.stdout.contains("0 of 0 lanes"),
        "{}",
        nothing.stdout
    );
    run(&shop, 1);
    // Repeating a date adds nothing.
    run(&shop, 1);
    let waits = shop.understudy(&["gate", "double"]).expect(1);
    assert!(
        waits.stdout.contains("Ann  not ready: 2 runs left"),
        "{}",
        waits.stdout
    );
    assert_eq!(flip(&shop, "Ann").code, 1);
    assert!(!shop.path("flags.yaml").exists());
    run(&shop, 2);
    run(&shop, 3);
    shop.understudy(&["gate", "double"]).expect(0);
    let age = |shop: &Playground| -> u64 {
        let lane = lane(&status(shop), "Ann");
        let figure = lane["gate"]["checks"][1]["figure"]
            .as_str()
            .unwrap()
            .to_owned();
        figure.split(' ').next().unwrap().parse().unwrap()
    };
    std::thread::sleep(Duration::from_secs(2));
    let before = age(&shop);
    // Another rule is another question: the stored outputs are judged by it, and are as old as they were.
    shop.replace("understudy.yaml", "within: 100%", "within: 101%");
    let said = status(&shop)["changes"]["double"]["gate"].to_string();
    assert!(said.contains("not judged by them yet"), "{said}");
    let again = shop.understudy(&["gate", "double"]).expect(0);
    assert!(again.stderr.contains("3 stored runs"), "{}", again.stderr);
    assert!(age(&shop) >= before, "{} and {before}", age(&shop));
    let once = shop.understudy(&["gate", "double"]).expect(0);
    assert!(!once.stderr.contains("stored"), "{}", once.stderr);
    // A rule that expects less turns them; the one from before turns them back.
    shop.replace("understudy.yaml", "within: 101%", "within: 99%");
    let turned = shop.understudy(&["gate", "double"]).expect(1);
    assert!(
        turned
            .stdout
            .contains("the newest has unexpected differences"),
        "{}",
        turned.stdout
    );
    let report = shop.understudy(&["report"]).expect(0);
    assert!(report.stdout.contains("UNEXPECTED"), "{}", report.stdout);
    shop.replace("understudy.yaml", "within: 99%", "within: 100%");
    shop.understudy(&["flip", "double", "--customers", "Ann"])
        .expect(0);
    shop.understudy(&["audit", "verify"]).expect(0);
}

#[test]
fn a_run_judges_those_before_it_by_new_rules_as_well_and_what_is_gone_is_no_evidence() {
    let shop = ready();
    shop.replace("understudy.yaml", "within: 100%", "within: 101%");
    run(&shop, 4);
    let lane = &status(&shop)["changes"]["double"]["gate"]["lanes"]["Ann"];
    assert_eq!(lane["checks"][0]["figure"], "4 clean runs");
    // The outputs of the second date are gone: what came before them is not evidence for other rules any more.
    let gone = shop.path("store/quarantine/double/totals/date=2026-03-02");
    std::fs::remove_dir_all(gone).unwrap();
    shop.replace("understudy.yaml", "within: 101%", "within: 102%");
    let gate = shop.understudy(&["gate", "double"]).expect(1);
    assert!(gate.stderr.contains("not in quarantine"), "{}", gate.stderr);
    assert!(gate.stdout.contains("1 run left"), "{}", gate.stdout);
}

#[test]
fn who_was_flipped_gets_the_new_rows_and_nobody_else() {
    let shop = ready();
    let dry = shop
        .understudy(&[
            "flip",
            "double",
            "--customers",
            "Ann",
            "--dry-run",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(
        (&dry["done"], &dry["after"]["lanes"]["Ann"]),
        (&false.into(), &"live".into())
    );
    assert!(!shop.path("flags.yaml").exists());
    flip(&shop, "Ann").expect(0);
    assert_eq!(
        shop.read("flags.yaml")
            .lines()
            .filter(|line| line.contains("Ann"))
            .count(),
        1
    );
    run(&shop, 4);
    assert_eq!(
        amounts(&shop, 4),
        ["1,Ann,20", "2,Bob,20", "3,Cat,30", "4,NULL,40"]
    );
    let status = status(&shop);
    assert_eq!(lane(&status, "Ann")["stage"], "live");
    assert_eq!(lane(&status, "Bob")["stage"], "shadow");
    assert_eq!(status["changes"]["double"]["flipped"]["by"], "priya");
    // All of them, and those who come later.
    shop.understudy(&["flip", "double", "--all"]).expect(0);
    run(&shop, 6);
    assert_eq!(
        amounts(&shop, 6),
        ["1,Ann,20", "2,Bob,40", "3,Cat,60", "4,NULL,80"]
    );
    // It is not complete before its time.
    let early = shop.understudy(&["complete", "double"]).expect(1);
    assert!(early.stdout.contains("live for"), "{}", early.stdout);
    shop.replace(
        "understudy.yaml",
        "clean_runs: 3",
        "clean_runs: 3, min_age: 0s",
    );
    let complete = shop.understudy(&["complete", "double"]).expect(0);
    assert!(
        complete.stdout.contains("in `totals`:  live: v2"),
        "{}",
        complete.stdout
    );
    run(&shop, 7);
    assert_eq!(amounts(&shop, 7)[1], "2,Bob,40");
    let back = shop.understudy(&["rollback", "double", "--all"]);
    assert_ne!(back.code, 0, "after complete it is a new change");
    // What it says is to be done.
    let before = shop.read("understudy.yaml");
    let (tasks, _) = before.split_once("changes:").unwrap();
    shop.write("understudy.yaml", &tasks.replace("live: v1", "live: v2"));
    let ended = run(&shop, 8);
    assert!(!ended.stderr.contains("ALERT"), "{}", ended.stderr);
    assert_eq!(amounts(&shop, 8)[1], "2,Bob,40");
    shop.understudy(&["audit", "verify"]).expect(0);
}

#[test]
fn what_goes_wrong_after_the_flip_is_never_published() {
    let shop = ready();
    flip(&shop, "Ann,Bob").expect(0);
    run(&shop, 4);
    // On the fifth day, the new version makes of Ann's amount what no rule expects.
    let ended = run(&shop, 5);
    assert!(ended.stderr.contains("Ann fell back"), "{}", ended.stderr);
    assert_eq!(
        amounts(&shop, 5),
        ["1,Ann,2000", "2,Bob,40", "3,Cat,30", "4,NULL,40"]
    );
    let after = status(&shop);
    assert_eq!(lane(&after, "Ann")["stage"], "shadow");
    assert!(lane(&after, "Ann")["fell"].is_number());
    assert_eq!(lane(&after, "Bob")["stage"], "live");
    let again = flip(&shop, "Ann").expect(1);
    assert!(
        again.stdout.contains("unexpected differences"),
        "{}",
        again.stdout
    );
    // Somebody insists, gives a reason, and it is not forgotten.
    shop.understudy(&["flip", "double", "--customers", "Ann", "--override"])
        .expect(2);
    let insists = [
        "flip",
        "double",
        "--customers",
        "Ann",
        "--override",
        "--reason",
        "agreed with Ann",
    ];
    let insisted = shop.understudy(&insists).expect(0);
    assert!(insisted.stderr.contains("ALERT"), "{}", insisted.stderr);
    let audit = shop.understudy(&["audit"]).expect(0);
    assert!(audit.stdout.contains("GATE OVERRIDDEN"), "{}", audit.stdout);
    // The second time within a day a person has to look.
    shop.write(
        "orders/date=2026-03-06/rows.csv",
        "id,customer,amount\n1,Ann,3000\n2,Bob,20\n",
    );
    run(&shop, 6);
    assert_eq!(amounts(&shop, 6), ["1,Ann,3000", "2,Bob,40"]);
    let held = lane(&status(&shop), "Ann");
    assert_eq!(
        (&held["stage"], &held["held"]),
        (&"shadow".into(), &true.into())
    );
    shop.understudy(&["release", "double", "--customers", "Ann"])
        .expect(0);
    assert_eq!(lane(&status(&shop), "Ann")["held"], false);
}

#[test]
fn the_way_back_asks_nothing() {
    let shop = ready();
    flip(&shop, "Ann,Bob").expect(0);
    run(&shop, 4);
    // Neither the pipeline file, nor the flags, nor the evidence is there.
    shop.write("understudy.yaml", "pipeline: [");
    shop.write("flags.yaml", "{");
    std::fs::remove_dir_all(shop.path("store/runs")).unwrap();
    let began = Instant::now();
    let back = shop
        .understudy(&[
            "rollback",
            "double",
            "--customers",
            "Ann",
            "--reason",
            "it hurts",
        ])
        .expect(0);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(back.stderr.contains("the ledger"), "{}", back.stderr);
    let store = shop.path("store");
    let store = store.to_str().unwrap();
    std::fs::remove_file(shop.path("understudy.yaml")).unwrap();
    shop.understudy(&["rollback", "double", "--all", "--store", store])
        .expect(0);
    shop.write("understudy.yaml", SHOP);
    std::fs::remove_file(shop.path("flags.yaml")).unwrap();
    run(&shop, 6);
    assert_eq!(amounts(&shop, 6)[..2], ["1,Ann,10", "2,Bob,20"]);
    let nobody = shop.understudy(&["rollback", "nothing", "--all"]).expect(2);
    assert!(
        nobody.stderr.contains("knows a change"),
        "{}",
        nobody.stderr
    );
}

#[test]
fn a_new_version_that_is_edited_goes_back_to_the_shadow() {
    let shop = ready();
    flip(&shop, "Ann").expect(0);
    run(&shop, 4);
    shop.replace("v2.sql", "amount * 2", "amount + amount");
    let ended = run(&shop, 6);
    assert!(
        ended.stderr.contains("others than those that went live"),
        "{}",
        ended.stderr
    );
    assert_eq!(amounts(&shop, 6)[0], "1,Ann,10");
    assert_eq!(lane(&status(&shop), "Ann")["stage"], "shadow");
    assert_eq!(flip(&shop, "Ann").code, 1);
}

#[test]
fn lanes_are_held_withdrawn_and_released() {
    let shop = ready();
    shop.understudy(&["hold", "double", "--customers", "Ann"])
        .expect(0);
    let held = flip(&shop, "Ann,Bob");
    assert!(
        held.stdout.contains("not Ann: it is held"),
        "{}",
        held.stdout
    );
    assert_eq!(lane(&status(&shop), "Bob")["stage"], "live");
    shop.understudy(&["withdraw", "double", "--all"]).expect(0);
    run(&shop, 4);
    assert_eq!(amounts(&shop, 4)[1], "2,Bob,20");
    let gone = flip(&shop, "Bob").expect(1);
    assert!(gone.stdout.contains("withdrawn"), "{}", gone.stdout);
    shop.understudy(&["release", "double", "--all"]).expect(0);
    flip(&shop, "Ann,Bob").expect(0);
    // Who never had rows has no evidence.
    let unknown = flip(&shop, "Nobody").expect(3);
    assert!(
        unknown.stdout.contains("never had rows"),
        "{}",
        unknown.stdout
    );
}

#[test]
fn approvals_are_of_others_and_of_this_evidence() {
    let shop = ready();
    shop.replace(
        "understudy.yaml",
        "clean_runs: 3",
        "clean_runs: 3, approvals: 1",
    );
    flip(&shop, "Ann").expect(1);
    shop.understudy(&["approve", "double", "--as", "priya"])
        .expect(0);
    // Nobody approves of their own move.
    flip(&shop, "Ann").expect(1);
    shop.understudy(&["approve", "double", "--as", "bo"])
        .expect(0);
    run(&shop, 4);
    // Another run is other evidence.
    flip(&shop, "Ann").expect(1);
    shop.understudy(&["approve", "double", "--as", "bo"])
        .expect(0);
    flip(&shop, "Ann").expect(0);
}

#[test]
fn evidence_that_somebody_touched_is_none() {
    let shop = ready();
    shop.understudy(&["gate", "double"]).expect(0);
    let run = run(&shop, 3).json()["run"].as_str().unwrap().to_owned();
    let file = shop.path(&format!("store/runs/{run}/evidence/double.json"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"rows\":1", "\"rows\":2")).unwrap();
    // The index has read it before; who moves reads the files.
    shop.understudy(&["gate", "double"]).expect(0);
    let refused = flip(&shop, "Ann").expect(3);
    assert!(
        refused.stdout.contains("the newest was not checked"),
        "{}",
        refused.stdout
    );
    std::fs::remove_file(&file).unwrap();
    std::fs::remove_dir_all(shop.path("store/index")).unwrap();
    shop.understudy(&["gate", "double"]).expect(3);
    // The run again leaves it again, and the ledger knows it already.
    shop.understudy(&["run", "--shadow", "--date", "2026-03-03"])
        .expect(0);
    shop.understudy(&["gate", "double"]).expect(3);
    std::fs::remove_dir_all(shop.path("store/index")).unwrap();
    shop.understudy(&["gate", "double"]).expect(0);
}

#[test]
fn of_two_who_move_at_once_one_is_told() {
    let shop = ready();
    let both: Vec<_> = ["Ann", "Bob"]
        .iter()
        .map(|customer| {
            let mut command = shop.command(&["flip", "double", "--customers", customer]);
            command.stdout(std::process::Stdio::null());
            command.stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut moved = 0;
    for flip in both {
        let ended = flip.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(
            ended.status.success() || text.contains("somebody else recorded"),
            "{text}"
        );
        moved += usize::from(ended.status.success());
    }
    let status = status(&shop);
    let live = ["Ann", "Bob"]
        .iter()
        .filter(|name| lane(&status, name)["stage"] == "live");
    assert_eq!(live.count(), moved);
}

/// What stands in the pipeline file without its changes.
fn without_changes(shop: &Playground) -> String {
    let before = shop.read("understudy.yaml");
    before.split_once("changes:").unwrap().0.to_owned()
}

#[test]
fn a_change_that_vanishes_while_lanes_are_live_keeps_its_last_valid_definition() {
    let shop = ready();
    flip(&shop, "Ann").expect(0);
    run(&shop, 4);
    let whole = shop.read("understudy.yaml");
    shop.write("understudy.yaml", &without_changes(&shop));
    let ended = run(&shop, 6);
    assert!(
        ended.stderr.contains("keeps its last valid definition"),
        "{}",
        ended.stderr
    );
    assert_eq!(amounts(&shop, 6)[..2], ["1,Ann,20", "2,Bob,20"]);
    assert_eq!(lane(&status(&shop), "Ann")["stage"], "live");
    // Its rules are kept, too: what they do not expect is not published.
    shop.write(
        "orders/date=2026-03-07/rows.csv",
        "id,customer,amount\n1,Ann,3000\n",
    );
    run(&shop, 7);
    assert_eq!(amounts(&shop, 7), ["1,Ann,3000"]);
    shop.write("understudy.yaml", &whole);
    flip(&shop, "Bob").expect(0);
    // Broken in the file, it is suspended, and its lanes stay where they are.
    shop.replace("understudy.yaml", "within: 100%", "within: much");
    let ended = run(&shop, 8);
    assert!(
        ended
            .stderr
            .contains("cannot run as the pipeline file has it"),
        "{}",
        ended.stderr
    );
    assert_eq!(amounts(&shop, 8)[1], "2,Bob,40");
    // What cannot be run any more is not: its code is gone.
    shop.write("understudy.yaml", &without_changes(&shop));
    std::fs::remove_file(shop.path("v2.sql")).unwrap();
    let file = shop
        .read("understudy.yaml")
        .replace("      v2: { sql: v2.sql }\n", "");
    shop.write("understudy.yaml", &file);
    let ended = run(&shop, 9);
    assert!(ended.stderr.contains("cannot be run"), "{}", ended.stderr);
    assert_eq!(amounts(&shop, 9)[1], "2,Bob,20");
}

#[test]
fn a_complete_change_that_is_taken_out_too_early_stays_complete() {
    let shop = ready();
    shop.replace(
        "understudy.yaml",
        "clean_runs: 3",
        "clean_runs: 3, min_age: 0s",
    );
    shop.understudy(&["flip", "double", "--all"]).expect(0);
    run(&shop, 4);
    shop.understudy(&["complete", "double"]).expect(0);
    run(&shop, 6);
    shop.write("understudy.yaml", &without_changes(&shop));
    let ended = run(&shop, 7);
    assert!(
        ended.stderr.contains("still name the old version"),
        "{}",
        ended.stderr
    );
    assert_eq!(amounts(&shop, 7)[1], "2,Bob,40");
}

#[test]
fn a_hotfix_of_the_old_version_keeps_the_lanes_and_starts_the_evidence_anew() {
    let shop = ready();
    flip(&shop, "Ann").expect(0);
    run(&shop, 4);
    shop.replace("v1.sql", "amount FROM", "amount + 1 AS amount FROM");
    run(&shop, 6);
    assert_eq!(amounts(&shop, 6)[..2], ["1,Ann,20", "2,Bob,21"]);
    let after = lane(&status(&shop), "Ann");
    assert_eq!(after["stage"], "live");
    assert_eq!(after["gate"]["checks"][0]["figure"], "1 clean run");
    assert_eq!(flip(&shop, "Bob").code, 1);
}

#[test]
fn the_shadow_alone_makes_the_comparisons_that_decide_while_lanes_are_live() {
    let shop = ready();
    flip(&shop, "Ann").expect(0);
    let day = ["--json", "--date", "2026-03-04"];
    shop.understudy(&[&["run", "--live"][..], &day].concat())
        .expect(0);
    let shadow = shop
        .understudy(&[&["run", "--shadow"][..], &day].concat())
        .expect(0);
    assert_eq!(shadow.json()["changes"]["double"]["verdict"], "expected");
    // A date that was never published, too.
    let day = ["--json", "--date", "2026-03-06"];
    let shadow = shop
        .understudy(&[&["run", "--shadow"][..], &day].concat())
        .expect(0);
    assert_eq!(shadow.json()["changes"]["double"]["verdict"], "expected");
    assert!(!shop.path("live/totals/date=2026-03-06").exists());
    shop.understudy(&["rollback", "double", "--all"]).expect(0);
    shop.understudy(&["repair", "double"]).expect(0);
    assert_eq!(amounts(&shop, 4)[0], "1,Ann,10");
}
