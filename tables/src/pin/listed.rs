//! A table whose files somebody else has listed, such as an object store.

use understudy_core::snapshot::{DatasetSnapshot, ObjectVersion, PinnedFile};

use super::listing::{Found, format_of};
use super::{PinError, common_format, delta, hive, require_same_partitions};

/// A file that somebody listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedFile {
    /// Its path below the location; its own name where the location is the file.
    pub below: String,
    /// Where it is.
    pub url: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was written: nanoseconds since the epoch.
    pub modified_nanos: i128,
    /// What tells exactly this content.
    pub object: ObjectVersion,
}

/// Pins the table files among those that were listed below a location, by the rules of [`pin`](super::pin): hidden
/// names are skipped, and of the folders only `key=value` ones count.
///
/// # Errors
/// Nothing there, no table file there, or files of several formats.
pub fn pin_listed(
    name: &str,
    location: &str,
    files: Vec<ListedFile>,
) -> Result<DatasetSnapshot, PinError> {
    if files.is_empty() {
        return Err(PinError::NotFound {
            name: name.to_owned(),
            location: location.to_owned(),
        });
    }
    if let Some(version) = delta::newest(files.iter().map(|file| file.below.as_str())) {
        return delta::of_listed(name, location, version, files);
    }
    let found: Vec<(Found, ListedFile)> = files
        .into_iter()
        .filter_map(|file| Some((found(&file)?, file)))
        .collect();
    let (found, files): (Vec<Found>, Vec<ListedFile>) = found.into_iter().unzip();
    let format = common_format(name, location, &found)?;
    require_same_partitions(name, &found)?;
    let pinned = found
        .into_iter()
        .zip(files)
        .map(|(found, file)| pinned(file, found.partitions));
    Ok(DatasetSnapshot {
        name: name.to_owned(),
        location: location.to_owned(),
        format,
        files: pinned.collect(),
        delta_version: None,
        missing_days: Vec::new(),
    })
}

pub(super) fn pinned(file: ListedFile, partitions: Vec<(String, String)>) -> PinnedFile {
    PinnedFile {
        path: file.url,
        bytes: file.bytes,
        modified_nanos: file.modified_nanos,
        changed_nanos: 0,
        inode: 0,
        digest: None,
        partitions,
        object: Some(file.object),
    }
}

fn found(file: &ListedFile) -> Option<Found> {
    let mut folders: Vec<&str> = file.below.split('/').collect();
    let own = folders.pop()?;
    if own.starts_with(['.', '_']) || folders.iter().any(|folder| folder.starts_with(['.', '_'])) {
        return None;
    }
    let partitions: Option<Vec<_>> = folders.into_iter().map(hive::partition).collect();
    Some(Found {
        path: file.url.clone(),
        format: format_of(own)?,
        partitions: partitions?,
    })
}
