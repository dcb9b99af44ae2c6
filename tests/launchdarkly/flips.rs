//! Moves by Understudy: what stands in the flag, in LaunchDarkly's audit log, in the ledger, and what is published.

use serde_json::json;

use super::scene::{CHANGE, CUSTOMERS, Scene, alerted, no_alert};

#[test]
fn who_is_flipped_by_name_is_a_target_and_gets_the_new_rows() {
    let scene = Scene::ready();
    scene.check_new(1, &[]);
    scene.flip("acme").expect(0);
    assert_eq!(scene.targeted("live"), ["acme".to_owned()].into());
    assert_eq!(scene.served_by_default(), "shadow");
    assert_eq!(scene.moves(), ["flip acme to live"]);
    let ended = scene.run(2);
    no_alert(&ended);
    scene.check_new(2, &["acme"]);
    scene.understudy(&["audit", "verify"]).expect(0);
    scene.nothing_leaked();
}

#[test]
fn the_comment_has_the_reason_the_evidence_and_the_ledgers_entry() {
    let scene = Scene::ready();
    scene.flip("acme").expect(0);
    let log = scene.server.audit_log();
    let comments: Vec<&str> = log
        .iter()
        .filter_map(|entry| entry["comment"].as_str())
        .collect();
    let comment = comments
        .iter()
        .find(|comment| !comment.is_empty())
        .unwrap_or_else(|| panic!("no comment in {log:#?}"));
    assert!(comment.contains("as agreed"), "{comment}");
    let audit = scene.understudy(&["audit", "--json"]).expect(0).json();
    let entries = audit["entries"].as_array().unwrap();
    let at = entries
        .iter()
        .position(|entry| entry["event"]["kind"] == "moved")
        .unwrap();
    let evidence = entries[at]["event"]["gate"]["evidence"].as_str().unwrap();
    assert!(comment.contains(&evidence[..12]), "{comment}\n{evidence}");
    // Each entry has the hash of the one before it.
    let digest = entries[at + 1]["previous"].as_str().unwrap();
    assert!(comment.contains(&digest[..12]), "{comment}\n{digest}");
}

#[test]
fn the_ledger_records_that_the_flag_has_it() {
    let scene = Scene::ready();
    scene.flip("acme").expect(0);
    let events = scene.ledger();
    let told = events
        .iter()
        .find(|event| event["kind"] == "flag_told")
        .unwrap();
    assert_eq!(
        (&told["change"], &told["flag"], &told["confirmed"]),
        (&json!(CHANGE), &json!(CHANGE), &json!(true))
    );
    assert_eq!(told["flag_version"], scene.config()["version"]);
    let audit = scene.understudy(&["audit"]).expect(0);
    assert!(
        audit.stdout.contains("flag double has it"),
        "{}",
        audit.stdout
    );
    // Once is enough.
    scene.run(2);
    scene.understudy(&["flags", "sync"]).expect(0);
    assert_eq!((scene.told(), scene.patches().len()), (1, 1));
}

#[test]
fn all_changes_the_default_rule_only() {
    let scene = Scene::ready();
    scene.flip_all().expect(0);
    assert_eq!(scene.served_by_default(), "live");
    assert_eq!(scene.config()["contextTargets"], json!([]));
    assert_eq!(scene.config()["rules"], json!([]));
    scene.orders(2, &["dynamo"]);
    no_alert(&scene.run(2));
    scene.check_new_among(2, &["*"], &["dynamo"]);
    scene.understudy(&["rollback", CHANGE, "--all"]).expect(0);
    assert_eq!(scene.served_by_default(), "shadow");
    no_alert(&scene.run(3));
    scene.check_new(3, &[]);
    scene.nothing_leaked();
}

#[test]
fn a_rollback_takes_the_target_away_from_live() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.run(2);
    scene.rollback("acme").expect(0);
    assert_eq!(scene.targeted("live"), ["bolt".to_owned()].into());
    no_alert(&scene.run(3));
    scene.check_new(3, &["bolt"]);
    assert_eq!(
        scene.moves(),
        ["flip acme,bolt to live", "rollback acme to shadow"]
    );
    assert_eq!(scene.told(), 2);
}

#[test]
fn a_dry_run_changes_nothing_there_and_nothing_here() {
    let scene = Scene::ready();
    let before = scene.config();
    scene
        .understudy(&["flip", CHANGE, "--customers", "acme", "--dry-run"])
        .expect(0);
    assert_eq!(scene.config(), before);
    assert!(scene.patches().is_empty());
    assert_eq!(scene.moves(), [""; 0]);
}

#[test]
fn a_closed_gate_asks_launchdarkly_for_nothing() {
    let scene = Scene::new();
    scene.flip("acme").expect(3);
    assert!(scene.patches().is_empty());
    assert_eq!(scene.moves(), [""; 0]);
}

