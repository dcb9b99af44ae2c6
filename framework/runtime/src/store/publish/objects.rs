//! Publishing into object stores: one PUT an output, then its marker.
//!
//! What will be published is written down before the first PUT, and removed after the last marker. A crash, or an
//! answer that was lost, in between is finished by the next run before it does anything else; whether an object is
//! already the one that belongs there is read from the stamp that it carries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use understudy_core::digest::Digest;
use understudy_core::run_date::RunDate;
use understudy_objects::Stamp;

use super::marker::{MARKER_FILE, Marker, MarkerError, parse};
use super::pending::{Finished, Outcome};
use super::staging::marker;
use super::{LiveOutput, PublishError, RunStamp, lock};
use crate::store::Store;
use crate::store::claim::{self, Leased};
use crate::store::durable::{self, FileError, Step};
use crate::store::fault;
use crate::store::remote::{self, RemoteError, at};

/// The ending of records of publications into object stores; those of disks end otherwise.
const RECORD_END: &str = "objects";
const RECORD_FORMAT: u32 = 1;
/// The name of a published output.
const DATA_FILE: &str = "data.parquet";
/// The longest marker.
const MAX_MARKER_BYTES: u64 = 16 << 20;

/// The fault points of a publication into object stores, in their order.
pub const OBJECT_FAULT_POINTS: [&str; 4] = [
    "objects.after-intent",
    "objects.between-puts",
    "objects.before-markers",
    "objects.before-end",
];

/// One output to be published into an object store.
#[derive(Clone, Debug)]
pub struct ObjectPublication {
    /// The task.
    pub task: String,
    /// What is published.
    pub output: LiveOutput,
    /// The folder below which it is published, as a URL.
    pub location: String,
    /// The digests of the versions that made it, by version.
    pub code: BTreeMap<String, Digest>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    run: String,
    files: Vec<Staged>,
}

/// One output and where it belongs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Staged {
    source: PathBuf,
    /// The folder of the date, as a URL.
    folder: String,
    marker: Marker,
}

/// Publishes the outputs of a run's live half into object stores, all of them or none.
///
/// # Errors
/// Nothing was published, or, for [`PublishError::Unfinished`], it will be; the text says which.
pub fn publish_objects(
    store: &Store,
    stamp: &RunStamp,
    publications: &[ObjectPublication],
) -> Result<(), PublishError> {
    if publications.is_empty() {
        return Ok(());
    }
    durable::create_dirs(&store.pending_dir()).map_err(PublishError::NotPublished)?;
    let _lock = lock(store)?;
    super::finish_all(store)?;
    let files: Result<Vec<Staged>, PublishError> = publications
        .iter()
        .map(|publication| staged(stamp, publication))
        .collect();
    let record = Record {
        version: RECORD_FORMAT,
        run: stamp.run.clone(),
        files: files?,
    };
    for file in &record.files {
        require_alone(stamp, file)?;
    }
    let path = store.pending_dir().join(format!(
        "{}.{RECORD_END}",
        understudy_core::path_part::encode(&stamp.run)
    ));
    let json = serde_json::to_vec_pretty(&record).expect("paths of the store are UTF-8");
    durable::replace(&path, &json).map_err(PublishError::NotPublished)?;
    put_all(&record, &path)
}

/// Finishes what a crash, or a lost answer, left of publications into object stores; under the lock. What another machine
/// has published since stays; what another one is at work on waits for the next run.
pub(super) fn finish_objects(store: &Store) -> Result<Vec<Finished>, PublishError> {
    let folder = store.pending_dir();
    let paths = durable::list(&folder).map_err(PublishError::NotFinished)?;
    let records = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == RECORD_END));
    let mut finished = Vec::new();
    for path in records {
        let bad = |reason: String| PublishError::BadPending {
            pending: path.clone(),
            reason,
        };
        let bytes = fs::read(&path).map_err(|error| bad(error.to_string()))?;
        let record: Record =
            serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        if record.version != RECORD_FORMAT {
            return Err(bad(format!("it has format {}", record.version)));
        }
        if let Some(one) = finish(store, &record, &path)? {
            finished.push(one);
        }
    }
    Ok(finished)
}

