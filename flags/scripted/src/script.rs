//! What a test has the server do wrong.

use std::time::Duration;

use serde_json::Value;

/// What connections to the stream meet.
#[derive(Clone, Debug, Default)]
pub enum StreamScript {
    /// The flags, then every change, and heartbeats.
    #[default]
    Serve,
    /// This status and these headers.
    Status(u16, Vec<(String, String)>),
    /// The request is read, and nothing is ever answered.
    NeverAnswer,
    /// Status 200 and headers, then nothing: half-open.
    HeadersOnly,
    /// As [`StreamScript::Serve`], so many bytes at a time.
    SlowDrip {
        /// Bytes a piece; at least one.
        bytes: usize,
        /// The pause after each.
        every: Duration,
    },
    /// An event of an unknown name first; then as [`StreamScript::Serve`].
    FirstEventUnknown,
    /// The first `put` has a flag that lacks `rules`; then as [`StreamScript::Serve`].
    MalformedFlag,
    /// The first `put` is cut in the middle of its JSON; then as [`StreamScript::Serve`].
    MalformedJson,
    /// The first `put` has no flags and no segments; then as [`StreamScript::Serve`].
    EmptyPut,
    /// As [`StreamScript::Serve`], and in good order closed after this time.
    Flap {
        /// The time a connection is served for.
        after: Duration,
    },
    /// The request is read and the connection closed.
    CloseAtOnce,
}

/// Requests of the REST API, by what they are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// All of them.
    Any,
    /// A flag is read.
    GetFlag,
    /// A flag is changed.
    PatchFlag,
    /// A change of a flag is tried.
    DryRun,
    /// A segment is read.
    GetSegment,
    /// A segment is changed.
    PatchSegment,
    /// A segment is created.
    CreateSegment,
    /// The audit log is searched.
    AuditLog,
    /// Approval requests are listed, read or created.
    Approvals,
    /// Scheduled changes are listed.
    ScheduledChanges,
}

/// What a request of the REST API meets.
#[derive(Clone, Debug)]
pub enum RestFault {
    /// It is not done; this is answered.
    Status {
        /// The requests it is for.
        route: Route,
        /// The status.
        status: u16,
        /// Headers beside the usual ones.
        headers: Vec<(String, String)>,
        /// The body.
        body: Value,
    },
    /// It is done, and the connection closed without an answer.
    AnswerLost {
        /// The requests it is for.
        route: Route,
    },
    /// It is not done, and the connection closed without an answer.
    LostBefore {
        /// The requests it is for.
        route: Route,
    },
    /// It is done at once and answered late.
    Slow {
        /// The requests it is for.
        route: Route,
        /// How late.
        by: Duration,
    },
    /// It is done late, when the client may have given up, and then answered.
    Late {
        /// The requests it is for.
        route: Route,
        /// How late.
        by: Duration,
    },
}

impl RestFault {
    pub(crate) fn meets(&self, met: Option<Route>) -> bool {
        let (Self::Status { route, .. }
        | Self::AnswerLost { route }
        | Self::LostBefore { route }
        | Self::Slow { route, .. }
        | Self::Late { route, .. }) = self;
        *route == Route::Any || Some(*route) == met
    }
}

/// What the API token may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ApiScope {
    /// Everything.
    #[default]
    Writer,
    /// Only reading: 403 on every change, dry runs included.
    Reader,
    /// Nothing: it was revoked, and everything is answered with 401.
    Revoked,
}
