//! Requests of the REST API that go wrong as scripted.

use std::time::{Duration, Instant};

use serde_json::json;
use understudy_scripted_launchdarkly::{RestFault, Route, Scripted};

use crate::rest_client::Rest;

const LATE: Duration = Duration::from_millis(100);

fn with_flag(test: impl FnOnce(&Rest<'_>)) {
    let server = Scripted::start();
    server.create_stage_flag("f");
    test(&Rest { server: &server });
}

#[test]
fn a_lost_answer_was_done_and_a_lost_request_was_not() {
    with_flag(|rest| {
        let off = json!([{ "kind": "turnFlagOff" }]);
        let route = Route::PatchFlag;
        rest.server.script_rest(RestFault::LostBefore { route }, 1);
        assert!(rest.patch("f", "", &off).is_none());
        assert_eq!(rest.config("f")["on"], true);
        rest.server.script_rest(RestFault::AnswerLost { route }, 1);
        assert!(rest.patch("f", "", &off).is_none());
        assert_eq!(rest.config("f")["on"], false);
        assert_eq!(rest.patch("f", "", &off).unwrap().status, 200);
        assert_eq!(rest.server.received().len(), 3);
    });
}

#[test]
fn faults_are_used_up_in_order_by_the_requests_they_are_for() {
    with_flag(|rest| {
        let status = |route, status| RestFault::Status {
            route,
            status,
            headers: vec![("Retry-After".to_owned(), "3".to_owned())],
            body: json!({ "code": "scripted" }),
        };
        rest.server.script_rest(status(Route::DryRun, 429), 2);
        rest.server.script_rest(status(Route::Any, 503), 1);
        let off = json!([{ "kind": "turnFlagOff" }]);
        let patch = |query: &str| rest.patch("f", query, &off).unwrap();
        let first = patch("?dryRun=true");
        assert_eq!(
            (first.status, first.header("retry-after")),
            (429, Some("3"))
        );
        assert_eq!(first.body["code"], "scripted");
        assert_eq!(rest.get(&rest.flag_path("f")).status, 503);
        assert_eq!(rest.get(&rest.flag_path("f")).status, 200);
        assert_eq!(patch("?dryRun=true").status, 429);
        assert_eq!(patch("?dryRun=true").status, 200);
    });
}

#[test]
fn answers_come_late_and_so_do_changes() {
    with_flag(|rest| {
        let off = json!([{ "kind": "turnFlagOff" }]);
        for fault in [
            RestFault::Slow {
                route: Route::PatchFlag,
                by: LATE,
            },
            RestFault::Late {
                route: Route::PatchFlag,
                by: LATE,
            },
        ] {
            rest.server.script_rest(fault, 1);
            let start = Instant::now();
            assert_eq!(rest.patch("f", "", &off).unwrap().status, 200);
            assert!(start.elapsed() >= LATE);
        }
    });
}