/// Finishes one publication; `None` where somebody else is at work on the same.
fn finish(store: &Store, record: &Record, path: &Path) -> Result<Option<Finished>, PublishError> {
    let unfinished = |source| PublishError::ObjectsUnfinished {
        run: record.run.clone(),
        source: Box::new(source),
    };
    let Some(first) = record.files.first().map(|file| &file.marker) else {
        end(path).map_err(PublishError::NotPublished)?;
        return Ok(None);
    };
    let slice = first.slice.as_deref();
    let locks = claim::locks(store, &first.pipeline, first.date, slice);
    let Some(_locks) = locks.map_err(|source| {
        unfinished(RemoteError::File {
            path: path.to_owned(),
            source,
        })
    })?
    else {
        return Ok(None);
    };
    let leased = claim::lease(store, &first.pipeline, first.date, slice).map_err(unfinished)?;
    if matches!(leased, Leased::ByOthers) {
        return Ok(None);
    }
    let run = record.run.clone();
    if is_overtaken(record).map_err(unfinished)? {
        end(path).map_err(PublishError::NotPublished)?;
        return Ok(Some(Finished {
            run,
            outcome: Outcome::Overtaken,
            markers: Vec::new(),
        }));
    }
    put_all(record, path)?;
    let markers = record.files.iter().map(|file| file.marker.clone());
    Ok(Some(Finished {
        run,
        outcome: Outcome::Published,
        markers: markers.collect(),
    }))
}

