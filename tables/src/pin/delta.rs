//! Delta tables: a folder with a log, whose newest commit says what the table is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use understudy_core::snapshot::{DatasetSnapshot, FileFormat, PinnedFile};

use super::listed::{ListedFile, pinned};
use super::listing::Found;
use super::{PinError, pin_file};

/// The folder of a table in which its log is.
const LOG: &str = "_delta_log";
/// The digits of a version in the name of its commit.
const VERSION_DIGITS: usize = 20;

/// The version that a file of a log commits: `00000000000000000012.json` is 12.
fn version_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    let is_version =
        digits.len() == VERSION_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_version.then(|| digits.parse().ok())?
}

/// The newest version of a table, from the paths below its folder; `None` where it is no Delta table.
pub(super) fn newest<'a>(below: impl Iterator<Item = &'a str>) -> Option<u64> {
    below
        .filter_map(|path| version_of(path.strip_prefix(LOG)?.strip_prefix('/')?))
        .max()
}

fn commit(version: u64) -> String {
    format!("{LOG}/{version:0VERSION_DIGITS$}.json")
}

/// Pins a folder at its newest version, if it is a Delta table.
pub(super) fn in_folder(
    name: &str,
    location: &str,
    base: &Path,
) -> Result<Option<DatasetSnapshot>, PinError> {
    let folder = base.join(location);
    let log = folder.join(LOG);
    let entries = match fs::read_dir(&log) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return no_table_around(name, location, base);
        }
        Err(source) => return Err(unreadable(name, log, source)),
    };
    let mut newest = None;
    for entry in entries {
        let entry = entry.map_err(|source| unreadable(name, log.clone(), source))?;
        newest = newest.max(version_of(&entry.file_name().to_string_lossy()));
    }
    let Some(version) = newest else {
        return Err(PinError::NoCommit {
            name: name.to_owned(),
            location: location.to_owned(),
        });
    };
    let path = Path::new(location).join(commit(version));
    let found = Found {
        path: path.display().to_string(),
        format: FileFormat::Parquet,
        partitions: Vec::new(),
    };
    let file = pin_file(name, found, base)?;
    Ok(Some(at(name, location, version, file)))
}

/// What lies in a table's folders is a part of it only if its log says so.
fn no_table_around(
    name: &str,
    location: &str,
    base: &Path,
) -> Result<Option<DatasetSnapshot>, PinError> {
    let folders = Path::new(location).ancestors().skip(1);
    let folders = folders.filter(|folder| !folder.as_os_str().is_empty());
    match folders
        .filter(|folder| base.join(folder).join(LOG).is_dir())
        .last()
    {
        None => Ok(None),
        Some(table) => Err(PinError::InsideDelta {
            name: name.to_owned(),
            location: location.to_owned(),
            table: table.display().to_string(),
        }),
    }
}

/// The same of a table whose files somebody has listed.
pub(super) fn of_listed(
    name: &str,
    location: &str,
    version: u64,
    files: Vec<ListedFile>,
) -> Result<DatasetSnapshot, PinError> {
    let commit = commit(version);
    let file = files.into_iter().find(|file| file.below == commit);
    match file {
        Some(file) => Ok(at(name, location, version, pinned(file, Vec::new()))),
        None => Err(PinError::NoCommit {
            name: name.to_owned(),
            location: location.to_owned(),
        }),
    }
}

fn at(name: &str, location: &str, version: u64, file: PinnedFile) -> DatasetSnapshot {
    DatasetSnapshot {
        name: name.to_owned(),
        location: location.to_owned(),
        format: FileFormat::Parquet,
        files: vec![file],
        delta_version: Some(version),
        missing_days: Vec::new(),
    }
}

fn unreadable(name: &str, path: PathBuf, source: io::Error) -> PinError {
    PinError::Io {
        name: name.to_owned(),
        path,
        source,
    }
}
