//! Connections to the stream: what each is sent, and when.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Response, head};
use crate::script::StreamScript;
use crate::server::Shared;
use crate::state::{Frame, Message, State, Stream, event};

/// What a heartbeat is: a comment, which no parser of events counts as one.
pub(crate) const HEARTBEAT: &[u8] = b": \n";
/// A writer with nothing to wait for looks up so often.
const IDLE: Duration = Duration::from_secs(3600);

/// A connection to the stream that has been counted among them.
pub(crate) struct Entered {
    id: u64,
    script: StreamScript,
    to_writer: Sender<Message>,
    inbox: Receiver<Message>,
}

/// Counts a connection among the streams: whoever has seen its request can close it.
pub(crate) fn enter(shared: &Shared, state: &mut State) -> Entered {
    let id = shared.next_connection();
    let (to_writer, inbox) = channel();
    state.streams.push(Stream {
        id,
        to_writer: to_writer.clone(),
        served: false,
    });
    Entered {
        id,
        script: state.stream_script.clone(),
        to_writer,
        inbox,
    }
}

/// Answers a connection to the stream as scripted, until it ends.
pub(crate) fn serve(shared: &Shared, socket: &TcpStream, stream: Entered) {
    let id = stream.id;
    // It ended with its client, who alone could have been told why.
    let _ = answer(shared, socket, stream);
    shared.state().streams.retain(|stream| stream.id != id);
}

fn answer(shared: &Shared, socket: &TcpStream, stream: Entered) -> io::Result<()> {
    match &stream.script {
        StreamScript::CloseAtOnce => Ok(()),
        StreamScript::Status(status, headers) => {
            let refusal = Response::error(*status, "scripted", "as the test has it");
            let headers = [&refusal.headers[..], headers].concat();
            Response { headers, ..refusal }.write(socket)
        }
        script => {
            watch(socket, stream.to_writer)?;
            hold(shared, socket, script, stream.id, &stream.inbox)
        }
    }
}

/// Has someone notice when the client closes.
fn watch(socket: &TcpStream, to_writer: Sender<Message>) -> io::Result<()> {
    socket.set_read_timeout(None)?;
    let mut socket = socket.try_clone()?;
    let watching = move || {
        let mut ignored = [0; 1024];
        while socket.read(&mut ignored).is_ok_and(|read| read > 0) {}
        // A writer that has ended knows already.
        let _ = to_writer.send(Message::Gone);
    };
    thread::Builder::new().spawn(watching).map(drop)
}

fn hold(
    shared: &Shared,
    socket: &TcpStream,
    script: &StreamScript,
    id: u64,
    inbox: &Receiver<Message>,
) -> io::Result<()> {
    let silent = matches!(script, StreamScript::NeverAnswer);
    while silent || shared.state().muted {
        if let Ok(Message::End | Message::Gone) | Err(_) = inbox.recv() {
            return Ok(());
        }
    }
    let mut pipe = Pipe::new(socket, script);
    let opening = opened(shared, id, script);
    pipe.headers()?;
    if matches!(script, StreamScript::HeadersOnly) {
        while !matches!(inbox.recv(), Ok(Message::End | Message::Gone) | Err(_)) {}
        return Ok(());
    }
    for frame in &opening {
        pipe.send(frame)?;
    }
    let until = match script {
        StreamScript::Flap { after } => Some(Instant::now() + *after),
        _ => None,
    };
    Writer {
        shared,
        pipe,
        inbox,
        until,
        last_beat: Instant::now(),
        held: VecDeque::new(),
    }
    .run()
}

/// Makes a stream a served one and takes what it begins with: no change is lost or sent twice in between.
fn opened(shared: &Shared, id: u64, script: &StreamScript) -> Vec<Frame> {
    let mut state = shared.state();
    if let Some(stream) = state.streams.iter_mut().find(|stream| stream.id == id) {
        stream.served = true;
    }
    shared.opened.notify_all();
    opening(&state, &shared.account.environment, script)
}

fn opening(state: &State, environment: &str, script: &StreamScript) -> Vec<Frame> {
    let data = state.sdk_data(environment);
    match script {
        StreamScript::FirstEventUnknown => vec![event("hello", &json!({})), put(&data)],
        StreamScript::MalformedFlag => vec![put(&malformed(data))],
        StreamScript::MalformedJson => {
            let whole = json!({ "path": "/", "data": data }).to_string();
            let half: String = whole.chars().take(whole.chars().count() / 2).collect();
            vec![Frame::from(
                format!("event: put\ndata: {half}\n\n").into_bytes(),
            )]
        }
        StreamScript::EmptyPut => vec![put(&json!({ "flags": {}, "segments": {} }))],
        _ => vec![put(&data)],
    }
}

