//! Flags: as the REST API shows them, and what the SDK is told of them.

use serde_json::{Map, Value, json};

use crate::state::{new_id, now_ms};

/// The variations of a stage flag and of a migration flag of four stages.
pub(crate) const STAGES: [&str; 4] = ["off", "shadow", "live", "complete"];
/// All of a rollout, in thousandths of a percent.
pub(crate) const WHOLE: u64 = 100_000;
/// The kind of a context that is the user of old.
pub(crate) const USER: &str = "user";

/// What a flag is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Any,
    Migration,
}

/// What a new flag is made of.
pub(crate) struct NewFlag<'a> {
    pub(crate) project: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) key: &'a str,
    pub(crate) values: &'a [Value],
    pub(crate) purpose: Purpose,
    pub(crate) version: u64,
}

/// A flag as the REST API shows it: on, everybody served the second variation, the first one when off.
pub(crate) fn new_flag(new: &NewFlag<'_>) -> Value {
    let variation = |value: &Value| json!({ "_id": new_id(), "value": value });
    let variations: Vec<Value> = new.values.iter().map(variation).collect();
    let on = usize::from(variations.len() > 1);
    let boolean = new.values.iter().all(Value::is_boolean);
    let path = format!("/api/v2/flags/{}/{}", new.project, new.key);
    let mut environments = Map::new();
    environments.insert(new.environment.to_owned(), environment(new, on));
    let mut flag = json!({
        "_links": { "self": { "href": path, "type": "application/json" } },
        "name": new.key,
        "kind": if boolean { "boolean" } else { "multivariate" },
        "description": "",
        "key": new.key,
        "_version": 1,
        "creationDate": now_ms(),
        "clientSideAvailability": { "usingMobileKey": false, "usingEnvironmentId": false },
        "variations": variations,
        "temporary": true,
        "tags": [],
        "customProperties": {},
        "archived": false,
        "deprecated": false,
        "defaults": { "onVariation": on, "offVariation": 0 },
        "environments": environments,
    });
    if new.purpose == Purpose::Migration {
        flag["purpose"] = json!("migration");
        flag["migrationSettings"] = json!({ "contextKind": USER, "stageCount": new.values.len() });
    }
    flag
}

fn environment(new: &NewFlag<'_>, on: usize) -> Value {
    let mut environment = json!({
        "on": true,
        "archived": false,
        "salt": new_id().replace('-', ""),
        "sel": new_id().replace('-', ""),
        "lastModified": now_ms(),
        "version": new.version,
        "targets": [],
        "contextTargets": [],
        "rules": [],
        "fallthrough": { "variation": on },
        "offVariation": 0,
        "prerequisites": [],
        "trackEvents": false,
        "trackEventsFallthrough": false,
        "_environmentName": new.environment,
    });
    if new.purpose == Purpose::Migration {
        environment["fallthrough"] = json!({ "rollout": all_of_it(on, new.values.len()) });
        environment["migrationSettings"] = json!({ "checkRatio": 1 });
    }
    environment
}

/// A rollout that serves everybody one variation.
pub(crate) fn all_of_it(served: usize, variations: usize) -> Value {
    let weight = |index| if index == served { WHOLE } else { 0 };
    let weights = (0..variations).map(|i| json!({ "variation": i, "weight": weight(i) }));
    json!({ "contextKind": USER, "variations": weights.collect::<Vec<_>>() })
}

pub(crate) fn is_migration(flag: &Value) -> bool {
    flag["purpose"] == "migration"
}

/// The ids of the variations, in order.
pub(crate) fn variation_ids(flag: &Value) -> Vec<String> {
    let id = |variation: &Value| variation["_id"].as_str().unwrap_or_default().to_owned();
    items(&flag["variations"]).iter().map(id).collect()
}

/// What the SDK is told of a flag.
pub(crate) fn sdk_flag(flag: &Value, environment: &str) -> Value {
    let config = &flag["environments"][environment];
    let values = items(&flag["variations"])
        .iter()
        .map(|v| v["value"].clone());
    let mut told = json!({
        "key": flag["key"],
        "on": config["on"],
        "prerequisites": config["prerequisites"],
        "targets": config["targets"],
        "contextTargets": config["contextTargets"],
        "rules": items(&config["rules"]).iter().map(sdk_rule).collect::<Vec<_>>(),
        "fallthrough": config["fallthrough"],
        "offVariation": config["offVariation"],
        "variations": values.collect::<Vec<_>>(),
        "clientSideAvailability": flag["clientSideAvailability"],
        "clientSide": false,
        "salt": config["salt"],
        "trackEvents": config["trackEvents"],
        "trackEventsFallthrough": config["trackEventsFallthrough"],
        "debugEventsUntilDate": null,
        "version": config["version"],
        "deleted": false,
    });
    if is_migration(flag) {
        told["migration"] = json!({ "checkRatio": config["migrationSettings"]["checkRatio"] });
    }
    told
}

/// A rule, or a rule of a segment: `_id` is `id` for the SDK, and its clauses have none.
pub(crate) fn sdk_rule(rule: &Value) -> Value {
    let mut told = Map::new();
    for (name, value) in rule.as_object().into_iter().flatten() {
        match name.as_str() {
            "_id" => told.insert("id".to_owned(), value.clone()),
            "clauses" => {
                let clauses = items(value).iter().map(sdk_clause).collect();
                told.insert(name.clone(), Value::Array(clauses))
            }
            "description" => None,
            _ => told.insert(name.clone(), value.clone()),
        };
    }
    told.entry("trackEvents").or_insert(json!(false));
    Value::Object(told)
}

fn sdk_clause(clause: &Value) -> Value {
    let mut told = clause.clone();
    if let Some(fields) = told.as_object_mut() {
        fields.shift_remove("_id");
    }
    told
}

/// What an array holds; nothing where it is none.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
