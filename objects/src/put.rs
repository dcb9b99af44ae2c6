//! Writes a file or some bytes over whatever is there, visible at once and whole.

use std::path::Path;

use futures::future::try_join_all;
use object_store::path::Path as Key;
use object_store::{Error, MultipartUpload, PutMode, PutMultipartOptions, PutPayload};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::objects::stat_with;
use crate::write::{Answer, Found};
use crate::{Objects, PARTS_AT_ONCE, Stamp, Stat, WriteError};

/// What became of a write.
#[derive(Debug)]
#[must_use = "a write may be unknown"]
pub enum Put {
    /// The object is ours.
    Done {
        /// What the store calls its content.
        e_tag: Option<String>,
    },
    /// It may be written, or come yet. Ask again by the stamp's writer, and clean nothing up.
    Unknown {
        /// The last answer.
        cause: Error,
    },
}

impl Objects {
    /// Writes a file: with one PUT up to [`ONE_PUT_MAX_BYTES`](crate::ONE_PUT_MAX_BYTES), else with one upload in
    /// parts, of which nothing is to be seen until it is completed.
    ///
    /// # Errors
    ///
    /// If nothing was written, and nothing of ours can come yet.
    pub async fn put_file(&self, file: &Path, key: &str, stamp: &Stamp) -> Result<Put, WriteError> {
        let path = self.path(key)?;
        let failed = |source| WriteError::File {
            path: file.to_owned(),
            source,
        };
        let mut source = File::open(file).await.map_err(failed)?;
        let bytes = source.metadata().await.map_err(failed)?.len();
        if bytes > self.limits().one_put_max_bytes {
            return self.put_parts(file, source, bytes, key, &path, stamp).await;
        }
        let content = read_exactly(&mut source, bytes, file).await?;
        ends_here(&mut source, file).await?;
        self.put_once(key, &path, content.into(), stamp).await
    }

    /// Writes bytes over whatever is there, with one PUT.
    ///
    /// # Errors
    ///
    /// If nothing was written, and nothing of ours can come yet.
    pub async fn replace(
        &self,
        key: &str,
        bytes: Vec<u8>,
        stamp: &Stamp,
    ) -> Result<Put, WriteError> {
        let path = self.path(key)?;
        self.put_once(key, &path, bytes.into(), stamp).await
    }

    async fn put_once(
        &self,
        key: &str,
        path: &Key,
        payload: PutPayload,
        stamp: &Stamp,
    ) -> Result<Put, WriteError> {
        let before = stat_with(self.reader(), path)
            .await
            .map_err(|e| self.not_written(key, e))?;
        let mut open: Option<Error> = None;
        let mut unsent: Option<Error> = None;
        for attempt in 0..self.limits().write_attempts.max(1) {
            tokio::time::sleep(self.limits().pause_before(attempt)).await;
            match self
                .send(path, payload.clone(), PutMode::Overwrite, stamp)
                .await
            {
                Answer::Done(done) => return Ok(Put::Done { e_tag: done.e_tag }),
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
                Answer::Taken(error) | Answer::Unclear(error) => open = Some(error),
            }
            match self.look_patiently(path, stamp).await {
                Found::Ours(stat) => return Ok(Put::Done { e_tag: stat.e_tag }),
                found if is_as_before(&found, before.as_ref()) => {}
                // Somebody else wrote meanwhile, or nobody knows: sending again could put the older over the newer.
                _ => break,
            }
        }
        match (open, unsent) {
            (Some(cause), _) => Ok(self.ours_or_unknown(path, stamp, cause).await),
            (None, Some(source)) => Err(self.not_written(key, source)),
            (None, None) => {
                unreachable!("at least one attempt is made, and it leaves one of the two")
            }
        }
    }

    async fn put_parts(
        &self,
        file: &Path,
        mut source: File,
        bytes: u64,
        key: &str,
        path: &Key,
        stamp: &Stamp,
    ) -> Result<Put, WriteError> {
        let options = PutMultipartOptions {
            attributes: stamp.attributes(),
            ..PutMultipartOptions::default()
        };
        let upload = self.reader().put_multipart_opts(path, options).await;
        let mut upload = upload.map_err(|e| self.not_written(key, e))?;
        if let Err(error) = self
            .send_parts(file, &mut source, bytes, key, upload.as_mut())
            .await
        {
            // Nothing is unknown here: an upload that was never completed is never seen. Its parts cost money.
            let _ = upload.abort().await;
            return Err(error);
        }
        match upload.complete().await {
            Ok(done) => Ok(Put::Done { e_tag: done.e_tag }),
            // Any error, even a clear one, may be the answer to a repetition of what was done the first time.
            Err(cause) => Ok(self.ours_or_unknown(path, stamp, cause).await),
        }
    }

    async fn send_parts(
        &self,
        file: &Path,
        source: &mut File,
        bytes: u64,
        key: &str,
        upload: &mut dyn MultipartUpload,
    ) -> Result<(), WriteError> {
        let part = self.limits().part_bytes_for(bytes);
        let mut left = bytes;
        while left > 0 {
            let mut parts = Vec::with_capacity(PARTS_AT_ONCE);
            while left > 0 && parts.len() < PARTS_AT_ONCE {
                let content = read_exactly(source, part.min(left), file).await?;
                left -= content.len() as u64;
                parts.push(upload.put_part(content.into()));
            }
            try_join_all(parts)
                .await
                .map_err(|e| self.not_written(key, e))?;
        }
        ends_here(source, file).await
    }

    async fn ours_or_unknown(&self, path: &Key, stamp: &Stamp, cause: Error) -> Put {
        match self.look_patiently(path, stamp).await {
            Found::Ours(stat) => Put::Done { e_tag: stat.e_tag },
            _ => Put::Unknown { cause },
        }
    }
}

fn is_as_before(found: &Found, before: Option<&Stat>) -> bool {
    match found {
        Found::Ours(stat) | Found::Theirs(stat) | Found::Unstamped(stat) => before == Some(stat),
        Found::Absent => before.is_none(),
        Found::Unreadable => false,
    }
}

async fn read_exactly(source: &mut File, bytes: u64, file: &Path) -> Result<Vec<u8>, WriteError> {
    let mut content = Vec::new();
    let read = source.take(bytes).read_to_end(&mut content).await;
    let read = read.map_err(|source| WriteError::File {
        path: file.to_owned(),
        source,
    })?;
    if read as u64 != bytes {
        return Err(WriteError::FileChanged {
            path: file.to_owned(),
        });
    }
    Ok(content)
}

async fn ends_here(source: &mut File, file: &Path) -> Result<(), WriteError> {
    let read = source
        .read(&mut [0])
        .await
        .map_err(|source| WriteError::File {
            path: file.to_owned(),
            source,
        })?;
    if read == 0 {
        Ok(())
    } else {
        Err(WriteError::FileChanged {
            path: file.to_owned(),
        })
    }
}
