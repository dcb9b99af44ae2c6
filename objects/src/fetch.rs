//! Downloads exactly the object that was listed.

use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, GetRange, ObjectMeta};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::{Entry, Objects, PlaceError};

/// Why an object was not fetched. No file is left then.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The key cannot be one.
    #[error(transparent)]
    Key(#[from] PlaceError),
    /// There is no such object any more.
    #[error("`{0}` is gone since it was listed")]
    Gone(String),
    /// Another object stands there by now.
    #[error("`{0}` was changed since it was listed")]
    Changed(String),
    /// What came has another length than what was listed.
    #[error("`{url}` gave {got} bytes instead of {listed}")]
    Length {
        /// The object.
        url: String,
        /// What the listing says.
        listed: u64,
        /// What came.
        got: u64,
    },
    /// The store did not give it, after all repetitions.
    #[error("`{url}` could not be fetched")]
    Store {
        /// The object.
        url: String,
        /// What came back.
        source: Error,
    },
    /// The local file could not be written.
    #[error("`{path}` could not be written", path = path.display())]
    File {
        /// The local file.
        path: PathBuf,
        /// What the machine says.
        source: std::io::Error,
    },
}

impl Objects {
    /// Downloads an object to a new file, whole and synced to disk (the file; its folder is the caller's).
    ///
    /// # Errors
    ///
    /// [`FetchError::Changed`] and [`FetchError::Gone`] if it is not the one that was listed. After any error there
    /// is no file; one that was there before is left alone.
    pub async fn fetch(&self, entry: &Entry, to: &Path) -> Result<(), FetchError> {
        let key = self.path(&entry.key)?;
        let file = File::create_new(to).await.map_err(|e| file_error(to, e))?;
        let done = self.fetch_into(entry, &key, file, to).await;
        if done.is_err() {
            // Ours alone: it was created above.
            let _ = tokio::fs::remove_file(to).await;
        }
        done
    }

    async fn fetch_into(
        &self,
        entry: &Entry,
        key: &Key,
        mut file: File,
        to: &Path,
    ) -> Result<(), FetchError> {
        let mut got = 0;
        loop {
            let end = entry.bytes.min(got + self.limits().fetch_chunk_bytes);
            let came = self
                .fetch_chunk(entry, key, got..end, &mut file, to)
                .await?;
            let short = came != end - got;
            got += came;
            if short || got == entry.bytes {
                break;
            }
        }
        if got != entry.bytes {
            return Err(FetchError::Length {
                url: self.url(&entry.key),
                listed: entry.bytes,
                got,
            });
        }
        file.sync_all().await.map_err(|e| file_error(to, e))
    }

    async fn fetch_chunk(
        &self,
        entry: &Entry,
        key: &Key,
        range: std::ops::Range<u64>,
        file: &mut File,
        to: &Path,
    ) -> Result<u64, FetchError> {
        let failed = |source| self.fetch_failed(&entry.key, source);
        let result = self
            .reader()
            .get_opts(key, pinned(entry, range))
            .await
            .map_err(failed)?;
        if !is_the_listed_one(entry, &result.meta) {
            return Err(FetchError::Changed(self.url(&entry.key)));
        }
        let mut stream = result.into_stream();
        let mut came = 0;
        while let Some(bytes) = stream.try_next().await.map_err(failed)? {
            file.write_all(&bytes)
                .await
                .map_err(|e| file_error(to, e))?;
            came += bytes.len() as u64;
        }
        // A file of tokio's may have accepted bytes that it has not written; only a flush tells of their fate.
        file.flush().await.map_err(|e| file_error(to, e))?;
        Ok(came)
    }

    fn fetch_failed(&self, key: &str, source: Error) -> FetchError {
        let url = self.url(key);
        match source {
            Error::NotFound { .. } => FetchError::Gone(url),
            Error::Precondition { .. } => FetchError::Changed(url),
            source => FetchError::Store { url, source },
        }
    }
}

fn pinned(entry: &Entry, range: std::ops::Range<u64>) -> GetOptions {
    // A range of an empty object is an error, so a whole object is asked for without one.
    let whole = range.start == 0 && range.end == entry.bytes;
    GetOptions::new()
        .with_if_match(entry.e_tag.clone())
        .with_version(entry.version.clone())
        .with_range((!whole).then_some(GetRange::Bounded(range)))
}

/// Not every server heeds the condition, and an object without an e-tag has none: what came is looked at, too.
fn is_the_listed_one(entry: &Entry, came: &ObjectMeta) -> bool {
    match (&entry.e_tag, &came.e_tag) {
        (Some(listed), Some(came)) => listed == came,
        _ => entry.modified == came.last_modified && entry.bytes == came.size,
    }
}

fn file_error(path: &Path, source: std::io::Error) -> FetchError {
    FetchError::File {
        path: path.to_owned(),
        source,
    }
}
