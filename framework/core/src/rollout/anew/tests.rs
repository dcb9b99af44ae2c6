use super::*;
use crate::rollout::record::LaneRecord;
use crate::spec::{FileCheck, load};

struct AllThere;

impl FileCheck for AllThere {
    fn exists(&self, _: &str) -> bool {
        true
    }

    fn read(&self, _: &str) -> Option<String> {
        None
    }
}

/// `totals` is read by `ranks`, and what was published of `ranks` by `trend`.
const PIPELINE: &str = "\
pipeline: shop
datasets: { orders: { location: orders.csv } }
tasks:
  totals: { inputs: [orders], output: { location: live/t, grain: [id], customer: c }, live: v1, versions: { v1: { sql: a.sql }, v2: { sql: b.sql } } }
  ranks: { inputs: [totals], output: { location: live/r, grain: [id], customer: c }, live: v1, versions: { v1: { sql: a.sql }, v2: { sql: b.sql } } }
  trend: { inputs: [{ dataset: ranks, date: -1d }], output: { location: live/n, grain: [id], customer: c }, live: v1, versions: { v1: { sql: a.sql }, v2: { sql: b.sql } } }
  other: { inputs: [orders], output: { location: live/o, grain: [id], customer: c }, live: v1, versions: { v1: { sql: a.sql }, v2: { sql: b.sql } } }
changes:
  t: { new: { totals: v2 } }
  r: { new: { ranks: v2 } }
  n: { new: { trend: v2 } }
  o: { new: { other: v2 } }
";

fn spec() -> Spec {
    let loaded = load(PIPELINE, "understudy.yaml", &AllThere);
    loaded
        .spec
        .unwrap_or_else(|| panic!("{:?}", loaded.problems))
}

fn turned(lanes: &[(&str, u64)], others: Option<u64>) -> Rollout {
    let record = |at| LaneRecord {
        turned: at,
        ..LaneRecord::default()
    };
    Rollout {
        lanes: lanes
            .iter()
            .map(|(lane, at)| (Customer::from_label(lane), record(Some(*at))))
            .collect(),
        others: record(others),
        ..Rollout::default()
    }
}

fn cause(at: u64, change: &str) -> Cause {
    Cause {
        entry: at,
        change: change.to_owned(),
    }
}

#[test]
fn what_moves_upstream_starts_the_evidence_of_its_lanes_anew_and_of_nobody_else() {
    let rollouts = BTreeMap::from([
        ("t".to_owned(), turned(&[("a", 5), ("b", 9)], None)),
        ("r".to_owned(), turned(&[("b", 7)], Some(6))),
        ("o".to_owned(), turned(&[("a", 100)], Some(100))),
    ]);
    let since = |change: &str, lane: &str| {
        let anew = Anew::since(&spec(), &rollouts, change, false);
        anew.of(&Customer::from_label(lane)).cloned()
    };
    assert_eq!(since("t", "a"), None);
    assert_eq!(since("r", "a"), Some(cause(5, "t")));
    assert_eq!(since("r", "c"), None);
    // Of what was published before, as well; the latest counts.
    assert_eq!(since("n", "a"), Some(cause(6, "r")));
    assert_eq!(since("n", "b"), Some(cause(9, "t")));
    assert_eq!(since("n", "c"), Some(cause(6, "r")));
    assert_eq!(since("o", "a"), None);
}

#[test]
fn any_lane_concerns_a_change_whose_lanes_are_one() {
    let rollouts = BTreeMap::from([("t".to_owned(), turned(&[("a", 5)], None))]);
    let anew = Anew::since(&spec(), &rollouts, "r", true);
    assert_eq!(anew.of(&Customer::Everybody), Some(&cause(5, "t")));
}
