//! A flag and its segments as the REST API has them, in the SDK's form: so that one evaluation serves both.

use serde_json::{Map, Value as Json, json};

use super::snapshot::items;

/// A flag of one environment; `None` where the environment is not there.
pub(super) fn sdk_flag(rest: &Json, environment: &str) -> Option<Json> {
    let own = rest["environments"].get(environment)?;
    let values: Vec<&Json> = items(rest, "variations")
        .map(|variation| &variation["value"])
        .collect();
    let mut flag = json!({
        "key": rest["key"],
        "version": own["version"],
        "on": own["on"].as_bool().unwrap_or(false),
        "salt": own["salt"].as_str().unwrap_or_default(),
        "targets": lists(own, "targets", None),
        "contextTargets": lists(own, "contextTargets", Some("contextKind")),
        "rules": items(own, "rules").map(rule).collect::<Vec<_>>(),
        "fallthrough": way(&own["fallthrough"]),
        "prerequisites": items(own, "prerequisites").map(|required| json!({
            "key": required["key"],
            "variation": required["variation"],
        })).collect::<Vec<_>>(),
        "variations": values,
    });
    if own["offVariation"].is_u64() {
        flag["offVariation"] = own["offVariation"].clone();
    }
    Some(flag)
}

/// A segment.
pub(super) fn sdk_segment(rest: &Json) -> Json {
    json!({
        "key": rest["key"],
        "version": rest["version"].as_u64().unwrap_or(0),
        "salt": rest["salt"].as_str().unwrap_or_default(),
        "included": items(rest, "included").collect::<Vec<_>>(),
        "excluded": items(rest, "excluded").collect::<Vec<_>>(),
        "includedContexts": members(rest, "includedContexts"),
        "excludedContexts": members(rest, "excludedContexts"),
        "rules": items(rest, "rules").map(|own| {
            let mut rule = rule(own);
            if own["weight"].is_number() {
                rule["weight"] = own["weight"].clone();
            }
            rule
        }).collect::<Vec<_>>(),
        "unbounded": rest["unbounded"].as_bool().unwrap_or(false),
    })
}

fn lists(own: &Json, name: &str, kind: Option<&str>) -> Vec<Json> {
    items(own, name)
        .map(|list| {
            let mut copy = json!({"values": list["values"], "variation": list["variation"]});
            if let Some(kind) = kind {
                copy[kind] = list[kind].clone();
            }
            copy
        })
        .collect()
}

fn members(rest: &Json, name: &str) -> Vec<Json> {
    let copy = |list: &Json| json!({"contextKind": list["contextKind"], "values": list["values"]});
    items(rest, name).map(copy).collect()
}

fn rule(own: &Json) -> Json {
    let mut rule = way(own);
    rule["id"] = own["_id"].clone();
    rule["trackEvents"] = json!(false);
    rule["clauses"] = items(own, "clauses").map(clause).collect();
    rule
}

fn clause(own: &Json) -> Json {
    let mut clause = Map::new();
    for name in ["contextKind", "attribute", "op", "values", "negate"] {
        if let Some(value) = own.get(name) {
            clause.insert(name.to_owned(), value.clone());
        }
    }
    Json::Object(clause)
}

fn way(own: &Json) -> Json {
    let mut way = Map::new();
    for name in ["variation", "rollout"] {
        if let Some(value) = own.get(name).filter(|value| !value.is_null()) {
            way.insert(name.to_owned(), value.clone());
        }
    }
    Json::Object(way)
}
