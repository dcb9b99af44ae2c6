//! A lock on a folder, which the system lets go of when its holder dies.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _folder: File,
}

impl Lock {
    /// The lock that excludes all others; `None` where others held on to it for the whole wait.
    pub(crate) fn exclusive(folder: &Path, wait: Duration) -> io::Result<Option<Self>> {
        Self::take(folder, wait, File::try_lock)
    }

    /// The lock that excludes only exclusive ones; `None` where one was held for the whole wait.
    pub(crate) fn shared(folder: &Path, wait: Duration) -> io::Result<Option<Self>> {
        Self::take(folder, wait, File::try_lock_shared)
    }

    fn take(
        folder: &Path,
        wait: Duration,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        let file = File::open(folder)?;
        let deadline = Instant::now() + wait;
        loop {
            match try_lock(&file) {
                Ok(()) => return Ok(Some(Self { _folder: file })),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(POLL),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WAIT: Duration = Duration::ZERO;

    #[test]
    fn an_exclusive_lock_excludes_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::exclusive(folder.path(), NO_WAIT).unwrap().unwrap();
        assert!(Lock::exclusive(folder.path(), NO_WAIT).unwrap().is_none());
        assert!(Lock::shared(folder.path(), NO_WAIT).unwrap().is_none());
        drop(held);
        let shared = Lock::shared(folder.path(), NO_WAIT).unwrap();
        assert!(shared.is_some() && Lock::shared(folder.path(), NO_WAIT).unwrap().is_some());
        assert!(Lock::exclusive(folder.path(), NO_WAIT).unwrap().is_none());
    }
}
