//! What many customers take.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use understudy_core::stage::Stage;
use understudy_flags::FlagProvider as _;

use crate::{FLAG, asked, customer, provider, server, stages, telling};

const CUSTOMERS: usize = 10_000;

fn names(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("customer-{number:05}"))
        .collect()
}

#[test]
fn ten_thousand_customers_are_decided_in_under_a_second() {
    let names = names(CUSTOMERS);
    // In the flag, half of them; in a segment, the others.
    let server = server();
    server.create_segment("half", |segment| {
        segment["includedContexts"] =
            json!([{"contextKind": "customer", "values": names[CUSTOMERS / 2..]}]);
    });
    server.edit_by_hand(FLAG, |own| {
        own["contextTargets"] = json!([{"contextKind": "customer", "variation": 2, "values": names[..CUSTOMERS / 2]}]);
        own["rules"] = json!([{"_id": "r", "variation": 2, "trackEvents": false, "clauses": [
            {"_id": "c", "contextKind": "", "attribute": "", "op": "segmentMatch", "values": ["half"], "negate": false}]}]);
    });
    let provider = provider(&server);
    assert!(provider.freshness().is_fresh());
    let lanes: Vec<(&str, Stage)> = names
        .iter()
        .map(|name| (name.as_str(), Stage::Live))
        .collect();
    let held = stages(&lanes, Stage::Shadow);
    let began = Instant::now();
    let answer = provider.snapshot(&[asked(&held)]).unwrap();
    let took = began.elapsed();
    let understudy_flags::FlagAnswer::Said(said) = answer else {
        panic!()
    };
    assert!(
        names
            .iter()
            .all(|name| said.stages.0[FLAG].of(&customer(name)) == Stage::Live)
    );
    eprintln!("{CUSTOMERS} customers: {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_thousand_move_with_a_handful_of_requests() {
    let server = server();
    let provider = provider(&server);
    assert!(provider.freshness().is_fresh());
    let names = names(1_000);
    let lanes: Vec<(&str, Stage)> = names
        .iter()
        .map(|name| (name.as_str(), Stage::Live))
        .collect();
    let wanted = stages(&lanes, Stage::Shadow);
    server.forget();
    let nobody = BTreeSet::new();
    provider
        .rehearse(
            &telling(&wanted, &nobody, None),
            &stages(&[], Stage::Shadow),
        )
        .unwrap();
    let told = provider
        .tell(&telling(&wanted, &nobody, Some("ledger entry 3 abc")))
        .unwrap();
    assert!(told.confirmed);
    let requests: Vec<String> = server
        .received()
        .iter()
        .filter(|request| request.path.starts_with("/api/"))
        .map(|request| format!("{} {}", request.method, request.path))
        .collect();
    eprintln!("{requests:#?}");
    assert!(requests.len() <= 6, "{requests:#?}");
}
