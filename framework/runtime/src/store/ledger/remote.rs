//! The ledger in an object store: the same files under the same names, and a copy of them on this machine.
//!
//! An entry is created where there is none, so that of all who append at once each gets a number of its own. Before
//! that its bytes are put under a hidden name, which explains an entry beyond the head; they stay there, because the
//! head is replaced without a lock and may fall behind. Reading brings the copy up to date first.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, Head, LedgerEvent};
use understudy_objects::{Objects, Stamp};

use super::{Ledger, LedgerError, MAX_APPEND_ATTEMPTS};
use crate::store::durable::TEMPORARY_PREFIX;
use crate::store::remote::{self, Created, RemoteError, at};

/// The longest file of a ledger.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// What was copied when: hidden, so that it is no entry.
const INDEX_FILE: &str = "copied.index";

/// What an object store called the content of each file that was copied.
type Index = BTreeMap<String, String>;

/// How often the ledger is looked at again where it looks broken, which may be an append in progress.
const LOOKS: u32 = 4;
/// How long to wait before each of them.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The ledger at a URL, once it is whole or has looked broken several times.
pub(super) fn open(url: &str, folder: &Path) -> Result<Ledger, LedgerError> {
    settle(url, folder)?;
    Ledger::open(folder)
}

/// Brings the copy up to date, and once more as long as it looks broken.
pub(super) fn settle(url: &str, folder: &Path) -> Result<(), LedgerError> {
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::sleep(LOOK_AGAIN_AFTER * look);
        }
        copy(url, folder)?;
        if super::verify(folder).is_empty() {
            break;
        }
    }
    Ok(())
}

/// Brings the copy in a folder up to date with the ledger at a URL.
fn copy(url: &str, folder: &Path) -> Result<(), RemoteError> {
    let unusable = |source| RemoteError::File {
        path: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(unusable)?;
    let index_path = folder.join(INDEX_FILE);
    let known: Index = fs::read(&index_path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let (index, files) = at(url, async |objects| changed(objects, folder, &known).await)?;
    let (before, now) = (entries_in(&known), entries_in(&index));
    if now < before {
        return Err(RemoteError::LedgerShrank {
            url: url.to_owned(),
            before,
            now,
            copies: folder.to_owned(),
        });
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).map_err(unusable)?;
    }
    for entry in fs::read_dir(folder).map_err(unusable)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != INDEX_FILE && !index.contains_key(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let json = serde_json::to_vec(&index).expect("texts have a JSON form");
    fs::write(index_path, json).map_err(unusable)
}

/// How many entries there are; nobody takes any away.
fn entries_in(index: &Index) -> usize {
    let is_entry = |name: &&String| name.starts_with(|first: char| first.is_ascii_digit());
    index.keys().filter(is_entry).count()
}

/// What is there, and the files that are not what was copied before. The head is read before anything is listed: what it
/// vouches for is then in the listing.
async fn changed(
    objects: &Objects,
    folder: &Path,
    known: &Index,
) -> Result<(Index, Vec<(String, Vec<u8>)>), RemoteError> {
    let (mut index, mut files) = (Index::new(), Vec::new());
    if let Some(head) = objects.read(Head::FILE_NAME, MAX_FILE_BYTES).await? {
        index.insert(Head::FILE_NAME.to_owned(), String::new());
        files.push((Head::FILE_NAME.to_owned(), head));
    }
    for entry in objects.list("").await? {
        if entry.key.contains('/') || entry.key == Head::FILE_NAME {
            continue;
        }
        let tag = format!("{} {:?} {}", entry.bytes, entry.e_tag, entry.modified);
        let same = known.get(&entry.key) == Some(&tag) && folder.join(&entry.key).is_file();
        if !same && let Some(bytes) = objects.read(&entry.key, MAX_FILE_BYTES).await? {
            files.push((entry.key.clone(), bytes));
        }
        index.insert(entry.key, tag);
    }
    Ok((index, files))
}

/// Records an event after whatever others may have recorded.
pub(super) fn append(
    url: &str,
    folder: &Path,
    event: &LedgerEvent,
    when: DateTime<Utc>,
) -> Result<(), LedgerError> {
    for _ in 0..MAX_APPEND_ATTEMPTS {
        let entry = open(url, folder)?.next_entry(event, when);
        if at(url, async |objects| write(objects, &entry).await)? == Created::Yes {
            // It is in the ledger: what can be wrong with the copy or the head by now, the next one who looks mends.
            let _ = mend_head(url, folder);
            return Ok(());
        }
    }
    Err(LedgerError::Contended)
}

/// Records an event if there are so many entries and nobody adds one meanwhile.
pub(super) fn append_after(
    url: &str,
    folder: &Path,
    entries: u64,
    event: &LedgerEvent,
    when: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let ledger = open(url, folder)?;
    if ledger.entries().len() as u64 != entries {
        return Err(LedgerError::Overtaken);
    }
    let entry = ledger.next_entry(event, when);
    match at(url, async |objects| write(objects, &entry).await)? {
        Created::Yes => {
            let _ = mend_head(url, folder);
            Ok(())
        }
        Created::No => Err(LedgerError::Overtaken),
    }
}

/// Two who replace the head at once may leave the older one: whoever appended looks once more.
fn mend_head(url: &str, folder: &Path) -> Result<(), LedgerError> {
    let ledger = open(url, folder)?;
    let last = ledger.entries().len() as u64;
    let head = Head::new(last, ledger.last.clone());
    Ok(at(url, async |objects| put_head(objects, head).await)?)
}

async fn write(objects: &Objects, entry: &Entry) -> Result<Created, RemoteError> {
    let bytes = entry.to_bytes();
    let digest = Digest::of_bytes(&bytes);
    let name = Entry::file_name(entry.number);
    let writer = remote::writer("ledger");
    let stamp = Stamp::new(&writer, digest.as_str())?;
    if entry.number == 1 {
        let head = Head::of_nothing().to_bytes();
        let stamp = Stamp::new(remote::writer("ledger"), Digest::of_bytes(&head).as_str())?;
        remote::create(objects, head, Head::FILE_NAME, &stamp).await?;
    }
    let explanation = format!("{TEMPORARY_PREFIX}{writer}-{name}");
    remote::replace(objects, bytes.clone(), &explanation, &stamp).await?;
    let created = remote::create(objects, bytes, &name, &stamp).await?;
    match created {
        Created::Yes => put_head(objects, Head::new(entry.number, digest)).await?,
        Created::No => objects.remove(&explanation).await?,
    }
    Ok(created)
}

/// The head names the entry, unless it names a later one already.
async fn put_head(objects: &Objects, head: Head) -> Result<(), RemoteError> {
    let there = objects.read(Head::FILE_NAME, MAX_FILE_BYTES).await?;
    let there = there.and_then(|bytes| serde_json::from_slice::<Head>(&bytes).ok());
    if there.is_some_and(|there| there.number >= head.number) {
        return Ok(());
    }
    let bytes = head.to_bytes();
    let stamp = Stamp::new(remote::writer("ledger"), Digest::of_bytes(&bytes).as_str())?;
    remote::replace(objects, bytes, Head::FILE_NAME, &stamp).await
}
