//! `plan`: what `run` would do.

use std::collections::BTreeMap;

use serde_json::json;
use understudy_core::plan::{TreeFacts, render};
use understudy_core::snapshot::Found;
use understudy_runtime::error::RunError;
use understudy_runtime::prepare::{Asked, Prepared, prepare};
use understudy_runtime::report::visible::visible_lines;
use understudy_runtime::run::record;
use understudy_runtime::worker::Crew;

use super::with_crew;
use crate::Program;
use crate::args::PlanArguments;
use crate::exit::Exit;
use crate::output::{print, print_json, tell};

pub(crate) fn plan(program: &Program, arguments: &PlanArguments) -> Exit {
    with_crew(program, async |crew| show(arguments, &crew).await)
}

async fn show(arguments: &PlanArguments, crew: &Crew) -> Result<Exit, RunError> {
    let asked = Asked {
        date: arguments.date,
        slice: arguments.slice.as_deref(),
    };
    let mut prepared = prepare(&arguments.pipeline.pipeline, asked, crew).await?;
    prepared.alert_live_edits()?;
    let facts = facts(&prepared)?;
    if arguments.json {
        print_json(&json!({
            "version": 1,
            "plan": prepared.plan,
            "inputs": prepared.inputs,
            "suspended": facts.suspended.iter().cloned().collect::<BTreeMap<_, _>>(),
            "alerts": prepared.alerts,
            "cost": facts.cost,
        }));
    } else {
        for alert in &prepared.alerts {
            tell!("ALERT: {}", visible_lines(alert));
        }
        print(&visible_lines(&render(&prepared.plan, &facts)));
    }
    Ok(Exit::Good)
}

fn facts(prepared: &Prepared) -> Result<TreeFacts, RunError> {
    let datasets = prepared
        .inputs
        .tables
        .iter()
        .map(|(name, found)| (name.clone(), size_text(found)));
    let suspended = prepared
        .pipeline
        .spec
        .suspended
        .iter()
        .map(|(change, problems)| {
            (
                change.clone(),
                problems
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        });
    let earlier = record::read(&prepared.store, &prepared.plan.run)?;
    let done = earlier.map(|record| record.log.nodes).unwrap_or_default();
    Ok(TreeFacts {
        datasets: datasets.collect(),
        suspended: suspended.collect(),
        cost: record::cost(&prepared.store)?,
        done: done
            .into_iter()
            .filter(|(_, node)| node.outcome.is_ok())
            .map(|(id, _)| id)
            .collect(),
    })
}

fn size_text(found: &Found) -> String {
    let snapshot = match found {
        Found::There(snapshot) => snapshot,
        Found::NotYet(location) => return format!("{location}  NOT THERE YET"),
    };
    let bytes: u64 = snapshot.files.iter().map(|file| file.bytes).sum();
    let files = match snapshot.files.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    format!(
        "{}  {files}, {}",
        snapshot.location,
        understudy_runtime::report::units::bytes(bytes)
    )
}
