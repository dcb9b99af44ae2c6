//! What is read as a copy: objects, fetched as exactly what was pinned, and Delta tables, copied at their version.
//!
//! Copies are in the store, each in a folder under the digest of what was pinned, which is there once all of it is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use understudy_core::run::Failure;
use understudy_core::snapshot::{DatasetSnapshot, InputSnapshot, PinnedFile};
use understudy_tables::{laid_out, of_copy};
use understudy_tasks::DATA_FILE;

use super::{delta, remote};
use crate::clock;
use crate::pipeline::Pipeline;
use crate::store::remote::RemoteError;
use crate::worker::Crew;

/// The folder of the store in which copies are.
const COPIES: &str = "fetched";
/// A copy that no run has asked for this long is removed.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A copy that was not made.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Objects could not be fetched, or the machine did not keep them.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A Delta table could not be copied.
    #[error("version {version} of the Delta table `{location}` could not be copied: copying it {}", .failure.message)]
    Delta {
        /// The table.
        location: String,
        /// The version.
        version: u64,
        /// Why.
        failure: Failure,
    },
}

/// Copies everything that was pinned to be read as a copy, and is not here yet.
///
/// # Errors
/// Something was changed since it was pinned, or cannot be copied.
pub(super) async fn make(
    pipeline: &Pipeline,
    inputs: &InputSnapshot,
    crew: &Crew,
) -> Result<(), CopyError> {
    let mut is_new = false;
    for snapshot in inputs.tables().filter(|snapshot| snapshot.is_copied()) {
        let folder = folder(pipeline, snapshot);
        if folder.is_dir() {
            mark_used(&folder);
            continue;
        }
        is_new = true;
        match snapshot.delta_version {
            None => remote::fetch(snapshot, &folder)?,
            Some(_) => delta::copy(snapshot, &pipeline.folder, &folder, crew).await?,
        }
    }
    if is_new {
        remove_unused(&pipeline.store_folder().join(COPIES));
    }
    Ok(())
}

/// Makes a folder that is there once all that belongs into it is.
pub(super) fn fill<E: From<RemoteError>>(
    folder: &Path,
    work: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let part = part_of(folder)?;
    work(part.path())?;
    Ok(finish(part, folder)?)
}

/// The unfinished form of a folder.
pub(super) fn part_of(folder: &Path) -> Result<tempfile::TempDir, RemoteError> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(unusable(parent))?;
    tempfile::tempdir_in(parent).map_err(unusable(parent))
}

/// Gives a finished folder its name.
pub(super) fn finish(part: tempfile::TempDir, folder: &Path) -> Result<(), RemoteError> {
    match fs::rename(part.path(), folder) {
        Ok(()) => {
            let _ = part.keep();
            Ok(())
        }
        // Another run was faster, and copied the same.
        Err(_) if folder.is_dir() => Ok(()),
        Err(source) => Err(unusable(folder)(source)),
    }
}

pub(super) fn unusable(path: &Path) -> impl FnOnce(std::io::Error) -> RemoteError {
    |source| RemoteError::File {
        path: path.to_owned(),
        source,
    }
}

fn folder(pipeline: &Pipeline, snapshot: &DatasetSnapshot) -> PathBuf {
    let folder = pipeline.store_folder().join(COPIES);
    folder.join(snapshot.digest().as_str())
}

/// Notes that a run reads a copy. Failing to makes another copy in a week, at worst.
fn mark_used(folder: &Path) {
    if let Ok(file) = File::open(folder) {
        let _ = file.set_modified(SystemTime::from(clock::now()));
    }
}

/// Removes what no run has asked for in a week. Failing to is a matter for the next run.
fn remove_unused(copies: &Path) {
    let now = SystemTime::from(clock::now());
    for entry in fs::read_dir(copies).into_iter().flatten().flatten() {
        let used = entry.metadata().and_then(|metadata| metadata.modified());
        let age = used.ok().and_then(|used| now.duration_since(used).ok());
        if age.is_some_and(|age| age > KEPT_FOR) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A pinned table as files of this machine: themselves, or their copies; with the folder that their paths begin at.
pub(super) fn local(pipeline: &Pipeline, snapshot: &DatasetSnapshot) -> (PathBuf, DatasetSnapshot) {
    if !snapshot.is_copied() {
        return (pipeline.folder.clone(), snapshot.clone());
    }
    let folder = folder(pipeline, snapshot);
    let copy = of(snapshot, &folder);
    (folder, copy)
}

/// The table that a finished copy is.
pub(crate) fn of(snapshot: &DatasetSnapshot, folder: &Path) -> DatasetSnapshot {
    let files = snapshot.files.iter().enumerate().map(|(position, file)| {
        let path = match snapshot.delta_version {
            None => laid_out(file, position),
            Some(_) => PathBuf::from(DATA_FILE),
        };
        // One that somebody removed meanwhile is said to be gone by whoever reads it.
        of_copy(file, &path, folder).unwrap_or_else(|_| PinnedFile {
            path: path.display().to_string(),
            object: None,
            ..file.clone()
        })
    });
    DatasetSnapshot {
        files: files.collect(),
        delta_version: None,
        ..snapshot.clone()
    }
}
