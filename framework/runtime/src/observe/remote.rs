//! Inputs in object stores: listed, pinned by what the store calls their content, and fetched as exactly that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use understudy_core::run_date::RunDate;
use understudy_core::snapshot::{DatasetSnapshot, ObjectVersion, PinnedFile};
use understudy_core::spec::Location;
use understudy_objects::{Entry, Place};
use understudy_tables::{ListedFile, PinError, date_in, laid_out, pin_listed};

use super::copies;
use crate::store::remote::{RemoteError, at};

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
    if location.contains('*') {
        return Err(RemoteError::Glob(location.to_owned()));
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

/// Fetches the objects of a table into a folder that is there once all of them are.
///
/// # Errors
/// Something was changed since it was pinned, or cannot be fetched.
pub(super) fn fetch(snapshot: &DatasetSnapshot, folder: &Path) -> Result<(), RemoteError> {
    copies::fill(folder, |part| {
        for (position, file) in snapshot.files.iter().enumerate() {
            let (below, own) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            let to = part.join(laid_out(file, position));
            fs::create_dir_all(to.parent().unwrap_or(part)).map_err(copies::unusable(&to))?;
            let entry = entry(file, own);
            at(below, async |objects| {
                Ok(objects.fetch(&entry, &to).await?)
            })?;
        }
        Ok(())
    })
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
