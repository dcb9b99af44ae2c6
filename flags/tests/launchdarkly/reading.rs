//! What a flag says, and when it says nothing that counts.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};
use understudy_core::stage::{LaneStages, Stage};
use understudy_flags::launchdarkly::decide_again;
use understudy_flags::{FlagAnswer, FlagProvider as _, Freshness, Said, Weight};
use understudy_scripted_launchdarkly::Scripted;

use crate::{FLAG, asked, customer, eventually, provider, said, server, settings, stages, taken};

/// The one reason why a flag says nothing that counts.
fn refused(server: &Scripted, held: &LaneStages) -> String {
    let said = said(&provider(server), held);
    assert!(said.stages.0.is_empty(), "it counts: {said:?}");
    said.doubts
        .iter()
        .map(|doubt| doubt.why.clone())
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn targets_rules_segments_and_the_default() {
    let server = server();
    server.create_segment("friends", |segment| {
        segment["includedContexts"] =
            json!([{"contextKind": "customer", "values": ["bolt", "corp"]}]);
    });
    server.edit_by_hand(FLAG, |own| {
        own["contextTargets"] = json!([{"contextKind": "customer", "variation": 2, "values": ["acme"]}]);
        own["rules"] = json!([
            {"_id": "r1", "variation": 2, "trackEvents": false, "clauses": [
                {"_id": "c1", "contextKind": "", "attribute": "", "op": "segmentMatch", "values": ["friends"], "negate": false}]},
            {"_id": "r2", "variation": 0, "trackEvents": false, "clauses": [
                {"_id": "c2", "contextKind": "customer", "attribute": "key", "op": "in", "values": ["dead"], "negate": false}]},
        ]);
    });
    let held = stages(
        &[
            ("acme", Stage::Live),
            ("bolt", Stage::Live),
            ("dead", Stage::Shadow),
        ],
        Stage::Shadow,
    );
    let said = said(&provider(&server), &held);
    let own = &said.stages.0[FLAG];
    let given = ["acme", "bolt", "corp", "dead", "nobody"].map(|name| own.of(&customer(name)));
    assert_eq!(
        given,
        [
            Stage::Live,
            Stage::Live,
            Stage::Live,
            Stage::Off,
            Stage::Shadow
        ]
    );
    assert!(said.doubts.is_empty(), "{:?}", said.doubts);
    // The stored answer gives the same, years later.
    let record = said.record.unwrap();
    let customers = ["acme", "corp", "dead", "nobody"].map(customer);
    let again = decide_again(&record, FLAG, &customers, None).unwrap();
    let stages: Vec<Option<Stage>> = again
        .customers
        .iter()
        .map(|(_, decision)| decision.stage)
        .collect();
    assert_eq!(
        stages,
        [
            Some(Stage::Live),
            Some(Stage::Live),
            Some(Stage::Off),
            Some(Stage::Shadow)
        ]
    );
    let reasons: Vec<&str> = again
        .customers
        .iter()
        .map(|(_, decision)| decision.reason.as_str())
        .collect();
    assert_eq!(reasons, ["targeted", "rule 1", "rule 2", "fallthrough"]);
}

#[test]
fn a_rule_that_is_more_than_a_list_may_match_whom_nothing_names() {
    let server = server();
    server.edit_by_hand(FLAG, |own| {
        own["fallthrough"] = json!({"variation": 2});
        own["rules"] = json!([{"_id": "r1", "variation": 1, "trackEvents": false, "clauses": [
            {"_id": "c1", "contextKind": "customer", "attribute": "key", "op": "startsWith", "values": ["de-"], "negate": false}]}]);
    });
    let mut question = asked(&stages(&[], Stage::Live));
    question.customers = BTreeSet::from([customer("de-1"), customer("fr-1")]);
    let provider = provider(&server);
    let FlagAnswer::Said(Said { stages, .. }) = provider.snapshot(&[question]).unwrap() else {
        panic!()
    };
    let own = &stages.0[FLAG];
    let given = ["de-1", "fr-1", "de-2"].map(|name| own.of(&customer(name)));
    // Who is known gets what the rule says; who is not gets the lowest of what it may be.
    assert_eq!(given, [Stage::Shadow, Stage::Live, Stage::Shadow]);
}

#[test]
fn what_a_cutover_of_data_cannot_rest_on_is_refused() {
    let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let clause = |op: &str, value: &str| json!({"_id": "c", "contextKind": "customer", "attribute": "key", "op": op, "values": [value], "negate": false});
    let rule = |clause: Json| json!([{"_id": "r", "variation": 2, "trackEvents": false, "clauses": [clause]}]);
    let check = |edit: &dyn Fn(&Scripted), expected: &str| {
        let server = server();
        edit(&server);
        let why = refused(&server, &held);
        assert!(why.contains(expected), "{why}");
        assert_eq!(taken(&provider(&server), &held).0, held);
        let found = provider(&server).lint(FLAG).unwrap();
        assert!(
            found.iter().any(|found| found.weight == Weight::Error),
            "{expected}: {found:?}"
        );
    };
    let rollout = json!({"rollout": {"contextKind": "customer", "variations": [
        {"variation": 1, "weight": 90_000}, {"variation": 2, "weight": 10_000}]}});
    check(
        &|server| server.edit_by_hand(FLAG, |own| own["fallthrough"] = rollout.clone()),
        "the default rule is a percentage rollout; a cutover of data wants lists",
    );
    check(
        &|server| {
            server.edit_by_hand(FLAG, |own| {
                let mut rules = rule(clause("in", "acme"));
                rules[0]["variation"] = Json::Null;
                rules[0]["rollout"] = rollout["rollout"].clone();
                own["rules"] = rules;
            });
        },
        "rule 1 is a percentage rollout",
    );
    check(
        &|server| {
            server.edit_by_hand(FLAG, |own| {
                own["rules"] = rule(clause("soundsLike", "acme"))
            })
        },
        "operator that this program does not know",
    );
    check(
        &|server| {
            server.create_segment("big", |segment| segment["unbounded"] = json!(true));
            server.edit_by_hand(FLAG, |own| {
                own["rules"] = rule(clause("segmentMatch", "big"))
            });
        },
        "segment `big`: its list is kept elsewhere",
    );
    check(
        &|server| {
            server.edit_by_hand(FLAG, |own| {
                own["rules"] = rule(clause("segmentMatch", "gone"))
            })
        },
        "segment `gone`, which it names, is not there",
    );
    check(
        &|server| {
            server.edit_flag(FLAG, |flag| {
                for variation in flag["variations"].as_array_mut().unwrap() {
                    variation["value"] = json!(true);
                }
            })
        },
        "none of its variations is one of the texts",
    );
}

#[test]
fn a_decision_counts_only_with_a_variation_that_is_a_stage() {
    let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
    // Off without an off-variation: the reason says OFF, and there is no value.
    let first = server();
    first.edit_by_hand(FLAG, |own| {
        own["on"] = json!(false);
        own.as_object_mut().unwrap().remove("offVariation");
    });
    let (now, alerts) = taken(&provider(&first), &held);
    assert_eq!(now, held);
    assert!(
        alerts
            .iter()
            .any(|alert| alert.contains("no stage (the flag is off)")),
        "{alerts:?}"
    );
    // A target in a variation that is no stage.
    let second = server();
    second.edit_flag(FLAG, |flag| {
        flag["variations"][3]["value"] = json!("rampdown")
    });
    second.edit_by_hand(FLAG, |own| {
        own["contextTargets"] =
            json!([{"contextKind": "customer", "variation": 3, "values": ["acme"]}]);
    });
    let (now, alerts) = taken(&provider(&second), &held);
    assert_eq!(now.of(&customer("acme")), Stage::Live);
    assert!(
        alerts
            .iter()
            .any(|alert| alert.contains("gives acme no stage")),
        "{alerts:?}"
    );
    // Off with one is a way back for everybody.
    let third = server();
    third.edit_by_hand(FLAG, |own| own["on"] = json!(false));
    assert_eq!(
        taken(&provider(&third), &held).0.of(&customer("acme")),
        Stage::Off
    );
}

#[test]
fn a_flag_that_nobody_made_yet_is_no_news() {
    let server = Scripted::start();
    let said = said(&provider(&server), &LaneStages::default());
    assert!(
        said.doubts.is_empty() && said.stages.0.is_empty(),
        "{said:?}"
    );
    let why = refused(&server, &stages(&[("acme", Stage::Live)], Stage::Shadow));
    assert!(why.contains("not there"), "{why}");
}

#[test]
fn versions_that_go_back_are_an_older_environment() {
    let server = server();
    let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
    server.set_version(FLAG, 7);
    server.push_put();
    let mut question = asked(&held);
    question.last_version = Some(9);
    let FlagAnswer::Said(said) = provider(&server).snapshot(&[question]).unwrap() else {
        panic!()
    };
    assert!(
        said.stages.0.is_empty() && said.doubts[0].why.contains("went back from 9 to 7"),
        "{said:?}"
    );
    // Within one process it is noticed without the ledger.
    let provider = provider(&server);
    taken(&provider, &held);
    server.set_version(FLAG, 3);
    server.push_put();
    eventually("it is noticed", Duration::from_secs(3), || {
        taken(&provider, &held)
            .1
            .iter()
            .any(|alert| alert.contains("went back from 7 to 3"))
    });
    assert_eq!(taken(&provider, &held).0, held);
}

#[test]
fn nothing_is_ever_reported_of_an_evaluation() {
    let server = server();
    let provider = provider(&server);
    let held = stages(
        &[("acme", Stage::Live), ("bolt", Stage::Live)],
        Stage::Shadow,
    );
    taken(&provider, &held);
    drop(provider);
    std::thread::sleep(Duration::from_millis(300));
    for request in server.received() {
        assert_ne!(request.path, "/bulk");
        let all = format!("{request:?}{}", String::from_utf8_lossy(&request.body));
        assert!(!all.contains("acme") && !all.contains("bolt"), "{all}");
    }
}

#[test]
fn flags_are_polled_where_that_is_asked_for() {
    let server = server();
    server.edit_by_hand(FLAG, |own| own["fallthrough"] = json!({"variation": 0}));
    let mut settings = settings(&server);
    settings.mode = understudy_core::spec::LaunchDarklyMode::Polling;
    settings.stale_after = Duration::from_secs(300);
    let provider = understudy_flags::LaunchDarkly::new(settings);
    let own = said(&provider, &LaneStages::default());
    assert_eq!(own.stages.0[FLAG].unlisted, Stage::Off);
    assert_eq!(provider.freshness(), Freshness::Fresh);
    assert!(
        server
            .received()
            .iter()
            .all(|request| request.path != "/all")
    );
}

#[test]
fn lint_says_what_would_surprise() {
    let server = server();
    server.create_flag("other", &[json!(true), json!(false)]);
    server.edit_by_hand("other", |own| own["on"] = json!(false));
    server.add_pending_change(FLAG);
    server.add_pending_approval(FLAG);
    server.edit_by_hand(FLAG, |own| {
        own["on"] = json!(false);
        own.as_object_mut().unwrap().remove("offVariation");
        own["contextTargets"] = json!([
            {"contextKind": "customer", "variation": 1, "values": ["acme"]},
            {"contextKind": "customer", "variation": 2, "values": ["acme", "bolt"]},
        ]);
        own["targets"] = json!([{"variation": 2, "values": ["somebody"]}]);
        own["rules"] = json!([{"_id": "r1", "variation": 0, "trackEvents": false, "clauses": [
            {"_id": "c1", "contextKind": "customer", "attribute": "key", "op": "in", "values": ["bolt"], "negate": false}]},
            {"_id": "r2", "variation": 0, "trackEvents": false, "clauses": [
            {"_id": "c2", "contextKind": "customer", "attribute": "tier", "op": "in", "values": ["gold"], "negate": false}]}]);
        own["prerequisites"] = json!([{"key": "other", "variation": 0}]);
    });
    let found = provider(&server).lint(FLAG).unwrap();
    for expected in [
        "it has no off-variation",
        "it is off",
        "\"acme\" is targeted in two variations",
        "contexts of the kind `user`",
        "rule 1 matches \"bolt\", whose individual target comes before it",
        "rule 2 asks for what a customer's context does not have",
        "its prerequisite `other` is not met",
        "1 change is scheduled for it",
        "1 change waits for approval",
    ] {
        assert!(
            found.iter().any(|found| found.what.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
    let clean = crate::server();
    let found = provider(&clean).lint(FLAG).unwrap();
    assert_eq!(found, Vec::new());
}
