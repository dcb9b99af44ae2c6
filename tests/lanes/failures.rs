//! A version that fails or takes too long, while lanes are live.

use understudy_core::stage::Stage;

use super::scene::{CHANGE, Scene};

/// The ways in which a version ends badly: its script, and what its entry says more.
const BAD_ENDS: [(&str, &str); 5] = [
    ("exit 3", ""),
    ("kill -9 $$", ""),
    ("sleep 60", ", limits: { wall: 1s }"),
    ("true", ""),
    ("echo not parquet > $UNDERSTUDY_OUTPUT/data.parquet", ""),
];

#[test]
fn a_new_version_that_ends_badly_gives_everybody_old_rows() {
    for (script, more) in BAD_ENDS {
        for lanes in [&["A"] as &[&str], &[]] {
            let scene = Scene::at(lanes, Stage::Live);
            scene.script("prices2", script, more);
            let ended = scene.run();
            ended.exits(0).alerts(&[CHANGE]);
            scene.check_new("");
            assert_eq!(ended.verdict(), "inconclusive", "{script}");
            assert_ne!(scene.fallbacks(), "", "{script}, {lanes:?}");
        }
    }
}

#[test]
fn a_new_version_that_fails_exits_3_where_somebody_is_strict() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.script("prices2", "exit 3", "");
    scene.run_with(&["--strict"]).exits(3);
}

#[test]
fn one_failing_new_version_sends_back_all_tasks_of_the_change() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.script("taxed2", "exit 3", "");
    scene.run().exits(0).alerts(&[CHANGE]);
    scene.check_new("");
    assert_eq!(scene.fallbacks(), "A");
}

#[test]
fn what_is_only_downstream_in_the_new_world_can_fail_without_taking_live_rows_away() {
    let scene = Scene::at(&["A"], Stage::Live);
    // Fails where every price is new, and there only: in the new world.
    scene.query(
        "totals",
        "SELECT p.id, p.customer, p.price, t.total + CAST(CASE WHEN t.total > 4000 THEN 'x' ELSE '0' END AS BIGINT) \
         AS total FROM prices p CROSS JOIN (SELECT sum(price) AS total FROM prices) t",
    );
    let ended = scene.run();
    ended.exits(0);
    scene.check_new("A");
    assert_eq!(ended.verdict(), "inconclusive");
}

#[test]
fn an_old_version_that_ends_badly_stops_the_run_while_somebody_still_gets_old_rows() {
    for (script, more) in BAD_ENDS {
        let scene = Scene::at(&["A"], Stage::Live);
        scene.script("prices1", script, more);
        let ended = scene.run();
        ended.exits(5);
        scene.check_nothing_published();
        assert!(!scene.last_published().succeeded, "{script}");
    }
}

#[test]
fn an_old_version_that_fails_leaves_what_was_published_before() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.run().exits(0);
    scene.script("prices1", "exit 3", "");
    scene.run().exits(5);
    scene.check_new("A");
}

#[test]
fn with_all_lanes_live_an_old_version_that_ends_badly_is_inconclusive_and_new_rows_are_published() {
    for (script, more) in BAD_ENDS {
        let scene = Scene::at(&[], Stage::Live);
        scene.script("prices1", script, more);
        let ended = scene.run();
        ended.exits(0).alerts(&[CHANGE]);
        scene.check_new("A B C NULL");
        assert_eq!(ended.verdict(), "inconclusive", "{script}");
    }
}

#[test]
fn with_all_lanes_live_the_old_version_of_one_task_can_fail_alone() {
    let scene = Scene::at(&[], Stage::Live);
    scene.script("taxed1", "exit 3", "");
    let ended = scene.run();
    ended.exits(0).alerts(&[CHANGE]);
    scene.check_new("A B C NULL");
    assert_eq!(ended.verdict(), "inconclusive");
}

#[test]
fn where_both_versions_fail_the_live_side_failed() {
    for lanes in [&["A"] as &[&str], &[]] {
        let scene = Scene::at(lanes, Stage::Live);
        scene.script("prices1", "exit 3", "");
        scene.script("prices2", "exit 3", "");
        scene.run().exits(5);
        scene.check_nothing_published();
    }
}

#[test]
fn an_old_version_that_fails_and_a_lane_to_send_back_is_a_failure_of_live() {
    let scene = Scene::at(&[], Stage::Live);
    scene.script("taxed1", "exit 3", "");
    let wrong = "SELECT id, customer, CASE WHEN customer = 'B' THEN 9000 ELSE price + 1000 END AS price FROM source";
    scene.query("prices2", wrong);
    scene.run().exits(5);
    scene.check_nothing_published();
}
