//! `test`: rules on small tables.

mod from_run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use understudy_core::case::Outcome;
use understudy_core::spec::cases::bless;
use understudy_runtime::cases::report::{CaseReport, Status, TestReport};
use understudy_runtime::cases::{self, CASES_FOLDER, CaseFile};
use understudy_runtime::error::RunError;
use understudy_runtime::pipeline::{self, PIPELINE_FILE, Pipeline, listing};
use understudy_runtime::report::terminal::Detail;
use understudy_runtime::report::visible::visible_lines;
use understudy_runtime::worker::Crew;

use super::{machine, with_crew};
use crate::Program;
use crate::args::TestArguments;
use crate::exit::{Exit, fail};
use crate::output::{print, print_json, tell, view};

pub(crate) fn test(program: &Program, arguments: &TestArguments) -> Exit {
    if let Some(run) = &arguments.from_run {
        return from_run::write(program, arguments, run);
    }
    match files(arguments) {
        Ok(files) => with_crew(program, async |crew| tried(arguments, files, &crew).await),
        Err(exit) => exit,
    }
}

/// The files of cases, read; what is wrong with them has been told.
fn files(arguments: &TestArguments) -> Result<Vec<CaseFile>, Exit> {
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for path in &arguments.paths {
        for (file, folder) in cases_at(path)? {
            // Files of one pipeline read it once each: it is small, and each may stand beside another one.
            let pipeline = match &folder {
                Some(folder) => Some(loaded(folder)?),
                None => None,
            };
            let spec = pipeline.as_ref().map(|pipeline| &pipeline.spec);
            let here = folder.as_deref().unwrap_or(Path::new("."));
            match cases::read(&file, here, spec) {
                Ok(file) => read.push(file),
                Err(found) => problems.extend(found),
            }
        }
    }
    if problems.is_empty() {
        return Ok(read);
    }
    tell!("{}", visible_lines(&listing(&problems)));
    Err(Exit::Usage)
}

fn loaded(folder: &Path) -> Result<Pipeline, Exit> {
    pipeline::load(folder).map_err(|error| fail(&error.into()))
}

/// The files that a path stands for, each with the folder of its pipeline.
fn cases_at(path: &Path) -> Result<Vec<(PathBuf, Option<PathBuf>)>, Exit> {
    let is_pipeline = path.is_dir() || path.file_name().is_some_and(|name| name == PIPELINE_FILE);
    if !is_pipeline {
        return Ok(vec![(path.to_owned(), cases::pipeline_of(path))]);
    }
    let folder = if path.is_dir() {
        path
    } else {
        path.parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    };
    let found = cases::find(folder).map_err(|source| {
        let what = format!(
            "the folder `{CASES_FOLDER}` of `{}` cannot be listed",
            folder.display()
        );
        fail(&machine(&what, source))
    })?;
    let has_pipeline = folder.join(PIPELINE_FILE).is_file();
    let folder = has_pipeline.then(|| folder.to_owned());
    Ok(found
        .into_iter()
        .map(|file| (file, folder.clone()))
        .collect())
}

async fn tried(
    arguments: &TestArguments,
    files: Vec<CaseFile>,
    crew: &Crew,
) -> Result<Exit, RunError> {
    let folder = tempfile::tempdir()
        .map_err(|source| machine("no temporary folder could be made", source))?;
    let mut reports = Vec::new();
    for file in &files {
        reports.extend(of_file(arguments, file, crew, folder.path()).await?);
    }
    if crew.is_interrupted() {
        tell!("interrupted");
        return Ok(Exit::Interrupted);
    }
    if reports.is_empty() {
        let named = arguments.filter.as_ref();
        let named = named.map_or(String::new(), |filter| {
            format!(" with `{filter}` in its name")
        });
        tell!(
            "error: no case{named} was found, and so nothing was tested\nhint: cases are YAML files in the folder `{CASES_FOLDER}` beside the pipeline file; docs/testing-rules.md describes them"
        );
        return Ok(Exit::Usage);
    }
    let report = TestReport::new(reports);
    if let Some(path) = &arguments.junit {
        std::fs::write(path, report.junit()).map_err(|source| {
            machine(&format!("`{}` cannot be written", path.display()), source)
        })?;
    }
    if arguments.json {
        print_json(&report);
    } else {
        print(&report.text(view(Detail::Summary).ink));
    }
    let is_wrong = |case: &CaseReport| case.status == Status::NotCompared;
    Ok(match report.failed {
        _ if report.cases.iter().any(is_wrong) => Exit::Usage,
        0 => Exit::Good,
        _ => Exit::Unexpected,
    })
}

/// Tries the cases of a file, and blesses those that differ where that is asked for.
async fn of_file(
    arguments: &TestArguments,
    file: &CaseFile,
    crew: &Crew,
    temporary: &Path,
) -> Result<Vec<CaseReport>, RunError> {
    let mut reports = Vec::new();
    let mut others: BTreeMap<String, Outcome> = BTreeMap::new();
    let asked = |name: &str| {
        arguments
            .filter
            .as_ref()
            .is_none_or(|part| name.contains(part))
    };
    for case in file.cases.iter().filter(|case| asked(&case.name)) {
        if crew.is_interrupted() {
            break;
        }
        let tried = cases::try_case(case, crew, temporary).await;
        let mut report = CaseReport::new(case, &tried);
        if let (true, Status::Failed, Ok(outcome)) = (arguments.bless, report.status, tried.outcome)
        {
            others.insert(case.name.clone(), outcome);
            report.status = Status::Blessed;
        }
        reports.push(report);
    }
    if !others.is_empty() {
        blessed(arguments, file, &others)?;
    }
    Ok(reports)
}

fn blessed(
    arguments: &TestArguments,
    file: &CaseFile,
    others: &BTreeMap<String, Outcome>,
) -> Result<(), RunError> {
    let named = file.path.display();
    let Some(text) = bless(&file.text, others) else {
        return Err(RunError::NoTask(format!(
            "the expectations in `{named}` cannot be rewritten: write them by hand, as shown above"
        )));
    };
    if arguments.dry_run {
        tell!("`{named}` would be written");
        return Ok(());
    }
    cases::write(&file.path, &text)?;
    tell!("`{named}` is written");
    Ok(())
}
