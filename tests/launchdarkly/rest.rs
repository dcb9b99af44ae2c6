//! What the REST API answers to a move: refusals, conflicts, limits, nothing at all, and late.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use understudy_scripted_launchdarkly::{ApiScope, RestFault, Route};

use super::scene::{CHANGE, Scene, alerted, no_alert};

fn status(route: Route, status: u16, headers: &[(&str, &str)]) -> RestFault {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    RestFault::Status {
        route,
        status,
        headers: headers.iter().map(owned).collect(),
        body: json!({ "code": "scripted", "message": "as the test has it" }),
    }
}

/// Nothing moved, neither there nor here, and nothing does later.
fn nothing_moved(scene: &Scene) {
    assert!(scene.targeted("live").is_empty());
    assert_eq!(scene.stage("acme"), "shadow");
    for day in 2..=3 {
        scene.run(day);
        scene.check_new(day, &[]);
    }
    assert!(scene.targeted("live").is_empty());
    assert_eq!(scene.stage("acme"), "shadow");
}

#[test]
fn conflicts_limits_and_storms_are_asked_again() {
    let headers: &[(&str, &str)] = &[("Retry-After", "1")];
    let answers = [(409, &[][..]), (429, headers), (500, &[]), (503, &[])];
    let play = |route, code, headers| {
        let scene = Scene::ready();
        scene.server.script_rest(status(route, code, headers), 2);
        scene.flip("acme").expect(0);
        no_alert(&scene.run(2));
        scene.check_new(2, &["acme"]);
        assert_eq!(scene.told(), 1, "{code} {route:?}");
    };
    for route in [Route::GetFlag, Route::DryRun, Route::PatchFlag] {
        std::thread::scope(|scope| {
            for (code, headers) in answers {
                scope.spawn(move || play(route, code, headers));
            }
        });
    }
}

#[test]
fn it_waits_for_as_long_as_it_is_told() {
    let scene = Scene::ready();
    scene
        .server
        .script_rest(status(Route::PatchFlag, 429, &[("Retry-After", "2")]), 1);
    scene.flip("acme").expect(0);
    let patches = scene.patches();
    assert_eq!(patches.len(), 2);
    let between = patches[1].at - patches[0].at;
    assert!(between >= Duration::from_millis(1_900), "{between:?}");
}

#[test]
fn a_patch_that_meets_a_storm_is_sent_again_when_it_may_be() {
    for code in [429, 503] {
        let scene = Scene::ready();
        scene
            .server
            .script_rest(status(Route::PatchFlag, code, &[("Retry-After", "1")]), 3);
        scene.flip("acme").expect(0);
        let patches = scene.patches();
        assert_eq!(patches.len(), 4, "{code}");
        for pair in patches.windows(2) {
            let between = pair[1].at - pair[0].at;
            assert!(between >= Duration::from_millis(900), "{code}: {between:?}");
        }
    }
}

#[test]
fn nothing_is_sent_again_before_it_may_be() {
    let scene = Scene::ready();
    let in_an_hour = &[("Retry-After", "3600")];
    scene
        .server
        .script_rest(status(Route::PatchFlag, 429, in_an_hour), 100);
    let mut flip = scene.shop.begin(&["flip", CHANGE, "--customers", "acme"]);
    scene.wait_for_patch();
    let since = Instant::now();
    while !flip.has_ended() && since.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(scene.patches().len(), 1);
    if !flip.has_ended() {
        flip.signal("KILL");
    }
    flip.end();
}

#[test]
fn a_lost_answer_is_looked_for_and_nothing_is_sent_twice() {
    let scene = Scene::ready();
    let route = Route::PatchFlag;
    scene.server.script_rest(RestFault::AnswerLost { route }, 1);
    scene.flip("acme").expect(0);
    assert_eq!(scene.patches().len(), 1);
    assert_eq!(scene.told(), 1);
    no_alert(&scene.run(2));
    scene.check_new(2, &["acme"]);
}

#[test]
fn a_lost_request_is_sent_again() {
    let scene = Scene::ready();
    let route = Route::PatchFlag;
    scene.server.script_rest(RestFault::LostBefore { route }, 1);
    scene.flip("acme").expect(0);
    assert_eq!(scene.patches().len(), 2);
    let commented = scene.server.audit_log().into_iter();
    let commented =
        commented.filter(|entry| entry["comment"].as_str().is_some_and(|c| !c.is_empty()));
    assert_eq!(commented.count(), 1);
    no_alert(&scene.run(2));
    scene.check_new(2, &["acme"]);
}

#[test]
fn a_stream_that_hears_of_it_late_does_not_unmake_it() {
    // One is longer than anybody waits for flags.
    for delay in [500, 3_000] {
        let scene = Scene::ready();
        scene
            .server
            .delay_stream_of_patches(Duration::from_millis(delay));
        scene.flip("acme").expect(0);
        no_alert(&scene.run(2));
        scene.check_new(2, &["acme"]);
        assert_eq!(scene.moves(), ["flip acme to live"]);
    }
}

#[test]
fn a_scheduled_change_in_the_way_is_shown_and_nothing_moves() {
    let scene = Scene::ready();
    scene.server.add_pending_change(CHANGE);
    let refused = scene.flip("acme");
    assert_ne!(refused.code, 0);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("pending scheduled change"), "{said}");
    assert_eq!(scene.moves(), [""; 0]);
    nothing_moved(&scene);
    scene.server.clear_pending(CHANGE);
    scene.flip("acme").expect(0);
}

#[test]
fn a_refusal_after_the_dry_run_went_well_is_shown_and_nothing_moves() {
    let scene = Scene::ready();
    scene
        .server
        .script_rest(status(Route::PatchFlag, 400, &[]), 1);
    let refused = scene.flip("acme");
    assert_ne!(refused.code, 0);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("as the test has it"), "{said}");
    nothing_moved(&scene);
    scene.flip("acme").expect(0);
    no_alert(&scene.run(4));
    scene.check_new(4, &["acme"]);
}

