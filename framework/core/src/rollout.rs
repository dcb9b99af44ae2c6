//! Which rows live lanes get: the decision before publishing (the design's "What is published").

pub mod anew;
pub mod lane;
pub mod overrides;
pub mod record;
pub mod step;
pub mod wave;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::customer::{Customer, listed};
use crate::rule::DifferenceKind;
use crate::run::Failure;
use crate::stage::{LaneStages, Span, Stage, Stages};
use crate::verdict::Verdict;
use crate::world::Side;

use self::wave::{LiveWave, wave_of};

/// How a change's outputs are put together, for all its tasks alike.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Assembly {
    /// The side of lanes that are not named.
    pub unlisted: Side,
    /// The side of each named lane.
    pub lanes: BTreeMap<Customer, Side>,
    /// The side whose columns the output has.
    pub schema: Side,
    /// Lanes that are live and get their old rows all the same; `*` stands for everybody that no lane names.
    pub fallbacks: Vec<Customer>,
    /// What a person should look at; empty where all is as the stages say.
    pub alerts: Vec<String>,
}

impl Assembly {
    /// The side that a customer's rows come from.
    #[must_use]
    pub fn side(&self, customer: &Customer) -> Side {
        self.lanes.get(customer).copied().unwrap_or(self.unlisted)
    }

    /// The sides that some lane's rows come from.
    pub fn sides(&self) -> impl Iterator<Item = Side> {
        let used =
            |side: &Side| self.unlisted == *side || self.lanes.values().any(|lane| lane == side);
        [Side::Old, Side::New].into_iter().filter(used)
    }

    fn wholly(side: Side, stages: &LaneStages, alert: String) -> Self {
        let fallbacks = if side == Side::Old {
            live_lanes(stages)
        } else {
            Vec::new()
        };
        Self {
            unlisted: side,
            lanes: BTreeMap::new(),
            schema: side,
            fallbacks,
            alerts: vec![alert],
        }
    }

    /// Everybody gets old rows, and why.
    #[must_use]
    pub fn all_old(stages: &LaneStages, alert: String) -> Self {
        Self::wholly(Side::Old, stages, alert)
    }
}

/// What the live half knows of one changed task before publishing.
#[derive(Clone, Copy, Debug)]
pub struct TaskBeforePublishing<'a> {
    /// The task.
    pub task: &'a str,
    /// Why the old version has no output, if it has none.
    pub old_failure: Option<&'a Failure>,
    /// Why the new version has no output, if it has none.
    pub new_failure: Option<&'a Failure>,
    /// What comparing them gave; `None` where there was nothing to compare.
    pub comparison: Option<Result<&'a Comparison, &'a Failure>>,
    /// The verdict of each customer, as far as there is a comparison.
    pub customers: &'a BTreeMap<Customer, Verdict>,
}

/// How the outputs of a change with live lanes are put together.
///
/// # Errors
/// The failure of the old version, where some lane still gets old rows: live failed.
pub fn assemble<'a>(
    change: &str,
    stages: &LaneStages,
    waves: &[LiveWave],
    tasks: &[TaskBeforePublishing<'a>],
) -> Result<Assembly, &'a Failure> {
    let all_live = matches!(stages.span(), Span::AllLive | Span::Complete);
    if let Some((task, failure)) = tasks
        .iter()
        .find_map(|task| Some((task.task, task.old_failure?)))
    {
        let new_is_there = tasks.iter().all(|task| task.new_failure.is_none());
        // A lane that is known to be wrong has no old rows to go back to.
        if !all_live || !new_is_there || unexpected(tasks).next().is_some() {
            return Err(failure);
        }
        let alert = format!(
            "`{change}`: the old version of `{task}` failed, the new rows are published unchecked: {failure}"
        );
        return Ok(Assembly::wholly(Side::New, stages, alert));
    }
    if let Some(reason) = tasks.iter().find_map(|task| reason_for_old(task, all_live)) {
        return Ok(Assembly::all_old(
            stages,
            format!("`{change}`: live lanes get their old rows: {reason}"),
        ));
    }
    Ok(by_lane(change, stages, waves, tasks, all_live))
}

/// Why everybody gets old rows, if so.
fn reason_for_old(task: &TaskBeforePublishing<'_>, all_live: bool) -> Option<String> {
    if let Some(failure) = task.new_failure {
        return Some(format!(
            "the new version of `{}` failed: {failure}",
            task.task
        ));
    }
    match task.comparison {
        None => Some(format!("`{}` was not compared", task.task)),
        Some(Err(failure)) => Some(format!("comparing `{}` failed: {failure}", task.task)),
        Some(Ok(comparison)) if let Some(check) = failed_check(comparison) => Some(format!(
            "check `{check}` of `{}` could not compare",
            task.task
        )),
        Some(Ok(comparison)) if all_live => {
            let nobody_checked = !comparison.not_compared.is_empty() && task.customers.is_empty();
            nobody_checked.then(|| format!("`{}` could not be compared", task.task))
        }
        Some(Ok(comparison)) => lost_column(comparison)
            .map(|column| format!("column `{column}` of `{}` is missing or has another type, which forbids a partial flip", task.task)),
    }
}

