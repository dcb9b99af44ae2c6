//! Finds the files of a location and pins them, so that every reader of a run reads the same data.

mod dates;
mod days;
mod delta;
mod hive;
mod listed;
mod listing;
mod opened;
mod own;

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use understudy_core::digest::Digest;
use understudy_core::snapshot::{DatasetSnapshot, FileFormat, PinnedFile};

pub use dates::{date_in, dates};
pub use days::{Day, pin_days};
pub(crate) use hive::NULL_PARTITION;
pub use listed::{ListedFile, pin_listed};
pub use opened::open_pinned;
pub use own::{pin_own, require_beneath, require_own};

use listing::Found;

use crate::file::open_regular;

/// Files up to this size are pinned by the digest of their bytes as well: reading them once more costs little
/// beside computing on them.
pub const MAX_DIGESTED_BYTES: u64 = 32 << 20;

const CHUNK_BYTES: usize = 1 << 16;

/// A location that is no table.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Nothing is there.
    #[error("dataset `{name}`: nothing is at `{location}`; check the path and the run date")]
    NotFound {
        /// The dataset.
        name: String,
        /// Its location.
        location: String,
    },
    /// There is a folder, or a glob, without any table file.
    #[error(
        "dataset `{name}`: `{location}` has no .parquet, .csv, .jsonl or .arrow file; they must lie directly in it or \
         below `key=value` folders (for others, write a glob)"
    )]
    NoFiles {
        /// The dataset.
        name: String,
        /// Its location.
        location: String,
    },
    /// Files of several formats are there.
    #[error(
        "dataset `{name}`: `{location}` mixes formats (`{first}`, `{second}`); keep one, or name it with a glob \
         such as `*.parquet`"
    )]
    MixedFormats {
        /// The dataset.
        name: String,
        /// Its location.
        location: String,
        /// A file of one format.
        first: String,
        /// A file of another one.
        second: String,
    },
    /// Two days of a window have different formats.
    #[error(
        "dataset `{name}`: `{first}` and `{second}` are of different formats; all days of a window need the same"
    )]
    DaysDiffer {
        /// The dataset.
        name: String,
        /// A file of one day.
        first: String,
        /// A file of another one.
        second: String,
    },
    /// Several days of Delta tables.
    #[error(
        "dataset `{name}`: `{location}` is a Delta table, and a window of several days cannot be read from those; put \
         all days into one table, and select them in the task"
    )]
    DeltaWindow {
        /// The dataset.
        name: String,
        /// The table.
        location: String,
    },
    /// A part of a Delta table.
    #[error(
        "dataset `{name}`: `{location}` is inside the Delta table `{table}`, whose log alone says which of its files count; \
         name the table, and select its rows in the task"
    )]
    InsideDelta {
        /// The dataset.
        name: String,
        /// The part.
        location: String,
        /// The table.
        table: String,
    },
    /// A Delta table without any version.
    #[error("dataset `{name}`: `{location}` is a Delta table that nothing was committed to yet")]
    NoCommit {
        /// The dataset.
        name: String,
        /// The table.
        location: String,
    },
    /// A file of no known format.
    #[error(
        "dataset `{name}`: `{file}` is of no format that can be read; these are .parquet, .csv, .jsonl, .ndjson, .arrow, \
         .ipc and .feather, and .gz or .zst of the text formats"
    )]
    UnknownFormat {
        /// The dataset.
        name: String,
        /// The file.
        file: String,
    },
    /// Some files have Hive partitions that others have not.
    #[error(
        "dataset `{name}`: `{first}` and `{second}` lie below different partition keys; all files of a dataset \
         need the same `key=value` folders"
    )]
    PartitionsDiffer {
        /// The dataset.
        name: String,
        /// One file.
        first: String,
        /// Another one.
        second: String,
    },
    /// A glob that is none.
    #[error("dataset `{name}`: `{location}` is not a valid glob")]
    BadGlob {
        /// The dataset.
        name: String,
        /// Its location.
        location: String,
        /// Why not.
        source: glob::PatternError,
    },
    /// A location that is not on this machine.
    #[error(
        "dataset `{name}`: `{location}` is a URL; only files and folders of this machine can be read"
    )]
    Remote {
        /// The dataset.
        name: String,
        /// Its location.
        location: String,
    },
    /// An object store did not answer.
    #[error("dataset `{name}`: `{location}` cannot be listed")]
    Store {
        /// The dataset.
        name: String,
        /// Its location.
        location: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A path that is no UTF-8.
    #[error("dataset `{name}`: the path `{path}` is not UTF-8; rename it")]
    NotUtf8 {
        /// The dataset.
        name: String,
        /// The path, as far as it can be shown.
        path: String,
    },
    /// A pipe, a socket or a device: to wait for one that nobody writes to is to wait for ever.
    #[error("dataset `{name}`: `{file}` is not a regular file; write what it gives into one")]
    NotAFile {
        /// The dataset.
        name: String,
        /// What is there.
        file: String,
    },
    /// A file of an output is not one that its program made there.
    #[error(
        "`{file}` is not taken: {reason}; write it into the output folder as a file of its own"
    )]
    NotOwn {
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// The file system refused.
    #[error("dataset `{name}`: `{}` cannot be read", path.display())]
    Io {
        /// The dataset.
        name: String,
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

impl PinError {
    /// Whether it says that nothing is there, which may be a matter of time.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. } | Self::NoFiles { .. } | Self::NoCommit { .. }
        )
    }
}

