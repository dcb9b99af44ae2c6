//! Writes an object if there is none: the compare-and-swap that every store has.

use object_store::path::Path as Key;
use object_store::{Error, PutMode, PutPayload};

use crate::write::{Answer, Found};
use crate::{Objects, Stamp, WriteError};

/// What became of a creation.
#[derive(Debug)]
#[must_use = "there are three answers"]
pub enum Create {
    /// The object is ours.
    Created {
        /// What the store calls its content.
        e_tag: Option<String>,
    },
    /// Another one stands there, and ours never will.
    AlreadyExists,
    /// It may be there, or come yet. Ask again by the stamp's writer, and clean nothing up.
    Unknown {
        /// The last answer.
        cause: Error,
    },
}

impl Objects {
    /// Writes a small object where there is none. Of all that race for a key, one is told `Created`, provided that
    /// nobody replaces or removes what stands there.
    ///
    /// # Errors
    ///
    /// If nothing was written, and nothing of ours can come yet.
    pub async fn create(
        &self,
        key: &str,
        bytes: Vec<u8>,
        stamp: &Stamp,
    ) -> Result<Create, WriteError> {
        let path = self.path(key)?;
        let payload = PutPayload::from(bytes);
        let mut open: Option<Error> = None;
        let mut unsent: Option<Error> = None;
        for attempt in 0..self.limits().write_attempts.max(1) {
            tokio::time::sleep(self.limits().pause_before(attempt)).await;
            let cause = match self
                .send(&path, payload.clone(), PutMode::Create, stamp)
                .await
            {
                Answer::Done(done) => return Ok(Create::Created { e_tag: done.e_tag }),
                Answer::NotSent(error) => {
                    unsent = Some(error);
                    continue;
                }
                Answer::Refused(error) if open.is_none() => {
                    return Err(self.not_written(key, error));
                }
                Answer::Refused(error) => {
                    open = Some(error);
                    break;
                }
                Answer::Taken(error) | Answer::Unclear(error) => error,
            };
            let found = self.look(&path, stamp).await;
            if let Some(create) = settled(found, open.is_none() && is_refusal(&cause)) {
                return Ok(create);
            }
            open = Some(cause);
        }
        match (open, unsent) {
            (Some(cause), _) => Ok(self.last_word(&path, stamp, cause).await),
            (None, Some(source)) => Err(self.not_written(key, source)),
            (None, None) => {
                unreachable!("at least one attempt is made, and it leaves one of the two")
            }
        }
    }

    async fn last_word(&self, path: &Key, stamp: &Stamp, cause: Error) -> Create {
        settled(self.look_patiently(path, stamp).await, false).unwrap_or(Create::Unknown { cause })
    }
}

/// What an object that is there says of a creation; none, if it says nothing.
///
/// An object without a stamp may be ours if the store keeps no metadata. It is another's for certain only if the
/// first answer of all was that the key is taken.
fn settled(found: Found, refused_at_once: bool) -> Option<Create> {
    match found {
        Found::Ours(stat) => Some(Create::Created { e_tag: stat.e_tag }),
        Found::Theirs(_) => Some(Create::AlreadyExists),
        Found::Unstamped(_) if refused_at_once => Some(Create::AlreadyExists),
        Found::Unstamped(_) | Found::Absent | Found::Unreadable => None,
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. }
    )
}
