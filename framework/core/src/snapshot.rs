//! What was there when a run began: files, and what they are recognised by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::schema::TableSchema;

/// One file, pinned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PinnedFile {
    /// The path as the pipeline's folder sees it: relative where the location was relative.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// When it was last written: nanoseconds since the epoch.
    pub modified_nanos: i128,
    /// When it or what the file system says of it last changed: nanoseconds since the epoch.
    pub changed_nanos: i128,
    /// The file's number in its file system; another one means that it was replaced.
    pub inode: u64,
    /// The digest of its bytes, for files that are small enough to be read at once.
    pub digest: Option<Digest>,
    /// The Hive partition values in its path (`year=2013/`), in their order.
    pub partitions: Vec<(String, String)>,
    /// What an object store calls exactly this content; `None` for files of this machine. The path is then a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectVersion>,
}

/// What an object store calls exactly one content of an object.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The entity tag.
    pub e_tag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub version: Option<String>,
}

/// How a dataset's files are encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Parquet.
    Parquet,
    /// CSV with a header line, UTF-8; compressed or not.
    Csv,
    /// Newline-delimited JSON, UTF-8; compressed or not.
    Json,
    /// Arrow IPC, as a file or a stream.
    Arrow,
}

impl FileFormat {
    /// Whether its files say the types of their columns.
    #[must_use]
    pub fn is_typed(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }
}

/// One dataset, pinned: exactly these files, in this order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DatasetSnapshot {
    /// The dataset's name.
    pub name: String,
    /// The location for this run's date.
    pub location: String,
    /// The encoding of all its files.
    pub format: FileFormat,
    /// Its files, by path.
    pub files: Vec<PinnedFile>,
    /// The version, where it is a Delta table. The one file is then the commit that made this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_version: Option<u64>,
    /// The days of a window that are not there although earlier ones are, by their locations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_days: Vec<String>,
}

/// What was there when a run began.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct InputSnapshot {
    /// What tasks read, by [`Stored::id`](crate::spec::Stored::id).
    pub tables: BTreeMap<String, Found>,
    /// What external versions left, by task, then version.
    pub externals: BTreeMap<String, BTreeMap<String, Found>>,
}

/// What was found at a place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// A table.
    There(DatasetSnapshot),
    /// Nothing yet; where it will be.
    NotYet(String),
}

impl Found {
    /// The identity of what was found.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::There(snapshot) => snapshot.digest(),
            Self::NotYet(location) => Digest::of_json(&("not yet", location)),
        }
    }

    /// The table, if it is there.
    #[must_use]
    pub fn table(&self) -> Option<&DatasetSnapshot> {
        match self {
            Self::There(snapshot) => Some(snapshot),
            Self::NotYet(_) => None,
        }
    }
}

impl InputSnapshot {
    /// Every table that is there.
    pub fn tables(&self) -> impl Iterator<Item = &DatasetSnapshot> {
        let externals = self.externals.values().flat_map(BTreeMap::values);
        self.tables
            .values()
            .chain(externals)
            .filter_map(Found::table)
    }
}

/// The schemas of datasets and of versions' outputs, as far as they are known.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Schemas {
    /// By dataset.
    pub datasets: BTreeMap<String, TableSchema>,
    /// By task, then version.
    pub outputs: BTreeMap<String, BTreeMap<String, TableSchema>>,
}

fn has_tag(file: &PinnedFile) -> bool {
    let object = file.object.as_ref();
    object.is_some_and(|object| object.e_tag.is_some() || object.version.is_some())
}

impl DatasetSnapshot {
    /// Whether its files are in an object store, so that they have to be fetched.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.files.iter().any(|file| file.object.is_some())
    }

    /// Whether a copy of it is read, which is made before anything runs: of objects, and of Delta tables.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        self.is_remote() || self.delta_version.is_some()
    }

    /// The identity of the data: by content where digests are there, else by length and time of writing.
    /// Where the files lie does not matter, what they are called below the location does.
    #[must_use]
    pub fn digest(&self) -> Digest {
        #[derive(Serialize)]
        struct Identity<'a> {
            path: &'a str,
            bytes: u64,
            digest: Option<&'a Digest>,
            modified_nanos: Option<i128>,
            partitions: &'a [(String, String)],
            #[serde(skip_serializing_if = "Option::is_none")]
            object: Option<&'a ObjectVersion>,
        }
        let files: Vec<_> = self
            .files
            .iter()
            .map(|file| Identity {
                path: &file.path,
                bytes: file.bytes,
                digest: file.digest.as_ref(),
                modified_nanos: (file.digest.is_none() && !has_tag(file))
                    .then_some(file.modified_nanos),
                partitions: &file.partitions,
                object: file.object.as_ref(),
            })
            .collect();
        Digest::of_json(&(&self.format, files))
    }
}
