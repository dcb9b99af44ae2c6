//! A scripted LaunchDarkly on loopback, for tests: the stream, polling and events of the server-side SDK, and the
//! part of the REST API that reads, changes and explains flags and segments. It records what it received and does
//! wrong what it is told to.
//!
//! It knows the vendor's formats and nothing of Understudy. Flags are kept as the REST API shows them; what the SDK
//! is told is derived from that. Users, teams, metrics, big segments, other environments and TLS are not here.
//!
//! Closures that edit something run with the server's state locked: they must not call the server.

mod audit;
mod flag;
mod http;
mod instructions;
mod rest;
mod script;
mod segment;
mod server;
mod state;
mod stream;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use crate::http::Received;
pub use crate::script::{ApiScope, RestFault, Route, StreamScript};

use crate::flag::{NewFlag, Purpose, STAGES, items, variation_ids};
use crate::rest::{By, Persist, change_flag, raise_segment, raise_version, tell_of_segment};
use crate::server::Shared;
use crate::state::{Account, Frame, State, event, new_id, now_ms};

/// A running server. Copies are handles of the same one; it ends when the last is dropped.
#[derive(Clone)]
pub struct Scripted {
    shared: Arc<Shared>,
    listening: Arc<Listening>,
}

struct Listening {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Listening {
    fn stop(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            server::stop(&self.shared, thread);
        }
    }

    fn start(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let listener = server::bind_again(self.shared.port);
            *thread = Some(server::accept(&self.shared, listener));
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Scripted");
        shown.field("url", &self.url()).finish_non_exhaustive()
    }
}

/// Starting, stopping and who it is.
impl Scripted {
    /// Starts a server on 127.0.0.1 and a free port.
    #[must_use]
    pub fn start() -> Self {
        Self::listening(None)
    }

    /// Starts a server on 127.0.0.1 and this port, waiting for it where it is taken.
    #[must_use]
    pub fn start_on(port: u16) -> Self {
        Self::listening(Some(port))
    }

    fn listening(port: Option<u16>) -> Self {
        let account = Account {
            sdk_key: format!("sdk-{}", new_id()),
            api_token: format!("api-{}", new_id()),
            project: "default".to_owned(),
            environment: "production".to_owned(),
        };
        let (listener, port) = server::bind(port);
        let shared = Arc::new(Shared::new(account, port));
        let thread = server::accept(&shared, listener);
        let listening = Listening {
            shared: Arc::clone(&shared),
            thread: Mutex::new(Some(thread)),
        };
        Self {
            shared,
            listening: Arc::new(listening),
        }
    }

    /// The base of everything, without a slash at the end: `/all`, `/sdk/latest-all`, `/bulk` and `/api/v2/…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.shared.port)
    }

    /// Closes the listener and all connections: connections are refused from now on.
    pub fn stop(&self) {
        self.listening.stop();
    }

    /// Listens again, on the same port.
    ///
    /// # Panics
    ///
    /// Where another program has taken the port.
    pub fn restart(&self) {
        self.listening.start();
    }

    /// The key that the SDK must send.
    #[must_use]
    pub fn sdk_key(&self) -> &str {
        &self.shared.account.sdk_key
    }

    /// The token that clients of the REST API must send.
    #[must_use]
    pub fn api_token(&self) -> &str {
        &self.shared.account.api_token
    }

    /// The key of the project.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.shared.account.project
    }

    /// The key of the environment.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.shared.account.environment
    }

    /// Has the SDK key refused with 401, open streams closed; or takes it again.
    pub fn refuse_sdk_key(&self, refuse: bool) {
        let mut state = self.shared.state();
        state.sdk_key_refused = refuse;
        if refuse {
            state.end_streams();
        }
    }

    /// What the API token may do from now on.
    pub fn set_api_scope(&self, scope: ApiScope) {
        self.shared.state().api_scope = scope;
    }
}

/// Flags and segments. Every change is told to open streams, unless said otherwise.
impl Scripted {
    /// Creates a flag that is on and serves everybody its second variation; off, it serves the first.
    ///
    /// The versions of a key that was deleted go on where they ended.
    pub fn create_flag(&self, key: &str, variations: &[Value]) {
        self.create(key, variations, Purpose::Any);
    }

    /// Creates a flag whose variations are `off`, `shadow`, `live` and `complete`, serving `shadow`.
    pub fn create_stage_flag(&self, key: &str) {
        self.create(key, &STAGES.map(Value::from), Purpose::Any);
    }