/// A whole environment.
pub(crate) fn put(data: &Value) -> Frame {
    event("put", &json!({ "path": "/", "data": data }))
}

/// Takes the rules of the first flag away, or adds a flag that has none.
fn malformed(mut data: Value) -> Value {
    let flags = data["flags"].as_object_mut();
    let first = flags.and_then(|flags| flags.values_mut().next());
    match first.and_then(Value::as_object_mut) {
        Some(flag) => drop(flag.shift_remove("rules")),
        None => data["flags"]["malformed"] = json!({ "key": "malformed", "version": 1 }),
    }
    data
}

/// The body of the answer, in chunks.
struct Pipe<'a> {
    socket: &'a TcpStream,
    /// The size of a piece and the pause after it.
    pace: Option<(usize, Duration)>,
}

impl<'a> Pipe<'a> {
    fn new(socket: &'a TcpStream, script: &StreamScript) -> Self {
        let pace = match script {
            StreamScript::SlowDrip { bytes, every } => Some(((*bytes).max(1), *every)),
            _ => None,
        };
        Self { socket, pace }
    }

    fn headers(&mut self) -> io::Result<()> {
        let headers = [
            ("Content-Type", "text/event-stream; charset=utf-8"),
            ("Cache-Control", "no-cache, no-store, must-revalidate"),
            ("Transfer-Encoding", "chunked"),
        ];
        let owned = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut bytes = head(200, &owned);
        bytes.extend(b"\r\n");
        self.socket.write_all(&bytes)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some((size, pause)) = self.pace else {
            return self.chunk(bytes);
        };
        for piece in bytes.chunks(size) {
            self.chunk(piece)?;
            thread::sleep(pause);
        }
        Ok(())
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend(bytes);
        chunk.extend(b"\r\n");
        self.socket.write_all(&chunk)
    }

    fn end(&mut self) -> io::Result<()> {
        self.socket.write_all(b"0\r\n\r\n")
    }
}

/// Sends frames and heartbeats until the stream ends.
struct Writer<'a> {
    shared: &'a Shared,
    pipe: Pipe<'a>,
    inbox: &'a Receiver<Message>,
    /// When a stream that flaps is closed.
    until: Option<Instant>,
    last_beat: Instant,
    /// Frames that came while the server was mute.
    held: VecDeque<Frame>,
}

impl Writer<'_> {
    fn run(mut self) -> io::Result<()> {
        loop {
            let due = self.due();
            if let Some(Due::Now) = due {
                return self.pipe.end();
            }
            match self.inbox.recv_timeout(due.map_or(IDLE, Due::wait)) {
                Ok(Message::Frame(frame)) => self.held.push_back(frame),
                Ok(Message::Changed) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::End) => return self.pipe.end(),
                Ok(Message::Gone) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.send_held()?;
            self.beat()?;
        }
    }

    /// What comes next by itself; nothing does while the server is mute.
    fn due(&self) -> Option<Due> {
        let (muted, every) = self.shared.pulse();
        if muted {
            return None;
        }
        let beat = every.map(|every| self.last_beat + every);
        let next = [beat, self.until].into_iter().flatten().min()?;
        let ends = self.until.is_some_and(|until| until <= Instant::now());
        Some(if ends { Due::Now } else { Due::At(next) })
    }

    fn send_held(&mut self) -> io::Result<()> {
        while let Some(frame) = self.held.front()
            && !self.shared.pulse().0
        {
            self.pipe.send(frame)?;
            self.held.pop_front();
        }
        Ok(())
    }

    fn beat(&mut self) -> io::Result<()> {
        let (muted, every) = self.shared.pulse();
        let is_due = every.is_some_and(|every| self.last_beat + every <= Instant::now());
        if is_due && !muted {
            self.last_beat = Instant::now();
            self.pipe.send(HEARTBEAT)?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Due {
    /// The stream ends.
    Now,
    At(Instant),
}

impl Due {
    fn wait(self) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::At(at) => at.saturating_duration_since(Instant::now()),
        }
    }
}
