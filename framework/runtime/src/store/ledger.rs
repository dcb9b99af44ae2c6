//! The ledger on a disk: one file an entry, each with the digest of the file before it.
//!
//! An entry gets its name by a hard link, which fails where there is one already and shows nothing half-written:
//! two processes that append at once both get their entry. `head.json` vouches for the last entry and is replaced
//! after each append. An entry's temporary file is removed only after that, so that an entry beyond the head is
//! known to come from an append that was cut off: it counts, and the next append brings the head up to it. Any
//! other entry beyond the head was added by somebody else.
//! Reading never writes and takes no lock unless something looks wrong, which may be an append in progress.

mod chain;
mod chain_fault;
mod files;
mod remote;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, Head, LEDGER_FORMAT, LedgerEvent};
use understudy_core::stage::Stages;

pub use self::chain_fault::{ChainFault, Witness};
use self::files::LedgerFiles;
use crate::store::Store;
use crate::store::durable::{self, FileError, Step, Temporary, Written};
use crate::store::fault;
use crate::store::lock::Lock;
use crate::store::remote::RemoteError;

/// How long an append, or a look at what seems broken, waits for an append in another process.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How often an append starts again because another process took its number.
const MAX_APPEND_ATTEMPTS: u32 = 100;

/// The fault points of an append, in their order.
pub const FAULT_POINTS: [&str; 5] = [
    "ledger.before-entry",
    "ledger.before-link",
    "ledger.after-link",
    "ledger.before-head",
    "ledger.after-head",
];

/// A ledger whose chain was whole when it was read.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    entries: Vec<Entry>,
    /// The digest of the last entry's bytes, or of no bytes.
    last: Digest,
}

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// What it says cannot be trusted, or not be read at all.
    #[error(transparent)]
    Unreadable(#[from] LedgerUnreadable),
    /// A newer program wrote it.
    #[error(
        "the ledger's `{file}` has format {version}, and this program reads up to {LEDGER_FORMAT}; \
         use the newer version of understudy that wrote it"
    )]
    Newer {
        /// The file.
        file: String,
        /// Its format.
        version: u32,
    },
    /// An entry could not be written; none was.
    #[error("the entry was not recorded in the ledger")]
    NotWritten(#[source] FileError),
    /// An entry stands in the ledger, and a power failure might still take it away.
    #[error("entry {number} is in the ledger, but the disk did not confirm it")]
    NotConfirmed {
        /// The entry's number.
        number: u64,
        /// The step that failed.
        source: FileError,
    },
    /// The object store that holds it does not give it, or did not take an entry.
    #[error("the ledger in the object store cannot be used")]
    Remote(#[from] RemoteError),
    /// Somebody else recorded something after it was read.
    #[error(
        "somebody else recorded something in the ledger meanwhile; nothing was moved: look again"
    )]
    Overtaken,
    /// Others were faster each time.
    #[error(
        "other processes took the next number in the ledger {MAX_APPEND_ATTEMPTS} times; try again"
    )]
    Contended,
}

/// A ledger that was changed, or that the disk does not give back.
#[derive(Debug, thiserror::Error)]
#[error("the ledger `{}` cannot be relied on: {}{}", folder.display(), faults[0], more(faults))]
pub struct LedgerUnreadable {
    /// Its folder.
    pub folder: PathBuf,
    /// What is wrong with it; never empty.
    pub faults: Vec<ChainFault>,
}

fn more(faults: &[ChainFault]) -> String {
    match faults.len() {
        1 => String::new(),
        count => format!(
            " (and {} more; `understudy audit verify` lists them)",
            count - 1
        ),
    }
}

/// The ledger of a store, wherever that is.
///
/// # Errors
/// As [`Ledger::open`], and whatever an object store says.
pub fn open(store: &Store) -> Result<Ledger, LedgerError> {
    match store.remote() {
        Some(url) => remote::open(&format!("{url}/ledger"), &store.ledger_dir()),
        None => Ledger::open(&store.ledger_dir()),
    }
}

