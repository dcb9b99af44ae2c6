//! The REST API as it is documented.

use serde_json::{Value, json};
use understudy_scripted_launchdarkly::{ApiScope, Scripted};

use crate::rest_client::{Rest, SEMANTIC};

fn with_flag(test: impl FnOnce(&Rest<'_>)) {
    let server = Scripted::start();
    server.create_stage_flag("f");
    test(&Rest { server: &server });
}

fn customers(rest: &Rest<'_>, variation: usize) -> Vec<String> {
    let config = rest.config("f");
    let groups = config["contextTargets"].as_array().unwrap().iter();
    let groups = groups.filter(|group| group["variation"] == variation);
    let values = groups.flat_map(|group| group["values"].as_array().unwrap().clone());
    values
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_flag_is_read_and_unknown_things_are_not_found() {
    with_flag(|rest| {
        let path = rest.flag_path("f");
        let answer = rest.get(&path);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, rest.server.flag("f").unwrap());
        assert_eq!(answer.header("x-ratelimit-route-remaining"), Some("10"));
        assert!(answer.header("x-ratelimit-global-remaining").is_some());
        assert!(answer.header("x-ratelimit-reset").is_some());
        let environments = |query: &str| {
            let answer = rest.get(&format!("{path}?env={query}"));
            answer.body["environments"].as_object().unwrap().len()
        };
        assert_eq!(environments("production"), 1);
        assert_eq!(environments("test"), 0);
        for path in [
            rest.flag_path("unknown"),
            "/api/v2/flags/other/f".to_owned(),
            "/api/v2/nothing".to_owned(),
            "/elsewhere".to_owned(),
        ] {
            let answer = rest.get(&path);
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.body["code"], "not_found");
        }
    });
}

#[test]
fn tokens_versions_and_content_types_are_checked() {
    with_flag(|rest| {
        let path = rest.flag_path("f");
        let token = rest.server.api_token();
        let ask = |headers: &[(&str, &str)]| rest.raw("GET", &path, headers, None).unwrap().status;
        assert_eq!(ask(&[("LD-API-Version", "20240415")]), 401);
        assert_eq!(
            ask(&[
                ("Authorization", rest.server.sdk_key()),
                ("LD-API-Version", "20240415")
            ]),
            401
        );
        assert_eq!(ask(&[("Authorization", token)]), 400);
        assert_eq!(
            ask(&[("Authorization", token), ("LD-API-Version", "20220603")]),
            400
        );
        assert_eq!(
            ask(&[("Authorization", token), ("LD-API-Version", "beta")]),
            200
        );

        let body =
            json!({ "environmentKey": "production", "instructions": [{ "kind": "turnFlagOff" }] });
        let patch = |content: &str| {
            let headers = [
                ("Authorization", token),
                ("LD-API-Version", "20240415"),
                ("Content-Type", content),
            ];
            rest.raw("PATCH", &path, &headers, Some(&body))
                .unwrap()
                .status
        };
        assert_eq!(patch("application/json"), 400);
        assert_eq!(patch(SEMANTIC), 200);
    });
}

#[test]
fn a_reader_may_not_change_anything() {
    with_flag(|rest| {
        let off = json!([{ "kind": "turnFlagOff" }]);
        rest.server.set_api_scope(ApiScope::Reader);
        assert_eq!(rest.get(&rest.flag_path("f")).status, 200);
        assert_eq!(rest.patch("f", "", &off).unwrap().status, 403);
        assert_eq!(
            rest.send("POST", "/api/v2/auditlog", Some(&json!([])))
                .unwrap()
                .status,
            200
        );
        rest.server.set_api_scope(ApiScope::Revoked);
        assert_eq!(rest.get(&rest.flag_path("f")).status, 401);
        rest.server.set_api_scope(ApiScope::Writer);
        assert_eq!(rest.patch("f", "", &off).unwrap().status, 200);
        assert_eq!(rest.config("f")["on"], false);
    });
}

