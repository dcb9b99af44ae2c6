//! A server that loses answers, sends requests twice or late, and says 503 for a while: nothing torn, nothing doubled.

use std::time::Duration;

use crate::playground::{DATE, Ended};

use super::proxy::Fault;
use super::scene::Scene;

/// Whatever happened on the way, this is what stands in the bucket in the end.
fn assert_whole(scene: &Scene) {
    scene.understudy(&["audit", "verify"]).expect(0);
    let entries = scene.understudy(&["audit", "--json"]).expect(0).json();
    let kinds: Vec<String> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"]["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        ["published", "judged"],
        "each event once: {entries:#}"
    );
    assert_eq!(scene.keys("live/").len(), 4, "{:?}", scene.keys("live/"));
    let again = scene.run(&["--strict"]).expect(0);
    assert_eq!(again.json()["live"]["status"], "already_published");
}

fn check(method: &'static str, part: &str, times: usize, fault: Fault) {
    let Some(scene) = Scene::new() else { return };
    scene.proxy.add(method, part, 0, times, fault);
    let mut ended = scene.run(&["--strict"]);
    assert!(
        scene.proxy.fired(part) > 0,
        "{fault:?} of {method} {part} did not fire"
    );
    // What it could not be sure of, the next run settles.
    for _ in 0..2 {
        if ended.code != 0 || ended.stderr.contains("ALERT") {
            ended = scene.run(&["--strict"]);
        }
    }
    ended.expect(0);
    assert_whole(&scene);
}

#[test]
fn a_lost_answer_to_the_creation_of_an_entry() {
    check("PUT", "00000001.json", 1, Fault::LoseAnswer);
}

#[test]
fn an_entry_that_is_sent_twice() {
    check("PUT", "ledger/00000002.json", 1, Fault::Double);
}

#[test]
fn an_entry_that_arrives_late() {
    check(
        "PUT",
        "ledger/00000001.json",
        1,
        Fault::DeliverLate(Duration::from_millis(300)),
    );
}

#[test]
fn a_lost_answer_to_a_published_output() {
    check(
        "PUT",
        "totals/date%3D2026-01-31/data.parquet",
        1,
        Fault::LoseAnswer,
    );
}

#[test]
fn a_published_output_that_is_sent_twice() {
    check(
        "PUT",
        "sums/date%3D2026-01-31/data.parquet",
        1,
        Fault::Double,
    );
}

#[test]
fn a_storm_of_503_while_publishing() {
    check(
        "PUT",
        "date%3D2026-01-31/data.parquet",
        3,
        Fault::Unavailable,
    );
}

#[test]
fn a_storm_of_503_while_reading() {
    check("GET", "lake", 4, Fault::Unavailable);
}

#[test]
fn half_an_input() {
    check("GET", "orders.csv", 1, Fault::HalfAnswer);
}

#[test]
fn a_marker_that_is_cut() {
    check("PUT", "_understudy.json", 1, Fault::CutBefore);
}

/// The program is killed between two PUTs; the next run finishes what was begun.
#[test]
fn a_crash_between_two_puts() {
    for point in [
        "objects.after-intent",
        "objects.between-puts",
        "objects.before-markers",
        "objects.before-end",
    ] {
        let Some(scene) = Scene::new() else { return };
        let mut command = scene.command(&scene.shop, &["run", "--json", "--date", DATE]);
        let ended = Ended::from(
            command
                .env("UNDERSTUDY_FAULT", format!("{point}=kill"))
                .output()
                .unwrap(),
        );
        assert!(
            ended.stderr.contains(&format!("fault fired: {point}")),
            "{ended:?}"
        );
        let ended = scene.run(&["--strict"]);
        // A lease that nobody gave back holds for some minutes: the same machine need not wait for it.
        assert_eq!(ended.code, 0, "{point}: {ended:?}");
        assert_eq!(scene.keys("live/").len(), 4);
        scene.understudy(&["audit", "verify"]).expect(0);
    }
}
