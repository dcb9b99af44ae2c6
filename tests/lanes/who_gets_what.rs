//! Stages and what follows from them, where nothing goes wrong.

use understudy_core::stage::Stage;

use super::scene::Scene;

#[test]
fn a_change_that_the_ledger_does_not_name_is_at_shadow() {
    let scene = Scene::new();
    let ended = scene.run_with(&["--strict"]);
    ended.exits(0).alerts_nobody();
    scene.check_new("");
    assert_eq!(ended.verdict(), "expected");
    assert_eq!(
        ended.who(),
        "*null* shadow old, A shadow old, B shadow old, C shadow old"
    );
}

#[test]
fn one_live_lane_gets_new_rows_and_nobody_else_does() {
    let scene = Scene::at(&["A"], Stage::Live);
    let ended = scene.run_with(&["--strict"]);
    ended.exits(0).alerts_nobody();
    scene.check_new("A");
    assert_eq!(ended.verdict(), "expected");
    assert_eq!(
        ended.who(),
        "*null* shadow old, A live new, B shadow old, C shadow old"
    );
    assert_eq!(scene.fallbacks(), "");
}

#[test]
fn the_page_says_who_gets_what() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.run().exits(0);
    let page = scene.page();
    assert!(
        page.contains("dearer: differs as expected; NEW for A, everybody else gets OLD"),
        "{page}"
    );
}

#[test]
fn what_is_downstream_reads_what_was_put_together() {
    let scene = Scene::at(&["A", "C"], Stage::Live);
    scene.run().exits(0);
    assert_eq!(
        scene.rows("totals"),
        "1 A 1010 2100, 2 B 20 2100, 3 C 1030 2100, 4 NULL 40 2100"
    );
}

#[test]
fn the_null_customer_is_a_lane_of_its_own() {
    let scene = Scene::at(&["*null*"], Stage::Live);
    let ended = scene.run();
    ended.exits(0);
    scene.check_new("NULL");
    assert_eq!(
        ended.who(),
        "*null* live new, A shadow old, B shadow old, C shadow old"
    );
}

#[test]
fn whoever_no_move_names_follows_unlisted() {
    let scene = Scene::at(&[], Stage::Live);
    scene.moved(&["A"], Stage::Shadow);
    scene.run().exits(0);
    scene.check_new("B C NULL");
}

#[test]
fn a_customer_whose_name_looks_like_a_label_is_no_other_lane() {
    let scene = Scene::at(&["\\*null*"], Stage::Live);
    scene.write(
        "data/source.csv",
        "id,customer,price\n1,*null*,10\n2,*,20\n3,C,30\n4,,40\n",
    );
    scene.run().exits(0);
    assert_eq!(
        scene.rows("prices"),
        "1 *null* 1010, 2 * 20, 3 C 30, 4 NULL 40"
    );
}

#[test]
fn a_customer_column_that_is_no_text_has_lanes_too() {
    let scene = Scene::at(&["7"], Stage::Live);
    scene.write(
        "data/source.csv",
        "id,customer,price\n1,7,10\n2,70,20\n3,-7,30\n4,,40\n",
    );
    scene.run().exits(0);
    assert_eq!(
        scene.rows("prices"),
        "1 7 1010, 2 70 20, 3 -7 30, 4 NULL 40"
    );
}

#[test]
fn with_every_lane_live_everybody_gets_new_rows_and_the_old_version_still_runs() {
    let scene = Scene::at(&[], Stage::Live);
    let ended = scene.run_with(&["--strict"]);
    ended.exits(0).alerts_nobody();
    scene.check_new("A B C NULL");
    assert_eq!(ended.verdict(), "expected");
    assert!(ended.errors.contains("prices v1"), "{}", ended.errors);
}

#[test]
fn with_the_change_complete_the_old_version_no_longer_runs() {
    let scene = Scene::at(&[], Stage::Complete);
    let ended = scene.run_with(&["--strict"]);
    ended.exits(0).alerts_nobody();
    scene.check_new("A B C NULL");
    assert!(ended.errors.contains("prices v2"), "{}", ended.errors);
    assert!(!ended.errors.contains("prices v1"), "{}", ended.errors);
    assert!(!ended.errors.contains("taxed v1"), "{}", ended.errors);
}

#[test]
fn with_the_change_off_the_new_version_does_not_run() {
    let scene = Scene::at(&[], Stage::Off);
    let ended = scene.run();
    ended.exits(0).alerts_nobody();
    scene.check_new("");
    assert!(ended.errors.contains("prices v1"), "{}", ended.errors);
    assert!(!ended.errors.contains(" v2"), "{}", ended.errors);
}

#[test]
fn a_lane_that_is_off_gets_old_rows_beside_a_live_one() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.moved(&["B"], Stage::Off);
    scene.run().exits(0);
    scene.check_new("A");
}

#[test]
fn rows_that_only_one_side_has_go_by_the_stage_of_their_customer() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.replace(
        "columns: [price], within: 1000",
        "allow: any, reason: rows come and go",
    );
    scene.replace("new: { prices: v2, taxed: v2 }", "new: { prices: v2 }");
    scene.replace(
        "      taxed: [{ name: dearer, columns: [tax], within: 2001 }]\n",
        "",
    );
    scene.replace("downstream: [totals]", "downstream: []");
    scene.replace(
        "      totals: [{ name: follows, columns: [price, total], within: 4000 }]\n",
        "",
    );
    let new = "SELECT id + 100 AS id, customer, price FROM source WHERE customer <> 'C'";
    scene.query("prices2", new);
    scene.run().exits(0);
    assert_eq!(scene.rows("prices"), "101 A 10, 2 B 20, 3 C 30, 4 NULL 40");
}

#[test]
fn a_new_version_that_drops_a_live_customer_leaves_it_no_rows_where_that_was_meant() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.replace(
        "columns: [price], within: 1000",
        "allow: any, reason: A leaves",
    );
    scene.replace(
        "columns: [tax], within: 2001",
        "allow: any, reason: A leaves",
    );
    scene.replace(
        "columns: [price, total], within: 4000",
        "allow: any, reason: A leaves",
    );
    scene.query(
        "prices2",
        "SELECT id, customer, price FROM source WHERE customer <> 'A' OR customer IS NULL",
    );
    scene.run().exits(0);
    assert_eq!(scene.rows("prices"), "2 B 20, 3 C 30, 4 NULL 40");
}
