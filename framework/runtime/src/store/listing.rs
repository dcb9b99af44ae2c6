//! What stands where outputs are published, to find out whether anybody but the framework changed it.
//!
//! A shadow cannot write there where its sandbox is whole; but no sandbox stops everything (a file's times and mode can be
//! changed by whoever owns it, and root may do more), and not every machine has one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use understudy_core::plan::Plan;
use understudy_core::slice::when_part;
use understudy_sabotage::Sabotage;
use understudy_tasks::DATA_FILE;

use super::Store;
use super::durable::digest_of_file;
use super::publish::{MARKER_FILE, Marker};
use super::remote::{self, is_remote};
use crate::pipeline::Pipeline;

/// More files than this are not listed: then somebody keeps other things there too.
const MAX_FILES: usize = 1_000_000;

/// What stood where outputs are published.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing(BTreeMap<String, Seen>);

/// How one file or folder was found.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Seen {
    /// A file: its inode, length, times of content and of attributes in nanoseconds, mode, owner.
    File([i128; 6]),
    /// A folder, whose times change with every publication: its mode and owner.
    Folder([i128; 2]),
    /// Where a link leads.
    Link(PathBuf),
    /// An object: its length, what the store calls its content, when it was written.
    Object(u64, Option<String>, i64),
    /// It cannot be looked at.
    Hidden(String),
}

impl Listing {
    /// Looks at every place that a pipeline publishes to: on disks wholly, in object stores at what this run publishes.
    #[must_use]
    pub fn take(pipeline: &Pipeline, plan: &Plan) -> Self {
        let mut listing = Self::default();
        if Sabotage::NoListing.is_on() {
            return listing;
        }
        let tasks = pipeline.spec.tasks.iter();
        let locations: BTreeSet<&String> = tasks
            .filter_map(|task| task.output.location.as_ref())
            .collect();
        for location in locations {
            if is_remote(location) {
                listing.add_objects(location, plan);
            } else {
                listing.add_files(&pipeline.folder.join(location));
            }
        }
        listing
    }

    fn add_files(&mut self, location: &Path) {
        let mut open = vec![location.to_owned()];
        while let Some(path) = open.pop() {
            let seen = match fs::symlink_metadata(&path) {
                Ok(found) => seen(&path, &found),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => Seen::Hidden(error.to_string()),
            };
            // The location itself may be reached over a link.
            if matches!(seen, Seen::Folder(_)) || path == location {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                let own = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
                let entries = entries.filter(|entry| !own(&entry.file_name()));
                open.extend(entries.map(|entry| entry.path()));
            }
            if self.0.len() < MAX_FILES {
                self.0.insert(path.display().to_string(), seen);
            }
        }
    }

    fn add_objects(&mut self, location: &str, plan: &Plan) {
        let when = when_part(plan.date, plan.slice.as_ref());
        let listed = remote::at(location, async |objects| Ok(objects.list(&when).await?));
        match listed {
            Ok(entries) => {
                for entry in entries {
                    let modified = entry.modified.timestamp_millis();
                    let seen = Seen::Object(entry.bytes, entry.e_tag, modified);
                    let path = format!("{}/{}", location.trim_end_matches('/'), entry.key);
                    self.0.insert(path, seen);
                }
            }
            Err(error) => {
                let hidden = Seen::Hidden(error.to_string());
                self.0.insert(location.to_owned(), hidden);
            }
        }
    }

    /// What is not as it was, each path with what happened to it. What other runs of this store published meanwhile is
    /// theirs to change.
    #[must_use]
    pub fn changed_since(&self, before: &Self, store: &Store) -> Vec<String> {
        let paths: BTreeSet<&String> = self.0.keys().chain(before.0.keys()).collect();
        let mut published = BTreeMap::new();
        let mut is_ours = |path: &str| {
            let folder = Path::new(path).parent().unwrap_or(Path::new(""));
            let marker = folder.join(MARKER_FILE).display().to_string();
            // Whoever publishes writes the marker anew.
            let is_anew = before.0.get(&marker) != self.0.get(&marker);
            *published
                .entry(folder.to_owned())
                .or_insert_with(|| is_anew && is_published(folder, store))
        };
        let mut changes = Vec::new();
        for path in paths {
            let what = match (before.0.get(path), self.0.get(path)) {
                (before, now) if before == now => continue,
                (None, None | Some(Seen::Folder(_))) => continue,
                (None, Some(_)) => "appeared",
                (Some(_), None) => "was removed",
                (Some(before), Some(now)) => difference(before, now),
            };
            if !is_ours(path) {
                changes.push(format!("`{path}` {what}"));
            }
        }
        changes
    }
}

fn seen(path: &Path, found: &fs::Metadata) -> Seen {
    let owner = i128::from(found.uid()) << 32 | i128::from(found.gid());
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    if found.is_symlink() {
        return Seen::Link(fs::read_link(path).unwrap_or_default());
    }
    if found.is_dir() {
        return Seen::Folder([i128::from(found.mode()), owner]);
    }
    Seen::File([
        i128::from(found.ino()),
        i128::from(found.len()),
        nanos(found.mtime(), found.mtime_nsec()),
        nanos(found.ctime(), found.ctime_nsec()),
        i128::from(found.mode()),
        owner,
    ])
}

fn difference(before: &Seen, now: &Seen) -> &'static str {
    let (Seen::File(before), Seen::File(now)) = (before, now) else {
        return "is something else now";
    };
    if before[0] != now[0] {
        "was replaced"
    } else if before[1..3] != now[1..3] {
        "was written"
    } else if before[4..] != now[4..] {
        "got another mode or owner"
    } else {
        "had its attributes changed"
    }
}

/// Whether a folder holds what a run of this store published, whole.
fn is_published(folder: &Path, store: &Store) -> bool {
    let read = || -> Option<bool> {
        let marker: Marker =
            serde_json::from_slice(&fs::read(folder.join(MARKER_FILE)).ok()?).ok()?;
        let is_known = store.run_file(&marker.run).is_file();
        let digest = digest_of_file(&folder.join(DATA_FILE)).ok()?;
        Some(is_known && digest == marker.digest)
    };
    read().unwrap_or(false)
}
