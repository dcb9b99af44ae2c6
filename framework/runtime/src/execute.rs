//! Doing what a plan says. It is total: whatever fails is in the log, and nothing else stops.

mod assemble;
mod check;
mod compare;
mod confine;
mod graph;
mod leaks;
mod node;
mod veil;

pub(crate) use veil::{scrub, withheld};

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use understudy_core::event::{Event, StepEnd};
use understudy_core::path_part::encode;
use understudy_core::plan::{Half, NodeId, Plan, Work};
use understudy_core::run::{Failure, FailureKind, RunLog};
use understudy_core::snapshot::InputSnapshot;
use understudy_core::stage::LaneStages;

use self::confine::grant_logs;
use crate::events::EventSink;
use crate::pipeline::Pipeline;
use crate::report::files::diff::DiffFiles;
use crate::store::layout::Store;
use crate::worker::{Confinement, Crew, Invocation, Job, Outfit, WorkerEnd, WorkerLimits};

/// How the executor works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Steps that run at the same time.
    pub parallel: usize,
    /// Threads of one step.
    pub threads: usize,
    /// Memory that one step may plan with where no limit says less, in bytes.
    pub memory_bytes: u64,
}

/// Whether outputs that are there already are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// What is complete is taken.
    Complete,
    /// Everything is computed anew.
    Nothing,
}

/// Executes one plan.
pub struct Executor<'a> {
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// What to do.
    pub plan: &'a Plan,
    /// The pinned inputs.
    pub inputs: &'a InputSnapshot,
    /// Where outputs go.
    pub store: &'a Store,
    /// What its workers hold while they are at work, so that the next run of these outputs waits for them.
    pub at_work: Option<PathBuf>,
    /// Who does it.
    pub crew: &'a Crew,
    /// Who hears of it.
    pub events: &'a dyn EventSink,
    /// The run's pinned instant: nanoseconds since the epoch.
    pub now_nanos: i64,
    /// How.
    pub resources: Resources,
    /// Whether what is there is taken.
    pub reuse: Reuse,
    /// What happened so far.
    pub log: RefCell<RunLog>,
    /// The stages of changes for which a move towards old came in during the run, by change.
    pub honoured: RefCell<BTreeMap<String, LaneStages>>,
    /// What the report files of each comparison hold, by its position in the plan.
    pub diffs: RefCell<BTreeMap<usize, DiffFiles>>,
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("run", &self.plan.run)
            .finish_non_exhaustive()
    }
}

/// How a worker is sent out.
#[derive(Debug, Default)]
struct Sent {
    /// What it may use up.
    limits: WorkerLimits,
    /// What keeps it in its place.
    confinement: Option<Confinement>,
    /// What its version is given.
    outfit: Outfit,
}

/// One thing to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Node(NodeId),
    Compare(usize),
    Leak(usize),
}

