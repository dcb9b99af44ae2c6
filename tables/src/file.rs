//! Opening files that may not be what they seem.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

/// Opens a regular file to read it. Of a pipe nobody waits for the other end, and a device is not touched.
///
/// # Errors
/// It cannot be opened, or is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)?;
    require_regular(file)
}

/// Opens a regular file beneath a folder, by a path relative to it, to read it. The folder may be reached over links;
/// below it none is followed, neither for a folder on the way nor for the file.
///
/// # Errors
/// It cannot be opened, is no regular file, or a link or `..` is on the way.
pub fn open_beneath(folder: &Path, path: &Path) -> io::Result<File> {
    let mut parts = path.components().peekable();
    let mut at: OwnedFd = open(folder, FOLDER, Mode::empty())?;
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else {
            return Err(io::Error::other("its path leaves its folder"));
        };
        let flags = if parts.peek().is_some() { FOLDER } else { FILE };
        at = openat(&at, name, flags | OFlag::O_NOFOLLOW, Mode::empty()).map_err(refused)?;
    }
    require_regular(File::from(at))
}

/// A folder on the way is passed, not read: a worker may be allowed the one and not the other.
#[cfg(target_os = "linux")]
const FOLDER: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_CLOEXEC);
const FILE: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_CLOEXEC);

/// The system says of a link that there are too many of them, or that it is no folder.
fn refused(errno: Errno) -> io::Error {
    match errno {
        Errno::ELOOP => io::Error::other("it is a link, and links are not followed here"),
        Errno::ENOTDIR => {
            io::Error::other("its folder is a link or no folder, and links are not followed here")
        }
        other => other.into(),
    }
}

fn require_regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use nix::unistd::mkfifo;
    use tempfile::TempDir;

    use super::*;

    /// What is read of `path` beneath the folder `in`, or why not.
    fn beneath(prepare: impl Fn(&Path), path: &str) -> String {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("in/k=1")).unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        fs::write(folder.path().join("in/k=1/own"), "own").unwrap();
        prepare(&folder.path().join("in"));
        let opened = open_beneath(&folder.path().join("in"), Path::new(path));
        opened.map_or_else(
            |error| error.to_string(),
            |mut file| {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                text
            },
        )
    }

    #[test]
    fn what_lies_beneath_is_opened() {
        assert_eq!(beneath(|_| {}, "k=1/own"), "own");
    }

    #[test]
    fn the_folder_itself_may_be_a_link() {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        fs::write(folder.path().join("real/own"), "own").unwrap();
        symlink("real", folder.path().join("link")).unwrap();
        assert!(open_beneath(&folder.path().join("link"), Path::new("own")).is_ok());
    }

    #[test]
    fn no_link_is_followed() {
        let file = |folder: &Path| symlink("../secret", folder.join("link")).unwrap();
        let inside = |folder: &Path| symlink("k=1/own", folder.join("link")).unwrap();
        let parent = |folder: &Path| symlink("..", folder.join("link")).unwrap();
        let link = "it is a link, and links are not followed here";
        assert_eq!(beneath(file, "link"), link);
        assert_eq!(beneath(inside, "link"), link);
        assert_eq!(
            beneath(parent, "link/secret"),
            "its folder is a link or no folder, and links are not followed here"
        );
        assert_eq!(beneath(|_| {}, "../secret"), "its path leaves its folder");
        assert_eq!(beneath(|_| {}, "/etc/passwd"), "its path leaves its folder");
    }

    /// Without a writer, opening a pipe would wait for ever.
    #[test]
    fn pipes_and_folders_are_refused_at_once() {
        let pipe = |folder: &Path| mkfifo(&folder.join("pipe"), Mode::S_IRWXU).unwrap();
        assert_eq!(beneath(pipe, "pipe"), "it is not a regular file");
        assert_eq!(beneath(|_| {}, "k=1"), "it is not a regular file");
        let folder = TempDir::new().unwrap();
        pipe(folder.path());
        let error = open_regular(&folder.path().join("pipe")).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
        assert!(open_regular(Path::new("/dev/zero")).is_err());
    }
}
