//! What the repair of one date consists of: what is published, what is taken from quarantine, what is computed again.

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::ledger::LedgerEvent;
use understudy_core::plan::RepairInput;
use understudy_core::repair::{Sides, StaleDate, held_to};
use understudy_core::spec::{InputSource, Spec, Task};
use understudy_core::stage::{LaneStages, Span, Stages};
use understudy_core::world::Side;

use super::Look;
use super::editions::record;
use super::material::left;
use crate::observe::{Wanted, stored_of};
use crate::run::record::RunRecord;

/// The repair of one date.
#[derive(Debug)]
pub(super) struct DatePlan {
    /// What is published and what is given.
    pub(super) input: RepairInput,
    /// The stages that it works with: nobody gets new rows who had none.
    pub(super) stages: Stages,
    /// What it reads.
    pub(super) wanted: Wanted,
    /// What it needs of quarantine and cannot have, for people. Then it cannot be done.
    pub(super) missing: Vec<String>,
    /// The changed tasks whose rows are put together from both sides.
    pub(super) put_together: BTreeSet<String>,
}

/// What the last run that published tasks of a change says of it.
struct Then {
    /// Its record, if that is still there.
    record: Option<RunRecord>,
    /// Whose rows came from where.
    sides: Sides,
    /// The tasks of the change.
    own: BTreeSet<String>,
}

/// Plans the repair of a date.
pub(super) fn date_plan(look: &Look, stale: &StaleDate) -> DatePlan {
    let (publish, then) = reach(look, stale);
    let mut plan = DatePlan {
        stages: look.stages.clone(),
        input: RepairInput {
            publish,
            given: BTreeMap::new(),
        },
        wanted: Wanted {
            stored: BTreeMap::new(),
            externals: BTreeSet::new(),
        },
        missing: Vec::new(),
        put_together: BTreeSet::new(),
    };
    for (change, then) in &then {
        let held = held_to(&then.sides, &look.now(change));
        if is_some_live(&held) {
            plan.put_together.extend(then.own.iter().cloned());
        }
        plan.give(look, stale, [change, &look.change], then, &held);
        plan.stages.0.insert(change.clone(), held);
    }
    plan.want(&look.pipeline.spec);
    plan
}

/// What is published, and what the last runs say of the changes that it concerns.
fn reach(look: &Look, stale: &StaleDate) -> (BTreeSet<String>, BTreeMap<String, Then>) {
    let spec = &look.pipeline.spec;
    let mut publish = seeds(look, stale);
    let mut then: BTreeMap<String, Then> = BTreeMap::new();
    let changes: BTreeSet<&String> = spec.changes.keys().chain([&look.change]).collect();
    loop {
        let before = publish.len();
        add_readers(spec, &mut publish);
        for change in &changes {
            let own = changed(look, stale, change);
            if publish.is_disjoint(&own) {
                continue;
            }
            let known = then
                .entry((*change).clone())
                .or_insert_with(|| last_run(look, stale, change, own, &publish));
            // A change over several tasks moves as one.
            let held = held_to(&known.sides, &look.now(change));
            if is_some_live(&held) || known.sides.are_taken_back(&held) {
                publish.extend(known.own.iter().cloned());
            }
        }
        if publish.len() == before {
            return (publish, then);
        }
    }
}

/// The tasks that a change gives a new version; where it is no longer in the pipeline file, those that it gave one.
fn changed(look: &Look, stale: &StaleDate, change: &str) -> BTreeSet<String> {
    let spec = &look.pipeline.spec;
    if let Some(change) = spec.changes.get(change) {
        return change.new.keys().cloned().collect();
    }
    let editions = stale
        .tasks
        .values()
        .map(|task| &look.standing.editions.all[task.edition]);
    let changed = editions.flat_map(|edition| edition.changed.iter().cloned());
    changed.filter(|task| spec.task(task).is_some()).collect()
}

/// What does not hold, and the changed tasks that somebody else publishes: who reads those needs their old side.
fn seeds(look: &Look, stale: &StaleDate) -> BTreeSet<String> {
    let mut seeds: BTreeSet<String> = stale.tasks.keys().cloned().collect();
    if is_back(look, stale) {
        seeds.extend(changed(look, stale, &look.change));
    }
    seeds.retain(|task| look.pipeline.spec.task(task).is_some());
    seeds
}

/// Whether a date holds rows for lanes that have gone back; else it only builds on such.
fn is_back(look: &Look, stale: &StaleDate) -> bool {
    let (editions, now) = (&look.standing.editions, look.now(&look.change));
    let mut own = stale.tasks.values().map(|task| &editions.all[task.edition]);
    own.any(|edition| editions.sides[edition.sides].are_taken_back(&now))
}

/// Tasks that read what is published anew are computed again, except those that somebody else runs.
fn add_readers(spec: &Spec, publish: &mut BTreeSet<String>) {
    for task in &spec.tasks {
        let mut inputs = same_run(task);
        if !task.is_live_external() && inputs.any(|input| publish.contains(input)) {
            publish.insert(task.name.clone());
        }
    }
}

fn same_run(task: &Task) -> impl Iterator<Item = &str> {
    task.inputs.iter().filter_map(|input| match &input.source {
        InputSource::Task(task) => Some(task.as_str()),
        InputSource::Stored(_) => None,
    })
}

