//! Moving lanes: what is asked, in which order, and what comes of answers that are none.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use understudy_core::stage::{LaneStages, Stage};
use understudy_flags::{FlagError, FlagProvider as _, LaunchDarkly, Told, Towards};
use understudy_scripted_launchdarkly::{
    ApiScope, Received, RestFault, Route, Scripted, StreamScript,
};

use crate::{FLAG, customer, provider, said, server, settings, stages, telling};

const MARKER: &str = "ledger entry 17 8f14e45f";

fn tell(provider: &LaunchDarkly, wanted: &LaneStages) -> Result<Told, FlagError> {
    tell_as(provider, wanted, MARKER)
}

fn tell_as(provider: &LaunchDarkly, wanted: &LaneStages, marker: &str) -> Result<Told, FlagError> {
    provider.tell(&telling(wanted, &BTreeSet::new(), Some(marker)))
}

/// How often the flag was changed with our comment.
fn changes(server: &Scripted) -> usize {
    let log = server.audit_log();
    let own = log.iter().filter(|entry| {
        entry["comment"]
            .as_str()
            .is_some_and(|comment| comment.contains(MARKER))
    });
    own.count()
}

fn live(lanes: &[&str]) -> LaneStages {
    let lanes: Vec<(&str, Stage)> = lanes.iter().map(|lane| (*lane, Stage::Live)).collect();
    stages(&lanes, Stage::Shadow)
}

/// The changes of the flag that were sent, tries left out.
fn patches(server: &Scripted) -> Vec<Json> {
    let sent = server.received().into_iter().filter(is_patch);
    sent.map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect()
}

fn is_patch(request: &Received) -> bool {
    request.method == "PATCH"
        && request.path.contains("/flags/")
        && !request.query.contains("dryRun")
}

fn status(route: Route, status: u16) -> RestFault {
    RestFault::Status {
        route,
        status,
        headers: if status == 429 {
            vec![("Retry-After".to_owned(), "1".to_owned())]
        } else {
            Vec::new()
        },
        body: json!({"code": "scripted", "message": "as the script says"}),
    }
}