    /// Creates a migration flag of four stages, whose default cohort is all `shadow`.
    pub fn create_migration_flag(&self, key: &str) {
        self.create(key, &STAGES.map(Value::from), Purpose::Migration);
    }

    fn create(&self, key: &str, values: &[Value], purpose: Purpose) {
        let state = &mut *self.shared.state();
        assert!(
            !state.flags.contains_key(key),
            "flag `{key}` exists already"
        );
        let new = NewFlag {
            project: self.project(),
            environment: self.environment(),
            key,
            values,
            purpose,
            version: state.graves.get(key).map_or(1, |version| version + 1),
        };
        let flag = flag::new_flag(&new);
        state.flags.insert(key.to_owned(), flag);
        audit::log_flag(&self.shared, state, key, By::Hand, "created the flag");
        self.tell_of_flag(state, key);
    }

    /// Deletes a flag: streams are told so with the next version.
    pub fn delete_flag(&self, key: &str) {
        let state = &mut *self.shared.state();
        let flag = state.flags.remove(key);
        let flag = flag.unwrap_or_else(|| panic!("no flag `{key}` to delete"));
        let version = self.version_of(&flag) + 1;
        state.graves.insert(key.to_owned(), version);
        audit::log_flag(&self.shared, state, key, By::Hand, "deleted the flag");
        let path = format!("/flags/{key}");
        state.push(&event(
            "delete",
            &json!({ "path": path, "version": version }),
        ));
    }

    /// Edits a flag's configuration in the environment, as its user interface would, to the next version.
    pub fn edit_by_hand(&self, key: &str, edit: impl FnOnce(&mut Value)) {
        let environment = self.environment();
        self.edit(key, |flag| edit(&mut flag["environments"][environment]));
    }

    /// Edits a whole flag as the REST API shows it, to the next version.
    pub fn edit_flag(&self, key: &str, edit: impl FnOnce(&mut Value)) {
        self.edit(key, |flag| {
            edit(flag);
            flag["_version"] = json!(flag["_version"].as_u64().unwrap_or_default() + 1);
        });
    }

    fn edit(&self, key: &str, edit: impl FnOnce(&mut Value)) {
        let state = &mut *self.shared.state();
        let flag = known(state, key);
        edit(flag);
        raise_version(flag, self.environment());
        audit::log_flag(&self.shared, state, key, By::Hand, "updated the flag");
        self.tell_of_flag(state, key);
    }

    /// Targets one customer (a context of kind `customer`) by hand: it is served this variation and no other.
    pub fn target_by_hand(&self, key: &str, customer: &str, variation: &Value) {
        let flag = self.flag(key).unwrap_or_else(|| panic!("no flag `{key}`"));
        let target = |id: &str, kind: &str| {
            let (context_kind, values) = ("customer", [customer]);
            json!({ "kind": kind, "contextKind": context_kind, "values": values, "variationId": id })
        };
        let wanted = self.variation_id(key, variation);
        let ids = variation_ids(&flag);
        let others = ids.iter().filter(|id| **id != wanted);
        let mut instructions: Vec<Value> = others.map(|id| target(id, "removeTargets")).collect();
        instructions.push(target(&wanted, "addTargets"));
        self.change_by_hand(key, &instructions);
    }

    /// Has everybody served one variation who is neither targeted nor met by a rule, by hand.
    pub fn serve_by_hand(&self, key: &str, variation: &Value) {
        let id = self.variation_id(key, variation);
        let kind = "updateFallthroughVariationOrRollout";
        let flag = self.flag(key).unwrap_or_else(|| panic!("no flag `{key}`"));
        let mut instruction = json!({ "kind": kind });
        if flag::is_migration(&flag) {
            instruction["rolloutWeights"] = json!({ id: flag::WHOLE });
        } else {
            instruction["variationId"] = json!(id);
        }
        self.change_by_hand(key, &[instruction]);
    }

    /// Applies instructions of a semantic patch by hand: no faults, no approvals, no comment.
    ///
    /// # Panics
    ///
    /// Where the instructions are refused.
    pub fn change_by_hand(&self, key: &str, instructions: &[Value]) {
        let state = &mut *self.shared.state();
        known(state, key);
        let changed = change_flag(
            &self.shared,
            state,
            key,
            instructions,
            By::Hand,
            Persist::Yes,
        );
        let changed = changed.unwrap_or_else(|refused| panic!("flag `{key}`: {}", refused.0));
        if let Some(frame) = changed.frame {
            state.push(&frame);
        }
    }

