//! The marker beside a published output: who made it, from which code, at which stages.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use understudy_core::digest::Digest;
use understudy_core::run_date::RunDate;
use understudy_core::stage::Stages;

use super::objects::object_markers;
use crate::store::durable::{self, FileError};
use crate::store::layout::{self, SLICE_PREFIX};
use crate::store::remote::{RemoteError, is_remote};

/// The name of a marker's file.
pub const MARKER_FILE: &str = "_understudy.json";

/// The format that this program writes, and the newest that it reads.
pub const MARKER_FORMAT: u32 = 1;

/// What stands beside a published output.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Marker {
    /// The format, [`MARKER_FORMAT`].
    pub version: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// The task.
    pub task: String,
    /// The run that published it.
    pub run: String,
    /// The run's date.
    pub date: RunDate,
    /// The slice whose customers it is for; `None` for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// When it was published, RFC 3339 in UTC.
    pub published_at: String,
    /// How many entries the ledger had when the stages were read; zero where it could not be read.
    pub ledger_entries: u64,
    /// The stages that the run worked with.
    pub stages: Stages,
    /// The digest of `data.parquet`.
    pub digest: Digest,
    /// The length of `data.parquet`.
    pub bytes: u64,
    /// The digests of the versions that made it, by version.
    pub code: BTreeMap<String, Digest>,
}

/// A marker that is there and says nothing.
#[derive(Debug, thiserror::Error)]
pub enum MarkerError {
    /// It cannot be read.
    #[error("the marker `{}` cannot be read", path.display())]
    Io {
        /// The file, or the folder that was searched for it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The object store did not give it.
    #[error("the marker `{}` cannot be read", path.display())]
    Store {
        /// The object, or the folder that was searched for it.
        path: PathBuf,
        /// Why.
        source: Box<RemoteError>,
    },
    /// It is no marker.
    #[error("the marker `{}` cannot be understood", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A newer program wrote it.
    #[error(
        "the marker `{}` has format {version}, and this program reads up to {MARKER_FORMAT}; \
         use the newer version of understudy that wrote it", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
}

impl Marker {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a marker has a JSON form");
        bytes.push(b'\n');
        bytes
    }
}

/// The marker of the output that is published below a location for a date and a slice; `None` if there is none.
///
/// # Errors
/// A marker that is there and cannot be read.
pub fn read_marker(
    location: &Path,
    date: RunDate,
    slice: Option<&str>,
) -> Result<Option<Marker>, MarkerError> {
    read(&layout::published_dir(location, date, slice).join(MARKER_FILE))
}

/// Whether the output below a location still holds the bytes that its marker speaks of.
///
/// # Errors
/// The output is there and cannot be read.
pub fn holds_data(location: &Path, marker: &Marker) -> Result<bool, FileError> {
    let path = layout::published_file(location, marker.date, marker.slice.as_deref());
    match fs::metadata(&path) {
        Ok(found) if found.len() == marker.bytes => {
            durable::digest_of_file(&path).map(|digest| digest == marker.digest)
        }
        _ => Ok(false),
    }
}

/// The stages that the newest outputs below some locations (paths begin at a folder) were published with: those read from the longest
/// ledger, and of these the last published. `None` where nothing was published yet.
///
/// # Errors
/// A marker that cannot be read: it may be the newest.
pub fn latest_marker_stages(
    folder: &Path,
    locations: &[&str],
) -> Result<Option<Stages>, MarkerError> {
    let mut latest: Option<Marker> = None;
    for location in locations {
        let found = if is_remote(location) {
            object_markers(location)?
        } else {
            markers(&folder.join(location))?
        };
        for marker in found {
            if latest
                .as_ref()
                .is_none_or(|latest| age(latest) < age(&marker))
            {
                latest = Some(marker);
            }
        }
    }
    Ok(latest.map(|marker| marker.stages))
}

/// Runs end in another order than they read the ledger in, so its length goes before the clock.
fn age(marker: &Marker) -> (u64, &str) {
    (marker.ledger_entries, &marker.published_at)
}

fn markers(location: &Path) -> Result<Vec<Marker>, MarkerError> {
    let mut folders = Vec::new();
    for date in below(location, "date=")? {
        folders.extend(below(&date, SLICE_PREFIX)?);
        folders.push(date);
    }
    let markers = folders.iter();
    markers
        .filter_map(|folder| read(&folder.join(MARKER_FILE)).transpose())
        .collect()
}

/// What lies in a folder under names that begin so.
fn below(folder: &Path, prefix: &str) -> Result<Vec<PathBuf>, MarkerError> {
    let found = match durable::list(folder) {
        Err(error) if durable::is_absent(&error.source) => return Ok(Vec::new()),
        found => found.map_err(|error| MarkerError::Io {
            path: error.path,
            source: error.source,
        })?,
    };
    let begins = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(prefix)
    };
    Ok(found.into_iter().filter(begins).collect())
}

fn read(path: &Path) -> Result<Option<Marker>, MarkerError> {
    match fs::read(path) {
        Err(error) if durable::is_absent(&error) => Ok(None),
        Err(source) => Err(MarkerError::Io {
            path: path.to_owned(),
            source,
        }),
        Ok(bytes) => parse(path, &bytes).map(Some),
    }
}

/// A marker from its file's bytes.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Marker, MarkerError> {
    #[derive(Deserialize)]
    struct Format {
        version: u32,
    }
    let malformed = |source| MarkerError::Malformed {
        path: path.to_owned(),
        source,
    };
    let Format { version } = serde_json::from_slice(bytes).map_err(malformed)?;
    if version > MARKER_FORMAT {
        return Err(MarkerError::Newer {
            path: path.to_owned(),
            version,
        });
    }
    serde_json::from_slice(bytes).map_err(malformed)
}