impl Executor<'_> {
    /// Does everything that a half consists of, and whatever of the other half it needs and is not done.
    pub async fn half(&self, half: Half) {
        self.steps_of(half).await;
        while self.give_up_broken_grains() {
            self.steps_of(half).await;
        }
    }

    /// Makes every comparison that is not made yet. While lanes are live the deciding ones belong to the live half, which
    /// a run of the shadow alone does not do.
    pub async fn comparisons(&self) {
        let all = (0..self.plan.comparisons.len()).map(Step::Compare);
        self.take(self.with_needs(all.collect())).await;
    }

    async fn steps_of(&self, half: Half) {
        self.take(self.steps(half)).await;
    }

    async fn take(&self, steps: Vec<Step>) {
        let needs: Vec<Vec<usize>> = steps
            .iter()
            .map(|step| self.positions_needed(&steps, *step))
            .collect();
        graph::run_graph(&needs, self.resources.parallel, async |position| {
            self.step(steps[position]).await
        })
        .await;
    }

    /// How many steps a run has at most.
    #[must_use]
    pub fn step_count(plan: &Plan) -> usize {
        plan.nodes.len() + plan.comparisons.len() + plan.leaks.len()
    }

    fn steps(&self, half: Half) -> Vec<Step> {
        let nodes = self
            .plan
            .nodes()
            .filter(|(_, node)| node.half == half)
            .map(|(id, _)| Step::Node(id));
        let comparisons = self.plan.comparisons.iter().enumerate();
        let comparisons = comparisons.filter(|(_, planned)| planned.half == half);
        let open = nodes.chain(comparisons.map(|(position, _)| Step::Compare(position)));
        self.with_needs(open.collect())
    }

    /// What is not done of these steps and of all that must be done before them.
    fn with_needs(&self, mut open: Vec<Step>) -> Vec<Step> {
        let mut steps = BTreeSet::new();
        while let Some(step) = open.pop() {
            if !self.is_done(step) && steps.insert(step) {
                open.extend(self.needs(step));
            }
        }
        steps.into_iter().collect()
    }

    fn is_done(&self, step: Step) -> bool {
        let log = self.log.borrow();
        match step {
            Step::Node(id) => log.nodes.contains_key(&id),
            Step::Compare(position) => log.comparisons.contains_key(&position),
            Step::Leak(position) => log.leaks.contains_key(&position),
        }
    }

    /// The steps that must be done before.
    fn needs(&self, step: Step) -> Vec<Step> {
        match step {
            Step::Compare(position) => {
                let planned = &self.plan.comparisons[position];
                vec![Step::Node(planned.old), Step::Node(planned.new)]
            }
            Step::Leak(position) => {
                let planned = &self.plan.leaks[position];
                vec![Step::Node(planned.old), Step::Node(planned.new)]
            }
            Step::Node(id) => {
                let node = self.plan.node(id);
                let reads = node.reads().into_iter().map(Step::Node);
                let compared = match &node.work {
                    Work::Assemble { change, .. } => self.comparisons_before(change),
                    Work::Compute { .. } | Work::Given(_) => Vec::new(),
                };
                reads
                    .chain(compared.into_iter().map(Step::Compare))
                    .collect()
            }
        }
    }

    /// The comparisons that decide how a change's outputs are put together.
    fn comparisons_before(&self, change: &str) -> Vec<usize> {
        let all = self.plan.comparisons.iter().enumerate();
        let deciding = all.filter(|(_, planned)| planned.change == change && planned.changed);
        deciding.map(|(position, _)| position).collect()
    }

    fn positions_needed(&self, steps: &[Step], step: Step) -> Vec<usize> {
        let needs = self.needs(step).into_iter();
        needs
            .filter_map(|need| steps.iter().position(|other| *other == need))
            .collect()
    }

    async fn step(&self, step: Step) {
        match step {
            Step::Node(id) => self.node(id).await,
            Step::Compare(position) => self.compare(position).await,
            Step::Leak(position) => self.leak(position).await,
        }
    }

    /// Runs a worker for a step.
    async fn work(&self, step: &str, mut job: Job, mut sent: Sent) -> WorkerEnd {
        let folder = self.step_folder(step);
        let veil = self.veil(step, &mut job);
        let log = match &veil {
            Some(veil) => veil.log(),
            None => self.log_file(step),
        };
        grant_logs(&mut sent, &job);
        // What an earlier attempt answered must never be taken for this one's answer.
        let _ = std::fs::remove_dir_all(&folder);
        let invocation = Invocation {
            step: step.to_owned(),
            folder: folder.clone(),
            at_work: self.at_work.clone(),
            confinement: sent.confinement,
            job,
        };
        let end = self
            .crew
            .send(&invocation, &sent.outfit, sent.limits, &log)
            .await;
        let _ = std::fs::remove_dir_all(&folder);
        match veil {
            Some(veil) => WorkerEnd {
                answer: self.veiled(veil, end.answer).await,
                ..end
            },
            None => end,
        }
    }

    fn step_folder(&self, step: &str) -> PathBuf {
        self.store
            .run_dir(&self.plan.run)
            .join("work")
            .join(encode(step))
    }

    /// Where what a step printed is kept.
    fn log_file(&self, step: &str) -> PathBuf {
        self.store
            .logs_dir(&self.plan.run)
            .join(format!("{}.log", encode(step)))
    }

    fn started(&self, step: &str, half: Half) -> Instant {
        self.events.emit(&Event::StepStarted {
            step: step.to_owned(),
            half,
        });
        Instant::now()
    }

    fn ended(&self, step: &str, half: Half, since: Instant, end: StepEnd) {
        let wall_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.events.emit(&Event::StepEnded {
            step: step.to_owned(),
            half,
            end,
            wall_ms,
        });
    }
}

/// The failure of a worker that gave another answer than it was asked for.
fn wrong_answer() -> Failure {
    Failure::new(
        FailureKind::Machine,
        "gave another answer than it was asked for: is the binary being replaced?",
    )
}
