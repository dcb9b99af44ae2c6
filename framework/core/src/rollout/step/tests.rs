use proptest::prelude::*;

use super::*;
use crate::digest::Digest;
use crate::evidence::{EVIDENCE_FORMAT, LaneEvidence, RunEvidence, Track};
use crate::rollout::anew::Anew;
use crate::rollout::record::{BegunWave, LaneRecord};
use crate::run_date::RunDate;
use crate::spec::{GatePolicy, Wave};
use crate::verdict::Verdict;

const NOW: i64 = 1_772_900_000;
const HOUR: i64 = 3_600;

fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

fn date(day: usize) -> RunDate {
    let first: RunDate = "2026-02-01".parse().unwrap();
    first.plus_days(day as i64).unwrap()
}

/// A run: which versions it ran, how many hours ago, and what it says of each lane.
#[derive(Clone, Debug)]
struct Run {
    same_code: bool,
    hours_ago: i64,
    lanes: Vec<(&'static str, Verdict)>,
}

fn code(same: bool) -> [Digest; 2] {
    ["old", if same { "new" } else { "edited" }].map(digest)
}

/// Runs of one date after the other, oldest first.
fn track(runs: &[Run]) -> Track {
    let mut track = Track::default();
    for (day, run) in runs.iter().enumerate() {
        let lane = |(lane, verdict): &(&str, Verdict)| {
            let evidence = LaneEvidence {
                verdict: *verdict,
                rows: 1,
                expected: 0,
                unexpected: 0,
            };
            (Customer::from_label(lane), evidence)
        };
        let evidence = RunEvidence {
            version: EVIDENCE_FORMAT,
            run: format!("r{day}"),
            date: date(day),
            slice: None,
            change: "better".to_owned(),
            code: code(run.same_code),
            rules: digest("rules"),
            floor: Verdict::Identical,
            lanes: run.lanes.iter().map(lane).collect(),
            cost: None,
            expiring: BTreeMap::new(),
            seen: day as u64,
            isolation: Default::default(),
        };
        track.add(
            &evidence,
            Digest::of_json(&evidence),
            NOW - run.hours_ago * HOUR,
        );
    }
    track
}

struct Scene {
    policy: GatePolicy,
    rollout: Rollout,
    track: Track,
    overrides: bool,
}

impl Scene {
    fn of(waves: &[Wave], runs: &[Run]) -> Self {
        Self {
            policy: GatePolicy {
                clean_runs: Some(2),
                waves: waves.to_vec(),
                ..GatePolicy::default()
            },
            rollout: Rollout::default(),
            track: track(runs),
            overrides: false,
        }
    }

    fn ask(&self, lanes: &Lanes) -> Result<Step, NoStep> {
        step(&StepInput {
            change: "better",
            event: LaneEvent::Flip,
            lanes,
            overrides: self.overrides,
            rollout: &self.rollout,
            gate: GateInput {
                policy: &self.policy,
                first_policy: None,
                now: NOW,
                today: date(40),
                code: &code(true),
                rules: &digest("rules"),
                track: &self.track,
                anew: &Anew::default(),
                held: &self.rollout.held(),
                all_held: false,
                approvals: &[],
                requester: None,
            },
        })
    }

