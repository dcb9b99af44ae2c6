//! What an answer to a write means, and what is read back when it means nothing.

use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path as Key;
use object_store::{Error, ObjectStore, PutMode, PutOptions, PutPayload, PutResult};

use crate::objects::stat_with;
use crate::{Objects, PlaceError, Stamp, Stat};

/// Why nothing was written: every variant means that the object is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The key cannot be one.
    #[error(transparent)]
    Key(#[from] PlaceError),
    /// The store refused, or was never reached.
    #[error("`{url}` was not written")]
    NotWritten {
        /// The object.
        url: String,
        /// What came back.
        source: Error,
    },
    /// The local file could not be read.
    #[error("`{path}` could not be read", path = path.display())]
    File {
        /// The local file.
        path: std::path::PathBuf,
        /// What the machine says.
        source: std::io::Error,
    },
    /// The local file changed its length while it was read.
    #[error("`{path}` changed while it was read", path = path.display())]
    FileChanged {
        /// The local file.
        path: std::path::PathBuf,
    },
}

/// The answer to one request that writes.
pub(crate) enum Answer {
    /// It is written.
    Done(PutResult),
    /// 409 or 412: the store says that the condition does not hold. It may be our own object that it sees.
    Taken(Error),
    /// The store understood, and did nothing.
    Refused(Error),
    /// No connection was made.
    NotSent(Error),
    /// Anything else: lost, late, or an error of the server.
    Unclear(Error),
}

impl Answer {
    pub(crate) fn of(result: Result<PutResult, Error>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(
                e @ (Error::AlreadyExists { .. }
                | Error::Precondition { .. }
                | Error::NotModified { .. }),
            ) => Self::Taken(e),
            // For a write, "not found" is said of the bucket.
            Err(
                e @ (Error::NotFound { .. }
                | Error::PermissionDenied { .. }
                | Error::Unauthenticated { .. }
                | Error::InvalidPath { .. }
                | Error::NotSupported { .. }
                | Error::NotImplemented { .. }
                | Error::UnknownConfigurationKey { .. }),
            ) => Self::Refused(e),
            Err(e) if never_connected(&e) => Self::NotSent(e),
            Err(e) => Self::Unclear(e),
        }
    }
}

/// What stands at a key, seen from one write.
pub(crate) enum Found {
    /// The object of this write.
    Ours(Stat),
    /// An object of another write.
    Theirs(Stat),
    /// An object without a stamp: another tool's, or a store that does not keep metadata.
    Unstamped(Stat),
    /// Nothing.
    Absent,
    /// The store could not be asked.
    Unreadable,
}

impl Found {
    pub(crate) fn of(stat: Result<Option<Stat>, Error>, stamp: &Stamp) -> Self {
        match stat {
            Err(_) => Self::Unreadable,
            Ok(None) => Self::Absent,
            Ok(Some(stat)) => match &stat.stamp {
                None => Self::Unstamped(stat),
                Some(found) if found.writer() == stamp.writer() => Self::Ours(stat),
                Some(_) => Self::Theirs(stat),
            },
        }
    }
}

impl Objects {
    /// One request that writes, and its answer.
    pub(crate) async fn send(
        &self,
        key: &Key,
        payload: PutPayload,
        mode: PutMode,
        stamp: &Stamp,
    ) -> Answer {
        let options = PutOptions {
            mode,
            attributes: stamp.attributes(),
            ..PutOptions::default()
        };
        Answer::of(self.writer().put_opts(key, payload, options).await)
    }

    /// Looks once: between two attempts there is no use in being patient.
    pub(crate) async fn look(&self, key: &Key, stamp: &Stamp) -> Found {
        self.look_with(self.writer(), key, stamp).await
    }

    /// Looks with patience: for the last word on a write.
    pub(crate) async fn look_patiently(&self, key: &Key, stamp: &Stamp) -> Found {
        self.look_with(self.reader(), key, stamp).await
    }

    async fn look_with(&self, client: &dyn ObjectStore, key: &Key, stamp: &Stamp) -> Found {
        Found::of(stat_with(client, key).await, stamp)
    }

    pub(crate) fn not_written(&self, key: &str, source: Error) -> WriteError {
        WriteError::NotWritten {
            url: self.url(key),
            source,
        }
    }
}

fn never_connected(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return http.kind() == HttpErrorKind::Connect;
        }
        cause = error.source();
    }
    false
}
