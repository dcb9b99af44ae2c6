//! What each scripted fault of the stream does to the real SDK.

use std::time::Duration;

use serde_json::json;
use understudy_scripted_launchdarkly::{Scripted, StreamScript};

use crate::sdk::{LONG, SHORT, eventually, stage, streaming};

/// What a client that meets the script says after waiting for its first flags.
async fn met(script: StreamScript, wait: Duration) -> Option<bool> {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.script_stream(script);
    streaming(&server).wait_for_initialization(wait).await
}

#[tokio::test(flavor = "multi_thread")]
async fn some_faults_end_a_client_for_ever() {
    for script in [
        StreamScript::Status(401, Vec::new()),
        StreamScript::Status(403, Vec::new()),
        StreamScript::Status(404, Vec::new()),
        StreamScript::FirstEventUnknown,
        StreamScript::MalformedFlag,
        StreamScript::MalformedJson,
    ] {
        let met = met(script.clone(), LONG).await;
        assert_eq!(met, Some(false), "{script:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_others_it_waits() {
    for script in [
        StreamScript::Status(503, Vec::new()),
        StreamScript::Status(429, vec![("Retry-After".to_owned(), "1".to_owned())]),
        StreamScript::NeverAnswer,
        StreamScript::HeadersOnly,
        StreamScript::CloseAtOnce,
        StreamScript::SlowDrip {
            bytes: 1,
            every: Duration::from_millis(50),
        },
    ] {
        let met = met(script.clone(), SHORT).await;
        assert_eq!(met, None, "{script:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn and_recovers_when_they_end() {
    for script in [
        StreamScript::Status(503, Vec::new()),
        StreamScript::NeverAnswer,
        StreamScript::HeadersOnly,
        StreamScript::CloseAtOnce,
    ] {
        let server = Scripted::start();
        server.create_stage_flag("f");
        server.script_stream(script.clone());
        let client = streaming(&server);
        eventually("an attempt", || !server.received().is_empty()).await;
        server.script_stream(StreamScript::Serve);
        server.drop_streams();
        let met = client.wait_for_initialization(LONG).await;
        assert_eq!(met, Some(true), "{script:?}");
        assert_eq!(stage(&client, "f", "acme"), "shadow", "{script:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_unknown_first_event_flags_arrive_and_it_is_never_initialised() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.script_stream(StreamScript::FirstEventUnknown);
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(false));
    server.script_stream(StreamScript::Serve);
    server.drop_streams();
    assert!(server.wait_for_stream(LONG), "it connects again");
    server.push_put();
    tokio::time::sleep(SHORT).await;
    assert!(!client.initialized());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_put_starts_a_client_that_knows_no_flag() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.script_stream(StreamScript::EmptyPut);
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    assert_eq!(stage(&client, "f", "acme"), "none");
    server.push_put();
    eventually("the flags", || stage(&client, "f", "acme") == "shadow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_drip_arrives_in_the_end() {
    let script = StreamScript::SlowDrip {
        bytes: 64,
        every: Duration::from_millis(5),
    };
    assert_eq!(met(script, LONG).await, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flapping_stream_is_opened_again_and_again() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let after = Duration::from_millis(50);
    server.script_stream(StreamScript::Flap { after });
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    eventually("three connections", || server.received().len() >= 3).await;
    assert_eq!(stage(&client, "f", "acme"), "shadow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_stream_is_open_and_silent() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    server.mute(true);
    server.serve_by_hand("f", &json!("live"));
    let late = streaming(&server);
    tokio::time::sleep(SHORT).await;
    assert_eq!(server.open_streams(), 1);
    assert_eq!(stage(&client, "f", "acme"), "shadow");
    assert_eq!(late.wait_for_initialization(SHORT).await, None);
    server.mute(false);
    eventually("what was held back", || {
        stage(&client, "f", "acme") == "live"
    })
    .await;
    assert_eq!(late.wait_for_initialization(LONG).await, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_text_and_heartbeats_reach_the_client() {
    let server = Scripted::start();
    server.set_heartbeat(None);
    server.create_stage_flag("f");
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    server.heartbeat();
    server.push_raw("event: delete\ndata: {\"path\":\"/flags/f\",");
    server.heartbeat();
    server.push_raw("\"version\":9}\n\n");
    tokio::time::sleep(SHORT).await;
    assert_eq!(
        stage(&client, "f", "acme"),
        "shadow",
        "the event was cut in two lines"
    );
    server.push_raw("event: delete\ndata: {\"path\":\"/flags/f\",\ndata: \"version\":9}\n\n");
    eventually("the deletion", || stage(&client, "f", "acme") == "none").await;
}
