//! What a hand may do in LaunchDarkly: towards old it is honoured, and stays so; towards new it changes nothing.

use serde_json::json;

use super::scene::{CHANGE, Scene, alerted, alerts, no_alert};

/// Who was taken back by hand stays back, whatever the flag says later and whether it can be asked.
fn stays_back(scene: &Scene, day: u64) {
    scene.hand("acme", "live");
    alerted(&scene.run(day), &["nobody authorised it"]);
    scene.check_new(day, &[]);
    scene.down();
    alerted(&scene.run(day + 1), &["down"]);
    scene.check_new(day + 1, &[]);
    scene.up();
    assert_eq!(scene.stage("acme"), "shadow");
}

#[test]
fn towards_old_is_honoured_at_the_next_run_and_stays_so() {
    let scene = Scene::live(&["acme"]);
    scene.run(2);
    scene.hand("acme", "shadow");
    let ended = scene.run(3);
    alerted(&ended, &["acme"]);
    scene.check_new(3, &[]);
    // It stands in the ledger, and who did it is no user of ours.
    let moves = scene.moves();
    assert_eq!(moves.len(), 2, "{moves:?}");
    assert!(moves[1].ends_with("acme to shadow"), "{moves:?}");
    no_alert(&scene.run(4));
    assert_eq!(scene.moves().len(), 2);
    stays_back(&scene, 5);
    // `flip` brings the customer back.
    scene.flip("acme").expect(0);
    no_alert(&scene.run(7));
    scene.check_new(7, &["acme"]);
    scene.understudy(&["audit", "verify"]).expect(0);
    scene.nothing_leaked();
}

#[test]
fn towards_old_is_honoured_at_publishing_of_the_present_run_and_stays_so() {
    let scene = Scene::live(&["acme", "bolt"]);
    let held = scene.hold(2);
    scene.hand("acme", "shadow");
    scene.hand("bolt", "off");
    let ended = held.let_it_hear().go();
    alerted(&ended, &["acme"]);
    alerted(&ended, &["bolt"]);
    scene.check_new(2, &[]);
    let moves = scene.moves().join("; ");
    assert!(moves.contains("acme"), "{moves}");
    stays_back(&scene, 3);
    assert_ne!(scene.stage("bolt"), "live");
}

#[test]
fn a_flag_that_is_raised_again_before_the_next_run_brings_nobody_back_who_was_taken_back_at_publishing()
 {
    let scene = Scene::live(&["acme"]);
    let held = scene.hold(2);
    scene.hand("acme", "shadow");
    held.let_it_hear().go();
    scene.check_new(2, &[]);
    scene.hand("acme", "live");
    alerted(&scene.run(3), &["nobody authorised it"]);
    scene.check_new(3, &[]);
}

#[test]
fn turned_off_everybody_goes_back_and_without_an_off_variation_everybody_stays() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.server.edit_by_hand(CHANGE, |config| {
        config.as_object_mut().unwrap().remove("offVariation");
        config["on"] = json!(false);
    });
    let ended = scene.run(2);
    assert!(!alerts(&ended).is_empty(), "{}", ended.stderr);
    scene.check_new(2, &["acme", "bolt"]);
    scene.server.edit_by_hand(CHANGE, |config| {
        config["offVariation"] = json!(1);
    });
    let ended = scene.run(3);
    alerted(&ended, &["acme"]);
    scene.check_new(3, &[]);
    // On again, the targets are still there, and nobody comes back.
    scene.server.edit_by_hand(CHANGE, |config| {
        config["on"] = json!(true);
    });
    alerted(&scene.run(4), &["nobody authorised it"]);
    scene.check_new(4, &[]);
}

#[test]
fn the_default_rule_takes_everybody_back_who_was_flipped_with_all() {
    let scene = Scene::ready();
    scene.flip_all().expect(0);
    scene.run(2);
    scene.check_new(2, &["*"]);
    let held = scene.hold(3);
    scene.server.serve_by_hand(CHANGE, &json!("shadow"));
    held.let_it_hear().go();
    scene.check_new(3, &[]);
    scene.server.serve_by_hand(CHANGE, &json!("live"));
    alerted(&scene.run(4), &["nobody authorised it"]);
    scene.check_new(4, &[]);
}

#[test]
fn a_rule_of_theirs_takes_back_whom_it_matches_and_nobody_else() {
    let scene = Scene::ready();
    scene.flip_all().expect(0);
    scene.run(2);
    scene.server.edit_by_hand(CHANGE, |config| {
        config["rules"] = json!([rule_on_key("in", &["bolt"])]);
    });
    alerted(&scene.run(3), &["bolt"]);
    scene.check_new(3, &["acme", "cobalt", ""]);
}

