//! Planning.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::path_part::encode;
use crate::plan::{
    GivenOutput, Half, InputFrom, Node, NodeId, NodeInput, PLAN_FORMAT, Plan, PlanInput,
    PlannedComparison, Publication, Work,
};
use crate::rollout::as_one_lane;
use crate::rule::{Allowance, Rule};
use crate::slice::when_part;
use crate::spec::{Change, Input, InputSource, Spec, Stored, Task, VersionKind};
use crate::stage::{Span, Stages};
use crate::world::{Side, Take, World};

/// The plan that follows from the input.
#[must_use]
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let spec = input.spec;
    let stages = lane_stages(spec, input.stages);
    let input = &PlanInput {
        stages: &stages,
        ..*input
    };
    let mut builder = Builder {
        input,
        nodes: Vec::new(),
        by_key: BTreeMap::new(),
        put_together: BTreeSet::new(),
    };
    let live = World::live(spec.changes.keys().map(String::as_str), input.stages);
    let publications: Vec<_> = spec
        .tasks
        .iter()
        .filter_map(|task| builder.publication(&live, task))
        .collect();
    builder.put_together = builder.assembled_changes();
    let comparisons: Vec<_> = spec
        .changes
        .values()
        .filter(|change| runs_both(input, change))
        .flat_map(|change| builder.comparisons(&live, change))
        .collect();
    let leaks: Vec<_> = spec
        .changes
        .values()
        .filter(|change| input.stages.of(&change.name).span() == Span::SomeLive)
        .flat_map(|change| builder.leaks(&live, change, &publications))
        .collect();
    let mut nodes = builder.nodes;
    mark_live_half(&mut nodes, &publications, &comparisons);
    link_shadows(&mut nodes, &comparisons);
    let run = run_id(input, &nodes, &publications);
    place(&mut nodes, &comparisons, input, &run);
    Plan {
        version: PLAN_FORMAT,
        run,
        pipeline: spec.pipeline.clone(),
        date: input.date,
        slice: input.slice.cloned(),
        nodes,
        comparisons,
        leaks,
        publications,
        stages: spec
            .changes
            .keys()
            .map(|name| (name.clone(), input.stages.of(name)))
            .collect(),
        waves: input.waves.clone(),
    }
}

/// The stages of every change of the pipeline, by the lanes that it really has.
fn lane_stages(spec: &Spec, stages: &Stages) -> Stages {
    let mut known = stages.clone();
    for change in spec
        .changes
        .values()
        .filter(|change| !has_lanes(spec, change))
    {
        if let Some(lanes) = known.0.get_mut(&change.name) {
            *lanes = as_one_lane(lanes);
        }
    }
    known
}

/// Whether both sides of a change have work in this run.
fn runs_both(input: &PlanInput<'_>, change: &Change) -> bool {
    !matches!(
        input.stages.of(&change.name).span(),
        Span::Off | Span::Complete
    )
}

struct Builder<'a> {
    input: &'a PlanInput<'a>,
    nodes: Vec<Node>,
    by_key: BTreeMap<Digest, NodeId>,
    /// The changes whose two worlds are put together for what is published.
    put_together: BTreeSet<String>,
}