/// A file that is no longer what was pinned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangedFile {
    /// The pinned path.
    pub path: String,
    /// What happened to it, as a fragment: `was removed`.
    pub what: String,
}

/// Pins the files of a location (a file, a folder, a glob, a Hive-partitioned folder), relative to `base`.
///
/// A folder with a Delta log is a Delta table, pinned at its newest version; it is read as a copy of that.
///
/// A path that exists stands for itself even if it contains `*`, `?` or `[`. In folders, names that start with
/// `.` or `_` are skipped, and only `key=value` folders are descended into; those keys become columns.
///
/// # Errors
/// Nothing there, no table file there, both formats there, or a file system that refuses.
pub fn pin(name: &str, location: &str, base: &Path) -> Result<DatasetSnapshot, PinError> {
    if let Some(table) = delta::in_folder(name, location, base)? {
        return Ok(table);
    }
    let found = listing::files(name, location, base)?;
    let format = common_format(name, location, &found)?;
    require_same_partitions(name, &found)?;
    let files: Result<_, _> = found
        .into_iter()
        .map(|file| pin_file(name, file, base))
        .collect();
    Ok(DatasetSnapshot {
        name: name.to_owned(),
        location: location.to_owned(),
        format,
        files: files?,
        delta_version: None,
        missing_days: Vec::new(),
    })
}

/// The files that are no longer what was pinned, each with what happened to it.
///
/// A file whose length, times and inode are the same is unchanged; so is one whose bytes still have the pinned
/// digest.
#[must_use]
pub fn changed_files(snapshot: &DatasetSnapshot, base: &Path) -> Vec<ChangedFile> {
    // What is copied is copied as exactly what was pinned, or not at all.
    let files = snapshot.files.iter().filter(|_| !snapshot.is_copied());
    let changed = files.filter_map(|file| {
        let what = change_of(file, &base.join(&file.path))?;
        Some(ChangedFile {
            path: file.path.clone(),
            what,
        })
    });
    changed.collect()
}

/// The first file of a table that is not exactly what was pinned: written again, even with the same bytes, while
/// somebody may have read it. For whoever has just read it.
#[must_use]
pub fn touched_file(snapshot: &DatasetSnapshot, base: &Path) -> Option<ChangedFile> {
    let touched = |file: &&PinnedFile| {
        let path = base.join(&file.path);
        let same = fs::metadata(&path).is_ok_and(|found| stat_of(&found) == stat_of_pinned(file));
        let digest = file.digest.as_ref();
        !same || digest.is_some_and(|pinned| digest_of(&path).ok().as_ref() != Some(pinned))
    };
    let file = snapshot.files.iter().find(touched)?;
    Some(ChangedFile {
        path: file.path.clone(),
        what: change_of(file, &base.join(&file.path))
            .unwrap_or_else(|| "was written again".to_owned()),
    })
}

fn change_of(pinned: &PinnedFile, path: &Path) -> Option<String> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Some("was removed".to_owned());
        }
        Err(error) => return Some(format!("cannot be looked at: {error}")),
    };
    if stat_of(&metadata) == stat_of_pinned(pinned) {
        return None;
    }
    match &pinned.digest {
        Some(digest) if metadata.len() == pinned.bytes => match digest_of(path) {
            Ok(now) if now == *digest => None,
            Ok(_) => Some("was changed (same length, other bytes)".to_owned()),
            Err(error) => Some(format!("cannot be read: {error}")),
        },
        _ if metadata.len() != pinned.bytes => Some(format!(
            "was changed ({} bytes, now {})",
            pinned.bytes,
            metadata.len()
        )),
        _ => Some("was written again or replaced (same length)".to_owned()),
    }
}

