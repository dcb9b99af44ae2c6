//! What in a flag would surprise whoever relies on it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use understudy_core::stage::Stage;

use crate::{Surprise, Weight};

use super::rest::is_open;
use super::snapshot::{CONTEXT_KIND, Snapshot, items, stage_of};

/// What there is about a flag by itself.
pub(super) fn surprises(flag: &str, snapshot: &Snapshot) -> Vec<Surprise> {
    let Some(found) = snapshot.flags.get(flag) else {
        return vec![error(
            "it is not there".to_owned(),
            "create it: a string flag with the variations off, shadow, live and complete, and the default rule shadow",
        )];
    };
    let mut surprises = Vec::new();
    if let Some(why) = snapshot.refusal(flag) {
        surprises.push(error(
            why,
            "until it is mended, every lane stays as the ledger has it",
        ));
    }
    variations(found, &mut surprises);
    off(found, &mut surprises);
    twice(found, &mut surprises);
    shadowed(snapshot, found, &mut surprises);
    required(snapshot, found, &mut surprises);
    others(found, &mut surprises);
    surprises.sort_by_key(|surprise| std::cmp::Reverse(surprise.weight));
    surprises
}

/// What waits for its time, or for people.
pub(super) fn pending(scheduled: &[Json], approvals: &[Json]) -> Vec<Surprise> {
    let open = approvals.iter().filter(|request| is_open(request));
    let (scheduled, approvals) = (scheduled.len(), open.count());
    let mut surprises = Vec::new();
    if scheduled > 0 {
        surprises.push(warning(
            format!("{} is scheduled for it", counted(scheduled, "change")),
            "it will take effect by itself, towards old; a move that contradicts it is refused by LaunchDarkly",
        ));
    }
    if approvals > 0 {
        surprises.push(warning(
            format!("{} waits for approval", counted(approvals, "change")),
            "apply or delete it in LaunchDarkly before you flip",
        ));
    }
    surprises
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn variations(found: &Json, surprises: &mut Vec<Surprise>) {
    let has = |stage: Stage| {
        let mut values = items(found, "variations").filter_map(Json::as_str);
        values.any(|value| stage_of(value) == Some(stage))
    };
    for stage in [Stage::Off, Stage::Shadow, Stage::Live, Stage::Complete] {
        if !has(stage) {
            surprises.push(error(
                format!("no variation is the text `{stage}`"),
                "add it: no lane can be moved there",
            ));
        }
    }
    for value in
        items(found, "variations").filter(|value| value.as_str().and_then(stage_of).is_none())
    {
        surprises.push(warning(
            format!("variation {value} is no stage"),
            "whoever gets it stays as the ledger has them",
        ));
    }
}

fn off(found: &Json, surprises: &mut Vec<Surprise>) {
    let is_on = found["on"] == true;
    let variation = found["offVariation"].as_u64();
    if variation.is_none() {
        surprises.push(error(
            "it has no off-variation: turned off, it says nothing, and every lane stays as the ledger has it".to_owned(),
            "set the off-variation to off or shadow, so that turning it off is a way back",
        ));
    }
    let gives = variation.and_then(|index| {
        let value = found["variations"].get(usize::try_from(index).ok()?)?;
        stage_of(value.as_str()?)
    });
    if gives.is_some_and(|stage| stage >= Stage::Live) {
        surprises.push(warning(
            "turned off, it gives everybody the new version".to_owned(),
            "set the off-variation to off or shadow",
        ));
    }
    if !is_on {
        surprises.push(warning(
            "it is off: nobody gets more than its off-variation".to_owned(),
            "`flip` turns it on, with the default rule and targets as they should be",
        ));
    }
}

/// Customers in two variations: the first one wins.
fn twice(found: &Json, surprises: &mut Vec<Surprise>) {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for list in items(found, "contextTargets").filter(|list| list["contextKind"] == CONTEXT_KIND) {
        let variation = list["variation"].as_u64().unwrap_or(0);
        for key in items(list, "values").filter_map(Json::as_str) {
            match seen.get(key) {
                Some(first) if *first != variation => surprises.push(warning(
                    format!("{key:?} is targeted in two variations; the first one counts"),
                    "remove it from one of them",
                )),
                _ => _ = seen.insert(key, variation),
            }
        }
    }
    if items(found, "targets").any(|list| items(list, "values").next().is_some()) {
        surprises.push(warning(
            "it targets contexts of the kind `user`, who are nobody here".to_owned(),
            "target contexts of the kind `customer`",
        ));
    }
}

/// Targets come before rules, so that a rule changes nothing for who is targeted; and rules come before the default.
fn shadowed(snapshot: &Snapshot, found: &Json, surprises: &mut Vec<Surprise>) {
    let targeted =
        items(found, "contextTargets").filter(|list| list["contextKind"] == CONTEXT_KIND);
    let targeted: Vec<&str> = targeted
        .flat_map(|list| items(list, "values"))
        .filter_map(Json::as_str)
        .collect();
    for (index, rule) in items(found, "rules").enumerate() {
        // A flag of this one rule, without targets: whom does it match?
        let mut alone = found.clone();
        alone["on"] = true.into();
        alone["contextTargets"] = Json::Array(Vec::new());
        alone["prerequisites"] = Json::Array(Vec::new());
        alone["rules"] = Json::Array(vec![rule.clone()]);
        let mut one = snapshot.clone();
        let key = found["key"].as_str().unwrap_or_default();
        one.flags.insert(key.to_owned(), alone);
        let Ok(judge) = one.judge() else { continue };
        let matched: Vec<&&str> = targeted
            .iter()
            .filter(|target| judge.decide(key, target).reason == "rule 1")
            .collect();
        if let Some(first) = matched.first() {
            let more = match matched.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            surprises.push(note(
                format!(
                    "rule {} matches {first:?}{more}, whose individual target comes before it",
                    index + 1
                ),
                "the rule changes nothing for them; remove the targets if it should",
            ));
        }
    }
}

fn required(snapshot: &Snapshot, found: &Json, surprises: &mut Vec<Surprise>) {
    for required in items(found, "prerequisites") {
        let key = required["key"].as_str().unwrap_or_default();
        let Some(other) = snapshot.flags.get(key) else {
            surprises.push(error(
                format!("its prerequisite `{key}` is not there: everybody gets the off-variation"),
                "remove the prerequisite",
            ));
            continue;
        };
        let met = snapshot
            .judge()
            .ok()
            .map(|judge| judge.decide(key, "\u{1}anybody").variation);
        let is_met = other["on"] == true && met.flatten() == required["variation"].as_i64();
        let (weight, what) = if is_met {
            (
                Weight::Note,
                format!("it requires `{key}`: who moves that flag moves this one"),
            )
        } else {
            (
                Weight::Warning,
                format!(
                    "its prerequisite `{key}` is not met for everybody: they get the off-variation"
                ),
            )
        };
        surprises.push(Surprise {
            weight,
            what,
            fix: "a flag of its own is easier to reason about".to_owned(),
        });
    }
}

fn others(found: &Json, surprises: &mut Vec<Surprise>) {
    let strange = items(found, "rules").enumerate().filter(|(_, rule)| {
        items(rule, "clauses").any(|clause| {
            let kind = clause["contextKind"].as_str().unwrap_or("user");
            clause["op"] != "segmentMatch" && (kind != CONTEXT_KIND || clause["attribute"] != "key")
        })
    });
    for (index, _) in strange {
        surprises.push(note(
            format!(
                "rule {} asks for what a customer's context does not have, and never matches",
                index + 1
            ),
            "contexts have the kind `customer` and a key, and nothing else",
        ));
    }
}

fn error(what: String, fix: &str) -> Surprise {
    of(Weight::Error, what, fix)
}

fn warning(what: String, fix: &str) -> Surprise {
    of(Weight::Warning, what, fix)
}

fn note(what: String, fix: &str) -> Surprise {
    of(Weight::Note, what, fix)
}

fn of(weight: Weight, what: String, fix: &str) -> Surprise {
    Surprise {
        weight,
        what,
        fix: fix.to_owned(),
    }
}