impl Builder<'_> {
    /// What is published of a task; nothing where somebody else publishes it.
    fn publication(&mut self, live: &World, task: &Task) -> Option<Publication> {
        let location = task.output.location.clone()?;
        if task.is_live_external() || !self.publishes(task) {
            return None;
        }
        Some(Publication {
            task: task.name.clone(),
            node: self.node(live, task),
            location,
        })
    }

    fn publishes(&self, task: &Task) -> bool {
        let repair = self.input.repair;
        repair.is_none_or(|repair| repair.publish.contains(&task.name))
    }

    fn assembled_changes(&self) -> BTreeSet<String> {
        let changes = self.nodes.iter().filter_map(|node| match &node.work {
            Work::Assemble { change, .. } => Some(change.clone()),
            Work::Compute { .. } | Work::Given(_) => None,
        });
        changes.collect()
    }

    fn comparisons(&mut self, live: &World, change: &Change) -> Vec<PlannedComparison> {
        let spec = self.input.spec;
        let (old_world, new_world) = (
            live.with(&change.name, Side::Old),
            live.with(&change.name, Side::New),
        );
        let by_customer = has_lanes(spec, change);
        let decides = self.put_together.contains(&change.name);
        // A repair is no evidence: it compares what decides about its rows, and nothing else.
        let compared = |task: &&Task| match (change.new.contains_key(&task.name), self.input.repair)
        {
            (is_changed, Some(_)) => is_changed && decides,
            (is_changed, None) => is_changed || change.downstream.contains(&task.name),
        };
        let tasks: Vec<&Task> = spec.tasks.iter().filter(compared).collect();
        let mut comparisons = Vec::with_capacity(tasks.len());
        for task in tasks {
            let changed = change.new.contains_key(&task.name);
            comparisons.push(PlannedComparison {
                change: change.name.clone(),
                task: task.name.clone(),
                changed,
                old: self.node(&old_world, task),
                new: self.node(&new_world, task),
                half: if changed && decides {
                    Half::Live
                } else {
                    Half::Shadow
                },
                key: task.output.grain.clone(),
                customer: task.output.customer.clone().filter(|_| by_customer),
                rules: change.rules(&task.name),
                checks: change.compare.get(&task.name).cloned().unwrap_or_default(),
            });
        }
        comparisons
    }

    /// What customers who get old rows may see of a flip of others: of each unchanged task downstream, what is
    /// published beside what would be without the change. Where that is one node, nothing can leak.
    fn leaks(
        &mut self,
        live: &World,
        change: &Change,
        publications: &[Publication],
    ) -> Vec<PlannedComparison> {
        let spec = self.input.spec;
        let old_world = live.with(&change.name, Side::Old);
        let mut leaks = Vec::new();
        for task in &spec.tasks {
            let is_downstream =
                change.downstream.contains(&task.name) && !change.new.contains_key(&task.name);
            let mut published = publications.iter().filter(|other| other.task == task.name);
            let (true, Some(published)) = (is_downstream, published.next()) else {
                continue;
            };
            let old = self.node(&old_world, task);
            if old == published.node {
                continue;
            }
            leaks.push(PlannedComparison {
                change: change.name.clone(),
                task: task.name.clone(),
                changed: false,
                old,
                new: published.node,
                half: Half::Shadow,
                key: task.output.grain.clone(),
                customer: task.output.customer.clone(),
                rules: ignoring(change, &task.name),
                checks: Vec::new(),
            });
        }
        leaks
    }

    /// The node that gives a task's output in a world. What is the same in several worlds is one node.
    fn node(&mut self, world: &World, task: &Task) -> NodeId {
        let Some(change) = self.input.spec.change_of(&task.name) else {
            return self.side(world, task, Side::Old, &task.live);
        };
        match world.take(&change.name) {
            Take::Wholly(Side::Old) => self.side(world, task, Side::Old, &task.live),
            Take::Wholly(Side::New) => self.side(world, task, Side::New, &change.new[&task.name]),
            Take::ByLane => {
                let old = self.node(&world.with(&change.name, Side::Old), task);
                let new = self.node(&world.with(&change.name, Side::New), task);
                self.assemble(task, change, old, new)
            }
        }
    }

    /// One side of a task: taken where it is given, else computed.
    fn side(&mut self, world: &World, task: &Task, side: Side, version: &str) -> NodeId {
        let repair = self.input.repair;
        match repair.and_then(|repair| repair.given(&task.name, side)) {
            Some(given) => self.take_given(task, given),
            None => self.compute(world, task, version),
        }
    }

    /// Where a file lies does not matter, what it holds does.
    fn take_given(&mut self, task: &Task, given: &GivenOutput) -> NodeId {
        let key = Digest::of_json(&("given", &task.name, &given.digest));
        let id = self.add(task, Work::Given(given.clone()), key);
        self.nodes[id.0].folder.clone_from(&given.folder);
        id
    }

    fn compute(&mut self, world: &World, task: &Task, version: &str) -> NodeId {
        let inputs: Vec<NodeInput> = match &task.versions[version].kind {
            VersionKind::External { .. } => vec![self.external_input(task, version)],
            _ => task
                .inputs
                .iter()
                .map(|input| self.node_input(world, input))
                .collect(),
        };
        let code = self.code(task, version);
        let limits = task.versions[version].limits;
        let keys: Vec<_> = inputs
            .iter()
            .map(|input| (&input.name, self.input_key(input)))
            .collect();
        let when = (self.input.date, self.input.slice);
        let key = Digest::of_json(&("compute", &task.name, code, keys, when));
        let work = Work::Compute {
            version: version.to_owned(),
            inputs,
            limits,
            shadow_of: None,
        };
        self.add(task, work, key)
    }

    fn assemble(&mut self, task: &Task, change: &Change, old: NodeId, new: NodeId) -> NodeId {
        let keys = [&self.nodes[old.0].key, &self.nodes[new.0].key];
        let stages = self.input.stages.of(&change.name);
        let key = Digest::of_json(&("assemble", &task.name, keys, &change.name, stages));
        self.add(
            task,
            Work::Assemble {
                change: change.name.clone(),
                old,
                new,
            },
            key,
        )
    }

    fn add(&mut self, task: &Task, work: Work, key: Digest) -> NodeId {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = NodeId(self.nodes.len());
        self.by_key.insert(key.clone(), id);
        let folder = String::new();
        self.nodes.push(Node {
            task: task.name.clone(),
            half: Half::Shadow,
            work,
            key,
            folder,
        });
        id
    }

    fn node_input(&mut self, world: &World, input: &Input) -> NodeInput {
        let from = match &input.source {
            InputSource::Stored(stored) => self.stored(stored),
            InputSource::Task(name) => {
                let repair = self.input.repair;
                let standing = repair.and_then(|repair| repair.standing(self.input.spec, name));
                if let Some(standing) = standing {
                    let name = input.name.clone();
                    let from = self.stored(&standing);
                    return NodeInput { name, from };
                }
                let task = self
                    .input
                    .spec
                    .task(name)
                    .expect("a resolved spec has every task that it names");
                InputFrom::Node(self.node(world, task))
            }
        };
        NodeInput {
            name: input.name.clone(),
            from,
        }
    }

    fn stored(&self, stored: &Stored) -> InputFrom {
        InputFrom::Stored {
            id: stored.id(),
            digest: self.stored_digest(stored),
        }
    }

    /// What an external version reads is its own business: its output stands for that.
    fn external_input(&self, task: &Task, version: &str) -> NodeInput {
        NodeInput {
            name: task.name.clone(),
            from: InputFrom::External(self.input.inputs.externals[&task.name][version].digest()),
        }
    }

    /// The identity of stored data, and of the types that the file gives them.
    fn stored_digest(&self, stored: &Stored) -> Digest {
        let found = self.input.inputs.tables[&stored.id()].digest();
        let types = self
            .input
            .spec
            .datasets
            .get(stored.name())
            .map(|dataset| &dataset.types);
        Digest::of_json(&(found, types))
    }

    fn input_key(&self, input: &NodeInput) -> Digest {
        match &input.from {
            InputFrom::Stored { digest, .. } | InputFrom::External(digest) => digest.clone(),
            InputFrom::Node(id) => self.nodes[id.0].key.clone(),
        }
    }

    fn code(&self, task: &Task, version: &str) -> &Digest {
        &self.input.code[&task.name][version]
    }
}

