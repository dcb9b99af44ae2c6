//! Some flags as they were at one moment, with all that deciding them needs, and their decisions.
//!
//! A decision is the vendor's own: its evaluation crate, over exactly what the SDK took. It can be made again from the
//! stored snapshot, years later. What may give different answers to equal customers, or answers that this version of
//! the crate cannot make, is refused beforehand.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use launchdarkly_server_sdk_evaluation::{
    ContextBuilder, Flag, FlagValue, Reason, Segment, Store, evaluate,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use understudy_core::stage::Stage;

use super::capture::Held;

/// The kind of context that a customer is.
pub const CONTEXT_KIND: &str = "customer";

/// All of a rollout's weight.
const ALL_WEIGHT: f64 = 100_000.0;

/// The operators whose answer this version of the evaluation crate can give.
const OPERATORS: [&str; 15] = [
    "in",
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "lessThan",
    "lessThanOrEqual",
    "greaterThan",
    "greaterThanOrEqual",
    "before",
    "after",
    "segmentMatch",
    "semVerEqual",
    "semVerGreaterThan",
    "semVerLessThan",
];

/// Flags, the flags that they require, and the segments that they name; by key, as JSON of the SDK's form.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The flags.
    pub flags: BTreeMap<String, Json>,
    /// The segments.
    pub segments: BTreeMap<String, Json>,
}

/// What a flag gives one customer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Decision {
    /// The stage; `None` where it gives none that counts.
    pub stage: Option<Stage>,
    /// The index of the variation, where it came to one.
    pub variation: Option<i64>,
    /// How it came to it.
    pub reason: String,
}

