//! What a run left behind, brought to the store where that is an object store; and the records of other machines' runs
//! brought here.

use std::fs;
use std::path::{Path, PathBuf};

use understudy_core::digest::Digest;
use understudy_objects::Stamp;

use super::remote::{self, RemoteError, at};
use super::{Store, durable};

/// What of a run's folder is nobody's business afterwards.
const NOT_KEPT: [&str; 1] = ["work"];
/// The longest record of a run.
const MAX_RECORD_BYTES: u64 = 256 << 20;

/// Puts everything that a run left into the store at a URL: its folder, and its outputs in quarantine.
///
/// # Errors
/// Something could not be put; the next run of the same does it again.
pub(crate) fn upload_run(store: &Store, run: &str) -> Result<(), RemoteError> {
    let Some(url) = store.remote() else {
        return Ok(());
    };
    let mut files = Vec::new();
    collect(&store.run_dir(run), &mut files);
    let quarantine = store.root().join("quarantine");
    let own = format!("run={}", understudy_core::path_part::encode(run));
    for folder in folders_named(&quarantine, &own) {
        collect(&folder, &mut files);
    }
    let writer = remote::writer(run);
    at(url, async |objects| {
        for file in &files {
            let Ok(below) = file.strip_prefix(store.root()) else {
                continue;
            };
            let key: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let key = key.join("/");
            let digest = digest(file)?;
            let there = objects.stat(&key).await?.and_then(|stat| stat.stamp);
            if there.is_some_and(|stamp| stamp.digest() == digest.as_str()) {
                continue;
            }
            let stamp = Stamp::new(&writer, digest.as_str())?;
            remote::put(objects, file, &key, &stamp).await?;
        }
        Ok(())
    })
}

fn digest(file: &Path) -> Result<Digest, RemoteError> {
    durable::digest_of_file(file).map_err(|error| RemoteError::File {
        path: error.path,
        source: error.source,
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !NOT_KEPT.iter().any(|not_kept| name == *not_kept) {
                collect(&path, files);
            }
        } else if !durable::is_temporary(&path) {
            files.push(path);
        }
    }
}

fn folders_named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        if entry.file_name() == name {
            found.push(path);
        } else {
            found.extend(folders_named(&path, name));
        }
    }
    found
}

/// Brings a file of a run here that another machine has put into the store; it need not be there.
///
/// # Errors
/// It cannot be read.
pub(crate) fn copy_file(store: &Store, path: &Path) -> Result<(), RemoteError> {
    let (Some(url), Ok(below)) = (store.remote(), path.strip_prefix(store.root())) else {
        return Ok(());
    };
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    let key = parts.join("/");
    let bytes = at(url, async |objects| {
        Ok(objects.read(&key, MAX_RECORD_BYTES).await?)
    })?;
    let Some(bytes) = bytes else { return Ok(()) };
    let written =
        durable::create_dirs(durable::parent(path)).and_then(|_| durable::replace(path, &bytes));
    written.map_err(|error| RemoteError::File {
        path: error.path,
        source: error.source,
    })
}

/// Brings the records of runs here that other machines, or this one before its disk was emptied, have put into the
/// store.
///
/// # Errors
/// They cannot be listed or read.
pub(crate) fn copy_records(store: &Store) -> Result<(), RemoteError> {
    let Some(url) = store.remote() else {
        return Ok(());
    };
    let records = at(&format!("{url}/runs"), async |objects| {
        let mut records = Vec::new();
        for entry in objects.list("").await? {
            let Some(run) = entry
                .key
                .strip_suffix("/run.json")
                .filter(|run| !run.contains('/'))
            else {
                continue;
            };
            let path = store.runs_dir().join(run).join("run.json");
            let same = fs::metadata(&path).is_ok_and(|found| found.len() == entry.bytes);
            if !same && let Some(bytes) = objects.read(&entry.key, MAX_RECORD_BYTES).await? {
                records.push((path, bytes));
            }
        }
        Ok(records)
    })?;
    for (path, bytes) in records {
        let written = durable::create_dirs(durable::parent(&path))
            .and_then(|_| durable::replace(&path, &bytes));
        written.map_err(|error| RemoteError::File {
            path: error.path,
            source: error.source,
        })?;
    }
    Ok(())
}
