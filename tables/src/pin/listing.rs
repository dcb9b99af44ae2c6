//! From a location to the files that it stands for.

use std::fs;
use std::path::{Component, Path, PathBuf};

use understudy_core::snapshot::FileFormat;

use super::PinError;
use super::hive;

/// Folders deeper than this are a loop of links.
const MAX_DEPTH: usize = 64;

/// A file of a location.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path: relative to the base where the location is.
    pub(super) path: String,
    pub(super) format: FileFormat,
    pub(super) partitions: Vec<(String, String)>,
}

/// The files of a location, by path.
pub(super) fn files(name: &str, location: &str, base: &Path) -> Result<Vec<Found>, PinError> {
    if location.contains("://") {
        return Err(PinError::Remote {
            name: name.to_owned(),
            location: location.to_owned(),
        });
    }
    let listing = Listing {
        name,
        location,
        base,
    };
    let path = base.join(location);
    let mut found = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => listing.folder(&normal(Path::new(location)))?,
        Ok(_) => vec![listing.single()?],
        Err(_) if is_glob(location) => listing.glob()?,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(listing.not_found());
        }
        Err(source) => return Err(listing.io(path, source)),
    };
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Whether a text has a character that means something in a glob.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a location has data, by looking at listings only.
pub(super) fn has_data(location: &str, base: &Path) -> bool {
    files("", location, base).is_ok_and(|files| !files.is_empty())
}

struct Listing<'a> {
    name: &'a str,
    location: &'a str,
    base: &'a Path,
}

