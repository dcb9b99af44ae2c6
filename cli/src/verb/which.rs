//! `which`: the version that is live, for schedulers that run versions themselves.

use serde_json::json;
use understudy_core::customer::Customer;
use understudy_runtime::error::RunError;
use understudy_runtime::report::visible::visible;
use understudy_runtime::which::{Lane, Which, which as look};

use crate::args::WhichArguments;
use crate::exit::{Exit, fail};
use crate::output::{print, print_json, tell};

pub(crate) fn which(arguments: &WhichArguments) -> Exit {
    answer(arguments).unwrap_or_else(|error| fail(&error))
}

fn answer(arguments: &WhichArguments) -> Result<Exit, RunError> {
    let which = look(&arguments.pipeline.pipeline, &arguments.task)?;
    for alert in &which.alerts {
        tell!("ALERT: {}", visible(alert));
    }
    match &arguments.customer {
        Some(customer) => one(&which, customer, arguments.json),
        None => all(&which, arguments.json),
    }
    Ok(Exit::Good)
}

fn one(which: &Which, customer: &str, as_json: bool) {
    let lane = which.of(&Customer::Named(customer.to_owned()));
    if as_json {
        print_json(&json!({
            "version": 1,
            "task": which.task,
            "change": which.change,
            "customer": customer,
            "stage": lane.stage,
            "live": lane.version,
        }));
    } else {
        print(&visible(&lane.version));
    }
}

fn all(which: &Which, as_json: bool) {
    if as_json {
        return print_json(&json!({
            "version": 1,
            "task": which.task,
            "change": which.change,
            "unlisted": which.unlisted,
            "customers": which.lanes,
        }));
    }
    let lanes = which
        .lanes
        .iter()
        .map(|(customer, lane)| line(&customer.label(), lane));
    let others = if which.lanes.is_empty() {
        "everybody"
    } else {
        "everybody else"
    };
    let unlisted = line(others, &which.unlisted);
    print(&lanes.chain([unlisted]).collect::<Vec<_>>().join("\n"));
}

fn line(who: &str, lane: &Lane) -> String {
    let stage = lane
        .stage
        .map(|stage| format!(" ({stage})"))
        .unwrap_or_default();
    format!("{}  {}{stage}", visible(who), visible(&lane.version))
}
