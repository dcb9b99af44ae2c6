//! The faults of the REST API: how each begins and ends, and what becomes of a move that meets it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use understudy_scripted_launchdarkly::{RestFault, Route, Scripted};

use crate::launchdarkly::scene::CHANGE;

/// More than any command asks while a test waits for it.
pub(super) const FOR_EVER: usize = 100;

pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) begin: fn(&Scripted),
    /// What has to happen in LaunchDarkly before it is over.
    pub(super) end: fn(&Scripted),
    pub(super) flip: Flip,
    pub(super) back: Back,
}

/// What becomes of a move towards new.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flip {
    Moves,
    /// Nobody moves: the exit code, and what is said.
    Refused(i32, &'static str),
    /// The ledger has it, and the flag does not: exit code 6.
    NotTold,
    /// It is still asking when the run has published.
    StillAsks,
}

/// What becomes of the flag where the ledger has the move already: of a move towards old, and in a run that tells it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Back {
    Told,
    /// It is not told, and why.
    NotTold(&'static str),
}

/// A fault that is over as soon as the API is well again.
const fn fault(name: &'static str, begin: fn(&Scripted), flip: Flip, back: Back) -> Fault {
    Fault {
        name,
        begin,
        end: no_more_faults,
        flip,
        back,
    }
}

const MESSAGE: &str = "as the test has it";
const SCHEDULED: &str = "pending scheduled change";
pub(super) const APPROVAL: &str = "needs approval";
const SILENCE: &str = "brought no answer";

pub(super) const FAULTS: [Fault; 14] = [
    fault(
        "400",
        |server| patches_meet(server, 400, &[], FOR_EVER),
        Flip::Refused(6, MESSAGE),
        Back::NotTold(MESSAGE),
    ),
    Fault {
        name: "400 for a scheduled change",
        begin: |server| drop(server.add_pending_change(CHANGE)),
        end: |server| server.clear_pending(CHANGE),
        flip: Flip::Refused(6, SCHEDULED),
        back: Back::NotTold(SCHEDULED),
    },
    Fault {
        name: "405",
        begin: |server| server.require_approvals(true),
        end: approve,
        flip: Flip::Refused(1, APPROVAL),
        back: Back::NotTold(APPROVAL),
    },
    Fault {
        name: "405 after the dry run",
        begin: |server| patches_meet(server, 405, &[], FOR_EVER),
        end: |server| {
            approve(server);
            no_more_faults(server);
        },
        flip: Flip::Refused(1, APPROVAL),
        back: Back::NotTold(APPROVAL),
    },
    fault(
        "409 once",
        |server| patches_meet(server, 409, &[], 1),
        Flip::Moves,
        Back::Told,
    ),
    fault(
        "409",
        |server| patches_meet(server, 409, &[], FOR_EVER),
        Flip::StillAsks,
        Back::NotTold(MESSAGE),
    ),
    fault(
        "429 once",
        |server| patches_meet(server, 429, IN_A_SECOND, 1),
        Flip::Moves,
        Back::Told,
    ),
    fault(
        "429",
        |server| patches_meet(server, 429, IN_A_SECOND, FOR_EVER),
        Flip::StillAsks,
        Back::NotTold(MESSAGE),
    ),
    fault(
        "503 once",
        |server| patches_meet(server, 503, &[], 1),
        Flip::Moves,
        Back::Told,
    ),
    fault(
        "503",
        |server| patches_meet(server, 503, IN_A_SECOND, FOR_EVER),
        Flip::StillAsks,
        Back::NotTold(MESSAGE),
    ),
    fault(
        "answer lost",
        |server| server.script_rest(ANSWER_LOST, FOR_EVER),
        Flip::Moves,
        Back::Told,
    ),
    fault(
        "request lost",
        |server| server.script_rest(REQUEST_LOST, 1),
        Flip::Moves,
        Back::Told,
    ),
    fault(
        "every request lost",
        |server| server.script_rest(REQUEST_LOST, FOR_EVER),
        Flip::NotTold,
        Back::NotTold(SILENCE),
    ),
    Fault {
        name: "stream later than the confirmation",
        begin: |server| server.delay_stream_of_patches(Duration::from_secs(3)),
        end: |server| server.delay_stream_of_patches(Duration::ZERO),
        flip: Flip::Moves,
        back: Back::Told,
    },
];

const IN_A_SECOND: &[(&str, &str)] = &[("Retry-After", "1")];
pub(super) const ANSWER_LOST: RestFault = RestFault::AnswerLost {
    route: Route::PatchFlag,
};
const REQUEST_LOST: RestFault = RestFault::LostBefore {
    route: Route::PatchFlag,
};

fn patches_meet(server: &Scripted, status: u16, headers: &[(&str, &str)], times: usize) {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let fault = RestFault::Status {
        route: Route::PatchFlag,
        status,
        headers: headers.iter().map(owned).collect(),
        body: json!({ "code": "scripted", "message": MESSAGE }),
    };
    server.script_rest(fault, times);
}

/// Members approve what they were asked for, and it is applied.
pub(super) fn approve(server: &Scripted) {
    for asked in server.approvals(CHANGE) {
        server.apply_approval(CHANGE, asked["_id"].as_str().unwrap());
    }
}

/// Patches are taken again. What is left of a fault is used up by patches without a token, which change nothing: once
/// they are refused for that, nothing is left.
fn no_more_faults(server: &Scripted) {
    let nothing_is_left = (0..=FOR_EVER).any(|_| !meets_a_fault(server));
    assert!(nothing_is_left, "patches meet faults of another test");
}

fn meets_a_fault(server: &Scripted) -> bool {
    let url = server.url();
    let mut socket = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let path = format!("/api/v2/flags/{}/{CHANGE}", server.project());
    let headers = "Host: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close";
    write!(socket, "PATCH {path} HTTP/1.1\r\n{headers}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A connection that is closed without an answer is a fault, too.
    let _ = socket.read_to_end(&mut answer);
    !answer.starts_with(b"HTTP/1.1 401")
}
