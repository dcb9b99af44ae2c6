//! What the account holds and what was scripted: everything behind the one lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::flag::sdk_flag;
use crate::http::Received;
use crate::script::{ApiScope, RestFault, StreamScript};
use crate::segment::sdk_segment;

/// Requests that are remembered; older ones are forgotten.
const MAX_RECEIVED: usize = 100_000;
/// Heartbeats, unless a test says otherwise.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// Bytes on their way to a stream.
pub(crate) type Frame = Arc<[u8]>;

/// What the writer of a stream is told.
pub(crate) enum Message {
    Frame(Frame),
    /// Muting or heartbeats changed.
    Changed,
    /// The stream is closed in good order.
    End,
    /// The client went away.
    Gone,
}

/// A connection to the stream.
pub(crate) struct Stream {
    pub(crate) id: u64,
    pub(crate) to_writer: Sender<Message>,
    /// Whether it was answered: only then are changes for it.
    pub(crate) served: bool,
}

/// Who the server is.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) sdk_key: String,
    pub(crate) api_token: String,
    pub(crate) project: String,
    pub(crate) environment: String,
}

/// An id in the shape of LaunchDarkly's, none used twice in a process.
pub(crate) fn new_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let spread = number.wrapping_mul(0x9e37_79b1) as u32;
    format!("{spread:08x}-5c1e-4000-8000-{number:012x}")
}

pub(crate) struct State {
    pub(crate) flags: BTreeMap<String, Value>,
    pub(crate) segments: BTreeMap<String, Value>,
    /// The versions that deleted flags had reached.
    pub(crate) graves: BTreeMap<String, u64>,
    /// Oldest first.
    pub(crate) audit_log: Vec<Value>,
    pub(crate) scheduled_changes: BTreeMap<String, Vec<Value>>,
    pub(crate) approvals: BTreeMap<String, Vec<Value>>,
    pub(crate) sdk_key_refused: bool,
    pub(crate) api_scope: ApiScope,
    pub(crate) approvals_required: bool,
    pub(crate) stream_script: StreamScript,
    pub(crate) rest_faults: VecDeque<(RestFault, usize)>,
    pub(crate) poll_status: Option<u16>,
    pub(crate) patch_delay: Duration,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) muted: bool,
    pub(crate) received: VecDeque<Received>,
    pub(crate) streams: Vec<Stream>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            flags: BTreeMap::new(),
            segments: BTreeMap::new(),
            graves: BTreeMap::new(),
            audit_log: Vec::new(),
            scheduled_changes: BTreeMap::new(),
            approvals: BTreeMap::new(),
            sdk_key_refused: false,
            api_scope: ApiScope::default(),
            approvals_required: false,
            stream_script: StreamScript::default(),
            rest_faults: VecDeque::new(),
            poll_status: None,
            patch_delay: Duration::ZERO,
            heartbeat: Some(HEARTBEAT),
            muted: false,
            received: VecDeque::new(),
            streams: Vec::new(),
        }
    }

    pub(crate) fn record(&mut self, request: Received) {
        if self.received.len() == MAX_RECEIVED {
            self.received.pop_front();
        }
        self.received.push_back(request);
    }

    /// The body of `latest-all`, and what a `put` carries.
    pub(crate) fn sdk_data(&self, environment: &str) -> Value {
        let live = self
            .flags
            .iter()
            .filter(|(_, flag)| flag["archived"] != true);
        let flags = live.map(|(key, flag)| (key.clone(), sdk_flag(flag, environment)));
        let segments = self.segments.iter();
        let segments = segments.map(|(key, segment)| (key.clone(), sdk_segment(segment)));
        json!({
            "flags": flags.collect::<serde_json::Map<_, _>>(),
            "segments": segments.collect::<serde_json::Map<_, _>>(),
        })
    }

    /// Sends bytes to every stream that was answered.
    pub(crate) fn push(&self, frame: &Frame) {
        for stream in self.streams.iter().filter(|stream| stream.served) {
            // A writer that has ended took its client with it.
            let _ = stream.to_writer.send(Message::Frame(Arc::clone(frame)));
        }
    }

    /// Wakes every writer.
    pub(crate) fn notify(&self) {
        for stream in &self.streams {
            let _ = stream.to_writer.send(Message::Changed);
        }
    }

    /// Closes every stream.
    pub(crate) fn end_streams(&mut self) {
        for stream in self.streams.drain(..) {
            let _ = stream.to_writer.send(Message::End);
        }
    }

    /// What open streams are told of a flag as it is now.
    pub(crate) fn flag_frame(&self, key: &str, environment: &str) -> Option<Frame> {
        let flag = self.flags.get(key)?;
        let path = format!("/flags/{key}");
        if flag["archived"] == true {
            let version = &flag["environments"][environment]["version"];
            return Some(event(
                "delete",
                &json!({ "path": path, "version": version }),
            ));
        }
        let data = sdk_flag(flag, environment);
        Some(event("patch", &json!({ "path": path, "data": data })))
    }

    /// What open streams are told of a segment as it is now.
    pub(crate) fn segment_frame(&self, key: &str) -> Option<Frame> {
        let data = sdk_segment(self.segments.get(key)?);
        let path = format!("/segments/{key}");
        Some(event("patch", &json!({ "path": path, "data": data })))
    }
}

/// An event of the stream.
pub(crate) fn event(name: &str, data: &Value) -> Frame {
    Arc::from(format!("event: {name}\ndata: {data}\n\n").into_bytes())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the vendor's server has a clock of its own"
)]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
