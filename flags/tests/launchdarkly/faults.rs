//! Everything that can go wrong with reading: before a run, during it, and before it publishes, with the old and the
//! new version live. Whatever it is, every customer stays where the ledger has it, and somebody is told.

use std::time::Duration;

use serde_json::json;
use understudy_core::stage::{LaneStages, Stage};
use understudy_flags::{FlagProvider as _, Freshness, LaunchDarkly};
use understudy_scripted_launchdarkly::{Scripted, StreamScript};

use crate::{FLAG, asked, customer, eventually, provider, said, server, settings, stages, taken};

/// How long a fault may take to be noticed: the settings call 2 s of silence stale, and give a silent stream up soon
/// after.
const NOTICED_WITHIN: Duration = Duration::from_secs(8);

/// A fault, and what is said of it.
struct Fault {
    name: &'static str,
    begin: fn(&Scripted),
    /// One of these stands in what a person is told.
    told: &'static [&'static str],
}

/// From here on the stream is gone, and nobody who comes back is served.
fn refuse_with(server: &Scripted, status: u16) {
    server.script_stream(StreamScript::Status(status, Vec::new()));
    server.drop_streams();
}

fn restart_with(server: &Scripted, script: StreamScript) {
    server.script_stream(script);
    server.drop_streams();
}

const FAULTS: [Fault; 17] = [
    Fault {
        name: "401",
        begin: |server| {
            server.refuse_sdk_key(true);
            server.drop_streams();
        },
        told: &["refused: it answered 401"],
    },
    Fault {
        name: "403",
        begin: |server| refuse_with(server, 403),
        told: &["refused: it answered 403"],
    },
    Fault {
        name: "404",
        begin: |server| refuse_with(server, 404),
        told: &["refused: it answered 404"],
    },
    Fault {
        name: "500 storm",
        begin: |server| refuse_with(server, 500),
        told: &["down: it answered 500"],
    },
    Fault {
        name: "503 storm",
        begin: |server| refuse_with(server, 503),
        told: &["down: it answered 503"],
    },
    Fault {
        name: "429",
        begin: |server| refuse_with(server, 429),
        told: &["down: it answered 429"],
    },
    Fault {
        name: "gone",
        begin: Scripted::stop,
        told: &["down: "],
    },
    Fault {
        name: "half-open",
        begin: |server| server.mute(true),
        told: &[
            "stale: ",
            "down: nothing arrived",
            "no flags within",
            "nothing has arrived",
        ],
    },
    Fault {
        name: "never answers",
        begin: |server| restart_with(server, StreamScript::NeverAnswer),
        told: &["stale: ", "down: "],
    },
    Fault {
        name: "headers only",
        begin: |server| restart_with(server, StreamScript::HeadersOnly),
        told: &["stale: ", "down: "],
    },
    Fault {
        name: "closes at once",
        begin: |server| restart_with(server, StreamScript::CloseAtOnce),
        told: &["down: "],
    },
    Fault {
        name: "unknown event first",
        begin: |server| restart_with(server, StreamScript::FirstEventUnknown),
        told: &["cannot be read"],
    },
    Fault {
        name: "malformed flag",
        begin: |server| restart_with(server, StreamScript::MalformedFlag),
        told: &["cannot be read"],
    },
    Fault {
        name: "malformed JSON",
        begin: |server| restart_with(server, StreamScript::MalformedJson),
        told: &["cannot be read"],
    },
    Fault {
        name: "flag deleted",
        begin: |server| server.delete_flag(FLAG),
        told: &["it is not there"],
    },
    Fault {
        name: "type changed",
        begin: |server| {
            server.edit_flag(FLAG, |flag| {
                for variation in flag["variations"].as_array_mut().unwrap() {
                    variation["value"] = json!(1);
                }
            })
        },
        told: &["none of its variations"],
    },
    Fault {
        name: "empty put",
        begin: |server| restart_with(server, StreamScript::EmptyPut),
        told: &["it is not there"],
    },
];

/// The flag says what the ledger says, until the fault makes it say something else or nothing.
fn at(held: &LaneStages) -> Scripted {
    let server = server();
    let acme = held.of(&customer("acme")).to_string();
    server.target_by_hand(FLAG, "acme", &json!(acme));
    server
}

fn check(fault: &Fault, provider: &LaunchDarkly, held: &LaneStages, when: &str) {
    let name = fault.name;
    let whose = held.of(&customer("acme"));
    eventually(
        &format!("{name} {when}, acme at {whose}: it is told"),
        NOTICED_WITHIN,
        || {
            let (now, alerts) = taken(provider, held);
            assert_eq!(
                now.of(&customer("acme")),
                whose,
                "{name} {when}: {alerts:?}"
            );
            assert_eq!(now.unlisted, held.unlisted, "{name} {when}: {alerts:?}");
            alerts
                .iter()
                .any(|alert| fault.told.iter().any(|told| alert.contains(told)))
        },
    );
}

fn each_side(check: impl Fn(&LaneStages)) {
    for stage in [Stage::Live, Stage::Shadow] {
        check(&stages(&[("acme", stage)], Stage::Shadow));
    }
}

#[test]
fn before_a_run() {
    for fault in &FAULTS {
        each_side(|held| {
            let server = at(held);
            (fault.begin)(&server);
            check(fault, &provider(&server), held, "before");
        });
    }
}

#[test]
fn between_the_first_look_and_publishing() {
    for fault in &FAULTS {
        each_side(|held| {
            let server = at(held);
            let provider = provider(&server);
            let (first, alerts) = taken(&provider, held);
            assert_eq!(
                (&first, alerts.as_slice()),
                (held, [].as_slice()),
                "{}",
                fault.name
            );
            (fault.begin)(&server);
            check(fault, &provider, held, "before publishing");
        });
    }
}

