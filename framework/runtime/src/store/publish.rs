//! Publishing: the outputs of a run's live half get their place, all of them or none.
//!
//! Each output is first copied beside its destination as a hidden temporary. Then an intent is written, and from
//! there on the publication will happen: the temporaries are renamed, the markers written, the intent removed.
//! A crash before the intent leaves every old output, a crash after it is finished by [`finish_pending`] at the
//! start of the next run. What was begun is written down before it is begun, so that no temporary is ever left.
//! One publication of a store happens at a time.

mod marker;
mod objects;
mod output;
mod pending;
mod staging;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use understudy_core::digest::Digest;
use understudy_core::run_date::RunDate;
use understudy_core::stage::Stages;

pub use self::marker::{
    MARKER_FILE, MARKER_FORMAT, Marker, MarkerError, holds_data, latest_marker_stages, read_marker,
};
pub use self::objects::{
    OBJECT_FAULT_POINTS, ObjectPublication, object_holds_data, publish_objects, read_object_marker,
};
pub use self::output::{LiveOutput, ShadowOutput};
pub use self::pending::{Finished, Outcome};
use self::pending::{Pending, StagedFile};
use self::staging::Planned;
use crate::pipeline::Pipeline;
use crate::store::Store;
use crate::store::durable::{self, FileError, Step};
use crate::store::fault;
use crate::store::lock::Lock;
use crate::store::remote::{RemoteError, is_remote};

/// How long a publication waits for another one of the same store.
const PUBLISH_WAIT: Duration = Duration::from_mins(10);

/// The fault points of a publication that goes well, in their order. One that is taken back passes
/// `publish.while-taking-back`.
pub const FAULT_POINTS: [&str; 9] = [
    "publish.before-staging",
    "publish.between-copies",
    "publish.before-intent",
    "publish.after-intent",
    "publish.between-renames",
    "publish.before-markers",
    "publish.between-markers",
    "publish.before-end",
    "publish.after-end",
];

/// What all outputs of a run have in common.
#[derive(Clone, Debug)]
pub struct RunStamp {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// The slice whose customers it is for; `None` for everybody.
    pub slice: Option<String>,
    /// Now.
    pub published_at: DateTime<Utc>,
    /// How many entries the ledger had when the stages were read; zero where it could not be read.
    pub ledger_entries: u64,
    /// The stages that the run works with.
    pub stages: Stages,
}

/// One output to be published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The task.
    pub task: String,
    /// What is published.
    pub output: LiveOutput,
    /// The folder below which it is published, as `date=<date>/data.parquet`.
    pub location: PathBuf,
    /// The digests of the versions that made it, by version.
    pub code: BTreeMap<String, Digest>,
}

/// One output that was published.
#[derive(Clone, PartialEq, Debug)]
pub struct Published {
    /// Where it is.
    pub path: PathBuf,
    /// What stands beside it.
    pub marker: Marker,
}

/// A publication that did not happen, or not yet.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// One output could not be copied beside its destination; everything is as it was.
    #[error("nothing was published: the output of `{task}` cannot be put beside `{}`", target.display())]
    NotStaged {
        /// The task.
        task: String,
        /// Where the output belongs.
        target: PathBuf,
        /// What failed.
        source: FileError,
    },
    /// Something stands in the way; everything is as it was.
    #[error("nothing was published: `{}`, where the output of `{task}` belongs, {reason}", target.display())]
    BadTarget {
        /// The task.
        task: String,
        /// Where the output belongs.
        target: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store failed; everything is as it was.
    #[error("nothing was published")]
    NotPublished(#[source] FileError),
    /// What a crash left of earlier publications cannot be looked after; nothing new was published.
    #[error("what an earlier run left half-published cannot be finished")]
    NotFinished(#[source] FileError),
    /// It stopped half-way, and will be finished.
    #[error(
        "publishing run `{run}` stopped half-way; the next run finishes it before anything else"
    )]
    Unfinished {
        /// The run.
        run: String,
        /// What failed.
        source: FileError,
    },
    /// It stopped half-way, and what is needed to finish it is gone.
    #[error(
        "publishing run `{run}` stopped half-way and cannot be finished: {reason}; \
         put that right, or remove `{}` to give it up and publish again", pending.display()
    )]
    CannotFinish {
        /// The run.
        run: String,
        /// What is wrong.
        reason: String,
        /// The record of the publication.
        pending: PathBuf,
    },
    /// An output could not be put into an object store; everything is as it was.
    #[error("nothing was published: the output of `{task}` cannot be put to `{url}`")]
    ObjectNotPublished {
        /// The task.
        task: String,
        /// Where the output belongs.
        url: String,
        /// What failed.
        source: Box<RemoteError>,
    },
    /// It stopped half-way, and will be finished.
    #[error(
        "publishing run `{run}` stopped half-way; the next run finishes it before anything else"
    )]
    ObjectsUnfinished {
        /// The run.
        run: String,
        /// What failed.
        source: Box<RemoteError>,
    },
    /// A record of an unfinished publication that this program cannot read.
    #[error("the unfinished publication `{}` cannot be read: {reason}", pending.display())]
    BadPending {
        /// The record.
        pending: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another publication did not end.
    #[error("another run has been publishing from `{}` for {} minutes", store.display(), PUBLISH_WAIT.as_secs() / 60)]
    Busy {
        /// The store.
        store: PathBuf,
    },
}

