//! Live lanes that turn out unexpected get their old rows, before anybody sees the new ones.

use understudy_core::stage::Stage;

use super::scene::{CHANGE, Scene};

const B_IS_WRONG: &str = "SELECT id, customer, price + CASE WHEN customer = 'B' THEN 1001 ELSE 1000 END AS price \
                          FROM source";

#[test]
fn an_unexpected_lane_gets_its_old_rows_and_the_others_keep_the_new_ones() {
    let scene = Scene::at(&["A", "B"], Stage::Live);
    scene.query("prices2", B_IS_WRONG);
    let ended = scene.run();
    ended.exits(0).alerts(&[CHANGE, "B"]);
    scene.check_new("A");
    assert_eq!(scene.fallbacks(), "B");
    assert_eq!(ended.verdict(), "unexpected");
    assert_eq!(
        ended.who(),
        "*null* shadow old, A live new, B live old, C shadow old"
    );
    assert!(
        scene
            .last_published()
            .alerts
            .iter()
            .any(|alert| alert.contains(CHANGE))
    );
    scene.run_with(&["--strict"]).exits(1);
}

#[test]
fn a_lane_falls_back_in_all_tasks_of_the_change_also_in_those_before_the_wrong_one() {
    let scene = Scene::at(&["A", "B"], Stage::Live);
    let wrong = "SELECT id, customer, CASE WHEN customer = 'B' THEN 9000 ELSE price * 2 + 1 END AS tax FROM prices";
    scene.query("taxed2", wrong);
    scene.run().exits(0).alerts(&[CHANGE, "B"]);
    scene.check_new("A");
    assert_eq!(scene.fallbacks(), "B");
}

#[test]
fn an_unexpected_lane_at_shadow_takes_no_live_lane_with_it() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.query("prices2", B_IS_WRONG);
    let ended = scene.run();
    ended.exits(0);
    scene.check_new("A");
    assert_eq!(scene.fallbacks(), "");
    assert_eq!(ended.verdict(), "unexpected");
}

#[test]
fn with_all_lanes_live_an_unexpected_one_falls_back_alone() {
    let scene = Scene::at(&[], Stage::Live);
    scene.query("prices2", B_IS_WRONG);
    scene.run().exits(0).alerts(&[CHANGE, "B"]);
    scene.check_new("A C NULL");
    assert_eq!(scene.fallbacks(), "B");
}

#[test]
fn the_null_customer_falls_back_too() {
    let scene = Scene::at(&[], Stage::Live);
    scene.query(
        "prices2",
        &B_IS_WRONG.replace("customer = 'B'", "customer IS NULL"),
    );
    scene.run().exits(0).alerts(&[CHANGE]);
    scene.check_new("A B C");
    assert_eq!(scene.fallbacks(), "*null*");
}

#[test]
fn rows_that_a_live_lane_loses_or_gains_are_unexpected_as_well() {
    for new in [
        "SELECT id, customer, price + 1000 AS price FROM source WHERE id <> 2",
        "SELECT id, customer, price + 1000 AS price FROM source UNION ALL SELECT 9, 'B', 1",
        "SELECT id, customer, CASE WHEN id <> 2 THEN price + 1000 END AS price FROM source",
    ] {
        let scene = Scene::at(&["A", "B"], Stage::Live);
        scene.query("prices2", new);
        scene.run().exits(0).alerts(&[CHANGE, "B"]);
        scene.check_new("A");
        assert_eq!(scene.fallbacks(), "B", "{new}");
    }
}

#[test]
fn the_page_says_that_a_live_lane_got_its_old_rows() {
    let scene = Scene::at(&["A", "B"], Stage::Live);
    scene.query("prices2", B_IS_WRONG);
    scene.run().exits(0);
    let page = scene.page();
    assert!(
        page.lines()
            .any(|line| line.contains("ALERT") && line.contains('B')),
        "{page}"
    );
}

#[test]
fn a_new_output_without_rows_gives_nobody_new_rows() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.query(
        "prices2",
        "SELECT id, customer, price FROM source WHERE id < 0",
    );
    scene.run().exits(0).alerts(&[CHANGE]);
    scene.check_new("");
    assert_eq!(scene.fallbacks(), "A");
}

#[test]
fn when_a_rule_allows_the_difference_the_same_outputs_are_put_together_again() {
    let scene = Scene::at(&["A", "B"], Stage::Live);
    scene.query("prices2", B_IS_WRONG);
    scene.run().exits(0);
    assert_eq!(scene.fallbacks(), "B");
    scene.replace("within: 1000", "within: 1001");
    scene.replace("within: 2001", "within: 2003");
    // It stays back until somebody flips it again.
    scene.run().exits(0).alerts_nobody();
    assert_eq!(scene.rows("prices"), "1 A 1010, 2 B 20, 3 C 30, 4 NULL 40");
    scene.moved(&["B"], Stage::Live);
    scene.run().exits(0).alerts_nobody();
    assert_eq!(
        scene.rows("prices"),
        "1 A 1010, 2 B 1021, 3 C 30, 4 NULL 40"
    );
    scene.replace("within: 1001", "within: 1000");
    scene.run().exits(0).alerts(&[CHANGE, "B"]);
    scene.check_new("A");
}

#[test]
fn a_new_output_without_its_customers_or_its_grain_gives_everybody_old_rows() {
    for columns in ["id,price\\n1,1010", "customer,price\\nA,1010", "other\\n1"] {
        for lanes in [&["A"] as &[&str], &[]] {
            let scene = Scene::at(lanes, Stage::Live);
            scene.replace("columns: [price], within: 1000", "allow: any, reason: all");
            let script = format!("printf '{columns}\\n' > $UNDERSTUDY_OUTPUT/data.csv");
            scene.script("prices2", &script, "");
            scene.run().exits(0).alerts(&[CHANGE]);
            scene.check_new("");
        }
    }
}
