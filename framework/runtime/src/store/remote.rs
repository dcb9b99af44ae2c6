//! Object stores, for code that waits for each answer.
//!
//! Each call has a thread and an asynchronous runtime of its own for as long as it takes. It is used where nothing else
//! is going on: before workers are started and after they have ended.

use std::path::{Path, PathBuf};

use understudy_objects::{
    Create, FetchError, Limits, Objects, OpenError, Place, PlaceError, Put, ReadError, Stamp,
    StampError, Stores, WriteError,
};

/// Something that an object store did not do.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The location is none.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// There are no credentials, or none that make sense.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A name of a writer that cannot be one.
    #[error(transparent)]
    Stamp(#[from] StampError),
    /// Nobody knows whether it was written.
    #[error("whether `{url}` was written is not known: the store's answer was lost")]
    Unknown {
        /// The object.
        url: String,
    },
    /// The machine.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There are fewer entries than there were.
    #[error(
        "the ledger at `{url}` has {now} entries and had {before}: somebody removed some. If that was meant, remove the \
         copies in `{}`", copies.display()
    )]
    LedgerShrank {
        /// The ledger.
        url: String,
        /// How many there were.
        before: usize,
        /// How many there are.
        now: usize,
        /// The copies on this machine.
        copies: PathBuf,
    },
    /// A glob in an object store.
    #[error("`{0}` is a glob, which object stores do not have: name a folder or an object")]
    Glob(String),
    /// A thread or its runtime.
    #[error("no thread could be started to ask an object store")]
    Thread,
}

/// Whether a location is in an object store.
#[must_use]
pub fn is_remote(location: &str) -> bool {
    location.contains("://")
}

/// Does something with the objects of a place, and waits for it.
///
/// # Errors
/// The place cannot be opened, or what was done failed.
pub(crate) fn at<T: Send>(
    location: &str,
    work: impl AsyncFnOnce(&Objects) -> Result<T, RemoteError> + Send,
) -> Result<T, RemoteError> {
    let place = Place::parse(location)?;
    let wait = || -> Result<T, RemoteError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|_| RemoteError::Thread)?;
        runtime.block_on(async {
            let stores = Stores::new(std::env::vars(), Limits::default());
            work(&stores.open(&place).await?).await
        })
    };
    std::thread::scope(|scope| scope.spawn(wait).join().unwrap_or(Err(RemoteError::Thread)))
}

/// Writes a file over whatever is there, and makes sure of it.
pub(crate) async fn put(
    objects: &Objects,
    file: &Path,
    key: &str,
    stamp: &Stamp,
) -> Result<(), RemoteError> {
    match objects.put_file(file, key, stamp).await? {
        Put::Done { .. } => Ok(()),
        Put::Unknown { .. } => Err(RemoteError::Unknown {
            url: objects.url(key),
        }),
    }
}

/// Writes bytes over whatever is there, and makes sure of it.
pub(crate) async fn replace(
    objects: &Objects,
    bytes: Vec<u8>,
    key: &str,
    stamp: &Stamp,
) -> Result<(), RemoteError> {
    match objects.replace(key, bytes, stamp).await? {
        Put::Done { .. } => Ok(()),
        Put::Unknown { .. } => Err(RemoteError::Unknown {
            url: objects.url(key),
        }),
    }
}

/// Whether a small object was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Created {
    Yes,
    /// Another one was there.
    No,
}

/// Creates a small object where there is none.
pub(crate) async fn create(
    objects: &Objects,
    bytes: Vec<u8>,
    key: &str,
    stamp: &Stamp,
) -> Result<Created, RemoteError> {
    match objects.create(key, bytes, stamp).await? {
        Create::Created { .. } => Ok(Created::Yes),
        Create::AlreadyExists => Ok(Created::No),
        Create::Unknown { .. } => Err(RemoteError::Unknown {
            url: objects.url(key),
        }),
    }
}

/// A name for one writer that nobody else has.
pub(crate) fn writer(what: &str) -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    let random = || RandomState::new().build_hasher().finish();
    format!(
        "{what}-{}-{:016x}{:016x}",
        std::process::id(),
        random(),
        random()
    )
}
