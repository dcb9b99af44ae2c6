//! The audit log: what is written into it and how it is searched.

use serde_json::{Value, json};

use crate::flag::items;
use crate::http::{Received, Response};
use crate::instructions::{Refused, refused};
use crate::rest::By;
use crate::server::Shared;
use crate::state::{State, new_id, now_ms};

/// Entries of an answer, unless asked otherwise, and at most.
const LIMIT: usize = 10;
const MAX_LIMIT: usize = 20;

pub(crate) fn log_flag(shared: &Shared, state: &mut State, key: &str, by: By<'_>, verb: &str) {
    log(shared, state, "flag", key, by, verb);
}

pub(crate) fn log_segment(shared: &Shared, state: &mut State, key: &str, by: By<'_>, verb: &str) {
    log(shared, state, "segment", key, by, verb);
}

fn log(shared: &Shared, state: &mut State, kind: &str, key: &str, by: By<'_>, verb: &str) {
    let account = &shared.account;
    let resource = format!(
        "proj/{}:env/{}:{kind}/{key}",
        account.project, account.environment
    );
    let mut entry = json!({
        "_links": {},
        "_id": new_id(),
        "_accountId": "scripted-account",
        "date": now_ms(),
        "accesses": [{ "action": "update", "resource": resource }],
        "kind": kind,
        "name": key,
        "description": verb,
        "shortDescription": verb,
        "titleVerb": verb,
        "title": format!("{verb} {key}"),
        "target": { "name": key, "resources": [resource] },
    });
    match by {
        By::Token(comment) => {
            entry["token"] = json!({ "_id": "scripted-token", "name": "scripted" });
            entry["comment"] = json!(comment.unwrap_or_default());
        }
        By::Hand => {
            entry["member"] = json!({ "_id": "scripted-member", "email": "hand@example.com" });
            entry["comment"] = json!("");
        }
    }
    state.audit_log.push(entry);
}

/// Entries that a request asks for, newest first.
pub(crate) fn search(log: &[Value], request: &Received) -> Result<Response, Refused> {
    let limit = match number(request, "limit")? {
        None => LIMIT,
        Some(limit) => match usize::try_from(limit) {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
            _ => return refused(format!("`limit` is not between 1 and {MAX_LIMIT}")),
        },
    };
    let (before, after) = (number(request, "before")?, number(request, "after")?);
    let (words, spec) = (request.parameter("q"), request.parameter("spec"));
    let policy = match request.method.as_str() {
        "POST" => request.json(),
        _ => None,
    };
    let found = log.iter().rev().filter(|entry| {
        let date = entry["date"].as_u64().unwrap_or_default();
        before.is_none_or(|before| date < before)
            && after.is_none_or(|after| date > after)
            && words.as_deref().is_none_or(|words| mentions(entry, words))
            && spec.as_deref().is_none_or(|spec| is_of(entry, spec))
            && policy
                .as_ref()
                .is_none_or(|policy| is_allowed(entry, policy))
    });
    let found: Vec<&Value> = found.take(limit).collect();
    let body = json!({ "items": found, "_links": {}, "totalCount": found.len() });
    Ok(Response::json(200, &body))
}

fn number(request: &Received, name: &str) -> Result<Option<u64>, Refused> {
    match request.parameter(name).map(|text| text.parse()) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => refused(format!("`{name}` is no number")),
    }
}

fn mentions(entry: &Value, words: &str) -> bool {
    let searched = [&entry["comment"], &entry["name"], &entry["member"]["email"]];
    let mut texts = searched.into_iter().filter_map(Value::as_str);
    texts.any(|text| text.contains(words))
}

fn is_allowed(entry: &Value, policy: &Value) -> bool {
    let names = |statement: &Value, list: &str| {
        let mut specs = items(&statement[list]).iter().filter_map(Value::as_str);
        specs.any(|spec| is_of(entry, spec))
    };
    let of = |effect: &str| {
        let statements = items(policy).iter().filter(|s| s["effect"] == effect);
        let mut said = statements.map(|statement| match statement["notResources"].is_array() {
            true => !names(statement, "notResources"),
            false => names(statement, "resources"),
        });
        said.any(|says| says)
    };
    of("allow") && !of("deny")
}

/// Whether an entry is of what a specifier such as `proj/*:env/production:flag/a,b` names.
fn is_of(entry: &Value, spec: &str) -> bool {
    let resources = items(&entry["target"]["resources"]).iter();
    let mut resources = resources.filter_map(Value::as_str);
    resources.any(|resource| {
        let wanted: Vec<&str> = spec.split(':').collect();
        let parts: Vec<&str> = resource.split(':').collect();
        let mut pairs = wanted.iter().zip(&parts);
        wanted.len() == parts.len() && pairs.all(|(wanted, part)| names(wanted, part))
    })
}

fn names(wanted: &str, part: &str) -> bool {
    let wanted = wanted.split(';').next().unwrap_or_default();
    let (Some((kind, keys)), Some((of, key))) = (wanted.split_once('/'), part.split_once('/'))
    else {
        return false;
    };
    let names_key = |wanted: &str| match wanted.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == wanted,
    };
    (kind == of || kind == "*") && keys.split(',').any(names_key)
}
