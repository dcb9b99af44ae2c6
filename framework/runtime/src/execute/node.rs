//! One node: executing a version, or putting two outputs together.

use std::fs;
use std::path::PathBuf;

use understudy_core::digest::Digest;
use understudy_core::event::StepEnd;
use understudy_core::isolation::Isolation;
use understudy_core::plan::{GivenOutput, Half, InputFrom, Node, NodeId, NodeInput, Work};
use understudy_core::run::{Failure, FailureKind, NodeOutput, NodeRecord, Usage};
use understudy_core::snapshot::Found;
use understudy_core::spec::{Input, InputSource, Stored, Task, Version, VersionKind};
use understudy_tables::{TableSource, pin};
use understudy_tasks::DATA_FILE;

use super::{Executor, Reuse, Sent, wrong_answer};
use crate::observe::{external_source, stored_source};
use crate::small_file::{MAX_TEXT_BYTES, read_small};
use crate::store::durable;
use crate::worker::{
    Answer, AssembleJob, Job, JobCode, JobInput, NodeResult, TaskJob, WorkerLimits,
};

/// The file that says that a node's output is complete.
const RESULT_FILE: &str = "result.json";

/// What came of making a node.
struct Made {
    outcome: Result<NodeResult, Failure>,
    usage: Usage,
    isolation: Option<Isolation>,
}

impl Made {
    /// Nothing was begun.
    fn failed(failure: Failure) -> Self {
        Self {
            outcome: Err(failure),
            usage: Usage::default(),
            isolation: None,
        }
    }
}

