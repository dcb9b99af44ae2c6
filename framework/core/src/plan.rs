//! What a run will do, decided before it begins.
//!
//! A [`Plan`] leaves the executor no choice: which node runs which version on which inputs, in which half, and
//! what is compared and published. Planning is a pure function, so a plan can be printed, tested and replayed.

mod build;
mod repair;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::digest::Digest;
use crate::rollout::wave::LiveWave;
use crate::rule::Rule;
use crate::run_date::RunDate;
use crate::slice::SliceOf;
use crate::snapshot::InputSnapshot;
use crate::spec::{Limits, Spec};
use crate::stage::{LaneStages, Stages};
use crate::world::Side;

pub use build::plan;
pub use repair::{GivenOutput, RepairInput};
pub use tree::{TreeFacts, render};

/// The format of stored plans.
pub const PLAN_FORMAT: u32 = 2;

/// Everything that a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The pipeline.
    pub spec: &'a Spec,
    /// The date to compute.
    pub date: RunDate,
    /// The slice whose customers are computed; `None` for everybody.
    pub slice: Option<&'a SliceOf>,
    /// The inputs as they are now.
    pub inputs: &'a InputSnapshot,
    /// The stages of all lanes.
    pub stages: &'a Stages,
    /// The waves of changes that have begun one, by change.
    pub waves: &'a BTreeMap<String, Vec<LiveWave>>,
    /// The digest of each version's code, by task and version.
    pub code: &'a BTreeMap<String, BTreeMap<String, Digest>>,
    /// What makes it a repair; `None` for an ordinary run.
    pub repair: Option<&'a RepairInput>,
}

/// What a run will do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The format, [`PLAN_FORMAT`].
    pub version: u32,
    /// The run's id: the digest of code, inputs, stages and date.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The date to compute.
    pub date: RunDate,
    /// The slice whose customers are computed; `None` for everybody.
    pub slice: Option<SliceOf>,
    /// The nodes, each after those that it reads.
    pub nodes: Vec<Node>,
    /// The comparisons.
    pub comparisons: Vec<PlannedComparison>,
    /// Of unchanged tasks downstream of changes some of whose lanes are live: the old world's output with the one that
    /// is published. They are made last, are no evidence, and decide nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaks: Vec<PlannedComparison>,
    /// What is published: one for each task.
    pub publications: Vec<Publication>,
    /// The stages of every change that runs, by change.
    pub stages: BTreeMap<String, LaneStages>,
    /// The waves of changes that have begun one, by change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waves: BTreeMap<String, Vec<LiveWave>>,
}

/// The position of a node in its plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub usize);

/// One dataset that the run computes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Node {
    /// The task whose output it is.
    pub task: String,
    /// Which half of the run it belongs to.
    pub half: Half,
    /// How it comes about.
    pub work: Work,
    /// The digest of all that it depends on: the same key means the same output.
    pub key: Digest,
    /// The folder of its output, relative to the store.
    pub folder: String,
}

/// The half of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// What publishing waits for.
    Live,
    /// What comes after publishing.
    Shadow,
}

/// How a node comes about.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A version is executed.
    Compute {
        /// The version's name.
        version: String,
        /// What it reads.
        inputs: Vec<NodeInput>,
        /// Its own limits, as far as the file gives them.
        limits: Limits,
        /// The node of the same task whose run time its default limits follow, if it is a shadow of one.
        shadow_of: Option<NodeId>,
    },
    /// Rows of both worlds are put together by the customer's stage.
    Assemble {
        /// The change whose stages count.
        change: String,
        /// Where live lanes' rows do not come from.
        old: NodeId,
        /// Where live lanes' rows come from.
        new: NodeId,
    },
    /// The output of an earlier run is taken as that run left it.
    Given(GivenOutput),
}

/// One input of a node, with the name that the task knows it by.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NodeInput {
    /// The name.
    pub name: String,
    /// Where it comes from.
    pub from: InputFrom,
}

/// Where an input comes from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputFrom {
    /// Data that were there before the run.
    Stored {
        /// Their id in the snapshot of the inputs.
        id: String,
        /// The identity of what was found.
        digest: Digest,
    },
    /// What an external version of the task left, with the identity of what was found.
    External(Digest),
    /// Another node's output.
    Node(NodeId),
}

/// Two nodes to compare.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlannedComparison {
    /// The change that it is evidence for.
    pub change: String,
    /// The task.
    pub task: String,
    /// Whether the change gives this task a new version, or it is only downstream of one.
    pub changed: bool,
    /// The old world's output.
    pub old: NodeId,
    /// The new world's output.
    pub new: NodeId,
    /// Which half it belongs to: live while some lane of the change is live.
    pub half: Half,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// The column that says whose row it is; `None` where the change has the one lane `*`.
    pub customer: Option<String>,
    /// The rules. They are not part of the run's id: changed rules judge the same outputs again.
    pub rules: Vec<Rule>,
    /// What else is compared, in the file's order. They are not part of the run's id either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

impl PlannedComparison {
    /// The node of a side.
    #[must_use]
    pub fn node(&self, side: Side) -> NodeId {
        match side {
            Side::Old => self.old,
            Side::New => self.new,
        }
    }
}

/// One published output.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Publication {
    /// The task.
    pub task: String,
    /// The node that is published.
    pub node: NodeId,
    /// The folder below which it is published.
    pub location: String,
}

impl Plan {
    /// The node at a position.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// All nodes with their positions, in an order in which they can run.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(position, node)| (NodeId(position), node))
    }
}

impl Node {
    /// The nodes that must be done before.
    #[must_use]
    pub fn reads(&self) -> Vec<NodeId> {
        match &self.work {
            Work::Compute { inputs, .. } => inputs
                .iter()
                .filter_map(|input| match input.from {
                    InputFrom::Node(node) => Some(node),
                    InputFrom::Stored { .. } | InputFrom::External(_) => None,
                })
                .collect(),
            Work::Assemble { old, new, .. } => vec![*old, *new],
            Work::Given(_) => Vec::new(),
        }
    }

    /// The version that made it, or will make it; `None` where rows of two are put together.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match &self.work {
            Work::Compute { version, .. } => Some(version),
            Work::Given(given) => Some(&given.version),
            Work::Assemble { .. } => None,
        }
    }
}
