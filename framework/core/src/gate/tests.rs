use proptest::prelude::*;

use super::*;
use crate::evidence::{Cost, EVIDENCE_FORMAT, LaneEvidence, RunEvidence};
use crate::spec::Wave;

const NOW: i64 = 1_772_900_000;
const HOUR: i64 = 3_600;

fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

fn code() -> [Digest; 2] {
    ["old", "new"].map(digest)
}

fn date(day: i64) -> RunDate {
    let first: RunDate = "2026-02-26".parse().unwrap();
    first.plus_days(day).unwrap()
}

fn run(day: i64, verdict: Verdict, rows: u64, expected: u64) -> RunEvidence {
    let lane = LaneEvidence {
        verdict,
        rows,
        expected,
        unexpected: 0,
    };
    RunEvidence {
        version: EVIDENCE_FORMAT,
        run: format!("r{day}"),
        date: date(day),
        slice: None,
        change: "better".to_owned(),
        code: code(),
        rules: digest("rules"),
        floor: Verdict::Identical,
        lanes: BTreeMap::from([(Customer::from_label("a"), lane)]),
        cost: None,
        expiring: BTreeMap::new(),
        seen: 0,
        isolation: Default::default(),
    }
}

fn track(runs: &[(RunEvidence, i64)]) -> Track {
    let mut track = Track::default();
    for (run, finished) in runs {
        track.add(run, Digest::of_json(&run), *finished);
    }
    track
}

struct Scene {
    policy: GatePolicy,
    first_policy: Option<GatePolicy>,
    track: Track,
    anew: Anew,
    held: BTreeSet<Customer>,
    approvals: Vec<Approval>,
    requester: Option<String>,
    code: [Digest; 2],
    rules: Digest,
}

impl Scene {
    fn of(policy: GatePolicy, runs: &[(RunEvidence, i64)]) -> Self {
        Self {
            policy,
            first_policy: None,
            track: track(runs),
            anew: Anew::default(),
            held: BTreeSet::new(),
            approvals: Vec::new(),
            requester: None,
            code: code(),
            rules: digest("rules"),
        }
    }

    fn decide(&self) -> Decision {
        let input = GateInput {
            policy: &self.policy,
            first_policy: self.first_policy.as_ref(),
            now: NOW,
            today: date(9),
            code: &self.code,
            rules: &self.rules,
            track: &self.track,
            anew: &self.anew,
            held: &self.held,
            all_held: false,
            approvals: &self.approvals,
            requester: self.requester.as_deref(),
        };
        gate(&input, None)
    }
}

/// Three clean days, the newest of them judged an hour ago.
fn three_days() -> Vec<(RunEvidence, i64)> {
    (1..=3)
        .map(|day| {
            (
                run(day, Verdict::Expected, 100, 2),
                NOW - (3 - day) * 24 * HOUR - HOUR,
            )
        })
        .collect()
}

fn three() -> GatePolicy {
    GatePolicy {
        clean_runs: Some(3),
        ..GatePolicy::default()
    }
}