/// Whether some output of a publication that was cut off was published by another run since.
fn is_overtaken(record: &Record) -> Result<bool, RemoteError> {
    for file in &record.files {
        let there = match read_in(&file.folder) {
            Ok(there) => there,
            Err(MarkerError::Store { source, .. }) => return Err(*source),
            // What cannot be understood says nothing.
            Err(_) => None,
        };
        let since = |there: &Marker| {
            let at = |marker: &Marker| DateTime::parse_from_rfc3339(&marker.published_at).ok();
            there.run != record.run && at(there) > at(&file.marker)
        };
        if there.as_ref().is_some_and(since) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn staged(stamp: &RunStamp, publication: &ObjectPublication) -> Result<Staged, PublishError> {
    let source = publication.output.path().to_owned();
    let not_staged = |source: FileError| PublishError::NotStaged {
        task: publication.task.clone(),
        target: PathBuf::from(&publication.location),
        source,
    };
    let digest = durable::digest_of_file(&source).map_err(not_staged)?;
    let bytes = fs::metadata(&source)
        .map_err(FileError::at(Step::Read, &source))
        .map_err(not_staged)?
        .len();
    let below = publication.location.trim_end_matches('/');
    let slice = stamp.slice.as_ref().map(|slice| format!("/slice={slice}"));
    Ok(Staged {
        source,
        folder: format!("{below}/date={}{}", stamp.date, slice.unwrap_or_default()),
        marker: marker(stamp, &publication.task, &publication.code, digest, bytes),
    })
}

/// Whoever reads the date's folder would have the rows of a slice twice.
fn require_alone(stamp: &RunStamp, file: &Staged) -> Result<(), PublishError> {
    let date = match &stamp.slice {
        Some(slice) => file.folder.trim_end_matches(&format!("/slice={slice}")),
        None => file.folder.as_str(),
    };
    let names = at(date, async |objects| {
        let whole = objects.stat(DATA_FILE).await?.is_some();
        Ok((whole, objects.list_folders("").await?))
    });
    let (whole, folders) = names.map_err(|source| not_published(file, source))?;
    let sliced = folders.iter().any(|name| name.starts_with("slice="));
    let reason = match (&stamp.slice, whole, sliced) {
        (Some(_), true, _) => {
            "would stand beside an output of the same date that is for everybody; remove one of them"
        }
        (None, _, true) => {
            "would stand beside the outputs of slices of the same date; run each slice, or remove them"
        }
        _ => return Ok(()),
    };
    Err(PublishError::BadTarget {
        task: file.marker.task.clone(),
        target: PathBuf::from(&file.folder),
        reason: reason.to_owned(),
    })
}

fn not_published(file: &Staged, source: RemoteError) -> PublishError {
    PublishError::ObjectNotPublished {
        task: file.marker.task.clone(),
        url: file.folder.clone(),
        source: Box::new(source),
    }
}

/// From the intent to the end.
fn put_all(record: &Record, path: &Path) -> Result<(), PublishError> {
    let unfinished = |source: RemoteError| PublishError::ObjectsUnfinished {
        run: record.run.clone(),
        source: Box::new(source),
    };
    let point = |name| {
        fault::point(name).map_err(|source| {
            unfinished(RemoteError::File {
                path: path.to_owned(),
                source,
            })
        })
    };
    point("objects.after-intent")?;
    let mut put = 0;
    for file in &record.files {
        match put_data(file) {
            Ok(()) => put += 1,
            // Nothing is to be seen yet, and nothing of ours can come: it is as if it had not begun.
            Err(error) if put == 0 && !matches!(error, RemoteError::Unknown { .. }) => {
                end(path).map_err(PublishError::NotPublished)?;
                return Err(not_published(file, error));
            }
            Err(error) => return Err(unfinished(error)),
        }
        point("objects.between-puts")?;
    }
    point("objects.before-markers")?;
    for file in &record.files {
        put_marker(file).map_err(unfinished)?;
    }
    point("objects.before-end")?;
    end(path).map_err(PublishError::NotPublished)
}

fn end(path: &Path) -> Result<(), FileError> {
    durable::remove(path)?;
    durable::sync_folder(durable::parent(path))
}

/// Puts an output in its place, unless it is there.
fn put_data(file: &Staged) -> Result<(), RemoteError> {
    let stamp = Stamp::new(
        remote::writer(&file.marker.run),
        file.marker.digest.as_str(),
    )?;
    at(&file.folder, async |objects| {
        if is_there(file, objects).await? {
            return Ok(());
        }
        remote::put(objects, &file.source, DATA_FILE, &stamp).await
    })
}

async fn is_there(
    file: &Staged,
    objects: &understudy_objects::Objects,
) -> Result<bool, RemoteError> {
    let stat = objects.stat(DATA_FILE).await?;
    let stamp = stat.and_then(|stat| stat.stamp);
    Ok(stamp.is_some_and(|stamp| stamp.digest() == file.marker.digest.as_str()))
}

fn put_marker(file: &Staged) -> Result<(), RemoteError> {
    let bytes = file.marker.to_bytes();
    let digest = Digest::of_bytes(&bytes);
    let stamp = Stamp::new(remote::writer(&file.marker.run), digest.as_str())?;
    at(&file.folder, async |objects| {
        remote::replace(objects, bytes, MARKER_FILE, &stamp).await
    })
}

/// The marker of the output that is published below a URL for a date and a slice; `None` if there is none.
///
/// # Errors
/// The store did not answer, or the marker cannot be understood.
pub fn read_object_marker(
    location: &str,
    date: RunDate,
    slice: Option<&str>,
) -> Result<Option<Marker>, MarkerError> {
    let slice = slice
        .map(|slice| format!("/slice={slice}"))
        .unwrap_or_default();
    let folder = format!("{}/date={date}{slice}", location.trim_end_matches('/'));
    read_in(&folder)
}

fn read_in(folder: &str) -> Result<Option<Marker>, MarkerError> {
    let path = PathBuf::from(format!("{folder}/{MARKER_FILE}"));
    let bytes = at(folder, async |objects| {
        Ok(objects.read(MARKER_FILE, MAX_MARKER_BYTES).await?)
    });
    let bytes = bytes.map_err(|source| MarkerError::Store {
        path: path.clone(),
        source: Box::new(source),
    })?;
    bytes.map(|bytes| parse(&path, &bytes)).transpose()
}

/// Every marker below a URL.
pub(super) fn object_markers(location: &str) -> Result<Vec<Marker>, MarkerError> {
    let names = at(location, async |objects| Ok(objects.list("").await?));
    let names = names.map_err(|source| MarkerError::Store {
        path: PathBuf::from(location),
        source: Box::new(source),
    })?;
    let own = format!("/{MARKER_FILE}");
    let folders = names
        .iter()
        .filter_map(|entry| entry.key.strip_suffix(&own))
        .filter(|folder| folder.starts_with("date="));
    let below = location.trim_end_matches('/');
    folders
        .filter_map(|folder| read_in(&format!("{below}/{folder}")).transpose())
        .collect()
}

/// Whether the output below a URL is still the one that its marker speaks of, by the stamp that it carries.
///
/// # Errors
/// The store did not answer.
pub fn object_holds_data(location: &str, marker: &Marker) -> Result<bool, RemoteError> {
    let slice = marker.slice.as_ref().map(|slice| format!("/slice={slice}"));
    let folder = format!(
        "{}/date={}{}",
        location.trim_end_matches('/'),
        marker.date,
        slice.unwrap_or_default()
    );
    let stat = at(&folder, async |objects| Ok(objects.stat(DATA_FILE).await?))?;
    Ok(stat.is_some_and(|stat| {
        let own = stat
            .stamp
            .is_some_and(|stamp| stamp.digest() == marker.digest.as_str());
        own && stat.bytes == marker.bytes
    }))
}
