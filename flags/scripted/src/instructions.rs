//! Semantic patches of a flag: each instruction in its turn, on a copy that is thrown away if one is refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::flag::{USER, WHOLE, is_migration, items, variation_ids};
use crate::state::new_id;

/// Why a patch is refused; LaunchDarkly answers such patches with 400.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

type Done<T = ()> = Result<T, Refused>;

pub(crate) fn refused<T>(message: impl Into<String>) -> Done<T> {
    Err(Refused(message.into()))
}

/// Applies instructions to a flag in one environment.
pub(crate) fn apply(
    flag: &mut Value,
    environment: &str,
    instructions: &[Value],
    others: &BTreeMap<String, Value>,
) -> Done {
    let mut edit = Edit {
        key: flag["key"].as_str().unwrap_or_default().to_owned(),
        variations: variation_ids(flag),
        migration: is_migration(flag),
        config: &mut flag["environments"][environment],
        others,
    };
    instructions
        .iter()
        .try_for_each(|instruction| edit.apply(instruction))
}

struct Edit<'a> {
    key: String,
    variations: Vec<String>,
    migration: bool,
    config: &'a mut Value,
    others: &'a BTreeMap<String, Value>,
}

impl Edit<'_> {
    fn apply(&mut self, instruction: &Value) -> Done {
        match text(instruction, "kind")? {
            "turnFlagOn" => self.config["on"] = json!(true),
            "turnFlagOff" => self.config["on"] = json!(false),
            "addTargets" => self.add_targets(instruction)?,
            "removeTargets" => self.remove_targets(instruction)?,
            "replaceTargets" => self.replace_targets(instruction)?,
            "clearTargets" => self.clear_targets(instruction)?,
            "addRule" => self.add_rule(instruction)?,
            "removeRule" => self.remove_rule(text(instruction, "ruleId")?),
            "reorderRules" => self.reorder_rules(instruction)?,
            "updateRuleVariationOrRollout" => self.update_rule(instruction)?,
            "addValuesToClause" => self.edit_clause(instruction, Change::Add)?,
            "removeValuesFromClause" => self.edit_clause(instruction, Change::Remove)?,
            "updateFallthroughVariationOrRollout" => {
                self.config["fallthrough"] = self.served(instruction)?;
            }
            "updateOffVariation" => {
                let index = self.variation(text(instruction, "variationId")?)?;
                self.config["offVariation"] = json!(index);
            }
            "addPrerequisite" => self.add_prerequisite(instruction)?,
            "removePrerequisite" => {
                let key = text(instruction, "key")?;
                array(self.config, "prerequisites").retain(|wanted| wanted["key"] != key);
            }
            unknown => return refused(format!("unknown instruction kind `{unknown}`")),
        }
        Ok(())
    }

    fn variation(&self, id: &str) -> Done<usize> {
        let index = self.variations.iter().position(|variation| variation == id);
        index.map_or_else(|| refused(format!("unknown variation `{id}`")), Ok)
    }

    fn add_targets(&mut self, instruction: &Value) -> Done {
        let mut targets = Targets::of(self.config);
        self.add_to(&mut targets, instruction)?;
        targets.write(self.config);
        Ok(())
    }

    fn add_to(&self, targets: &mut Targets, instruction: &Value) -> Done {
        let variation = self.variation(text(instruction, "variationId")?)?;
        let kind = context_kind(instruction);
        for value in strings(instruction, "values")? {
            targets.add(kind, variation, value)?;
        }
        Ok(())
    }

    fn remove_targets(&mut self, instruction: &Value) -> Done {
        let variation = self.variation(text(instruction, "variationId")?)?;
        let (kind, values) = (context_kind(instruction), strings(instruction, "values")?);
        let mut targets = Targets::of(self.config);
        for group in targets.groups_mut(kind, variation) {
            group
                .values
                .retain(|value| !values.contains(&value.as_str()));
        }
        targets.write(self.config);
        Ok(())
    }

    fn replace_targets(&mut self, instruction: &Value) -> Done {
        let mut targets = Targets(Vec::new());
        let Some(wanted) = instruction["targets"].as_array() else {
            return refused("`targets` is missing or no list");
        };
        for target in wanted {
            self.add_to(&mut targets, target)?;
        }
        targets.write(self.config);
        Ok(())
    }

    fn clear_targets(&mut self, instruction: &Value) -> Done {
        let variation = self.variation(text(instruction, "variationId")?)?;
        let mut targets = Targets::of(self.config);
        targets.0.retain(|group| group.variation != variation);
        targets.write(self.config);
        Ok(())
    }

    fn add_rule(&mut self, instruction: &Value) -> Done {
        let served = self.served(instruction)?;
        let Some(clauses) = instruction["clauses"].as_array() else {
            return refused("`clauses` is missing or no list");
        };
        let clauses = clauses.iter().map(|clause| self.clause(clause));
        let clauses = clauses.collect::<Done<Vec<_>>>()?;
        let mut rule = json!({ "_id": new_id() });
        if let Some(description) = instruction["description"].as_str() {
            rule["description"] = json!(description);
        }
        serve(&mut rule, served);
        rule["clauses"] = json!(clauses);
        rule["trackEvents"] = json!(false);
        let at = self.place(instruction)?;
        array(self.config, "rules").insert(at, rule);
        Ok(())
    }

    /// Where a new rule goes.
    fn place(&self, instruction: &Value) -> Done<usize> {
        let rules = items(&self.config["rules"]);
        match instruction["beforeRuleId"].as_str() {
            None => Ok(rules.len()),
            Some(id) => rule_at(rules, id),
        }
    }

    fn clause(&mut self, clause: &Value) -> Done<Value> {
        text(clause, "attribute")?;
        text(clause, "op")?;
        if !clause["values"].is_array() {
            return refused("a clause has no `values`");
        }
        Ok(json!({
            "_id": new_id(),
            "contextKind": context_kind(clause),
            "attribute": clause["attribute"],
            "op": clause["op"],
            "values": clause["values"],
            "negate": clause["negate"].as_bool().unwrap_or(false),
        }))
    }

    fn remove_rule(&mut self, id: &str) {
        array(self.config, "rules").retain(|rule| rule["_id"] != id);
    }

    fn reorder_rules(&mut self, instruction: &Value) -> Done {
        let wanted = strings(instruction, "ruleIds")?;
        let rules = array(self.config, "rules");
        let mut ordered = Vec::new();
        for id in &wanted {
            ordered.push(rules[rule_at(rules, id)?].clone());
        }
        let twice = (1..wanted.len()).any(|i| wanted[..i].contains(&wanted[i]));
        if twice || ordered.len() != rules.len() {
            return refused("`ruleIds` are not the rules of the flag");
        }
        *rules = ordered;
        Ok(())
    }

    fn update_rule(&mut self, instruction: &Value) -> Done {
        let served = self.served(instruction)?;
        let rules = array(self.config, "rules");
        let at = rule_at(rules, text(instruction, "ruleId")?)?;
        serve(&mut rules[at], served);
        Ok(())
    }

    fn edit_clause(&mut self, instruction: &Value, change: Change) -> Done {
        let wanted = items(&instruction["values"]);
        let rules = array(self.config, "rules");
        let at = rule_at(rules, text(instruction, "ruleId")?)?;
        let id = text(instruction, "clauseId")?;
        let clauses = array(&mut rules[at], "clauses");
        let Some(clause) = clauses.iter_mut().find(|clause| clause["_id"] == id) else {
            return refused(format!("unknown clause `{id}`"));
        };
        let values = array(clause, "values");
        values.retain(|value| !wanted.contains(value));
        if change == Change::Add {
            values.extend(wanted.iter().cloned());
        }
        Ok(())
    }

    /// What a rule or the fallthrough serves: `{variation}` or `{rollout}`.
    fn served(&self, instruction: &Value) -> Done<Value> {
        match (
            instruction["variationId"].as_str(),
            instruction["rolloutWeights"].as_object(),
        ) {
            (Some(_), None) if self.migration => {
                refused("a cohort of a migration flag serves a rollout, not a single variation")
            }
            (Some(id), None) => Ok(json!({ "variation": self.variation(id)? })),
            (None, Some(weights)) => self.rollout(instruction, weights),
            _ => refused("one of `variationId` and `rolloutWeights` is needed"),
        }
    }

    fn rollout(&self, instruction: &Value, weights: &Map<String, Value>) -> Done<Value> {
        let mut of_variations = vec![0; self.variations.len()];
        for (id, weight) in weights {
            let Some(weight) = weight.as_u64() else {
                return refused(format!("the weight of `{id}` is no number of thousandths"));
            };
            of_variations[self.variation(id)?] = weight;
        }
        if of_variations.iter().sum::<u64>() != WHOLE {
            return refused(format!("the weights do not add up to {WHOLE}"));
        }
        let weighted = of_variations.iter().enumerate();
        let weighted = weighted.map(|(i, weight)| json!({ "variation": i, "weight": weight }));
        let mut rollout = json!({
            "contextKind": instruction["rolloutContextKind"].as_str().unwrap_or(USER),
            "variations": weighted.collect::<Vec<_>>(),
        });
        if let Some(by) = instruction["rolloutBucketBy"].as_str() {
            if by.is_empty() {
                return refused("a rollout is bucketed by an attribute that has a name");
            }
            rollout["bucketBy"] = json!(by);
        }
        Ok(json!({ "rollout": rollout }))
    }

    fn add_prerequisite(&mut self, instruction: &Value) -> Done {
        let key = text(instruction, "key")?;
        if key == self.key {
            return refused("a flag is no prerequisite of itself");
        }
        let Some(other) = self.others.get(key) else {
            return refused(format!("unknown flag `{key}`"));
        };
        let id = text(instruction, "variationId")?;
        let Some(index) = variation_ids(other).iter().position(|other| other == id) else {
            return refused(format!("unknown variation `{id}` of `{key}`"));
        };
        let prerequisites = array(self.config, "prerequisites");
        if prerequisites.iter().any(|wanted| wanted["key"] == key) {
            return refused(format!("`{key}` is a prerequisite already"));
        }
        prerequisites.push(json!({ "key": key, "variation": index }));
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    Remove,
}

