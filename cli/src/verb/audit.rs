//! `audit`: the ledger, and whether its chain is whole.

use std::path::Path;

use serde_json::json;
use understudy_core::customer::{Customer, listed};
use understudy_core::ledger::{Entry, KnownBy, LedgerEvent};
use understudy_core::review::Decision;
use understudy_core::rollout::lane::LaneEvent;
use understudy_runtime::error::RunError;
use understudy_runtime::flags::explain;
use understudy_runtime::report::visible::visible;
use understudy_runtime::store::layout::Store;
use understudy_runtime::store::ledger;
use understudy_runtime::{pipeline, prepare};

use crate::args::{AuditArguments, AuditExplainArguments, AuditVerb};
use crate::exit::{Exit, fail};
use crate::output::{print, print_json};

pub(crate) fn audit(arguments: &AuditArguments) -> Exit {
    let outcome = match &arguments.verb {
        None => list(&arguments.pipeline.pipeline, arguments.json),
        Some(AuditVerb::Verify(verify)) => check(&verify.pipeline.pipeline, verify.json),
        Some(AuditVerb::Explain(explain)) => explained(explain),
    };
    outcome.unwrap_or_else(|error| fail(&error))
}

fn store(path: &Path) -> Result<Store, RunError> {
    Ok(Store::of(&pipeline::load(path)?))
}