impl Snapshot {
    /// Takes the flags, and whatever they reach, out of everything that is held.
    pub(super) fn of<'a>(held: &Held, flags: impl IntoIterator<Item = &'a str>) -> Self {
        let parsed = |json: Option<&std::sync::Arc<str>>| {
            json.and_then(|json| serde_json::from_str(json).ok())
        };
        let mut snapshot = Self::default();
        let mut flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
        let mut segments: Vec<String> = Vec::new();
        loop {
            let found: Json = if let Some(key) = flags.pop() {
                if snapshot.flags.contains_key(&key) {
                    continue;
                }
                let Some(flag) = parsed(held.flags.get(&key).and_then(|item| item.json.as_ref()))
                else {
                    continue;
                };
                snapshot.flags.insert(key, Json::clone(&flag));
                flag
            } else if let Some(key) = segments.pop() {
                if snapshot.segments.contains_key(&key) {
                    continue;
                }
                let Some(segment) =
                    parsed(held.segments.get(&key).and_then(|item| item.json.as_ref()))
                else {
                    continue;
                };
                snapshot.segments.insert(key, Json::clone(&segment));
                segment
            } else {
                return snapshot;
            };
            let (more_flags, more_segments) = reached_by(&found);
            flags.extend(more_flags);
            segments.extend(more_segments);
        }
    }

    /// The version of a flag.
    #[must_use]
    pub fn version(&self, flag: &str) -> Option<u64> {
        self.flags
            .get(flag)
            .map(|flag| flag["version"].as_u64().unwrap_or(0))
    }

    /// Why a flag cannot be decided for a cutover of data, if it cannot.
    #[must_use]
    pub fn refusal(&self, flag: &str) -> Option<String> {
        let found = self.flags.get(flag)?;
        let stages = items(found, "variations");
        if !stages.clone().any(|value| stage_of_json(value).is_some()) {
            return Some(
                "none of its variations is one of the texts off, shadow, live and complete"
                    .to_owned(),
            );
        }
        self.reached_from(flag)
            .into_iter()
            .find_map(|reached| match reached {
                Reached::Flag(key) => {
                    let why = refused_flag(self.flags.get(key)?)?;
                    Some(if key == flag {
                        why
                    } else {
                        format!("its prerequisite `{key}`: {why}")
                    })
                }
                Reached::Segment(key) => match self.segments.get(key) {
                    None => Some(format!("segment `{key}`, which it names, is not there")),
                    Some(segment) => {
                        refused_segment(segment).map(|why| format!("segment `{key}`: {why}"))
                    }
                },
            })
    }

    fn reached_from<'a>(&'a self, flag: &'a str) -> Vec<Reached<'a>> {
        let (mut reached, mut seen) = (Vec::new(), HashSet::new());
        let mut next = vec![Reached::Flag(flag)];
        while let Some(one) = next.pop() {
            if !seen.insert(one) {
                continue;
            }
            reached.push(one);
            let found = match one {
                Reached::Flag(key) => self.flags.get(key),
                Reached::Segment(key) => self.segments.get(key),
            };
            if let Some(found) = found {
                next.extend(keys_of_required(found).map(Reached::Flag));
                next.extend(keys_of_segments(found).map(Reached::Segment));
            }
        }
        reached
    }

    /// Every customer that a flag or one of its segments names, as LaunchDarkly has them.
    #[must_use]
    pub fn named(&self, flag: &str) -> BTreeSet<&str> {
        let mut named = BTreeSet::new();
        for one in self.reached_from(flag) {
            let found = match one {
                Reached::Flag(key) => self.flags.get(key),
                Reached::Segment(key) => self.segments.get(key),
            };
            let Some(found) = found else { continue };
            for lists in ["contextTargets", "includedContexts", "excludedContexts"] {
                let own = items(found, lists).filter(|list| list["contextKind"] == CONTEXT_KIND);
                named.extend(
                    own.flat_map(|list| items(list, "values"))
                        .filter_map(Json::as_str),
                );
            }
            for clause in clauses(found).filter(|clause| is_list_of_keys(clause)) {
                named.extend(items(clause, "values").filter_map(Json::as_str));
            }
        }
        named
    }

    /// The lowest stage that a rule may give customers whom nothing names: a rule that is more than a list may match
    /// any of them.
    fn lowest_of_rules(&self, flag: &str) -> Option<Stage> {
        let found = self.flags.get(flag)?;
        let loose = items(found, "rules").filter(|rule| !self.is_for_named_only(rule));
        loose
            .filter_map(|rule| stage_at(found, variation_of(rule)?))
            .min()
    }

    /// Whether a rule, or a rule of a segment, can match nobody but customers that it lists.
    fn is_for_named_only(&self, rule: &Json) -> bool {
        items(rule, "clauses").any(|clause| {
            let is_negated = clause["negate"].as_bool().unwrap_or(false);
            let of_segments = || {
                let mut keys = items(clause, "values").filter_map(Json::as_str);
                keys.all(|key| {
                    let segment = self.segments.get(key);
                    segment.is_none_or(|segment| {
                        items(segment, "rules").all(|rule| self.is_for_named_only(rule))
                    })
                })
            };
            match clause["op"].as_str() {
                Some("segmentMatch") => !is_negated && of_segments(),
                _ => is_list_of_keys(clause) && !is_negated || is_of_others(clause),
            }
        })
    }

    /// Somebody who decides by this snapshot.
    ///
    /// # Errors
    /// A flag or segment cannot be read as the vendor's crate reads it.
    pub fn judge(&self) -> Result<Judge<'_>, String> {
        let flags = self.flags.iter().map(|(key, json)| {
            let flag = Flag::deserialize(json)
                .map_err(|error| format!("flag `{key}` cannot be read: {error}"))?;
            Ok((
                key.as_str(),
                Lean {
                    flag: Some(flag),
                    ..Lean::flag(json)
                },
            ))
        });
        let segments = self.segments.iter().map(|(key, json)| {
            Segment::deserialize(json)
                .map_err(|error| format!("segment `{key}` cannot be read: {error}"))?;
            Ok((key.as_str(), Lean::segment(json)))
        });
        Ok(Judge {
            snapshot: self,
            flags: flags.collect::<Result<_, String>>()?,
            segments: segments.collect::<Result<_, String>>()?,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Reached<'a> {
    Flag(&'a str),
    Segment(&'a str),
}

/// Decides for one customer after another.
#[derive(Debug)]
pub struct Judge<'a> {
    snapshot: &'a Snapshot,
    flags: HashMap<&'a str, Lean>,
    segments: HashMap<&'a str, Lean>,
}

/// A flag or segment without its lists of customers, and these lists as sets.
///
/// The crate looks through a list from its beginning for each customer, and takes a copy of a segment for each. With
/// ten thousand customers in a list that is a hundred million comparisons; so it is shown lists that have in them the
/// one customer that it is asked about, or nobody. Each list is still its own, in its place.
#[derive(Debug, Default)]
struct Lean {
    json: Json,
    lists: Vec<(String, HashSet<String>)>,
    /// The whole flag, where it has no long lists.
    flag: Option<Flag>,
}

/// Lists up to this length stay as they are.
const SHORT: usize = 32;

impl Lean {
    fn flag(json: &Json) -> Self {
        Self::new(json, &["contextTargets"])
    }

    fn segment(json: &Json) -> Self {
        Self::new(json, &["includedContexts", "excludedContexts"])
    }

    /// Takes long lists of customers out.
    fn new(json: &Json, of: &[&str]) -> Self {
        let mut json = json.clone();
        let mut lists = Vec::new();
        for name in of {
            let found = json[*name].as_array().map_or(0, Vec::len);
            for index in 0..found {
                let pointer = format!("/{name}/{index}");
                let Some(list) = json.pointer_mut(&pointer) else {
                    continue;
                };
                let is_own = list["contextKind"] == CONTEXT_KIND;
                let Some(values) = list["values"]
                    .as_array_mut()
                    .filter(|values| is_own && values.len() > SHORT)
                else {
                    continue;
                };
                let values = std::mem::take(values).into_iter();
                let texts = values.filter_map(|value| value.as_str().map(str::to_owned));
                lists.push((format!("{pointer}/values"), texts.collect()));
            }
        }
        Self {
            json,
            lists,
            flag: None,
        }
    }

    fn is_whole(&self) -> bool {
        self.lists.is_empty()
    }

    /// As it is for one customer.
    fn for_one<T: serde::de::DeserializeOwned>(&self, key: &str) -> Option<T> {
        let mut json = self.json.clone();
        for (pointer, values) in &self.lists {
            if values.contains(key) {
                *json.pointer_mut(pointer)? = json!([key]);
            }
        }
        serde_json::from_value(json).ok()
    }
}

/// What the crate sees while it decides for one customer.
struct View<'a> {
    judge: &'a Judge<'a>,
    key: &'a str,
}

impl Store for View<'_> {
    fn flag(&self, flag_key: &str) -> Option<Flag> {
        let lean = self.judge.flags.get(flag_key)?;
        match &lean.flag {
            Some(flag) if lean.is_whole() => Some(flag.clone()),
            _ => lean.for_one(self.key),
        }
    }

    fn segment(&self, segment_key: &str) -> Option<Segment> {
        self.judge.segments.get(segment_key)?.for_one(self.key)
    }
}

