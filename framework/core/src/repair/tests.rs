//! Histories as text: what was published when, from which side, and what does not hold now.

use super::*;
use crate::customer::Customer;
use crate::slice::{Members, SliceOf};
use crate::spec::{FileCheck, load};
use crate::stage::Stage;
use crate::world::Side;

struct AnyFile;

impl FileCheck for AnyFile {
    fn exists(&self, _path: &str) -> bool {
        true
    }

    fn read(&self, _path: &str) -> Option<String> {
        None
    }
}

/// The change gives `totals` a new version; `rank` reads it, `sums` reads its own past and `rank`, `free` neither.
const PIPELINE: &str = "\
pipeline: p
datasets:
  raw: { location: \"raw/date={date}/\", customer: who }
slices: { a: [Ann], others: { others: true } }
tasks:
  totals: { inputs: [raw], output: { location: live/totals, grain: [id], customer: who }, live: v1, versions: { v1: { sql: a.sql }, v2: { sql: b.sql } } }
  rank: { inputs: [totals], output: { location: live/rank, grain: [id], customer: who }, live: v1, versions: { v1: { sql: a.sql } } }
  sums: { inputs: [rank, { dataset: sums, date: -1d, as: before }], output: { location: live/sums, grain: [id], customer: who }, live: v1, versions: { v1: { sql: a.sql } } }
  free: { inputs: [raw], output: { location: live/free, grain: [id], customer: who }, live: v1, versions: { v1: { sql: a.sql } } }
changes:
  x: { new: { totals: v2 } }
";

fn spec() -> Spec {
    let loaded = load(PIPELINE, "understudy.yaml", &AnyFile);
    loaded
        .spec
        .unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}

fn stages(live: &[&str]) -> LaneStages {
    let all = live.contains(&"*");
    let named = live.iter().filter(|lane| **lane != "*");
    LaneStages {
        lanes: named
            .map(|lane| (Customer::Named((*lane).to_owned()), Stage::Live))
            .collect(),
        unlisted: if all { Stage::Live } else { Stage::Shadow },
    }
}

const ALL: &[&str] = &["totals", "rank", "sums", "free"];
const BACK: &[&str] = &["totals", "rank", "sums"];

/// One edition an entry: the day, what was published, and who got new rows. Each begins after all before it.
fn check(history: &[(u32, &[&str], &[&str])], now: &[&str], expected: &str) {
    let spec = spec();
    let sides: Vec<Sides> = history
        .iter()
        .map(|(_, _, live)| Sides::of_stages(&stages(live)))
        .collect();
    let editions: Vec<Edition> = history
        .iter()
        .enumerate()
        .map(|(position, (day, tasks, _))| edition(position, *day, tasks))
        .collect();
    assert_eq!(said(&spec, &editions, &sides, now), expected, "{history:?}");
}

fn edition(position: usize, day: u32, tasks: &[&str]) -> Edition {
    Edition {
        number: position as u64 + 1,
        at: format!("2026-04-01T{position:02}:30:00.000Z"),
        began: format!("2026-04-01T{position:02}:00:00.000Z"),
        run: format!("r{position}"),
        date: format!("2026-03-{day:02}").parse().unwrap(),
        slice: None,
        tasks: tasks.iter().map(|task| (*task).to_owned()).collect(),
        changed: BTreeSet::from(["totals".to_owned()]),
        sides: position,
    }
}

fn said(spec: &Spec, editions: &[Edition], sides: &[Sides], now: &[&str]) -> String {
    let stale = stale(&History {
        spec,
        editions,
        sides,
        now: &stages(now),
    });
    let dates = stale.iter().map(|date| {
        let tasks: Vec<&str> = date.tasks.keys().map(String::as_str).collect();
        let slice = date.slice.as_ref().map(|slice| format!("/{slice}"));
        let day = &date.date.to_string()[8..];
        format!("{day}{}: {}", slice.unwrap_or_default(), tasks.join(" "))
    });
    dates.collect::<Vec<_>>().join(", ")
}

#[test]
fn what_lanes_have_left_is_stale_with_what_was_computed_from_it() {
    check(&[(1, ALL, &[]), (2, ALL, &["Ann"])], &["Ann"], "");
    check(
        &[(1, ALL, &[]), (2, ALL, &["Ann"])],
        &[],
        "02: rank sums totals",
    );
    // Others who stay change nothing of that.
    check(
        &[(2, ALL, &["Ann", "Bob"])],
        &["Bob"],
        "02: rank sums totals",
    );
    check(&[(2, ALL, &["*"])], &["Ann"], "02: rank sums totals");
    check(&[(2, ALL, &["Ann"])], &["*"], "");
}

#[test]
fn a_balance_carries_it_on_to_dates_that_were_published_after_the_move_back() {
    check(
        &[(1, ALL, &["Ann"]), (2, ALL, &[]), (3, ALL, &[])],
        &[],
        "01: rank sums totals, 02: sums, 03: sums",
    );
}

#[test]
fn what_is_published_again_holds_whoever_did_it() {
    // A repair of the first date alone: the second still builds on what it read then.
    check(
        &[(1, ALL, &["Ann"]), (2, ALL, &[]), (1, BACK, &[])],
        &[],
        "02: sums",
    );
    check(
        &[
            (1, ALL, &["Ann"]),
            (2, ALL, &[]),
            (1, ALL, &[]),
            (2, &["sums"], &[]),
        ],
        &[],
        "",
    );
    // In the wrong order, the second reads what does not hold, again.
    check(
        &[
            (1, ALL, &["Ann"]),
            (2, ALL, &[]),
            (2, &["sums"], &[]),
            (1, BACK, &[]),
        ],
        &[],
        "02: sums",
    );
}

#[test]
fn a_run_that_began_before_a_repair_ended_has_read_what_was_there_before() {
    let spec = spec();
    let sides = [stages(&["Ann"]), stages(&[])].map(|stages| Sides::of_stages(&stages));
    let mut editions = vec![edition(0, 1, ALL), edition(1, 1, BACK), edition(2, 2, ALL)];
    (editions[1].sides, editions[2].sides) = (1, 1);
    assert_eq!(said(&spec, &editions, &sides, &[]), "");
    editions[2].began = editions[1].began.clone();
    assert_eq!(said(&spec, &editions, &sides, &[]), "02: sums");
}

#[test]
fn a_slice_is_stale_for_its_own_customers_only() {
    let spec = spec();
    let of = |name: &str| crate::slice::slice_of(&spec, name).unwrap();
    let among =
        |live: &[&str], slice: &SliceOf| Sides::of_stages(&stages(live)).among(&slice.members);
    let sides = [
        among(&["Ann"], &of("a")),
        among(&["Ann"], &of("others")),
        among(&["*"], &of("others")),
    ];
    assert!(sides[0].has_new() && !sides[1].has_new() && sides[2].has_new());
    assert_eq!(sides[2].of(&Customer::Named("Ann".to_owned())), Side::Old);
    assert!(matches!(of("others").members, Members::AllBut(_)));
    let mut editions = vec![edition(0, 1, ALL), edition(1, 1, ALL)];
    (editions[0].slice, editions[1].slice) = (Some("a".to_owned()), Some("others".to_owned()));
    assert_eq!(
        said(&spec, &editions, &sides, &[]),
        "01/a: rank sums totals"
    );
    // A run for everybody reads what all slices published; one of a slice its own.
    let mut next = edition(2, 2, ALL);
    next.sides = 1;
    editions.push(next.clone());
    assert_eq!(
        said(&spec, &editions, &sides, &[]),
        "01/a: rank sums totals, 02: sums"
    );
    editions[2].slice = Some("others".to_owned());
    assert_eq!(
        said(&spec, &editions, &sides, &[]),
        "01/a: rank sums totals"
    );
}

#[test]
fn a_repair_gives_nobody_new_rows() {
    let then = Sides::of_stages(&stages(&["Ann", "Bob"]));
    let held = held_to(&then, &stages(&["Ann", "Cat"]));
    let stage = |name: &str| held.of(&Customer::Named(name.to_owned()));
    assert_eq!(
        [stage("Ann"), stage("Bob"), stage("Cat"), held.unlisted],
        [Stage::Live, Stage::Shadow, Stage::Shadow, Stage::Shadow]
    );
}
