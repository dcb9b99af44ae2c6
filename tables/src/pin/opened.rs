//! Opening what was pinned, and nothing else that has come to its place since.

use std::fs::{File, Metadata};
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use understudy_core::snapshot::PinnedFile;
use understudy_sabotage::Sabotage;

use super::{change_of, digest_of_rest, stat_of};
use crate::error::TableError;
use crate::file::open_regular;

/// Opens a pinned file, if it is still the same: the same file with the same length and time of writing, or another
/// one with the pinned bytes, where these were digested. What is looked at is the open file, so that nothing can be
/// put in its place afterwards.
///
/// # Errors
/// It is gone, is another one now, or cannot be read.
pub fn open_pinned(pinned: &PinnedFile, base: &Path) -> Result<File, TableError> {
    let path = base.join(&pinned.path);
    let failed = |source| TableError::reading(&path, source);
    let mut file = open_regular(&path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if is_same(pinned, &found) || Sabotage::UnpinnedReads.is_on() {
        return Ok(file);
    }
    if let Some(digest) = pinned
        .digest
        .as_ref()
        .filter(|_| found.len() == pinned.bytes)
    {
        let same = digest_of_rest(&file).map_err(failed)? == *digest;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        if same {
            return Ok(file);
        }
    }
    let what = change_of(pinned, &path).unwrap_or_else(|| "was replaced".to_owned());
    Err(TableError::Changed { path, what })
}

/// Whoever links to a file or changes its rights leaves its bytes alone, so what that changes is not looked at.
fn is_same(pinned: &PinnedFile, found: &Metadata) -> bool {
    let (bytes, modified_nanos, _, inode) = stat_of(found);
    (bytes, modified_nanos, inode) == (pinned.bytes, pinned.modified_nanos, pinned.inode)
        && found.is_file()
        && found.nlink() > 0
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use tempfile::TempDir;

    use super::*;
    use crate::pin::pin;

    /// What is read of a file with the bytes `a\n1\n` that was pinned before something happened to it.
    fn after(happens: impl Fn(&Path), digested: bool) -> String {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, "a\n1\n").unwrap();
        let mut pinned = pin("t", "t.csv", folder.path()).unwrap().files.remove(0);
        if !digested {
            pinned.digest = None;
        }
        happens(&path);
        match open_pinned(&pinned, folder.path()) {
            Ok(mut file) => {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                text
            }
            Err(error) => error.to_string().rsplit('`').next().unwrap().to_owned(),
        }
    }

    fn replaced(path: &Path, text: &str) {
        let other = path.with_extension("new");
        fs::write(&other, text).unwrap();
        fs::rename(other, path).unwrap();
    }

    #[test]
    fn what_was_pinned_is_opened() {
        assert_eq!(after(|_| {}, true), "a\n1\n");
        assert_eq!(after(|_| {}, false), "a\n1\n");
        let linked = |path: &Path| fs::hard_link(path, path.with_extension("bak")).unwrap();
        assert_eq!(after(linked, false), "a\n1\n");
    }

    #[test]
    fn the_same_bytes_in_another_file_will_do() {
        assert_eq!(after(|path| replaced(path, "a\n1\n"), true), "a\n1\n");
        assert_eq!(
            after(|path| replaced(path, "a\n1\n"), false),
            " was written again or replaced (same length) since it was pinned"
        );
    }

    #[test]
    fn another_file_is_not() {
        assert_eq!(
            after(|path| replaced(path, "a\n2\n"), true),
            " was changed (same length, other bytes) since it was pinned"
        );
        assert_eq!(
            after(|path| fs::write(path, "a\n1\n2\n").unwrap(), true),
            " was changed (4 bytes, now 6) since it was pinned"
        );
        let link = |path: &Path| {
            let other = path.with_extension("other");
            fs::write(&other, "a\n2\n").unwrap();
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink(other, path).unwrap();
        };
        assert_eq!(
            after(link, true),
            " was changed (same length, other bytes) since it was pinned"
        );
    }
}
