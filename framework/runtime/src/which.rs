//! Which version of a task is live, for whom: what the ledger says, and nothing else is looked at.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use understudy_core::customer::Customer;
use understudy_core::rollout::as_one_lane;
use understudy_core::spec::nearest::hint;
use understudy_core::spec::{Change, Spec, Task};
use understudy_core::stage::{LaneStages, Stage};

use crate::error::RunError;
use crate::flags::Flagged;
use crate::pipeline;
use crate::prepare::stages;
use crate::store::Store;

/// The answer for one task.
#[derive(Clone, PartialEq, Debug)]
pub struct Which {
    /// The task.
    pub task: String,
    /// The change that gives it a new version, if one does.
    pub change: Option<String>,
    /// Everybody who is not named.
    pub unlisted: Lane,
    /// The customers that are named, with their own stages.
    pub lanes: BTreeMap<Customer, Lane>,
    /// What a person should look at.
    pub alerts: Vec<String>,
}

/// What one lane gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Lane {
    /// The version that is live.
    #[serde(rename = "live")]
    pub version: String,
    /// The stage; `None` where no change gives the task a new version.
    pub stage: Option<Stage>,
}

impl Which {
    /// What a customer gets.
    #[must_use]
    pub fn of(&self, customer: &Customer) -> &Lane {
        self.lanes.get(customer).unwrap_or(&self.unlisted)
    }
}

/// Looks up which version of a task is live.
///
/// # Errors
/// There is no such pipeline or task, or neither the ledger nor a published output tells the stages.
pub fn which(path: &Path, task: &str) -> Result<Which, RunError> {
    let pipeline = pipeline::load(path)?;
    let store = Store::of(&pipeline);
    let found = pipeline
        .spec
        .task(task)
        .ok_or_else(|| unknown(&pipeline.spec, task))?;
    let Flagged { stages, alerts, .. } = stages(&pipeline, &store)?;
    let change = pipeline.spec.change_of(task);
    let lanes = change.map(|change| lanes(&pipeline.spec, change, &stages.of(&change.name)));
    let lanes = lanes.unwrap_or_default();
    let lane = |stage: Stage| Lane {
        version: version(found, change, stage).to_owned(),
        stage: change.map(|_| stage),
    };
    Ok(Which {
        task: task.to_owned(),
        change: change.map(|change| change.name.clone()),
        unlisted: lane(lanes.unlisted),
        lanes: lanes
            .lanes
            .iter()
            .map(|(customer, stage)| (customer.clone(), lane(*stage)))
            .collect(),
        alerts,
    })
}

fn unknown(spec: &Spec, task: &str) -> RunError {
    let names: Vec<&str> = spec.tasks.iter().map(|task| task.name.as_str()).collect();
    RunError::NoTask(format!(
        "there is no task `{task}`; {}",
        hint(task, &names, "tasks")
    ))
}

/// The stages of a change by the lanes that it really has.
fn lanes(spec: &Spec, change: &Change, stages: &LaneStages) -> LaneStages {
    let mut changed = spec
        .tasks
        .iter()
        .filter(|task| change.new.contains_key(&task.name));
    if changed.all(|task| task.output.customer.is_some()) {
        stages.clone()
    } else {
        as_one_lane(stages)
    }
}

fn version<'a>(task: &'a Task, change: Option<&'a Change>, stage: Stage) -> &'a str {
    match (change, stage) {
        (Some(change), Stage::Live | Stage::Complete) => &change.new[&task.name],
        _ => &task.live,
    }
}
