//! Delta tables: one version, copied by a worker of its own.

use std::path::{Path, absolute};

use understudy_core::run::{Failure, FailureKind};
use understudy_core::snapshot::DatasetSnapshot;

use super::copies::{self, CopyError};
use crate::store::remote::is_remote;
use crate::worker::{Answer, CopyJob, Crew, Invocation, Job, WorkerLimits};

/// Files are read in batches, some of them ahead; time depends on the table, as for everything that is live.
const COPY_LIMIT: WorkerLimits = WorkerLimits {
    wall: None,
    memory_bytes: Some(4 << 30),
    disk_bytes: None,
    processes: None,
    files: None,
};

/// Copies the version that was pinned into a folder that is there once all of it is.
///
/// # Errors
/// It cannot be read, or the copy not be kept.
pub(crate) async fn copy(
    snapshot: &DatasetSnapshot,
    base: &Path,
    folder: &Path,
    crew: &Crew,
) -> Result<(), CopyError> {
    let part = copies::part_of(folder)?;
    let own = tempfile::tempdir().map_err(copies::unusable(folder))?;
    let version = snapshot.delta_version.unwrap_or_default();
    let table = if is_remote(&snapshot.location) {
        snapshot.location.clone()
    } else {
        let table = absolute(base.join(&snapshot.location)).map_err(copies::unusable(base))?;
        table.display().to_string()
    };
    let job = CopyJob {
        table,
        version,
        output: part.path().to_owned(),
    };
    let invocation = Invocation {
        step: format!("copy {}", snapshot.name),
        folder: own.path().to_owned(),
        at_work: None,
        confinement: None,
        job: Job::Copy(Box::new(job)),
    };
    let end = crew
        .run(&invocation, COPY_LIMIT, &own.path().join("log"))
        .await;
    let failed = |failure| CopyError::Delta {
        location: snapshot.location.clone(),
        version,
        failure,
    };
    match end.answer.map_err(failed)? {
        Answer::Copied => Ok(copies::finish(part, folder)?),
        _ => Err(failed(Failure::new(
            FailureKind::Died,
            "answered something else than it was asked",
        ))),
    }
}
