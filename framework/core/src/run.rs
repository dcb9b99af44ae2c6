//! What a run left behind: the executor is total, so every failure is in here.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::customer::Customer;
use crate::digest::Digest;
use crate::isolation::Isolation;
use crate::leak::Leak;
use crate::plan::NodeId;

/// What happened to each part of a plan.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RunLog {
    /// By node; a node that is not here was not run.
    pub nodes: BTreeMap<NodeId, NodeRecord>,
    /// By the position of the comparison in the plan; one that is not here was not made.
    pub comparisons: BTreeMap<usize, ComparisonRecord>,
    /// What was found out about leaks, by their position in the plan; one that is not here was not looked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaks: BTreeMap<usize, LeakRecord>,
    /// What was done about live lanes before publishing, by change.
    pub assemblies: BTreeMap<String, crate::rollout::Assembly>,
    /// What was published; `None` where the live half did not get there.
    pub published: Option<PublicationRecord>,
    /// Inputs that were not the same at the end: path and what happened to it.
    pub changed_inputs: Vec<String>,
    /// What somebody else changed where the outputs are published, since this run published: path and what happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_writes: Vec<String>,
    /// What a person should look at.
    pub alerts: Vec<String>,
}

/// One node's execution.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NodeRecord {
    /// How it ended.
    pub outcome: Result<NodeOutput, Failure>,
    /// What it took.
    pub usage: Usage,
    /// Whether the output was there already, from the same code and inputs.
    pub reused: bool,
    /// What kept it in its place, where it was executed as a shadow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
}

/// A node's output.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NodeOutput {
    /// Its rows.
    pub rows: u64,
    /// The length of `data.parquet` in bytes.
    pub bytes: u64,
    /// The digest of `data.parquet`, of what a repair may have to publish one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// What a process and its children took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Wall time in milliseconds.
    pub wall_ms: u64,
    /// Processor time in milliseconds.
    pub cpu_ms: u64,
    /// The greatest resident memory seen, in bytes.
    pub peak_memory_bytes: u64,
}

/// Why something did not end well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Whose fault it was.
    pub kind: FailureKind,
    /// What happened, for people.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    /// A failure of some kind.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// Whose fault a failure was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The version's: it failed, or left nothing or something unreadable.
    Task,
    /// It ran past its limit of time.
    Timeout,
    /// It went beyond its limit of memory.
    Memory,
    /// It went beyond another limit: of what it may write, or of processes.
    Limit,
    /// Its process died.
    Died,
    /// Its process ended with a bug of ours.
    Bug,
    /// Putting rows together by customer would give a row twice, or lose one.
    Grain,
    /// Something that it reads was not there because that failed.
    Input,
    /// What it reads is not there yet.
    Waiting,
    /// Storage or the machine.
    Machine,
    /// Somebody stopped the run.
    Interrupted,
}

/// One comparison's execution.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ComparisonRecord {
    /// What it found.
    pub outcome: Result<Comparison, Failure>,
    /// What it took.
    pub usage: Usage,
    /// Whether it was there already, for the same outputs and rules.
    pub reused: bool,
}

/// What was found out about one leak.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeakRecord {
    /// What leaks; nothing where customers who get old rows have those that they had without the flip.
    pub outcome: Result<Option<Leak>, Failure>,
    /// What it took to find out.
    pub usage: Usage,
    /// Whether the comparison was there already.
    pub reused: bool,
}

/// What was published.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PublicationRecord {
    /// The published files, by task.
    pub outputs: BTreeMap<String, PublishedFile>,
    /// Whether they stood there already, from this run.
    pub reused: bool,
    /// Lanes that were live and got their old rows, by change.
    pub fallbacks: BTreeMap<String, Vec<Customer>>,
}

/// One published file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PublishedFile {
    /// Where it is.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl RunLog {
    /// The output of a node that ended well.
    #[must_use]
    pub fn output(&self, node: NodeId) -> Option<&NodeOutput> {
        self.nodes.get(&node)?.outcome.as_ref().ok()
    }

    /// Why a node has no output.
    #[must_use]
    pub fn failure(&self, node: NodeId) -> Option<&Failure> {
        self.nodes.get(&node)?.outcome.as_ref().err()
    }
}
