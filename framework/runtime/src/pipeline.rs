//! A pipeline on disk: its file, its folder, and what loading it gave.

use std::fs;
use std::path::{Path, PathBuf};

use understudy_core::digest::Digest;
use understudy_core::spec::{self, FileCheck, Places, Problem, Scope, Spec};

use crate::store::remote::is_remote;

/// Where copies of a store in an object store are, beside the pipeline file.
const COPIES_FOLDER: &str = ".understudy";

/// The name of a pipeline file.
pub const PIPELINE_FILE: &str = "understudy.yaml";

/// A pipeline file that was read and loaded.
#[derive(Debug)]
pub struct Pipeline {
    /// The folder that all relative paths are relative to, absolute.
    pub folder: PathBuf,
    /// The file as the user named it, for messages and for the commands that are suggested.
    pub named: String,
    /// What it says.
    pub spec: Spec,
    /// Where in the file things stand.
    pub places: Places,
    /// What is wrong without stopping live.
    pub problems: Vec<Problem>,
}

/// Why there is no pipeline to work with.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No pipeline file is there.
    #[error(
        "there is no pipeline at `{0}`: neither a pipeline file nor a folder with an `{PIPELINE_FILE}`"
    )]
    NotThere(String),
    /// It cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It has problems that stop everything.
    #[error("{}", listing(.0))]
    Problems(Vec<Problem>),
}

/// The problems, one below the other.
#[must_use]
pub fn listing(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Reads and loads a pipeline, named by its file or its folder.
///
/// # Errors
/// It is not there, cannot be read, or has problems that stop live.
pub fn load(path: &Path) -> Result<Pipeline, LoadError> {
    let file = if path.is_dir() {
        path.join(PIPELINE_FILE)
    } else {
        path.to_owned()
    };
    if !file.is_file() {
        return Err(LoadError::NotThere(path.display().to_string()));
    }
    let named = file
        .strip_prefix("./")
        .unwrap_or(&file)
        .display()
        .to_string();
    let unreadable = |source| LoadError::Unreadable {
        path: named.clone(),
        source,
    };
    let text = fs::read(&file).map_err(unreadable)?;
    let text = String::from_utf8(text).map_err(|error| unreadable(std::io::Error::other(error)))?;
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = parent.canonicalize().map_err(unreadable)?;
    let loaded = spec::load(&text, &named, &Folder(&folder));
    match loaded.spec {
        Some(spec) => Ok(Pipeline {
            folder,
            named,
            spec,
            places: loaded.places,
            problems: loaded.problems,
        }),
        None => Err(LoadError::Problems(loaded.problems)),
    }
}

impl Pipeline {
    /// Takes note of problems that were found later, and suspends the changes that they are in.
    ///
    /// # Errors
    /// Some of them stop live.
    pub fn add_problems(&mut self, problems: Vec<Problem>) -> Result<(), LoadError> {
        let fatal: Vec<_> = problems
            .iter()
            .filter(|problem| problem.scope == Scope::Pipeline)
            .cloned()
            .collect();
        if !fatal.is_empty() {
            return Err(LoadError::Problems(fatal));
        }
        self.spec = spec::suspend(self.spec.clone(), &problems);
        self.problems.extend(problems);
        Ok(())
    }

    /// The store's folder, absolute; where the store is in an object store, the folder of its copies.
    #[must_use]
    pub fn store_folder(&self) -> PathBuf {
        if is_remote(&self.spec.store) {
            let url = Digest::of_bytes(self.spec.store.trim_end_matches('/').as_bytes());
            return self.folder.join(COPIES_FOLDER).join(url.short());
        }
        self.folder.join(&self.spec.store).components().collect()
    }
}

struct Folder<'a>(&'a Path);

impl FileCheck for Folder<'_> {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join(path)).ok()
    }
}
