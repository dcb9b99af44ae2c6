//! The ledger first, then the flag: what follows where something ends between the two.

use std::time::{Duration, Instant};

use understudy_scripted_launchdarkly::{RestFault, Route};

use super::scene::{CHANGE, SLACK, Scene, WAIT, alerts, no_alert};

/// Longer than any of these tests takes.
const FOR_EVER: Duration = Duration::from_secs(300);

/// The machine fails while a flip is about its patch, which has arrived or has not.
pub(super) fn crashed_at_the_patch(scene: &Scene, fault: RestFault) {
    let (moves, told) = (scene.moves().len(), scene.told());
    scene.server.forget();
    scene.server.script_rest(fault, 1);
    let flip = scene.shop.begin(&["flip", CHANGE, "--customers", "acme"]);
    scene.wait_for_patch();
    // It is recorded as it arrives, and done right after that.
    std::thread::sleep(Duration::from_millis(200));
    flip.signal("KILL");
    flip.end().expect(137);
    assert_eq!(
        scene.moves()[moves..],
        ["flip acme to live"],
        "the ledger is first"
    );
    assert_eq!(scene.told(), told);
}

pub(super) fn before_it_arrived() -> RestFault {
    let (route, by) = (Route::PatchFlag, FOR_EVER);
    RestFault::Late { route, by }
}

fn after_it_arrived() -> RestFault {
    let (route, by) = (Route::PatchFlag, FOR_EVER);
    RestFault::Slow { route, by }
}

#[test]
fn after_a_crash_before_the_patch_the_next_run_tells_the_flag() {
    let scene = Scene::ready();
    crashed_at_the_patch(&scene, before_it_arrived());
    assert!(scene.targeted("live").is_empty());
    scene.run(2);
    assert_eq!(scene.targeted("live"), ["acme".to_owned()].into());
    assert_eq!(scene.told(), 1);
    assert_eq!(
        scene.moves(),
        ["flip acme to live"],
        "nobody moved them back"
    );
    no_alert(&scene.run(3));
    scene.check_new(3, &["acme"]);
    scene.nothing_leaked();
}

#[test]
fn after_a_crash_before_the_patch_sync_tells_the_flag() {
    let scene = Scene::ready();
    crashed_at_the_patch(&scene, before_it_arrived());
    scene.understudy(&["flags", "sync", "--dry-run"]).expect(0);
    assert!(scene.targeted("live").is_empty());
    assert_eq!(scene.told(), 0);
    scene.understudy(&["flags", "sync"]).expect(0);
    assert_eq!(scene.targeted("live"), ["acme".to_owned()].into());
    assert_eq!(scene.told(), 1);
    no_alert(&scene.run(2));
    scene.check_new(2, &["acme"]);
}