fn pin_file(name: &str, found: Found, base: &Path) -> Result<PinnedFile, PinError> {
    let path = base.join(&found.path);
    let io_error = |source| PinError::Io {
        name: name.to_owned(),
        path: path.clone(),
        source,
    };
    let metadata = fs::metadata(&path).map_err(io_error)?;
    if !metadata.is_file() {
        return Err(PinError::NotAFile {
            name: name.to_owned(),
            file: found.path,
        });
    }
    let digest = if metadata.len() <= MAX_DIGESTED_BYTES {
        Some(digest_of(&path).map_err(io_error)?)
    } else {
        None
    };
    let (bytes, modified_nanos, changed_nanos, inode) = stat_of(&metadata);
    Ok(PinnedFile {
        path: found.path,
        bytes,
        modified_nanos,
        changed_nanos,
        inode,
        digest,
        partitions: found.partitions,
        object: None,
    })
}

/// A file of a copy, as what it is: another one than what was copied.
///
/// # Errors
/// It cannot be looked at.
pub fn of_copy(file: &PinnedFile, path: &Path, folder: &Path) -> io::Result<PinnedFile> {
    let (bytes, modified_nanos, changed_nanos, inode) = stat_of(&fs::metadata(folder.join(path))?);
    Ok(PinnedFile {
        path: path.display().to_string(),
        bytes,
        modified_nanos,
        changed_nanos,
        inode,
        digest: None,
        partitions: file.partitions.clone(),
        object: None,
    })
}

/// Where a file belongs in a folder that is laid out anew: below its `key=value` folders, under a numbered name, which
/// keeps the order and keeps files of one name apart.
#[must_use]
pub fn laid_out(file: &PinnedFile, position: usize) -> PathBuf {
    let pinned = Path::new(&file.path);
    let name = pinned
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    // The last folders with a `=` are those that the partitions were read from, encoded as they were.
    let folders = pinned.parent().into_iter().flat_map(Path::components);
    let folders: Vec<_> = folders
        .filter(|folder| folder.as_os_str().to_string_lossy().contains('='))
        .collect();
    let partitions = &folders[folders.len().saturating_sub(file.partitions.len())..];
    partitions
        .iter()
        .collect::<PathBuf>()
        .join(format!("{position:05}-{name}"))
}

fn stat_of(metadata: &Metadata) -> (u64, i128, i128, u64) {
    let nanos = |secs: i64, nanos: i64| i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    let modified = nanos(metadata.mtime(), metadata.mtime_nsec());
    let changed = nanos(metadata.ctime(), metadata.ctime_nsec());
    (metadata.len(), modified, changed, metadata.ino())
}

fn stat_of_pinned(file: &PinnedFile) -> (u64, i128, i128, u64) {
    (
        file.bytes,
        file.modified_nanos,
        file.changed_nanos,
        file.inode,
    )
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    digest_of_rest(&open_regular(path)?)
}

fn digest_of_rest(mut file: &File) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(Digest::from_hash(hash.finalize().as_slice())),
            read => hash.update(&chunk[..read]),
        }
    }
}

fn common_format(name: &str, location: &str, found: &[Found]) -> Result<FileFormat, PinError> {
    let Some(first) = found.first() else {
        return Err(PinError::NoFiles {
            name: name.to_owned(),
            location: location.to_owned(),
        });
    };
    match found.iter().find(|file| file.format != first.format) {
        None => Ok(first.format),
        Some(second) => Err(PinError::MixedFormats {
            name: name.to_owned(),
            location: location.to_owned(),
            first: first.path.clone(),
            second: second.path.clone(),
        }),
    }
}

fn require_same_partitions(name: &str, found: &[Found]) -> Result<(), PinError> {
    let keys = |file: &Found| {
        file.partitions
            .iter()
            .map(|(key, _)| key.clone())
            .collect::<Vec<_>>()
    };
    let Some(first) = found.first() else {
        return Ok(());
    };
    match found.iter().find(|file| keys(file) != keys(first)) {
        None => Ok(()),
        Some(second) => Err(PinError::PartitionsDiffer {
            name: name.to_owned(),
            first: first.path.clone(),
            second: second.path.clone(),
        }),
    }
}

#[cfg(test)]
mod tests;
