//! A pipeline on disk: its file, its folder, and what loading it gave.

use std::path::{Path, PathBuf};

use understudy_core::digest::Digest;
use understudy_core::spec::{self, FileCheck, Places, Problem, Scope, Spec, Spot};
use understudy_flags::Flags;

use crate::flags;
use crate::observe::code_of_check;
use crate::small_file::{MAX_TEXT_BYTES, MAX_YAML_BYTES, SmallFileError, read_small};
use crate::store::Store;
use crate::store::remote::is_remote;

/// Where copies of a store in an object store are, beside the pipeline file.
const COPIES_FOLDER: &str = ".understudy";

/// The problems that are told at once; who mends these sees the next ones.
const MAX_TOLD: usize = 50;

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
    /// Who answers for its flags.
    pub flags: Flags,
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
    let mut told: Vec<String> = problems
        .iter()
        .take(MAX_TOLD)
        .map(ToString::to_string)
        .collect();
    if problems.len() > MAX_TOLD {
        told.push(format!("and {} more problems", problems.len() - MAX_TOLD));
    }
    told.join("\n")
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
    let text = read_small(&file, MAX_YAML_BYTES).map_err(|error| match error {
        SmallFileError::Io(source) => unreadable(source),
        other => LoadError::Problems(vec![no_text(&named, &other)]),
    })?;
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = parent.canonicalize().map_err(unreadable)?;
    let loaded = spec::load(&text, &named, &Folder(&folder));
    let Some(spec) = loaded.spec else {
        return Err(LoadError::Problems(loaded.problems));
    };
    let store = Store::named(&spec.store, &folder);
    let mut pipeline = Pipeline {
        flags: flags::provider(&spec, &folder, &store),
        folder,
        named,
        spec,
        places: loaded.places,
        problems: loaded.problems,
    };
    let problems = pipeline.identify_checks();
    pipeline.add_problems(problems)?;
    Ok(pipeline)
}

/// A pipeline file that is no text is wrong as one that says nonsense is.
fn no_text(named: &str, error: &SmallFileError) -> Problem {
    let (line, column) = error.place();
    Problem {
        file: named.to_owned(),
        line,
        column,
        text: String::new(),
        message: error.to_string(),
        fix: error.fix().to_owned(),
        scope: Scope::Pipeline,
    }
}

impl Pipeline {
    /// Fills in what code checks have beside the pipeline file: another one gives other findings.
    fn identify_checks(&mut self) -> Vec<Problem> {
        let (folder, store) = (self.folder.clone(), self.store_folder());
        let mut problems = Vec::new();
        for change in self.spec.changes.values_mut() {
            for (task, checks) in &mut change.compare {
                for (position, check) in checks.iter_mut().enumerate() {
                    match code_of_check(&folder, &store, check) {
                        Ok(code) => check.code = code,
                        Err(reason) => {
                            let spot = Spot::Check {
                                change: change.name.clone(),
                                task: task.clone(),
                                check: position,
                            };
                            let scope = Scope::Change(change.name.clone());
                            let message = format!("check `{}`: {reason}", check.name);
                            let fix = "its code is part of what it is: make it readable";
                            problems.push(self.places.problem(&spot, scope, &message, fix));
                        }
                    }
                }
            }
        }
        problems
    }

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
        store_folder(&self.spec.store, &self.folder)
    }
}

/// The folder of a store that a pipeline file in a folder names.
pub(crate) fn store_folder(store: &str, folder: &Path) -> PathBuf {
    if is_remote(store) {
        let url = Digest::of_bytes(store.trim_end_matches('/').as_bytes());
        return folder.join(COPIES_FOLDER).join(url.short());
    }
    folder.join(store).components().collect()
}

struct Folder<'a>(&'a Path);

impl FileCheck for Folder<'_> {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn read(&self, path: &str) -> Option<String> {
        read_small(&self.0.join(path), MAX_TEXT_BYTES).ok()
    }
}
