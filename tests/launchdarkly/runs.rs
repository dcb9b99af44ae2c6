//! One run, one answer: its retries and its resumption decide as it did, whatever became of the flag meanwhile.

use serde_json::{Value, json};

use super::scene::{CHANGE, Scene, alerted, alerts};

/// The runs in the store, by their names.
fn runs(scene: &Scene) -> Vec<String> {
    let runs = std::fs::read_dir(scene.shop.path("store/runs")).unwrap();
    let names = runs.map(|run| run.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn run_of(ended: &crate::playground::Ended) -> String {
    ended.json()["run"].as_str().unwrap().to_owned()
}

fn explained(scene: &Scene, run: &str) -> Value {
    let explained = scene.understudy(&["audit", "explain", "--json", "--run", run]);
    explained.expect(0).json()
}

#[test]
fn a_resumed_run_is_the_same_run_and_decides_the_same() {
    type Meanwhile = (&'static str, fn(&Scene));
    let meanwhile: [Meanwhile; 4] = [
        ("nothing", |_| {}),
        ("outage", |scene| scene.down()),
        ("a hand towards new", |scene| scene.hand("bolt", "live")),
        ("deleted", |scene| scene.server.delete_flag(CHANGE)),
    ];
    for (name, meanwhile) in meanwhile {
        let scene = Scene::live(&["acme"]);
        let before = runs(&scene);
        let held = scene.hold(2);
        let mut begun = runs(&scene);
        begun.retain(|run| !before.contains(run));
        held.kill();
        meanwhile(&scene);
        let ended = scene.run(2);
        assert_eq!([run_of(&ended)].as_slice(), begun, "{name}");
        scene.check_new(2, &["acme"]);
        let lanes = explained(&scene, &begun[0])["changes"][CHANGE]["lanes"].clone();
        let acme = lanes.as_array().unwrap().iter();
        let acme = acme.filter(|lane| lane["customer"] == "acme");
        assert!(
            acme.into_iter().all(|lane| lane["stage"] == "live"),
            "{lanes}"
        );
    }
}

#[test]
fn whom_a_run_that_was_cut_off_took_back_stays_back_in_an_outage() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.hand("acme", "shadow");
    // It has seen the hand, and not recorded it.
    scene.hold(2).kill();
    assert_eq!(scene.stage("acme"), "live");
    scene.down();
    let ended = scene.run(2);
    alerted(&ended, &["they stay back"]);
    scene.check_new(2, &["bolt"]);
    assert_eq!(scene.stage("acme"), "shadow");
    // It is recorded now: another date knows it too.
    scene.run(3);
    scene.check_new(3, &["bolt"]);
}

#[test]
fn whom_somebody_flipped_since_then_is_live_in_an_outage() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.hand("acme", "shadow");
    scene.hold(2).kill();
    scene.rollback("acme");
    scene.flip("acme").expect(0);
    scene.down();
    scene.run(2);
    scene.check_new(2, &["acme", "bolt"]);
}

#[test]
fn a_resumed_run_honours_a_hand_towards_old() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.hold(2).kill();
    scene.hand("acme", "shadow");
    scene.run(2);
    scene.check_new(2, &["bolt"]);
}

#[test]
fn a_date_that_is_run_again_is_the_same_run_while_nothing_moved() {
    let scene = Scene::live(&["acme"]);
    let first = scene.run(2);
    let explained_first = explained(&scene, &run_of(&first));
    // Somebody else touches the flag, and nobody's stage.
    scene
        .server
        .edit_flag(CHANGE, |flag| flag["name"] = json!("another name"));
    let second = scene.run(2);
    assert_eq!(run_of(&first), run_of(&second));
    scene.down();
    let third = scene.run(2);
    assert_eq!(run_of(&first), run_of(&third));
    assert!(!alerts(&third).is_empty());
    scene.check_new(2, &["acme"]);
    let again = explained(&scene, &run_of(&first));
    assert_eq!(
        again["changes"][CHANGE]["lanes"][0]["stage"],
        explained_first["changes"][CHANGE]["lanes"][0]["stage"]
    );
}

#[test]
fn the_shadow_half_later_has_the_decisions_of_the_live_half() {
    let scene = Scene::live(&["acme"]);
    let day = ["--json", "--date", "2026-03-02"];
    let live = scene
        .understudy(&[&["run", "--live"][..], &day].concat())
        .expect(0);
    scene.check_new(2, &["acme"]);
    let before = explained(&scene, &run_of(&live));
    scene.down();
    let shadow = scene
        .understudy(&[&["run", "--shadow"][..], &day].concat())
        .expect(0);
    assert_eq!(shadow.json()["changes"][CHANGE]["verdict"], "expected");
    assert_eq!(
        explained(&scene, &run_of(&live))["changes"],
        before["changes"]
    );
    scene.check_new(2, &["acme"]);
}
