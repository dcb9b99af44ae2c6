//! `test --from-run`: a case from a difference that was found.

use std::path::Path;

use serde_json::json;
use understudy_runtime::cases;
use understudy_runtime::cases::from_run::{FromRun, FromRunError, Made, make};
use understudy_runtime::error::RunError;
use understudy_runtime::pipeline;
use understudy_runtime::report::visible::visible_lines;
use understudy_runtime::worker::Crew;

use super::super::{machine, with_crew};
use crate::Program;
use crate::args::TestArguments;
use crate::exit::{Exit, fail};
use crate::output::{print, print_json, tell};

pub(super) fn write(program: &Program, arguments: &TestArguments, run: &str) -> Exit {
    let [pipeline] = arguments.paths.as_slice() else {
        return wrong("a case is written for one pipeline\nhint: name its folder");
    };
    let asked = FromRun {
        run,
        change: arguments.change.as_deref(),
        task: arguments.task.as_deref().unwrap_or_default(),
        key: arguments.key.clone(),
    };
    with_crew(program, async |crew| {
        made(arguments, pipeline, &asked, &crew).await
    })
}

async fn made(
    arguments: &TestArguments,
    path: &Path,
    asked: &FromRun<'_>,
    crew: &Crew,
) -> Result<Exit, RunError> {
    let pipeline = pipeline::load(path)?;
    let folder = tempfile::tempdir()
        .map_err(|source| machine("no temporary folder could be made", source))?;
    match make(&pipeline, asked, crew, folder.path()).await {
        Ok(made) => put(arguments, &made),
        Err(FromRunError::Run(error)) => Ok(fail(&error)),
        Err(error @ FromRunError::Absent(_)) => Ok(wrong(&error.to_string())),
        Err(error) => {
            tell!("{}", visible_lines(&format!("error: {error}")));
            Ok(Exit::Machine)
        }
    }
}

/// Puts the case where cases are, and says so.
fn put(arguments: &TestArguments, made: &Made) -> Result<Exit, RunError> {
    let path = made.path.display().to_string();
    if !arguments.dry_run {
        cases::write(&made.path, &made.text)?;
    }
    if arguments.json {
        print_json(&json!({
            "version": 1,
            "file": path,
            "verdict": made.verdict,
            "written": !arguments.dry_run,
            "text": made.text,
        }));
    } else if arguments.dry_run {
        print(&made.text);
        tell!("`{path}` would be written");
    } else {
        print(&format!("{path}\nit says: {}\n", made.verdict));
    }
    Ok(Exit::Good)
}

fn wrong(message: &str) -> Exit {
    tell!("{}", visible_lines(&format!("error: {message}")));
    Exit::Usage
}
