//! Several changes at once, and changes without customers.

use understudy_core::stage::Stage;

use super::scene::{CHANGE, Scene};

/// `prices` and `taxed` in two changes: `dearer` and `odd`.
fn two_changes() -> Scene {
    let scene = Scene::new();
    scene.replace("new: { prices: v2, taxed: v2 }", "new: { prices: v2 }");
    scene.replace(
        "      taxed: [{ name: dearer, columns: [tax], within: 2001 }]\n",
        "",
    );
    scene.replace(
        "changes:\n",
        "changes:\n  odd:\n    new: { taxed: v2 }\n    expect:\n      taxed: [{ name: odd, columns: [tax], within: 1 }]\n",
    );
    scene
}

#[test]
fn a_change_at_shadow_leaves_a_live_lane_of_another_alone() {
    let scene = two_changes();
    scene.moved(&["A"], Stage::Live);
    let ended = scene.run_with(&["--strict"]);
    ended.exits(0).alerts_nobody();
    assert_eq!(scene.rows("prices"), "1 A 1010, 2 B 20, 3 C 30, 4 NULL 40");
    assert_eq!(scene.rows("taxed"), "1 A 2020, 2 B 40, 3 C 60, 4 NULL 80");
    assert_eq!(ended.report["changes"]["odd"]["verdict"], "expected");
}

#[test]
fn two_changes_have_live_lanes_of_their_own() {
    let scene = two_changes();
    scene.moved(&["A", "C"], Stage::Live);
    scene.moved_of("odd", &["B", "C"], Stage::Live);
    scene.run_with(&["--strict"]).exits(0).alerts_nobody();
    assert_eq!(
        scene.rows("prices"),
        "1 A 1010, 2 B 20, 3 C 1030, 4 NULL 40"
    );
    assert_eq!(scene.rows("taxed"), "1 A 2020, 2 B 41, 3 C 2061, 4 NULL 80");
}

#[test]
fn a_lane_that_falls_back_in_one_change_stays_live_in_the_other() {
    let scene = two_changes();
    scene.query(
        "prices2",
        "SELECT id, customer, price + 1001 AS price FROM source",
    );
    scene.moved(&["A"], Stage::Live);
    scene.moved_of("odd", &["A"], Stage::Live);
    scene.run().exits(0).alerts(&[CHANGE, "A"]);
    assert_eq!(scene.rows("prices"), "1 A 10, 2 B 20, 3 C 30, 4 NULL 40");
    assert_eq!(scene.rows("taxed"), "1 A 21, 2 B 40, 3 C 60, 4 NULL 80");
}

#[test]
fn a_failing_change_leaves_the_other_live() {
    let scene = two_changes();
    scene.script("prices2", "exit 3", "");
    scene.moved(&["A"], Stage::Live);
    scene.moved_of("odd", &["A"], Stage::Live);
    scene.run().exits(0).alerts(&[CHANGE]);
    assert_eq!(scene.rows("taxed"), "1 A 21, 2 B 40, 3 C 60, 4 NULL 80");
}

/// A scene in which `taxed` has no customers, so that the whole change has the one lane `*`.
fn without_customers() -> Scene {
    let scene = Scene::new();
    scene.replace(
        "{ location: live/taxed, grain: [id], customer: customer }",
        "{ location: live/taxed, grain: [id] }",
    );
    scene
}

#[test]
fn a_change_without_customers_has_the_one_lane() {
    let scene = without_customers();
    scene.run().exits(0);
    scene.check_new("");
    scene.moved(&["*"], Stage::Live);
    scene.run().exits(0);
    scene.check_new("A B C NULL");
}

#[test]
fn all_lanes_of_a_change_without_customers_are_the_one_lane() {
    let scene = without_customers();
    scene.moved(&[], Stage::Live);
    scene.run().exits(0);
    scene.check_new("A B C NULL");
}

#[test]
fn a_customer_is_no_lane_of_a_change_without_customers() {
    let scene = without_customers();
    scene.moved(&["A"], Stage::Live);
    scene.run().exits(0);
    scene.check_new("");
}

#[test]
fn the_one_lane_falls_back_as_a_whole() {
    let scene = without_customers();
    let wrong = "SELECT id, customer, CASE WHEN id = 2 THEN 9000 ELSE price + 1000 END AS price FROM source";
    scene.query("prices2", wrong);
    scene.moved(&["*"], Stage::Live);
    scene.run().exits(0).alerts(&[CHANGE]);
    scene.check_new("");
    assert_eq!(scene.fallbacks(), "*");
}

#[test]
fn a_move_towards_old_of_the_one_lane_is_for_everybody() {
    let scene = without_customers();
    scene.moved(&["*"], Stage::Live);
    scene.moved(&["*"], Stage::Shadow);
    scene.run().exits(0);
    scene.check_new("");
}

#[test]
fn two_changes_that_read_each_other_cannot_have_live_lanes_at_once_and_live_fails_rather_than_guesses()
 {
    let scene = Scene::new();
    // `dearer` changes what is before and what is after `taxed`, which `odd` changes.
    scene.replace(
        "new: { prices: v2, taxed: v2 }",
        "new: { prices: v2, totals: v2 }",
    );
    scene.replace("    downstream: [totals]\n", "");
    scene.replace(
        "      taxed: [{ name: dearer, columns: [tax], within: 2001 }]\n",
        "",
    );
    scene.replace(
        "    inputs: [prices]\n    output: { location: live/totals,",
        "    inputs: [taxed]\n    output: { location: live/totals,",
    );
    scene.replace(
        "columns: [price, total], within: 4000",
        "columns: [tax], within: 2001",
    );
    scene.replace(
        "      v1: { sql: sql/totals.sql, threads: 1 }",
        "      v1: { sql: sql/totals.sql, threads: 1 }\n      v2: { sql: sql/totals2.sql, threads: 1 }",
    );
    scene.query("totals", "SELECT id, customer, tax FROM taxed");
    scene.query("totals2", "SELECT id, customer, tax + 1 AS tax FROM taxed");
    let odd = "changes:\n  odd:\n    new: { taxed: v2 }\n    expect:\n      taxed: [{ name: odd, columns: [tax], within: 1 }]\n";
    scene.replace("changes:\n", odd);
    scene.moved(&["A", "C"], Stage::Live);
    scene.moved_of("odd", &["B", "C"], Stage::Live);
    let ended = scene.run();
    ended.exits(5);
    scene.check_nothing_published();
    let reasons = ended.report["live"]["reasons"].to_string();
    assert!(reasons.contains("wait for each other"), "{reasons}");
    scene.moved_of("odd", &[], Stage::Shadow);
    scene.run().exits(0);
    assert_eq!(
        scene.rows("totals"),
        "1 A 2021, 2 B 40, 3 C 2061, 4 NULL 80"
    );
}
