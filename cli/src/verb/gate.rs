//! `gate`: whether a change may move towards new, for scripts.

use std::collections::BTreeSet;

use serde_json::json;
use understudy_core::customer::Customer;
use understudy_core::gate::{Decision, Standing, Waits};
use understudy_core::rollout::lane::LaneEvent;
use understudy_runtime::report::visible::visible;
use understudy_runtime::rollout::{Evidence, Lanes, situation};
use understudy_runtime::run::rejudge::is_needed;

use super::moves::failed;
use super::rejudge::judge_again;
use super::usage;
use crate::Program;
use crate::args::GateArguments;
use crate::exit::Exit;
use crate::output::{print, print_json};

/// How many lanes are named one by one.
const SHOWN_LANES: usize = 20;

pub(crate) fn gate(program: &Program, arguments: &GateArguments) -> Exit {
    let (pipeline, change) = (&arguments.pipeline.pipeline, &arguments.change);
    let mut found = situation(pipeline, change, Evidence::Index);
    if let Ok(known) = &found
        && is_needed(&known.track, &known.rules)
    {
        judge_again(program, pipeline, change);
        found = situation(pipeline, change, Evidence::Index);
    }
    let situation = match found {
        Ok(situation) => situation,
        Err(error) => return failed(&error),
    };
    let named: BTreeSet<Customer> = arguments
        .customers
        .iter()
        .map(|name| Customer::Named(name.clone()))
        .collect();
    let decision = if arguments.next {
        match situation.step(LaneEvent::Flip, &Lanes::Next, false, None) {
            Ok(step) => step.decision,
            Err(none) => return usage(&format!("`{}` {none}", visible(&arguments.change))),
        }
    } else {
        situation.gate((!named.is_empty()).then_some(&named), None)
    };
    // Evidence opens the gate; a move waits for the flags as well.
    let flags = situation.pipeline.flags.freshness();
    if arguments.json {
        print_json(
            &json!({ "version": 1, "change": arguments.change, "gate": decision, "flags": flags }),
        );
    } else {
        print(&text(&arguments.change, &decision));
        if !flags.is_fresh() {
            print(&format!(
                "  {} is {}: nobody moves towards new until that has passed",
                situation.pipeline.flags.name(),
                visible(&flags.to_string())
            ));
        }
    }
    exit_of(decision.standing)
}

pub(super) fn exit_of(standing: Standing) -> Exit {
    match standing {
        Standing::Ready => Exit::Good,
        Standing::NotReady => Exit::Unexpected,
        Standing::NoEvidence => Exit::Inconclusive,
    }
}

/// The decision, with every check that is not good.
pub(super) fn text(change: &str, decision: &Decision) -> String {
    let not_ready: Vec<_> = decision
        .lanes
        .iter()
        .filter(|(_, lane)| lane.standing != Standing::Ready)
        .collect();
    let mut lines = vec![format!(
        "{}: {}, {} of {} ready",
        visible(change),
        decision.standing.text(),
        decision.lanes.len() - not_ready.len(),
        match decision.lanes.len() {
            1 => "1 lane is".to_owned(),
            lanes => format!("{lanes} lanes are"),
        }
    )];
    for check in &decision.checks {
        let (figure, limit) = (visible(&check.figure), visible(&check.limit));
        lines.push(format!(
            "  {}: {figure} (wanted: {limit})",
            check.standing.text()
        ));
    }
    for (customer, lane) in not_ready.iter().take(SHOWN_LANES) {
        lines.push(format!(
            "  {}  {}{}",
            visible(&customer.label()),
            lane.standing.text(),
            waits(lane.waits)
        ));
        let bad = lane.checks.iter();
        for check in bad.filter(|check| check.standing != Standing::Ready) {
            let (figure, limit) = (visible(&check.figure), visible(&check.limit));
            lines.push(format!("    {figure} (wanted: {limit})"));
        }
    }
    if not_ready.len() > SHOWN_LANES {
        lines.push(format!(
            "  and {} more that are not ready",
            not_ready.len() - SHOWN_LANES
        ));
    }
    let warnings: BTreeSet<&String> = decision
        .lanes
        .values()
        .flat_map(|lane| &lane.checks)
        .filter_map(|check| check.warning.as_ref())
        .collect();
    lines.extend(
        warnings
            .iter()
            .map(|warning| format!("  WARNING: {}", visible(warning))),
    );
    if !decision.without_rows.is_empty() {
        let names: Vec<String> = decision
            .without_rows
            .iter()
            .map(|lane| visible(&lane.label()).into_owned())
            .collect();
        lines.push(format!("  never had rows: {}", names.join(", ")));
    }
    lines.join("\n")
}

/// What has to come by itself: `: 2 runs, 31 h left`.
pub(super) fn waits(waits: Waits) -> String {
    let mut parts = Vec::new();
    match waits.runs {
        0 => {}
        1 => parts.push("1 run".to_owned()),
        runs => parts.push(format!("{runs} runs")),
    }
    match waits.secs {
        0 => {}
        secs if secs < 3_600 => parts.push(format!("{} min", secs.div_ceil(60))),
        secs => parts.push(format!("{} h", secs.div_ceil(3_600))),
    }
    match waits.rows {
        0 => {}
        rows => parts.push(format!("{rows} rows")),
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!(": {} left", parts.join(", "))
    }
}