#[test]
fn what_a_hand_took_back_is_so_already_and_nobody_needs_to_be_told() {
    let scene = Scene::live(&["acme"]);
    scene.setting("  api_token: \"${env:LD_API_TOKEN}\"\n", "");
    scene.hand("acme", "shadow");
    alerted(&scene.run(2), &["acme"]);
    for day in 3..=4 {
        no_alert(&scene.run(day));
        scene.check_new(day, &[]);
    }
}

#[test]
fn a_rule_that_may_match_the_unseen_holds_them_back_until_their_first_run() {
    let scene = Scene::ready();
    scene.flip_all().expect(0);
    scene.run(2);
    scene.server.edit_by_hand(CHANGE, |config| {
        config["rules"] = json!([rule_on_key("startsWith", &["de-"])]);
    });
    let more = ["de-one", "elan"];
    (3..=4).for_each(|day| scene.orders(day, &more));
    scene.run(3);
    let moves = scene.moves();
    let new = |day| named(scene.published(day));
    assert_eq!(
        new(3),
        [
            "acme,206",
            "bolt,406",
            "cobalt,606",
            "de-one,503",
            "elan,603"
        ]
    );
    scene.run(4);
    assert_eq!(
        new(4),
        [
            "acme,208",
            "bolt,408",
            "cobalt,608",
            "de-one,504",
            "elan,1208"
        ],
        "{moves:?}"
    );
}

/// Rows without their numbers, and without those that have no customer.
fn named(rows: Vec<String>) -> Vec<String> {
    let rows = rows.into_iter().filter(|row| !row.contains("NULL"));
    let mut rows: Vec<String> = rows
        .map(|row| row.split_once(',').unwrap().1.to_owned())
        .collect();
    rows.sort();
    rows
}

#[test]
fn a_rule_on_keys_does_not_match_rows_without_a_customer() {
    let scene = Scene::ready();
    scene.flip_all().expect(0);
    scene.run(2);
    scene.server.edit_by_hand(CHANGE, |config| {
        config["rules"] = json!([rule_on_key("startsWith", &["de-"])]);
    });
    scene.run(3);
    scene.check_new(3, &["*"]);
}

#[test]
fn towards_new_changes_nothing_but_an_alert_until_flip_authorises_it() {
    let scene = Scene::live(&["acme"]);
    scene.hand("bolt", "live");
    for day in 2..=3 {
        let ended = scene.run(day);
        alerted(&ended, &["bolt"]);
        alerted(&ended, &["nobody authorised it"]);
        scene.check_new(day, &["acme"]);
    }
    let status = scene.understudy(&["status"]).expect(0);
    let said = status.stdout + &status.stderr;
    assert!(
        said.contains("bolt") && said.contains("nobody authorised it"),
        "{said}"
    );
    assert_eq!(scene.moves(), ["flip acme to live"]);
    scene.flip("bolt").expect(0);
    no_alert(&scene.run(4));
    scene.check_new(4, &["acme", "bolt"]);
    // And taken back, there is nothing to say either.
    scene.hand("cobalt", "complete");
    alerted(&scene.run(5), &["cobalt"]);
    scene.hand("cobalt", "shadow");
    no_alert(&scene.run(6));
    scene.check_new(6, &["acme", "bolt"]);
}

#[test]
fn towards_new_during_a_run_changes_nothing_in_it() {
    let scene = Scene::live(&["acme"]);
    let held = scene.hold(2);
    scene.hand("bolt", "live");
    scene.server.serve_by_hand(CHANGE, &json!("complete"));
    held.let_it_hear().go();
    scene.check_new(2, &["acme"]);
    alerted(&scene.run(3), &["nobody authorised it"]);
    scene.check_new(3, &["acme"]);
}

#[test]
fn a_default_rule_that_is_raised_by_hand_gives_nobody_anything() {
    let scene = Scene::ready();
    scene.server.serve_by_hand(CHANGE, &json!("live"));
    alerted(&scene.run(2), &["nobody authorised it"]);
    scene.check_new(2, &[]);
    scene.server.serve_by_hand(CHANGE, &json!("shadow"));
    no_alert(&scene.run(3));
}

#[test]
fn a_hand_and_its_opposite_at_once() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.run(2);
    scene.hand("acme", "shadow");
    scene.hand("cobalt", "live");
    let ended = scene.run(3);
    alerted(&ended, &["acme"]);
    alerted(&ended, &["cobalt"]);
    scene.check_new(3, &["bolt"]);
}

/// A rule that gives `shadow` to customers by their key.
fn rule_on_key(operator: &str, values: &[&str]) -> serde_json::Value {
    json!({
        "_id": "5f0c3f1e-0000-4000-8000-00000000000a",
        "variation": 1,
        "trackEvents": false,
        "clauses": [{
            "_id": "5f0c3f1e-0000-4000-8000-00000000000b",
            "contextKind": "customer",
            "attribute": "key",
            "op": operator,
            "values": values,
            "negate": false,
        }],
    })
}
