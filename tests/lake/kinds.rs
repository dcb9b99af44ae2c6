//! Every kind of version on each side of a change, and what external versions do while somebody publishes.

use std::time::Duration;

use crate::playground::{DATE, Playground};

const FIRST: &str = "id,customer,amount\n1,Ann,10\n2,Bob,20\n";
const SECOND: &str = "id,customer,amount\n3,Ann,30\n4,Bob,40\n";
const ALL: &str = "id,customer,amount\n1,Ann,10\n2,Bob,20\n3,Ann,30\n4,Bob,40\n";

/// Each kind with a version that gives all rows.
const KINDS: [(&str, &str); 5] = [
    ("sql", "{ sql: all.sql }"),
    ("command", "{ command: [sh, all.sh], inputs: csv }"),
    (
        "external",
        "{ external: { location: \"lake/SIDE/dt={date}/\" } }",
    ),
    ("merge", "{ merge: { how: union, missing: fail } }"),
    ("rust", "{ rust: all_rows }"),
];

/// One task with a change between two versions.
fn pipeline(old: &str, new: &str) -> Playground {
    let (old, new) = (old.replace("SIDE", "old"), new.replace("SIDE", "new"));
    let text = format!(
        "pipeline: lake\ndatasets:\n  first: {{ location: first.csv }}\n  second: {{ location: second.csv }}\n\
         tasks:\n  totals:\n    inputs: [first, second]\n    \
         output: {{ location: live/totals, grain: [id], customer: customer }}\n    live: v1\n    versions:\n      \
         v1: {old}\n      v2: {new}\nchanges:\n  better:\n    new: {{ totals: v2 }}\n"
    );
    let files = [
        ("understudy.yaml", text.as_str()),
        ("first.csv", FIRST),
        ("second.csv", SECOND),
        (
            "all.sql",
            "SELECT * FROM first UNION ALL SELECT * FROM second",
        ),
        (
            "all.sh",
            "cd \"$UNDERSTUDY_OUTPUT\" && cat \"$UNDERSTUDY_INPUT_FIRST\"/*.csv > all.csv && \
             tail -n +2 \"$UNDERSTUDY_INPUT_SECOND\"/*.csv >> all.csv\n",
        ),
        (&format!("lake/old/dt={DATE}/rows.csv"), ALL),
        (&format!("lake/new/dt={DATE}/rows.csv"), ALL),
    ];
    Playground::of(&files).with_rust_tasks()
}

#[test]
fn every_kind_is_compared_with_every_other() {
    for (old, old_text) in KINDS {
        for (new, new_text) in KINDS {
            if old == new && old != "external" {
                // The same code is no change: its own test.
                continue;
            }
            let lake = pipeline(old_text, new_text);
            let ended = lake.run(&["--strict"]).expect(0);
            assert_eq!(ended.verdict("totals"), "identical", "{old} with {new}");
            let published = ended.json()["live"]["outputs"].as_object().unwrap().len();
            assert_eq!(
                published,
                usize::from(old != "external"),
                "{old} with {new}"
            );
            if old == "external" {
                assert!(!lake.path("live").exists(), "{old} with {new}");
            } else {
                assert_eq!(lake.rows("totals").lines().count(), 5, "{old} with {new}");
            }
        }
    }
}

#[test]
fn a_difference_is_found_whatever_the_kind() {
    for (kind, text) in KINDS.iter().filter(|(kind, _)| *kind != "external") {
        let lake = pipeline(text, "{ external: { location: \"lake/new/dt={date}/\" } }");
        lake.replace(
            &format!("lake/new/dt={DATE}/rows.csv"),
            "4,Bob,40",
            "4,Bob,41",
        );
        let ended = lake.run(&["--strict"]).expect(1);
        let found = ended.json()["changes"]["better"]["tasks"]["totals"].clone();
        assert_eq!(found["rows"]["changed"], 1, "{kind}");
        assert_eq!(found["customers"]["Bob"]["verdict"], "unexpected", "{kind}");
        assert_eq!(found["customers"]["Ann"]["verdict"], "identical", "{kind}");
    }
}

