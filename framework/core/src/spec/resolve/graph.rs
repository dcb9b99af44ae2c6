//! Which task reads which.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use petgraph::Direction::Incoming;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::names::Names;

/// The tasks by their place in the file, with an edge from each to those that read it.
pub(crate) struct Graph(DiGraph<(), ()>);

impl Graph {
    /// The graph of a file's tasks. Datasets and unknown names have no part in it.
    pub(crate) fn of(names: &Names<'_>) -> Self {
        let tasks = names.task_names();
        let mut graph = DiGraph::new();
        for _ in &tasks {
            graph.add_node(());
        }
        for (reader, task) in tasks.iter().enumerate() {
            let inputs = names
                .inputs(task)
                .into_iter()
                .filter_map(|(input, _)| names.task_position(input));
            for input in inputs {
                graph.update_edge(NodeIndex::new(input), NodeIndex::new(reader), ());
            }
        }
        Self(graph)
    }

    /// A shortest cycle of each knot of tasks, from its first task in the file back to it.
    pub(crate) fn cycles(&self) -> Vec<Vec<usize>> {
        let knots = tarjan_scc(&self.0).into_iter().filter_map(|knot| {
            let first = knot.iter().min().copied()?;
            self.way_back(first, &knot.into_iter().collect())
        });
        let mut cycles: Vec<_> = knots.collect();
        cycles.sort_unstable();
        cycles
    }

    fn way_back(&self, first: NodeIndex, knot: &BTreeSet<NodeIndex>) -> Option<Vec<usize>> {
        let mut ways = VecDeque::from([(first, None)]);
        let mut steps: Vec<(NodeIndex, Option<usize>)> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some((task, from)) = ways.pop_front() {
            steps.push((task, from));
            let step = steps.len() - 1;
            let mut readers: Vec<_> = self
                .0
                .neighbors(task)
                .filter(|reader| knot.contains(reader))
                .collect();
            readers.sort_unstable();
            for reader in readers {
                if reader == first {
                    return Some(way(&steps, step, first));
                }
                if seen.insert(reader) {
                    ways.push_back((reader, Some(step)));
                }
            }
        }
        None
    }

    /// All tasks, each after those that it reads, else in the file's order. Those in a cycle are left out.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut waits: Vec<usize> = self
            .0
            .node_indices()
            .map(|task| self.0.neighbors_directed(task, Incoming).count())
            .collect();
        let ready = self
            .0
            .node_indices()
            .filter(|task| waits[task.index()] == 0);
        let mut ready: BinaryHeap<_> = ready.map(Reverse).collect();
        let mut order = Vec::with_capacity(waits.len());
        while let Some(Reverse(task)) = ready.pop() {
            order.push(task.index());
            for reader in self.0.neighbors(task) {
                waits[reader.index()] -= 1;
                if waits[reader.index()] == 0 {
                    ready.push(Reverse(reader));
                }
            }
        }
        order
    }

    /// The tasks that read some of these, directly or not.
    pub(crate) fn downstream_of(&self, tasks: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut left: Vec<NodeIndex> = tasks.into_iter().map(NodeIndex::new).collect();
        let mut reached = BTreeSet::new();
        while let Some(task) = left.pop() {
            left.extend(
                self.0
                    .neighbors(task)
                    .filter(|reader| reached.insert(reader.index())),
            );
        }
        reached
    }
}

fn way(steps: &[(NodeIndex, Option<usize>)], last: usize, first: NodeIndex) -> Vec<usize> {
    let mut way = vec![first.index()];
    let mut step = Some(last);
    while let Some(position) = step {
        way.push(steps[position].0.index());
        step = steps[position].1;
    }
    way.reverse();
    way
}