/// Individual targets, users and others in one list.
struct Targets(Vec<Group>);

struct Group {
    kind: String,
    variation: usize,
    values: Vec<String>,
}

impl Targets {
    /// Users stand in `targets`, and with no values in `contextTargets`, which has the order.
    fn of(config: &Value) -> Self {
        let users = items(&config["targets"]);
        let others = items(&config["contextTargets"]);
        let of_users = |variation: &Value| -> Vec<Group> {
            let same = users.iter().filter(|user| user["variation"] == *variation);
            same.map(Group::of).collect()
        };
        let mut groups = Vec::new();
        for other in others {
            match context_kind(other) {
                USER => groups.extend(of_users(&other["variation"])),
                _ => groups.push(Group::of(other)),
            }
        }
        let is_placed = |user: &Value| {
            others
                .iter()
                .any(|other| context_kind(other) == USER && other["variation"] == user["variation"])
        };
        groups.extend(users.iter().filter(|user| !is_placed(user)).map(Group::of));
        Self(groups)
    }

    fn groups_mut(&mut self, kind: &str, variation: usize) -> impl Iterator<Item = &mut Group> {
        let groups = self.0.iter_mut();
        groups.filter(move |group| group.kind == kind && group.variation == variation)
    }

    fn add(&mut self, kind: &str, variation: usize, value: &str) -> Done {
        let elsewhere = |group: &&Group| group.kind == kind && group.has(value);
        if let Some(group) = self.0.iter().find(elsewhere) {
            return match group.variation == variation {
                true => Ok(()),
                false => refused(format!(
                    "`{value}` of kind `{kind}` would be targeted in two variations"
                )),
            };
        }
        if self.groups_mut(kind, variation).next().is_none() {
            self.0.push(Group {
                kind: kind.to_owned(),
                variation,
                values: Vec::new(),
            });
        }
        for group in self.groups_mut(kind, variation).take(1) {
            group.values.push(value.to_owned());
        }
        Ok(())
    }

