//! What to change in a flag so that it gives each customer a stage: the smallest semantic patch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use understudy_core::stage::Stage;

use super::snapshot::{CONTEXT_KIND, Decision, Snapshot, items, stage_of, variation_of};

/// From how many customers that are added to a stage at once they go into a segment rather than into the flag.
pub(super) const SEGMENT_ABOVE: usize = 1_000;

/// Who is to get what, as LaunchDarkly has them.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) stages: BTreeMap<String, Stage>,
    pub(super) others: Stage,
}

/// What has to change.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Patch {
    /// In the flag.
    pub(super) flag: Vec<Json>,
    /// In segments of our own, by key; these come first.
    pub(super) segments: BTreeMap<String, Vec<Json>>,
    /// The segments among them that may not be there yet.
    pub(super) new_segments: BTreeSet<String>,
}

impl Patch {
    pub(super) fn is_empty(&self) -> bool {
        self.flag.is_empty() && self.segments.is_empty()
    }
}

/// The key of the segment that holds the customers of a flag at a stage, where they are many.
fn segment_key(flag: &str, stage: Stage) -> String {
    format!("understudy-{flag}-{stage}")
}

/// What to change. `rest` is the flag in the REST form, `snapshot` the same in the SDK's, with its segments.
///
/// # Errors
/// The flag cannot say it: it lacks a variation, or cannot be read.
pub(super) fn patch(
    flag: &str,
    rest: &Json,
    snapshot: &Snapshot,
    wanted: &Wanted,
) -> Result<Patch, String> {
    let variations = Variations::of(rest);
    let mut patch = Patch::default();
    let Some(found) = snapshot.flags.get(flag) else {
        return Err("it is not there".to_owned());
    };
    let is_on = found["on"] == true;
    let others = variations.index(wanted.others)?;
    let mut after = found.clone();
    if !is_on {
        patch.flag.push(json!({"kind": "turnFlagOn"}));
        after["on"] = json!(true);
    }
    if variation_of(&found["fallthrough"]) != Some(others) {
        let update = json!({"kind": "updateFallthroughVariationOrRollout"});
        patch
            .flag
            .push(variations.giving(update, wanted.others, rest)?);
        after["fallthrough"] = json!({"variation": others});
    }
    // What rules and the default rule give without individual targets and without segments of ours.
    let targets = targets_of(found);
    after["contextTargets"] = items(found, "contextTargets")
        .filter(|list| list["contextKind"] != CONTEXT_KIND)
        .cloned()
        .collect();
    let mut base = snapshot.clone();
    leave_segments(&mut patch, &mut base, flag, wanted);
    base.flags.insert(flag.to_owned(), after);
    let judge = base.judge()?;
    let (mut removed, mut added) = (
        BTreeMap::<u64, Vec<&str>>::new(),
        BTreeMap::<Stage, Vec<&str>>::new(),
    );
    for (key, stage) in &wanted.stages {
        let target = targets.get(key.as_str()).copied();
        let is_given = judge.decide(flag, key).stage == Some(*stage);
        let needed = if is_given {
            None
        } else {
            Some(variations.index(*stage)?)
        };
        if target == needed {
            continue;
        }
        if let Some(target) = target {
            removed.entry(target).or_default().push(key);
        }
        if needed.is_some() {
            added.entry(*stage).or_default().push(key);
        }
    }
    for (variation, keys) in removed {
        let id = variations.id_at(variation)?;
        patch.flag.push(targeting("removeTargets", &keys, &id));
    }
    for (stage, keys) in added {
        if keys.len() > SEGMENT_ABOVE {
            if let Some(rule) = join_segment(&mut patch, &base, flag, stage, &keys) {
                patch.flag.push(variations.giving(rule, stage, rest)?);
            }
        } else {
            let id = variations.id(stage)?;
            patch.flag.push(targeting("addTargets", &keys, &id));
        }
    }
    Ok(patch)
}

/// Who is not to be in a segment of ours leaves it.
fn leave_segments(patch: &mut Patch, base: &mut Snapshot, flag: &str, wanted: &Wanted) {
    for stage in [Stage::Off, Stage::Shadow, Stage::Live, Stage::Complete] {
        let key = segment_key(flag, stage);
        let Some(segment) = base.segments.get_mut(&key) else {
            continue;
        };
        let is_wanted = |member: &Json| {
            let member = member.as_str().unwrap_or_default();
            wanted
                .stages
                .get(member)
                .is_none_or(|wanted| *wanted == stage)
        };
        let mut leaving = Vec::new();
        for list in segment["includedContexts"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            if let Some(values) = list["values"].as_array_mut() {
                leaving.extend(values.iter().filter(|member| !is_wanted(member)).cloned());
                values.retain(is_wanted);
            }
        }
        if !leaving.is_empty() {
            let leave = json!({"kind": "removeIncludedTargets", "contextKind": CONTEXT_KIND, "values": leaving});
            patch.segments.entry(key).or_default().push(leave);
        }
    }
}

