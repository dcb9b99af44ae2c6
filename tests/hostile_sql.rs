//! Hostile queries: new versions that try to read or write elsewhere, to use everything up, or to crash. Each is the
//! shadow of a version that is live; live is as without it, and no file but the granted ones is touched.

mod corpus;
mod scene;
mod trace;

use crate::campaign::Extent;
use crate::playground::Ended;
use corpus::Statement;
use scene::Scene;
use trace::Calls;

/// How many statements are shadows of one run.
const BATCH: usize = 24;
/// Of how many statements a normal run tries one.
const SAMPLE: usize = 8;
/// Of how many statements the system calls are watched.
const WATCHED: usize = 16;
/// How often a run is traced.
const TRACES: usize = 4;

#[test]
fn there_are_hundreds_of_different_ones() {
    let corpus = corpus::all();
    let different: std::collections::BTreeSet<_> =
        corpus.iter().map(|statement| &statement.sql).collect();
    assert_eq!(different.len(), corpus.len());
    assert!(corpus.len() > 400, "{}", corpus.len());
}

#[test]
fn hostile_queries_harm_nobody() {
    let corpus = corpus::all();
    let tried: Vec<&Statement> = match Extent::asked_for() {
        Extent::Full => corpus.iter().collect(),
        Extent::Sample => corpus.iter().step_by(SAMPLE).collect(),
        Extent::One(number) => vec![&corpus[number as usize]],
    };
    for batch in tried.chunks(BATCH) {
        let scene = Scene::of(batch);
        let ended = scene.run();
        scene.check(&ended, batch);
    }
}

/// A traced run. `strace` may end itself where what it traces is stopped and killed at the same time, as what a version
/// leaves behind is; that says nothing of the run.
fn traced(batch: &[&Statement]) -> (Scene, Ended, Calls) {
    for _ in 0..TRACES {
        let scene = Scene::of(batch);
        let (ended, calls) = scene.run_traced();
        if !ended.stderr.contains("\nstrace: ptrace(") {
            return (scene, ended, calls);
        }
        eprintln!("strace failed: {}", ended.stderr);
    }
    panic!("strace failed {TRACES} times");
}

/// What the system says of every file that a worker opened, and of every socket.
#[test]
fn hostile_queries_touch_no_other_file_and_no_network() {
    if !trace::is_possible() {
        eprintln!("skipped: strace is not here, or may not trace");
        return;
    }
    let corpus = corpus::all();
    let step = if Extent::asked_for() == Extent::Full {
        1
    } else {
        WATCHED
    };
    let watched: Vec<&Statement> = corpus.iter().skip(3).step_by(step).collect();
    for batch in watched.chunks(BATCH) {
        let (scene, ended, calls) = traced(batch);
        scene.check(&ended, batch);
        let workers = calls.of_workers();
        assert!(workers.len() > batch.len(), "{} workers", workers.len());
        let mut opened = 0;
        for call in workers.iter().flatten() {
            opened += usize::from(call.opens());
            assert!(!call.is_network(), "{call:?}");
            for path in call.touched() {
                assert!(scene.grants(&path, call.writes()), "`{path}`: {call:?}");
            }
        }
        assert!(opened > batch.len(), "{opened} files");
    }
}