impl Executor<'_> {
    /// Gives a node its output, or a reason why it has none.
    pub(super) async fn node(&self, id: NodeId) {
        let node = self.plan.node(id);
        let name = self.node_name(id);
        let since = self.started(&name, node.half);
        let record = self.record(id, &name).await;
        let end = match &record.outcome {
            Err(failure) => StepEnd::Failed(failure.message.clone()),
            Ok(_) if record.reused => StepEnd::Reused,
            Ok(output) => StepEnd::Done(format!("{} rows", output.rows)),
        };
        self.log.borrow_mut().nodes.insert(id, record);
        self.ended(&name, node.half, since, end);
    }

    /// What a node is called in logs: its task and version, and what tells it from others where that is needed.
    fn node_name(&self, id: NodeId) -> String {
        let node = self.plan.node(id);
        let name = format!("{} {}", node.task, node.version().unwrap_or("put together"));
        let twins = || {
            self.plan
                .nodes
                .iter()
                .filter(|other| other.task == node.task && other.version() == node.version())
        };
        let world = match node.half {
            Half::Live => "live",
            Half::Shadow => "shadow",
        };
        if twins().count() == 1 {
            name
        } else if twins().filter(|other| other.half == node.half).count() == 1 {
            format!("{name} ({world})")
        } else {
            format!("{name} ({world} {})", node.key.short())
        }
    }

    async fn record(&self, id: NodeId, name: &str) -> NodeRecord {
        let failed = |failure| NodeRecord {
            outcome: Err(failure),
            usage: Usage::default(),
            reused: false,
            isolation: None,
        };
        if let Work::Given(given) = &self.plan.node(id).work {
            return self.given(id, given);
        }
        if let Some(failure) = self.missing_input(id) {
            return failed(failure);
        }
        let key = match self.effective_key(id) {
            Ok(key) => key,
            Err(failure) => return failed(failure),
        };
        if self.reuse == Reuse::Complete
            && let Some(result) = self.complete_result(id, &key)
        {
            return NodeRecord {
                usage: result.usage,
                outcome: Ok(output_of(&result)),
                reused: true,
                isolation: result.isolation,
            };
        }
        let made = self.make(id, name, key).await;
        NodeRecord {
            outcome: made.outcome.map(|result| output_of(&result)),
            usage: made.usage,
            reused: false,
            isolation: made.isolation,
        }
    }

    /// Takes what an earlier run left, if it is still there. What it holds was looked at when it was planned.
    fn given(&self, id: NodeId, given: &GivenOutput) -> NodeRecord {
        let path = self.output_folder(id).join(DATA_FILE);
        let is_there = fs::metadata(&path).is_ok_and(|found| found.len() == given.bytes);
        let output = NodeOutput {
            rows: given.rows,
            bytes: given.bytes,
            digest: Some(given.digest.clone()),
        };
        let gone = || {
            let message = format!("is gone: run {} left it at `{}`", given.run, path.display());
            Failure::new(FailureKind::Machine, message)
        };
        NodeRecord {
            outcome: is_there.then_some(output).ok_or_else(gone),
            usage: Usage::default(),
            reused: true,
            isolation: None,
        }
    }

    fn missing_input(&self, id: NodeId) -> Option<Failure> {
        let node = self.plan.node(id);
        if matches!(node.work, Work::Assemble { .. }) {
            // How rows are put together depends on which side failed: that is decided with the key.
            return None;
        }
        if let Some(failure) = self.waits_for(node) {
            return Some(failure);
        }
        let log = self.log.borrow();
        let missing = node
            .reads()
            .into_iter()
            .find(|input| log.output(*input).is_none())?;
        let task = &self.plan.node(missing).task;
        if log
            .failure(missing)
            .is_some_and(|failure| failure.kind == FailureKind::Interrupted)
        {
            return Some(Failure::new(FailureKind::Interrupted, "was interrupted"));
        }
        Some(Failure::new(
            FailureKind::Input,
            format!("did not run: its input `{task}` has no output"),
        ))
    }

    /// Why a node waits, if what it reads is not there yet.
    fn waits_for(&self, node: &Node) -> Option<Failure> {
        let Work::Compute {
            version, inputs, ..
        } = &node.work
        else {
            return None;
        };
        let message = inputs.iter().find_map(|input| match &input.from {
            InputFrom::Stored { id, .. } => match &self.inputs.tables[id] {
                Found::NotYet(location) => Some(format!(
                    "waits: its input `{}` is not there yet (nothing is at `{location}`)",
                    input.name
                )),
                Found::There(_) => None,
            },
            InputFrom::External(_) => match &self.inputs.externals[&node.task][version] {
                Found::NotYet(location) => {
                    Some(format!("is not there yet (nothing is at `{location}`)"))
                }
                Found::There(_) => None,
            },
            InputFrom::Node(_) => None,
        })?;
        Some(Failure::new(FailureKind::Waiting, message))
    }

    /// The key of what a node really gives: the planned one, and how the outputs that it builds on were put together.
    pub(super) fn effective_key(&self, id: NodeId) -> Result<Digest, Failure> {
        let node = self.plan.node(id);
        let assembly = match &node.work {
            Work::Assemble { change, .. } => Some(self.assembly(change)?),
            Work::Compute { .. } | Work::Given(_) => None,
        };
        let inputs: Vec<_> = node
            .reads()
            .into_iter()
            .map(|input| self.effective_key(input))
            .collect::<Result<_, _>>()?;
        Ok(Digest::of_json(&(&node.key, inputs, assembly)))
    }

    /// The output folder of a node, absolute.
    pub(crate) fn output_folder(&self, id: NodeId) -> PathBuf {
        self.store.root().join(&self.plan.node(id).folder)
    }

    /// What stands beside a node's output, if that is complete.
    pub(crate) fn result(&self, id: NodeId) -> Option<NodeResult> {
        let folder = self.output_folder(id);
        let result: NodeResult =
            serde_json::from_slice(&fs::read(folder.join(RESULT_FILE)).ok()?).ok()?;
        let bytes = fs::metadata(folder.join(DATA_FILE)).ok()?.len();
        (bytes == result.bytes).then_some(result)
    }

    /// Whether a node's output is there, whole, and made from what the plan says.
    pub(crate) fn is_complete(&self, id: NodeId) -> bool {
        let key = self.effective_key(id);
        key.is_ok_and(|key| self.complete_result(id, &key).is_some())
    }

    fn complete_result(&self, id: NodeId, key: &Digest) -> Option<NodeResult> {
        self.result(id).filter(|result| result.key == *key)
    }

    async fn make(&self, id: NodeId, name: &str, key: Digest) -> Made {
        let node = self.plan.node(id);
        let output = self.output_folder(id);
        if let Err(error) = durable::clear_dir(self.store.root(), &output) {
            let message = format!("`{}` cannot be written: {error}", output.display());
            return Made::failed(Failure::new(FailureKind::Machine, message));
        }
        let job = match &node.work {
            Work::Compute {
                version, inputs, ..
            } => self.task_job(node, version, inputs, name, output.clone(), key),
            Work::Assemble { change, old, new } => {
                self.assemble_job(node, change, [*old, *new], output.clone(), key)
            }
            Work::Given(_) => Err(Failure::new(
                FailureKind::Bug,
                "is given, and cannot be made",
            )),
        };
        let (job, sent) = match job {
            Ok(job) => job,
            Err(failure) => return Made::failed(failure),
        };
        let end = self.work(name, job, sent).await;
        let made = end.answer.and_then(|answer| match answer {
            Answer::Made(result) => Ok(NodeResult {
                usage: end.usage,
                isolation: end.isolation.clone(),
                ..result
            }),
            _ => Err(wrong_answer()),
        });
        Made {
            outcome: made.and_then(|result| keep(&output, result)),
            usage: end.usage,
            isolation: end.isolation,
        }
    }

    fn limits(&self, node: &Node) -> WorkerLimits {
        match &node.work {
            Work::Compute {
                limits,
                shadow_of: None,
                ..
            } if node.half == Half::Live => WorkerLimits::live(*limits),
            Work::Compute {
                limits, shadow_of, ..
            } => {
                let beside = shadow_of.or_else(|| self.live_node(&node.task));
                let log = self.log.borrow();
                let live = beside.and_then(|id| log.nodes.get(&id));
                let output = live.and_then(|record| record.outcome.as_ref().ok());
                let bytes = output.map_or(0, |output| output.bytes);
                WorkerLimits::shadow(*limits, live.map(|record| record.usage), bytes)
            }
            Work::Assemble { .. } | Work::Given(_) => WorkerLimits::default(),
        }
    }

    fn live_node(&self, task: &str) -> Option<NodeId> {
        self.plan
            .publications
            .iter()
            .find(|publication| publication.task == task)
            .map(|publication| publication.node)
    }

    fn task_job(
        &self,
        node: &Node,
        version: &str,
        inputs: &[NodeInput],
        name: &str,
        output: PathBuf,
        key: Digest,
    ) -> Result<(Job, Sent), Failure> {
        let task = self.task(&node.task);
        let version = &task.versions[version];
        let limits = self.limits(node);
        let outfit = self.outfit(node, version)?;
        let job = TaskJob {
            task: task.name.clone(),
            version: version.name.clone(),
            code: self.code(version)?,
            params: version.params.clone(),
            date: self.plan.date,
            slice: self.plan.slice.clone(),
            now_nanos: self.now_nanos,
            inputs: inputs
                .iter()
                .map(|input| self.job_input(node, version, input))
                .collect::<Result<_, _>>()?,
            output,
            pipeline_folder: self.pipeline.folder.clone(),
            grain: task.output.grain.clone(),
            customer: task.output.customer.clone(),
            memory_bytes: engine_memory(limits, self.resources.memory_bytes),
            logs: ["out", "err"].map(|kind| self.log_file(&format!("{name} {kind}"))),
            secret_names: outfit.secret_names(),
            key,
        };
        let step = self.step_folder(name);
        let sent = self.sent_for_task(node, &job, version, outfit, limits, &step);
        Ok((Job::Task(Box::new(job)), sent))
    }

    fn task(&self, name: &str) -> &Task {
        self.pipeline
            .spec
            .task(name)
            .expect("a plan names tasks of its own pipeline")
    }

    fn code(&self, version: &Version) -> Result<JobCode, Failure> {
        match &version.kind {
            VersionKind::Sql { file, threads } => {
                let path = self.pipeline.folder.join(file);
                let sql = read_small(&path, MAX_TEXT_BYTES).map_err(|error| {
                    Failure::new(
                        FailureKind::Task,
                        format!("`{file}` cannot be read: {error}"),
                    )
                })?;
                let threads = threads.map_or(self.resources.threads, |threads| threads as usize);
                Ok(JobCode::Sql {
                    file: file.clone(),
                    sql,
                    threads,
                })
            }
            VersionKind::Command { argv, inputs, .. } => Ok(JobCode::Command {
                argv: argv.clone(),
                inputs: *inputs,
            }),
            VersionKind::External { .. } => Ok(JobCode::External),
            VersionKind::Merge(merge) => Ok(JobCode::Merge {
                merge: *merge,
                threads: self.resources.threads,
            }),
            VersionKind::Rust(name) => Ok(JobCode::Rust {
                name: name.clone(),
                threads: self.resources.threads,
            }),
        }
    }

    fn job_input(
        &self,
        node: &Node,
        version: &Version,
        input: &NodeInput,
    ) -> Result<JobInput, Failure> {
        let (source, sliced_by) = match &input.from {
            InputFrom::Node(id) => (self.table(*id)?, None),
            InputFrom::Stored { .. } => self.stored(node, input),
            InputFrom::External(_) => (self.external(node, version), None),
        };
        Ok(JobInput {
            name: input.name.clone(),
            source,
            sliced_by,
        })
    }

    fn stored(&self, node: &Node, input: &NodeInput) -> (TableSource, Option<String>) {
        let task = self.task(&node.task);
        let input = task.inputs.iter().find(|own| own.name == input.name);
        input
            .and_then(|input| stored_source(self.pipeline, self.inputs, &as_stored(input)))
            .expect(
                "a node whose stored input is not there waits, and a plan's inputs are its task's",
            )
    }

    fn external(&self, node: &Node, version: &Version) -> TableSource {
        external_source(self.pipeline, self.inputs, &node.task, &version.name)
            .expect("a node whose external output is not there waits")
    }

    /// A node's output as a table.
    pub(super) fn table(&self, id: NodeId) -> Result<TableSource, Failure> {
        let base = self.output_folder(id);
        let snapshot = pin(&self.plan.node(id).task, DATA_FILE, &base).map_err(|error| {
            Failure::new(
                FailureKind::Machine,
                format!("`{}` cannot be read: {error}", base.display()),
            )
        })?;
        Ok(TableSource {
            base,
            snapshot,
            types: Default::default(),
        })
    }

    fn assemble_job(
        &self,
        node: &Node,
        change: &str,
        [old, new]: [NodeId; 2],
        output: PathBuf,
        key: Digest,
    ) -> Result<(Job, Sent), Failure> {
        let assembly = self.assembly(change)?;
        let task = self.task(&node.task);
        // A side that failed is not read: then every lane is on the other one.
        let (old, new) = (self.table(old), self.table(new));
        let (old, new) = match (old, new) {
            (Ok(old), Ok(new)) => (old, new),
            (Ok(old), Err(_)) => (old.clone(), old),
            (Err(_), Ok(new)) => (new.clone(), new),
            (Err(failure), Err(_)) => return Err(failure),
        };
        let job = AssembleJob {
            task: node.task.clone(),
            old,
            new,
            customer: task.output.customer.clone(),
            grain: task.output.grain.clone(),
            assembly,
            output,
            key,
        };
        Ok((Job::Assemble(Box::new(job)), Sent::default()))
    }
}

/// The share of a memory limit that the engine may plan with; the rest is what no pool counts.
fn engine_memory(limits: WorkerLimits, otherwise: u64) -> u64 {
    limits
        .memory_bytes
        .map_or(otherwise, |limit| (limit / 10 * 6).min(otherwise))
}

fn output_of(result: &NodeResult) -> NodeOutput {
    NodeOutput {
        rows: result.rows,
        bytes: result.bytes,
        digest: None,
    }
}

/// An input as what is read of it: where another task's output is not made in this run, what is published of it.
fn as_stored(input: &Input) -> Input {
    let source = match &input.source {
        InputSource::Task(task) => InputSource::Stored(Stored::published(task)),
        stored @ InputSource::Stored(_) => stored.clone(),
    };
    Input {
        name: input.name.clone(),
        source,
    }
}

/// Writes the result beside the output, last.
fn keep(output: &std::path::Path, result: NodeResult) -> Result<NodeResult, Failure> {
    let json = serde_json::to_vec_pretty(&result).expect("a node's result has a JSON form");
    durable::replace(&output.join(RESULT_FILE), &json).map_err(|error| {
        Failure::new(
            FailureKind::Machine,
            format!("its result cannot be written: {error}"),
        )
    })?;
    Ok(result)
}
