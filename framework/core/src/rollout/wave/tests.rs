use super::*;
use crate::rollout::lane::LaneState;
use crate::rollout::record::{BegunWave, LaneRecord};

fn named(names: &str) -> BTreeSet<Customer> {
    names.split_whitespace().map(Customer::from_label).collect()
}

fn at(stage: Stage) -> LaneRecord {
    LaneRecord {
        state: LaneState { stage, held: false },
        ..LaneRecord::default()
    }
}

/// A rollout in which these waves have begun and are live.
fn rollout(waves: &[&str]) -> Rollout {
    let mut rollout = Rollout::default();
    for (lanes, number) in waves.iter().zip(1..) {
        let lanes = named(lanes);
        for lane in &lanes {
            rollout.lanes.insert(lane.clone(), at(Stage::Live));
        }
        rollout.waves.push(BegunWave {
            number,
            lanes: Some(lanes),
            at: 100,
        });
    }
    rollout
}

fn code() -> Digest {
    Digest::of_bytes(b"v2")
}

fn ten() -> BTreeSet<Customer> {
    named("a b c d e f g h i j")
}

fn next(waves: &[Wave], rollout: &Rollout) -> Option<NextWave> {
    next_wave("better", waves, rollout, &code(), &ten())
}

#[test]
fn waves_go_from_a_list_over_numbers_and_shares_to_everybody() {
    let waves = [
        Wave::Customers(named("a b")),
        Wave::More(1),
        Wave::Share(0.5),
        Wave::Share(1.0),
    ];
    let mut begun: Vec<String> = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let names: Vec<&str> = begun.iter().map(String::as_str).collect();
        let Some(wave) = next(&waves, &rollout(&names)) else {
            panic!("the last wave is for everybody");
        };
        assert_eq!(wave.number as usize, begun.len() + 1);
        if wave.all {
            break;
        }
        sizes.push(wave.lanes.len());
        begun.push(
            wave.lanes
                .iter()
                .map(Customer::label)
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    // Two, one more, and then as many as bring them to five of ten.
    assert_eq!(sizes, [2, 1, 2]);
    assert_eq!(begun[0], "a b");
    let all: BTreeSet<&str> = begun.iter().flat_map(|names| names.split(' ')).collect();
    assert_eq!(all.len(), 5, "nobody goes twice: {begun:?}");
}

#[test]
fn the_order_is_that_of_the_digest_and_another_changes_is_another() {
    let order = |change: &str| -> Vec<Customer> {
        let mut lanes: Vec<Customer> = ten().into_iter().collect();
        lanes.sort_by_key(|lane| Digest::of_bytes(format!("{change}\0{lane}").as_bytes()));
        lanes
    };
    let found = next_wave(
        "better",
        &[Wave::More(3)],
        &Rollout::default(),
        &code(),
        &ten(),
    );
    let expected: BTreeSet<Customer> = order("better").into_iter().take(3).collect();
    assert_eq!(found.unwrap().lanes, expected);
    assert_ne!(order("better"), order("faster"));
}

#[test]
fn who_is_held_withdrawn_live_or_nobody_is_not_picked() {
    let mut one = rollout(&[]);
    for (lane, stage) in [("a", Stage::Off), ("b", Stage::Live)] {
        one.lanes.insert(Customer::from_label(lane), at(stage));
    }
    let mut held = at(Stage::Shadow);
    held.state.held = true;
    one.lanes.insert(Customer::from_label("c"), held);
    let mut known = ten();
    known.insert(Customer::Null);
    let wave = next_wave("better", &[Wave::More(20)], &one, &code(), &known).unwrap();
    assert_eq!(wave.lanes, named("d e f g h i j"));
}

#[test]
fn waves_that_add_nobody_are_left_out() {
    let waves = [Wave::More(5), Wave::Share(0.3), Wave::Share(0.6)];
    let wave = next(&waves, &rollout(&["a b c d e"])).unwrap();
    assert_eq!((wave.number, wave.lanes.len()), (3, 1));
    assert_eq!(next(&waves[..2], &rollout(&["a b c d e"])), None);
}

#[test]
fn who_fell_since_the_wave_began_and_is_not_live_counts_as_fallen() {
    let mut one = rollout(&["a b c"]);
    let mut fell = |lane: &str, stage, fell| {
        let record = LaneRecord {
            fell: Some(fell),
            ..at(stage)
        };
        one.lanes.insert(Customer::from_label(lane), record);
    };
    fell("a", Stage::Shadow, 150);
    fell("b", Stage::Live, 150);
    fell("c", Stage::Shadow, 50);
    fell("z", Stage::Shadow, 150);
    assert_eq!(one.live_waves()[0].fallen, named("a"));
}
