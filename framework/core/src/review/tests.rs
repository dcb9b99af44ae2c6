use std::collections::BTreeSet;

use super::*;
use crate::ledger::JudgedRun;
use crate::rule::Allowance;
use crate::verdict::Verdict;

fn code(text: &str) -> [Digest; 2] {
    [Digest::of_bytes(b"old"), Digest::of_bytes(text.as_bytes())]
}

fn day(text: &str) -> RunDate {
    text.parse().unwrap()
}

fn entry(number: u64, event: LedgerEvent) -> Entry {
    Entry {
        version: event.format(),
        number,
        previous: Digest::of_bytes(b""),
        at: format!("2026-03-{number:02}T06:00:00.000Z"),
        event,
    }
}

fn answer(number: u64, of: &str, group: &str, decision: Decision) -> Entry {
    let waiver = (decision == Decision::Fine).then(|| Rule {
        until: Some(day("2026-04-10")),
        ..Rule::new(format!("waiver {group} {number}"), Allowance::Any)
    });
    entry(
        number,
        LedgerEvent::Reviewed(Reviewed {
            pipeline: "p".into(),
            change: "c".into(),
            run: "r".into(),
            by: "Dana".into(),
            known_by: KnownBy::Said,
            code: code(of),
            decisions: vec![Decided {
                group: group.into(),
                task: "t".into(),
                what: "null → 0".into(),
                column: Some("score".into()),
                decision,
                note: None,
                waiver,
            }],
        }),
    )
}

fn judged(number: u64, bugs: &[&str], ran_at: Option<&str>, slice: Option<&str>) -> Entry {
    entry(
        number,
        LedgerEvent::Judged(JudgedRun {
            pipeline: "p".into(),
            run: "r".into(),
            date: day("2026-03-01"),
            slice: slice.map(str::to_owned),
            change: "c".into(),
            verdict: Verdict::Unexpected,
            lanes: BTreeMap::new(),
            evidence: Digest::of_bytes(b""),
            code: code("new"),
            rules: Digest::of_bytes(b""),
            bugs: bugs
                .iter()
                .map(|group| (*group).to_owned())
                .collect::<BTreeSet<_>>(),
            ran_at: ran_at.map(str::to_owned),
        }),
    )
}

fn in_force(entries: &[Entry], of: &str, today: &str) -> String {
    let rules = waivers(entries, "p", "c", &code(of), day(today));
    let names: Vec<String> = rules
        .into_values()
        .flatten()
        .map(|rule| rule.name)
        .collect();
    names.join(", ")
}

#[test]
fn a_waiver_holds_for_its_code_until_its_last_day() {
    use Decision::{Bug, Fine, Unsure};
    let fine = vec![answer(1, "new", "ga", Fine), answer(2, "new", "gb", Fine)];
    assert_eq!(
        in_force(&fine, "new", "2026-03-02"),
        "waiver ga 1, waiver gb 2"
    );
    assert_eq!(
        in_force(&fine, "new", "2026-04-10"),
        "waiver ga 1, waiver gb 2"
    );
    assert_eq!(in_force(&fine, "new", "2026-04-11"), "");
    assert_eq!(in_force(&fine, "newer", "2026-03-02"), "");
    assert!(waivers(&fine, "other", "c", &code("new"), day("2026-03-02")).is_empty());
    for later in [Bug, Unsure] {
        let mut entries = fine.clone();
        entries.push(answer(3, "new", "ga", later));
        assert_eq!(in_force(&entries, "new", "2026-03-03"), "waiver gb 2");
    }
    let mut again = fine;
    again.push(answer(3, "new", "ga", Fine));
    assert_eq!(
        in_force(&again, "new", "2026-03-03"),
        "waiver gb 2, waiver ga 3"
    );
}

#[test]
fn a_bug_is_marked_until_a_run_is_without_it() {
    use Decision::{Bug, Fine};
    let marked = |entries: &[Entry]| {
        let names: Vec<String> = bugs(entries, "p", "c").into_keys().collect();
        names.join(", ")
    };
    let mut entries = vec![answer(1, "new", "ga", Bug), answer(2, "new", "gb", Bug)];
    assert_eq!(marked(&entries), "ga, gb");
    entries.push(judged(3, &["ga", "gb"], None, None));
    assert_eq!(marked(&entries), "ga, gb");
    entries.push(judged(4, &[], Some("2026-02-01T00:00:00Z"), None));
    entries.push(judged(5, &[], None, Some("emea")));
    assert_eq!(
        marked(&entries),
        "ga, gb",
        "older runs and slices say nothing"
    );
    entries.push(judged(6, &["gb"], None, None));
    assert_eq!(marked(&entries), "gb");
    entries.push(answer(7, "new", "gb", Fine));
    assert_eq!(marked(&entries), "");
    entries.push(judged(8, &["ga"], None, None));
    assert_eq!(
        marked(&entries),
        "",
        "what is gone does not come back by itself"
    );
}

#[test]
fn answers_are_read_in_any_case_and_with_blanks() {
    for (word, answer) in [
        ("fine", Some(Decision::Fine)),
        (" FINE\u{a0}", Some(Decision::Fine)),
        ("Bug", Some(Decision::Bug)),
        ("unsure\t", Some(Decision::Unsure)),
        ("ok", None),
        ("", None),
        ("fine.", None),
    ] {
        assert_eq!(Decision::written(word), answer, "{word:?}");
    }
}

#[test]
fn an_answer_is_stored_in_this_form_for_ever() {
    let entry = answer(1, "new", "gbcd", Decision::Bug);
    let LedgerEvent::Reviewed(reviewed) = &entry.event else {
        unreachable!()
    };
    let json = serde_json::to_string(&reviewed.decisions[0]).unwrap();
    assert_eq!(
        json,
        r#"{"group":"gbcd","task":"t","what":"null → 0","column":"score","decision":"bug"}"#
    );
    assert_eq!(entry.version, 5);
    let back: Entry = serde_json::from_slice(&entry.to_bytes()).unwrap();
    assert_eq!(back, entry);
}
