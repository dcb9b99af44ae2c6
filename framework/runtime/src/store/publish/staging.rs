//! Getting outputs beside their destinations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::SecondsFormat;
use understudy_core::digest::Digest;
use understudy_core::path_part;

use super::marker::{MARKER_FORMAT, Marker};
use super::pending::StagedFile;
use super::{Publication, PublishError, RunStamp};
use crate::store::durable::{self, FileError, TEMPORARY_PREFIX};
use crate::store::layout::{self, SLICE_PREFIX};

/// An output and where it will be.
pub(crate) struct Planned<'a> {
    publication: &'a Publication,
    pub(crate) folder: PathBuf,
    pub(crate) temporary: PathBuf,
    target: PathBuf,
}

/// Says where each output will be; paths are absolute, for another process in another folder may have to finish.
pub(crate) fn plan<'a>(
    stamp: &RunStamp,
    publications: &'a [Publication],
) -> Result<Vec<Planned<'a>>, PublishError> {
    let mut targets = BTreeSet::new();
    let mut planned = Vec::new();
    for publication in publications {
        let one = plan_one(stamp, publication);
        let bad = if !targets.insert(one.target.clone()) {
            Some("belongs to another task's output as well")
        } else if one.target.is_dir() {
            Some("is a folder")
        } else if is_linked(publication, &one) {
            Some(
                "is reached over a symbolic link below its location; make that a folder, or name another location",
            )
        } else if one.target.to_str().is_none() {
            Some("is not UTF-8")
        } else {
            rows_twice(stamp, &one)
        };
        if let Some(reason) = bad {
            let (task, target) = (publication.task.clone(), one.target);
            return Err(PublishError::BadTarget {
                task,
                target,
                reason: reason.to_owned(),
            });
        }
        planned.push(one);
    }
    Ok(planned)
}

/// Whether something below the location, which may itself be reached over links, is one: what is published would be put
/// wherever it leads to.
fn is_linked(publication: &Publication, planned: &Planned<'_>) -> bool {
    let location = std::path::absolute(&publication.location);
    let location = location.unwrap_or_else(|_| publication.location.clone());
    durable::linked_part(&location, &planned.folder).is_some()
}

/// Whoever reads the date's folder would have the rows of a slice twice.
fn rows_twice(stamp: &RunStamp, planned: &Planned<'_>) -> Option<&'static str> {
    let date = if stamp.slice.is_some() {
        planned.folder.parent()?
    } else {
        planned.folder.as_path()
    };
    if stamp.slice.is_some() {
        let whole = date.join("data.parquet").exists();
        return whole.then_some("would stand beside an output of the same date that is for everybody; remove one of them");
    }
    let entries = std::fs::read_dir(date).ok()?;
    let sliced = entries.flatten().any(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with(SLICE_PREFIX)
    });
    sliced.then_some(
        "would stand beside the outputs of slices of the same date; run each slice, or remove them",
    )
}

fn plan_one<'a>(stamp: &RunStamp, publication: &'a Publication) -> Planned<'a> {
    // Without a current folder there is nothing that a relative path could be relative to.
    let location =
        std::path::absolute(&publication.location).unwrap_or_else(|_| publication.location.clone());
    let slice = stamp.slice.as_deref();
    let folder = layout::published_dir(&location, stamp.date, slice);
    let target = layout::published_file(&location, stamp.date, slice);
    // Not `.parquet`: some readers take hidden files that end so for data.
    let name = format!("{TEMPORARY_PREFIX}{}-data", path_part::encode(&stamp.run));
    Planned {
        publication,
        temporary: folder.join(name),
        folder,
        target,
    }
}

impl Planned<'_> {
    /// Copies the output to its temporary, synced with its folders.
    pub(crate) fn copy(&self, stamp: &RunStamp) -> Result<StagedFile, PublishError> {
        let copied = self.copy_data().map_err(|source| PublishError::NotStaged {
            task: self.publication.task.clone(),
            target: self.target.clone(),
            source,
        });
        let (digest, bytes) = copied?;
        let (task, code) = (&self.publication.task, &self.publication.code);
        let marker = marker(stamp, task, code, digest, bytes);
        Ok(StagedFile {
            temporary: self.temporary.clone(),
            target: self.target.clone(),
            marker,
        })
    }

    fn copy_data(&self) -> Result<(Digest, u64), FileError> {
        durable::create_dirs(&self.folder)?;
        // Of the same run, by a process that lives no more: it would be in use otherwise.
        durable::remove(&self.temporary)?;
        let copied = durable::copy_new(self.publication.output.path(), &self.temporary)?;
        durable::sync_folder(&self.folder)?;
        Ok(copied)
    }
}

/// What stands beside an output of a task.
pub(super) fn marker(
    stamp: &RunStamp,
    task: &str,
    code: &BTreeMap<String, Digest>,
    digest: Digest,
    bytes: u64,
) -> Marker {
    Marker {
        version: MARKER_FORMAT,
        pipeline: stamp.pipeline.clone(),
        task: task.to_owned(),
        run: stamp.run.clone(),
        date: stamp.date,
        slice: stamp.slice.clone(),
        published_at: stamp
            .published_at
            .to_rfc3339_opts(SecondsFormat::Millis, true),
        ledger_entries: stamp.ledger_entries,
        stages: stamp.stages.clone(),
        digest,
        bytes,
        code: code.clone(),
    }
}
