//! Moves that come in while a run is at work: towards old they are honoured, towards new they wait.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use understudy_core::stage::Stage;

use super::scene::{Ended, Scene};

/// How long a run may take to start the version that waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// A scene whose new `prices` waits until a file `go` is there.
fn waiting(lanes: &[&str]) -> Scene {
    let scene = Scene::at(lanes, Stage::Live);
    let script = "while [ ! -e go ]; do sleep 0.02; done\n\
                  printf 'id,customer,price\\n1,A,1010\\n2,B,1020\\n3,C,1030\\n4,,1040\\n' > $UNDERSTUDY_OUTPUT/data.csv";
    scene.script("prices2", script, ", limits: { wall: 2m }");
    scene
}

/// Runs the scene, and does something while its new version is at work.
fn run_meanwhile(scene: &Scene, meanwhile: impl FnOnce()) -> Ended {
    let mut command = scene.command(&[]);
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !has_started(scene) {
        assert!(began.elapsed() < PATIENCE, "the new version did not start");
        thread::sleep(Duration::from_millis(10));
    }
    meanwhile();
    scene.write("go", "");
    let ended = Ended::from_output(&run.wait_with_output().unwrap());
    fs::remove_file(scene.path("go")).unwrap();
    ended
}

fn has_started(scene: &Scene) -> bool {
    let Ok(runs) = fs::read_dir(scene.path("store/runs")) else {
        return false;
    };
    let mut events =
        runs.filter_map(|run| fs::read_to_string(run.ok()?.path().join("events.jsonl")).ok());
    events.any(|text| {
        text.lines()
            .any(|line| line.contains("step_started") && line.contains("prices v2"))
    })
}

#[test]
fn a_move_towards_old_is_honoured_at_publishing() {
    let scene = waiting(&["A", "B"]);
    let ended = run_meanwhile(&scene, || scene.moved(&["A"], Stage::Shadow));
    ended.exits(0);
    scene.check_new("B");
    assert!(
        ended.who().contains("A live old") || ended.who().contains("A shadow old"),
        "{}",
        ended.who()
    );
    assert!(ended.who().contains("B live new"), "{}", ended.who());
}

#[test]
fn a_move_of_all_to_off_is_honoured_at_publishing() {
    let scene = waiting(&[]);
    run_meanwhile(&scene, || scene.moved(&[], Stage::Off)).exits(0);
    scene.check_new("");
}

#[test]
fn a_move_towards_old_comes_in_while_all_are_live() {
    let scene = waiting(&[]);
    run_meanwhile(&scene, || scene.moved(&["*null*", "C"], Stage::Shadow)).exits(0);
    scene.check_new("A B");
}

#[test]
fn a_move_towards_new_counts_for_the_next_run() {
    let scene = waiting(&["A"]);
    run_meanwhile(&scene, || scene.moved(&["B"], Stage::Live)).exits(0);
    scene.check_new("A");
    scene.write("go", "");
    scene.run().exits(0);
    scene.check_new("A B");
}

#[test]
fn a_move_to_complete_counts_for_the_next_run() {
    let scene = waiting(&["A"]);
    run_meanwhile(&scene, || scene.moved(&[], Stage::Complete)).exits(0);
    scene.check_new("A");
}

#[test]
fn a_move_towards_old_and_one_towards_new_at_once() {
    let scene = waiting(&["A"]);
    let both = || {
        scene.moved(&["A"], Stage::Off);
        scene.moved(&["B"], Stage::Live);
    };
    run_meanwhile(&scene, both).exits(0);
    scene.check_new("");
}

#[test]
fn a_move_of_another_change_changes_nothing() {
    let scene = waiting(&["A"]);
    run_meanwhile(&scene, || scene.moved_of("something-else", &[], Stage::Off))
        .exits(0)
        .alerts_nobody();
    scene.check_new("A");
}

#[test]
fn a_ledger_that_breaks_meanwhile_does_not_stop_live() {
    let scene = waiting(&["A"]);
    let ended = run_meanwhile(&scene, || scene.write("store/ledger/00000001.json", "{}"));
    ended.exits(0).alerts(&["ledger"]);
    scene.check_new("A");
}

#[test]
fn a_lane_that_comes_back_after_a_move_towards_old_gets_new_rows_again() {
    let scene = waiting(&["A", "B"]);
    run_meanwhile(&scene, || scene.moved(&["A"], Stage::Shadow)).exits(0);
    scene.check_new("B");
    scene.moved(&["A"], Stage::Live);
    scene.write("go", "");
    scene.run().exits(0);
    scene.check_new("A B");
}

#[test]
fn a_move_towards_old_makes_a_flip_partial_which_a_lost_column_forbids() {
    let scene = waiting(&[]);
    scene.replace(
        "columns: [price], within: 1000",
        "allow: any, reason: the note goes",
    );
    scene.query(
        "prices1",
        "SELECT id, customer, price, 'n' AS note FROM source",
    );
    run_meanwhile(&scene, || scene.moved(&["A"], Stage::Shadow)).exits(0);
    assert_eq!(
        scene.rows("prices"),
        "1 A 10 n, 2 B 20 n, 3 C 30 n, 4 NULL 40 n"
    );
}

#[test]
fn a_move_towards_old_needs_the_old_version() {
    let scene = waiting(&[]);
    scene.script(
        "prices1",
        "printf 'id\\n1\\n' > $UNDERSTUDY_OUTPUT/data.csv; exit 3",
        "",
    );
    run_meanwhile(&scene, || scene.moved(&["A"], Stage::Shadow)).exits(5);
    scene.check_nothing_published();
}

#[test]
fn a_move_towards_old_does_not_lose_a_row_that_goes_to_another_customer() {
    let scene = waiting(&["A", "B"]);
    for columns in [
        "columns: [price], within: 1000",
        "columns: [tax], within: 2001",
        "columns: [price, total], within: 4000",
    ] {
        scene.replace(columns, "allow: any, reason: the row moves");
    }
    let script = fs::read_to_string(scene.path("prices2.sh")).unwrap();
    scene.write("prices2.sh", &script.replace("1,A,1010", "1,B,1010"));
    run_meanwhile(&scene, || scene.moved(&["B"], Stage::Shadow)).exits(0);
    scene.check_new("");
}

#[test]
fn after_a_move_of_one_change_another_one_is_decided_on_what_is_published_now() {
    let scene = waiting(&["A"]);
    scene.replace("new: { prices: v2, taxed: v2 }", "new: { prices: v2 }");
    scene.replace(
        "      taxed: [{ name: dearer, columns: [tax], within: 2001 }]\n",
        "",
    );
    let odd = "changes:\n  odd:\n    new: { taxed: v2 }\n    expect:\n      taxed: [{ name: odd, columns: [tax], within: 1 }]\n";
    scene.replace("changes:\n", odd);
    let wrong_if_old = "SELECT id, customer, price * 2 + CASE WHEN price = 10 THEN 9000 ELSE 1 END AS tax FROM prices";
    scene.query("taxed2", wrong_if_old);
    scene.moved_of("odd", &["A", "B"], Stage::Live);
    run_meanwhile(&scene, || scene.moved(&["A"], Stage::Shadow))
        .exits(0)
        .alerts(&["odd", "A"]);
    assert_eq!(scene.rows("prices"), "1 A 10, 2 B 20, 3 C 30, 4 NULL 40");
    assert_eq!(scene.rows("taxed"), "1 A 20, 2 B 41, 3 C 60, 4 NULL 80");
}
