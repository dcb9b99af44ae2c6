//! The files of a ledger as they lie there, read and not yet judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, Head};

use crate::store::durable::{self, FileError};

/// What lies in a ledger's folder.
#[derive(Debug, Default)]
pub(crate) struct LedgerFiles {
    /// The head file's bytes.
    pub(crate) head: Option<Vec<u8>>,
    /// The entries' bytes, by the number in the file's name.
    pub(crate) entries: BTreeMap<u64, Vec<u8>>,
    /// The digests of the temporary files that cut-off appends left behind.
    pub(crate) leftovers: BTreeSet<Digest>,
    /// Files that look like entries and are none, by name.
    pub(crate) foreign: Vec<String>,
    /// Files that could not be read, with the reason, by name.
    pub(crate) unreadable: Vec<(String, String)>,
}

impl LedgerFiles {
    /// Reads everything; what cannot be read is part of the finding. The head comes first: entries only grow, so
    /// one that the head names is there afterwards.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files = Self::default();
        files.head = files.content(&folder.join(Head::FILE_NAME));
        match fs::read_dir(folder) {
            Ok(listing) => files.read_listed(folder, listing),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => files.not_read(folder, &error),
        }
        files
    }

    fn read_listed(&mut self, folder: &Path, listing: fs::ReadDir) {
        for item in listing {
            match item {
                Ok(item) => self.read_one(&item.path()),
                Err(error) => self.not_read(folder, &error),
            }
        }
        self.foreign.sort();
        self.unreadable.sort();
    }

    fn read_one(&mut self, path: &Path) {
        let name = name_of(path);
        if durable::is_temporary(path) {
            let digest = self.content(path).map(|bytes| Digest::of_bytes(&bytes));
            self.leftovers.extend(digest);
        } else if let Some(number) = number_of(&name) {
            let content = self.content(path);
            self.entries.extend(content.map(|bytes| (number, bytes)));
        } else if name.ends_with(".json") && !name.starts_with('.') && name != Head::FILE_NAME {
            self.foreign.push(name);
        }
    }

    /// A file's bytes; one that is gone meanwhile was a temporary, or is missed by the chain.
    fn content(&mut self, path: &Path) -> Option<Vec<u8>> {
        match fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.not_read(path, &error);
                None
            }
        }
    }

    fn not_read(&mut self, path: &Path, error: &io::Error) {
        self.unreadable.push((name_of(path), error.to_string()));
    }

    /// The digest of the last entry, or of no bytes.
    pub(crate) fn last_digest(&self) -> Digest {
        let last = self.entries.last_key_value();
        Digest::of_bytes(last.map_or(&[], |(_, bytes)| bytes))
    }

    /// The entries of a ledger without faults.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        let parse =
            |bytes: &Vec<u8>| serde_json::from_slice(bytes).expect("the chain was found whole");
        self.entries.values().map(parse).collect()
    }
}

/// Removes what cut-off appends left behind, up to the entry that the head names. A later one may be in the hands
/// of an append that goes on without the lock.
pub(crate) fn remove_temporaries(folder: &Path, head: u64) -> Result<(), FileError> {
    let Ok(listing) = fs::read_dir(folder) else {
        return Ok(());
    };
    let paths = listing.filter_map(|item| item.ok().map(|item| item.path()));
    let left = paths.filter(|path| durable::is_temporary(path) && is_settled(&name_of(path), head));
    for path in left {
        durable::remove(&path)?;
    }
    Ok(())
}

fn is_settled(temporary: &str, head: u64) -> bool {
    let target = temporary.rsplit('-').next().unwrap_or_default();
    number_of(target).is_none_or(|number| number <= head)
}

/// The number in an entry's file name, if it is the one name for that number.
fn number_of(name: &str) -> Option<u64> {
    let number: u64 = name.strip_suffix(".json")?.parse().ok()?;
    (number > 0 && Entry::file_name(number) == name).then_some(number)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