/// The states of each input of the gate, and which of them are good: exactly the lanes for which all are good are
/// ready, over the full product.
#[test]
fn exactly_those_that_should_be_ready_are() {
    const VERDICTS: [(Verdict, bool); 4] = [
        (Verdict::Identical, true),
        (Verdict::Expected, true),
        (Verdict::Inconclusive, false),
        (Verdict::Unexpected, false),
    ];
    // Hours since the newest run was judged, of 48 that are allowed.
    const AGES: [(i64, bool); 4] = [(0, true), (48, true), (49, false), (-1, false)];
    let mut cells = 0;
    let mut ready = 0;
    for dates in [0_i64, 2, 3, 4] {
        for (newest, newest_is_good) in VERDICTS {
            for (age, age_is_good) in AGES {
                for same_code in [true, false] {
                    for same_rules in [true, false] {
                        for rows in [None, Some(true), Some(false)] {
                            for soak in [None, Some(true), Some(false)] {
                                for share in [None, Some(true), Some(false)] {
                                    for held in [false, true] {
                                        for approvals in [None, Some(true), Some(false)] {
                                            cells += 1;
                                            let runs: Vec<_> = (1..=dates)
                                                .map(|day| {
                                                    let verdict = if day == dates {
                                                        newest
                                                    } else {
                                                        Verdict::Identical
                                                    };
                                                    (
                                                        run(day, verdict, 100, 5),
                                                        NOW - age * HOUR
                                                            - (dates - day) * 24 * HOUR,
                                                    )
                                                })
                                                .collect();
                                            let total = 100 * u64::try_from(dates).unwrap();
                                            let lasted =
                                                u64::try_from((age + (dates - 1) * 24) * HOUR)
                                                    .unwrap_or(0);
                                            let mut scene = Scene::of(three(), &runs);
                                            scene.policy.min_rows = rows.map(|enough| {
                                                if enough { total.max(1) } else { total + 1 }
                                            });
                                            scene.policy.soak_secs =
                                                soak.map(
                                                    |enough| {
                                                        if enough { lasted } else { lasted + 1 }
                                                    },
                                                );
                                            scene.policy.expected_rows = share
                                                .map(|enough| if enough { 0.05 } else { 0.049 });
                                            if !same_code {
                                                scene.code[0] = digest("hotfix");
                                            }
                                            if !same_rules {
                                                scene.rules = digest("other rules");
                                            }
                                            if held {
                                                scene.held.insert(Customer::from_label("a"));
                                            }
                                            if let Some(given) = approvals {
                                                let evidence = scene.decide().evidence;
                                                let evidence = if given {
                                                    evidence
                                                } else {
                                                    digest("of yesterday")
                                                };
                                                scene.policy.approvals = Some(1);
                                                scene.approvals = vec![Approval {
                                                    by: "ana".to_owned(),
                                                    evidence,
                                                }];
                                            }
                                            let good = dates >= 3
                                                && newest_is_good
                                                && age_is_good
                                                && same_code
                                                && same_rules
                                                && rows != Some(false)
                                                && soak != Some(false)
                                                && share != Some(false)
                                                && !held
                                                && approvals != Some(false);
                                            ready += u32::from(good);
                                            let decision = scene.decide();
                                            assert_eq!(
                                                decision.standing == Standing::Ready,
                                                good,
                                                "{dates} dates, {newest}, {age} h, {same_code}, {same_rules}, {rows:?}, {soak:?}, {share:?}, {held}, {approvals:?}: {decision:#?}"
                                            );
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cells, 4 * 4 * 4 * 2 * 2 * 3 * 3 * 3 * 2 * 3);
    assert_eq!(ready, 2 * 2 * 2 * 2 * 2 * 2 * 2);
}

fn standing_of(scene: &Scene, kind: CheckKind) -> (Standing, String) {
    let decision = scene.decide();
    let lane = &decision.lanes[&Customer::from_label("a")];
    let mut checks = lane.checks.iter().chain(&decision.checks);
    let check = checks.find(|check| check.check == kind);
    let check = check.unwrap_or_else(|| panic!("{kind:?} is not in {decision:#?}"));
    (check.standing, check.figure.clone())
}

#[test]
fn what_is_too_long_or_too_large_is_not_ready_beyond_ten_seconds() {
    let cost = |wall_ms, memory_bytes| Cost {
        wall_ms,
        memory_bytes,
    };
    for (old, new, expected) in [
        (cost(10_000, 100), cost(15_000, 150), Standing::Ready),
        (cost(10_000, 100), cost(15_001, 100), Standing::NotReady),
        (cost(10_000, 100), cost(10_000, 151), Standing::NotReady),
        (cost(1, 1), cost(9_999, 1_000), Standing::Ready),
        (cost(0, 0), cost(10_000, 1), Standing::NotReady),
    ] {
        let mut runs = three_days();
        runs[1].0.cost = Some([old, new]);
        let mut scene = Scene::of(three(), &runs);
        scene.policy.max_runtime_ratio = Some(1.5);
        scene.policy.max_memory_ratio = Some(1.5);
        assert_eq!(scene.decide().standing, expected, "{old:?} {new:?}");
    }
    let mut scene = Scene::of(three(), &three_days());
    scene.policy.max_runtime_ratio = Some(1.5);
    let nothing = standing_of(&scene, CheckKind::Runtime);
    assert_eq!(nothing, (Standing::NoEvidence, "not measured".to_owned()));
}

#[test]
fn days_of_the_week_and_the_end_of_a_month_must_be_among_the_dates() {
    // From Friday the 27th of February to Sunday the first of March.
    let mut scene = Scene::of(three(), &three_days());
    scene.policy.month_end = true;
    scene.policy.weekdays = [Weekday::Fri, Weekday::Sun].into();
    assert_eq!(scene.decide().standing, Standing::Ready);
    scene.policy.weekdays.insert(Weekday::Mon);
    let days = standing_of(&scene, CheckKind::Weekdays);
    assert_eq!(days, (Standing::NotReady, "no clean mon".to_owned()));
    let mut scene = Scene::of(
        GatePolicy {
            clean_runs: Some(1),
            ..GatePolicy::default()
        },
        &three_days()[..1],
    );
    scene.policy.month_end = true;
    let end = standing_of(&scene, CheckKind::MonthEnd);
    assert_eq!(end, (Standing::NotReady, "not seen".to_owned()));
}

#[test]
fn a_rule_that_has_ended_must_not_be_needed() {
    // Today is the ninth day.
    for (until, expected, warns) in [
        (8, Standing::NotReady, false),
        (9, Standing::Ready, true),
        (16, Standing::Ready, true),
        (17, Standing::Ready, false),
    ] {
        let mut runs = three_days();
        runs[0]
            .0
            .expiring
            .insert("t: clock".to_owned(), date(until));
        let scene = Scene::of(three(), &runs);
        let decision = scene.decide();
        assert_eq!(decision.standing, expected, "{until}");
        let lane = &decision.lanes[&Customer::from_label("a")];
        let warnings = lane
            .checks
            .iter()
            .filter_map(|check| check.warning.as_ref());
        assert_eq!(warnings.count(), usize::from(warns), "{until}");
    }
}

#[test]
fn nobody_approves_of_their_own_move_and_nobody_counts_twice() {
    let mut scene = Scene::of(three(), &three_days());
    scene.policy.approvals = Some(2);
    let evidence = scene.decide().evidence;
    let by = |who: &str| Approval {
        by: who.to_owned(),
        evidence: evidence.clone(),
    };
    scene.requester = Some("priya".to_owned());
    for (who, expected) in [
        (&["ana"][..], Standing::NotReady),
        (&["ana", "ana"], Standing::NotReady),
        (&["ana", "priya"], Standing::NotReady),
        (&["ana", "bo"], Standing::Ready),
    ] {
        scene.approvals = who.iter().map(|who| by(who)).collect();
        assert_eq!(scene.decide().standing, expected, "{who:?}");
    }
    // Another run is other evidence.
    scene
        .track
        .add(&run(4, Verdict::Identical, 1, 0), digest("e4"), NOW);
    assert_eq!(scene.decide().standing, Standing::NotReady);
}

#[test]
fn a_policy_that_is_loosened_on_the_way_wants_an_approval() {
    let mut scene = Scene::of(three(), &three_days());
    scene.first_policy = Some(GatePolicy {
        clean_runs: Some(5),
        soak_secs: Some(60),
        ..GatePolicy::default()
    });
    let (standing, figure) = standing_of(&scene, CheckKind::Policy);
    assert_eq!(standing, Standing::NotReady);
    assert_eq!(figure, "clean_runs, soak was loosened");
    let evidence = scene.decide().evidence;
    let by = "ana".to_owned();
    scene.approvals.push(Approval { by, evidence });
    assert_eq!(scene.decide().standing, Standing::Ready);
    // A stricter one does not.
    scene.approvals.clear();
    scene.first_policy = Some(GatePolicy {
        clean_runs: Some(2),
        ..GatePolicy::default()
    });
    assert_eq!(scene.decide().standing, Standing::Ready);
}

#[test]
fn every_setting_can_be_loosened() {
    let strict = GatePolicy {
        clean_runs: Some(6),
        evidence_max_age_secs: Some(60),
        soak_secs: Some(60),
        min_rows: Some(10),
        expected_rows: Some(0.01),
        max_runtime_ratio: Some(1.5),
        max_memory_ratio: Some(1.5),
        weekdays: [Weekday::Sun].into(),
        month_end: true,
        approvals: Some(2),
        min_age_secs: None,
        waves: vec![Wave::More(1)],
    };
    assert_eq!(loosened(&strict, &GatePolicy::default()).len(), 11);
    assert!(loosened(&GatePolicy::default(), &strict).is_empty());
    assert!(loosened(&strict, &strict).is_empty());
}

#[test]
fn lanes_without_rows_are_listed_and_without_a_lane_nothing_is_ready() {
    let scene = Scene::of(three(), &three_days());
    let input = |track| GateInput {
        policy: &scene.policy,
        first_policy: None,
        now: NOW,
        today: date(9),
        code: &scene.code,
        rules: &scene.rules,
        track,
        anew: &scene.anew,
        held: &scene.held,
        all_held: false,
        approvals: &[],
        requester: None,
    };
    let nobody = Customer::from_label("nobody");
    let asked = BTreeSet::from([nobody.clone(), Customer::from_label("a")]);
    let decision = gate(&input(&scene.track), Some(&asked));
    assert_eq!(decision.standing, Standing::Ready);
    assert_eq!(decision.without_rows, std::slice::from_ref(&nobody));
    let decision = gate(&input(&scene.track), Some(&BTreeSet::from([nobody])));
    assert_eq!(decision.standing, Standing::NoEvidence);
    let nothing = Track::default();
    assert_eq!(gate(&input(&nothing), None).standing, Standing::NoEvidence);
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(Verdict::Identical),
        3 => Just(Verdict::Expected),
        1 => Just(Verdict::Inconclusive),
        1 => Just(Verdict::Unexpected),
    ]
}

proptest! {
    /// A run whose evidence is gone or was touched, whatever it said, never makes a lane ready that was not.
    #[test]
    fn losing_evidence_never_makes_ready(
        verdicts in prop::collection::vec((0_i64..6, any_verdict()), 1..10),
        gone in any::<prop::sample::Index>(),
    ) {
        let mut runs: Vec<_> = verdicts
            .iter()
            .enumerate()
            .map(|(position, (day, verdict))| {
                (run(*day, *verdict, 10, 1), NOW - (verdicts.len() - position) as i64 * HOUR)
            })
            .collect();
        let whole = Scene::of(three(), &runs).decide().standing;
        prop_assume!(whole != Standing::Ready);
        let lost = gone.index(runs.len());
        runs[lost].0.floor = Verdict::Inconclusive;
        runs[lost].0.lanes.clear();
        prop_assert_ne!(Scene::of(three(), &runs).decide().standing, Standing::Ready);
    }

    /// Taking a run out of the record never makes a lane ready that was not, unless it is the run that spoke against it.
    #[test]
    fn removing_clean_evidence_never_makes_ready(
        verdicts in prop::collection::vec((0_i64..6, any_verdict()), 0..10),
        gone in any::<prop::sample::Index>(),
    ) {
        let runs: Vec<_> = verdicts
            .iter()
            .enumerate()
            .map(|(position, (day, verdict))| {
                (run(*day, *verdict, 10, 1), NOW - (verdicts.len() - position) as i64 * HOUR)
            })
            .collect();
        let whole = Scene::of(three(), &runs).decide().standing;
        prop_assume!(!runs.is_empty() && whole != Standing::Ready);
        let mut fewer = runs.clone();
        let removed = fewer.remove(gone.index(runs.len()));
        // A date that is repeated takes its earlier run's place: without it the earlier one speaks again.
        prop_assume!(runs.iter().filter(|(run, _)| run.date == removed.0.date).count() == 1);
        let is_clean = removed.0.lanes.values().all(|lane| lane.verdict <= Verdict::Expected);
        if is_clean {
            prop_assert_ne!(Scene::of(three(), &fewer).decide().standing, Standing::Ready);
        }
    }
}
