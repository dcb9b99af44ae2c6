//! `report`: a finished run again.

use understudy_runtime::error::RunError;
use understudy_runtime::pipeline;
use understudy_runtime::report::model::RunReport;
use understudy_runtime::report::terminal::Detail;
use understudy_runtime::review::mark_report;
use understudy_runtime::run::record;
use understudy_runtime::store::layout::Store;

use super::{rejudge, usage};
use crate::Program;
use crate::args::ReportArguments;
use crate::exit::{Exit, fail};
use crate::output::show as show_report;

pub(crate) fn report(program: &Program, arguments: &ReportArguments) -> Exit {
    if let Some(message) = arguments.files.conflict(arguments.json) {
        return usage(message);
    }
    if arguments.rejudge {
        return rejudge::judge_again_and_tell(program, arguments);
    }
    if arguments.task.is_some() && arguments.json {
        return usage(
            "--task shows a part of the report, and --json all of it: leave one of them out",
        );
    }
    show(arguments).unwrap_or_else(|error| fail(&error))
}

fn show(arguments: &ReportArguments) -> Result<Exit, RunError> {
    let store = Store::of(&pipeline::load(&arguments.pipeline.pipeline)?);
    let mut record = match &arguments.run {
        Some(run) => record::named(&store, run)?,
        None => record::last(&store)?,
    };
    let run = record.run.clone();
    let unfinished = || {
        RunError::NoRun(format!(
            "run {run} has not ended: it goes on, or was cut off"
        ))
    };
    let report = record.report.as_mut().ok_or_else(unfinished)?;
    // A report is worth reading without the ledger, too.
    let _ = mark_report(report, &store);
    let detail = detail(arguments, report)?;
    show_report(report, &arguments.files, arguments.json, detail)?;
    Ok(Exit::Good)
}

fn detail(arguments: &ReportArguments, report: &RunReport) -> Result<Detail, RunError> {
    let Some(task) = &arguments.task else {
        return Ok(Detail::Summary);
    };
    let mut tasks: Vec<&str> = report
        .changes
        .values()
        .flat_map(|change| change.tasks.keys().map(String::as_str))
        .collect();
    tasks.sort_unstable();
    tasks.dedup();
    if tasks.contains(&task.as_str()) {
        return Ok(Detail::Task(task.clone()));
    }
    let there = if tasks.is_empty() {
        "none".to_owned()
    } else {
        tasks.join(", ")
    };
    Err(RunError::NoRun(format!(
        "task `{task}` was not compared in run {}; compared were: {there}",
        report.run
    )))
}