#[test]
fn a_customer_is_targeted_once_and_so_the_order_matters() {
    with_flag(|rest| {
        let (add, remove) = ("addTargets", "removeTargets");
        let first = json!([rest.targets(add, "f", "shadow", &["acme", "globex"])]);
        assert_eq!(rest.patch("f", "", &first).unwrap().status, 200);
        let out = rest.targets(remove, "f", "shadow", &["acme"]);
        let into = rest.targets(add, "f", "live", &["acme"]);

        let before = rest.server.flag("f");
        let refused = rest.patch("f", "", &json!([into, out])).unwrap();
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (400, &json!("invalid_request"))
        );
        assert_eq!(rest.server.flag("f"), before, "all or nothing");
        assert_eq!(
            rest.patch("f", "", &json!([out, into])).unwrap().status,
            200
        );
        assert_eq!(customers(rest, 1), ["globex"]);
        assert_eq!(customers(rest, 2), ["acme"]);
        assert_eq!(rest.config("f")["version"], 3);
    });
}

#[test]
fn refused_patches_change_nothing() {
    with_flag(|rest| {
        let before = rest.server.flag("f");
        let id = rest.id("f", "live");
        let off = json!({ "kind": "turnFlagOff" });
        let fallthrough = "updateFallthroughVariationOrRollout";
        for wrong in [
            json!({ "kind": "turnFlagAround" }),
            json!({}),
            json!({ "kind": "updateOffVariation", "variationId": "unknown" }),
            json!({ "kind": "addTargets", "contextKind": "customer", "values": "acme", "variationId": id }),
            json!({ "kind": "addTargets", "contextKind": "customer", "variationId": id }),
            json!({ "kind": fallthrough }),
            json!({ "kind": fallthrough, "rolloutWeights": { id.clone(): 99_999 } }),
            json!({ "kind": "addRule", "variationId": id }),
            json!({ "kind": "addRule", "variationId": id, "clauses": [], "beforeRuleId": "unknown" }),
            json!({ "kind": "addPrerequisite", "key": "f", "variationId": id }),
            json!({ "kind": "addPrerequisite", "key": "unknown", "variationId": id }),
            json!({ "kind": "replaceTargets", "targets": [
                { "contextKind": "customer", "values": ["a"], "variationId": id },
                { "contextKind": "customer", "values": ["a"], "variationId": rest.id("f", "off") },
            ] }),
        ] {
            let answer = rest.patch("f", "", &json!([off, wrong])).unwrap();
            assert_eq!(answer.status, 400, "{wrong}");
            assert_eq!(rest.server.flag("f"), before, "{wrong}");
        }
        let path = rest.flag_path("f");
        let send = |body: Value| rest.send("PATCH", &path, Some(&body)).unwrap().status;
        assert_eq!(send(json!({ "instructions": [off] })), 400);
        assert_eq!(
            send(json!({ "environmentKey": "production", "instructions": [] })),
            400
        );
        assert_eq!(
            send(json!({ "environmentKey": "test", "instructions": [off] })),
            404
        );
        assert_eq!(rest.server.flag("f"), before);
    });
}

#[test]
fn targets_are_replaced_and_cleared() {
    with_flag(|rest| {
        let live = rest.id("f", "live");
        let both = [
            rest.targets("addTargets", "f", "live", &["acme"]),
            json!({ "kind": "addTargets", "values": ["ann"], "variationId": live }),
            rest.targets("addTargets", "f", "off", &["globex"]),
        ];
        rest.patch("f", "", &json!(both)).unwrap();
        let clear = json!([{ "kind": "clearTargets", "variationId": live }]);
        rest.patch("f", "", &clear).unwrap();
        assert_eq!(rest.config("f")["targets"], json!([]));
        assert_eq!(
            (customers(rest, 0), customers(rest, 2).len()),
            (vec!["globex".to_owned()], 0)
        );
        let target =
            json!({ "contextKind": "customer", "values": ["initech"], "variationId": live });
        let replace = json!([{ "kind": "replaceTargets", "targets": [target] }]);
        rest.patch("f", "", &replace).unwrap();
        assert_eq!(
            (customers(rest, 0).len(), customers(rest, 2)),
            (0, vec!["initech".to_owned()])
        );
    });
}

