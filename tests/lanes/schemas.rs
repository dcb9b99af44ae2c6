//! New versions with other columns than the old ones.

use understudy_core::stage::Stage;

use super::scene::{CHANGE, Scene};

const AS_BEFORE: &str = "id Int64, customer Utf8, price Int64, note Utf8";
const OLD: &str = "1 A 10 n, 2 B 20 n, 3 C 30 n, 4 NULL 40 n";

/// A pipeline of `prices` alone, which has a column `note` and whose differences are all expected.
fn scene(new: &str) -> Scene {
    let scene = Scene::new();
    scene.replace("new: { prices: v2, taxed: v2 }", "new: { prices: v2 }");
    scene.replace("downstream: [totals]", "downstream: []");
    scene.replace(
        "      taxed: [{ name: dearer, columns: [tax], within: 2001 }]\n",
        "",
    );
    scene.replace(
        "      totals: [{ name: follows, columns: [price, total], within: 4000 }]\n",
        "",
    );
    scene.replace(
        "columns: [price], within: 1000",
        "allow: any, reason: all is meant",
    );
    scene.query(
        "prices1",
        "SELECT id, customer, price, 'n' AS note FROM source",
    );
    scene.query("prices2", new);
    scene
}

fn check(new: &str, lanes: &[&str], columns: &str, rows: &str) {
    let scene = scene(new);
    scene.moved(lanes, Stage::Live);
    scene.run().exits(0);
    assert_eq!(scene.rows("prices"), rows, "{new}");
    assert_eq!(scene.columns("prices"), columns, "{new}");
}

/// New versions that lack a column or give it another type.
const NO_PARTIAL_FLIP: [&str; 5] = [
    "SELECT id, customer, price + 1000 AS price FROM source",
    "SELECT id, customer, CAST(price + 1000 AS DOUBLE) AS price, 'n' AS note FROM source",
    "SELECT id, customer, CAST(price + 1000 AS INT) AS price, 'n' AS note FROM source",
    "SELECT id, customer, price + 1000 AS price, 7 AS note FROM source",
    "SELECT id, customer, price + 1000 AS price, 'n' AS \"Note\" FROM source",
];

#[test]
fn a_column_that_is_missing_or_retyped_forbids_a_partial_flip() {
    for new in NO_PARTIAL_FLIP {
        let scene = scene(new);
        scene.moved(&["A"], Stage::Live);
        scene.run().exits(0).alerts(&[CHANGE]);
        assert_eq!(scene.rows("prices"), OLD, "{new}");
        assert_eq!(scene.columns("prices"), AS_BEFORE, "{new}");
        assert_eq!(scene.fallbacks(), "A", "{new}");
    }
}

#[test]
fn an_added_column_is_published_only_when_every_lane_is_live() {
    let new = "SELECT id, customer, price + 1000 AS price, 'm' AS note, 5 AS rank FROM source";
    check(
        new,
        &["A"],
        AS_BEFORE,
        "1 A 1010 m, 2 B 20 n, 3 C 30 n, 4 NULL 40 n",
    );
    let rows = "1 A 1010 m 5, 2 B 1020 m 5, 3 C 1030 m 5, 4 NULL 1040 m 5";
    check(new, &[], &format!("{AS_BEFORE}, rank Int64"), rows);
}

#[test]
fn with_every_lane_live_the_new_schema_is_published_where_it_was_meant() {
    let rows = "1 A 1010, 2 B 1020, 3 C 1030, 4 NULL 1040";
    check(
        NO_PARTIAL_FLIP[0],
        &[],
        "id Int64, customer Utf8, price Int64",
        rows,
    );
    let columns = "id Int64, customer Utf8, price Float64, note Utf8";
    let rows = "1 A 1010.0 n, 2 B 1020.0 n, 3 C 1030.0 n, 4 NULL 1040.0 n";
    check(NO_PARTIAL_FLIP[1], &[], columns, rows);
}

#[test]
fn a_schema_that_nobody_expected_sends_everybody_back() {
    for lanes in [&["A"] as &[&str], &[]] {
        let scene = scene(NO_PARTIAL_FLIP[0]);
        scene.replace(
            "allow: any, reason: all is meant",
            "columns: [price], within: 1000",
        );
        scene.moved(lanes, Stage::Live);
        scene.run().exits(0).alerts(&[CHANGE]);
        assert_eq!(scene.rows("prices"), OLD, "{lanes:?}");
    }
}

#[test]
fn columns_in_another_order_are_put_together_by_name() {
    let new = "SELECT 'm' AS note, price + 1000 AS price, customer, id FROM source";
    check(
        new,
        &["A"],
        AS_BEFORE,
        "1 A 1010 m, 2 B 20 n, 3 C 30 n, 4 NULL 40 n",
    );
}

#[test]
fn an_added_column_waits_while_one_of_all_live_lanes_falls_back() {
    let new = "SELECT id, customer, price + CASE WHEN customer = 'B' THEN 1001 ELSE 1000 END AS price, \
               'n' AS note, 5 AS rank FROM source";
    let scene = scene(new);
    scene.replace(
        "{ name: dearer, allow: any, reason: all is meant }",
        "{ name: dearer, columns: [price], within: 1000 }, \
         { name: rank, columns: [rank], allow: any, reason: it is new }",
    );
    scene.moved(&[], Stage::Live);
    scene.run().exits(0).alerts(&[CHANGE, "B"]);
    let rows = "1 A 1010 n, 2 B 20 n, 3 C 1030 n, 4 NULL 1040 n";
    assert_eq!(scene.rows("prices"), rows);
    assert_eq!(scene.columns("prices"), AS_BEFORE);
}