/// Publishes the outputs of a run's live half, all of them or none. When it returns, they are on the disk.
///
/// # Errors
/// Nothing was published, or, for [`PublishError::Unfinished`], it will be; the text says which.
pub fn publish(
    store: &Store,
    stamp: &RunStamp,
    publications: &[Publication],
) -> Result<Vec<Published>, PublishError> {
    if publications.is_empty() {
        return Ok(Vec::new());
    }
    durable::create_dirs(&store.pending_dir()).map_err(PublishError::NotPublished)?;
    let _lock = lock(store)?;
    finish_all(store)?;
    let planned = staging::plan(stamp, publications)?;
    let mut pending = Pending::new(store, &stamp.run, &planned);
    let staged = match stage(&mut pending, stamp, &planned) {
        Ok(staged) => staged,
        Err(error) => return Err(taken_back(&mut pending, error)),
    };
    put(&mut pending, &staged, &staged.iter().collect::<Vec<_>>())?;
    let published = |file: StagedFile| Published {
        path: file.target,
        marker: file.marker,
    };
    Ok(staged.into_iter().map(published).collect())
}

/// Finishes or takes back what a crash left of earlier publications. A run does this before anything else.
///
/// # Errors
/// A publication is going on, or cannot be finished.
pub fn finish_pending(store: &Store) -> Result<Vec<Finished>, PublishError> {
    if !store.pending_dir().exists() {
        return Ok(Vec::new());
    }
    let _lock = lock(store)?;
    let mut finished = finish_all(store)?;
    finished.extend(objects::finish_objects(store)?);
    Ok(finished)
}

fn lock(store: &Store) -> Result<Lock, PublishError> {
    let folder = store.pending_dir();
    let lock = Lock::exclusive(&folder, PUBLISH_WAIT).map_err(FileError::at(Step::Lock, &folder));
    let busy = || PublishError::Busy {
        store: store.root().to_owned(),
    };
    lock.map_err(PublishError::NotPublished)?.ok_or_else(busy)
}

/// Under the lock, whatever is pending belongs to nobody who lives.
fn finish_all(store: &Store) -> Result<Vec<Finished>, PublishError> {
    let folder = store.pending_dir();
    durable::remove_temporaries(&folder, ".json").map_err(PublishError::NotFinished)?;
    let paths = durable::list(&folder).map_err(PublishError::NotFinished)?;
    let records = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "json"));
    records.map(pending::finish).collect()
}

/// Up to the intent.
fn stage(
    pending: &mut Pending,
    stamp: &RunStamp,
    planned: &[Planned<'_>],
) -> Result<Vec<StagedFile>, PublishError> {
    let record = pending.path().to_owned();
    let point = |name| fault_point(name, &record).map_err(PublishError::NotPublished);
    pending.begin().map_err(PublishError::NotPublished)?;
    point("publish.before-staging")?;
    let mut staged = Vec::new();
    for planned in planned {
        staged.push(planned.copy(stamp)?);
        point("publish.between-copies")?;
    }
    point("publish.before-intent")?;
    pending
        .intend(&staged)
        .map_err(PublishError::NotPublished)?;
    Ok(staged)
}

/// Takes a publication back of which nothing is visible yet. If that fails as well, the next run decides.
fn taken_back(pending: &mut Pending, error: PublishError) -> PublishError {
    match pending.take_back() {
        Ok(()) => error,
        Err(source) => PublishError::Unfinished {
            run: pending.run().to_owned(),
            source,
        },
    }
}

/// From the intent to the end.
fn put(
    pending: &mut Pending,
    staged: &[StagedFile],
    to_rename: &[&StagedFile],
) -> Result<(), PublishError> {
    let mut renamed = staged.len() - to_rename.len();
    let mut put = || -> Result<(), FileError> {
        fault_point("publish.after-intent", pending.path())?;
        put_data(to_rename, &mut renamed)?;
        // A marker never reaches the disk before its data.
        staged
            .iter()
            .try_for_each(|file| durable::sync_folder(file.folder()))?;
        fault_point("publish.before-markers", pending.path())?;
        put_markers(staged)?;
        fault_point("publish.before-end", pending.path())?;
        pending.end()?;
        fault_point("publish.after-end", pending.path())
    };
    match put() {
        Ok(()) => Ok(()),
        Err(error) if renamed == 0 => Err(taken_back(pending, PublishError::NotPublished(error))),
        Err(source) => Err(PublishError::Unfinished {
            run: pending.run().to_owned(),
            source,
        }),
    }
}

fn put_data(to_rename: &[&StagedFile], renamed: &mut usize) -> Result<(), FileError> {
    for file in to_rename {
        durable::rename(&file.temporary, &file.target)?;
        *renamed += 1;
        fault_point("publish.between-renames", &file.target)?;
    }
    Ok(())
}

fn put_markers(staged: &[StagedFile]) -> Result<(), FileError> {
    for file in staged {
        durable::remove_temporaries(file.folder(), MARKER_FILE)?;
        durable::replace(&file.folder().join(MARKER_FILE), &file.marker.to_bytes())?;
        fault_point("publish.between-markers", &file.target)?;
    }
    Ok(())
}

fn fault_point(name: &str, path: &Path) -> Result<(), FileError> {
    fault::point(name).map_err(FileError::at(Step::Write, path))
}

/// The marker of the output that is published at a location of a pipeline, on a disk or in an object store.
///
/// # Errors
/// A marker that is there and cannot be read.
pub fn marker_at(
    pipeline: &Pipeline,
    location: &str,
    date: RunDate,
    slice: Option<&str>,
) -> Result<Option<Marker>, MarkerError> {
    if is_remote(location) {
        read_object_marker(location, date, slice)
    } else {
        read_marker(&pipeline.folder.join(location), date, slice)
    }
}

#[cfg(test)]
mod tests;