/// The rules that say that a difference never matters. What the others expect of the flip is what leaks of it.
fn ignoring(change: &Change, task: &str) -> Vec<Rule> {
    let rules = change.expect.get(task).into_iter().flatten();
    rules
        .filter(|rule| rule.allow == Allowance::Ignore)
        .cloned()
        .collect()
}

/// Whether a change has a lane for each customer: every task that it changes has a customer column.
fn has_lanes(spec: &Spec, change: &Change) -> bool {
    let mut changed = spec
        .tasks
        .iter()
        .filter(|task| change.new.contains_key(&task.name));
    changed.all(|task| task.output.customer.is_some())
}

/// Publishing waits for what is published, and for both sides of what is compared before publishing.
fn mark_live_half(
    nodes: &mut [Node],
    publications: &[Publication],
    comparisons: &[PlannedComparison],
) {
    let published = publications.iter().map(|publication| publication.node);
    let compared = comparisons
        .iter()
        .filter(|comparison| comparison.half == Half::Live);
    let mut open: Vec<NodeId> = published
        .chain(compared.flat_map(|comparison| [comparison.old, comparison.new]))
        .collect();
    while let Some(id) = open.pop() {
        let node = &mut nodes[id.0];
        if node.half == Half::Shadow {
            node.half = Half::Live;
            open.extend(node.reads());
        }
    }
}

/// The side that is no live output takes its default limits from the one beside it.
fn link_shadows(nodes: &mut [Node], comparisons: &[PlannedComparison]) {
    for comparison in comparisons {
        if comparison.old != comparison.new
            && let Work::Compute { shadow_of, .. } = &mut nodes[comparison.new.0].work
        {
            *shadow_of = Some(comparison.old);
        }
    }
}

fn run_id(input: &PlanInput<'_>, nodes: &[Node], publications: &[Publication]) -> String {
    let keys: Vec<_> = nodes.iter().map(|node| &node.key).collect();
    let identity = (
        &input.spec.pipeline,
        (input.date, input.slice),
        keys,
        publications,
        input.stages,
    );
    let digest = match input.repair {
        None => Digest::of_json(&identity),
        Some(_) => Digest::of_json(&("repair", identity)),
    };
    digest.as_str()[..16].to_owned()
}

/// Gives each node its folder: in quarantine below the first comparison that it is a side of, else with the run.
fn place(nodes: &mut [Node], comparisons: &[PlannedComparison], input: &PlanInput<'_>, run: &str) {
    for comparison in comparisons {
        for side in [Side::Old, Side::New] {
            let node = &mut nodes[comparison.node(side).0];
            if node.folder.is_empty() {
                let (change, task) = (encode(&comparison.change), encode(&comparison.task));
                let (when, side) = (when_part(input.date, input.slice), side.name());
                node.folder = format!("quarantine/{change}/{task}/{when}/run={run}/{side}");
            }
        }
    }
    for node in nodes.iter_mut().filter(|node| node.folder.is_empty()) {
        let (task, key) = (encode(&node.task), node.key.short());
        node.folder = format!("runs/{run}/outputs/{task}/{key}");
    }
}
