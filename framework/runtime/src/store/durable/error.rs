//! What can fail on a file, and how it reads.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A step on a file that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} `{}`", path.display())]
pub struct FileError {
    /// What was tried.
    pub step: Step,
    /// On what.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

/// What can be tried on a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Create a folder.
    CreateFolder,
    /// Read a file or list a folder.
    Read,
    /// Write a file's content.
    Write,
    /// Have the disk confirm a file or a folder.
    Sync,
    /// Give a file its name.
    Name,
    /// Remove a file or a folder.
    Remove,
    /// Lock a folder.
    Lock,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateFolder => "create the folder",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Name => "put in place",
            Self::Remove => "remove",
            Self::Lock => "lock",
        })
    }
}

impl FileError {
    /// For `map_err`: the step on the path failed with what comes.
    pub(crate) fn at(step: Step, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            step,
            path: path.to_owned(),
            source,
        }
    }
}
