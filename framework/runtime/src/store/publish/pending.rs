//! The record of a publication in progress: what has to be removed, or done, after a crash.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::marker::Marker;
use super::staging::Planned;
use super::{PublishError, fault_point, put};
use crate::store::Store;
use crate::store::durable::{self, FileError};

const PENDING_FORMAT: u32 = 1;

/// An output beside its destination.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StagedFile {
    pub(crate) temporary: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) marker: Marker,
}

impl StagedFile {
    pub(crate) fn folder(&self) -> &Path {
        durable::parent(&self.target)
    }
}

/// What became of a publication that a crash had interrupted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// The run that was publishing.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What stands beside each output that is published now.
    pub markers: Vec<Marker>,
}

/// How an interrupted publication ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All its outputs are published now.
    Published,
    /// None of them is any more: another run has published the same since.
    Overtaken,
    /// None of them is: it had not got to the point where it would happen.
    TakenBack,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    run: String,
    /// What staging creates: files, then folders from the outermost.
    temporaries: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// The intent: all temporaries are there, and will be published. Without it nothing is.
    intent: Option<Vec<StagedFile>>,
}

/// One publication's record.
#[derive(Debug)]
pub(crate) struct Pending {
    path: PathBuf,
    record: Record,
}

impl Pending {
    /// A publication that creates this, and has not begun.
    pub(crate) fn new(store: &Store, run: &str, planned: &[Planned<'_>]) -> Self {
        let folders = planned
            .iter()
            .flat_map(|planned| durable::missing_dirs(&planned.folder));
        let record = Record {
            version: PENDING_FORMAT,
            run: run.to_owned(),
            temporaries: planned
                .iter()
                .map(|planned| planned.temporary.clone())
                .collect(),
            folders: folders.collect(),
            intent: None,
        };
        Self {
            path: store.pending_file(run),
            record,
        }
    }

    fn read(path: PathBuf) -> Result<Self, PublishError> {
        let bad = |reason: String| PublishError::BadPending {
            pending: path.clone(),
            reason,
        };
        let bytes = fs::read(&path).map_err(|error| bad(error.to_string()))?;
        let record: Record =
            serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        if record.version != PENDING_FORMAT {
            let version = record.version;
            return Err(bad(format!(
                "it has format {version}, and this program knows {PENDING_FORMAT}"
            )));
        }
        Ok(Self { path, record })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn run(&self) -> &str {
        &self.record.run
    }

    /// Says what will be created, so that it can be removed.
    pub(crate) fn begin(&self) -> Result<(), FileError> {
        self.write()
    }

    /// Says what will be published; from here on it will.
    pub(crate) fn intend(&mut self, staged: &[StagedFile]) -> Result<(), FileError> {
        self.record.intent = Some(staged.to_vec());
        self.write()
    }

    /// Removes what staging created; only as long as nothing is published.
    pub(crate) fn take_back(&mut self) -> Result<(), FileError> {
        if self.record.intent.take().is_some() {
            self.write()?;
        }
        self.record
            .temporaries
            .iter()
            .try_for_each(|temporary| durable::remove(temporary))?;
        fault_point("publish.while-taking-back", &self.path)?;
        for folder in self.record.folders.iter().rev() {
            // Somebody else may have put something there, or it was never created.
            let _ = fs::remove_dir(folder);
        }
        self.end()
    }

    /// Nothing is left to do.
    pub(crate) fn end(&self) -> Result<(), FileError> {
        durable::remove(&self.path)?;
        durable::sync_folder(durable::parent(&self.path))
    }

    fn write(&self) -> Result<(), FileError> {
        let bytes = serde_json::to_vec_pretty(&self.record).expect("paths were found to be UTF-8");
        durable::replace(&self.path, &bytes)
    }
}

/// Brings one recorded publication to its end.
pub(crate) fn finish(path: PathBuf) -> Result<Finished, PublishError> {
    let mut pending = Pending::read(path)?;
    let run = pending.run().to_owned();
    let Some(staged) = pending.record.intent.clone() else {
        pending.take_back().map_err(PublishError::NotFinished)?;
        return Ok(Finished {
            run,
            outcome: Outcome::TakenBack,
            markers: Vec::new(),
        });
    };
    let to_rename = check(&pending, &staged)?;
    put(&mut pending, &staged, &to_rename)?;
    Ok(Finished {
        run,
        outcome: Outcome::Published,
        markers: staged.into_iter().map(|file| file.marker).collect(),
    })
}

/// Before anything is renamed: everything that is needed to finish is there, whole. Gives what is not renamed yet.
fn check<'a>(
    pending: &Pending,
    staged: &'a [StagedFile],
) -> Result<Vec<&'a StagedFile>, PublishError> {
    let cannot = |reason| PublishError::CannotFinish {
        run: pending.run().to_owned(),
        reason,
        pending: pending.path.clone(),
    };
    let mut to_rename = Vec::new();
    for file in staged {
        let waits = file
            .temporary
            .try_exists()
            .map_err(|error| cannot(error.to_string()))?;
        let path = if waits { &file.temporary } else { &file.target };
        let digest = durable::digest_of_file(path).map_err(|error| cannot(chain(&error)))?;
        if digest != file.marker.digest {
            return Err(cannot(format!(
                "`{}` is not what the run made",
                path.display()
            )));
        }
        to_rename.extend(waits.then_some(file));
    }
    Ok(to_rename)
}

fn chain(error: &FileError) -> String {
    format!("{error}: {}", error.source)
}