    /// What the ledger makes of a step.
    fn begin(&mut self, step: &Step, hours_ago: i64) {
        let at = NOW - hours_ago * HOUR;
        for lane in &step.lanes {
            let record = LaneRecord {
                state: LaneState {
                    stage: Stage::Live,
                    held: false,
                },
                code: Some(digest("new")),
                live_since: Some(at),
                turned: Some(self.track.runs.len() as u64),
                ..LaneRecord::default()
            };
            self.rollout.lanes.insert(lane.clone(), record);
        }
        self.rollout.waves.push(BegunWave {
            number: step.wave.unwrap(),
            lanes: Some(step.lanes.iter().cloned().collect()),
            at,
        });
    }
}

fn clean(hours_ago: i64) -> Run {
    Run {
        same_code: true,
        hours_ago,
        lanes: vec![
            ("a", Verdict::Identical),
            ("b", Verdict::Expected),
            ("c", Verdict::Identical),
        ],
    }
}

fn named(names: &str) -> BTreeSet<Customer> {
    names.split_whitespace().map(Customer::from_label).collect()
}

fn waves() -> [Wave; 3] {
    [Wave::Customers(named("a")), Wave::More(1), Wave::Share(1.0)]
}

#[test]
fn the_next_wave_waits_until_those_before_are_clean_since_they_are_live() {
    let mut scene = Scene::of(&waves(), &[clean(30), clean(20)]);
    let first = scene.ask(&Lanes::Next).unwrap();
    assert_eq!((first.wave, first.may), (Some(1), true));
    scene.begin(&first, 10);
    let waits = scene.ask(&Lanes::Next).unwrap();
    assert_eq!((waits.wave, waits.may), (Some(2), false));
    let check = waits.decision.checks.last().unwrap();
    assert_eq!((check.check, check.waits.runs), (CheckKind::Waves, 2));
    scene.track = track(&[clean(30), clean(20), clean(8), clean(4)]);
    let second = scene.ask(&Lanes::Next).unwrap();
    assert_eq!((second.wave, second.may), (Some(2), true));
    // Nobody jumps ahead.
    assert!(!scene.ask(&Lanes::All).unwrap().may);
    scene.overrides = true;
    assert!(scene.ask(&Lanes::All).unwrap().may);
}

#[test]
fn who_of_an_earlier_wave_is_not_live_is_in_the_way_unless_withdrawn() {
    let mut scene = Scene::of(&waves(), &[clean(30), clean(20)]);
    let first = scene.ask(&Lanes::Next).unwrap();
    scene.begin(&first, 25);
    scene.begin(
        &Step {
            lanes: named("b").into_iter().collect(),
            wave: Some(2),
            ..first
        },
        25,
    );
    scene.track = track(&[clean(30), clean(20), clean(8), clean(4)]);
    assert!(scene.ask(&Lanes::Next).unwrap().may);
    let a = Customer::from_label("a");
    scene.rollout.lanes.get_mut(&a).unwrap().state.stage = Stage::Shadow;
    let step = scene.ask(&Lanes::Next).unwrap();
    assert!(!step.may);
    assert!(step.decision.checks[0].figure.contains("a is not live"));
    scene.rollout.lanes.get_mut(&a).unwrap().state.stage = Stage::Off;
    let step = scene.ask(&Lanes::Next).unwrap();
    assert!(step.may && step.all, "{step:?}");
}

#[test]
fn without_waves_there_is_no_next_one() {
    let scene = Scene::of(&[], &[clean(3), clean(2)]);
    assert_eq!(scene.ask(&Lanes::Next), Err(NoStep::NoWaves));
    assert!(scene.ask(&Lanes::All).unwrap().may);
    let mut scene = Scene::of(&waves()[..1], &[clean(3), clean(2)]);
    let first = scene.ask(&Lanes::Next).unwrap();
    scene.begin(&first, 1);
    assert_eq!(scene.ask(&Lanes::Next), Err(NoStep::NoWaveLeft));
}

fn any_run() -> impl Strategy<Value = Run> {
    let verdict = || {
        prop_oneof![
            5 => Just(Verdict::Identical),
            3 => Just(Verdict::Expected),
            1 => Just(Verdict::Inconclusive),
            1 => Just(Verdict::Unexpected),
        ]
    };
    let lanes = (
        prop::option::weighted(0.9, verdict()),
        prop::option::weighted(0.9, verdict()),
    );
    (prop::bool::weighted(0.9), 0_i64..5, lanes).prop_map(|(same_code, gap, (a, b))| Run {
        same_code,
        hours_ago: gap * 13,
        lanes: [("a", a), ("b", b)]
            .into_iter()
            .filter_map(|(lane, verdict)| Some((lane, verdict?)))
            .collect(),
    })
}

/// Written again, from the promise: the two newest runs that had rows of the lane are of this code and clean, and the
/// newest of them is at most 48 hours old.
fn deserves(runs: &[Run], lane: &str) -> bool {
    let own = |run: &&Run| run.lanes.iter().any(|(other, _)| *other == lane);
    let newest: Vec<&Run> = runs.iter().rev().filter(own).take(2).collect();
    let is_good = |run: &&Run| {
        let verdict = run.lanes.iter().find(|(other, _)| *other == lane);
        run.same_code && verdict.is_some_and(|(_, verdict)| *verdict <= Verdict::Expected)
    };
    newest.len() == 2 && newest.iter().all(is_good) && newest[0].hours_ago <= 48
}

proptest! {
    /// No lane moves towards new unless a passing decision on fresh evidence for exactly this code says so.
    #[test]
    fn nobody_moves_without_a_matching_fresh_passing_decision(
        mut runs in prop::collection::vec(any_run(), 0..6),
        all in any::<bool>(),
    ) {
        // From gaps to hours before now.
        let mut hours = 0;
        for run in runs.iter_mut().rev() {
            hours += run.hours_ago;
            run.hours_ago = hours;
        }
        let scene = Scene::of(&[], &runs);
        let lanes = if all { Lanes::All } else { Lanes::Named(named("a")) };
        let step = scene.ask(&lanes).unwrap();
        let seen = |lane: &str| runs.iter().any(|run| run.lanes.iter().any(|(other, _)| *other == lane));
        let asked: Vec<&str> = ["a", "b"].into_iter().filter(|lane| (all || *lane == "a") && seen(lane)).collect();
        let deserved = !asked.is_empty() && asked.iter().all(|lane| deserves(&runs, lane));
        prop_assert_eq!(step.may, deserved, "{:?}\n{:?}", runs, step);
    }
}
