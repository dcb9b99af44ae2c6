use super::*;
use crate::slice::Members;

fn code(old: &str, new: &str) -> [Digest; 2] {
    [old, new].map(|text| Digest::of_bytes(text.as_bytes()))
}

fn date(day: u32) -> RunDate {
    let first: RunDate = "2026-03-01".parse().unwrap();
    first.plus_days(i64::from(day) - 1).unwrap()
}

fn evidence(day: u32, lanes: &[(&str, Verdict)]) -> RunEvidence {
    RunEvidence {
        version: EVIDENCE_FORMAT,
        run: format!("r{day}"),
        date: date(day),
        slice: None,
        change: "better".to_owned(),
        code: code("old", "new"),
        rules: Digest::of_bytes(b"rules"),
        floor: Verdict::Identical,
        lanes: lanes
            .iter()
            .map(|(name, verdict)| {
                let lane = LaneEvidence {
                    verdict: *verdict,
                    rows: 10,
                    expected: 1,
                    unexpected: 0,
                };
                (Customer::from_label(name), lane)
            })
            .collect(),
        cost: None,
        expiring: BTreeMap::new(),
        seen: u64::from(day),
        isolation: Default::default(),
    }
}

fn track(runs: &[RunEvidence]) -> Track {
    let mut track = Track::default();
    for (position, run) in runs.iter().enumerate() {
        track.add(run, Digest::of_json(&run), position as i64 * 100);
    }
    track
}

fn dates(track: &Track, lane: &str) -> u64 {
    let lane = &track.lanes[&Customer::from_label(lane)];
    let rules = Digest::of_bytes(b"rules");
    track.streak(lane, &code("old", "new"), &rules, None).dates
}

const GOOD: Verdict = Verdict::Expected;
const BAD: Verdict = Verdict::Unexpected;

#[test]
fn a_streak_is_of_distinct_dates() {
    let runs = [
        evidence(1, &[("a", GOOD)]),
        evidence(2, &[("a", GOOD)]),
        evidence(2, &[("a", GOOD)]),
        evidence(1, &[("a", GOOD)]),
    ];
    assert_eq!(dates(&track(&runs), "a"), 2);
}

#[test]
fn a_streak_ends_at_what_is_not_clean_and_a_repeated_date_takes_the_old_one_away() {
    let runs = [
        evidence(1, &[("a", GOOD)]),
        evidence(2, &[("a", BAD)]),
        evidence(3, &[("a", GOOD)]),
    ];
    assert_eq!(dates(&track(&runs), "a"), 1);
    let mended = [&runs[..], &[evidence(2, &[("a", GOOD)])]].concat();
    assert_eq!(dates(&track(&mended), "a"), 3);
    let broken = [&mended[..], &[evidence(1, &[("a", BAD)])]].concat();
    assert_eq!(dates(&track(&broken), "a"), 0);
}

#[test]
fn what_concerns_every_lane_concerns_those_without_rows_too() {
    let nothing = RunEvidence {
        floor: Verdict::Inconclusive,
        ..evidence(2, &[])
    };
    let runs = [evidence(1, &[("a", GOOD), ("b", GOOD)]), nothing];
    let track = track(&runs);
    assert_eq!((dates(&track, "a"), dates(&track, "b")), (0, 0));
}

#[test]
fn a_run_of_a_slice_says_nothing_of_others() {
    let members = Members::These([Customer::from_label("a")].into());
    let emea = SliceOf {
        name: "emea".to_owned(),
        members,
    };
    let of_slice = RunEvidence {
        run: "r2-emea".to_owned(),
        slice: Some(emea),
        floor: Verdict::Inconclusive,
        ..evidence(1, &[])
    };
    let runs = [evidence(1, &[("a", GOOD), ("b", GOOD)]), of_slice];
    let track = track(&runs);
    assert_eq!((dates(&track, "a"), dates(&track, "b")), (0, 1));
}

#[test]
fn other_code_and_other_rules_are_other_evidence() {
    let other_code = RunEvidence {
        code: code("old", "newer"),
        ..evidence(2, &[("a", GOOD)])
    };
    let other_rules = RunEvidence {
        rules: Digest::of_bytes(b"others"),
        ..evidence(2, &[("a", GOOD)])
    };
    for other in [other_code, other_rules] {
        let runs = [
            evidence(1, &[("a", GOOD)]),
            other,
            evidence(3, &[("a", GOOD)]),
        ];
        assert_eq!(dates(&track(&runs), "a"), 1);
    }
}

