//! The real SDK against the server that does as it should.

use std::time::Duration;

use launchdarkly_sdk_transport::HyperTransport;
use launchdarkly_server_sdk::{
    Client, ConfigBuilder, Context, ContextBuilder, EventProcessorBuilder,
    NullEventProcessorBuilder, PollingDataSourceBuilder, ServiceEndpointsBuilder, Stage,
    StreamingDataSourceBuilder,
};
use serde_json::json;
use understudy_scripted_launchdarkly::{Received, Scripted};

use crate::rest_client::Rest;

/// Long enough for anything that happens.
pub(crate) const LONG: Duration = Duration::from_secs(10);
/// Long enough to see that nothing happens.
pub(crate) const SHORT: Duration = Duration::from_millis(400);
const RECONNECT: Duration = Duration::from_millis(20);

pub(crate) fn transport() -> HyperTransport {
    let builder = HyperTransport::builder().disable_proxy();
    builder.build_http().unwrap()
}

fn config(server: &Scripted, key: &str) -> ConfigBuilder {
    let mut endpoints = ServiceEndpointsBuilder::new();
    endpoints.relay_proxy(&server.url());
    let without_events = NullEventProcessorBuilder::new();
    let config = ConfigBuilder::new(key).service_endpoints(&endpoints);
    config.event_processor(&without_events)
}

fn started(config: ConfigBuilder) -> Client {
    let client = Client::build(config.build().unwrap()).unwrap();
    client.start_with_default_executor();
    client
}

pub(crate) fn streaming(server: &Scripted) -> Client {
    streaming_with(server, server.sdk_key())
}

fn streaming_with(server: &Scripted, key: &str) -> Client {
    let mut source = StreamingDataSourceBuilder::new();
    source.transport(transport());
    source.initial_reconnect_delay(RECONNECT);
    started(config(server, key).data_source(&source))
}

fn polling(server: &Scripted) -> Client {
    let mut source = PollingDataSourceBuilder::new();
    source.transport(transport());
    started(config(server, server.sdk_key()).data_source(&source))
}

fn customer(key: &str) -> Context {
    ContextBuilder::new(key).kind("customer").build().unwrap()
}

/// The stage of a customer; `none` where the flag says nothing.
pub(crate) fn stage(client: &Client, flag: &str, key: &str) -> String {
    client.str_variation(&customer(key), flag, "none".to_owned())
}

