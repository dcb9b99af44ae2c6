//! The key of a store's tokens: 32 random bytes, made once.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use understudy_core::digest::Digest;
use understudy_core::spec::Spec;
use understudy_objects::Stamp;

use crate::store::Store;
use crate::store::durable::{self, FileError, TEMPORARY_PREFIX};
use crate::store::remote::{self, Created, RemoteError, at};

/// The key's name in the store.
pub(crate) const KEY_FILE: &str = "mask.key";
/// Its length.
const KEY_BYTES: usize = 32;
/// Where the system gives random bytes.
const RANDOM: &str = "/dev/urandom";

/// A key that there is not.
#[derive(Debug, thiserror::Error)]
pub enum MaskKeyError {
    /// The file cannot be read or written.
    #[error("the key of masked columns, `{}`, cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no key.
    #[error(
        "`{}` is no key of masked columns: it has {bytes} bytes, not {KEY_BYTES}; remove it, and a new one is made, which gives other tokens", path.display()
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// The store's folder cannot be made.
    #[error(transparent)]
    Folder(#[from] FileError),
    /// The object store with the key.
    #[error("the key of masked columns in the object store cannot be used")]
    Remote(#[from] RemoteError),
}

/// Makes sure that a store whose pipeline masks columns has a key.
///
/// # Errors
/// It cannot be made or read.
pub(crate) fn with_key(store: &Store, spec: &Spec) -> Result<(), MaskKeyError> {
    if spec.masks_anything() {
        store_key(store)?;
    }
    Ok(())
}

/// The key of a store, which is made where there is none yet.
///
/// # Errors
/// It cannot be made or read.
pub(crate) fn store_key(store: &Store) -> Result<Vec<u8>, MaskKeyError> {
    let file = store.mask_key_file();
    if file.exists() {
        return read(&file);
    }
    let key = match store.remote() {
        Some(url) => in_object_store(url, random()?)?,
        None => random()?,
    };
    durable::create_dirs(store.root())?;
    write(&file, &key)?;
    read(&file)
}

/// A key of its own for texts that no store keeps, in a folder that is removed.
pub(crate) fn throwaway_key(folder: &Path) -> Result<PathBuf, MaskKeyError> {
    let file = folder.join(KEY_FILE);
    if !file.exists() {
        write(&file, &random()?)?;
    }
    Ok(file)
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, MaskKeyError> {
    let key = fs::read(file).map_err(unusable(file))?;
    if key.len() == KEY_BYTES {
        Ok(key)
    } else {
        Err(MaskKeyError::Length {
            path: file.to_owned(),
            bytes: key.len(),
        })
    }
}

fn random() -> Result<Vec<u8>, MaskKeyError> {
    let mut key = vec![0; KEY_BYTES];
    let read = File::open(RANDOM).and_then(|mut file| file.read_exact(&mut key));
    read.map_err(unusable(Path::new(RANDOM)))?;
    Ok(key)
}

/// Of two who make it at once, the first one's stays. Temporary files are for their owner's eyes only, and the name is
/// given to one that is whole.
fn write(file: &Path, key: &[u8]) -> Result<(), MaskKeyError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        let mut temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempfile_in(folder)?;
        temporary.write_all(key)?;
        temporary.as_file().sync_all()?;
        match temporary.persist_noclobber(file) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
            _ => File::open(folder)?.sync_all(),
        }
    };
    written().map_err(unusable(file))
}

/// The key that is in an object store, or the given one, which is there then.
fn in_object_store(url: &str, key: Vec<u8>) -> Result<Vec<u8>, RemoteError> {
    at(url, async |objects| {
        let there = objects.read(KEY_FILE, KEY_BYTES as u64).await?;
        if let Some(there) = there {
            return Ok(there);
        }
        let stamp = Stamp::new(remote::writer("mask"), Digest::of_bytes(&key).as_str())?;
        match remote::create(objects, key.clone(), KEY_FILE, &stamp).await? {
            Created::Yes => Ok(key),
            Created::No => Ok(objects
                .read(KEY_FILE, KEY_BYTES as u64)
                .await?
                .unwrap_or_default()),
        }
    })
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> MaskKeyError {
    let path = path.to_owned();
    |source| MaskKeyError::File { path, source }
}
