//! Inputs in object stores: listed, pinned by what the store calls their content, and fetched as exactly that.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use understudy_core::run_date::RunDate;
use understudy_core::snapshot::{DatasetSnapshot, InputSnapshot, ObjectVersion, PinnedFile};
use understudy_core::spec::Location;
use understudy_objects::{Entry, Place};
use understudy_tables::{ListedFile, PinError, date_in, laid_out, pin_listed};

use crate::pipeline::Pipeline;
use crate::store::remote::{RemoteError, at};

/// The folder of the store in which fetched inputs are, each under the digest of what was pinned.
const FETCHED: &str = "fetched";

/// Pins a location in an object store.
pub(super) fn pin(name: &str, location: &str) -> Result<DatasetSnapshot, PinError> {
    let failed = |source: RemoteError| PinError::Store {
        name: name.to_owned(),
        location: location.to_owned(),
        source: Box::new(source),
    };
    let files = list(location).map_err(failed)?;
    pin_listed(name, location, files)
}

fn list(location: &str) -> Result<Vec<ListedFile>, RemoteError> {
    let place = Place::parse(location)?;
    let (folder, own) = match place.prefix().rsplit_once('/') {
        Some((_, own)) => (location.trim_end_matches('/'), own.to_owned()),
        None => (location.trim_end_matches('/'), place.prefix().to_owned()),
    };
    let entries = at(folder, async |objects| Ok(objects.list("").await?))?;
    if !entries.is_empty() || own.is_empty() {
        let url = |entry: &Entry| format!("{folder}/{}", entry.key);
        return Ok(entries
            .iter()
            .map(|entry| listed(entry, url(entry)))
            .collect());
    }
    // No folder of that name: perhaps an object.
    let Some(parent) = folder.strip_suffix(&own) else {
        return Ok(Vec::new());
    };
    let parent = parent.trim_end_matches('/');
    let found = at(parent, async |objects| Ok(objects.stat(&own).await?))?;
    let found = found.map(|stat| listed(&stat.entry(&own), folder.to_owned()));
    Ok(found.into_iter().collect())
}

fn listed(entry: &Entry, url: String) -> ListedFile {
    ListedFile {
        below: entry.key.clone(),
        url,
        bytes: entry.bytes,
        modified_nanos: i128::from(entry.modified.timestamp_nanos_opt().unwrap_or_default()),
        object: ObjectVersion {
            e_tag: entry.e_tag.clone(),
            version: entry.version.clone(),
        },
    }
}

/// The run dates for which a dated location has a folder or an object.
pub(super) fn dates(location: &Location) -> Result<BTreeSet<RunDate>, RemoteError> {
    let Some((before, plus_days, after)) = location.around_first_date() else {
        return Ok(BTreeSet::new());
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", &before));
    let names = at(parent, async |objects| {
        if after.contains('/') {
            Ok(objects.list_folders("").await?)
        } else {
            Ok(objects
                .list("")
                .await?
                .into_iter()
                .map(|entry| entry.key)
                .collect())
        }
    })?;
    Ok(names
        .iter()
        .filter_map(|name| date_in(name, prefix, plus_days))
        .collect())
}

/// Fetches everything that was pinned in object stores and is not here yet.
///
/// # Errors
/// Something was changed since it was pinned, or cannot be fetched.
pub(super) fn fetch(pipeline: &Pipeline, inputs: &InputSnapshot) -> Result<(), RemoteError> {
    for snapshot in inputs.tables().filter(|snapshot| snapshot.is_remote()) {
        let folder = fetched_folder(pipeline, snapshot);
        if !folder.is_dir() {
            fetch_one(snapshot, &folder)?;
        }
    }
    Ok(())
}

fn fetch_one(snapshot: &DatasetSnapshot, folder: &Path) -> Result<(), RemoteError> {
    let unusable = |source| RemoteError::File {
        path: folder.to_owned(),
        source,
    };
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(unusable)?;
    let part = tempfile::tempdir_in(parent).map_err(unusable)?;
    for (position, file) in snapshot.files.iter().enumerate() {
        let (below, own) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let to = part.path().join(laid_out(file, position));
        fs::create_dir_all(to.parent().unwrap_or(part.path())).map_err(unusable)?;
        let entry = entry(file, own);
        at(below, async |objects| {
            Ok(objects.fetch(&entry, &to).await?)
        })?;
    }
    match fs::rename(part.path(), folder) {
        Ok(()) => {
            let _ = part.keep();
            Ok(())
        }
        // Another run was faster, and fetched the same.
        Err(_) if folder.is_dir() => Ok(()),
        Err(source) => Err(unusable(source)),
    }
}

fn entry(file: &PinnedFile, key: &str) -> Entry {
    let object = file.object.clone().unwrap_or_default();
    let nanos = i64::try_from(file.modified_nanos).unwrap_or_default();
    Entry {
        key: key.to_owned(),
        bytes: file.bytes,
        modified: chrono::DateTime::from_timestamp_nanos(nanos),
        e_tag: object.e_tag,
        version: object.version,
    }
}

fn fetched_folder(pipeline: &Pipeline, snapshot: &DatasetSnapshot) -> PathBuf {
    let folder = pipeline.store_folder().join(FETCHED);
    folder.join(snapshot.digest().as_str())
}

/// A pinned table as files of this machine: themselves, or their fetched copies; with the folder that their paths
/// begin at.
pub(super) fn local(pipeline: &Pipeline, snapshot: &DatasetSnapshot) -> (PathBuf, DatasetSnapshot) {
    if !snapshot.is_remote() {
        return (pipeline.folder.clone(), snapshot.clone());
    }
    let files = snapshot
        .files
        .iter()
        .enumerate()
        .map(|(position, file)| PinnedFile {
            path: laid_out(file, position).display().to_string(),
            object: None,
            ..file.clone()
        });
    let copies = DatasetSnapshot {
        files: files.collect(),
        ..snapshot.clone()
    };
    (fetched_folder(pipeline, snapshot), copies)
}
