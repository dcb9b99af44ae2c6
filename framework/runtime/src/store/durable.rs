//! Writing files that are there as a whole or not at all, and still there after the power failed.
//!
//! Every write goes to a temporary file in the same folder, is synced, and gets its name in one step; then the
//! folder is synced, for a name is data of its folder. Temporaries are hidden files that start with
//! [`TEMPORARY_PREFIX`]: readers skip them, and whoever finds one that nobody is writing may remove it.

mod error;
mod temporary;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use sha2::{Digest as _, Sha256};
use understudy_core::digest::Digest;
use understudy_sabotage::Sabotage;

pub use self::error::{FileError, Step};
pub(crate) use self::temporary::Temporary;
pub use self::temporary::{TEMPORARY_PREFIX, is_temporary};
use crate::store::fault;

const COPY_BUFFER_BYTES: usize = 1 << 20;

/// Whether a create-exclusive write took place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Written {
    /// The file is new, and holds what was given.
    Created,
    /// There was one already; it was left alone.
    AlreadyExists,
}

/// Writes a file that must not be there yet. It is never seen half-written.
///
/// # Errors
/// Any step that fails; the file may be there if only the last sync failed. That it was there before is none.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<Written, FileError> {
    let temporary = Temporary::write(path, bytes)?;
    let written = link_new(temporary.path(), path)?;
    drop(temporary);
    sync_folder(parent(path))?;
    Ok(written)
}

/// Writes a file over the one that may be there: others read the whole old or the whole new one.
///
/// # Errors
/// Any step that fails; the old file is still there unless only the last sync failed.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = Temporary::write(path, bytes)?;
    fault::point("durable.before-rename").map_err(FileError::at(Step::Name, path))?;
    put_synced(temporary.path(), path)?;
    temporary.keep();
    Ok(())
}

/// Moves a finished file of the same folder over the one that may be there, after syncing it.
///
/// # Errors
/// Any step that fails; the old file is still there unless only the last sync failed.
pub fn put_file(temporary: &Path, path: &Path) -> Result<(), FileError> {
    let file = File::open(temporary).map_err(FileError::at(Step::Read, temporary))?;
    sync_file(&file, temporary)?;
    put_synced(temporary, path)
}

/// Creates a folder and all that it lies in, and syncs every folder that got a new entry.
/// Gives the created ones, outermost first.
///
/// # Errors
/// The folder that could not be created, or the file that stands in the way.
pub fn create_dirs(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let missing = missing_dirs(path);
    for folder in &missing {
        match fs::create_dir(folder) {
            // Somebody else may be just as far; whether the entry is on the disk is then unknown as well.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            result => result.map_err(FileError::at(Step::CreateFolder, folder))?,
        }
        sync_folder(parent(folder))?;
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(missing),
        Ok(_) => Err(FileError::at(Step::CreateFolder, path)(
            io::ErrorKind::NotADirectory.into(),
        )),
        Err(source) => Err(FileError::at(Step::CreateFolder, path)(source)),
    }
}

/// The first part of a path below a folder that is a symbolic link: whatever is written or removed there would be
/// wherever that leads to. The folder itself may be reached over links.
#[must_use]
pub fn linked_part(root: &Path, path: &Path) -> Option<PathBuf> {
    let below = |part: &&Path| part.starts_with(root) && **part != *root;
    let linked = path.ancestors().take_while(below);
    linked
        .filter(|part| part.is_symlink())
        .last()
        .filter(|_| !Sabotage::LinkedTargets.is_on())
        .map(Path::to_owned)
}

