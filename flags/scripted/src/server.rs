//! The listener, its connections, and the routes of the SDK.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::http::{self, Received, Response};
use crate::state::{Account, State};
use crate::stream::Entered;
use crate::{rest, stream};

/// Below the ports that clients are given: a client that connects again and again to a stopped server must not
/// be given its port and so reach itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// A request that takes longer to arrive is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// A client that takes nothing for so long is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often, and with what pause, a port is asked back from the system.
const REBINDS: u32 = 100;
const REBIND_PAUSE: Duration = Duration::from_millis(50);

/// What the threads of a server share.
pub(crate) struct Shared {
    pub(crate) account: Account,
    pub(crate) port: u16,
    state: Mutex<State>,
    /// A stream was opened.
    pub(crate) opened: Condvar,
    sockets: Mutex<HashMap<u64, TcpStream>>,
    connections: AtomicU64,
    accepting: AtomicBool,
}

impl Shared {
    pub(crate) fn new(account: Account, port: u16) -> Self {
        Self {
            account,
            port,
            state: Mutex::new(State::new()),
            opened: Condvar::new(),
            sockets: Mutex::new(HashMap::new()),
            connections: AtomicU64::new(0),
            accepting: AtomicBool::new(false),
        }
    }

    /// A test that panicked in an edit leaves the state to those that check it afterwards.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether the server is mute, and how often hearts beat.
    pub(crate) fn pulse(&self) -> (bool, Option<Duration>) {
        let state = self.state();
        (state.muted, state.heartbeat)
    }

    fn sockets(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A free port and its listener.
pub(crate) fn bind(port: Option<u16>) -> (TcpListener, u16) {
    if let Some(port) = port {
        return (bind_again(port), port);
    }
    let ports = PORTS.len() as u64;
    let start = RandomState::new().hash_one(()) % ports;
    let candidates = (0..ports).map(|i| PORTS.start + ((start + i) % ports) as u16);
    let mut free = candidates.filter_map(|port| Some((listener(port).ok()?, port)));
    free.next().expect("one of thousands of ports is free")
}

/// The listener of a port that was given up before.
pub(crate) fn bind_again(port: u16) -> TcpListener {
    for _ in 0..REBINDS {
        match listener(port) {
            Ok(listener) => return listener,
            Err(_) => thread::sleep(REBIND_PAUSE),
        }
    }
    panic!("port {port} was taken by another program");
}

fn listener(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

/// Accepts connections until [`stop`].
pub(crate) fn accept(shared: &Arc<Shared>, listener: TcpListener) -> JoinHandle<()> {
    shared.accepting.store(true, Ordering::SeqCst);
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for socket in listener.incoming() {
            if !shared.accepting.load(Ordering::SeqCst) {
                break;
            }
            if let Ok(socket) = socket {
                connected(&shared, socket);
            }
        }
    })
}

/// Ends the listener first, then all connections.
pub(crate) fn stop(shared: &Shared, listening: JoinHandle<()>) {
    shared.accepting.store(false, Ordering::SeqCst);
    // It wakes the listener; where it fails, there is none to be woken.
    let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.port));
    // A listener that panicked does not listen either.
    let _ = listening.join();
    shared.state().streams.clear();
    for socket in shared.sockets().values() {
        // It may have been closed by its client.
        let _ = socket.shutdown(Shutdown::Both);
    }
}

fn connected(shared: &Arc<Shared>, socket: TcpStream) {
    let id = shared.next_connection();
    let Ok(copy) = socket.try_clone() else {
        return;
    };
    shared.sockets().insert(id, copy);
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        converse(&shared, &socket);
        // It may have been closed by its client.
        let _ = socket.shutdown(Shutdown::Both);
        shared.sockets().remove(&id);
    });
}

fn converse(shared: &Arc<Shared>, socket: &TcpStream) {
    let prepared = [
        socket.set_read_timeout(Some(READ_TIMEOUT)),
        socket.set_write_timeout(Some(WRITE_TIMEOUT)),
        socket.set_nodelay(true),
    ];
    if prepared.iter().any(Result::is_err) {
        return;
    }
    let Some(request) = http::read(socket) else {
        return;
    };
    let answer = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/all") => match streamed(shared, &request) {
            Ok(stream) => return stream::serve(shared, socket, stream),
            Err(refusal) => Some(refusal),
        },
        (method, path) => {
            shared.state().record(request.clone());
            match (method, path) {
                ("GET", "/sdk/latest-all") => Some(poll(shared, &request)),
                ("POST", "/bulk") => Some(events(shared, &request)),
                (_, path) if path.starts_with("/api/v2/") => rest::answer(shared, &request),
                _ => Some(Response::error(404, "not_found", "unknown resource")),
            }
        }
    };
    if let Some(answer) = answer {
        // The client went away: nobody is left to tell.
        let _ = answer.write(socket);
    }
}

/// Records the request and counts the stream in one step.
fn streamed(shared: &Shared, request: &Received) -> Result<Entered, Response> {
    let state = &mut *shared.state();
    state.record(request.clone());
    admitted(shared, state, request)?;
    Ok(stream::enter(shared, state))
}

fn admitted(shared: &Shared, state: &State, request: &Received) -> Result<(), Response> {
    let with_key = request.header("authorization") == Some(&shared.account.sdk_key);
    match with_key && !state.sdk_key_refused {
        true => Ok(()),
        false => Err(Response::error(401, "unauthorized", "invalid SDK key")),
    }
}

fn poll(shared: &Shared, request: &Received) -> Response {
    let state = shared.state();
    if let Err(refusal) = admitted(shared, &state, request) {
        return refusal;
    }
    if let Some(status) = state.poll_status {
        return Response::error(status, "scripted", "as the test has it");
    }
    let data = state.sdk_data(&shared.account.environment);
    let tag = tag(&data.to_string());
    let answer = match request.header("if-none-match") == Some(tag.as_str()) {
        true => Response::empty(304),
        false => Response::json(200, &data),
    };
    answer.with("ETag", &tag)
}

fn tag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn events(shared: &Shared, request: &Received) -> Response {
    match admitted(shared, &shared.state(), request) {
        Ok(()) => Response::empty(202),
        Err(refusal) => refusal,
    }
}