#[test]
fn rules_rollouts_and_prerequisites_change() {
    with_flag(|rest| {
        rest.server.create_stage_flag("wanted");
        let live = rest.id("f", "live");
        let clause = json!({ "contextKind": "customer", "attribute": "tier", "op": "in", "values": ["internal"] });
        let rule = json!({ "kind": "addRule", "clauses": [clause], "variationId": live });
        rest.patch("f", "", &json!([rule])).unwrap();
        let first = rest.config("f")["rules"][0].clone();
        assert!(first["_id"].is_string() && first["clauses"][0]["_id"].is_string());

        let mut before = rule.clone();
        before["beforeRuleId"] = first["_id"].clone();
        let weights = json!({ rest.id("f", "off"): 90_000, live: 10_000 });
        before["rolloutWeights"] = weights;
        before["rolloutContextKind"] = json!("customer");
        before.as_object_mut().unwrap().shift_remove("variationId");
        rest.patch("f", "", &json!([before])).unwrap();
        let rules = rest.config("f")["rules"].clone();
        assert_eq!(rules[1]["_id"], first["_id"]);
        assert_eq!(
            rules[0]["rollout"]["variations"][2],
            json!({ "variation": 2, "weight": 10_000 })
        );
        assert_eq!(rules[0]["rollout"]["contextKind"], "customer");

        let ids = json!([rules[1]["_id"], rules[0]["_id"]]);
        rest.patch(
            "f",
            "",
            &json!([{ "kind": "reorderRules", "ruleIds": ids }]),
        )
        .unwrap();
        assert_eq!(rest.config("f")["rules"][0]["_id"], first["_id"]);
        let remove = json!({ "kind": "removeRule", "ruleId": first["_id"] });
        rest.patch("f", "", &json!([remove])).unwrap();
        assert_eq!(rest.config("f")["rules"].as_array().unwrap().len(), 1);
        assert_eq!(
            rest.patch("f", "", &json!([remove])).unwrap().status,
            200,
            "it does nothing"
        );

        let id = rest.id("wanted", "complete");
        let wanted = json!({ "kind": "addPrerequisite", "key": "wanted", "variationId": id });
        rest.patch("f", "", &json!([wanted])).unwrap();
        assert_eq!(
            rest.config("f")["prerequisites"],
            json!([{ "key": "wanted", "variation": 3 }])
        );
        let unwanted = json!({ "kind": "removePrerequisite", "key": "wanted" });
        rest.patch("f", "", &json!([unwanted])).unwrap();
        assert_eq!(rest.config("f")["prerequisites"], json!([]));
    });
}

#[test]
fn a_dry_run_shows_what_would_be_and_keeps_nothing() {
    with_flag(|rest| {
        let before = rest.server.flag("f");
        let entries = rest.server.audit_log().len();
        let add = json!([rest.targets("addTargets", "f", "live", &["acme"])]);
        let tried = rest.patch("f", "?dryRun=true", &add).unwrap();
        assert_eq!(tried.status, 200);
        assert_eq!(rest.server.flag("f"), before);
        assert_eq!(rest.server.audit_log().len(), entries);
        let mut done = rest.patch("f", "", &add).unwrap().body;
        let date = &tried.body["environments"]["production"]["lastModified"];
        done["environments"]["production"]["lastModified"] = date.clone();
        assert_eq!(tried.body, done);
        let wrong = json!([rest.targets("addTargets", "f", "off", &["acme"])]);
        assert_eq!(rest.patch("f", "?dryRun=true", &wrong).unwrap().status, 400);
    });
}

#[test]
fn a_patch_that_changes_nothing_is_no_version() {
    with_flag(|rest| {
        let entries = rest.server.audit_log().len();
        let nothing = json!([
            { "kind": "turnFlagOn" },
            rest.targets("removeTargets", "f", "live", &["acme"]),
            rest.targets("addTargets", "f", "live", &["acme"]),
            rest.targets("removeTargets", "f", "live", &["acme"]),
        ]);
        assert_eq!(rest.patch("f", "", &nothing).unwrap().status, 200);
        assert_eq!(rest.config("f")["version"], 1);
        assert_eq!(rest.server.audit_log().len(), entries);
    });
}