impl Judge<'_> {
    /// What a flag gives a customer, as LaunchDarkly has them.
    #[must_use]
    pub fn decide(&self, flag: &str, key: &str) -> Decision {
        let nothing = |reason: &str| Decision {
            stage: None,
            variation: None,
            reason: reason.to_owned(),
        };
        let Ok(context) = ContextBuilder::new(key).kind(CONTEXT_KIND).build() else {
            return nothing("LaunchDarkly has no such context key");
        };
        let view = View { judge: self, key };
        let Some(flag) = view.flag(flag) else {
            return nothing("there is no such flag");
        };
        let detail = evaluate(&view, &flag, &context, None);
        let is_error = matches!(detail.reason, Reason::Error { .. });
        let stage = match detail.value {
            Some(FlagValue::Str(text)) if !is_error => stage_of(text),
            _ => None,
        };
        Decision {
            stage: stage.filter(|_| detail.variation_index.is_some()),
            variation: detail.variation_index.map(i64::from_index),
            reason: reason(&detail.reason),
        }
    }

    /// What a flag gives rows that have no customer, whom no rule on keys can match.
    #[must_use]
    pub fn decide_for_nobody(&self, flag: &str) -> Decision {
        self.decide(flag, NOBODY)
    }

    /// What a flag gives customers whom nothing names: the lowest of what it may give them.
    #[must_use]
    pub fn decide_for_others(&self, flag: &str) -> Decision {
        let mut decision = self.decide_for_nobody(flag);
        let is_on = self
            .snapshot
            .flags
            .get(flag)
            .is_some_and(|flag| flag["on"] == true);
        if let (Some(stage), Some(lowest)) = (
            decision.stage,
            self.snapshot.lowest_of_rules(flag).filter(|_| is_on),
        ) && lowest < stage
        {
            decision.stage = Some(lowest);
            decision.reason = "a rule that is more than a list may match them".to_owned();
        }
        decision
    }
}

/// A key that no customer has.
const NOBODY: &str = "\u{1}understudy: whom nothing names";

trait FromIndex {
    fn from_index(index: isize) -> i64;
}

impl FromIndex for i64 {
    fn from_index(index: isize) -> i64 {
        i64::try_from(index).unwrap_or(i64::MAX)
    }
}

/// The stage that a variation's text names.
#[must_use]
pub(super) fn stage_of(text: &str) -> Option<Stage> {
    match text {
        "off" => Some(Stage::Off),
        "shadow" => Some(Stage::Shadow),
        "live" => Some(Stage::Live),
        "complete" => Some(Stage::Complete),
        _ => None,
    }
}

