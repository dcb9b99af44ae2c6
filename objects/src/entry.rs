//! What a store says of an object.

use chrono::{DateTime, Utc};
use object_store::{GetResult, ObjectMeta};

use crate::Stamp;

/// One object of a listing: enough to fetch exactly this one later, or to learn that it is another by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key below the place that was listed from.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When the store says that it was written.
    pub modified: DateTime<Utc>,
    /// What the store calls this content; most stores give one.
    pub e_tag: Option<String>,
    /// What the store calls this version, if the bucket keeps versions and the request tells.
    pub version: Option<String>,
}

/// One object that was asked for by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its size.
    pub bytes: u64,
    /// When the store says that it was written.
    pub modified: DateTime<Utc>,
    /// What the store calls this content.
    pub e_tag: Option<String>,
    /// What the store calls this version.
    pub version: Option<String>,
    /// Who wrote it, if it was this crate.
    pub stamp: Option<Stamp>,
}

impl Entry {
    pub(crate) fn new(key: String, meta: ObjectMeta) -> Self {
        Self {
            key,
            bytes: meta.size,
            modified: meta.last_modified,
            e_tag: meta.e_tag,
            version: meta.version,
        }
    }
}

impl Stat {
    /// The entry that pins what was looked at, for [`Objects::fetch`](crate::Objects::fetch).
    pub fn entry(&self, key: &str) -> Entry {
        Entry {
            key: key.to_owned(),
            bytes: self.bytes,
            modified: self.modified,
            e_tag: self.e_tag.clone(),
            version: self.version.clone(),
        }
    }

    pub(crate) fn new(result: &GetResult) -> Self {
        Self {
            bytes: result.meta.size,
            modified: result.meta.last_modified,
            e_tag: result.meta.e_tag.clone(),
            version: result.meta.version.clone(),
            stamp: Stamp::from_attributes(&result.attributes),
        }
    }
}