    /// The `_id` of the variation with this value.
    ///
    /// # Panics
    ///
    /// Where there is no such flag or variation.
    #[must_use]
    pub fn variation_id(&self, key: &str, value: &Value) -> String {
        let flag = self.flag(key).unwrap_or_else(|| panic!("no flag `{key}`"));
        let mut variations = items(&flag["variations"]).iter();
        let found = variations.find(|variation| variation["value"] == *value);
        let id = found.and_then(|variation| variation["_id"].as_str());
        id.unwrap_or_else(|| panic!("no variation {value} of `{key}`"))
            .to_owned()
    }

    /// Creates a segment, edited as the REST API shows it before anybody sees it.
    pub fn create_segment(&self, key: &str, edit: impl FnOnce(&mut Value)) {
        let state = &mut *self.shared.state();
        let mut segment = segment::new_segment(key, key);
        edit(&mut segment);
        state.segments.insert(key.to_owned(), segment);
        audit::log_segment(&self.shared, state, key, By::Hand, "created the segment");
        tell_of_segment(state, key);
    }

    /// Edits a segment as the REST API shows it, to the next version.
    pub fn edit_segment(&self, key: &str, edit: impl FnOnce(&mut Value)) {
        let state = &mut *self.shared.state();
        let segment = state.segments.get_mut(key);
        let segment = segment.unwrap_or_else(|| panic!("no segment `{key}`"));
        edit(segment);
        raise_segment(segment);
        audit::log_segment(&self.shared, state, key, By::Hand, "updated the segment");
        tell_of_segment(state, key);
    }

    /// A flag as the REST API shows it, with all it can be asked for.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<Value> {
        self.shared.state().flags.get(key).cloned()
    }

    /// A segment as the REST API shows it.
    #[must_use]
    pub fn segment(&self, key: &str) -> Option<Value> {
        self.shared.state().segments.get(key).cloned()
    }

    /// What the SDK is told of a flag.
    #[must_use]
    pub fn sdk_flag(&self, key: &str) -> Option<Value> {
        let state = self.shared.state();
        let flag = state.flags.get(key)?;
        Some(flag::sdk_flag(flag, self.environment()))
    }

    /// All that the SDK is told: the body of `latest-all`.
    #[must_use]
    pub fn sdk_data(&self) -> Value {
        self.shared.state().sdk_data(self.environment())
    }

    /// Sets the version of a flag, lower ones too; streams are told nothing of it.
    pub fn set_version(&self, key: &str, version: u64) {
        let state = &mut *self.shared.state();
        known(state, key)["environments"][self.environment()]["version"] = json!(version);
    }

    /// The audit log, newest first.
    #[must_use]
    pub fn audit_log(&self) -> Vec<Value> {
        let state = self.shared.state();
        state.audit_log.iter().rev().cloned().collect()
    }

    fn tell_of_flag(&self, state: &State, key: &str) {
        if let Some(frame) = state.flag_frame(key, self.environment()) {
            state.push(&frame);
        }
    }

    fn version_of(&self, flag: &Value) -> u64 {
        let version = &flag["environments"][self.environment()]["version"];
        version.as_u64().unwrap_or_default()
    }
}

fn known<'a>(state: &'a mut State, key: &str) -> &'a mut Value {
    let flag = state.flags.get_mut(key);
    flag.unwrap_or_else(|| panic!("no flag `{key}`"))
}

/// The stream.
impl Scripted {
    /// What connections to the stream meet from the next one on; open ones stay as they are.
    pub fn script_stream(&self, script: StreamScript) {
        self.shared.state().stream_script = script;
    }

    /// Sends a whole `put` to open streams.
    pub fn push_put(&self) {
        let state = self.shared.state();
        state.push(&stream::put(&state.sdk_data(self.environment())));
    }

    /// Sends these bytes to open streams as they are.
    pub fn push_raw(&self, text: &str) {
        self.shared.state().push(&Frame::from(text.as_bytes()));
    }

    /// Sends a heartbeat to open streams now.
    pub fn heartbeat(&self) {
        self.shared.state().push(&Frame::from(stream::HEARTBEAT));
    }

    /// Has heartbeats sent so often, or none; every 200 ms unless said otherwise.
    pub fn set_heartbeat(&self, every: Option<Duration>) {
        let mut state = self.shared.state();
        state.heartbeat = every;
        state.notify();
    }

    /// Mutes all streams: open ones and new ones stay open, and nothing is sent on them any more. What is held
    /// back is sent when they are no longer muted. Polling, events and the REST API go on.
    pub fn mute(&self, mute: bool) {
        let mut state = self.shared.state();
        state.muted = mute;
        state.notify();
    }