/// Waits for something that other threads bring about.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + LONG;
    while !holds() {
        assert!(std::time::Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn paths(received: &[Received]) -> Vec<&str> {
    received
        .iter()
        .map(|request| request.path.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streaming_client_evaluates_what_is_served() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.target_by_hand("f", "acme", &json!("live"));
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    assert_eq!(stage(&client, "f", "acme"), "live");
    assert_eq!(stage(&client, "f", "globex"), "shadow");
    assert_eq!(stage(&client, "unknown", "acme"), "none");

    let received = server.received();
    assert_eq!(paths(&received), ["/all"]);
    assert_eq!(received[0].header("authorization"), Some(server.sdk_key()));
    assert_eq!(received[0].header("accept"), Some("text/event-stream"));
    assert_eq!(
        received[0].header("user-agent"),
        Some("RustServerClient/3.2.0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polling_client_evaluates_what_is_served() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let client = polling(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    assert_eq!(stage(&client, "f", "acme"), "shadow");
    assert_eq!(paths(&server.received()), ["/sdk/latest-all"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_has_tags_and_faults() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let poll = |tag: &str| {
        let headers = [("Authorization", server.sdk_key()), ("If-None-Match", tag)];
        let rest = Rest { server: &server };
        rest.raw("GET", "/sdk/latest-all", &headers, None).unwrap()
    };
    let first = poll("");
    assert_eq!((first.status, &first.body), (200, &server.sdk_data()));
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(poll(&tag).status, 304);
    server.serve_by_hand("f", &json!("live"));
    assert_eq!(poll(&tag).status, 200);
    server.script_poll(Some(401));
    let client = polling(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(false));
    server.script_poll(Some(503));
    assert_eq!(poll("").status, 503);
    server.script_poll(None);
    server.refuse_sdk_key(true);
    assert_eq!(poll("").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_by_hand_and_by_patch_and_deletions_arrive() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));

    server.serve_by_hand("f", &json!("off"));
    eventually("a change by hand", || stage(&client, "f", "acme") == "off").await;
    let rest = Rest { server: &server };
    let add = rest.targets("addTargets", "f", "live", &["acme"]);
    assert_eq!(rest.patch("f", "", &json!([add])).unwrap().status, 200);
    eventually("a patch", || stage(&client, "f", "acme") == "live").await;
    server.create_stage_flag("g");
    eventually("a new flag", || stage(&client, "g", "acme") == "shadow").await;
    server.delete_flag("f");
    eventually("a deletion", || stage(&client, "f", "acme") == "none").await;
    server.create_stage_flag("f");
    eventually("its return", || stage(&client, "f", "acme") == "shadow").await;
    server.edit_flag("f", |flag| flag["archived"] = json!(true));
    eventually("archiving", || stage(&client, "f", "acme") == "none").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_arrive() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.create_segment("early", |_| {});
    let clause = json!({ "attribute": "segmentMatch", "op": "segmentMatch", "values": ["early"] });
    let id = server.variation_id("f", &json!("live"));
    let rule = json!({ "kind": "addRule", "clauses": [clause], "variationId": id });
    server.change_by_hand("f", &[rule]);
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    assert_eq!(stage(&client, "f", "acme"), "shadow");
    server.edit_segment("early", |segment| {
        segment["includedContexts"] = json!([{ "contextKind": "customer", "values": ["acme"] }]);
    });
    eventually("a segment", || stage(&client, "f", "acme") == "live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_may_go_backwards_and_a_patch_may_not() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.set_version("f", 10);
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    server.set_version("f", 3);
    server.serve_by_hand("f", &json!("live"));
    server.create_stage_flag("after");
    eventually("later changes", || {
        stage(&client, "after", "acme") == "shadow"
    })
    .await;
    assert_eq!(
        stage(&client, "f", "acme"),
        "shadow",
        "version 4 is not above 10"
    );
    server.push_put();
    eventually("the lower version", || {
        stage(&client, "f", "acme") == "live"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_closes_streams_and_ends_the_client() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let other = streaming_with(&server, "sdk-of-somebody-else");
    assert_eq!(other.wait_for_initialization(LONG).await, Some(false));

    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    assert!(server.wait_for_stream(LONG));
    server.forget();
    server.refuse_sdk_key(true);
    assert_eq!(server.open_streams(), 0);
    eventually("another attempt", || !server.received().is_empty()).await;
    server.refuse_sdk_key(false);
    server.serve_by_hand("f", &json!("live"));
    tokio::time::sleep(SHORT).await;
    assert_eq!(server.open_streams(), 0, "the client gave up for ever");
    assert_eq!(stage(&client, "f", "acme"), "shadow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_refuses_and_a_restarted_one_is_found_again() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    server.stop();
    assert_eq!(server.open_streams(), 0);
    let address = server.url().replace("http://", "");
    std::net::TcpStream::connect(&address).unwrap_err();
    server.serve_by_hand("f", &json!("live"));
    assert_eq!(stage(&client, "f", "acme"), "shadow");
    server.stop();
    server.restart();
    server.restart();
    eventually("the new stream", || stage(&client, "f", "acme") == "live").await;
    server.drop_streams();
    assert!(server.wait_for_stream(LONG), "it connects again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_server_ends_with_its_last_handle() {
    let server = Scripted::start();
    let address = server.url().replace("http://", "");
    let copy = server.clone();
    drop(server);
    std::net::TcpStream::connect(&address).unwrap();
    drop(copy);
    std::net::TcpStream::connect(&address).unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_is_noticed() {
    let server = Scripted::start();
    server.set_heartbeat(None);
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    assert_eq!(server.open_streams(), 1);
    client.close();
    drop(client);
    eventually("the end of the stream", || server.open_streams() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_may_reach_the_stream_late() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    server.delay_stream_of_patches(SHORT);
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    let rest = Rest { server: &server };
    let add = rest.targets("addTargets", "f", "live", &["acme"]);
    assert_eq!(rest.patch("f", "", &json!([add])).unwrap().status, 200);
    assert_eq!(stage(&client, "f", "acme"), "shadow");
    eventually("the patch", || stage(&client, "f", "acme") == "live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_flag_gives_stages_and_the_sdk_does_not_mind_rollouts() {
    let server = Scripted::start();
    server.create_migration_flag("m");
    let client = streaming(&server);
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    let (given, _) = client.migration_variation(&customer("acme"), "m", Stage::Off);
    assert!(matches!(given, Stage::Shadow), "{given:?}");
    assert_eq!(stage(&client, "m", "acme"), "shadow");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_taken_and_recorded() {
    let server = Scripted::start();
    server.create_stage_flag("f");
    let mut source = StreamingDataSourceBuilder::new();
    source.transport(transport());
    let mut events = EventProcessorBuilder::new();
    events.transport(transport());
    let config = config(&server, server.sdk_key()).data_source(&source);
    let client = started(config.event_processor(&events));
    assert_eq!(client.wait_for_initialization(LONG).await, Some(true));
    stage(&client, "f", "acme");
    client.flush();
    let bulk = || {
        server
            .received()
            .into_iter()
            .find(|request| request.path == "/bulk")
    };
    eventually("events", || bulk().is_some()).await;
    let bulk = bulk().unwrap();
    assert_eq!(bulk.header("x-launchdarkly-event-schema"), Some("4"));
    let kinds = bulk.json().unwrap();
    let kinds: Vec<_> = kinds
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["kind"])
        .collect();
    assert_eq!(kinds, ["index", "summary"]);
}
