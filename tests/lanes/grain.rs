//! A row that moves between customers could be published twice or never.

use understudy_core::stage::Stage;

use super::scene::{CHANGE, Scene};

/// Row 1 is A's in the old version and B's in the new one, and all of it was meant.
fn moving_row() -> Scene {
    let scene = Scene::new();
    for columns in [
        "columns: [price], within: 1000",
        "columns: [tax], within: 2001",
        "columns: [price, total], within: 4000",
    ] {
        scene.replace(columns, "allow: any, reason: the row moves");
    }
    let new = "SELECT id, CASE WHEN id = 1 THEN 'B' ELSE customer END AS customer, price + 1000 AS price FROM source";
    scene.query("prices2", new);
    scene
}

#[test]
fn a_row_that_would_be_there_twice_gives_everybody_old_rows() {
    let scene = moving_row();
    scene.moved(&["B"], Stage::Live);
    scene.run().exits(0).alerts(&[CHANGE]);
    scene.check_new("");
    assert_eq!(scene.fallbacks(), "B");
}

#[test]
fn a_row_that_would_never_be_there_gives_everybody_old_rows() {
    let scene = moving_row();
    scene.moved(&["A"], Stage::Live);
    scene.run().exits(0).alerts(&[CHANGE]);
    scene.check_new("");
    assert_eq!(scene.fallbacks(), "A");
}

#[test]
fn the_row_moves_where_both_customers_are_live() {
    let scene = moving_row();
    scene.moved(&["A", "B"], Stage::Live);
    scene.run().exits(0).alerts_nobody();
    assert_eq!(
        scene.rows("prices"),
        "1 B 1010, 2 B 1020, 3 C 30, 4 NULL 40"
    );
}

#[test]
fn the_row_stays_where_neither_customer_is_live() {
    let scene = moving_row();
    scene.moved(&["C"], Stage::Live);
    scene.run().exits(0).alerts_nobody();
    scene.check_new("C");
}

#[test]
fn a_lane_that_falls_back_does_not_lose_or_double_the_row_of_another() {
    let scene = moving_row();
    // B is unexpected in `taxed` alone; A stays live, and its row would have gone to B.
    scene.replace(
        "taxed: [{ name: dearer, allow: any, reason: the row moves }]",
        "taxed: []",
    );
    scene.query(
        "taxed2",
        "SELECT id, CASE WHEN id = 1 THEN 'A' ELSE customer END AS customer, \
         CASE WHEN id = 2 THEN 0 WHEN id = 1 THEN 20 ELSE (price - 1000) * 2 END AS tax FROM prices",
    );
    scene.moved(&["A", "B"], Stage::Live);
    scene.run().exits(0).alerts(&[CHANGE]);
    assert_eq!(scene.rows("prices"), "1 A 10, 2 B 20, 3 C 30, 4 NULL 40");
}