#[test]
fn more_than_a_thousand_at_once_go_into_a_segment() {
    let scene = Scene::new();
    let names: Vec<String> = (0..1_100).map(|number| format!("c{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    (1..=3).for_each(|day| scene.orders(day, &names));
    scene.run(1);
    let some = &names[..1_050];
    scene.shop.write("names.txt", &some.join("\n"));
    scene
        .understudy(&["flip", CHANGE, "--file", "names.txt"])
        .expect(0);
    assert_eq!(scene.targeted("live").len(), 0);
    let segment = scene.server.segment("understudy-double-live").unwrap();
    assert!(segment.to_string().contains("c1049"));
    no_alert(&scene.run(2));
    scene.check_new_among(2, some, &names);
    // The way back of one of them.
    scene.rollback("c0007").expect(0);
    no_alert(&scene.run(3));
    let left: Vec<&str> = some
        .iter()
        .copied()
        .filter(|name| *name != "c0007")
        .collect();
    scene.check_new_among(3, &left, &names);
}

#[test]
fn a_migration_flag_of_theirs_has_our_stages() {
    let scene = Scene::without_flag();
    scene.server.create_migration_flag(CHANGE);
    no_alert(&scene.run(1));
    scene.flip("acme").expect(0);
    no_alert(&scene.run(2));
    scene.check_new(2, &["acme"]);
    scene.flip_all().expect(0);
    no_alert(&scene.run(3));
    scene.check_new(3, &["*"]);
    scene.understudy(&["rollback", CHANGE, "--all"]).expect(0);
    no_alert(&scene.run(4));
    scene.check_new(4, &[]);
}

#[test]
fn customers_are_hashed_where_they_are_to_be() {
    let scene = Scene::new();
    scene.setting("  wait: 2s\n", "  wait: 2s\n  hash_customers: true\n");
    scene.run(1);
    scene.flip("acme,bolt").expect(0);
    no_alert(&scene.run(2));
    scene.check_new(2, &["acme", "bolt"]);
    let targets = scene.targeted("live");
    assert_eq!(targets.len(), 2);
    for target in &targets {
        let digits = target
            .strip_prefix("h1-")
            .unwrap_or_else(|| panic!("{target}"));
        assert!(
            digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{target}"
        );
    }
    assert!(scene.shop.path("store/mask.key").exists());
    scene.rollback("bolt").expect(0);
    let acme = scene.targeted("live");
    assert_eq!(acme.len(), 1);
    // A hand knows them by their hashes.
    scene.hand(acme.first().unwrap(), "shadow");
    alerted(&scene.run(3), &["acme"]);
    scene.check_new(3, &[]);
    scene.understudy(&["flags", "lint", CHANGE]);
    scene.understudy(&["status"]).expect(0);
    scene.understudy(&["doctor"]);
    for request in scene.server.received() {
        let text = format!("{request:?}\n{}", String::from_utf8_lossy(&request.body));
        for customer in CUSTOMERS {
            assert!(!text.contains(customer), "{customer} in {text}");
        }
    }
    scene.nothing_leaked();
}

#[test]
fn two_changes_have_two_flags() {
    let scene = Scene::new();
    scene.shop.replace(
        "understudy.yaml",
        "changes:\n",
        "  \
  sums:
    inputs: [orders]
    output: { location: live/sums, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: s1.sql }
      v2: { sql: s2.sql }
changes:
  half:
    new: { sums: v2 }
    flag: sums.half
    expect:
      sums: [{ name: half as much, columns: [amount], within: 100% }]
    gate: { clean_runs: 1 }
",
    );
    scene.shop.write(
        "s1.sql",
        "SELECT id, customer, amount * 2 AS amount FROM orders",
    );
    scene
        .shop
        .write("s2.sql", "SELECT id, customer, amount FROM orders");
    scene.server.create_stage_flag("sums.half");
    no_alert(&scene.run(1));
    scene.flip("acme").expect(0);
    scene
        .understudy(&["flip", "half", "--customers", "bolt"])
        .expect(0);
    no_alert(&scene.run(2));
    let sums = || scene.shop.rows_in("live/sums/date=2026-03-02");
    scene.check_new(2, &["acme"]);
    assert!(
        sums().contains("1,acme,204") && sums().contains("2,bolt,202"),
        "{}",
        sums()
    );
    // One of them is gone: the lanes of the other do not hear of it.
    scene.server.delete_flag("sums.half");
    scene.hand("acme", "shadow");
    let ended = scene.run(3);
    alerted(&ended, &["sums.half"]);
    alerted(&ended, &["acme"]);
    scene.check_new(3, &[]);
    let rows = scene.shop.rows_in("live/sums/date=2026-03-03");
    assert!(rows.contains("2,bolt,203"), "{rows}");
    scene.nothing_leaked();
}
