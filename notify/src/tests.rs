//! A server on loopback that answers as it is told, and what arrives there.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// What a server does with a request.
#[derive(Clone, Copy)]
enum Act {
    Answer(&'static str),
    /// Says nothing, and keeps the connection.
    Hang,
    /// Closes the connection.
    Close,
}

/// A server that does these things one after the other, the last one for ever.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn that(acts: &'static [Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook/secret-path", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            let mut hanging = Vec::new();
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                seen.lock().unwrap().push(read_request(&mut stream));
                match acts[number.min(acts.len() - 1)] {
                    Act::Answer(answer) => {
                        let text = format!(
                            "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        );
                        let _ = stream.write_all(text.as_bytes());
                    }
                    Act::Hang => hanging.push(stream),
                    Act::Close => {}
                }
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return text;
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse::<usize>()
                .ok()
        });
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn told(url: &str, allow_private: bool, deadline: Duration) -> Vec<String> {
    let message = Message {
        target: Target::Http(Endpoint {
            url: url.to_owned(),
            secret: Some("key".to_owned()),
            allow_private,
        }),
        idempotency_key: "k1".to_owned(),
        body: json!({ "verdict": "unexpected" }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let failed = runtime.block_on(deliver(vec![message], deadline));
    failed.iter().map(chain).collect()
}

fn chain(error: &NotDelivered) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_message_is_signed_and_named() {
    let server = Server::that(&[Act::Answer("204 No Content")]);
    assert_eq!(told(&server.url, true, LONG), [""; 0]);
    let request = &server.requests()[0];
    let header = |name: &str| {
        let line = request
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in {request}"))[name.len()..].to_owned()
    };
    assert_eq!(header("idempotency-key: "), "k1");
    let signature = header("understudy-signature: ");
    let seconds: i64 = signature.split([',', '=']).nth(1).unwrap().parse().unwrap();
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body, r#"{"verdict":"unexpected"}"#);
    assert_eq!(signature, sign("key", seconds, body));
}

/// The key and the body of RFC 4231, test case 2; the figure over `1.<body>` comes from Python's `hmac`.
#[test]
fn signatures_are_what_others_compute() {
    assert_eq!(
        sign("Jefe", 1, "what do ya want for nothing?"),
        "t=1,v1=a9049465ce89cfb8e9aac62333abda66f80e3403f51f57f6bae3c3a4485eca38"
    );
}

#[test]
fn it_is_sent_again_where_that_may_help_and_not_where_it_cannot() {
    let server = Server::that(&[
        Act::Answer("500 No"),
        Act::Close,
        Act::Answer("429 Slow\r\nRetry-After: 0"),
        Act::Answer("200 OK"),
    ]);
    assert_eq!(told(&server.url, true, LONG), [""; 0]);
    assert_eq!(server.requests().len(), 4);
    let keys: std::collections::BTreeSet<_> = server
        .requests()
        .iter()
        .map(|request| {
            request
                .lines()
                .find(|line| line.to_ascii_lowercase().starts_with("idempotency-key"))
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(keys.len(), 1, "the same news have the same key");
    let server = Server::that(&[Act::Answer("404 Gone")]);
    let at = super::post::shown(&server.url);
    assert_eq!(
        told(&server.url, true, LONG),
        [format!(
            "`{at}` was not told: it answered 404 after 1 attempts"
        )]
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn it_gives_up_in_the_end() {
    let server = Server::that(&[Act::Answer("503 Busy")]);
    let at = super::post::shown(&server.url);
    assert_eq!(
        told(&server.url, true, LONG),
        [format!(
            "`{at}` was not told: it answered 503 after 4 attempts"
        )]
    );
}

#[test]
fn redirects_are_not_followed() {
    let server = Server::that(&[Act::Answer("302 Found\r\nLocation: http://127.0.0.1:1/")]);
    let failed = told(&server.url, true, LONG);
    assert!(
        failed[0].ends_with("it answered 302 after 1 attempts"),
        "{failed:?}"
    );
}

#[test]
fn a_server_that_hangs_takes_no_longer_than_there_is_time() {
    let server = Server::that(&[Act::Hang]);
    let since = Instant::now();
    let failed = told(&server.url, true, Duration::from_millis(300));
    assert!(
        failed[0].ends_with("was not told within 0.3 s"),
        "{failed:?}"
    );
    assert!(
        since.elapsed() < Duration::from_secs(4),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn what_is_not_public_is_refused_unless_it_is_allowed() {
    let server = Server::that(&[Act::Answer("200 OK")]);
    for url in [
        server.url.replace("http:", "https:"),
        server.url.replace("http://127.0.0.1", "https://localhost"),
        "https://[::ffff:127.0.0.1]:1/".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let failed = told(&url, false, LONG);
        assert!(
            failed[0].contains("leads to an address that is not public"),
            "{failed:?}"
        );
    }
    for url in [server.url.as_str(), "ftp://example.org/", "nonsense"] {
        assert!(
            told(url, false, LONG)[0].contains("its URL must begin with `https://`"),
            "{url}"
        );
    }
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn nothing_that_could_be_a_secret_is_shown() {
    let server = Server::that(&[Act::Answer("404 Gone")]);
    let failed = told(&server.url, true, LONG);
    assert!(!failed[0].contains("secret-path"), "{failed:?}");
    let endpoint = Endpoint {
        url: server.url,
        secret: Some("hidden".to_owned()),
        allow_private: true,
    };
    let shown = format!("{endpoint:?}");
    assert!(
        !shown.contains("secret-path") && !shown.contains("hidden"),
        "{shown}"
    );
}

#[test]
fn a_file_gets_a_line_for_each_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lineage.ndjson");
    let message = |number: u32| Message {
        target: Target::File(path.clone()),
        idempotency_key: number.to_string(),
        body: json!({ "n": number }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let failed = runtime.block_on(deliver((0..120).map(message).collect(), LONG));
    assert_eq!(
        failed[0].to_string(),
        "20 messages were left out: more than 100 are not sent at once"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 100);
}

#[test]
fn references_are_resolved_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "s3cret\n").unwrap();
    assert_eq!(resolve("${file:token}", folder.path()).unwrap(), "s3cret");
    assert_eq!(resolve("plain", folder.path()).unwrap(), "plain");
    let error = |text: &str| resolve(text, folder.path()).unwrap_err().to_string();
    assert_eq!(
        error("${env:NO_SUCH_VARIABLE_HERE}"),
        "the environment variable `NO_SUCH_VARIABLE_HERE` is not set"
    );
    assert_eq!(
        error("${file:gone}"),
        "the file `gone` cannot be read as text"
    );
    assert_eq!(
        error("${vault:x}"),
        "`${vault:x}` is neither `${env:NAME}` nor `${file:path}`"
    );
}