fn is_some_live(stages: &LaneStages) -> bool {
    matches!(stages.span(), Span::SomeLive | Span::AllLive)
}

/// The last run that published tasks of a change for a date; where somebody else publishes them, what was made of them.
fn last_run(
    look: &Look,
    stale: &StaleDate,
    change: &str,
    own: BTreeSet<String>,
    publish: &BTreeSet<String>,
) -> Then {
    let of_date = || {
        look.entries
            .iter()
            .rev()
            .filter_map(|entry| match &entry.event {
                LedgerEvent::Published(run)
                    if run.succeeded
                        && run.pipeline == look.pipeline.spec.pipeline
                        && (run.date, &run.slice) == (stale.date, &stale.slice) =>
                {
                    Some(run)
                }
                _ => None,
            })
    };
    let holds = |tasks: &BTreeSet<String>| {
        let mut runs = of_date();
        runs.find(|run| run.outputs.keys().any(|task| tasks.contains(task)))
    };
    let run = holds(&own).or_else(|| holds(publish));
    let record = run.and_then(|run| record(&look.store, &run.run));
    let editions = &look.standing.editions;
    let in_ledger = || {
        let mut known = editions.all.iter().rev();
        let edition = known.find(|edition| run.is_some_and(|run| run.run == edition.run))?;
        Some(editions.sides[edition.sides].clone())
    };
    let sides = match &record {
        Some(record) => Sides::of_run(&record.plan, &record.log, change),
        None if change == look.change => in_ledger().unwrap_or_else(Sides::all_old),
        None => Sides::all_old(),
    };
    Then { record, sides, own }
}

impl DatePlan {
    /// Takes the sides of a change's tasks, where what they were made from is still what it was.
    fn give(
        &mut self,
        look: &Look,
        stale: &StaleDate,
        [change, repaired]: [&String; 2],
        then: &Then,
        held: &LaneStages,
    ) {
        let outdated = self.outdated(look, stale, &then.own);
        let must = change == repaired && is_back(look, stale);
        let own = then
            .own
            .iter()
            .filter(|task| self.input.publish.contains(*task));
        let own: Vec<&String> = own
            .filter(|task| !outdated.contains(task.as_str()))
            .collect();
        for task in own {
            for side in sides(held) {
                let found = match &then.record {
                    Some(record) => left(&look.store, record, change, task, *side),
                    None => Err("the record of its run is gone".to_owned()),
                };
                match found {
                    Ok(given) => {
                        let sides = self.input.given.entry(task.clone()).or_default();
                        sides.insert(*side, given);
                    }
                    Err(reason) if must => self.missing.push(reason),
                    // It is computed.
                    Err(_) => {}
                }
            }
        }
    }

    /// The tasks whose sides were made from something that is another thing by now: an earlier date, or another change's
    /// rows.
    fn outdated<'a>(
        &self,
        look: &'a Look,
        stale: &StaleDate,
        own: &BTreeSet<String>,
    ) -> BTreeSet<&'a str> {
        let spec = &look.pipeline.spec;
        let mut outdated = BTreeSet::new();
        for task in &spec.tasks {
            let reads_past = stale
                .tasks
                .get(&task.name)
                .is_some_and(|task| task.taint.reads_past);
            let is_others = !own.contains(&task.name)
                && spec.change_of(&task.name).is_some()
                && self.input.publish.contains(&task.name);
            if reads_past || is_others || same_run(task).any(|input| outdated.contains(input)) {
                outdated.insert(task.name.as_str());
            }
        }
        outdated
    }

    /// What is read by what is computed: of the pipeline's own tasks that are not published anew, what is published.
    fn want(&mut self, spec: &Spec) {
        let mut needed: BTreeSet<&str> = self.input.publish.iter().map(String::as_str).collect();
        for task in spec.tasks.iter().rev() {
            if !needed.contains(task.name.as_str()) || self.is_given(task) {
                continue;
            }
            self.wanted.externals.insert(task.name.clone());
            self.wanted.stored.extend(stored_of(task));
            for input in same_run(task) {
                match self.input.standing(spec, input) {
                    Some(standing) => _ = self.wanted.stored.insert(standing.id(), standing),
                    None => _ = needed.insert(input),
                }
            }
        }
    }

    fn is_given(&self, task: &Task) -> bool {
        let given = self.input.given.get(&task.name);
        let wanted = if self.put_together.contains(&task.name) {
            2
        } else {
            1
        };
        given.is_some_and(|given| given.len() >= wanted)
    }

    /// The tasks that are published by computing them, in the pipeline's order.
    pub(super) fn computed<'a>(&'a self, spec: &'a Spec) -> impl Iterator<Item = &'a Task> {
        let own = spec.tasks.iter();
        own.filter(|task| self.input.publish.contains(&task.name) && !self.is_given(task))
    }
}

/// The sides that rows come from, or are compared.
fn sides(held: &LaneStages) -> &'static [Side] {
    match held.span() {
        Span::Off | Span::Shadow => &[Side::Old],
        Span::SomeLive | Span::AllLive => &[Side::Old, Side::New],
        Span::Complete => &[Side::New],
    }
}