#[test]
fn after_every_fault_it_comes_back_by_itself() {
    for fault in FAULTS
        .iter()
        .filter(|fault| !matches!(fault.name, "flag deleted" | "type changed"))
    {
        let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
        let server = at(&held);
        let provider = provider(&server);
        taken(&provider, &held);
        (fault.begin)(&server);
        check(fault, &provider, &held, "during");
        server.refuse_sdk_key(false);
        server.mute(false);
        server.script_stream(StreamScript::Serve);
        server.drop_streams();
        if fault.name == "gone" {
            server.restart();
        }
        eventually(
            &format!("{}: it is fresh again", fault.name),
            Duration::from_secs(40),
            || {
                provider.freshness() == Freshness::Fresh
                    && provider.snapshot(&[asked(&held)]).is_ok()
            },
        );
        // And what was moved by hand meanwhile is heard.
        server.target_by_hand(FLAG, "acme", &json!("shadow"));
        eventually(
            &format!("{}: a hand is heard", fault.name),
            Duration::from_secs(5),
            || taken(&provider, &held).0.of(&customer("acme")) == Stage::Shadow,
        );
    }
}

#[test]
fn a_hand_towards_old_is_honoured_and_one_towards_new_is_not() {
    let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let server = at(&held);
    let provider = provider(&server);
    assert_eq!(taken(&provider, &held).1, Vec::<String>::new());
    server.target_by_hand(FLAG, "bolt", &json!("live"));
    eventually("the alert", Duration::from_secs(3), || {
        let (now, alerts) = taken(&provider, &held);
        assert_eq!(now.of(&customer("bolt")), Stage::Shadow);
        alerts
            .iter()
            .any(|alert| alert.contains("moved bolt to live and nobody authorised it"))
    });
    server.serve_by_hand(FLAG, &json!("live"));
    eventually("the alert", Duration::from_secs(3), || {
        let (now, alerts) = taken(&provider, &held);
        assert_eq!(now.unlisted, Stage::Shadow);
        alerts.iter().any(|alert| alert.contains("everybody else"))
    });
    server.target_by_hand(FLAG, "acme", &json!("shadow"));
    eventually("it is honoured", Duration::from_secs(3), || {
        taken(&provider, &held).0.of(&customer("acme")) == Stage::Shadow
    });
}

#[test]
fn a_slow_drip_and_a_flapping_stream_stay_fresh() {
    let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let drip = at(&held);
    drip.script_stream(StreamScript::SlowDrip {
        bytes: 97,
        every: Duration::from_millis(40),
    });
    let slow = provider(&drip);
    assert_eq!(
        said(&slow, &held).stages.0[FLAG].of(&customer("acme")),
        Stage::Live
    );
    let flaps = at(&held);
    flaps.script_stream(StreamScript::Flap {
        after: Duration::from_millis(400),
    });
    // It waits a second and more before it comes back.
    let mut settings = settings(&flaps);
    settings.stale_after = Duration::from_secs(30);
    let flapping = LaunchDarkly::new(settings);
    for _ in 0..50 {
        let (now, alerts) = taken(&flapping, &held);
        assert_eq!((&now, alerts.as_slice()), (&held, [].as_slice()));
        std::thread::sleep(Duration::from_millis(100));
    }
    let streams = flaps
        .received()
        .iter()
        .filter(|request| request.path == "/all")
        .count();
    assert!(streams >= 2, "{streams}");
}

#[test]
fn a_put_that_cannot_be_read_later_is_noticed_although_bytes_arrive() {
    let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let server = at(&held);
    let provider = provider(&server);
    taken(&provider, &held);
    server.push_raw("event: patch\ndata: {\"path\":\"/flags/orders.enrich\",\"data\":{\"key\":\"orders.enrich\",\"version\":99}}\n\n");
    eventually("it is noticed", Duration::from_secs(8), || {
        let (now, alerts) = taken(&provider, &held);
        assert_eq!(now, held);
        alerts.iter().any(|alert| alert.contains("cannot be read"))
    });
}

#[test]
fn heartbeats_alone_keep_it_fresh_and_silence_makes_it_stale() {
    let held = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let server = at(&held);
    let provider = provider(&server);
    taken(&provider, &held);
    std::thread::sleep(Duration::from_millis(2_600));
    assert_eq!(provider.freshness(), Freshness::Fresh);
    server.mute(true);
    eventually("it is stale", Duration::from_secs(4), || {
        !provider.freshness().is_fresh()
    });
    server.mute(false);
    eventually("it is fresh", Duration::from_secs(20), || {
        provider.freshness().is_fresh()
    });
}

#[test]
fn a_key_that_is_refused_is_said_at_once_and_a_restart_in_an_outage_waits_no_longer_than_told() {
    let server = server();
    server.refuse_sdk_key(true);
    let began = std::time::Instant::now();
    let freshness = provider(&server).freshness();
    assert!(
        matches!(freshness, Freshness::Refused { .. }),
        "{freshness}"
    );
    assert!(began.elapsed() < Duration::from_secs(2));
    server.stop();
    let mut settings = settings(&server);
    settings.wait = Duration::from_secs(1);
    let began = std::time::Instant::now();
    assert!(matches!(
        LaunchDarkly::new(settings.clone()).freshness(),
        Freshness::Down { .. }
    ));
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    settings.sdk_key = Err("the environment variable `LD_SDK_KEY` is not set".to_owned());
    let freshness = LaunchDarkly::new(settings).freshness().to_string();
    assert!(freshness.contains("`LD_SDK_KEY` is not set"), "{freshness}");
}
