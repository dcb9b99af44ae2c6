//! A ledger that cannot be read: the run holds to what the newest output was made with.

use std::fs;

use understudy_core::stage::Stage;

use super::scene::{Scene, TASKS, expected_rows};

/// The day after.
const NEXT_DATE: &str = "2026-03-02";

fn flip_a_byte(scene: &Scene) {
    let file = scene.path("store/ledger/00000001.json");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_run_holds_to_the_stages_of_the_newest_output_and_says_so() {
    for lanes in ["A", "B C"] {
        let scene = Scene::at(&lanes.split(' ').collect::<Vec<_>>(), Stage::Live);
        scene.run().exits(0);
        flip_a_byte(&scene);
        let ended = scene.run_with(&["--date", NEXT_DATE]);
        ended.exits(0).alerts(&["ledger", "holds to the stages"]);
        for (task, rows) in TASKS.iter().zip(expected_rows(lanes)) {
            assert_eq!(scene.rows_on(task, NEXT_DATE), rows, "`{task}`");
        }
    }
}

#[test]
fn it_is_the_newest_output_that_counts() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.run_with(&["--date", "2026-03-05"]).exits(0);
    scene.moved(&["B"], Stage::Live);
    scene.run_with(&["--date", "2026-02-20"]).exits(0);
    flip_a_byte(&scene);
    scene.run().exits(0);
    scene.check_new("A B");
}

#[test]
fn the_page_says_it_too() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.run().exits(0);
    flip_a_byte(&scene);
    scene.run_with(&["--date", NEXT_DATE]).exits(0);
    let page = scene.page();
    assert!(
        page.lines()
            .any(|line| line.contains("ALERT") && line.contains("ledger")),
        "{page}"
    );
}

#[test]
fn without_any_output_a_run_stops() {
    let scene = Scene::at(&["A"], Stage::Live);
    flip_a_byte(&scene);
    let ended = scene.run();
    ended.exits(6);
    assert!(ended.errors.contains("ledger"), "{}", ended.errors);
    scene.check_nothing_published();
}

#[test]
fn a_ledger_whose_last_entry_is_gone_is_no_shorter_ledger() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.run().exits(0);
    scene.moved(&["A"], Stage::Shadow);
    let count = scene.ledger().entries().len();
    fs::remove_file(scene.path(&format!("store/ledger/{count:08}.json"))).unwrap();
    scene
        .run_with(&["--date", NEXT_DATE])
        .exits(0)
        .alerts(&["ledger"]);
}

#[test]
fn a_run_beside_a_broken_ledger_leaves_it_as_it_is() {
    let scene = Scene::at(&["A"], Stage::Live);
    scene.run().exits(0);
    flip_a_byte(&scene);
    let before = super::scene::all_files(&scene.path("store/ledger"));
    scene.run_with(&["--date", NEXT_DATE]).exits(0);
    assert_eq!(super::scene::all_files(&scene.path("store/ledger")), before);
}
