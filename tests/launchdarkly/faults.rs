//! What can go wrong with reading flags: before a run, between its first look and its publishing, and where the
//! machine failed and the run is started again in the outage; with the new version live for somebody, and for nobody.
//! Whatever it is, the rows are those that the ledger's stages ask for, the exit code is 0, nobody waits longer than
//! the pipeline file says, and somebody is told.

use std::time::Duration;

use serde_json::json;
use understudy_scripted_launchdarkly::{Scripted, StreamScript};

use super::scene::{CHANGE, Scene, alerted, alerts, no_alert, play_each};

struct Fault {
    name: &'static str,
    begin: fn(&Scripted),
    /// One of these stands in an alert.
    said: &'static [&'static str],
    /// Nobody needs to be told where nobody is live: it may be that the flag is not there yet.
    only_of_live: bool,
}

const fn fault(name: &'static str, begin: fn(&Scripted), said: &'static [&'static str]) -> Fault {
    Fault {
        name,
        begin,
        said,
        only_of_live: false,
    }
}

const fn gone(name: &'static str, begin: fn(&Scripted)) -> Fault {
    Fault {
        name,
        begin,
        said: &["is not there"],
        only_of_live: true,
    }
}

fn answers(server: &Scripted, status: u16) {
    meets(server, StreamScript::Status(status, Vec::new()));
}

fn meets(server: &Scripted, script: StreamScript) {
    server.script_stream(script);
    server.drop_streams();
}

/// An older environment is restored: nobody is live in it, and its versions are lower.
fn restore_an_older_environment(server: &Scripted) {
    server.edit_by_hand(CHANGE, |config| config["contextTargets"] = json!([]));
    server.set_version(CHANGE, 1);
    server.drop_streams();
}

const FAULTS: [Fault; 18] = [
    fault("401", |server| server.refuse_sdk_key(true), &["401"]),
    fault("403", |server| answers(server, 403), &["403"]),
    fault("404", |server| answers(server, 404), &["404"]),
    fault("500 storm", |server| answers(server, 500), &["500"]),
    fault("503 storm", |server| answers(server, 503), &["503"]),
    fault("429", |server| answers(server, 429), &["429"]),
    fault("gone", Scripted::stop, &["down"]),
    fault("half-open", |server| server.mute(true), &["stale", "down"]),
    fault(
        "never answers",
        |server| meets(server, StreamScript::NeverAnswer),
        &["stale", "down"],
    ),
    fault(
        "headers only",
        |server| meets(server, StreamScript::HeadersOnly),
        &["stale", "down"],
    ),
    fault(
        "a byte now and then",
        |server| {
            let every = Duration::from_millis(200);
            meets(server, StreamScript::SlowDrip { bytes: 1, every });
        },
        &["stale", "down"],
    ),
    fault(
        "closes at once",
        |server| meets(server, StreamScript::CloseAtOnce),
        &["down"],
    ),
    fault(
        "unknown event first",
        |server| meets(server, StreamScript::FirstEventUnknown),
        &["cannot be read"],
    ),
    fault(
        "malformed flag",
        |server| meets(server, StreamScript::MalformedFlag),
        &["cannot be read"],
    ),
    fault(
        "malformed JSON",
        |server| meets(server, StreamScript::MalformedJson),
        &["cannot be read"],
    ),
    fault(
        "type changed",
        |server| {
            server.edit_flag(CHANGE, |flag| {
                for variation in flag["variations"].as_array_mut().unwrap() {
                    variation["value"] = json!(1);
                }
            });
        },
        &["none of its variations"],
    ),
    gone("flag deleted", |server| server.delete_flag(CHANGE)),
    gone("empty", |server| meets(server, StreamScript::EmptyPut)),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    Before,
    During,
    StartedAgain,
}

/// How many scenes are played at once: most of the time they wait.
const AT_ONCE: usize = 8;

fn each_fault(moment: Moment) {
    let sides: [&[&str]; 2] = [&["acme"], &[]];
    let cases: Vec<_> = sides
        .iter()
        .flat_map(|live| FAULTS.iter().map(move |fault| (fault, *live)))
        .collect();
    let name = |(fault, live): &(&Fault, &[&str])| format!("{moment:?}, {}, {live:?}", fault.name);
    play_each(AT_ONCE, &cases, name, |(fault, live)| {
        play(fault, moment, live);
    });
}

fn play(fault: &Fault, moment: Moment, live: &[&str]) {
    let scene = Scene::live(live);
    let ended = match moment {
        Moment::Before => {
            (fault.begin)(&scene.server);
            scene.run_in_time(2)
        }
        Moment::During => {
            let held = scene.hold(2);
            (fault.begin)(&scene.server);
            held.let_it_notice().go()
        }
        Moment::StartedAgain => {
            let held = scene.hold(2);
            (fault.begin)(&scene.server);
            held.kill();
            scene.run_in_time(2)
        }
    };
    eprintln!("{}, {moment:?}: {}", fault.name, ended.stderr);
    scene.check_new(2, live);
    if !fault.only_of_live || !live.is_empty() {
        alerted(&ended, fault.said);
    }
    // The shadow goes on.
    assert_eq!(ended.json()["changes"][CHANGE]["verdict"], "expected");
    let flips = usize::from(!live.is_empty());
    assert_eq!(scene.moves().len(), flips, "nobody moved");
    scene.nothing_leaked();
}

#[test]
fn before_a_run() {
    each_fault(Moment::Before);
}

#[test]
fn between_the_first_look_and_publishing() {
    each_fault(Moment::During);
}

#[test]
fn a_run_that_is_started_again_in_the_outage() {
    each_fault(Moment::StartedAgain);
}

#[test]
fn a_refused_key_is_said_within_a_second() {
    let scene = Scene::live(&["acme"]);
    // Longer than anybody waits in a test.
    scene.setting("wait: 2s", "wait: 60s");
    scene.server.refuse_sdk_key(true);
    let ended = scene.run_in_time(2);
    alerted(&ended, &["401"]);
    scene.check_new(2, &["acme"]);
}

#[test]
fn an_older_environment_is_refused_before_a_run_until_understudy_moves_somebody() {
    let scene = Scene::live(&["acme"]);
    scene.run(2);
    restore_an_older_environment(&scene.server);
    alerted(&scene.run(3), &["version"]);
    scene.check_new(3, &["acme"]);
    alerted(&scene.run(4), &["version"]);
    scene.flip("bolt").expect(0);
    no_alert(&scene.run(5));
    scene.check_new(5, &["acme", "bolt"]);
}

#[test]
fn an_older_environment_is_refused_during_a_run() {
    let scene = Scene::live(&["acme"]);
    let held = scene.hold(2);
    restore_an_older_environment(&scene.server);
    let ended = held.let_it_notice().go();
    alerted(&ended, &["version"]);
    scene.check_new(2, &["acme"]);
}

#[test]
fn an_older_environment_is_refused_where_its_run_is_started_again() {
    let scene = Scene::live(&["acme"]);
    let held = scene.hold(2);
    restore_an_older_environment(&scene.server);
    held.kill();
    alerted(&scene.run(2), &["version"]);
    scene.check_new(2, &["acme"]);
}

#[test]
fn a_stream_in_pieces_and_one_that_comes_and_goes_are_no_faults() {
    let scene = Scene::live(&["acme"]);
    let every = Duration::from_millis(20);
    let pieces = StreamScript::SlowDrip { bytes: 97, every };
    scene.server.script_stream(pieces);
    no_alert(&scene.run_in_time(2));
    scene.check_new(2, &["acme"]);
    let after = Duration::from_millis(400);
    scene.server.script_stream(StreamScript::Flap { after });
    let held = scene.hold(3).let_it_notice();
    held.go();
    scene.check_new(3, &["acme"]);
    // What is moved meanwhile is heard over some connection: of this run, where one comes in time, or of the next.
    let held = scene.hold(4);
    scene.hand("acme", "shadow");
    let ended = held.let_it_notice().go();
    assert!(!alerts(&ended).is_empty(), "{}", ended.stderr);
    scene.server.script_stream(StreamScript::Serve);
    scene.run(5);
    scene.check_new(5, &[]);
}

#[test]
fn after_an_outage_it_is_as_before() {
    let scene = Scene::live(&["acme"]);
    scene.down();
    let held = scene.hold(2);
    scene.up();
    held.let_it_notice().go();
    scene.check_new(2, &["acme"]);
    no_alert(&scene.run(3));
    scene.flip("bolt").expect(0);
    no_alert(&scene.run(4));
    scene.check_new(4, &["acme", "bolt"]);
}

#[test]
fn a_hand_towards_old_in_an_outage_is_honoured_once_it_is_over() {
    let scene = Scene::live(&["acme"]);
    scene.hand("acme", "shadow");
    scene.down();
    alerted(&scene.run(2), &["down"]);
    // Nobody has heard of it yet: the ledger decides.
    scene.check_new(2, &["acme"]);
    scene.up();
    alerted(&scene.run(3), &["acme"]);
    scene.check_new(3, &[]);
    scene.down();
    scene.run(4);
    scene.check_new(4, &[]);
}

/// What a flag may not be, since a cutover of data wants lists.
#[test]
fn flags_that_are_refused_as_a_whole_leave_everybody_where_they_are() {
    let rollout = json!({ "rollout": { "contextKind": "customer", "variations": [
        { "variation": 1, "weight": 50_000 }, { "variation": 2, "weight": 50_000 },
    ] } });
    let with_operator = json!([{
        "_id": "5f0c3f1e-0000-4000-8000-00000000000a", "variation": 1, "trackEvents": false,
        "clauses": [{ "contextKind": "customer", "attribute": "key", "op": "soundsLike",
            "values": ["acme"], "negate": false }],
    }]);
    let with_segment = json!([{
        "_id": "5f0c3f1e-0000-4000-8000-00000000000a", "variation": 1, "trackEvents": false,
        "clauses": [{ "contextKind": "customer", "attribute": "key", "op": "segmentMatch",
            "values": ["big"], "negate": false }],
    }]);
    let edits = [
        ("fallthrough", rollout),
        ("rules", with_operator),
        ("rules", with_segment),
    ];
    for (key, value) in edits {
        let scene = Scene::live(&["acme"]);
        scene.server.create_segment("big", |segment| {
            segment["unbounded"] = json!(true);
        });
        scene.server.edit_by_hand(CHANGE, |config| {
            config["contextTargets"] = json!([]);
            config[key] = value.clone();
        });
        let ended = scene.run(2);
        alerted(&ended, &[CHANGE]);
        scene.check_new(2, &["acme"]);
        // A move mends it wholly, or does not happen.
        if scene.flip("bolt").code == 0 {
            no_alert(&scene.run(3));
            scene.check_new(3, &["acme", "bolt"]);
        } else {
            assert_eq!(scene.moves(), ["flip acme to live"]);
        }
    }
}

#[test]
fn a_flag_that_is_gone_or_of_another_type_refuses_flips_and_no_rollback() {
    let type_changed = |server: &Scripted| {
        server.edit_flag(CHANGE, |flag| {
            for variation in flag["variations"].as_array_mut().unwrap() {
                variation["value"] = json!(1);
            }
        });
    };
    let faults: [fn(&Scripted); 2] = [|server| server.delete_flag(CHANGE), type_changed];
    for begin in faults {
        let scene = Scene::live(&["acme"]);
        begin(&scene.server);
        assert_ne!(scene.flip("bolt").code, 0);
        assert_eq!(scene.moves(), ["flip acme to live"]);
        scene.rollback("acme").expect(0);
        scene.run(2);
        scene.check_new(2, &[]);
        assert_eq!(scene.stage("acme"), "shadow");
    }
}

#[test]
fn a_customer_who_is_served_no_stage_stays_and_an_alert_names_them() {
    let scene = Scene::live(&["acme", "bolt"]);
    scene.server.edit_flag(CHANGE, |flag| {
        let other = json!({ "_id": "5f0c3f1e-0000-4000-8000-00000000000c", "value": "canary" });
        flag["variations"].as_array_mut().unwrap().push(other);
    });
    scene.hand("acme", "canary");
    scene.hand("bolt", "shadow");
    let ended = scene.run(2);
    alerted(&ended, &["acme"]);
    scene.check_new(2, &["acme"]);
}

#[test]
fn a_flag_that_is_not_there_yet_keeps_no_shadow_from_running() {
    let scene = Scene::without_flag();
    no_alert(&scene.run(1));
    no_alert(&scene.run(2));
    scene.check_new(2, &[]);
    let refused = scene.flip("acme");
    assert_ne!(refused.code, 0);
    let said = refused.stdout + &refused.stderr;
    assert!(
        said.contains("`double`") && said.contains("create"),
        "{said}"
    );
    assert_eq!(scene.moves(), [""; 0]);
    scene.server.create_stage_flag(CHANGE);
    scene.flip("acme").expect(0);
    no_alert(&scene.run(3));
    scene.check_new(3, &["acme"]);
}

#[test]
fn polling_meets_the_same() {
    let scene = Scene::ready();
    scene.setting("  wait: 2s\n", "  wait: 2s\n  mode: polling\n");
    no_alert(&scene.run(2));
    scene.hand("bolt", "live");
    alerted(&scene.run(3), &["nobody authorised it"]);
    for (status, said) in [(401, "401"), (503, "503")] {
        scene.server.script_poll(Some(status));
        let ended = scene.run_in_time(4);
        alerted(&ended, &[said]);
        scene.check_new(4, &[]);
    }
    scene.server.script_poll(None);
    assert_eq!(alerts(&scene.run(5)).len(), 1);
}

#[test]
fn without_a_key_in_the_environment_live_goes_on() {
    let scene = Scene::live(&["acme"]);
    scene.setting("${env:LD_SDK_KEY}", "${env:LD_KEY_THAT_NOBODY_SET}");
    let ended = scene.run_in_time(2);
    alerted(&ended, &["LD_KEY_THAT_NOBODY_SET"]);
    scene.check_new(2, &["acme"]);
    scene.setting("${env:LD_KEY_THAT_NOBODY_SET}", "${file:key-of-nobody}");
    let ended = scene.run_in_time(3);
    alerted(&ended, &["key-of-nobody"]);
    scene.check_new(3, &["acme"]);
}