/// A check that came to no end says as little as a comparison that did not.
fn failed_check(comparison: &Comparison) -> Option<&str> {
    let mut checks = comparison.checks.iter();
    let failed = checks.find(|check| check.outcome.is_err());
    failed.map(|check| check.name.as_str())
}

fn lost_column(comparison: &Comparison) -> Option<&str> {
    let lost = |kind| {
        matches!(
            kind,
            DifferenceKind::ColumnRemoved | DifferenceKind::TypeChanged
        )
    };
    comparison
        .schema
        .iter()
        .find(|difference| lost(difference.kind))
        .map(|difference| difference.column.as_str())
}

fn by_lane(
    change: &str,
    stages: &LaneStages,
    waves: &[LiveWave],
    tasks: &[TaskBeforePublishing<'_>],
    all_live: bool,
) -> Assembly {
    let mut falling = Falling::new(stages);
    let mut fell: BTreeMap<&str, Vec<Customer>> = BTreeMap::new();
    for (customer, task) in unexpected(tasks) {
        if side(stages.of(customer)) == Side::New && falling.fall(customer) {
            fell.entry(task).or_default().push(customer.clone());
        }
    }
    let mut alerts: Vec<String> = fell
        .iter()
        .map(|(task, lanes)| fell_alert(change, task, lanes))
        .collect();
    alerts.extend(falling.fall_in_waves(change, stages, waves, tasks));
    let Falling {
        unlisted,
        lanes,
        fallen,
    } = falling;
    let fallbacks: Vec<Customer> = fallen.into_iter().collect();
    let lost = tasks.iter().any(|task| {
        task.comparison
            .and_then(Result::ok)
            .is_some_and(|found| lost_column(found).is_some())
    });
    if all_live && !fallbacks.is_empty() && lost {
        alerts.push(format!("`{change}`: everybody gets old rows, because the two versions' columns do not go together"));
        return Assembly {
            alerts,
            ..Assembly::all_old(stages, String::new())
        };
    }
    let schema = if all_live && fallbacks.is_empty() {
        Side::New
    } else {
        Side::Old
    };
    Assembly {
        unlisted,
        lanes,
        schema,
        fallbacks,
        alerts,
    }
}

/// One for all lanes of a task: thousands may fall at once.
fn fell_alert(change: &str, task: &str, lanes: &[Customer]) -> String {
    let whose = if lanes.len() == 1 { "its" } else { "their" };
    format!(
        "`{change}`: {} fell back to {whose} old rows: unexpected differences in `{task}`",
        listed(&lanes.iter().collect::<Vec<_>>())
    )
}

/// The sides of a change's lanes while some of them fall back.
struct Falling {
    unlisted: Side,
    lanes: BTreeMap<Customer, Side>,
    fallen: BTreeSet<Customer>,
}

impl Falling {
    fn new(stages: &LaneStages) -> Self {
        let lanes = stages.lanes.iter();
        Self {
            unlisted: side(stages.unlisted),
            lanes: lanes
                .map(|(lane, stage)| (lane.clone(), side(*stage)))
                .collect(),
            fallen: BTreeSet::new(),
        }
    }

    /// A lane gets its old rows. Gives whether it had not fallen before.
    fn fall(&mut self, lane: &Customer) -> bool {
        match lane {
            Customer::Everybody => self.unlisted = Side::Old,
            _ => _ = self.lanes.insert(lane.clone(), Side::Old),
        }
        self.fallen.insert(lane.clone())
    }

    /// Where three lanes of a wave fall, or a tenth of it, all of it does.
    fn fall_in_waves(
        &mut self,
        change: &str,
        stages: &LaneStages,
        waves: &[LiveWave],
        tasks: &[TaskBeforePublishing<'_>],
    ) -> Vec<String> {
        let mut alerts = Vec::new();
        for (index, wave) in waves.iter().enumerate() {
            let is_member = |lane: &&Customer| wave_of(waves, lane) == Some(index);
            let now = self.fallen.iter().filter(is_member).count();
            let seen = tasks.iter().flat_map(|task| task.customers.keys());
            let size = match &wave.lanes {
                Some(lanes) => lanes.len(),
                None => seen.filter(is_member).collect::<BTreeSet<_>>().len(),
            };
            if !wave.falls(now, size) {
                continue;
            }
            self.fall_whole(stages, waves, index);
            let (number, fallen) = (wave.number, now + wave.fallen.len());
            alerts.push(format!("`{change}`: all of wave {number} fell back to its old rows, because {fallen} of its {size} lanes did"));
        }
        alerts
    }

    fn fall_whole(&mut self, stages: &LaneStages, waves: &[LiveWave], index: usize) {
        let is_live = |lane: &&Customer| side(stages.of(lane)) == Side::New;
        let Some(members) = &waves[index].lanes else {
            // Everybody falls whom no wave before names: those are named here, so that they stay.
            let earlier = waves[..index].iter().flat_map(|wave| &wave.lanes).flatten();
            let earlier: BTreeSet<&Customer> = earlier.collect();
            for lane in earlier.iter().filter(|lane| is_live(lane)) {
                self.lanes.entry((*lane).clone()).or_insert(Side::New);
            }
            let named: Vec<&Customer> = stages.lanes.keys().filter(is_live).collect();
            for lane in named.into_iter().filter(|lane| !earlier.contains(lane)) {
                self.fall(lane);
            }
            self.fall(&Customer::Everybody);
            return;
        };
        for lane in members.iter().filter(is_live) {
            self.fall(lane);
        }
    }
}

fn unexpected<'a>(
    tasks: &'a [TaskBeforePublishing<'a>],
) -> impl Iterator<Item = (&'a Customer, &'a str)> {
    tasks.iter().flat_map(|task| {
        let bad = task
            .customers
            .iter()
            .filter(|(_, verdict)| **verdict == Verdict::Unexpected);
        bad.map(|(customer, _)| (customer, task.task))
    })
}

