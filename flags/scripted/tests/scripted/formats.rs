//! What the SDK is told parses by the vendor's crates and evaluates as it should.

use launchdarkly_server_sdk::{AllData, ContextBuilder};
use launchdarkly_server_sdk_evaluation::{Context, Flag, FlagValue, Segment, Store, evaluate};
use serde_json::{Value, json};
use understudy_scripted_launchdarkly::Scripted;

struct Known(AllData<Flag, Segment>);

impl Store for Known {
    fn flag(&self, key: &str) -> Option<Flag> {
        self.0.flags.get(key).cloned()
    }

    fn segment(&self, key: &str) -> Option<Segment> {
        self.0.segments.get(key).cloned()
    }
}

fn known(server: &Scripted) -> Known {
    Known(serde_json::from_value(server.sdk_data()).unwrap())
}

fn context(kind: &str, key: &str) -> Context {
    ContextBuilder::new(key).kind(kind).build().unwrap()
}

/// What a flag gives, and why.
fn given(store: &Known, flag: &str, context: &Context) -> (Option<String>, String) {
    let flag = store.flag(flag).unwrap();
    let detail = evaluate(store, &flag, context, None);
    let value = detail.value.and_then(FlagValue::as_string);
    let reason = serde_json::to_value(&detail.reason).unwrap();
    (value, reason["kind"].as_str().unwrap().to_owned())
}

fn is(value: &str, reason: &str) -> (Option<String>, String) {
    (Some(value.to_owned()), reason.to_owned())
}

#[test]
fn the_documented_minimum_of_a_flag_parses_and_without_rules_does_not() {
    let minimal = json!({
        "key": "orders", "version": 7, "on": true, "salt": "s", "targets": [], "prerequisites": [],
        "rules": [{
            "id": "r1", "variation": 1, "trackEvents": false,
            "clauses": [{ "contextKind": "customer", "attribute": "tier", "op": "in",
                          "values": ["internal"], "negate": false }],
        }],
        "contextTargets": [{ "contextKind": "customer", "variation": 1, "values": ["acme"] }],
        "fallthrough": { "variation": 0 }, "offVariation": 0, "variations": ["off", "shadow"],
    });
    serde_json::from_value::<Flag>(minimal.clone()).unwrap();
    let mut malformed = minimal;
    malformed.as_object_mut().unwrap().shift_remove("rules");
    serde_json::from_value::<Flag>(malformed).unwrap_err();
}

#[test]
fn customers_and_users_are_targeted_apart() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.target_by_hand("f", "acme", &json!("live"));
    let user = json!({ "kind": "addTargets", "values": ["acme"],
                       "variationId": server.variation_id("f", &json!("complete")) });
    server.change_by_hand("f", &[user]);

    let store = known(&server);
    assert_eq!(
        given(&store, "f", &context("customer", "acme")),
        is("live", "TARGET_MATCH")
    );
    assert_eq!(
        given(&store, "f", &context("user", "acme")),
        is("complete", "TARGET_MATCH")
    );
    assert_eq!(
        given(&store, "f", &context("customer", "globex")),
        is("shadow", "FALLTHROUGH")
    );

    let config = server.flag("f").unwrap()["environments"]["production"].clone();
    let users = json!([{ "values": ["acme"], "variation": 3, "contextKind": "user" }]);
    assert_eq!(config["targets"], users);
    assert_eq!(
        config["contextTargets"],
        json!([
            { "values": ["acme"], "variation": 2, "contextKind": "customer" },
            { "values": [], "variation": 3, "contextKind": "user" },
        ])
    );
}

#[test]
fn rules_segments_and_prerequisites_evaluate() {
    let server = Scripted::start();
    server.create_stage_flag("first");
    server.create_stage_flag("second");
    server.create_segment("early", |segment| {
        segment["includedContexts"] = json!([{ "contextKind": "customer", "values": ["acme"] }]);
    });
    let id = |flag: &str, stage: &str| server.variation_id(flag, &json!(stage));
    let clause = json!({ "attribute": "segmentMatch", "op": "segmentMatch", "values": ["early"] });
    let rule =
        json!({ "kind": "addRule", "clauses": [clause], "variationId": id("first", "live") });
    server.change_by_hand("first", &[rule]);
    let wanted =
        json!({ "kind": "addPrerequisite", "key": "first", "variationId": id("first", "live") });
    server.change_by_hand("second", &[wanted]);

    let store = known(&server);
    let (acme, globex) = (context("customer", "acme"), context("customer", "globex"));
    assert_eq!(given(&store, "first", &acme), is("live", "RULE_MATCH"));
    assert_eq!(given(&store, "first", &globex), is("shadow", "FALLTHROUGH"));
    assert_eq!(given(&store, "second", &acme), is("shadow", "FALLTHROUGH"));
    assert_eq!(
        given(&store, "second", &globex),
        is("off", "PREREQUISITE_FAILED")
    );
}

#[test]
fn a_flag_that_is_off_gives_the_off_variation_or_nothing() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.edit_by_hand("f", |config| config["on"] = json!(false));
    let acme = context("customer", "acme");
    assert_eq!(given(&known(&server), "f", &acme), is("off", "OFF"));
    server.edit_by_hand("f", |config| config["offVariation"] = Value::Null);
    assert_eq!(given(&known(&server), "f", &acme), (None, "OFF".to_owned()));
}

#[test]
fn a_migration_flag_serves_rollouts_and_parses() {
    let server = Scripted::start();
    server.create_migration_flag("m");
    let acme = context("customer", "acme");
    assert_eq!(
        given(&known(&server), "m", &acme),
        is("shadow", "FALLTHROUGH")
    );
    let flag = known(&server).flag("m").unwrap();
    assert_eq!(flag.migration_settings.unwrap().check_ratio, Some(1));
    server.serve_by_hand("m", &json!("live"));
    assert_eq!(
        given(&known(&server), "m", &acme),
        is("live", "FALLTHROUGH")
    );
    let config = server.flag("m").unwrap()["environments"]["production"].clone();
    assert_eq!(
        config["fallthrough"]["rollout"]["variations"],
        json!([
            { "variation": 0, "weight": 0 },
            { "variation": 1, "weight": 0 },
            { "variation": 2, "weight": 100_000 },
            { "variation": 3, "weight": 0 },
        ])
    );
}

#[test]
fn flags_of_other_types_and_archived_ones() {
    let server = Scripted::start();
    server.create_flag("boolean", &[json!(false), json!(true)]);
    server.create_flag("numbers", &[json!(1), json!(2.5)]);
    server.create_flag("single", &[json!({ "a": [1] })]);
    assert_eq!(known(&server).0.flags.len(), 3);
    server.edit_flag("numbers", |flag| flag["archived"] = json!(true));
    assert!(!known(&server).0.flags.contains_key("numbers"));
}
