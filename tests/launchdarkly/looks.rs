//! What people see of it: `status`, `doctor`, `flags lint` and `audit explain`.

use serde_json::json;
use understudy_scripted_launchdarkly::ApiScope;

use super::scene::{CHANGE, Scene, alerted};

/// What a verb says, on both streams.
fn said(scene: &Scene, arguments: &[&str]) -> (i32, String) {
    let ended = scene.understudy(arguments);
    (ended.code, ended.stdout + &ended.stderr)
}

#[test]
fn status_says_how_fresh_the_flags_are() {
    let scene = Scene::live(&["acme"]);
    let (code, text) = said(&scene, &["status"]);
    assert_eq!(code, 0);
    assert!(text.contains("fresh"), "{text}");
    assert!(
        scene
            .understudy(&["status", "--json"])
            .stdout
            .contains("fresh")
    );
    scene.server.refuse_sdk_key(true);
    let (code, text) = said(&scene, &["status"]);
    assert_eq!(code, 0);
    assert!(text.contains("refused") && text.contains("401"), "{text}");
    assert!(text.contains("acme"), "{text}");
    scene.down();
    let (code, text) = said(&scene, &["status"]);
    assert_eq!(code, 0);
    assert!(text.contains("LAUNCHDARKLY is down"), "{text}");
}

#[test]
fn doctor_tries_both_places() {
    let scene = Scene::ready();
    let (code, text) = said(&scene, &["doctor"]);
    assert_eq!(code, 0, "{text}");
    let url = scene.server.url();
    assert!(text.contains(&url) && text.contains("/api/v2"), "{text}");
    scene.server.refuse_sdk_key(true);
    let (code, text) = said(&scene, &["doctor"]);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("401 to the SDK key"), "{text}");
    assert!(!text.contains("All of it is in force"), "{text}");
    scene.server.refuse_sdk_key(false);
    scene.server.set_api_scope(ApiScope::Revoked);
    let (code, text) = said(&scene, &["doctor"]);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("401"), "{text}");
    scene.down();
    let (code, text) = said(&scene, &["doctor"]);
    assert_eq!(code, 6, "{text}");
    assert!(
        text.contains(&url) && !text.contains("flags arrive"),
        "{text}"
    );
}

#[test]
fn lint_says_what_would_surprise() {
    let scene = Scene::ready();
    let lint = ["flags", "lint", CHANGE];
    scene.understudy(&lint).expect(0);
    scene
        .understudy(&["flags", "lint", CHANGE, "--json"])
        .expect(0)
        .json();
    scene.server.add_pending_change(CHANGE);
    // It will happen, and is no mistake.
    let (code, text) = said(&scene, &lint);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("WARNING") && text.contains("scheduled"),
        "{text}"
    );
    scene.server.clear_pending(CHANGE);
    scene.server.add_pending_approval(CHANGE);
    let (code, text) = said(&scene, &lint);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("WARNING") && text.contains("approval"),
        "{text}"
    );
    scene.server.clear_pending(CHANGE);
    scene.understudy(&lint).expect(0);
    scene.server.edit_by_hand(CHANGE, |config| {
        config["fallthrough"] = json!({ "rollout": { "contextKind": "customer", "variations": [
            { "variation": 1, "weight": 50_000 }, { "variation": 2, "weight": 50_000 },
        ] } });
    });
    let (code, text) = said(&scene, &lint);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("rollout"), "{text}");
    scene.understudy(&["flags", "lint", "nothing"]).expect(2);
    scene.server.delete_flag(CHANGE);
    assert_ne!(said(&scene, &lint).0, 0);
    scene.down();
    scene.understudy(&lint).expect(6);
}

#[test]
fn a_run_is_explained_as_it_was() {
    let scene = Scene::live(&["acme"]);
    scene.hand("cobalt", "live");
    let run = scene.run(2).json()["run"].as_str().unwrap().to_owned();
    let explain = |arguments: &[&str]| {
        let all = [&["audit", "explain", "--run", &run], arguments].concat();
        scene.understudy(&all).expect(0).stdout
    };
    let before = (
        explain(&[]),
        explain(&["--json"]),
        explain(&["--customer", "acme"]),
    );
    let said: serde_json::Value = serde_json::from_str(&before.1).unwrap();
    let lane = |customer: &str| {
        let lanes = said["changes"][CHANGE]["lanes"].as_array().unwrap().clone();
        let lane = lanes.into_iter().find(|lane| lane["customer"] == customer);
        let lane = lane.unwrap_or_else(|| panic!("{customer} is not in {said:#}"));
        (lane["stage"].clone(), lane["flag"].clone())
    };
    assert_eq!(lane("acme"), (json!("live"), json!("live")));
    assert_eq!(lane("cobalt"), (json!("shadow"), json!("live")));
    assert_eq!(lane("*"), (json!("shadow"), json!("shadow")));
    assert!(
        before.2.contains("acme") && before.2.contains("target"),
        "{}",
        before.2
    );
    // The flag is another one, then none, then nobody answers.
    scene.hand("acme", "shadow");
    scene.server.serve_by_hand(CHANGE, &json!("off"));
    alerted(&scene.run(3), &["acme"]);
    let again = || {
        (
            explain(&[]),
            explain(&["--json"]),
            explain(&["--customer", "acme"]),
        )
    };
    assert_eq!(again(), before);
    scene.server.delete_flag(CHANGE);
    scene.down();
    assert_eq!(again(), before);
    // The last run, without a name, is another one.
    let last = scene.understudy(&["audit", "explain"]).expect(0);
    assert_ne!(last.stdout, before.0);
    scene
        .understudy(&["audit", "explain", "--run", "nothing"])
        .expect(2);
    scene.nothing_leaked();
}

#[test]
fn a_run_in_an_outage_is_explained_too() {
    let scene = Scene::live(&["acme"]);
    scene.down();
    scene.run(2);
    let (code, text) = said(&scene, &["audit", "explain"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("acme") && text.contains("down"), "{text}");
}
