//! What a worker says where columns are masked: nobody reads it before the values are out of it.
//!
//! Logs of such a step lie among the step's temporary files until another worker has put tokens in the place of values;
//! only what it gives is kept. So it does not matter how the step ended, nor whether its own process still can do
//! anything. What cannot be looked through is withheld, and says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use understudy_core::path_part::encode;
use understudy_core::run::{Failure, FailureKind};
use understudy_tables::TableSource;

use super::Executor;
use crate::mask::MaskOrder;
use crate::worker::{Answer, Crew, Invocation, Job, ScrubJob, WorkerLimits};

/// What looking through logs may take; past it, they are withheld.
const LIMITS: WorkerLimits = WorkerLimits {
    wall: Some(Duration::from_secs(600)),
    memory_bytes: Some(2 << 30),
    disk_bytes: None,
    processes: None,
    files: None,
};

/// A step whose words are looked through.
pub(super) struct Veil {
    order: MaskOrder,
    tables: Vec<TableSource>,
    output: Option<PathBuf>,
    /// Where its logs lie until then.
    folder: PathBuf,
    /// The worker's own log, then those of the program; each with where it is kept.
    logs: Vec<(PathBuf, PathBuf)>,
}

impl Veil {
    /// Where the worker's own words go.
    pub(super) fn log(&self) -> PathBuf {
        self.logs[0].0.clone()
    }
}

impl Executor<'_> {
    /// What is masked in everything that concerns a task.
    pub(super) fn mask_of(&self, task: &str) -> Option<MaskOrder> {
        let columns = self.pipeline.spec.masked(task);
        let order = || MaskOrder {
            columns: columns.clone(),
            key_file: self.store.mask_key_file(),
        };
        (!columns.is_empty()).then(order)
    }

    /// Prepares a step whose task has masked columns: the logs of its job go elsewhere first.
    pub(super) fn veil(&self, step: &str, job: &mut Job) -> Option<Veil> {
        let (task, tables) = match &*job {
            Job::Task(job) => (
                &job.task,
                job.inputs
                    .iter()
                    .map(|input| input.source.clone())
                    .collect(),
            ),
            Job::Compare(job) => (&job.task, vec![job.old.clone(), job.new.clone()]),
            Job::Check(job) => (&job.task, vec![job.old.clone(), job.new.clone()]),
            Job::Assemble(job) => (&job.task, vec![job.old.clone(), job.new.clone()]),
            _ => return None,
        };
        let order = self.mask_of(task)?;
        let folder = self
            .store
            .run_dir(&self.plan.run)
            .join("work")
            .join(encode(&format!("{step} unread")));
        let _ = fs::remove_dir_all(&folder);
        let mut logs = vec![(folder.join("log"), self.log_file(step))];
        let mut output = None;
        let of_program = match job {
            Job::Task(job) => Some((&job.output, &mut job.logs)),
            Job::Check(job) => Some((&job.output, &mut job.logs)),
            _ => None,
        };
        if let Some((folder_of_output, program_logs)) = of_program {
            output = Some(folder_of_output.clone());
            for (log, name) in program_logs.iter_mut().zip(["out", "err"]) {
                logs.push((folder.join(name), log.clone()));
                *log = folder.join(name);
            }
            // What a program prints has a place, even if the worker makes none.
            let _ = fs::create_dir_all(&folder);
        }
        Some(Veil {
            order,
            tables,
            output,
            folder,
            logs,
        })
    }

    /// Gives what a step answered, and keeps its logs, with tokens in the place of masked values.
    pub(super) async fn veiled(
        &self,
        veil: Veil,
        answer: Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let folder = veil.folder.clone();
        let message = answer.as_ref().err().map(|failure| failure.message.clone());
        let (files, empty): (Vec<_>, Vec<_>) = veil
            .logs
            .into_iter()
            .filter(|(from, _)| from.exists())
            .partition(|(from, _)| fs::metadata(from).is_ok_and(|found| found.len() > 0));
        for (from, to) in empty {
            keep(&from, &to);
        }
        let job = ScrubJob {
            mask: veil.order,
            tables: veil.tables,
            output: veil.output,
            texts: message.clone().into_iter().collect(),
            files: files.clone(),
        };
        let scrubbed = if message.is_none() && files.is_empty() {
            Ok(Vec::new())
        } else {
            scrub(self.crew, job, &folder.join("scrub")).await
        };
        if let Err(reason) = &scrubbed {
            for (_, to) in &files {
                write(to, &withheld(reason));
            }
        }
        let _ = fs::remove_dir_all(&folder);
        answer.map_err(|failure| {
            let message = match scrubbed.map(|mut texts| texts.pop()) {
                Ok(Some(text)) => text,
                // The supervisor's own words have nothing of the data.
                _ if is_own(failure.kind) => failure.message,
                Ok(None) => withheld("there was no answer"),
                Err(reason) => withheld(&reason),
            };
            Failure::new(failure.kind, message)
        })
    }
}

/// Has a worker put tokens in the place of masked values.
///
/// # Errors
/// Why it could not, without any value.
pub(crate) async fn scrub(
    crew: &Crew,
    job: ScrubJob,
    folder: &Path,
) -> Result<Vec<String>, String> {
    let invocation = Invocation {
        step: "scrub".to_owned(),
        folder: folder.to_owned(),
        at_work: None,
        confinement: None,
        job: Job::Scrub(Box::new(job)),
    };
    let end = crew.run(&invocation, LIMITS, &folder.join("log")).await;
    match end.answer {
        Ok(Answer::Scrubbed(texts)) => Ok(texts),
        Ok(_) => Err("another answer was given than was asked for".to_owned()),
        // Of a worker that died, the last words may be anything.
        Err(failure) if failure.kind == FailureKind::Machine => Err(failure.message),
        Err(failure) => Err(format!("looking for them ended with {:?}", failure.kind)),
    }
}

/// What stands in the place of a text that may quote masked values.
pub(crate) fn withheld(reason: &str) -> String {
    format!(
        "failed; what it said is withheld, because it may quote masked columns, and they could not be looked for: {reason}"
    )
}

fn is_own(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Timeout | FailureKind::Memory | FailureKind::Limit | FailureKind::Interrupted
    )
}

fn keep(from: &Path, to: &Path) {
    if let Some(folder) = to.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = fs::rename(from, to);
}

fn write(to: &Path, text: &str) {
    if let Some(folder) = to.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = fs::write(to, format!("{text}\n"));
}