#[test]
fn the_same_code_on_both_sides_is_no_change() {
    let lake = pipeline("{ rust: all_rows }", "{ rust: all_rows }");
    let ended = lake.understudy(&["check"]).expect(2);
    assert!(
        ended.stdout.contains("has the same code and parameters"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_rust_task_that_the_program_does_not_have() {
    let lake = pipeline("{ sql: all.sql }", "{ rust: all_rowz }");
    let ended = lake.understudy(&["check"]).expect(2);
    let expected = "this program has no Rust task `all_rowz`\n    v2: { rust: all_rowz }\n    \
                    hint: did you mean `all_rows`? the Rust tasks here are: all_rows, dies_with_rows, fails_with_rows, hostile, panics, panics_with_rows";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    // Live goes on, and the change is said not to run.
    let ended = lake.run(&["--strict"]).expect(3);
    assert_eq!(
        ended.json()["suspended"]["better"][0],
        "this program has no Rust task `all_rowz`"
    );
    assert_eq!(lake.rows("totals").lines().count(), 5);
}

#[test]
fn a_rust_task_that_panics_is_a_failed_version() {
    let lake = pipeline("{ sql: all.sql }", "{ rust: panics }");
    let ended = lake.run(&["--strict"]).expect(3);
    assert_eq!(
        ended.verdict("totals"),
        "inconclusive: the new version (v2) failed: the Rust task `panics` panicked: on purpose"
    );
}

#[test]
fn waiting_for_data_is_an_answer_of_its_own() {
    for (side, version) in [("old", "v1"), ("new", "v2")] {
        let lake = pipeline(KINDS[2].1, KINDS[2].1);
        let folder = format!("lake/{side}/dt={DATE}");
        std::fs::remove_dir_all(lake.path(&folder)).unwrap();
        let ended = lake.run(&["--shadow"]).expect(0);
        assert_eq!(
            ended.verdict("totals"),
            format!(
                "inconclusive: the {side} version ({version}) is not there yet (nothing is at `{folder}/`)"
            )
        );
        lake.run(&["--shadow", "--strict"]).expect(3);
        // When it is there, the verdict is.
        lake.write(&format!("{folder}/rows.csv"), ALL);
        let ended = lake.run(&["--shadow", "--strict"]).expect(0);
        assert_eq!(ended.verdict("totals"), "identical");
    }
}

#[test]
fn an_input_that_is_not_there_yet_makes_the_shadow_wait_and_stops_live() {
    let lake = pipeline(KINDS[2].1, KINDS[0].1);
    std::fs::remove_file(lake.path("first.csv")).unwrap();
    let ended = lake.run(&["--strict"]).expect(3);
    assert_eq!(
        ended.verdict("totals"),
        "inconclusive: the new version (v2) waits: its input `first` is not there yet (nothing is at `first.csv`)"
    );
    let lake = pipeline(KINDS[0].1, KINDS[1].1);
    std::fs::remove_file(lake.path("first.csv")).unwrap();
    let ended = lake.run(&["--live"]).expect(6);
    assert!(
        ended.stderr.contains("nothing is at `first.csv`"),
        "{}",
        ended.stderr
    );
    lake.run(&["--shadow", "--strict"]).expect(3);
}

#[test]
fn what_external_versions_read_is_said_not_to_be_pinned() {
    let lake = pipeline(KINDS[2].1, KINDS[0].1);
    let notes =
        lake.run(&[]).expect(0).json()["changes"]["better"]["tasks"]["totals"]["notes"].clone();
    assert_eq!(
        notes[0],
        "v1 is external: what it read is not pinned, only what it left"
    );
}

#[test]
fn what_is_published_again_during_a_run_is_no_evidence() {
    let lake = pipeline(KINDS[2].1, "{ command: [sh, publish.sh], inputs: csv }").without_walls();
    let target = format!("lake/old/dt={DATE}/rows.csv");
    let publish = format!(
        "sed s/40/41/ {target} > other.csv; cp other.csv {target}; {}",
        lake.read("all.sh")
    );
    lake.write("publish.sh", &publish);
    let verdict = lake.run(&["--strict"]).expect(3).verdict("totals");
    let path = format!("`{target}` was changed (same length, other bytes)");
    let during = format!("an input changed during the run: {path}");
    assert!(
        verdict.starts_with("inconclusive: ") && verdict.contains(&during),
        "{verdict}"
    );
}

/// Another process publishes the old output again and again while shadows run: each run compares one whole state of it,
/// or says that it changed.
#[test]
fn a_publisher_at_work_is_pinned_or_inconclusive_and_never_wrong() {
    let lake = pipeline(KINDS[2].1, "{ command: [sh, slow.sh], inputs: csv }");
    lake.write("slow.sh", &format!("sleep 0.1; {}", lake.read("all.sh")));
    let target = lake.path(&format!("lake/old/dt={DATE}/rows.csv"));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (mut pinned, mut doubted) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Every state has three wrong rows or none, in a file of the same length; half of the time in place.
            for turn in 0.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let wrong = ALL
                    .replace(",20", ",21")
                    .replace(",30", ",31")
                    .replace(",40", ",41");
                let text = if turn % 2 == 0 { wrong.as_str() } else { ALL };
                if turn % 4 < 2 {
                    std::fs::write(&target, text).unwrap();
                } else {
                    let temporary = target.with_extension("tmp");
                    std::fs::write(&temporary, text).unwrap();
                    std::fs::rename(&temporary, &target).unwrap();
                }
                std::thread::sleep(Duration::from_millis(90));
            }
        });
        for _ in 0..12 {
            let ended = lake.run(&["--shadow"]).expect(0);
            let report = ended.json();
            let task = &report["changes"]["better"]["tasks"]["totals"];
            match task["verdict"].as_str().unwrap() {
                "identical" => pinned += 1,
                "inconclusive" => doubted += 1,
                "unexpected" => {
                    let reasons = task["reasons"].as_array().unwrap();
                    let changed = task["rows"]["changed"].as_u64().unwrap();
                    assert!(
                        changed == 3 || !reasons.is_empty(),
                        "{changed} rows and no doubt: {task:#}"
                    );
                    pinned += 1;
                }
                other => panic!("{other}"),
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(pinned + doubted, 12);
}
