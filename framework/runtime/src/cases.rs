//! Files of cases on disk: finding them, trying them in workers, blessing them, and writing one from a run.

pub mod from_run;
pub mod report;

use std::path::{Path, PathBuf};

use understudy_core::case::{Case, Outcome};
use understudy_core::run::{Failure, FailureKind};
use understudy_core::spec::Spec;
use understudy_core::spec::cases::load_cases;
use understudy_core::spec::{FileCheck, Problem, Scope};

use crate::pipeline::PIPELINE_FILE;
use crate::report::files::example::Example;
use crate::small_file::{MAX_TEXT_BYTES, MAX_YAML_BYTES, read_small};
use crate::store::durable::{self, FileError};
use crate::worker::{Answer, CaseJob, Crew, Findings, Invocation, Job, WorkerLimits};

/// The folder beside a pipeline file that its cases are in.
pub const CASES_FOLDER: &str = "cases";
/// What a case's worker may use in all: its tables stand in a file of a megabyte.
const MEMORY_BYTES: u64 = 2 << 30;
/// The files of cases of one pipeline, at most.
const MAX_FILES: usize = 1_000;

/// A file of cases that was read.
#[derive(Debug)]
pub struct CaseFile {
    /// The file as the user named it.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
    /// Its cases, in its order.
    pub cases: Vec<Case>,
}

/// What became of one case.
#[derive(Debug)]
pub struct Tried {
    /// What it should say beside what it said, or why its tables could not be compared.
    pub outcome: Result<Outcome, Failure>,
    /// Unexpected differences, to see what they are.
    pub examples: Vec<Example>,
}

/// The files of cases beside a pipeline file, in order of their names; those in folders below are among them.
///
/// # Errors
/// The folder cannot be listed.
pub fn find(pipeline_folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![pipeline_folder.join(CASES_FOLDER)];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let is_cases = path
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml");
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if is_cases {
                found.push(path);
            }
            if found.len() > MAX_FILES {
                let message = format!("more than {MAX_FILES} files of cases");
                return Err(std::io::Error::other(message));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The folder of the pipeline that a file of cases stands beside, if there is one.
#[must_use]
pub fn pipeline_of(file: &Path) -> Option<PathBuf> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Above a relative folder stands nothing, which is the working folder.
    let named = |folder: &Path| match folder.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => folder.to_owned(),
    };
    let above = folder.ancestors().take(4).map(named);
    let mut candidates = above.chain([folder.join("..")]);
    candidates.find(|folder| folder.join(PIPELINE_FILE).is_file())
}

/// Reads a file of cases. `folder` is the pipeline's: paths that rules name begin there.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(path: &Path, folder: &Path, pipeline: Option<&Spec>) -> Result<CaseFile, Vec<Problem>> {
    let named = path
        .strip_prefix("./")
        .unwrap_or(path)
        .display()
        .to_string();
    let text = read_small(path, MAX_YAML_BYTES).map_err(|error| {
        let (line, column) = error.place();
        vec![Problem {
            file: named.clone(),
            line,
            column,
            text: String::new(),
            message: error.to_string(),
            fix: error.fix().to_owned(),
            scope: Scope::Pipeline,
        }]
    })?;
    let cases = load_cases(&text, &named, pipeline, &Here(folder))?;
    Ok(CaseFile {
        path: path.to_owned(),
        text,
        cases,
    })
}

/// Writes a file of cases over the one that may be there, whole or not at all.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), FileError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        durable::create_dirs(folder)?;
    }
    durable::replace(path, text.as_bytes())
}

/// Compares the tables of a case in a worker, and holds what that says against what it should say.
pub async fn try_case(case: &Case, crew: &Crew, temporary: &Path) -> Tried {
    match compare(case, crew, temporary).await {
        Ok(Findings { comparison, diff }) => Tried {
            outcome: Ok(case.judged(&comparison)),
            examples: diff.examples,
        },
        Err(failure) => Tried {
            outcome: Err(failure),
            examples: Vec::new(),
        },
    }
}

pub(crate) async fn compare(
    case: &Case,
    crew: &Crew,
    temporary: &Path,
) -> Result<Findings, Failure> {
    let job = Job::Case(Box::new(CaseJob { case: case.clone() }));
    match work(job, crew, temporary).await? {
        Answer::Compared(found) => Ok(found),
        _ => Err(wrong_answer()),
    }
}

/// One piece of work in a folder of its own, which is gone afterwards.
pub(crate) async fn work(job: Job, crew: &Crew, temporary: &Path) -> Result<Answer, Failure> {
    let folder = tempfile::tempdir_in(temporary).map_err(|error| {
        let message = format!("a temporary folder could not be made: {error}");
        Failure::new(FailureKind::Machine, message)
    })?;
    let invocation = Invocation {
        step: "test".to_owned(),
        folder: folder.path().join("work"),
        at_work: None,
        confinement: None,
        job,
    };
    let limits = WorkerLimits {
        wall: None,
        memory_bytes: Some(MEMORY_BYTES),
        ..WorkerLimits::default()
    };
    let end = crew
        .run(&invocation, limits, &folder.path().join("log"))
        .await;
    end.answer
}

pub(crate) fn wrong_answer() -> Failure {
    Failure::new(
        FailureKind::Died,
        "answered something else than it was asked",
    )
}

/// Files that rules name, from the pipeline's folder.
struct Here<'a>(&'a Path);

impl FileCheck for Here<'_> {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn read(&self, path: &str) -> Option<String> {
        read_small(&self.0.join(path), MAX_TEXT_BYTES).ok()
    }
}
