//! Segments: as the REST API shows them, what the SDK is told of them, and their semantic patches.

use serde_json::{Value, json};

use crate::flag::{USER, items, sdk_rule};
use crate::instructions::{Refused, array, refused, strings, text};
use crate::state::{new_id, now_ms};

/// Individual targets of a list-based segment; larger ones are of another kind.
const MAX_VALUES: usize = 15_000;

pub(crate) fn new_segment(key: &str, name: &str) -> Value {
    json!({
        "name": name,
        "tags": [],
        "creationDate": now_ms(),
        "lastModifiedDate": now_ms(),
        "key": key,
        "included": [],
        "excluded": [],
        "includedContexts": [],
        "excludedContexts": [],
        "rules": [],
        "salt": new_id().replace('-', ""),
        "version": 1,
        "deleted": false,
        "unbounded": false,
        "generation": 0,
        "_flags": [],
    })
}

/// What the SDK is told of a segment.
pub(crate) fn sdk_segment(segment: &Value) -> Value {
    let mut told = json!({});
    for name in [
        "key",
        "included",
        "excluded",
        "includedContexts",
        "excludedContexts",
        "salt",
        "version",
        "unbounded",
        "generation",
        "deleted",
    ] {
        told[name] = segment[name].clone();
    }
    told["rules"] = items(&segment["rules"]).iter().map(sdk_rule).collect();
    told
}

/// Applies instructions to a segment.
pub(crate) fn apply(segment: &mut Value, instructions: &[Value]) -> Result<(), Refused> {
    for instruction in instructions {
        match text(instruction, "kind")? {
            "addIncludedTargets" => add(segment, instruction, Side::Included)?,
            "removeIncludedTargets" => remove(segment, instruction, Side::Included)?,
            "addExcludedTargets" => add(segment, instruction, Side::Excluded)?,
            "removeExcludedTargets" => remove(segment, instruction, Side::Excluded)?,
            unknown => return refused(format!("unknown instruction kind `{unknown}`")),
        }
    }
    if individuals(segment) > MAX_VALUES {
        return refused(format!(
            "a segment has at most {MAX_VALUES} individual targets"
        ));
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Side {
    Included,
    Excluded,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Included => Self::Excluded,
            Self::Excluded => Self::Included,
        }
    }

    /// Where users stand, and where all others do.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Included => ("included", "includedContexts"),
            Self::Excluded => ("excluded", "excludedContexts"),
        }
    }
}

fn add(segment: &mut Value, instruction: &Value, side: Side) -> Result<(), Refused> {
    let kind = instruction["contextKind"].as_str().unwrap_or(USER);
    let wanted = strings(instruction, "values")?;
    let opposite = values(segment, kind, side.other());
    if let Some(both) = wanted.iter().find(|value| holds(opposite, value)) {
        return refused(format!("`{both}` would be both included and excluded"));
    }
    let values = values(segment, kind, side);
    for value in wanted {
        if !holds(values, value) {
            values.push(json!(value));
        }
    }
    drop_empty(segment);
    Ok(())
}

fn remove(segment: &mut Value, instruction: &Value, side: Side) -> Result<(), Refused> {
    let kind = instruction["contextKind"].as_str().unwrap_or(USER);
    let unwanted = strings(instruction, "values")?;
    let is_wanted = |value: &Value| !value.as_str().is_some_and(|v| unwanted.contains(&v));
    values(segment, kind, side).retain(is_wanted);
    drop_empty(segment);
    Ok(())
}

fn holds(values: &[Value], wanted: &str) -> bool {
    values.iter().any(|value| value == wanted)
}

fn values<'a>(segment: &'a mut Value, kind: &str, side: Side) -> &'a mut Vec<Value> {
    let (users, contexts) = side.names();
    if kind == USER {
        return array(segment, users);
    }
    let contexts = array(segment, contexts);
    let known = contexts
        .iter()
        .position(|target| target["contextKind"] == kind);
    let at = known.unwrap_or_else(|| {
        contexts.push(json!({ "values": [], "contextKind": kind }));
        contexts.len() - 1
    });
    array(&mut contexts[at], "values")
}

fn drop_empty(segment: &mut Value) {
    for name in ["includedContexts", "excludedContexts"] {
        array(segment, name).retain(|target| !items(&target["values"]).is_empty());
    }
}

fn individuals(segment: &Value) -> usize {
    let users = items(&segment["included"]).len() + items(&segment["excluded"]).len();
    let contexts = ["includedContexts", "excludedContexts"];
    let contexts = contexts.iter().flat_map(|name| items(&segment[*name]));
    users
        + contexts
            .map(|target| items(&target["values"]).len())
            .sum::<usize>()
}