/// Brings the copy of a ledger in an object store up to date.
///
/// # Errors
/// The object store does not give it.
pub fn bring(store: &Store) -> Result<(), LedgerError> {
    if let Some(url) = store.remote() {
        remote::settle(&format!("{url}/ledger"), &store.ledger_dir())?;
    }
    Ok(())
}

/// Records an event in the ledger of a store, wherever that is. When it returns, the entry is there for good.
///
/// # Errors
/// As [`Ledger::append`], and whatever an object store says.
pub fn append(store: &Store, event: &LedgerEvent, at: DateTime<Utc>) -> Result<(), LedgerError> {
    match store.remote() {
        Some(url) => remote::append(&format!("{url}/ledger"), &store.ledger_dir(), event, at),
        None => Ledger::open(&store.ledger_dir())?
            .append(event, at)
            .map(|_| ()),
    }
}

/// Records an event only if the ledger still has so many entries: what was decided on them still holds.
///
/// # Errors
/// [`LedgerError::Overtaken`] where somebody else was first; else as [`append`].
pub fn append_after(
    store: &Store,
    entries: u64,
    event: &LedgerEvent,
    at: DateTime<Utc>,
) -> Result<(), LedgerError> {
    match store.remote() {
        Some(url) => remote::append_after(
            &format!("{url}/ledger"),
            &store.ledger_dir(),
            entries,
            event,
            at,
        ),
        None => Ledger::open(&store.ledger_dir())?
            .append_after(entries, event, at)
            .map(|_| ()),
    }
}

/// Everything that is wrong with the ledger in a folder; empty if its chain is whole or nothing was recorded yet.
#[must_use]
pub fn verify(folder: &Path) -> Vec<ChainFault> {
    read_settled(folder).1
}

