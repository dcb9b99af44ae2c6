//! Pinning what a program left in a folder of its own: files that it made there, and no way to others.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use understudy_core::snapshot::DatasetSnapshot;
use understudy_sabotage::Sabotage;

use super::{PinError, listing, pin, stat_of, stat_of_pinned};
use crate::file::open_beneath;

/// Pins the table in a folder that is a program's output. A link, a pipe, or another name of a file that is elsewhere
/// as well would make what it leads to part of the output: it is refused.
///
/// # Errors
/// Those of [`pin`], and a file that the program did not make there.
pub fn pin_own(name: &str, folder: &Path) -> Result<DatasetSnapshot, PinError> {
    // Before anything of them is read.
    for found in listing::files(name, "", folder)? {
        own(folder, &found.path)?;
    }
    let snapshot = pin(name, "", folder)?;
    require_own(&snapshot, folder)?;
    Ok(snapshot)
}

/// Looks once more after everything was read: what a program's last process may have put in a file's place meanwhile
/// was read instead. A file that is moved away and back shows that by the time of its last change.
///
/// # Errors
/// A file that is not exactly what was pinned, or not made there.
pub fn require_own(snapshot: &DatasetSnapshot, folder: &Path) -> Result<(), PinError> {
    for pinned in &snapshot.files {
        let file = own(folder, &pinned.path)?;
        let found = file
            .metadata()
            .map_err(|error| not_own(&pinned.path, error.to_string()))?;
        if stat_of(&found) != stat_of_pinned(pinned) {
            return Err(not_own(&pinned.path, "it was changed while it was read"));
        }
    }
    Ok(())
}

/// Looks whether the files of a folder that somebody else wrote lie beneath it: a link in it would lead elsewhere. The
/// folder itself may be reached over links; a single file, or a glob, is what its user named.
///
/// # Errors
/// A file behind a link.
pub fn require_beneath(snapshot: &DatasetSnapshot, base: &Path) -> Result<(), PinError> {
    let location: PathBuf = listing::normal(Path::new(&snapshot.location));
    let folder = base.join(&location);
    if !folder.is_dir() || Sabotage::LinkedOutputs.is_on() {
        return Ok(());
    }
    for file in &snapshot.files {
        if let Ok(path) = Path::new(&file.path).strip_prefix(&location) {
            open_beneath(&folder, path).map_err(|error| not_own(&file.path, error.to_string()))?;
        }
    }
    Ok(())
}

fn own(folder: &Path, path: &str) -> Result<File, PinError> {
    if Sabotage::LinkedOutputs.is_on() {
        return File::open(folder.join(path)).map_err(|error| not_own(path, error.to_string()));
    }
    let file =
        open_beneath(folder, Path::new(path)).map_err(|error| not_own(path, error.to_string()))?;
    let found = file
        .metadata()
        .map_err(|error| not_own(path, error.to_string()))?;
    if found.nlink() > 1 {
        return Err(not_own(
            path,
            "it is a hard link, another name of a file that is elsewhere as well",
        ));
    }
    Ok(file)
}

fn not_own(file: &str, reason: impl Into<String>) -> PinError {
    PinError::NotOwn {
        file: file.to_owned(),
        reason: reason.into(),
    }
}
