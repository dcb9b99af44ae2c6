//! A ledger of runs, a pipeline at some stage, and the sentence that comes out.

use super::*;
use crate::ledger::PublishedRun;
use crate::spec::{FileCheck, load};
use crate::stage::Stage;

struct AnyFile;

impl FileCheck for AnyFile {
    fn exists(&self, _path: &str) -> bool {
        true
    }

    fn read(&self, _path: &str) -> Option<String> {
        None
    }
}

const PIPELINE: &str = "\
pipeline: p
datasets: { raw: { location: raw.parquet } }
tasks:
  a:
    inputs: [raw]
    output: { location: live/a, grain: [id], customer: who }
    live: v1
    versions: { v1: { sql: a1.sql }, v2: { sql: a2.sql } }
  b:
    inputs: [a]
    output: { grain: [id] }
    live: v1
    versions: { v1: { external: { location: \"theirs/date={date}/\" } } }
changes:
  x: { new: { a: v2 } }
";

fn spec(text: &str) -> Spec {
    let loaded = load(text, "understudy.yaml", &AnyFile);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    loaded.spec.unwrap()
}

fn version(text: &str) -> LiveVersion {
    let (version, code) = text.split_once('=').unwrap();
    LiveVersion {
        version: version.to_owned(),
        code: Digest::of_bytes(code.as_bytes()),
    }
}

/// A run on the so-manieth that published `a` from a version such as `v1=text`; of an empty one nothing is known.
fn published(day: u32, live: &str) -> Entry {
    let live = [live].into_iter().filter(|live| !live.is_empty());
    Entry {
        version: 1,
        number: 1,
        previous: Digest::of_bytes(b""),
        at: "2026-03-01T06:00:00.000Z".to_owned(),
        event: LedgerEvent::Published(PublishedRun {
            pipeline: "p".to_owned(),
            run: "r".to_owned(),
            date: format!("2026-03-{day:02}").parse().unwrap(),
            slice: None,
            succeeded: true,
            outputs: BTreeMap::new(),
            code: BTreeMap::new(),
            live: live.map(|live| ("a".to_owned(), version(live))).collect(),
            fallbacks: BTreeMap::new(),
            alerts: Vec::new(),
            repair: None,
        }),
    }
}

fn with(mut entry: Entry, change: impl Fn(&mut PublishedRun)) -> Entry {
    if let LedgerEvent::Published(run) = &mut entry.event {
        change(run);
    }
    entry
}

/// The versions of `a` are what they are called: `v1=one v2=two`.
#[track_caller]
fn check(entries: &[Entry], stage: Stage, code: &str, expected: &[&str]) {
    let stages = LaneStages {
        lanes: BTreeMap::new(),
        unlisted: stage,
    };
    let versions = code.split_whitespace().map(version);
    let versions = versions.map(|version| (version.version, version.code));
    let code = BTreeMap::from([("a".to_owned(), versions.collect())]);
    let found = live_edits(
        entries,
        &spec(PIPELINE),
        &BTreeMap::from([("x".to_owned(), stages)]),
        &code,
    );
    let texts: Vec<String> = found.iter().map(LiveEdit::text).collect();
    assert_eq!(texts, expected);
}

const NOW: &str = "v1=one v2=two";
const EDITED: &str = "the live version `v1` of `a` was edited since the run of 2026-03-04: it is published as it is now; evidence of `x` starts anew";

#[test]
fn what_was_published_last_counts() {
    check(&[], Stage::Shadow, NOW, &[]);
    check(&[published(4, "v1=one")], Stage::Shadow, NOW, &[]);
    check(&[published(4, "v1=other")], Stage::Shadow, NOW, &[EDITED]);
    let taken_back = [published(4, "v1=other"), published(5, "v1=one")];
    check(&taken_back, Stage::Shadow, NOW, &[]);
}

#[test]
fn entries_that_do_not_tell_are_passed_over() {
    let last = published(4, "v1=other");
    let failed = with(published(5, "v1=one"), |run| run.succeeded = false);
    let other = with(published(5, "v1=one"), |run| run.pipeline = "q".to_owned());
    for later in [published(5, ""), failed, other] {
        check(&[last.clone(), later], Stage::Shadow, NOW, &[EDITED]);
    }
    check(&[published(4, "")], Stage::Shadow, NOW, &[]);
}

#[test]
fn what_follows_depends_on_the_stages() {
    let entries = [published(4, "v1=other")];
    check(
        &entries,
        Stage::Live,
        NOW,
        &[
            "the live version `v1` of `a` was edited since the run of 2026-03-04: nobody gets it while `x` is live for all, and everybody would on the way back; evidence of `x` starts anew",
        ],
    );
    check(
        &entries,
        Stage::Off,
        NOW,
        &[
            "the live version `v1` of `a` was edited since the run of 2026-03-04: it is published as it is now",
        ],
    );
}

#[test]
fn where_a_change_is_complete_its_new_version_is_the_live_one() {
    let complete = |entry: &str, expected: &[&str]| {
        check(&[published(4, entry)], Stage::Complete, NOW, expected);
    };
    complete("v2=two", &[]);
    complete(
        "v2=other",
        &[
            "the live version `v2` of `a` was edited since the run of 2026-03-04: it is published as it is now",
        ],
    );
    complete(
        "v1=one",
        &[
            "the live version of `a` is `v2`, which was `v1` in the run of 2026-03-04: it is published as it is now",
        ],
    );
    // A name alone is no edit.
    complete("first=two", &[]);
}

#[test]
fn what_somebody_else_publishes_is_not_ours_to_watch() {
    let code = BTreeMap::from(["a", "b"].map(|task| {
        let versions = ["v1", "v2"].map(|name| (name.to_owned(), Digest::of_bytes(b"")));
        (task.to_owned(), BTreeMap::from(versions))
    }));
    let versions = live_versions(&spec(PIPELINE), &BTreeMap::new(), &code);
    assert_eq!(versions.keys().collect::<Vec<_>>(), ["a"]);
}
