//! Flags beside the ledger: towards old they are honoured, towards new they change nothing.

use std::fs;

use understudy_core::stage::Stage;

use super::scene::{CHANGE, Scene};

#[test]
fn a_flag_that_is_moved_towards_old_by_hand_is_honoured_at_once() {
    let scene = Scene::at(&["A", "B"], Stage::Live);
    scene.write("flags.yaml", "dearer:\n  A: live\n  B: shadow\n");
    scene.run().exits(0).alerts(&[CHANGE, "B", "honoured"]);
    scene.check_new("A");
}

#[test]
fn a_flag_that_is_moved_towards_new_by_hand_changes_nothing_and_raises_an_alert() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.write("flags.yaml", "dearer:\n  A: live\n  B: live\n");
    scene
        .run()
        .exits(0)
        .alerts(&[CHANGE, "B", "nobody authorised it"]);
    scene.check_new("A");
}

#[test]
fn a_flag_alone_makes_nobody_live() {
    let scene = Scene::new();
    scene.write("flags.yaml", "dearer:\n  \"*unlisted*\": complete\n");
    scene
        .run()
        .exits(0)
        .alerts(&[CHANGE, "nobody authorised it"]);
    scene.check_new("");
}

#[test]
fn flags_that_are_down_change_nothing() {
    for broken in [None, Some("dearer: ["), Some("dearer:\n  A: maybe\n")] {
        let scene = Scene::at(&["A"], Stage::Live);
        match broken {
            Some(text) => scene.write("flags.yaml", text),
            None => fs::remove_file(scene.path("flags.yaml")).unwrap(),
        }
        scene.run().exits(0).alerts(&["flags are down"]);
        scene.check_new("A");
    }
}
