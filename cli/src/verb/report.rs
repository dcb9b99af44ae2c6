//! `report`: a finished run again.

use understudy_runtime::error::RunError;
use understudy_runtime::pipeline;
use understudy_runtime::report::model::RunReport;
use understudy_runtime::report::terminal::Detail;
use understudy_runtime::run::record;
use understudy_runtime::store::layout::Store;

use super::usage;
use crate::args::ReportArguments;
use crate::exit::{Exit, fail};
use crate::output::show as show_report;

pub(crate) fn report(arguments: &ReportArguments) -> Exit {
    if let Some(message) = arguments.files.conflict(arguments.json) {
        return usage(message);
    }
    show(arguments).unwrap_or_else(|error| fail(&error))
}

fn show(arguments: &ReportArguments) -> Result<Exit, RunError> {
    let store = Store::of(&pipeline::load(&arguments.pipeline.pipeline)?);
    let record = match &arguments.run {
        Some(run) => record::named(&store, run)?,
        None => record::last(&store)?,
    };
    let unfinished = || {
        RunError::NoRun(format!(
            "run {} has not ended: it goes on, or was cut off",
            record.run
        ))
    };
    let report = record.report.as_ref().ok_or_else(unfinished)?;
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
