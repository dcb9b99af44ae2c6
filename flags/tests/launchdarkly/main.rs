//! LaunchDarkly from outside: the real SDK and our REST client against a scripted server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod faults;
mod moving;
mod reading;
mod scale;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use understudy_core::customer::Customer;
use understudy_core::rollout::interlock;
use understudy_core::spec::{LaunchDarklyMode, LaunchDarklyRegion};
use understudy_core::stage::{LaneStages, Stage, Stages};
use understudy_flags::{
    Asked, FlagAnswer, FlagProvider as _, LaunchDarkly, Said, Settings, Telling, Towards,
};
use understudy_scripted_launchdarkly::Scripted;

/// The flag of most tests.
const FLAG: &str = "orders.enrich";

/// A server with one flag of the four stages, at `shadow` for everybody.
fn server() -> Scripted {
    let server = Scripted::start();
    server.create_stage_flag(FLAG);
    server
}

fn settings(server: &Scripted) -> Settings {
    Settings {
        sdk_key: Ok(server.sdk_key().to_owned()),
        api_token: Some(Ok(server.api_token().to_owned())),
        project: server.project().to_owned(),
        environment: server.environment().to_owned(),
        mode: LaunchDarklyMode::Streaming,
        relay: Some(server.url()),
        region: LaunchDarklyRegion::Us,
        api: Some(server.url()),
        hash_key: None,
        wait: Duration::from_secs(4),
        stale_after: Duration::from_secs(2),
    }
}

fn provider(server: &Scripted) -> LaunchDarkly {
    LaunchDarkly::new(settings(server))
}

fn customer(name: &str) -> Customer {
    Customer::Named(name.to_owned())
}

fn stages(lanes: &[(&str, Stage)], unlisted: Stage) -> LaneStages {
    LaneStages {
        lanes: lanes
            .iter()
            .map(|(lane, stage)| (customer(lane), *stage))
            .collect(),
        unlisted,
    }
}

fn asked(held: &LaneStages) -> Asked {
    Asked {
        flag: FLAG.to_owned(),
        held: held.clone(),
        customers: BTreeSet::new(),
        last_version: None,
    }
}

fn said(provider: &LaunchDarkly, held: &LaneStages) -> Said {
    match provider.snapshot(&[asked(held)]).unwrap() {
        FlagAnswer::Said(said) => said,
        FlagAnswer::Silent => panic!("it never says nothing"),
    }
}

/// What a run would make of what is held, as the runtime puts it together: the stages, and what a person is told.
fn taken(provider: &LaunchDarkly, held: &LaneStages) -> (LaneStages, Vec<String>) {
    let said = match provider.snapshot(&[asked(held)]) {
        Err(error) => return (held.clone(), vec![error.to_string()]),
        Ok(FlagAnswer::Silent) => return (held.clone(), vec!["gone".to_owned()]),
        Ok(FlagAnswer::Said(said)) => said,
    };
    let ledger = Stages(BTreeMap::from([("change".to_owned(), held.clone())]));
    let own = said
        .stages
        .0
        .get(FLAG)
        .map(|own| ("change".to_owned(), own.clone()));
    let (stages, mut alerts) = interlock(&ledger, &own.into_iter().collect());
    alerts.extend(said.doubts.into_iter().map(|doubt| doubt.why));
    (stages.of("change"), alerts)
}

fn telling<'a>(
    stages: &'a LaneStages,
    nobody: &'a BTreeSet<Customer>,
    marker: Option<&'a str>,
) -> Telling<'a> {
    Telling {
        flag: FLAG,
        stages,
        customers: nobody,
        why: "Understudy: a test",
        marker,
        towards: Towards::New,
        hurry: false,
    }
}

/// Waits until something is so.
fn eventually(what: &str, within: Duration, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < within, "not within {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