#[test]
fn after_a_crash_before_the_patch_old_rows_are_published_while_it_cannot_be_told() {
    let scene = Scene::ready();
    crashed_at_the_patch(&scene, before_it_arrived());
    let route = Route::Any;
    scene
        .server
        .script_rest(RestFault::LostBefore { route }, 1_000);
    // Live waits for flags only as long as the pipeline file says, and the scheduler for the live half.
    let began = Instant::now();
    let mut run = scene
        .shop
        .begin(&["run", "--live", "--json", "--date", "2026-03-02"]);
    while !run.has_ended() && began.elapsed() < WAIT + SLACK {
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = began.elapsed();
    if !run.has_ended() {
        run.signal("KILL");
    }
    let ended = run.end();
    scene.check_new(2, &[]);
    assert_eq!(
        scene.moves(),
        ["flip acme to live"],
        "nobody moved them back"
    );
    assert_eq!(
        ended.code, 0,
        "`run --live` has not returned after {took:?}"
    );
    assert!(!alerts(&ended).is_empty(), "{}", ended.stderr);
}

#[test]
fn after_a_crash_behind_the_patch_it_is_not_sent_again() {
    for sync in [true, false] {
        let scene = Scene::ready();
        crashed_at_the_patch(&scene, after_it_arrived());
        assert_eq!(scene.targeted("live"), ["acme".to_owned()].into());
        if sync {
            scene.understudy(&["flags", "sync"]).expect(0);
        }
        scene.run(2);
        scene.check_new(2, &["acme"]);
        assert_eq!(
            (scene.told(), scene.patches().len()),
            (1, 1),
            "sync: {sync}"
        );
        no_alert(&scene.run(3));
        scene.check_new(3, &["acme"]);
    }
}

#[test]
fn what_a_hand_moved_back_behind_the_patch_stays_back() {
    for sync in [true, false] {
        let scene = Scene::ready();
        crashed_at_the_patch(&scene, after_it_arrived());
        scene.hand("acme", "shadow");
        if sync {
            scene.understudy(&["flags", "sync"]);
        }
        scene.run(2);
        scene.check_new(2, &[]);
        assert!(scene.targeted("live").is_empty(), "sync: {sync}");
        scene.run(3);
        scene.check_new(3, &[]);
        assert!(scene.targeted("live").is_empty(), "sync: {sync}");
        assert_eq!(scene.stage("acme"), "shadow", "sync: {sync}");
    }
}

#[test]
fn a_run_that_is_killed_after_the_crash_changes_nothing_of_it() {
    let scene = Scene::ready();
    crashed_at_the_patch(&scene, before_it_arrived());
    scene.hold(2).kill();
    scene.run(2);
    assert_eq!(
        scene.moves(),
        ["flip acme to live"],
        "nobody moved them back"
    );
    no_alert(&scene.run(3));
    scene.check_new(3, &["acme"]);
    assert_eq!(scene.told(), 1);
}

#[test]
fn a_flip_waits_for_fresh_flags() {
    let faults: [fn(&Scene); 3] = [
        |scene| scene.down(),
        |scene| scene.server.refuse_sdk_key(true),
        |scene| scene.server.mute(true),
    ];
    for begin in faults {
        let scene = Scene::ready();
        begin(&scene);
        scene.flip("acme").expect(6);
        scene.flip_all().expect(6);
        assert_eq!(scene.moves(), [""; 0]);
        assert!(scene.patches().is_empty());
        scene.server.refuse_sdk_key(false);
        scene.server.mute(false);
        scene.up();
        scene.flip("acme").expect(0);
    }
}

#[test]
fn a_rollback_works_at_once_with_everything_down_and_the_next_run_tells_the_flag() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.run(2);
    scene.down();
    let began = Instant::now();
    let back = scene.rollback("acme").expect(0);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(
        !back.stderr.is_empty(),
        "it says that the flag does not have it"
    );
    scene.run(3);
    scene.check_new(3, &["bolt"]);
    scene.up();
    assert_eq!(scene.targeted("live").len(), 2);
    scene.run(4);
    scene.check_new(4, &["bolt"]);
    assert_eq!(scene.targeted("live"), ["bolt".to_owned()].into());
    assert_eq!(scene.told(), 2);
    no_alert(&scene.run(5));
    assert_eq!(scene.moves().len(), 2);
}

#[test]
fn a_rollback_of_all_with_everything_down_is_told_by_sync() {
    let scene = Scene::ready();
    scene.flip_all().expect(0);
    scene.run(2);
    scene.down();
    scene.understudy(&["rollback", CHANGE, "--all"]).expect(0);
    // Nobody can be told yet.
    assert_ne!(scene.understudy(&["flags", "sync"]).code, 0);
    scene.up();
    assert_eq!(scene.served_by_default(), "live");
    scene
        .understudy(&["flags", "sync", "--change", CHANGE])
        .expect(0);
    assert_eq!(scene.served_by_default(), "shadow");
    no_alert(&scene.run(3));
    scene.check_new(3, &[]);
}

#[test]
fn a_rollback_during_a_run_is_honoured_at_publishing_in_an_outage_too() {
    let scene = Scene::live(&["acme", "bolt"]);
    let held = scene.hold(2);
    scene.down();
    scene.rollback("acme").expect(0);
    held.go();
    scene.check_new(2, &["bolt"]);
}

#[test]
fn a_rollback_needs_no_pipeline_file_that_can_be_read() {
    let scene = Scene::live(&["acme", "bolt"]);
    let whole = scene.shop.read("understudy.yaml");
    scene.shop.write("understudy.yaml", "pipeline: [");
    scene.rollback("acme").expect(0);
    scene.shop.write("understudy.yaml", &whole);
    scene.run(2);
    scene.check_new(2, &["bolt"]);
    // Without the file, and with flags that say what nobody understands.
    std::fs::remove_file(scene.shop.path("understudy.yaml")).unwrap();
    let store = scene.shop.path("store");
    let store = store.to_str().unwrap();
    scene
        .understudy(&["rollback", CHANGE, "--customers", "bolt", "--store", store])
        .expect(0);
    scene.shop.write("understudy.yaml", &whole);
    scene.run(3);
    scene.check_new(3, &[]);
    no_alert(&scene.run(4));
    assert!(scene.targeted("live").is_empty());
}

#[test]
fn what_falls_back_by_itself_in_an_outage_is_told_afterwards() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.run(2);
    scene.down();
    // Another new version: nobody gets it who got the one before.
    scene
        .shop
        .replace("v2.sql", "amount * 2", "amount + amount");
    scene.run(3);
    scene.check_new(3, &[]);
    assert_eq!(scene.stage("acme"), "shadow");
    scene.up();
    scene.run(4);
    scene.check_new(4, &[]);
    assert!(scene.targeted("live").is_empty());
    no_alert(&scene.run(5));
}
