//! Promise 8: a crash anywhere, and a run that is stopped, go on to the same result.

use std::fs::File;
use std::time::Duration;

use crate::playground::{COPY, ORDERS, Playground, WAITING, wait_until};

const TWO_TASKS: &str = "\
pipeline: pair
datasets:
  orders: { location: data/orders.csv }
tasks:
  one:
    inputs: [orders]
    output: { location: live/one, grain: [id] }
    live: v1
    versions:
      v1: { command: [sh, v1.sh], inputs: csv }
  two:
    inputs: [orders]
    output: { location: live/two, grain: [id] }
    live: v1
    versions:
      v1: { command: [sh, v1.sh], inputs: csv }
";
const MORE_ORDERS: &str = "id,customer,amount\n1,Ann,11\n2,Ann,21\n";

fn pair() -> Playground {
    Playground::of(&[
        ("understudy.yaml", TWO_TASKS),
        ("data/orders.csv", ORDERS),
        ("v1.sh", COPY),
    ])
}

#[test]
fn a_publication_that_was_cut_short_is_finished_by_the_next_run() {
    let pair = pair();
    let first = pair.run(&[]).expect(0).json()["run"]
        .as_str()
        .unwrap()
        .to_owned();
    pair.write("data/orders.csv", MORE_ORDERS);
    pair.run_with_fault("publish.between-renames", "kill")
        .expect(128 + 9);
    assert_ne!(
        pair.published("one"),
        pair.published("two"),
        "the crash came between the two"
    );
    let ended = pair.run(&[]).expect(0);
    let second = ended.json()["run"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(
        [pair.rows("one"), pair.rows("two")],
        [MORE_ORDERS, MORE_ORDERS]
    );
    assert_eq!(
        [pair.published_run("one"), pair.published_run("two")],
        [second.clone(), second]
    );
    assert_eq!(ended.reuse(), "2 of 2");
}

#[test]
fn it_is_finished_even_where_the_next_run_cannot_begin() {
    let pair = pair();
    pair.run(&[]).expect(0);
    pair.write("data/orders.csv", MORE_ORDERS);
    pair.run_with_fault("publish.between-renames", "kill")
        .expect(128 + 9);
    pair.write("data/orders.csv", "");
    let code = pair.run(&[]).code;
    assert!([5, 6].contains(&code), "{code}");
    assert_eq!(
        [pair.rows("one"), pair.rows("two")],
        [MORE_ORDERS, MORE_ORDERS]
    );
}

#[test]
fn a_crash_before_publishing_publishes_nothing() {
    let pair = pair();
    pair.run(&[]).expect(0);
    let before = [pair.published("one"), pair.published("two")];
    pair.write("data/orders.csv", MORE_ORDERS);
    pair.run_with_fault("publish.before-intent", "kill")
        .expect(128 + 9);
    assert_eq!([pair.published("one"), pair.published("two")], before);
    assert_eq!(pair.run(&[]).expect(0).reuse(), "2 of 2");
    assert_eq!(
        [pair.rows("one"), pair.rows("two")],
        [MORE_ORDERS, MORE_ORDERS]
    );
}

#[test]
fn a_supervisor_that_is_killed_in_the_shadow_half_takes_all_with_it_and_resumes() {
    let shop = Playground::shop(WAITING).without_walls();
    let started = shop.start(&[]);
    shop.wait_for("waits");
    started.signal("KILL");
    started.end().expect(128 + 9);
    shop.nobody_is_left();
    let published = shop.published("totals");
    assert_eq!(shop.rows("totals"), ORDERS);
    shop.write("go", "");
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.executed(), ["totals v2", "compare totals of better"]);
    assert_eq!(ended.verdict("totals"), "identical");
    assert_eq!(ended.json()["live"]["status"], "already_published");
    assert_eq!(shop.published("totals"), published);
    shop.understudy(&["audit", "verify"]).expect(0);
}

#[test]
fn a_supervisor_that_is_killed_in_the_live_half_publishes_when_it_is_started_again() {
    let shop = Playground::shop(COPY);
    shop.write("v1.sh", WAITING);
    let started = shop.start(&[]);
    shop.wait_for("waits");
    started.signal("KILL");
    started.end().expect(128 + 9);
    shop.nobody_is_left();
    assert!(!shop.path("live").exists());
    shop.write("go", "");
    assert_eq!(
        shop.run(&[]).expect(0).json()["live"]["status"],
        "published"
    );
    assert_eq!(shop.rows("totals"), ORDERS);
}