#[test]
fn a_target_leaves_one_variation_before_it_comes_to_another() {
    let server = server();
    let provider = provider(&server);
    tell_as(&provider, &live(&["acme", "bolt"]), "ledger entry 16").unwrap();
    tell(
        &provider,
        &stages(
            &[("acme", Stage::Off), ("bolt", Stage::Live)],
            Stage::Shadow,
        ),
    )
    .unwrap();
    let last = patches(&server).pop().unwrap();
    let kinds: Vec<&str> = last["instructions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["removeTargets", "addTargets"]);
    assert_eq!(last["instructions"][0]["values"], json!(["acme"]));
    assert_eq!(last["instructions"][0]["contextKind"], "customer");
    let comment = last["comment"].as_str().unwrap();
    assert!(
        comment.contains(MARKER) && comment.contains("Understudy: a test"),
        "{comment}"
    );
}

#[test]
fn requests_have_the_pinned_version_and_the_token_and_no_key() {
    let server = server();
    let provider = provider(&server);
    provider
        .rehearse(
            &telling(&live(&["acme"]), &BTreeSet::new(), None),
            &live(&[]),
        )
        .unwrap();
    tell(&provider, &live(&["acme"])).unwrap();
    let own: Vec<Received> = server
        .received()
        .into_iter()
        .filter(|request| request.path.starts_with("/api/"))
        .collect();
    assert!(own.len() >= 5, "{own:#?}");
    for request in own {
        assert_eq!(
            request.header("ld-api-version"),
            Some("20240415"),
            "{request:?}"
        );
        assert_eq!(
            request.header("authorization"),
            Some(server.api_token()),
            "{request:?}"
        );
    }
}

#[test]
fn a_flag_that_is_so_already_is_not_touched() {
    let server = server();
    let provider = provider(&server);
    let wanted = live(&["acme"]);
    let first = tell(&provider, &wanted).unwrap();
    server.forget();
    let again = tell(&provider, &wanted).unwrap();
    assert_eq!(first.version, again.version);
    assert_eq!(patches(&server), Vec::<Json>::new());
}

#[test]
fn everybody_moves_by_the_default_rule() {
    let server = server();
    let provider = provider(&server);
    let many: Vec<String> = (0..300)
        .map(|number| format!("customer-{number}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    tell_as(&provider, &live(&many), "ledger entry 16").unwrap();
    server.forget();
    tell(&provider, &stages(&[("acme", Stage::Shadow)], Stage::Live)).unwrap();
    let sent = patches(&server);
    assert_eq!(sent.len(), 1);
    let added: usize = sent[0]["instructions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "addTargets")
        .map(|one| one["values"].as_array().unwrap().len())
        .sum();
    assert_eq!(added, 1, "ten thousand targets are not what --all is");
    let own = said(&provider, &stages(&[("acme", Stage::Live)], Stage::Live));
    assert_eq!(own.stages.0[FLAG].of(&customer("customer-7")), Stage::Live);
    assert_eq!(own.stages.0[FLAG].of(&customer("acme")), Stage::Shadow);
}

#[test]
fn a_flag_that_is_off_is_turned_on_as_it_should_be() {
    let server = server();
    server.edit_by_hand(FLAG, |own| {
        own["on"] = json!(false);
        own["fallthrough"] = json!({"variation": 2});
    });
    let provider = provider(&server);
    tell(&provider, &live(&["acme"])).unwrap();
    let own = said(&provider, &live(&["acme"])).stages.0[FLAG].clone();
    assert_eq!(
        [own.of(&customer("acme")), own.unlisted],
        [Stage::Live, Stage::Shadow]
    );
}

#[test]
fn a_rehearsal_says_what_a_rule_of_somebody_else_would_do() {
    let server = server();
    server.edit_by_hand(FLAG, |own| {
        own["rules"] = json!([{"_id": "r1", "variation": 2, "trackEvents": false, "clauses": [
            {"_id": "c1", "contextKind": "customer", "attribute": "key", "op": "startsWith", "values": ["\u{1}"], "negate": false}]}]);
    });
    let error = provider(&server)
        .rehearse(
            &telling(&live(&["acme"]), &BTreeSet::new(), None),
            &live(&[]),
        )
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("everybody else gets live instead of shadow"),
        "{error}"
    );
    assert_eq!(patches(&server), Vec::<Json>::new());
}

#[test]
fn a_percentage_of_somebody_else_is_not_written_over() {
    let server = server();
    server.edit_by_hand(FLAG, |own| {
        own["fallthrough"] = json!({"rollout": {"contextKind": "customer", "variations": [
            {"variation": 1, "weight": 90_000}, {"variation": 2, "weight": 10_000}]}});
    });
    let (wanted, nobody) = (live(&["acme"]), BTreeSet::new());
    let error = provider(&server)
        .rehearse(&telling(&wanted, &nobody, None), &live(&[]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("percentage rollout") && error.contains("take that out there first"),
        "{error}"
    );
    assert_eq!(patches(&server), Vec::<Json>::new());
    // The way back does not wait for anybody.
    let mut back = telling(&wanted, &nobody, Some(MARKER));
    back.towards = Towards::Old;
    let told = provider(&server).tell(&back).unwrap();
    assert!(told.confirmed, "{told:?}");
}

#[test]
fn approval_is_asked_for_and_nothing_moves() {
    let server = server();
    server.require_approvals(true);
    let error = provider(&server)
        .rehearse(
            &telling(&live(&["acme"]), &BTreeSet::new(), None),
            &live(&[]),
        )
        .unwrap_err();
    assert!(error.waits_for_approval(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("needs approval") && text.contains("request "),
        "{text}"
    );
    let asked = server
        .received()
        .into_iter()
        .find(|request| request.method == "POST" && request.path.ends_with("/approval-requests"))
        .unwrap();
    let body: Json = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["instructions"][0]["kind"], "addTargets");
    assert!(body["description"].as_str().unwrap().contains("Understudy"));
}

#[test]
fn a_change_that_breaks_a_scheduled_one_is_said() {
    let server = server();
    server.script_rest(status(Route::DryRun, 400), 1);
    let error = provider(&server)
        .rehearse(
            &telling(&live(&["acme"]), &BTreeSet::new(), None),
            &live(&[]),
        )
        .unwrap_err();
    assert!(
        error.to_string().contains("400: as the script says"),
        "{error}"
    );
}

#[test]
fn answers_that_pass_are_waited_out() {
    for fault in [409, 429, 503] {
        let server = server();
        // Reading may fail too.
        server.script_rest(status(Route::GetFlag, fault), 2);
        server.script_rest(status(Route::PatchFlag, fault), 1);
        let told = tell(&provider(&server), &live(&["acme"])).unwrap();
        assert!(told.confirmed, "{fault}: {told:?}");
        assert_eq!(changes(&server), 1, "{fault}: it was done once");
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the server says until when by the wall clock"
)]
fn a_server_that_says_how_long_is_believed() {
    let server = server();
    let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_millis(1200);
    server.script_rest(
        RestFault::Status {
            route: Route::PatchFlag,
            status: 429,
            headers: vec![(
                "X-Ratelimit-Reset".to_owned(),
                reset.as_millis().to_string(),
            )],
            body: json!({"message": "slowly"}),
        },
        1,
    );
    tell(&provider(&server), &live(&["acme"])).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(now > reset, "{:?} too early", reset - now);
    assert_eq!(patches(&server).len(), 2);
}

#[test]
fn a_server_that_says_longer_than_anybody_waits_is_not_asked_again() {
    let server = server();
    server.script_rest(
        RestFault::Status {
            route: Route::PatchFlag,
            status: 429,
            headers: vec![("Retry-After".to_owned(), "3600".to_owned())],
            body: json!({"message": "slowly"}),
        },
        100,
    );
    let error = tell(&provider(&server), &live(&["acme"]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("429: slowly (it may be asked again in 3600 s)"),
        "{error}"
    );
    assert_eq!(patches(&server).len(), 1);
}

#[test]
fn what_never_passes_is_given_up_and_said() {
    let server = server();
    server.script_rest(status(Route::PatchFlag, 403), 100);
    let error = tell(&provider(&server), &live(&["acme"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("403"), "{error}");
    assert_eq!(patches(&server).len(), 1);
    server.set_api_scope(ApiScope::Reader);
    let error = tell(&provider(&server), &live(&["acme"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("403"), "{error}");
    let mut settings = settings(&server);
    settings.api_token = None;
    let error = tell(&LaunchDarkly::new(settings), &live(&["acme"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no `api_token`"), "{error}");
}

#[test]
fn a_change_whose_answer_was_lost_is_found_by_its_comment() {
    let server = server();
    server.script_rest(
        RestFault::AnswerLost {
            route: Route::PatchFlag,
        },
        1,
    );
    let told = tell(&provider(&server), &live(&["acme"])).unwrap();
    assert!(told.confirmed, "{told:?}");
    assert_eq!(patches(&server).len(), 1, "it is not sent twice");
    assert_eq!(changes(&server), 1);
}

#[test]
fn a_change_that_was_lost_before_it_was_done_is_sent_again() {
    let server = server();
    server.script_rest(
        RestFault::LostBefore {
            route: Route::PatchFlag,
        },
        1,
    );
    tell(&provider(&server), &live(&["acme"])).unwrap();
    assert_eq!(patches(&server).len(), 2);
    assert_eq!(changes(&server), 1);
}

#[test]
fn what_a_hand_moved_back_after_a_lost_answer_stays_back() {
    let server = server();
    let first = provider(&server);
    tell(&first, &live(&["acme", "bolt"])).unwrap();
    // The program crashed there. A hand takes one back, and the next program tells it again.
    server.target_by_hand(FLAG, "acme", &json!("shadow"));
    server.forget();
    let told = tell(&provider(&server), &live(&["acme", "bolt"])).unwrap();
    assert_eq!(patches(&server), Vec::<Json>::new());
    assert!(
        told.notes
            .iter()
            .any(|note| note.contains("moved since by somebody else")),
        "{told:?}"
    );
    let held = live(&["acme", "bolt"]);
    assert_eq!(
        said(&provider(&server), &held).stages.0[FLAG].of(&customer("acme")),
        Stage::Shadow
    );
}

#[test]
fn a_stream_that_is_later_than_the_answer_is_waited_for() {
    let server = server();
    server.delay_stream_of_patches(Duration::from_millis(900));
    let began = Instant::now();
    let told = tell(&provider(&server), &live(&["acme"])).unwrap();
    assert!(
        told.confirmed && began.elapsed() > Duration::from_millis(600),
        "{told:?} {:?}",
        began.elapsed()
    );
}

#[test]
fn a_stream_that_never_brings_it_leaves_it_unconfirmed() {
    let server = server();
    server.target_by_hand(FLAG, "acme", &json!("live"));
    let provider = provider(&server);
    said(&provider, &live(&["acme"]));
    server.delay_stream_of_patches(Duration::from_secs(60));
    let (wanted, nobody) = (live(&[]), BTreeSet::new());
    let mut telling = telling(&wanted, &nobody, Some(MARKER));
    telling.towards = Towards::Old;
    let told = provider.tell(&telling).unwrap();
    assert!(
        !told.confirmed && told.notes[0].contains("the stream has not brought it yet"),
        "{told:?}"
    );
}

#[test]
fn on_the_way_to_old_nobody_is_raised_above_what_a_hand_left() {
    let server = server();
    let provider = provider(&server);
    tell(&provider, &live(&["acme", "bolt", "corp"])).unwrap();
    server.target_by_hand(FLAG, "bolt", &json!("shadow"));
    // The ledger has not heard of that hand yet.
    let (wanted, nobody) = (live(&["bolt", "corp"]), BTreeSet::new());
    let mut telling = telling(&wanted, &nobody, Some("ledger entry 18"));
    telling.towards = Towards::Old;
    provider.tell(&telling).unwrap();
    crate::eventually("they are where they belong", Duration::from_secs(3), || {
        let own = said(&provider, &live(&["acme", "bolt", "corp"])).stages.0[FLAG].clone();
        let stages = ["acme", "bolt", "corp"].map(|name| own.of(&customer(name)));
        stages == [Stage::Shadow, Stage::Shadow, Stage::Live]
    });
}

#[test]
fn moves_towards_new_wait_for_flags_that_are_fresh() {
    let server = server();
    server.script_stream(StreamScript::Status(503, Vec::new()));
    let error = provider(&server)
        .rehearse(
            &telling(&live(&["acme"]), &BTreeSet::new(), None),
            &live(&[]),
        )
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("LaunchDarkly is down: it answered 503"),
        "{error}"
    );
    assert_eq!(patches(&server), Vec::<Json>::new());
}

#[test]
fn a_cohort_goes_into_a_segment_and_comes_out_of_it() {
    a_cohort(&server());
}

#[test]
fn so_it_does_in_a_migration_flag() {
    let server = Scripted::start();
    server.create_migration_flag(FLAG);
    a_cohort(&server);
}

fn a_cohort(server: &Scripted) {
    let provider = provider(server);
    let names: Vec<String> = (0..1_500)
        .map(|number| format!("customer-{number}"))
        .collect();
    let lanes: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = live(&lanes);
    provider
        .rehearse(&telling(&wanted, &BTreeSet::new(), None), &live(&[]))
        .unwrap();
    let told = tell(&provider, &wanted).unwrap();
    assert!(told.confirmed, "{told:?}");
    let own = said(&provider, &wanted).stages.0[FLAG].clone();
    assert!(
        names
            .iter()
            .all(|name| own.of(&customer(name)) == Stage::Live)
    );
    assert_eq!(own.unlisted, Stage::Shadow);
    assert_eq!(
        server.flag(FLAG).unwrap()["environments"][server.environment()]["contextTargets"],
        json!([])
    );
    // One goes back, with the others where they are.
    server.forget();
    let mut fewer = wanted.clone();
    fewer.lanes.remove(&customer("customer-7"));
    let told = provider
        .tell(&telling(
            &fewer,
            &BTreeSet::from([customer("customer-7")]),
            Some("ledger entry 18 00aa"),
        ))
        .unwrap();
    assert!(told.version.is_some());
    crate::eventually("it has left", Duration::from_secs(3), || {
        said(&provider, &wanted).stages.0[FLAG].of(&customer("customer-7")) == Stage::Shadow
    });
    assert_eq!(
        said(&provider, &wanted).stages.0[FLAG].of(&customer("customer-8")),
        Stage::Live
    );
}