fn side(stage: Stage) -> Side {
    match stage {
        Stage::Live | Stage::Complete => Side::New,
        Stage::Off | Stage::Shadow => Side::Old,
    }
}

fn live_lanes(stages: &LaneStages) -> Vec<Customer> {
    let live = stages
        .lanes
        .iter()
        .filter(|(_, stage)| side(**stage) == Side::New);
    let unlisted = (side(stages.unlisted) == Side::New).then_some(Customer::Everybody);
    live.map(|(lane, _)| lane.clone()).chain(unlisted).collect()
}

/// The stages of a change whose lanes are one: `*`, where it is named, else what holds for everybody.
#[must_use]
pub fn as_one_lane(stages: &LaneStages) -> LaneStages {
    LaneStages {
        lanes: BTreeMap::new(),
        unlisted: stages.of(&Customer::Everybody),
    }
}

/// The stages that were held, with every move towards old that the others tell of, and none towards new.
#[must_use]
pub fn lowered(held: &LaneStages, others: &LaneStages) -> LaneStages {
    let named = held.lanes.keys().chain(others.lanes.keys());
    let unlisted = held.unlisted.min(others.unlisted);
    let lanes = named.map(|lane| (lane.clone(), held.of(lane).min(others.of(lane))));
    LaneStages {
        // Who is named by the others alone and gets what everybody gets makes no other snapshot.
        lanes: lanes
            .filter(|(lane, stage)| held.lanes.contains_key(lane) || *stage != unlisted)
            .collect(),
        unlisted,
    }
}

/// Whether some lane gets its rows from another side than before.
#[must_use]
pub fn sides_differ(before: &LaneStages, after: &LaneStages) -> bool {
    let mut named = before.lanes.keys().chain(after.lanes.keys());
    side(before.unlisted) != side(after.unlisted)
        || named.any(|lane| side(before.of(lane)) != side(after.of(lane)))
}

/// The stages of a run: the ledger's, except where a flag was moved towards old. A flag that was moved towards new
/// without the ledger's authorisation changes nothing. Gives what a person should look at as well.
///
/// `flags` are by change; a change that is not in it has no flag that says anything.
#[must_use]
pub fn interlock(ledger: &Stages, flags: &BTreeMap<String, LaneStages>) -> (Stages, Vec<String>) {
    let (mut stages, mut alerts) = (ledger.clone(), Vec::new());
    for (change, flag) in flags {
        let held = ledger.of(change);
        let named = held.lanes.keys().chain(flag.lanes.keys());
        let lanes = named.map(|lane| (lane.clone(), held.of(lane), flag.of(lane)));
        for (lane, held, wanted) in lanes {
            alerts.extend(disagreement(change, &lane.label(), held, wanted));
        }
        alerts.extend(disagreement(
            change,
            "everybody else",
            held.unlisted,
            flag.unlisted,
        ));
        alerts.dedup();
        stages.0.insert(change.clone(), lowered(&held, flag));
    }
    (stages, alerts)
}

fn disagreement(change: &str, lane: &str, held: Stage, wanted: Stage) -> Option<String> {
    if wanted < held {
        Some(format!(
            "`{change}`: the flag moved {lane} back from {held} to {wanted}, which is honoured"
        ))
    } else if side(wanted) == Side::New && side(held) == Side::Old {
        Some(format!(
            "`{change}`: the flag moved {lane} to {wanted} and nobody authorised it: {lane} stays at {held}"
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