#[test]
fn stopped_in_the_live_half_it_publishes_nothing_and_says_how_to_go_on() {
    for signal in ["INT", "TERM"] {
        let shop = Playground::shop(COPY);
        shop.write("v1.sh", WAITING);
        let started = shop.start(&[]);
        shop.wait_for("waits");
        started.signal(signal);
        let ended = started.end().expect(130);
        assert_eq!(ended.json()["live"]["status"], "interrupted");
        assert!(
            ended
                .stderr
                .contains("hint: the same command goes on where this one stopped"),
            "{ended:?}"
        );
        shop.nobody_is_left();
        assert!(!shop.path("live").exists());
        shop.write("go", "");
        let ended = shop.run(&["--strict"]).expect(0);
        assert_eq!(ended.verdict("totals"), "identical");
        assert_eq!(shop.rows("totals"), ORDERS);
    }
}

#[test]
fn stopped_in_the_shadow_half_it_has_published_and_goes_on() {
    let shop = Playground::shop(WAITING).without_walls();
    let started = shop.start(&[]);
    shop.wait_for("waits");
    started.signal("INT");
    let ended = started.end().expect(130);
    assert_eq!(ended.json()["live"]["status"], "published");
    assert_eq!(
        ended.json()["changes"].as_object().unwrap().len(),
        0,
        "a part is no evidence"
    );
    shop.nobody_is_left();
    shop.write("go", "");
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.executed(), ["totals v2", "compare totals of better"]);
    assert_eq!(ended.verdict("totals"), "identical");
}

#[test]
fn two_runs_of_one_date_do_not_mix() {
    let shop = Playground::shop(WAITING).without_walls();
    let started = shop.start(&[]);
    shop.wait_for("waits");
    let ended = shop.run(&[]).expect(6);
    assert!(
        ended
            .stderr
            .contains("another run of 2026-01-31 is going on in this store"),
        "{ended:?}"
    );
    started.signal("INT");
    started.end().expect(130);
}

/// The children of a process, and theirs.
fn descendants(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().flat_map(str::parse::<u32>);
    children
        .flat_map(|child| [vec![child], descendants(child)].concat())
        .collect()
}

/// The lock that workers hold, as the next run of the date takes it.
fn at_work_lock(shop: &Playground) -> bool {
    let folder = shop.path("store/locks/shop/date=2026-01-31/.at-work");
    File::open(folder).unwrap().try_lock().is_ok()
}

/// While a worker or something that it started is there, its lock is held, and so the next run waits.
fn the_lock_outlives_the_run(shop: &Playground) {
    let run = shop.start(&[]);
    shop.wait_for("waits");
    let workers = descendants(run.id());
    assert!(workers.len() > 1, "{workers:?}");
    assert!(!at_work_lock(shop));
    run.signal("KILL");
    wait_until("the lock is free", || at_work_lock(shop));
    let left: Vec<&u32> = workers
        .iter()
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        })
        .collect();
    assert!(left.is_empty(), "{left:?} could still write");
    run.end().expect(128 + 9);
}

#[test]
fn a_run_waits_for_the_workers_of_one_that_was_killed() {
    let shop = Playground::shop_without_change();
    shop.run(&[]).expect(0);
    let folder = shop.path("store/locks/shop/date=2026-01-31/.at-work");
    let held = File::open(folder).unwrap();
    held.lock_shared().unwrap();
    // It says who is in the way, who is not the run before.
    let given_up = shop.run(&["--fresh"]).expect(6).stderr;
    assert!(given_up.contains("of a run that was killed"), "{given_up}");
    let mut run = shop.start(&["--fresh"]);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(!run.has_ended());
    drop(held);
    run.end().expect(0);
}

#[test]
fn workers_hold_a_lock_as_long_as_they_can_write() {
    let shop = Playground::shop_without_change();
    shop.write("v1.sh", WAITING);
    the_lock_outlives_the_run(&shop);
}

#[test]
fn so_do_those_behind_walls_and_those_without_namespaces() {
    for without in ["landlock", "landlock,namespaces"] {
        let shop = Playground::shop(WAITING).with_parts_left_out(without);
        the_lock_outlives_the_run(&shop);
    }
}
