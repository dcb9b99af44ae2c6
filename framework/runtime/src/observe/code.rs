//! The identity of versions: digests of their code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use understudy_core::check::{Check, CheckKind};
use understudy_core::digest::Digest;
use understudy_core::spec::nearest::hint;
use understudy_core::spec::{Problem, Scope, Spot, Task, Version, VersionKind};
use understudy_tasks::Registry;

use super::{CodeDigests, executable, running_versions};
use crate::pipeline::Pipeline;

/// Why a version has no digest.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// A file of it cannot be read.
    #[error("version `{version}` of task `{task}`: `{path}` cannot be read")]
    Unreadable {
        /// The task.
        task: String,
        /// The version.
        version: String,
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A glob that is none.
    #[error("version `{version}` of task `{task}`: `{pattern}` is not a glob")]
    BadGlob {
        /// The task.
        task: String,
        /// The version.
        version: String,
        /// The glob.
        pattern: String,
        /// Why.
        source: glob::PatternError,
    },
}

/// The digests of all versions that the pipeline runs: the live ones and those of its changes.
///
/// # Errors
/// A file of a version cannot be read.
pub fn code_digests(pipeline: &Pipeline) -> Result<CodeDigests, CodeError> {
    let mut digests = CodeDigests::new();
    for task in &pipeline.spec.tasks {
        for version in running_versions(&pipeline.spec, task) {
            let digest = version_digest(pipeline, task, &task.versions[version])?;
            digests
                .entry(task.name.clone())
                .or_default()
                .insert(version.to_owned(), digest);
        }
    }
    Ok(digests)
}

/// The bytes of a file. Reading a pipe or a device may never end.
fn regular(path: &Path) -> std::io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    fs::read(path)
}

/// What a version finds around it is part of what it is, as the file says it: another secret is not another version.
fn version_digest(
    pipeline: &Pipeline,
    task: &Task,
    version: &Version,
) -> Result<Digest, CodeError> {
    let code = digest_of_code(pipeline, task, version)?;
    let (env, hosts) = (&version.surroundings.env, &version.surroundings.hosts);
    if env.is_empty() && hosts.is_empty() {
        return Ok(code);
    }
    Ok(Digest::of_json(&("surrounded", code, env, hosts)))
}

fn digest_of_code(
    pipeline: &Pipeline,
    task: &Task,
    version: &Version,
) -> Result<Digest, CodeError> {
    let folder = pipeline.folder.as_path();
    let read = |path: &Path| {
        regular(&folder.join(path))
            .map(|bytes| Digest::of_bytes(&bytes))
            .map_err(|source| CodeError::Unreadable {
                task: task.name.clone(),
                version: version.name.clone(),
                path: path.display().to_string(),
                source,
            })
    };
    match &version.kind {
        VersionKind::Sql { file, .. } => Ok(Digest::of_json(&(
            "sql",
            read(Path::new(file))?,
            &version.params,
        ))),
        VersionKind::Command { argv, code, inputs } => {
            let mut files = BTreeMap::new();
            for path in named_files(folder, argv)
                .into_iter()
                .chain(globbed_files(folder, task, version, code)?)
            {
                let digest = read(&path)?;
                files.insert(path, digest);
            }
            Ok(Digest::of_json(&(
                "command",
                argv,
                inputs,
                files,
                &version.params,
            )))
        }
        // Nobody knows its code: where it leaves its output is all that tells it from others.
        VersionKind::External { location } => {
            Ok(Digest::of_json(&("external", location.to_string())))
        }
        VersionKind::Merge(merge) => Ok(Digest::of_json(&("merge", merge, &task.output.grain))),
        VersionKind::Rust(name) => {
            let program = executable::digest(&pipeline.store_folder());
            let program = program.map_err(|source| CodeError::Unreadable {
                task: task.name.clone(),
                version: version.name.clone(),
                path: "the program itself".to_owned(),
                source,
            })?;
            Ok(Digest::of_json(&("rust", name, program, &version.params)))
        }
    }
}

/// The versions that are Rust tasks which this program does not have, and the checks that ask such comparators.
#[must_use]
pub fn unknown_rust_tasks(pipeline: &Pipeline, registry: &Registry) -> Vec<Problem> {
    let mut problems = Vec::new();
    for task in &pipeline.spec.tasks {
        for version in task.versions.values() {
            if let VersionKind::Rust(name) = &version.kind
                && registry.get(name).is_none()
            {
                let spot = Spot::Version {
                    task: task.name.clone(),
                    version: version.name.clone(),
                };
                let scope = pipeline.places.scope_of_version(&task.name, &version.name);
                let message = format!("this program has no Rust task `{name}`");
                let known = registry.names();
                let fix = match known.as_slice() {
                    [] => "it has none: run the pipeline with a program of your own that registers it (docs/rust-tasks.md)".to_owned(),
                    known => hint(name, known, "Rust tasks here"),
                };
                problems.push(pipeline.places.problem(&spot, scope, &message, &fix));
            }
        }
    }
    problems.extend(unknown_rust_comparators(pipeline, registry));
    problems
}

