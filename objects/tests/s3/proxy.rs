//! A proxy that breaks chosen requests on their way to a server, and counts how often it did.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is done to a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The server does it; nobody hears the answer.
    LoseAnswer,
    /// The connection ends before the server hears of it.
    CutBefore,
    /// The same, after a while.
    CutLate(Duration),
    /// 503 without asking the server.
    Unavailable,
    /// The server does it; the answer comes late.
    DelayAnswer(Duration),
    /// The connection ends, and the server gets the request later.
    DeliverLate(Duration),
    /// The server gets it twice; the second answer is handed on.
    Double,
    /// 409 without asking the server.
    Conflict,
    /// Half of the answer's body, then the connection ends.
    HalfAnswer,
}

/// Which requests are broken.
#[derive(Debug)]
struct Rule {
    method: &'static str,
    part: String,
    skip: usize,
    times: usize,
    fault: Fault,
    fired: usize,
}

/// A proxy in front of one server.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Proxy {
    /// Listens on a port of its own, for as long as the process lives.
    pub(crate) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let proxy = Self {
            address,
            rules: Arc::default(),
        };
        let serving = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let proxy = serving.clone();
                thread::spawn(move || proxy.serve(client, server));
            }
        });
        proxy
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks `times` requests of this method whose target contains `part`, after letting `skip` of them pass.
    pub(crate) fn add(
        &self,
        method: &'static str,
        part: &str,
        skip: usize,
        times: usize,
        fault: Fault,
    ) {
        self.rules().push(Rule {
            method,
            part: part.to_owned(),
            skip,
            times,
            fault,
            fired: 0,
        });
    }

    /// How many requests whose target contains `part` were broken.
    pub(crate) fn fired(&self, part: &str) -> usize {
        self.rules()
            .iter()
            .filter(|rule| rule.part == part)
            .map(|rule| rule.fired)
            .sum()
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules
            .lock()
            .expect("no thread panics with the rules in hand")
    }

    fn serve(&self, mut client: TcpStream, server: SocketAddr) {
        let Some(request) = read_request(&mut client) else {
            return;
        };
        let answer = match self.fault_for(&request) {
            None => forward(server, &request),
            Some(fault) => break_it(fault, server, request),
        };
        if let Some(answer) = answer {
            let _ = client.write_all(&answer);
        }
        let _ = client.shutdown(Shutdown::Both);
    }

    fn fault_for(&self, request: &[u8]) -> Option<Fault> {
        let line =
            String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next()?).into_owned();
        let mut rules = self.rules();
        let rule = rules.iter_mut().find(|rule| {
            rule.fired < rule.times
                && line.starts_with(&format!("{} ", rule.method))
                && line.contains(&rule.part)
        })?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.fired += 1;
        Some(rule.fault)
    }
}

/// What the client gets to see; none: the connection just ends.
fn break_it(fault: Fault, server: SocketAddr, request: Vec<u8>) -> Option<Vec<u8>> {
    match fault {
        Fault::LoseAnswer => {
            forward(server, &request)?;
            None
        }
        Fault::CutBefore => None,
        Fault::CutLate(after) => {
            thread::sleep(after);
            None
        }
        Fault::Unavailable => Some(refusal("503 Slow Down")),
        Fault::Conflict => Some(refusal("409 Conflict")),
        Fault::DelayAnswer(by) => {
            let answer = forward(server, &request);
            thread::sleep(by);
            answer
        }
        Fault::DeliverLate(by) => {
            thread::spawn(move || {
                thread::sleep(by);
                forward(server, &request)
            });
            None
        }
        Fault::Double => {
            forward(server, &request)?;
            forward(server, &request)
        }
        Fault::HalfAnswer => {
            let mut answer = forward(server, &request)?;
            let body = head_end(&answer)?;
            answer.truncate(body + (answer.len() - body) / 2);
            Some(answer)
        }
    }
}

fn refusal(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 64 << 10];
    loop {
        if let Some(head) = head_end(&request)
            && request.len() >= head + content_length(&request[..head])
        {
            return Some(request);
        }
        match client.read(&mut buffer) {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    }
}

fn head_end(message: &[u8]) -> Option<usize> {
    message
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    value
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

/// Sends the request on a connection of its own, whose end is the end of the answer.
fn forward(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let line_end = request.windows(2).position(|two| two == b"\r\n")? + 2;
    let mut stream = TcpStream::connect(server).ok()?;
    stream.write_all(&request[..line_end]).ok()?;
    stream.write_all(b"Connection: close\r\n").ok()?;
    stream.write_all(&request[line_end..]).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    (!answer.is_empty()).then_some(answer)
}
