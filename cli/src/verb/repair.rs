//! `repair`: the old rows again for what lanes have left.

use std::collections::BTreeSet;

use understudy_core::run_date::RunDate;
use understudy_runtime::error::RunError;
use understudy_runtime::events::Silent;
use understudy_runtime::repair::{
    DateRepair, RepairEnd, RepairOutcome, RepairReport, RepairRequest, repair as repair_dates,
};
use understudy_runtime::report::visible::visible;
use understudy_runtime::run::Halves;
use understudy_runtime::worker::Crew;

use super::moves::{actor, failed};
use super::run::{resources, tell_others};
use super::status::span;
use super::with_crew;
use crate::Program;
use crate::args::MoveArguments;
use crate::exit::Exit;
use crate::output::{print, print_json, tell};

pub(crate) fn repair(program: &Program, arguments: &MoveArguments) -> Exit {
    with_crew(program, async |crew| do_repair(arguments, &crew).await)
}

async fn do_repair(arguments: &MoveArguments, crew: &Crew) -> Result<Exit, RunError> {
    let request = RepairRequest {
        pipeline: &arguments.pipeline.pipeline,
        change: &arguments.change,
        actor: actor(&arguments.who),
        reason: arguments.who.reason.clone(),
        dry_run: arguments.dry_run,
        resources: resources(None),
    };
    let mut each = |date: &DateRepair| {
        for alert in &date.alerts {
            tell!("ALERT: {}", visible(alert));
        }
        if !arguments.json {
            print(&line(date));
        }
    };
    let RepairEnd { report, runs } = match repair_dates(&request, crew, &Silent, &mut each).await {
        Ok(end) => end,
        Err(error) => return Ok(failed(&error)),
    };
    if arguments.json {
        print_json(&report);
    } else {
        print(&sum(&report));
    }
    let runs: Vec<_> = runs.iter().collect();
    let told = tell_others(request.pipeline, Halves::Live, &runs, crew).await;
    Ok(if told {
        exit(&report)
    } else {
        Exit::Interrupted
    })
}

fn exit(report: &RepairReport) -> Exit {
    let exits = report.dates.iter().map(|date| match date.outcome {
        RepairOutcome::Repaired | RepairOutcome::WouldRepair | RepairOutcome::NotBegun => {
            Exit::Good
        }
        RepairOutcome::Gone => Exit::Inconclusive,
        RepairOutcome::LiveFailed => Exit::LiveFailed,
        RepairOutcome::Failed => Exit::Machine,
        RepairOutcome::Interrupted => Exit::Interrupted,
    });
    // Of these, a greater code is a graver one. What was not begun follows from another date.
    exits.max_by_key(|exit| *exit as u8).unwrap_or(Exit::Good)
}

fn line(date: &DateRepair) -> String {
    let slice = date.slice.as_ref();
    let slice = slice.map(|slice| format!(" {slice}")).unwrap_or_default();
    let lead = format!("{}{slice}  {}", date.date, word(date.outcome));
    let done = [
        (&date.given, "as quarantine has it"),
        (&date.computed, "computed again"),
    ];
    let done = done.iter().filter(|(tasks, _)| !tasks.is_empty());
    let done = done.map(|(tasks, how)| format!("{} {how}", names(tasks)));
    let run = date.run.as_ref().map(|run| format!("run {run}"));
    let reason = date
        .reason
        .as_ref()
        .map(|reason| visible(reason).into_owned());
    let words: Vec<String> = match date.outcome.is_good() {
        true => done.chain(reason).chain(run).collect(),
        false => reason.into_iter().chain(run).collect(),
    };
    let command = date.command.as_ref();
    let command = command.map(|command| format!("\n    compute it: {command}"));
    format!(
        "{lead}: {}{}",
        words.join("; "),
        command.unwrap_or_default()
    )
}

fn word(outcome: RepairOutcome) -> &'static str {
    match outcome {
        RepairOutcome::Repaired => "repaired",
        RepairOutcome::WouldRepair => "would be repaired",
        RepairOutcome::Gone => "CANNOT BE REPAIRED",
        RepairOutcome::NotBegun => "NOT BEGUN",
        RepairOutcome::LiveFailed => "LIVE FAILED",
        RepairOutcome::Failed => "FAILED",
        RepairOutcome::Interrupted => "INTERRUPTED",
    }
}

fn names(tasks: &BTreeSet<String>) -> String {
    let names: Vec<String> = tasks
        .iter()
        .map(|task| visible(task).into_owned())
        .collect();
    names.join(", ")
}

fn sum(report: &RepairReport) -> String {
    let change = visible(&report.change);
    let mut lines = vec![format!("{change}: {}", outcome(report))];
    if report.dates.is_empty() && report.lanes_are_live {
        lines.push(format!(
            "Lanes that are live stay as they are. To take them back: understudy rollback {change} --all"
        ));
    }
    if !report.replaced.is_empty() {
        let verb = if report.dry_run { "would be" } else { "was" };
        let places = report.replaced.iter();
        let places: Vec<String> = places
            .map(|(place, dates)| of_place(place, dates))
            .collect();
        lines.push(format!(
            "Others may have read what {verb} replaced: {}.",
            places.join("; ")
        ));
    }
    let outside = report.outside.iter();
    lines.extend(outside.map(|sentence| format!("Outside its reach: {}", visible(sentence))));
    lines.join("\n")
}

fn of_place(place: &str, dates: &BTreeSet<RunDate>) -> String {
    format!("{} for {}", visible(place), span(dates))
}

fn outcome(report: &RepairReport) -> String {
    let dates = report.dates.len();
    let good = report
        .dates
        .iter()
        .filter(|date| date.outcome.is_good())
        .count();
    let done = if report.dry_run {
        "would be repaired"
    } else {
        "repaired"
    };
    match (good, dates) {
        (_, 0) => "nothing to repair: no published rows are of a side that their lanes have left"
            .to_owned(),
        (1, 1) => format!("1 date {done}"),
        (good, dates) if good == dates => format!("{dates} dates {done}"),
        (good, dates) => format!("{good} of {dates} dates {done}"),
    }
}
