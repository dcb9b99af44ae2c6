//! The shadow never harms live: whatever it does, live publishes the same bytes with the same exit code.

use std::fs;

use understudy_core::stage::Stage;

use super::scene::{Scene, TASKS};

/// New versions of `prices` that misbehave, as scripts.
const MISDEEDS: [(&str, &str); 8] = [
    ("exit 1", ""),
    ("kill -9 $$", ""),
    ("sleep 60", ", limits: { wall: 1s }"),
    ("true", ""),
    ("echo broken > $UNDERSTUDY_OUTPUT/data.parquet", ""),
    (
        "printf 'id,customer\\n1,\"A' > $UNDERSTUDY_OUTPUT/data.csv",
        "",
    ),
    (
        "printf 'id,customer,price\\n' > $UNDERSTUDY_OUTPUT/data.csv",
        "",
    ),
    ("printf 'other\\n1\\n' > $UNDERSTUDY_OUTPUT/data.csv", ""),
];

/// A scene whose `totals` has a change of its own with a live lane, so that live rows are at stake as well.
fn with_a_live_lane() -> Scene {
    let scene = Scene::new();
    scene.query(
        "totals2",
        "SELECT id, customer, price, -1 AS total FROM prices",
    );
    scene.replace(
        "      v1: { sql: sql/totals.sql, threads: 1 }",
        "      v1: { sql: sql/totals.sql, threads: 1 }\n      v2: { sql: sql/totals2.sql, threads: 1 }",
    );
    scene.replace(
        "changes:\n",
        "changes:\n  flat:\n    new: { totals: v2 }\n    expect:\n      totals: [{ name: flat, columns: [total], within: 9000 }]\n",
    );
    scene.moved_of("flat", &["A"], Stage::Live);
    scene
}

#[test]
fn whatever_the_shadow_does_live_publishes_the_same_bytes() {
    let undisturbed = with_a_live_lane();
    undisturbed.moved(&[], Stage::Off);
    undisturbed.run().exits(0);
    assert_eq!(
        undisturbed.rows("totals"),
        "1 A 10 -1, 2 B 20 100, 3 C 30 100, 4 NULL 40 100"
    );
    for (script, more) in MISDEEDS {
        let scene = with_a_live_lane();
        scene.script("prices2", script, more);
        scene.run().exits(0);
        for task in TASKS {
            assert_eq!(
                scene.bytes(task),
                undisturbed.bytes(task),
                "`{task}` beside {script}"
            );
        }
    }
}

#[test]
fn what_lanes_at_shadow_get_is_what_a_pipeline_without_the_change_publishes() {
    let scene = Scene::new();
    scene.run().exits(0);
    let alone = Scene::new();
    let text = fs::read_to_string(alone.path("understudy.yaml")).unwrap();
    let (before, _) = text.split_once("changes:").unwrap();
    alone.write("understudy.yaml", before);
    alone.run().exits(0);
    for task in TASKS {
        assert_eq!(scene.bytes(task), alone.bytes(task), "`{task}`");
    }
}

#[test]
fn a_shadow_that_fails_is_told_and_never_published() {
    let scene = Scene::new();
    scene.script("prices2", "exit 1", "");
    let ended = scene.run();
    ended.exits(0);
    assert_eq!(ended.verdict(), "inconclusive");
    scene.run_with(&["--strict"]).exits(3);
    scene.check_new("");
}