#[test]
fn a_scheduled_change_does_not_stand_in_the_way_back() {
    let scene = Scene::live(&["acme"]);
    scene.run(2);
    scene.server.add_pending_change(CHANGE);
    scene.rollback("acme").expect(0);
    scene.run(3);
    scene.check_new(3, &[]);
}

#[test]
fn approvals_are_asked_for_and_flip_again_takes_what_was_applied() {
    let scene = Scene::ready();
    scene.server.require_approvals(true);
    let refused = scene.flip("acme").expect(1);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("approval"), "{said}");
    let asked = scene.server.approvals(CHANGE);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["status"], "pending");
    assert_eq!(scene.moves(), [""; 0]);
    no_alert(&scene.run(2));
    scene.check_new(2, &[]);
    let id = asked[0]["_id"].as_str().unwrap();
    scene.server.apply_approval(CHANGE, id);
    assert_eq!(scene.targeted("live"), ["acme".to_owned()].into());
    // The flag alone makes nobody live.
    alerted(&scene.run(3), &["nobody authorised it"]);
    scene.check_new(3, &[]);
    scene.flip("acme").expect(0);
    assert_eq!(scene.moves(), ["flip acme to live"]);
    assert_eq!(scene.told(), 1);
    no_alert(&scene.run(4));
    scene.check_new(4, &["acme"]);
    assert_eq!(scene.server.approvals(CHANGE).len(), 1);
}

#[test]
fn approvals_that_only_the_patch_meets_move_nobody_either() {
    let scene = Scene::ready();
    scene
        .server
        .script_rest(status(Route::PatchFlag, 405, &[]), 100);
    scene.flip("acme").expect(1);
    assert_eq!(scene.server.approvals(CHANGE).len(), 1);
    nothing_moved(&scene);
    assert_eq!(scene.server.approvals(CHANGE).len(), 1, "asked for once");
}

#[test]
fn approvals_do_not_stand_in_the_way_back() {
    let scene = Scene::live(&["acme"]);
    scene.run(2);
    scene.server.require_approvals(true);
    scene.rollback("acme").expect(0);
    scene.run(3);
    scene.check_new(3, &[]);
    assert_eq!(scene.stage("acme"), "shadow");
}

#[test]
fn a_token_that_may_only_read_moves_nobody_towards_new_and_everybody_back() {
    for scope in [ApiScope::Reader, ApiScope::Revoked] {
        let scene = Scene::live(&["bolt"]);
        scene.server.set_api_scope(scope);
        let refused = scene.flip("acme");
        assert_ne!(refused.code, 0);
        let said = refused.stdout + &refused.stderr;
        assert!(said.contains("40"), "{said}");
        assert_eq!(scene.moves(), ["flip bolt to live"]);
        scene.rollback("bolt").expect(0);
        scene.run(2);
        scene.check_new(2, &[]);
        scene.nothing_leaked();
    }
}

#[test]
fn without_a_token_runs_read_and_nobody_is_moved_towards_new() {
    let scene = Scene::live(&["bolt"]);
    scene.setting("  api_token: \"${env:LD_API_TOKEN}\"\n", "");
    no_alert(&scene.run(2));
    scene.check_new(2, &["bolt"]);
    let refused = scene.flip("acme");
    assert_ne!(refused.code, 0);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("api_token"), "{said}");
    scene.rollback("bolt").expect(0);
    scene.run(3);
    scene.check_new(3, &[]);
}

/// Where somebody else's rule names a customer, `flip --all` gives them the new version too, or nobody.
#[test]
fn a_flip_of_all_means_those_too_whom_a_rule_of_theirs_names() {
    let rules: Value = json!([{
        "_id": "5f0c3f1e-0000-4000-8000-00000000000a", "variation": 1, "trackEvents": false,
        "clauses": [{ "_id": "5f0c3f1e-0000-4000-8000-00000000000b", "contextKind": "customer",
            "attribute": "key", "op": "in", "values": ["bolt"], "negate": false }],
    }]);
    let scene = Scene::ready();
    scene
        .server
        .edit_by_hand(CHANGE, |config| config["rules"] = rules);
    if scene.flip_all().code == 0 {
        no_alert(&scene.run(2));
        scene.check_new(2, &["*"]);
    } else {
        assert_eq!(scene.moves(), [""; 0]);
        assert_eq!(scene.served_by_default(), "shadow");
    }
}

#[test]
fn a_flip_that_the_flag_would_not_give_ends_before_the_ledger() {
    let scene = Scene::ready();
    scene.server.create_stage_flag("base");
    scene
        .server
        .edit_by_hand("base", |config| config["on"] = json!(false));
    scene.server.edit_by_hand(CHANGE, |config| {
        config["offVariation"] = json!(1);
        config["prerequisites"] = json!([{ "key": "base", "variation": 2 }]);
    });
    let refused = scene.flip("acme");
    assert_ne!(refused.code, 0);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("acme") || said.contains("base"), "{said}");
    assert_eq!(scene.moves(), [""; 0]);
    assert!(scene.patches().is_empty());
    // What the flag requires is read with it.
    scene.server.edit_by_hand("base", |config| {
        config["on"] = json!(true);
        config["fallthrough"] = json!({ "variation": 2 });
    });
    scene.flip("acme").expect(0);
    no_alert(&scene.run(2));
    scene.check_new(2, &["acme"]);
    scene
        .server
        .edit_by_hand("base", |config| config["on"] = json!(false));
    alerted(&scene.run(3), &["acme"]);
    scene.check_new(3, &[]);
}
