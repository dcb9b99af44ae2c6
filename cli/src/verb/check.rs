//! `check`: everything that can be known to be wrong without running.

use std::collections::BTreeMap;

use serde_json::json;
use understudy_core::spec::{Problem, Spot, VersionKind};
use understudy_runtime::error::RunError;
use understudy_runtime::observe::{self, SchemaReport};
use understudy_runtime::pipeline::{self, LoadError, Pipeline, listing};
use understudy_runtime::prepare::{Asked, found_in_data, refused_live_edits, when};
use understudy_runtime::report::visible::visible_lines;
use understudy_runtime::worker::Crew;

use super::{machine, with_crew};
use crate::Program;
use crate::args::CheckArguments;
use crate::exit::Exit;
use crate::output::{print, print_json};

/// What checking found.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    /// Things that could not be looked at, and why.
    not_checked: Vec<String>,
}

pub(crate) fn check(program: &Program, arguments: &CheckArguments) -> Exit {
    with_crew(program, async |crew| look(arguments, &crew).await)
}

async fn look(arguments: &CheckArguments, crew: &Crew) -> Result<Exit, RunError> {
    let findings = match pipeline::load(&arguments.pipeline.pipeline) {
        Err(LoadError::Problems(problems)) => Findings {
            problems,
            ..Findings::default()
        },
        Err(error) => return Err(error.into()),
        Ok(pipeline) => look_at_data(arguments, pipeline, crew).await?,
    };
    tell(&findings, arguments.json);
    Ok(if findings.problems.is_empty() {
        Exit::Good
    } else {
        Exit::Usage
    })
}

async fn look_at_data(
    arguments: &CheckArguments,
    mut pipeline: Pipeline,
    crew: &Crew,
) -> Result<Findings, RunError> {
    let asked = Asked {
        date: arguments.date,
        slice: arguments.slice.as_deref(),
    };
    let when = when(&pipeline, asked)?;
    let inputs = observe::pin_inputs(&pipeline, &when, crew).await?;
    observe::require_tables(&inputs, when.date)?;
    let code = observe::code_digests(&pipeline)?;
    let folder = tempfile::tempdir()
        .map_err(|source| machine("no temporary folder could be made", source))?;
    let mut findings = Findings {
        problems: pipeline.problems.clone(),
        not_checked: Vec::new(),
    };
    findings
        .problems
        .extend(observe::unknown_rust_tasks(&pipeline, crew.registry()));
    findings
        .problems
        .extend(refused_live_edits(&pipeline, &code));
    match observe::inspect(&pipeline, &inputs, &code, when.date, crew, folder.path()).await {
        Ok(schemas) => {
            findings
                .problems
                .extend(planning_problems(&pipeline, &schemas));
            findings
                .problems
                .extend(found_in_data(&pipeline, &schemas, &code));
            findings
                .not_checked
                .extend(schemas.unknown.iter().map(|(task, version)| {
                    format!("the columns of `{task}` {version}: they show when it has run")
                }));
        }
        Err(reason) => findings.not_checked.push(format!("any column: {reason}")),
    }
    findings
        .problems
        .extend(observe::find_customers(&mut pipeline, &when, crew, folder.path()).await);
    Ok(findings)
}

fn planning_problems(pipeline: &Pipeline, schemas: &SchemaReport) -> Vec<Problem> {
    let datasets = schemas.datasets.iter().map(|(name, reason)| {
        let message = format!("dataset `{name}` cannot be read: {reason}");
        let scope = understudy_core::spec::Scope::Pipeline;
        pipeline.places.problem(
            &Spot::Dataset(name.clone()),
            scope,
            &message,
            "mend the file, or the location",
        )
    });
    let versions = schemas.versions.iter().map(|((task, version), reason)| {
        let spot = Spot::Version {
            task: task.clone(),
            version: version.clone(),
        };
        let scope = pipeline.places.scope_of_version(task, version);
        let message = format!("version `{version}` of task `{task}` cannot be planned: {reason}");
        let kind = pipeline
            .spec
            .task(task)
            .and_then(|task| Some(&task.versions.get(version)?.kind));
        let hint = match kind {
            Some(VersionKind::Merge(_)) => {
                "mend the inputs, give a CSV's columns `types`, or merge in another way"
            }
            _ => "mend the query; it sees only the task's inputs",
        };
        pipeline.places.problem(&spot, scope, &message, hint)
    });
    datasets.chain(versions).collect()
}

fn tell(findings: &Findings, as_json: bool) {
    if as_json {
        let mut json: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
        json.insert("version", json!(1));
        json.insert("problems", json!(findings.problems));
        json.insert("not_checked", json!(findings.not_checked));
        return print_json(&json);
    }
    let mut text = match findings.problems.len() {
        0 => "no problems found".to_owned(),
        1 => format!("{}\n1 problem", listing(&findings.problems)),
        count => format!("{}\n{count} problems", listing(&findings.problems)),
    };
    for what in &findings.not_checked {
        text.push_str(&format!("\nNOT CHECKED: {what}"));
    }
    print(&visible_lines(&text));
}