    fn write(&self, config: &mut Value) {
        let filled = || self.0.iter().filter(|group| !group.values.is_empty());
        let users = filled().filter(|group| group.kind == USER);
        config["targets"] = users.map(|group| group.target(&group.values)).collect();
        let all = filled().map(|group| match group.kind.as_str() {
            USER => group.target(&[]),
            _ => group.target(&group.values),
        });
        config["contextTargets"] = all.collect();
    }
}

impl Group {
    fn of(target: &Value) -> Self {
        let values = items(&target["values"]).iter();
        let index = target["variation"].as_u64().unwrap_or_default();
        Self {
            kind: context_kind(target).to_owned(),
            variation: usize::try_from(index).unwrap_or(usize::MAX),
            values: values
                .filter_map(|v| Some(v.as_str()?.to_owned()))
                .collect(),
        }
    }

    fn has(&self, value: &str) -> bool {
        self.values.iter().any(|known| known == value)
    }

    fn target(&self, values: &[String]) -> Value {
        json!({ "values": values, "variation": self.variation, "contextKind": self.kind })
    }
}

fn serve(rule: &mut Value, served: Value) {
    if let (Some(rule), Value::Object(served)) = (rule.as_object_mut(), served) {
        rule.shift_remove("variation");
        rule.shift_remove("rollout");
        rule.extend(served);
    }
}

fn rule_at(rules: &[Value], id: &str) -> Done<usize> {
    let at = rules.iter().position(|rule| rule["_id"] == id);
    at.map_or_else(|| refused(format!("unknown rule `{id}`")), Ok)
}

fn context_kind(of: &Value) -> &str {
    let kind = of["contextKind"].as_str();
    kind.filter(|kind| !kind.is_empty()).unwrap_or(USER)
}

/// An array of an object, made where there is none.
pub(crate) fn array<'a>(of: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    if !of[name].is_array() {
        of[name] = json!([]);
    }
    of[name].as_array_mut().expect("it was made an array above")
}

pub(crate) fn text<'a>(of: &'a Value, name: &str) -> Done<&'a str> {
    let text = of[name].as_str();
    text.map_or_else(|| refused(format!("`{name}` is missing or no text")), Ok)
}

pub(crate) fn strings<'a>(of: &'a Value, name: &str) -> Done<Vec<&'a str>> {
    let strings = of[name]
        .as_array()
        .map(|values| values.iter().map(Value::as_str));
    match strings.and_then(|texts| texts.collect::<Option<Vec<_>>>()) {
        Some(strings) if !strings.is_empty() => Ok(strings),
        _ => refused(format!("`{name}` is no list of texts")),
    }
}