#[test]
fn cohorts_of_a_migration_flag_serve_rollouts_only() {
    with_flag(|rest| {
        rest.server.create_migration_flag("m");
        let id = rest.id("m", "live");
        let kind = "updateFallthroughVariationOrRollout";
        let single = json!([{ "kind": kind, "variationId": id }]);
        assert_eq!(rest.patch("m", "", &single).unwrap().status, 400);
        let rollout = json!([{ "kind": kind, "rolloutWeights": { id: 100_000 } }]);
        assert_eq!(rest.patch("m", "", &rollout).unwrap().status, 200);
        let path = rest.flag_path("m");
        let plain = rest.get(&path).body;
        assert_eq!(plain["purpose"], "migration");
        assert!(plain["migrationSettings"].is_null());
        let expanded = rest.get(&format!("{path}?expand=migrationSettings")).body;
        assert_eq!(expanded["migrationSettings"]["stageCount"], 4);
        assert_eq!(
            expanded["environments"]["production"]["migrationSettings"]["checkRatio"],
            1
        );
    });
}

#[test]
fn the_audit_log_is_searched() {
    with_flag(|rest| {
        rest.server.create_stage_flag("g");
        let patch = |key: &str, comment: &str, kind: &str| {
            let body = json!({ "comment": comment, "environmentKey": "production",
                               "instructions": [{ "kind": kind }] });
            rest.send("PATCH", &rest.flag_path(key), Some(&body))
                .unwrap();
        };
        patch("f", "understudy decision-17", "turnFlagOff");
        patch("g", "understudy decision-18", "turnFlagOff");
        patch("f", "back again", "turnFlagOn");
        let search = |query: &str| {
            let answer = rest.get(&format!("/api/v2/auditlog?{query}"));
            assert_eq!(answer.status, 200, "{query}");
            let items = answer.body["items"].as_array().unwrap().clone();
            items
                .iter()
                .map(|item| item["comment"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let (first, second) = ("understudy decision-17", "understudy decision-18");
        assert_eq!(search("q=decision-17"), [first]);
        assert_eq!(search("q=understudy+decision%2D"), [second, first]);
        assert_eq!(search("q=nothing"), [""; 0]);
        assert_eq!(search("limit=2"), ["back again", second]);
        let of_f = "spec=proj/default:env/production:flag/f";
        assert_eq!(search(&format!("{of_f}&limit=2")), ["back again", first]);
        assert_eq!(
            search("spec=proj%2F*%3Aenv%2F*%3Aflag%2Fg&q=decision"),
            [second]
        );
        assert_eq!(search("spec=proj/*:env/test:flag/*"), [""; 0]);
        assert_eq!(search("after=99999999999999"), [""; 0]);
        assert_eq!(search("before=99999999999999").len(), 5);
        assert_eq!(rest.get("/api/v2/auditlog?limit=21").status, 400);
        let policy =
            json!([{ "effect": "allow", "resources": ["proj/*:env/*:flag/g"], "actions": ["*"] }]);
        let found = rest
            .send("POST", "/api/v2/auditlog?q=decision", Some(&policy))
            .unwrap();
        assert_eq!(found.body["items"][0]["comment"], second);
        assert_eq!(found.body["items"].as_array().unwrap().len(), 1);
        let entry = &found.body["items"][0];
        assert!(entry["_id"].is_string() && entry["date"].is_u64() && entry["kind"] == "flag");
    });
}

#[test]
fn where_approval_is_needed_it_is_asked_for_and_applied() {
    with_flag(|rest| {
        rest.server.require_approvals(true);
        let add = json!([rest.targets("addTargets", "f", "live", &["acme"])]);
        for query in ["", "?dryRun=true"] {
            let refused = rest.patch("f", query, &add).unwrap();
            assert_eq!(refused.status, 405, "{query}");
            assert!(refused.body["message"].is_string());
        }
        let path = format!("{}/approval-requests", rest.place("f"));
        let ask = |body: Value| rest.send("POST", &path, Some(&body)).unwrap();
        assert_eq!(ask(json!({ "instructions": add })).status, 400);
        assert_eq!(ask(json!({ "description": "please" })).status, 400);
        let asked = ask(json!({ "description": "please", "instructions": add, "comment": "c" }));
        assert_eq!(
            (asked.status, &asked.body["reviewStatus"]),
            (201, &json!("pending"))
        );
        let id = asked.body["_id"].as_str().unwrap();
        assert_eq!(rest.get(&path).body["items"][0]["_id"], id);
        assert_eq!(rest.server.approvals("f").len(), 1);
        rest.server.apply_approval("f", id);
        assert_eq!(customers(rest, 2), ["acme"]);
        assert_eq!(
            rest.get(&format!("{path}/{id}")).body["status"],
            "completed"
        );
        assert_eq!(rest.get(&format!("{path}/unknown")).status, 404);
    });
}

#[test]
fn pending_changes_stand_in_the_way_unless_they_are_ignored() {
    with_flag(|rest| {
        let off = json!([{ "kind": "turnFlagOff" }]);
        let on = json!([{ "kind": "turnFlagOn" }]);
        let change = rest.server.add_pending_change("f");
        let path = format!("{}/scheduled-changes", rest.place("f"));
        assert_eq!(rest.get(&path).body["items"][0]["_id"], change.as_str());
        assert_eq!(rest.patch("f", "", &off).unwrap().status, 400);
        assert_eq!(
            rest.patch("f", "?ignoreConflicts=true", &off)
                .unwrap()
                .status,
            200
        );
        rest.server.clear_pending("f");
        assert_eq!(rest.patch("f", "", &on).unwrap().status, 200);
        let approval = rest.server.add_pending_approval("f");
        assert_eq!(rest.patch("f", "", &off).unwrap().status, 400);
        rest.server.decline_approval("f", &approval);
        assert_eq!(rest.patch("f", "", &off).unwrap().status, 200);
    });
}

#[test]
fn segments_are_created_read_and_changed() {
    with_flag(|rest| {
        let all = "/api/v2/segments/default/production";
        let one = "/api/v2/segments/default/production/early";
        assert_eq!(rest.get(one).status, 404);
        let new = json!({ "key": "early", "name": "Early customers" });
        assert_eq!(
            rest.send("POST", all, Some(&json!({ "key": "early" })))
                .unwrap()
                .status,
            400
        );
        assert_eq!(rest.send("POST", all, Some(&new)).unwrap().status, 201);
        assert_eq!(rest.send("POST", all, Some(&new)).unwrap().status, 409);
        let change = |kind: &str, values: Value| {
            let instruction = json!({ "kind": kind, "contextKind": "customer", "values": values });
            let body = json!({ "environmentKey": "production", "instructions": [instruction], "comment": "c" });
            rest.send("PATCH", one, Some(&body)).unwrap().status
        };
        assert_eq!(change("addIncludedTargets", json!(["acme", "globex"])), 200);
        assert_eq!(change("addExcludedTargets", json!(["acme"])), 400);
        assert_eq!(change("removeIncludedTargets", json!(["acme"])), 200);
        assert_eq!(change("addExcludedTargets", json!(["acme"])), 200);
        assert_eq!(change("removeExcludedTargets", json!(["unknown"])), 200);
        assert_eq!(change("addIncludedPeople", json!(["acme"])), 400);
        let segment = rest.get(one).body;
        let included = json!([{ "values": ["globex"], "contextKind": "customer" }]);
        assert_eq!(
            (&segment["includedContexts"], &segment["version"]),
            (&included, &json!(4))
        );
        let many: Vec<String> = (0..14_999).map(|i| format!("c{i}")).collect();
        assert_eq!(
            change("addIncludedTargets", json!(many)),
            400,
            "with globex and acme it is one too many"
        );
        assert_eq!(change("removeExcludedTargets", json!(["acme"])), 200);
        assert_eq!(change("addIncludedTargets", json!(many)), 200);
        assert_eq!(rest.server.segment("early").unwrap()["version"], 6);
    });
}