impl Ledger {
    /// Reads the ledger in a folder, all of it; one that is not there yet is empty.
    ///
    /// # Errors
    /// Any fault of the chain, or a newer format.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        let (files, faults) = read_settled(folder);
        refuse_newer(&faults)?;
        if !faults.is_empty() {
            return Err(LedgerUnreadable {
                folder: folder.to_owned(),
                faults,
            }
            .into());
        }
        let last = files.last_digest();
        Ok(Self {
            folder: folder.to_owned(),
            entries: files.into_entries(),
            last,
        })
    }

    /// The entries, from the first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The stages that follow from it.
    #[must_use]
    pub fn stages(&self) -> Stages {
        understudy_core::ledger::stages(&self.entries)
    }

    /// Reads it again, to see what others have recorded since.
    ///
    /// # Errors
    /// As [`Ledger::open`]; what was read before stays.
    pub fn refresh(&mut self) -> Result<(), LedgerError> {
        *self = Self::open(&self.folder)?;
        Ok(())
    }

    /// Records an event after whatever others may have recorded since, and gives its entry. When it returns, the
    /// entry is on the disk.
    ///
    /// # Errors
    /// The entry was not written, or not confirmed, or others were always faster, or the ledger is not whole.
    pub fn append(
        &mut self,
        event: &LedgerEvent,
        at: DateTime<Utc>,
    ) -> Result<&Entry, LedgerError> {
        durable::create_dirs(&self.folder).map_err(LedgerError::NotWritten)?;
        let lock = self.lock()?;
        for _ in 0..MAX_APPEND_ATTEMPTS {
            let entry = self.next_entry(event, at);
            match self.write(&entry, lock.as_ref())? {
                Written::Created => return Ok(self.push(entry)),
                Written::AlreadyExists => self.refresh()?,
            }
        }
        Err(LedgerError::Contended)
    }

    /// Records an event if there are so many entries and nobody adds one meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Overtaken`] where somebody else was first; else as [`Ledger::append`].
    pub fn append_after(
        &mut self,
        entries: u64,
        event: &LedgerEvent,
        at: DateTime<Utc>,
    ) -> Result<&Entry, LedgerError> {
        if self.entries.len() as u64 != entries {
            return Err(LedgerError::Overtaken);
        }
        durable::create_dirs(&self.folder).map_err(LedgerError::NotWritten)?;
        let lock = self.lock()?;
        let entry = self.next_entry(event, at);
        match self.write(&entry, lock.as_ref())? {
            Written::Created => Ok(self.push(entry)),
            Written::AlreadyExists => Err(LedgerError::Overtaken),
        }
    }

    /// The lock keeps the head and the temporaries in order. That no entry is lost does not rest on it: when
    /// somebody who holds it hangs, the append goes on without, and leaves head and temporaries to the next one.
    fn lock(&self) -> Result<Option<Lock>, LedgerError> {
        let lock = Lock::exclusive(&self.folder, LOCK_WAIT);
        lock.map_err(FileError::at(Step::Lock, &self.folder))
            .map_err(LedgerError::NotWritten)
    }

    fn next_entry(&self, event: &LedgerEvent, at: DateTime<Utc>) -> Entry {
        Entry {
            version: event.format(),
            number: self.entries.len() as u64 + 1,
            previous: self.last.clone(),
            at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
            event: event.clone(),
        }
    }

    fn push(&mut self, entry: Entry) -> &Entry {
        self.last = Digest::of_bytes(&entry.to_bytes());
        self.entries.push(entry);
        &self.entries[self.entries.len() - 1]
    }

    fn write(&self, entry: &Entry, lock: Option<&Lock>) -> Result<Written, LedgerError> {
        let bytes = entry.to_bytes();
        let path = self.folder.join(Entry::file_name(entry.number));
        let temporary = self
            .prepare(&path, &bytes)
            .map_err(LedgerError::NotWritten)?;
        let written = match durable::link_new(temporary.path(), &path) {
            // Whoever holds the lock has recorded an entry of this number, and tidied up.
            Err(error) if lock.is_none() && error.source.kind() == ErrorKind::NotFound => {
                Written::AlreadyExists
            }
            written => written.map_err(LedgerError::NotWritten)?,
        };
        if written == Written::Created {
            // It explains the entry until the head does.
            temporary.keep();
            let (number, digest) = (entry.number, Digest::of_bytes(&bytes));
            let confirmed = self.confirm(&path, &Head::new(number, digest), lock);
            confirmed.map_err(|source| LedgerError::NotConfirmed { number, source })?;
        }
        Ok(written)
    }

    fn prepare(&self, path: &Path, bytes: &[u8]) -> Result<Temporary, FileError> {
        if self.entries.is_empty() {
            // With the head written first, a head that is missing later was removed.
            let head = self.folder.join(Head::FILE_NAME);
            let _ = durable::write_new(&head, &Head::of_nothing().to_bytes())?;
        }
        fault_point("ledger.before-entry", path)?;
        let temporary = Temporary::write(path, bytes)?;
        fault_point("ledger.before-link", path)?;
        Ok(temporary)
    }

    fn confirm(&self, path: &Path, head: &Head, lock: Option<&Lock>) -> Result<(), FileError> {
        fault_point("ledger.after-link", path)?;
        durable::sync_folder(&self.folder)?;
        if lock.is_some() {
            fault_point("ledger.before-head", path)?;
            durable::replace(&self.folder.join(Head::FILE_NAME), &head.to_bytes())?;
            fault_point("ledger.after-head", path)?;
            files::remove_temporaries(&self.folder, head.number)?;
        }
        Ok(())
    }
}

fn fault_point(name: &str, path: &Path) -> Result<(), FileError> {
    fault::point(name).map_err(FileError::at(Step::Write, path))
}

fn refuse_newer(faults: &[ChainFault]) -> Result<(), LedgerError> {
    match faults {
        [ChainFault::Newer { file, version }, ..] => Err(LedgerError::Newer {
            file: file.clone(),
            version: *version,
        }),
        _ => Ok(()),
    }
}

/// What looks broken may be an append in progress; under the lock there is none.
fn read_settled(folder: &Path) -> (LedgerFiles, Vec<ChainFault>) {
    let read = || {
        let files = LedgerFiles::read(folder);
        let faults = chain::faults(&files);
        (files, faults)
    };
    let (files, faults) = read();
    if faults.is_empty() {
        return (files, faults);
    }
    let _lock = Lock::shared(folder, LOCK_WAIT);
    read()
}

#[cfg(test)]
mod tests;