    /// Closes open streams, and nothing else.
    pub fn drop_streams(&self) {
        self.shared.state().end_streams();
    }

    /// The streams that were answered with status 200 and are still open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        served(&self.shared.state())
    }

    /// Waits until at least one stream is open; false where none was in time.
    #[must_use]
    pub fn wait_for_stream(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        let mut state = self.shared.state();
        while served(&state) == 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.opened.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

fn served(state: &State) -> usize {
    let streams = state.streams.iter();
    streams.filter(|stream| stream.served).count()
}

/// Polling and the REST API.
impl Scripted {
    /// Has polling answered with this status, or as usual.
    pub fn script_poll(&self, status: Option<u16>) {
        self.shared.state().poll_status = status;
    }

    /// Has so many requests of the fault's route meet it, after the faults scripted before.
    pub fn script_rest(&self, fault: RestFault, times: usize) {
        if times > 0 {
            self.shared.state().rest_faults.push_back((fault, times));
        }
    }

    /// Whether flags are changed by approval only: patches, dry runs too, are then answered with 405.
    pub fn require_approvals(&self, required: bool) {
        self.shared.state().approvals_required = required;
    }

    /// Schedules a change of a flag, which never happens, and returns its id: until [`Self::clear_pending`], patches
    /// of the flag are answered with 400 unless they ignore conflicts.
    pub fn add_pending_change(&self, key: &str) -> String {
        let state = &mut *self.shared.state();
        known(state, key);
        let id = new_id();
        let change = json!({
            "_id": id,
            "_version": 1,
            "_creationDate": now_ms(),
            "_maintainerId": "scripted-member",
            "executionDate": now_ms() + 86_400_000,
            "instructions": [{ "kind": "turnFlagOff" }],
            "conflicts": [],
            "_links": {},
        });
        let changes = state.scheduled_changes.entry(key.to_owned());
        changes.or_default().push(change);
        id
    }

    /// Adds an approval request for a flag, with the effect of [`Self::add_pending_change`], and returns its id.
    pub fn add_pending_approval(&self, key: &str) -> String {
        let state = &mut *self.shared.state();
        known(state, key);
        let asked = json!({ "description": "turn it off" });
        let instructions = vec![json!({ "kind": "turnFlagOff" })];
        let approval = rest::approval(&asked, instructions);
        let id = approval["_id"].as_str().unwrap_or_default().to_owned();
        state
            .approvals
            .entry(key.to_owned())
            .or_default()
            .push(approval);
        id
    }

    /// Forgets scheduled changes and approval requests of a flag.
    pub fn clear_pending(&self, key: &str) {
        let mut state = self.shared.state();
        state.scheduled_changes.remove(key);
        state.approvals.remove(key);
    }

    /// The approval requests of a flag, oldest first.
    #[must_use]
    pub fn approvals(&self, key: &str) -> Vec<Value> {
        let state = self.shared.state();
        state.approvals.get(key).cloned().unwrap_or_default()
    }

    /// Approves and applies an approval request, as members at the user interface would.
    ///
    /// # Panics
    ///
    /// Where there is no such request, or its instructions are refused by now.
    pub fn apply_approval(&self, key: &str, id: &str) {
        let approval = self.review(key, id, "approved", "completed");
        self.change_by_hand(key, items(&approval["instructions"]));
    }

    /// Declines an approval request; it stays, and is pending no more.
    ///
    /// # Panics
    ///
    /// Where there is no such request.
    pub fn decline_approval(&self, key: &str, id: &str) {
        self.review(key, id, "declined", "failed");
    }

    fn review(&self, key: &str, id: &str, review: &str, status: &str) -> Value {
        let mut state = self.shared.state();
        let mut approvals = state.approvals.get_mut(key).into_iter().flatten();
        let approval = approvals.find(|approval| approval["_id"] == id);
        let approval = approval.unwrap_or_else(|| panic!("no approval request `{id}` of `{key}`"));
        approval["reviewStatus"] = json!(review);
        approval["status"] = json!(status);
        approval.clone()
    }

    /// Has streams told of patches of the REST API this much later; the patches themselves are answered at once.
    pub fn delay_stream_of_patches(&self, delay: Duration) {
        self.shared.state().patch_delay = delay;
    }
}

/// What was received.
impl Scripted {
    /// All requests since the start or [`Self::forget`], oldest first, those of streams too.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.iter().cloned().collect()
    }

    /// Forgets what was received.
    pub fn forget(&self) {
        self.shared.state().received.clear();
    }
}
