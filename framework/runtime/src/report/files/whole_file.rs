//! Report files that are there whole or not at all.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::report::error::ReportError;
use crate::store::durable::{self, FileError, Step, TEMPORARY_PREFIX};

/// Whoever may read the folder may read the report, as far as the process's own mask lets them.
const EVERYBODYS: u32 = 0o666;

/// Writes a short file over the one that may be there, in a folder that may be still to come.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), ReportError> {
    durable::create_dirs(folder_of(path))?;
    Ok(durable::replace(path, text.as_bytes())?)
}

/// A long file that takes its name when it is finished; until then, and if it never is, nothing has that name.
#[derive(Debug)]
pub(crate) struct WholeFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl WholeFile {
    pub(crate) fn create(path: &Path) -> Result<Self, ReportError> {
        let folder = folder_of(path);
        durable::create_dirs(folder)?;
        let file = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .permissions(Permissions::from_mode(EVERYBODYS))
            .tempfile_in(folder);
        let file = file.map_err(FileError::at(Step::Write, path))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn push(&mut self, text: &str) -> Result<(), ReportError> {
        Ok(self
            .file
            .write_all(text.as_bytes())
            .map_err(FileError::at(Step::Write, &self.path))?)
    }

    /// Gives the file its name, durably.
    pub(crate) fn finish(self) -> Result<(), ReportError> {
        let Self { path, file } = self;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.map_err(FileError::at(Step::Write, &path))?;
        // What is dropped then has no name any more that could be removed.
        Ok(durable::put_file(file.path(), &path)?)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().unwrap_or(Path::new(""));
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}
