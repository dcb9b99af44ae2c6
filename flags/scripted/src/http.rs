//! As much of HTTP/1.1 as the clients of a test speak: one request a connection, bodies with a length or in chunks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::Value;

/// Longer than any head that a test sends.
const MAX_HEAD_BYTES: u64 = 64 * 1024;
/// Longer than any body that a test sends.
const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// When it had been read.
    pub at: Instant,
    /// The method, in capitals.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The query as it was sent, without the question mark; empty where there was none.
    pub query: String,
    /// The headers in the order they were sent in, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent, compressed or not.
    pub body: Vec<u8>,
}

impl Received {
    /// The first header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(header, _)| header == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The decoded value of a parameter of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key, Plus::IsSpace) == name).then(|| decoded(value, Plus::IsSpace))
        })
    }

    /// The body, where it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The decoded parts of the path.
    pub(crate) fn segments(&self) -> Vec<String> {
        let parts = self.path.split('/').skip(1);
        parts.map(|part| decoded(part, Plus::IsPlus)).collect()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.parameter(name).as_deref() == Some("true")
    }
}

#[derive(Clone, Copy)]
enum Plus {
    IsSpace,
    IsPlus,
}

fn decoded(text: &str, plus: Plus) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| escaped_byte(tail)).flatten();
        match (escaped, plus) {
            (Some(byte), _) => bytes.push(byte),
            (None, Plus::IsSpace) if *first == b'+' => bytes.push(b' '),
            (None, _) => bytes.push(*first),
        }
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escaped_byte(after_percent: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(after_percent.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

/// Reads one request; `None` where the client went away or sent none.
pub(crate) fn read(socket: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(socket);
    let mut head = (&mut reader).take(MAX_HEAD_BYTES);
    let first = line(&mut head)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line(&mut head)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = Received {
        at: Instant::now(),
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
    };
    request.body = body(&request, &mut reader)?;
    request.at = Instant::now();
    Some(request)
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let whole = line.strip_suffix('\n')?;
    Some(whole.strip_suffix('\r').unwrap_or(whole).to_owned())
}

fn body(request: &Received, reader: &mut impl BufRead) -> Option<Vec<u8>> {
    if request.header("transfer-encoding") == Some("chunked") {
        return chunks(reader);
    }
    match request.header("content-length") {
        Some(length) => exactly(reader, length.parse().ok()?),
        None => Some(Vec::new()),
    }
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(reader)?;
        let digits = size.split(';').next()?.trim();
        let size = u64::from_str_radix(digits, 16).ok()?;
        body.extend(exactly(reader, size)?);
        line(reader)?;
        if size == 0 {
            return Some(body);
        }
        if body.len() as u64 > MAX_BODY_BYTES {
            return None;
        }
    }
}

fn exactly(reader: &mut impl BufRead, length: u64) -> Option<Vec<u8>> {
    if length > MAX_BODY_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == length).then_some(bytes)
}

/// An answer with its whole body; the connection ends with it.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            body: body.to_string().into_bytes(),
            ..Self::empty(status)
        }
        .with("Content-Type", "application/json")
    }

    /// LaunchDarkly's shape of an error.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(
            status,
            &serde_json::json!({ "code": code, "message": message }),
        )
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn write(&self, mut socket: &TcpStream) -> io::Result<()> {
        let mut bytes = head(self.status, &self.headers);
        if !matches!(self.status, 204 | 304) {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).bytes());
        }
        bytes.extend(b"Connection: close\r\n\r\n");
        bytes.extend(&self.body);
        socket.write_all(&bytes)
    }
}

/// The status line and these headers, the head left open for more.
pub(crate) fn head(status: u16, headers: &[(String, String)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.into_bytes()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Scripted",
    }
}
