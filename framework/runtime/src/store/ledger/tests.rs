use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use understudy_core::customer::Customer;
use understudy_core::ledger::Move;
use understudy_core::stage::Stage;

use super::*;
use crate::store::crash;

mod appends;
mod tampering;

fn at() -> DateTime<Utc> {
    "2026-03-01T06:00:00Z".parse().unwrap()
}

fn event(reason: &str) -> LedgerEvent {
    LedgerEvent::Moved(Move {
        change: "utc-delays".to_owned(),
        lanes: vec![Customer::Named("AS".to_owned())],
        to: Stage::Live,
        by: "ana".to_owned(),
        reason: Some(reason.to_owned()),
        code: None,
        known_by: None,
        event: None,
        gate: None,
        wave: None,
        except: Vec::new(),
    })
}

fn append(folder: &Path, count: usize) {
    let mut ledger = Ledger::open(folder).unwrap();
    for _ in 0..count {
        let reason = format!("move {}", ledger.entries().len() + 1);
        ledger.append(&event(&reason), at()).unwrap();
    }
}

fn reasons(ledger: &Ledger) -> Vec<String> {
    let reason = |entry: &Entry| match &entry.event {
        LedgerEvent::Moved(moved) => moved.reason.clone().unwrap(),
        other => panic!("{other:?}"),
    };
    ledger.entries().iter().map(reason).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