fn stage_of_json(value: &Json) -> Option<Stage> {
    value.as_str().and_then(stage_of)
}

fn stage_at(flag: &Json, index: u64) -> Option<Stage> {
    let index = usize::try_from(index).ok()?;
    flag["variations"].get(index).and_then(stage_of_json)
}

/// The variation of a rule or of the fallthrough, also where a rollout gives it to everybody.
pub(super) fn variation_of(rule: &Json) -> Option<u64> {
    rule["variation"].as_u64().or_else(|| {
        let mut shares = items(&rule["rollout"], "variations");
        let whole = shares.find(|share| share["weight"].as_f64() == Some(ALL_WEIGHT))?;
        whole["variation"].as_u64()
    })
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Off => "the flag is off".to_owned(),
        Reason::Fallthrough { .. } => "fallthrough".to_owned(),
        Reason::TargetMatch => "targeted".to_owned(),
        Reason::RuleMatch { rule_index, .. } => format!("rule {}", rule_index + 1),
        Reason::PrerequisiteFailed { prerequisite_key } => {
            format!("prerequisite `{prerequisite_key}` is not met")
        }
        Reason::Error { error } => format!("error: {error:?}"),
    }
}

/// The items of a list in an object; none where there is no list.
pub(super) fn items<'a>(of: &'a Json, list: &str) -> impl Iterator<Item = &'a Json> + Clone {
    of[list]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
}

fn clauses(found: &Json) -> impl Iterator<Item = &Json> {
    items(found, "rules").flat_map(|rule| items(rule, "clauses"))
}

fn keys_of_required(found: &Json) -> impl Iterator<Item = &str> {
    items(found, "prerequisites").filter_map(|required| required["key"].as_str())
}

fn keys_of_segments(found: &Json) -> impl Iterator<Item = &str> {
    let matching = clauses(found).filter(|clause| clause["op"] == "segmentMatch");
    matching
        .flat_map(|clause| items(clause, "values"))
        .filter_map(Json::as_str)
}

/// The flags that a flag requires, and the segments that it or a segment names.
pub(super) fn reached_by(found: &Json) -> (Vec<String>, Vec<String>) {
    let owned = |keys: Vec<&str>| keys.into_iter().map(str::to_owned).collect();
    (
        owned(keys_of_required(found).collect()),
        owned(keys_of_segments(found).collect()),
    )
}

/// Whether a clause compares the customer with a list.
fn is_list_of_keys(clause: &Json) -> bool {
    clause["op"] == "in" && clause["contextKind"] == CONTEXT_KIND && clause["attribute"] == "key"
}

/// Whether a clause is about what a customer's context does not have, so that it never matches.
fn is_of_others(clause: &Json) -> bool {
    let kind = clause["contextKind"].as_str().unwrap_or("user");
    let attribute = clause["attribute"].as_str().unwrap_or_default();
    kind != CONTEXT_KIND
        || !matches!(
            attribute,
            "key" | "kind" | "/key" | "/kind" | "anonymous" | "/anonymous"
        )
}

fn refused_flag(flag: &Json) -> Option<String> {
    let ways = items(flag, "rules")
        .enumerate()
        .map(|(index, rule)| (format!("rule {}", index + 1), rule));
    let ways = ways.chain([("the default rule".to_owned(), &flag["fallthrough"])]);
    for (what, way) in ways {
        if way["rollout"].is_object() && variation_of(way).is_none() {
            return Some(format!(
                "{what} is a percentage rollout; a cutover of data wants lists"
            ));
        }
    }
    unknown_operator(flag)
}

fn refused_segment(segment: &Json) -> Option<String> {
    if segment["unbounded"].as_bool() == Some(true) {
        return Some("its list is kept elsewhere and cannot be read; use a smaller one".to_owned());
    }
    if items(segment, "rules").any(|rule| rule["weight"].is_number()) {
        return Some("a rule of it takes a percentage; a cutover of data wants lists".to_owned());
    }
    unknown_operator(segment)
}

fn unknown_operator(found: &Json) -> Option<String> {
    let mut operators = clauses(found).map(|clause| clause["op"].as_str().unwrap_or("(none)"));
    let unknown = operators.find(|operator| !OPERATORS.contains(operator))?;
    Some(match unknown {
        // As the crate writes what it does not know.
        "unknown" => "a rule uses an operator that this program does not know".to_owned(),
        unknown => {
            format!("a rule uses the operator `{unknown}`, which this program does not know")
        }
    })
}
