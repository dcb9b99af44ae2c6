use proptest::prelude::*;

use super::*;
use crate::gate::Standing;
use crate::ledger::{Approved, Gated, Hold};

fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

fn named(lanes: &[&str]) -> Vec<Customer> {
    lanes
        .iter()
        .map(|lane| Customer::from_label(lane))
        .collect()
}

fn entry(number: u64, event: LedgerEvent) -> Entry {
    let at = DateTime::from_timestamp(1_772_000_000 + 3_600 * number as i64, 0).unwrap();
    Entry {
        version: event.format(),
        number,
        previous: digest(""),
        at: at.to_rfc3339(),
        event,
    }
}

fn moved(lanes: &[&str], event: LaneEvent, code: &str) -> LedgerEvent {
    LedgerEvent::Moved(Move {
        change: "better".to_owned(),
        lanes: named(lanes),
        to: Stage::Shadow,
        by: "ana".to_owned(),
        reason: None,
        code: Some(digest(code)),
        known_by: Some(KnownBy::SystemUser),
        event: Some(event),
        gate: Some(Gated {
            evidence: digest("evidence"),
            standing: Standing::Ready,
            overridden: false,
            policy: GatePolicy {
                clean_runs: Some(number_of(code)),
                ..GatePolicy::default()
            },
        }),
        wave: None,
        except: Vec::new(),
    })
}

fn number_of(code: &str) -> u32 {
    code.len() as u32
}

fn held(lanes: &[&str], held: bool) -> LedgerEvent {
    LedgerEvent::Held(Hold {
        change: "better".to_owned(),
        lanes: named(lanes),
        held,
        by: "ana".to_owned(),
        known_by: KnownBy::Said,
        reason: None,
    })
}

fn rollout(events: Vec<LedgerEvent>) -> Rollout {
    let entries: Vec<Entry> = events
        .into_iter()
        .zip(1..)
        .map(|(event, number)| entry(number, event))
        .collect();
    rollouts(&entries).remove("better").unwrap_or_default()
}

fn stage(rollout: &Rollout, lane: &str) -> Stage {
    rollout.lane(&Customer::from_label(lane)).state.stage
}

#[test]
fn a_move_of_all_leaves_lanes_that_cannot_go_along() {
    let moves = vec![
        moved(&["gone"], LaneEvent::Withdraw, "v2"),
        held(&["held"], true),
        moved(&[], LaneEvent::Flip, "v2"),
    ];
    let rollout = rollout(moves);
    let stages = ["gone", "held", "other"].map(|lane| stage(&rollout, lane));
    assert_eq!(stages, [Stage::Off, Stage::Shadow, Stage::Live]);
}

#[test]
fn lanes_of_other_code_are_not_live() {
    let moves = vec![
        moved(&["a"], LaneEvent::Flip, "v2"),
        moved(&["b"], LaneEvent::Flip, "v2 edited"),
    ];
    let rollout = rollout(moves);
    let (stages, others) = rollout.stages_for(&digest("v2 edited"));
    assert_eq!(others, named(&["a"]));
    let stages = ["a", "b", "c"].map(|lane| stages.of(&Customer::from_label(lane)));
    assert_eq!(stages, [Stage::Shadow, Stage::Live, Stage::Shadow]);
}

#[test]
fn the_first_policy_is_that_of_the_first_lane_of_this_rollout() {
    let first = |moves: &[LedgerEvent]| {
        let policy = rollout(moves.to_vec()).first_policy;
        policy.and_then(|policy| policy.clean_runs)
    };
    let mut moves = vec![
        moved(&["a"], LaneEvent::Flip, "12345"),
        moved(&["b"], LaneEvent::Flip, "123"),
    ];
    assert_eq!(first(&moves), Some(5));
    moves.push(moved(&["a"], LaneEvent::Rollback, ""));
    assert_eq!(first(&moves), Some(5));
    moves.push(moved(&[], LaneEvent::Rollback, ""));
    assert_eq!(first(&moves), None);
    moves.push(moved(&["a"], LaneEvent::Flip, "1234"));
    assert_eq!(first(&moves), Some(4));
}

#[test]
fn when_a_lane_fell_and_since_when_it_is_live_is_known() {
    let moves = vec![
        moved(&["a"], LaneEvent::Flip, "v2"),
        moved(&["a"], LaneEvent::Flip, "v2"),
        moved(&["a"], LaneEvent::FallBack { again: false }, "v2"),
    ];
    let at = |number: i64| Some(1_772_000_000 + 3_600 * number);
    let before = rollout(moves[..2].to_vec());
    assert_eq!(before.lanes[&Customer::from_label("a")].live_since, at(1));
    let after = rollout(moves);
    let lane = &after.lanes[&Customer::from_label("a")];
    assert_eq!((lane.live_since, lane.fell), (None, at(3)));
}

#[test]
fn approvals_are_kept_with_what_they_are_for() {
    let approved = LedgerEvent::Approved(Approved {
        change: "better".to_owned(),
        evidence: digest("evidence"),
        by: "bo".to_owned(),
        known_by: KnownBy::Ci,
        reason: None,
    });
    let rollout = rollout(vec![approved]);
    let expected = Approval {
        by: "bo".to_owned(),
        evidence: digest("evidence"),
    };
    assert_eq!(rollout.approvals, [expected]);
    assert!(!rollout.moved);
}

fn any_event() -> impl Strategy<Value = LaneEvent> {
    prop_oneof![
        4 => Just(LaneEvent::Flip),
        1 => Just(LaneEvent::Rollback),
        1 => Just(LaneEvent::FallBack { again: false }),
        1 => Just(LaneEvent::FallBack { again: true }),
        1 => Just(LaneEvent::NewCode),
        1 => Just(LaneEvent::Hold),
        1 => Just(LaneEvent::Release),
        1 => Just(LaneEvent::Withdraw),
        1 => Just(LaneEvent::Complete),
    ]
}

proptest! {
    /// The lanes that follow from the ledger are those that each event, taken lane by lane, leads to.
    #[test]
    fn replaying_the_ledger_gives_the_same_lanes(
        events in prop::collection::vec((any_event(), prop::collection::vec(0_usize..3, 0..3)), 0..12),
    ) {
        const LANES: [&str; 4] = ["a", "b", "c", "somebody else"];
        let mut model = [LaneState::default(); 4];
        let mut entries = Vec::new();
        for (event, lanes) in &events {
            for (position, state) in model.iter_mut().enumerate() {
                if lanes.is_empty() || lanes.contains(&position) {
                    *state = state.after(*event).unwrap_or(*state);
                }
            }
            let names: Vec<&str> = lanes.iter().map(|lane| LANES[*lane]).collect();
            entries.push(match event {
                LaneEvent::Hold => held(&names, true),
                LaneEvent::Release => held(&names, false),
                event => moved(&names, *event, "v2"),
            });
        }
        let rollout = rollout(entries);
        for (lane, state) in LANES.iter().zip(model) {
            prop_assert_eq!(rollout.lane(&Customer::from_label(lane)).state, state, "{}", lane);
        }
    }
}