/// The digest of a check's code that stands in no pipeline file; `None` where it has none.
///
/// # Errors
/// Why a part of it cannot be read.
pub(crate) fn code_of_check(
    folder: &Path,
    store: &Path,
    check: &Check,
) -> Result<Option<Digest>, String> {
    match &check.kind {
        CheckKind::Metrics(_) | CheckKind::Sql { .. } => Ok(None),
        CheckKind::Command { argv, code } => {
            let mut files = BTreeMap::new();
            let mut paths = named_files(folder, argv);
            for pattern in code {
                let found = globbed(folder, pattern)
                    .map_err(|error| format!("`{pattern}` is not a glob: {error}"))?;
                paths.extend(found);
            }
            for path in paths {
                let bytes = regular(&folder.join(&path))
                    .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
                files.insert(path, Digest::of_bytes(&bytes));
            }
            Ok(Some(Digest::of_json(&files)))
        }
        CheckKind::Rust(_) => match executable::digest(store) {
            Ok(digest) => Ok(Some(digest)),
            Err(error) => Err(format!("the program itself cannot be read: {error}")),
        },
    }
}

/// The checks that are Rust comparators which this program does not have.
fn unknown_rust_comparators(pipeline: &Pipeline, registry: &Registry) -> Vec<Problem> {
    let mut problems = Vec::new();
    for change in pipeline.spec.changes.values() {
        for (task, checks) in &change.compare {
            for (position, check) in checks.iter().enumerate() {
                if let CheckKind::Rust(name) = &check.kind
                    && registry.get_comparator(name).is_none()
                {
                    let spot = Spot::Check {
                        change: change.name.clone(),
                        task: task.clone(),
                        check: position,
                    };
                    let scope = Scope::Change(change.name.clone());
                    let message = format!("this program has no Rust comparator `{name}`");
                    let fix = match registry.comparator_names().as_slice() {
                        [] => "it has none: run the pipeline with a program of your own that registers it (docs/comparators.md)".to_owned(),
                        known => hint(name, known, "Rust comparators here"),
                    };
                    problems.push(pipeline.places.problem(&spot, scope, &message, &fix));
                }
            }
        }
    }
    problems
}

/// The arguments that are files, as `rank.py` in `python3 rank.py`.
fn named_files(folder: &Path, argv: &[String]) -> Vec<PathBuf> {
    argv.iter()
        .map(PathBuf::from)
        .filter(|path| folder.join(path).is_file())
        .collect()
}

fn globbed_files(
    folder: &Path,
    task: &Task,
    version: &Version,
    globs: &[String],
) -> Result<Vec<PathBuf>, CodeError> {
    let mut files = Vec::new();
    for pattern in globs {
        let found = globbed(folder, pattern).map_err(|source| CodeError::BadGlob {
            task: task.name.clone(),
            version: version.name.clone(),
            pattern: pattern.clone(),
            source,
        })?;
        files.extend(found);
    }
    Ok(files)
}

/// The files that a glob names, by their paths from a folder.
fn globbed(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, glob::PatternError> {
    let escaped = glob::Pattern::escape(&folder.display().to_string());
    let paths = glob::glob(&format!("{escaped}/{pattern}"))?;
    let found = paths.flatten().filter(|path| path.is_file());
    let own = found.filter_map(|path| path.strip_prefix(folder).map(Path::to_owned).ok());
    Ok(own.collect())
}

/// The changes whose new version of a task has the very code of the live one.
#[must_use]
pub fn equal_versions(pipeline: &Pipeline, code: &CodeDigests) -> Vec<Problem> {
    let changes = pipeline.spec.changes.values();
    let pairs = changes.flat_map(|change| {
        change
            .new
            .iter()
            .map(move |(task, new)| (change, task, new))
    });
    pairs
        .filter_map(|(change, name, new)| {
            let task = pipeline.spec.task(name)?;
            let equal = code[name][new] == code[name][&task.live];
            equal.then(|| equal_problem(pipeline, &change.name, task, new))
        })
        .collect()
}

fn equal_problem(pipeline: &Pipeline, change: &str, task: &Task, new: &str) -> Problem {
    let message = format!(
        "version `{new}` of task `{}` has the same code and parameters as the live version `{}`",
        task.name, task.live
    );
    let spot = Spot::Version {
        task: task.name.clone(),
        version: new.to_owned(),
    };
    let fix = "change its code or its parameters, or take it out of the change";
    pipeline
        .places
        .problem(&spot, Scope::Change(change.to_owned()), &message, fix)
}