/// Empties a folder below another one, or makes it where it is missing, without following a link on the way.
///
/// # Errors
/// A link is on the way, or the file system refuses.
pub(crate) fn clear_dir(root: &Path, folder: &Path) -> io::Result<()> {
    if let Some(part) = linked_part(root, folder) {
        let text = format!(
            "`{}` is a symbolic link, and none is followed in the store",
            part.display()
        );
        return Err(io::Error::other(text));
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(folder)
}

/// The folders that [`create_dirs`] would create, outermost first.
#[must_use]
pub fn missing_dirs(path: &Path) -> Vec<PathBuf> {
    let there = |folder: &Path| folder.as_os_str().is_empty() || folder.symlink_metadata().is_ok();
    let mut missing: Vec<_> = path
        .ancestors()
        .take_while(|folder| !there(folder))
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
}

/// Copies a file to a path where none is, synced, and gives the digest and the length of what was written.
/// The folder is not synced.
///
/// # Errors
/// Any step that fails; the copy may be there in part.
pub fn copy_new(source: &Path, path: &Path) -> Result<(Digest, u64), FileError> {
    // Whoever could put a link in the place of an output would have anything published.
    let mut from = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(source)
        .map_err(FileError::at(Step::Read, source))?;
    let mut to = create_new(path)?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    each_block(&mut from, source, |block| {
        hash.update(block);
        bytes += block.len() as u64;
        to.write_all(block)
            .map_err(FileError::at(Step::Write, path))
    })?;
    sync_file(&to, path)?;
    Ok((Digest::from_hash(&hash.finalize()), bytes))
}

/// The digest of a file's bytes.
///
/// # Errors
/// The file cannot be read.
pub fn digest_of_file(path: &Path) -> Result<Digest, FileError> {
    let mut file = File::open(path).map_err(FileError::at(Step::Read, path))?;
    let mut hash = Sha256::new();
    each_block(&mut file, path, |block| {
        hash.update(block);
        Ok(())
    })?;
    Ok(Digest::from_hash(&hash.finalize()))
}

/// Removes a file; one that is not there is as good as removed. The folder is not synced.
///
/// # Errors
/// The file is still there.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if is_absent(&error) => Ok(()),
        result => result.map_err(FileError::at(Step::Remove, path)),
    }
}

/// Whether an error says that there is no such file.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Removes the temporaries of a folder whose names end so, as [`replace`] and [`write_new`] leave them behind when
/// they are killed; only for who knows that nobody is writing there. A folder that is not there has none.
pub(crate) fn remove_temporaries(folder: &Path, end: &str) -> Result<(), FileError> {
    for path in list(folder)? {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if is_temporary(&path) && name.ends_with(end.as_bytes()) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// The paths in a folder, in the order of their names; none where the folder is not there.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(FileError::at(Step::Read, folder))?,
    };
    let paths = listing
        .map(|item| item.map(|item| item.path()))
        .collect::<io::Result<Vec<_>>>();
    let mut paths = paths.map_err(FileError::at(Step::Read, folder))?;
    paths.sort();
    Ok(paths)
}

/// Gives a file a second name that must not be there yet: create-exclusive and atomic in one.
/// The folder is not synced.
pub(crate) fn link_new(temporary: &Path, path: &Path) -> Result<Written, FileError> {
    trace("link", path);
    match fs::hard_link(temporary, path) {
        Ok(()) => Ok(Written::Created),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::AlreadyExists),
        Err(error) => Err(FileError::at(Step::Name, path)(error)),
    }
}

/// Has the disk confirm a folder's entries.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    trace("sync folder", folder);
    let open = File::open(folder).and_then(|file| file.sync_all());
    open.map_err(FileError::at(Step::Sync, folder))
}

/// The folder that a path lies in, in a form that can be opened.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) => Path::new("."),
        None => path,
    }
}

fn put_synced(temporary: &Path, path: &Path) -> Result<(), FileError> {
    rename(temporary, path)?;
    sync_folder(parent(path))
}

/// Renames without syncing the folder.
pub(crate) fn rename(temporary: &Path, path: &Path) -> Result<(), FileError> {
    trace("rename", path);
    fs::rename(temporary, path).map_err(FileError::at(Step::Name, path))
}

fn create_new(path: &Path) -> Result<File, FileError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(FileError::at(Step::Write, path))
}

fn sync_file(file: &File, path: &Path) -> Result<(), FileError> {
    trace("sync file", path);
    file.sync_all().map_err(FileError::at(Step::Sync, path))
}

fn each_block(
    file: &mut File,
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let mut buffer = vec![0; COPY_BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FileError::at(Step::Read, path)(error)),
        }
    }
}

#[cfg(not(test))]
fn trace(_step: &str, _path: &Path) {}

#[cfg(test)]
use tests::trace;

#[cfg(test)]
pub(crate) mod tests;
