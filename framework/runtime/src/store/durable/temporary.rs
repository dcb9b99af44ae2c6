//! Files that are being written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{FileError, Step};
use super::{create_new, parent, remove, sync_file};

/// How the name of every temporary file begins.
pub const TEMPORARY_PREFIX: &str = ".tmp-";

/// A synced temporary file beside the path that it is for; removed when dropped.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
}

impl Temporary {
    pub(crate) fn write(target: &Path, bytes: &[u8]) -> Result<Self, FileError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{TEMPORARY_PREFIX}{}-{count}-{name}", std::process::id());
        let path = parent(target).join(name);
        let mut file = Self::create(&path)?;
        let temporary = Self { path };
        file.write_all(bytes)
            .map_err(FileError::at(Step::Write, &temporary.path))?;
        sync_file(&file, &temporary.path)?;
        Ok(temporary)
    }

    /// A leftover of a dead process with the same number is nobody's.
    fn create(path: &Path) -> Result<File, FileError> {
        match create_new(path) {
            Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {
                remove(path)?;
                create_new(path)
            }
            result => result,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the file where it is, or where it was moved.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is hidden, and whoever writes here next removes it: nothing depends on this.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a file's name is that of a temporary.
#[must_use]
pub fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes()
        .starts_with(TEMPORARY_PREFIX.as_bytes())
}