fn list(path: &Path, as_json: bool) -> Result<Exit, RunError> {
    let entries = prepare::entries(&store(path)?)?;
    if as_json {
        print_json(&json!({ "version": 1, "entries": entries }));
    } else if entries.is_empty() {
        print("the ledger is empty: nothing has run yet");
    } else {
        print(&entries.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    Ok(Exit::Good)
}

fn check(path: &Path, as_json: bool) -> Result<Exit, RunError> {
    let store = store(path)?;
    ledger::bring(&store)?;
    let folder = store.ledger_dir();
    let faults: Vec<String> = ledger::verify(&folder)
        .iter()
        .map(ToString::to_string)
        .collect();
    let entries = ledger::Ledger::open(&folder).map(|ledger| ledger.entries().len());
    if as_json {
        print_json(
            &json!({ "version": 1, "whole": faults.is_empty(), "entries": entries.ok(), "faults": faults }),
        );
    } else if faults.is_empty() {
        print(&format!(
            "the chain is whole: {} entries",
            entries.unwrap_or(0)
        ));
    } else {
        print(&format!(
            "THE CHAIN IS BROKEN\n{}",
            faults
                .iter()
                .map(|fault| format!("  {}", visible(fault)))
                .collect::<Vec<_>>()
                .join("\n")
        ));
    }
    Ok(if faults.is_empty() {
        Exit::Good
    } else {
        Exit::Unexpected
    })
}

fn explained(arguments: &AuditExplainArguments) -> Result<Exit, RunError> {
    let path = &arguments.pipeline.pipeline;
    let found = explain(
        path,
        arguments.run.as_deref(),
        arguments.customer.as_deref(),
    )?;
    if arguments.json {
        print_json(&found);
        return Ok(Exit::Good);
    }
    let taken = found.taken_at.as_ref().map_or(
        "no flags are stored with it: the stages are the ledger's".to_owned(),
        |at| format!("flags as of {at}"),
    );
    let mut lines = vec![format!("run {}, {}", visible(&found.run), visible(&taken))];
    for (name, change) in &found.changes {
        let flag = change.flag.as_ref();
        let flag = flag.map_or(String::new(), |(flag, version)| {
            format!(" (flag {} version {version})", visible(flag))
        });
        lines.push(format!("{}{flag}", visible(name)));
        if let Some(why) = &change.refused {
            lines.push(format!("  the flag did not count: {}", visible(why)));
        }
        for lane in &change.lanes {
            let who = match &lane.customer {
                Customer::Everybody => "everybody else".to_owned(),
                customer => customer.label(),
            };
            let said = match (&lane.flag, &lane.reason) {
                (Some(stage), Some(reason)) => format!("; the flag says {stage}: {reason}"),
                (None, Some(reason)) => format!("; the flag says nothing that counts: {reason}"),
                _ => String::new(),
            };
            lines.push(format!(
                "  {:<14} ran at {}{}",
                visible(&who),
                lane.stage,
                visible(&said)
            ));
        }
    }
    for alert in &found.alerts {
        lines.push(format!("ALERT: {}", visible(alert)));
    }
    print(&lines.join("\n"));
    Ok(Exit::Good)
}

fn of_slice(slice: Option<&str>) -> String {
    slice.map(|slice| format!(" {slice}")).unwrap_or_default()
}

fn who(name: &str, known_by: Option<KnownBy>) -> String {
    match known_by {
        Some(KnownBy::Understudy) | None => name.to_owned(),
        Some(known) => format!("{name} ({})", known.text()),
    }
}

/// The lanes that an entry is for; with `--json` come all of their names.
fn who_of(lanes: &[Customer]) -> String {
    match lanes {
        [] => "all lanes".to_owned(),
        lanes => listed(&lanes.iter().collect::<Vec<_>>()),
    }
}

fn line(entry: &Entry) -> String {
    let what = match &entry.event {
        LedgerEvent::Published(run) => {
            let end = if run.succeeded {
                match run.outputs.len() {
                    1 => "published 1 output".to_owned(),
                    outputs => format!("published {outputs} outputs"),
                }
            } else {
                "LIVE FAILED".to_owned()
            };
            let alerts = match run.alerts.len() {
                0 => String::new(),
                1 => ", 1 alert".to_owned(),
                alerts => format!(", {alerts} alerts"),
            };
            let slice = of_slice(run.slice.as_deref());
            let repair = run.repair.as_ref().map(|repair| {
                let who = who(&repair.by, Some(repair.known_by));
                format!(", to repair {}, by {who}", repair.change)
            });
            let repair = repair.unwrap_or_default();
            format!("{}{slice} {}  {end}{repair}{alerts}", run.date, run.run)
        }
        LedgerEvent::Judged(run) => {
            let lanes: Vec<String> = run
                .lanes
                .iter()
                .rev()
                .map(|(verdict, count)| format!("{count} {verdict}"))
                .collect();
            format!(
                "{}{} {}  {}: {} ({})",
                run.date,
                of_slice(run.slice.as_deref()),
                run.run,
                run.change,
                run.verdict,
                lanes.join(", ")
            )
        }
        LedgerEvent::Moved(moved) => {
            let lanes = who_of(&moved.lanes);
            let what = match moved.event {
                Some(LaneEvent::FallBack { .. }) => "fell back".to_owned(),
                Some(LaneEvent::NewCode) => "back, for other code".to_owned(),
                _ => format!("to {}", moved.to),
            };
            let overridden = moved.gate.as_ref().is_some_and(|gate| gate.overridden);
            let overridden = if overridden { ", GATE OVERRIDDEN" } else { "" };
            format!(
                "{}: {lanes} {what} by {}{overridden}",
                moved.change,
                who(&moved.by, moved.known_by)
            )
        }
        LedgerEvent::Held(hold) => {
            let lanes = who_of(&hold.lanes);
            let what = if hold.held { "held" } else { "released" };
            let who = who(&hold.by, Some(hold.known_by));
            format!("{}: {lanes} {what} by {who}", hold.change)
        }
        LedgerEvent::Reviewed(reviewed) => {
            let count = |wanted: Decision| {
                let own = reviewed.decisions.iter();
                own.filter(|decided| decided.decision == wanted).count()
            };
            let counts: Vec<String> = Decision::ALL
                .into_iter()
                .filter(|decision| count(*decision) > 0)
                .map(|decision| format!("{} {}", count(decision), decision.name()))
                .collect();
            format!(
                "{}: differences of run {} reviewed by {}: {}",
                reviewed.change,
                reviewed.run,
                who(&reviewed.by, Some(reviewed.known_by)),
                counts.join(", ")
            )
        }
        LedgerEvent::FlagTold(told) => format!(
            "{}: flag {} has it up to entry {}, as version {}{}",
            told.change,
            told.flag,
            told.entry,
            told.flag_version,
            if told.confirmed {
                ""
            } else {
                ", not seen on the stream yet"
            }
        ),
        LedgerEvent::Approved(approved) => format!(
            "{}: evidence {} approved by {}",
            approved.change,
            approved.evidence.short(),
            who(&approved.by, Some(approved.known_by))
        ),
    };
    format!("{:>6}  {}  {}", entry.number, entry.at, visible(&what))
}