/// Adds customers to a segment of ours. Gives the rule that the flag needs for it, without what it gives, unless it has
/// one.
fn join_segment(
    patch: &mut Patch,
    base: &Snapshot,
    flag: &str,
    stage: Stage,
    keys: &[&str],
) -> Option<Json> {
    let segment = segment_key(flag, stage);
    let join = json!({"kind": "addIncludedTargets", "contextKind": CONTEXT_KIND, "values": keys});
    patch
        .segments
        .entry(segment.clone())
        .or_default()
        .push(join);
    if !base.segments.contains_key(&segment) {
        patch.new_segments.insert(segment.clone());
    }
    let found = base.flags.get(flag)?;
    if items(found, "rules").any(|rule| is_rule_of(rule, &segment)) {
        return None;
    }
    let mut rule = json!({
        "kind": "addRule",
        "description": format!("Understudy: {stage}"),
        "clauses": [{"contextKind": "", "attribute": "", "op": "segmentMatch", "negate": false, "values": [segment]}],
    });
    // Rules of others do not come before ours.
    if let Some(first) = items(found, "rules").find_map(|rule| rule["id"].as_str()) {
        rule["beforeRuleId"] = json!(first);
    }
    Some(rule)
}

fn is_rule_of(rule: &Json, segment: &str) -> bool {
    let mut clauses = items(rule, "clauses");
    matches!((clauses.next(), clauses.next()), (Some(clause), None)
        if clause["op"] == "segmentMatch" && clause["negate"] != true && clause["values"] == json!([segment]))
}

fn targeting(kind: &str, keys: &[&str], variation: &str) -> Json {
    json!({"kind": kind, "contextKind": CONTEXT_KIND, "values": keys, "variationId": variation})
}

/// The variation that each customer is targeted in.
fn targets_of(found: &Json) -> BTreeMap<&str, u64> {
    let own = items(found, "contextTargets").filter(|list| list["contextKind"] == CONTEXT_KIND);
    let each = own.flat_map(|list| {
        let variation = list["variation"].as_u64().unwrap_or(0);
        items(list, "values")
            .filter_map(Json::as_str)
            .map(move |key| (key, variation))
    });
    each.collect()
}

/// The segments of ours that a patch changes, as they will be.
pub(super) fn with_members(snapshot: &mut Snapshot, patch: &Patch) {
    for (key, instructions) in &patch.segments {
        let segment = snapshot.segments.entry(key.clone()).or_insert_with(|| {
            json!({"key": key, "version": 1, "salt": "", "included": [], "excluded": [], "rules": [], "includedContexts": []})
        });
        let lists =
            items(segment, "includedContexts").filter(|list| list["contextKind"] == CONTEXT_KIND);
        let mut members: BTreeSet<String> = lists
            .flat_map(|list| items(list, "values"))
            .filter_map(text)
            .collect();
        for instruction in instructions {
            let values = items(instruction, "values").filter_map(text);
            if instruction["kind"] == "addIncludedTargets" {
                members.extend(values);
            } else {
                values.for_each(|value| _ = members.remove(&value));
            }
        }
        segment["includedContexts"] = json!([{"contextKind": CONTEXT_KIND, "values": members}]);
    }
}

fn text(value: &Json) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Whom a flag gives something else than is wanted, with what it gives; `None` for everybody else.
pub(super) fn disagreements(
    flag: &str,
    snapshot: &Snapshot,
    wanted: &Wanted,
) -> Result<Vec<(Option<String>, Stage, Decision)>, String> {
    let judge = snapshot.judge()?;
    let named = wanted
        .stages
        .iter()
        .map(|(key, stage)| (Some(key.clone()), *stage, judge.decide(flag, key)));
    let others = (None, wanted.others, judge.decide_for_others(flag));
    Ok(named
        .chain([others])
        .filter(|(_, stage, given)| given.stage != Some(*stage))
        .collect())
}

/// The variations of a flag.
struct Variations<'a> {
    values: Vec<(Option<Stage>, &'a str)>,
}

impl<'a> Variations<'a> {
    fn of(rest: &'a Json) -> Self {
        let values = items(rest, "variations").map(|variation| {
            let stage = variation["value"].as_str().and_then(stage_of);
            (stage, variation["_id"].as_str().unwrap_or_default())
        });
        Self {
            values: values.collect(),
        }
    }

    fn index(&self, stage: Stage) -> Result<u64, String> {
        let index = self.values.iter().position(|(own, _)| *own == Some(stage));
        let lacks = || format!("it has no variation with the text `{stage}`");
        index
            .and_then(|index| u64::try_from(index).ok())
            .ok_or_else(lacks)
    }

    fn id(&self, stage: Stage) -> Result<String, String> {
        self.id_at(self.index(stage)?)
    }

    fn id_at(&self, index: u64) -> Result<String, String> {
        let found = usize::try_from(index)
            .ok()
            .and_then(|index| self.values.get(index));
        found
            .map(|(_, id)| (*id).to_owned())
            .ok_or_else(|| format!("it has no variation number {}", index + 1))
    }

    /// An instruction that gives a stage to whom it is for. A migration flag wants shares: all of them for one variation
    /// is that variation.
    fn giving(&self, mut instruction: Json, stage: Stage, rest: &Json) -> Result<Json, String> {
        let id = self.id(stage)?;
        let is_migration = rest["purpose"] == "migration" || rest["migrationSettings"].is_object();
        if !is_migration {
            instruction["variationId"] = json!(id);
            return Ok(instruction);
        }
        let weights = self.values.iter().map(|(_, own)| {
            let weight = if *own == id { 100_000 } else { 0 };
            ((*own).to_owned(), json!(weight))
        });
        let weights: serde_json::Map<String, Json> = weights.collect();
        instruction["rolloutWeights"] = Json::Object(weights);
        instruction["rolloutContextKind"] = json!(CONTEXT_KIND);
        Ok(instruction)
    }
}
