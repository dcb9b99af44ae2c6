//! Everything in a bucket, and nothing goes wrong.

use std::path::Path;

use crate::playground::{DATE, Ended, Playground};

use super::moto::{Moto, settings};
use super::scene::Scene;

#[test]
fn a_pipeline_lives_in_a_bucket() {
    let Some(scene) = Scene::new() else { return };
    let ended = scene.run(&["--strict"]).expect(0);
    assert_eq!(ended.verdict("totals"), "identical");
    assert_eq!(ended.verdict("sums"), "identical");
    assert!(!ended.stderr.contains("ALERT"), "{}", ended.stderr);
    let expected = [
        format!("live/sums/date={DATE}/_understudy.json"),
        format!("live/sums/date={DATE}/data.parquet"),
        format!("live/totals/date={DATE}/_understudy.json"),
        format!("live/totals/date={DATE}/data.parquet"),
    ];
    assert_eq!(scene.keys("live/"), expected);
    let run = ended.json()["run"].as_str().unwrap().to_owned();
    let entries = scene.keys("store/ledger/0");
    assert_eq!(
        entries,
        ["store/ledger/00000001.json", "store/ledger/00000002.json"]
    );
    assert!(
        scene
            .get("store/ledger/head.json")
            .contains("\"number\": 2")
    );
    assert!(
        scene
            .keys(&format!("store/runs/{run}/"))
            .contains(&format!("store/runs/{run}/run.json"))
    );
    assert!(!scene.keys("store/quarantine/better/totals/").is_empty());
    // The same again finds everything.
    let again = scene.run(&["--strict"]).expect(0);
    assert_eq!(again.json()["live"]["status"], "already_published");
    assert_eq!(again.reuse(), "6 of 6");
    scene.understudy(&["audit", "verify"]).expect(0);
}

#[test]
fn another_machine_sees_what_the_first_one_did() {
    let Some(scene) = Scene::new() else { return };
    let run = scene.run(&[]).expect(0).json()["run"].clone();
    let other = scene.another_machine();
    let on_other =
        |arguments: &[&str]| Ended::from(scene.command(&other, arguments).output().unwrap());
    assert_eq!(on_other(&["report", "--json"]).expect(0).json()["run"], run);
    assert_eq!(
        on_other(&["audit", "--json"]).expect(0).json()["entries"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        on_other(&["which", "totals", "--customer", "Ann"])
            .expect(0)
            .stdout,
        "v1\n"
    );
    // It computes the same run, and what is published stays one.
    let again = on_other(&["run", "--json", "--date", DATE, "--strict"])
        .expect(0)
        .json();
    assert_eq!(again["run"], run);
    assert_eq!(scene.keys("live/").len(), 4);
    on_other(&["audit", "verify"]).expect(0);
}

#[test]
fn an_entry_that_was_changed_in_the_bucket_is_found() {
    let Some(scene) = Scene::new() else { return };
    scene.run(&[]).expect(0);
    let entry = scene.get("store/ledger/00000001.json");
    scene.replace(
        "store/ledger/00000001.json",
        &entry.replace("\"succeeded\": true", "\"succeeded\": false"),
    );
    let ended = scene.understudy(&["audit", "verify"]).expect(1);
    assert!(
        ended.stdout.contains("entry 1 was changed"),
        "{}",
        ended.stdout
    );
}

#[test]
fn inputs_that_are_not_there_yet_are_waited_for() {
    let Some(scene) = Scene::new() else { return };
    let ended = scene
        .understudy(&[
            "run",
            "--shadow",
            "--strict",
            "--json",
            "--date",
            "2026-02-01",
        ])
        .expect(3);
    let reason = ended.json()["changes"]["better"]["tasks"]["totals"]["reasons"][0].to_string();
    assert!(
        reason.contains("nothing is at `s3://lake/orders/date=2026-02-01/`"),
        "{reason}"
    );
    // Without a date, the newest that is there.
    assert_eq!(
        scene.understudy(&["run", "--json"]).expect(0).json()["date"],
        DATE
    );
}

#[test]
fn without_credentials_it_says_what_to_set() {
    let Some(scene) = Scene::new() else { return };
    let mut command = scene.shop.command(&["run", "--date", DATE]);
    let blank = settings(scene.moto.address());
    blank
        .iter()
        .for_each(|(name, _)| _ = command.env_remove(name));
    let ended = Ended::from(
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .unwrap(),
    );
    assert_eq!(ended.code, 6, "{ended:?}");
    assert!(
        ended.stderr.contains("AWS_ACCESS_KEY_ID"),
        "{}",
        ended.stderr
    );
}

/// The example of the README, from and to a bucket.
#[test]
fn the_flights_come_from_a_bucket_and_go_to_it() {
    let Some(moto) = Moto::start() else { return };
    moto.make_bucket("flights");
    let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/flights"));
    let put = |key: &str| {
        let bytes = std::fs::read(example.join(key)).unwrap();
        let answer = moto.send(
            &format!("PUT /flights/{} HTTP/1.1", key.replace('=', "%3D")),
            &bytes,
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    for key in [
        "data/airports.csv",
        "data/airlines.csv",
        "data/flights/date=2013-10-01/flights.parquet",
    ] {
        put(key);
    }
    let text = std::fs::read_to_string(example.join("understudy.yaml")).unwrap();
    let text = text
        .replace("location: \"data/", "location: \"s3://flights/data/")
        .replace("location: data/", "location: s3://flights/data/")
        .replace("location: live/", "location: s3://flights/live/")
        .replace("store: ./store", "store: s3://flights/store");
    let flights = Playground::of(&[("understudy.yaml", &text)]);
    for folder in ["sql", "tasks", "rules"] {
        for entry in std::fs::read_dir(example.join(folder))
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().is_file())
        {
            let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            flights.write(&name, &std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    let run = |arguments: &[&str]| {
        let mut command = flights.command(arguments);
        Ended::from(command.envs(settings(moto.address())).output().unwrap())
    };
    let ended = run(&["run", "--json"]).expect(0);
    let report = ended.json();
    assert_eq!(report["date"], "2013-10-01");
    assert_eq!(
        report["live"]["outputs"]["block_times"]["path"],
        "s3://flights/live/block_times/date=2013-10-01/data.parquet"
    );
    let change = &report["changes"]["summer-time"];
    assert_eq!(change["tasks"]["block_times"]["rows"]["unexpected"], 490);
    let text = run(&["report"]).expect(0).stdout;
    assert!(
        text.contains("s3://flights/live/block_times/date=2013-10-01/data.parquet"),
        "{text}"
    );
    run(&["audit", "verify"]).expect(0);
}
