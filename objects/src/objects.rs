//! The objects of one place: what reads, and what removes. Writing is in `put` and `create`, fetching in `fetch`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, GetResult, ObjectStore, ObjectStoreExt};

use crate::stores::Clients;
use crate::{Entry, Limits, MAX_LISTED, Place, PlaceError, Stat};

/// How often a listing is begun whose answer breaks off or cannot be understood.
const LISTINGS: u32 = 4;
/// How long to wait before the second time; before later ones, longer.
const LIST_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A listing that failed after this long is not begun again.
const LIST_NOT_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The objects below one place. Every key is relative to it.
#[derive(Debug, Clone)]
pub struct Objects {
    place: Place,
    clients: Arc<Clients>,
    limits: Arc<Limits>,
}

/// Why something could not be read, listed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The key cannot be one.
    #[error(transparent)]
    Key(#[from] PlaceError),
    /// The store did not do it, after all repetitions.
    #[error("`{url}` could not be {done}")]
    Store {
        /// What was asked for.
        url: String,
        /// What was to be done with it.
        done: &'static str,
        /// What came back.
        source: Error,
    },
    /// There are more objects than a listing may have.
    #[error("more than {MAX_LISTED} objects below `{url}`")]
    TooMany {
        /// What was listed.
        url: String,
    },
    /// The object is larger than the caller allows.
    #[error("`{url}` has {bytes} bytes, more than the {max_bytes} that are allowed")]
    TooLarge {
        /// The object.
        url: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
}

impl Objects {
    /// All objects below a folder (`""`: the place itself), sorted by key. Hidden names are among them.
    ///
    /// # Errors
    ///
    /// If the listing cannot be completed, or is too long: part of a listing is never given.
    pub async fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let prefix = self.folder(folder)?;
        let begun = Instant::now();
        let mut tried = 1;
        let mut entries = loop {
            match self.list_once(prefix.as_ref()).await {
                Ok(Some(entries)) => break entries,
                Ok(None) => {
                    return Err(ReadError::TooMany {
                        url: self.url(folder),
                    });
                }
                // The client repeats requests, and not answers that break off.
                Err(Error::Generic { .. }) if may_repeat(tried, begun) => {
                    tokio::time::sleep(LIST_AGAIN_AFTER * tried).await;
                    tried += 1;
                }
                Err(error) => return Err(self.failed(folder, "listed", error)),
            }
        };
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(without_folder_marks(entries))
    }

    /// All objects below a key, in the store's order; `None` where they are too many.
    async fn list_once(&self, prefix: Option<&Key>) -> Result<Option<Vec<Entry>>, Error> {
        let mut found = self.reader().list(prefix);
        let mut entries = Vec::new();
        while let Some(meta) = found.try_next().await? {
            if entries.len() == MAX_LISTED {
                return Ok(None);
            }
            if let Some(key) = self.relative(&meta.location) {
                entries.push(Entry::new(key, meta));
            }
        }
        Ok(Some(entries))
    }

    /// The names of the folders right below a folder, sorted.
    ///
    /// # Errors
    ///
    /// If the listing cannot be completed.
    pub async fn list_folders(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let prefix = self.folder(folder)?;
        let begun = Instant::now();
        let mut tried = 1;
        let found = loop {
            match self.reader().list_with_delimiter(prefix.as_ref()).await {
                Err(Error::Generic { .. }) if may_repeat(tried, begun) => {
                    tokio::time::sleep(LIST_AGAIN_AFTER * tried).await;
                    tried += 1;
                }
                found => break found.map_err(|e| self.failed(folder, "listed", e))?,
            }
        };
        let name = |key: &Key| {
            key.as_ref()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let mut names: Vec<String> = found.common_prefixes.iter().map(name).collect();
        names.sort();
        Ok(names)
    }

    /// What stands at a key, if anything does.
    ///
    /// # Errors
    ///
    /// If the store cannot be asked. Absent is no error.
    pub async fn stat(&self, key: &str) -> Result<Option<Stat>, ReadError> {
        let path = self.path(key)?;
        stat_with(self.reader(), &path)
            .await
            .map_err(|e| self.failed(key, "looked at", e))
    }

    /// The content of a small object, if there is one.
    ///
    /// # Errors
    ///
    /// If it is larger than `max_bytes`, or cannot be read.
    pub async fn read(&self, key: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let path = self.path(key)?;
        let failed = |e| self.failed(key, "read", e);
        let Some(result) = found(self.reader().get(&path).await).map_err(failed)? else {
            return Ok(None);
        };
        let bytes = result.meta.size;
        if bytes > max_bytes {
            return Err(ReadError::TooLarge {
                url: self.url(key),
                bytes,
                max_bytes,
            });
        }
        Ok(Some(result.bytes().await.map_err(failed)?.to_vec()))
    }

    /// Removes an object. That it is absent already is fine.
    ///
    /// # Errors
    ///
    /// If the store does not do it.
    pub async fn remove(&self, key: &str) -> Result<(), ReadError> {
        let path = self.path(key)?;
        found(self.reader().delete(&path).await)
            .map_err(|e| self.failed(key, "removed", e))
            .map(|_| ())
    }

    /// The place that keys are relative to.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The client that reads the bucket, for libraries that do so themselves. It knows keys from the bucket's root, and
    /// repeats what failed.
    pub fn bucket_reader(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.clients.patient)
    }

    /// The URL of a key, for messages.
    pub fn url(&self, key: &str) -> String {
        format!("{}{key}", self.place)
    }

    pub(crate) fn new(place: Place, clients: Arc<Clients>, limits: Arc<Limits>) -> Self {
        Self {
            place,
            clients,
            limits,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The client for reads: it repeats.
    pub(crate) fn reader(&self) -> &dyn ObjectStore {
        self.clients.patient.as_ref()
    }

    /// The client for writes: it sends once.
    pub(crate) fn writer(&self) -> &dyn ObjectStore {
        self.clients.once.as_ref()
    }

    pub(crate) fn path(&self, key: &str) -> Result<Key, PlaceError> {
        let bad = || PlaceError::BadKey(key.to_owned());
        if key.is_empty() {
            return Err(bad());
        }
        Key::parse(self.place.full_key(key)?).map_err(|_| bad())
    }

    fn folder(&self, folder: &str) -> Result<Option<Key>, PlaceError> {
        let full = self
            .place
            .full_key(folder.strip_suffix('/').unwrap_or(folder))?;
        if full.is_empty() {
            return Ok(None);
        }
        Key::parse(&full)
            .map(Some)
            .map_err(|_| PlaceError::BadKey(folder.to_owned()))
    }

    /// The key below this place; none for the empty object that some tools leave for the folder itself.
    fn relative(&self, location: &Key) -> Option<String> {
        match self.place.prefix() {
            "" => Some(location.as_ref().to_owned()),
            prefix => location
                .as_ref()
                .strip_prefix(prefix)?
                .strip_prefix('/')
                .map(str::to_owned),
        }
    }

    fn failed(&self, key: &str, done: &'static str, source: Error) -> ReadError {
        ReadError::Store {
            url: self.url(key),
            done,
            source,
        }
    }
}

/// What took so long has been repeated by the client already.
fn may_repeat(tried: u32, begun: Instant) -> bool {
    tried < LISTINGS && begun.elapsed() < LIST_NOT_AGAIN_AFTER
}

/// Some tools leave an empty object `a/` for a folder. It arrives here as `a`, of which nothing could be fetched.
fn without_folder_marks(mut entries: Vec<Entry>) -> Vec<Entry> {
    let folders: HashSet<String> = entries
        .iter()
        .flat_map(|entry| folders_of(&entry.key))
        .collect();
    entries.retain(|entry| entry.bytes > 0 || !folders.contains(&entry.key));
    entries
}

fn folders_of(key: &str) -> impl Iterator<Item = String> {
    key.match_indices('/').map(|(at, _)| key[..at].to_owned())
}

/// What stands at a key, asked with this client.
pub(crate) async fn stat_with(client: &dyn ObjectStore, path: &Key) -> Result<Option<Stat>, Error> {
    let result: Option<GetResult> = found(
        client
            .get_opts(path, GetOptions::new().with_head(true))
            .await,
    )?;
    Ok(result.as_ref().map(Stat::new))
}

fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