impl Listing<'_> {
    fn single(&self) -> Result<Found, PinError> {
        let path = self.text(&normal(Path::new(self.location)))?;
        match format_of(&path) {
            Some(format) => Ok(Found {
                path,
                format,
                partitions: Vec::new(),
            }),
            None => Err(PinError::UnknownFormat {
                name: self.name.to_owned(),
                file: path,
            }),
        }
    }

    fn folder(&self, root: &Path) -> Result<Vec<Found>, PinError> {
        let mut found = Vec::new();
        self.descend(root, &[], &mut found)?;
        if found.is_empty() {
            Err(self.no_files())
        } else {
            Ok(found)
        }
    }

    /// Adds the table files of a folder and of the `key=value` folders in it.
    fn descend(
        &self,
        folder: &Path,
        partitions: &[(String, String)],
        found: &mut Vec<Found>,
    ) -> Result<(), PinError> {
        let io = |source| self.io(self.base.join(folder), source);
        if partitions.len() > MAX_DEPTH {
            return Err(io(std::io::Error::other(
                "folders without end; is a link a loop?",
            )));
        }
        for entry in fs::read_dir(self.base.join(folder)).map_err(io)? {
            let file_name = entry.map_err(io)?.file_name();
            let path = folder.join(&file_name);
            let Some(file_name) = file_name.to_str() else {
                return Err(self.not_utf8(&path));
            };
            if !file_name.starts_with(['.', '_']) {
                self.entry(file_name, &path, partitions, found)?;
            }
        }
        Ok(())
    }

    fn entry(
        &self,
        file_name: &str,
        path: &Path,
        partitions: &[(String, String)],
        found: &mut Vec<Found>,
    ) -> Result<(), PinError> {
        let metadata = fs::metadata(self.base.join(path))
            .map_err(|source| self.io(path.to_owned(), source))?;
        if metadata.is_dir() {
            let Some(partition) = hive::partition(file_name) else {
                return Ok(());
            };
            let below: Vec<_> = partitions.iter().cloned().chain([partition]).collect();
            return self.descend(path, &below, found);
        }
        if let Some(format) = format_of(file_name) {
            found.push(Found {
                path: self.text(path)?,
                format,
                partitions: partitions.to_vec(),
            });
        }
        Ok(())
    }

    /// The files that a glob matches, and those of the folders that it matches.
    fn glob(&self) -> Result<Vec<Found>, PinError> {
        let pattern = format!(
            "{}/{}",
            glob::Pattern::escape(&self.base.to_string_lossy()),
            self.location
        );
        let pattern = if Path::new(self.location).is_absolute() {
            self.location
        } else {
            pattern.as_str()
        };
        let bad = |source| PinError::BadGlob {
            name: self.name.to_owned(),
            location: self.location.to_owned(),
            source,
        };
        let mut found = Vec::new();
        for path in glob::glob(pattern).map_err(bad)? {
            let path = path.map_err(|error| self.io(error.path().to_owned(), error.into()))?;
            self.matched(&path, &mut found)?;
        }
        if found.is_empty() {
            Err(self.no_files())
        } else {
            Ok(found)
        }
    }

    fn matched(&self, path: &Path, found: &mut Vec<Found>) -> Result<(), PinError> {
        let relative = path
            .strip_prefix(self.base)
            .ok()
            .filter(|_| !Path::new(self.location).is_absolute());
        let relative = normal(relative.unwrap_or(path));
        if self.is_hidden(&relative) {
            return Ok(());
        }
        let partitions = self.partitions_of(&relative);
        if path.is_dir() {
            return self.descend(&relative, &partitions, found);
        }
        let text = self.text(&relative)?;
        match format_of(&text) {
            Some(format) => found.push(Found {
                path: text,
                format,
                partitions: partitions_of_file(partitions, &relative),
            }),
            None => {
                return Err(PinError::UnknownFormat {
                    name: self.name.to_owned(),
                    file: text,
                });
            }
        }
        Ok(())
    }

    /// Whether a part of the path that the glob (not the user) named is hidden.
    fn is_hidden(&self, path: &Path) -> bool {
        let parts = path.components().skip(self.fixed_parts());
        parts
            .filter_map(|part| part.as_os_str().to_str())
            .any(|part| part.starts_with(['.', '_']))
    }

    fn partitions_of(&self, path: &Path) -> Vec<(String, String)> {
        let parts = path.components().skip(self.fixed_parts());
        parts
            .filter_map(|part| hive::partition(part.as_os_str().to_str()?))
            .collect()
    }

    /// How many parts of the location come before the first one with a wildcard in it.
    fn fixed_parts(&self) -> usize {
        let location = normal(Path::new(self.location));
        location
            .components()
            .take_while(|part| !is_glob(&part.as_os_str().to_string_lossy()))
            .count()
    }

    fn text(&self, path: &Path) -> Result<String, PinError> {
        path.to_str()
            .map(str::to_owned)
            .ok_or_else(|| self.not_utf8(path))
    }

    fn not_found(&self) -> PinError {
        PinError::NotFound {
            name: self.name.to_owned(),
            location: self.location.to_owned(),
        }
    }

    fn no_files(&self) -> PinError {
        PinError::NoFiles {
            name: self.name.to_owned(),
            location: self.location.to_owned(),
        }
    }

    fn not_utf8(&self, path: &Path) -> PinError {
        PinError::NotUtf8 {
            name: self.name.to_owned(),
            path: path.to_string_lossy().into_owned(),
        }
    }

    fn io(&self, path: PathBuf, source: std::io::Error) -> PinError {
        PinError::Io {
            name: self.name.to_owned(),
            path,
            source,
        }
    }
}

/// A file's own name is no partition, even with a `=` in it.
fn partitions_of_file(mut partitions: Vec<(String, String)>, path: &Path) -> Vec<(String, String)> {
    let own = path
        .file_name()
        .and_then(|name| hive::partition(name.to_str()?));
    if own.is_some() {
        partitions.pop();
    }
    partitions
}

/// The path without `.` parts and without a trailing slash.
pub(super) fn normal(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}

pub(super) fn format_of(file_name: &str) -> Option<FileFormat> {
    let name = file_name.to_ascii_lowercase();
    let text = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"));
    let format = match Path::new(text.unwrap_or(&name)).extension()?.to_str()? {
        "parquet" => FileFormat::Parquet,
        "csv" => FileFormat::Csv,
        "jsonl" | "ndjson" => FileFormat::Json,
        "arrow" | "ipc" | "feather" => FileFormat::Arrow,
        _ => return None,
    };
    // The other formats compress within.
    let is_text = matches!(format, FileFormat::Csv | FileFormat::Json);
    (text.is_none() || is_text).then_some(format)
}