#[test]
fn a_long_streak_is_summed_up_and_breaks_like_a_short_one() {
    let mut runs: Vec<RunEvidence> = (1..=300).map(|day| evidence(day, &[("a", GOOD)])).collect();
    let whole = track(&runs);
    let lane = &whole.lanes[&Customer::from_label("a")];
    let most = KEPT_DATES + DATES_TO_SUM_UP;
    assert!((KEPT_DATES..=most).contains(&lane.runs.len()));
    assert!(whole.runs.len() <= 2 * KEPT_DATES, "{}", whole.runs.len());
    let rules = Digest::of_bytes(b"rules");
    let streak = whole.streak(lane, &code("old", "new"), &rules, None);
    let sums = (streak.dates, streak.rows, streak.expected, streak.since);
    assert_eq!(sums, (300, 3000, 300, Some(0)));
    let anew = whole.streak(lane, &code("old", "new"), &rules, Some(300));
    assert_eq!((anew.dates, anew.since), (1, Some(29_900)));
    runs.push(evidence(290, &[("a", BAD)]));
    assert_eq!(dates(&track(&runs), "a"), 0);
    runs.push(evidence(301, &[("a", GOOD)]));
    assert_eq!(dates(&track(&runs), "a"), 1);
}

#[test]
fn lanes_come_and_go_and_each_keeps_its_own_runs() {
    let runs = [
        evidence(1, &[("b", GOOD)]),
        evidence(2, &[("a", GOOD), ("c", BAD)]),
        evidence(3, &[("b", GOOD), ("bb", GOOD), ("c", GOOD)]),
    ];
    let track = track(&runs);
    let found = track.lanes.iter().map(|(lane, track)| {
        let runs = track.runs.iter();
        let runs: Vec<_> = runs.map(|one| (&*one.run, one.evidence.verdict)).collect();
        (lane.label(), runs)
    });
    let expected = [
        ("a", vec![("r2", GOOD)]),
        ("b", vec![("r1", GOOD), ("r3", GOOD)]),
        ("bb", vec![("r3", GOOD)]),
        ("c", vec![("r2", BAD), ("r3", GOOD)]),
    ];
    assert_eq!(
        found.collect::<Vec<_>>(),
        expected.map(|(lane, runs)| (lane.to_owned(), runs))
    );
}

#[test]
fn evidence_comes_back_from_its_file_and_names_what_lanes_have_in_common_once() {
    let evidence = evidence(
        1,
        &[("a", GOOD), ("b", BAD), ("*null*", GOOD), ("\\*", GOOD)],
    );
    let text = serde_json::to_string(&evidence).unwrap();
    assert_eq!(
        text.matches("\"verdict\":\"expected\"").count(),
        1,
        "{text}"
    );
    assert_eq!(
        serde_json::from_str::<RunEvidence>(&text).unwrap(),
        evidence
    );
}

#[test]
fn a_track_comes_back_from_its_file() {
    let runs: Vec<RunEvidence> = (1..=70)
        .map(|day| evidence(day, &[("a", GOOD), ("*null*", BAD)]))
        .collect();
    let track = track(&runs);
    let text = serde_json::to_string(&track).unwrap();
    assert_eq!(serde_json::from_str::<Track>(&text).unwrap(), track);
}

#[test]
fn a_stored_track_that_names_what_it_does_not_have_is_refused() {
    let track = track(&[evidence(1, &[("a", GOOD)])]);
    let text = serde_json::to_string(&track).unwrap();
    assert!(text.contains("\"runs\":[0,0]"), "{text}");
    for other in ["[1,0]", "[0,1]", "[0]"] {
        let text = text.replace("\"runs\":[0,0]", &format!("\"runs\":{other}"));
        let error = serde_json::from_str::<Track>(&text).unwrap_err();
        assert!(error.to_string().contains("does not have"), "{error}");
    }
}

#[test]
fn a_date_that_is_summed_up_already_counts_once_if_it_is_repeated() {
    let days = (KEPT_DATES + DATES_TO_SUM_UP + 10) as u32;
    let mut runs: Vec<_> = (1..=days)
        .map(|day| evidence(day, &[("a", GOOD)]))
        .collect();
    let whole = track(&runs);
    assert_eq!(dates(&whole, "a"), u64::from(days));
    assert!(whole.lanes[&Customer::from_label("a")].before.is_some());
    let again = RunEvidence {
        run: "again".to_owned(),
        ..evidence(2, &[("a", GOOD)])
    };
    runs.push(again);
    let repeated = dates(&track(&runs), "a");
    // What is older than those that are kept is given up rather than counted twice.
    assert!(
        repeated <= u64::from(days) && repeated >= KEPT_DATES as u64,
        "{repeated}"
    );
    // A new date takes nothing away.
    runs.pop();
    runs.push(evidence(days + 1, &[("a", GOOD)]));
    assert_eq!(dates(&track(&runs), "a"), u64::from(days) + 1);
}
