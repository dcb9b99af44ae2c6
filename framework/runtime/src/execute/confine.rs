//! Which work is confined, and to what.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use understudy_core::plan::{Half, Node, Work};
use understudy_core::run::{Failure, FailureKind};
use understudy_core::spec::{Sandbox, Version};
use understudy_sabotage::Sabotage;
use understudy_tables::TableSource;

use super::{Executor, Sent};
use crate::worker::{
    CheckJob, CompareJob, Confinement, Job, JobCode, Network, Outfit, Reads, TaskJob, WorkerLimits,
    program_folders, sandbox_parts_left_out,
};

impl Executor<'_> {
    /// Whether a node is a shadow: whatever is made after publishing, and the new side of a change before it.
    pub(super) fn is_shadow(&self, node: &Node) -> bool {
        let stands_beside = matches!(
            node.work,
            Work::Compute {
                shadow_of: Some(_),
                ..
            }
        );
        node.half == Half::Shadow || stands_beside
    }

    /// How the worker of a version is sent out.
    pub(super) fn sent_for_task(
        &self,
        node: &Node,
        job: &TaskJob,
        version: &Version,
        outfit: Outfit,
        limits: WorkerLimits,
        step_folder: &Path,
    ) -> Sent {
        if !self.is_shadow(node) {
            return Sent {
                limits,
                confinement: None,
                outfit,
            };
        }
        let mut writes = vec![job.output.clone()];
        if Sabotage::GrantPipeline.is_on() {
            writes.push(self.pipeline.folder.clone());
        }
        let hosts = version.surroundings.hosts.clone();
        let mut program_writes = program_folders(&job.output, step_folder);
        if Sabotage::GrantPipeline.is_on() {
            program_writes.push(self.pipeline.folder.clone());
        }
        let confinement = Confinement {
            reads: reads_of(job),
            writes,
            program_writes,
            network: Network::of_hosts(&hosts),
            hosts,
            limits: limits.of_process(),
            sandbox: self.pipeline.spec.sandbox,
            without: sandbox_parts_left_out(),
        };
        Sent {
            limits,
            confinement: Some(confinement),
            outfit,
        }
    }

    /// How the worker of a comparison is sent out: it reads what shadows left.
    pub(super) fn sent_for_comparison(&self, job: &CompareJob, limits: WorkerLimits) -> Sent {
        let confinement = Confinement {
            reads: Reads::These(
                files_of([&job.old, &job.new])
                    .into_iter()
                    .chain(job.mask.iter().map(|mask| mask.key_file.clone()))
                    .collect(),
            ),
            writes: vec![job.report_folder.clone()],
            program_writes: Vec::new(),
            network: Network::Closed,
            hosts: Vec::new(),
            limits: limits.of_process(),
            // It runs no code of the user's: what there is of a sandbox is enough.
            sandbox: Sandbox::BestEffort,
            without: sandbox_parts_left_out(),
        };
        Sent {
            limits,
            confinement: Some(confinement),
            outfit: Outfit::default(),
        }
    }

    /// How the worker of a check is sent out: a program of the user's may write its own folders only, a query reads the two
    /// outputs and nothing else.
    pub(super) fn sent_for_check(
        &self,
        job: &CheckJob,
        limits: WorkerLimits,
        step_folder: &Path,
    ) -> Sent {
        let runs_code = job.check.runs_code();
        let reads = if runs_code {
            Reads::Everything
        } else {
            let key = job.mask.iter().map(|mask| mask.key_file.clone());
            Reads::These(
                files_of([&job.old, &job.new])
                    .into_iter()
                    .chain(key)
                    .collect(),
            )
        };
        let confinement = Confinement {
            reads,
            // What it finds lies in the worker's own folder.
            writes: Vec::new(),
            program_writes: program_folders(&job.output, step_folder),
            network: Network::Closed,
            hosts: Vec::new(),
            limits: limits.of_process(),
            sandbox: if runs_code {
                self.pipeline.spec.sandbox
            } else {
                Sandbox::BestEffort
            },
            without: sandbox_parts_left_out(),
        };
        Sent {
            limits,
            confinement: Some(confinement),
            outfit: Outfit::default(),
        }
    }

    /// What the pipeline file gives a version.
    pub(super) fn outfit(&self, node: &Node, version: &Version) -> Result<Outfit, Failure> {
        Outfit::of(
            &version.surroundings,
            self.is_shadow(node),
            &self.pipeline.folder,
        )
        .map_err(|error| {
            let message = format!("was not run: of its variables, {error}");
            Failure::new(FailureKind::Task, message)
        })
    }
}

/// A version's logs are its worker's to write. Whatever is granted has to be there to be named: a log that cannot be made is
/// refused to the worker, which says so.
pub(super) fn grant_logs(sent: &mut Sent, job: &Job) {
    let (Some(confinement), logs) = (
        &mut sent.confinement,
        match job {
            Job::Task(job) => &job.logs,
            Job::Check(job) => &job.logs,
            _ => return,
        },
    ) else {
        return;
    };
    for log in logs {
        let _ = fs::create_dir_all(log.parent().unwrap_or(Path::new("")));
        let _ = File::options().create(true).append(true).open(log);
        confinement.writes.push(log.clone());
    }
}

/// A query reads its inputs and nothing else. A program needs more than anybody could list.
fn reads_of(job: &TaskJob) -> Reads {
    match job.code {
        JobCode::Command { .. } | JobCode::Rust { .. } => Reads::Everything,
        JobCode::Sql { .. } | JobCode::Merge { .. } | JobCode::External => {
            Reads::These(files_of(job.inputs.iter().map(|input| &input.source)))
        }
    }
}

fn files_of<'a>(sources: impl IntoIterator<Item = &'a TableSource>) -> Vec<PathBuf> {
    sources.into_iter().flat_map(TableSource::paths).collect()
}
