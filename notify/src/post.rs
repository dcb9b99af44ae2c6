//! One message to one server.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use url::{Host, Url};

use super::address::is_public;
use super::{Endpoint, SIGNATURE_HEADER, sign};

/// How often a message is sent at most.
const ATTEMPTS: u32 = 4;
/// How long a server may take to answer once.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause after the first attempt; after each further one it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why a server did not take a message.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// It is no URL, or of another kind than HTTP.
    #[error(
        "its URL must begin with `https://`, or with `http://` where `allow_private: true` is set"
    )]
    Url,
    /// The name has no address.
    #[error("the name `{0}` has no address")]
    NoAddress(String),
    /// It is not on the public internet.
    #[error(
        "the name `{0}` leads to an address that is not public; if it is meant, set `allow_private: true`"
    )]
    Private(String),
    /// The client could not be made.
    #[error("no HTTP client could be made")]
    Client,
    /// It answered with something else than success.
    #[error("it answered {status} after {attempts} attempts")]
    Status {
        /// The status.
        status: u16,
        /// How often it was asked.
        attempts: u32,
    },
    /// It did not answer.
    #[error("it did not answer ({reason}) in {attempts} attempts")]
    Silent {
        /// What happened, without anything of the URL.
        reason: &'static str,
        /// How often it was asked.
        attempts: u32,
    },
}

/// A server for people: a URL without what could be a secret.
pub(super) fn shown(url: &str) -> String {
    let url = Url::parse(url).ok();
    let shown = url.and_then(|url| {
        let host = url.host_str()?.to_owned();
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        Some(format!("{}://{host}{port}", url.scheme()))
    });
    shown.unwrap_or_else(|| "the URL".to_owned())
}

/// Sends a message until the server takes it, or says that it never will.
pub(super) async fn post(endpoint: &Endpoint, key: &str, body: &Value) -> Result<(), PostError> {
    let url = Url::parse(&endpoint.url).map_err(|_| PostError::Url)?;
    let addresses = addresses(&url, endpoint.allow_private).await?;
    let client = client(&url, &addresses)?;
    let body = crate::json::ascii(body);
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let answer = attempt_once(&client, &url, endpoint, key, &body).await;
        let (error, asked) = match answer {
            Ok(()) => return Ok(()),
            Err(Answer::Never(error)) => return Err(error),
            Err(Answer::Later(error, asked)) => (error, asked),
        };
        if attempt == ATTEMPTS {
            return Err(after(error, attempt));
        }
        tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
        pause *= 2;
    }
    Err(PostError::Client)
}

fn after(error: PostError, attempts: u32) -> PostError {
    match error {
        PostError::Status { status, .. } => PostError::Status { status, attempts },
        PostError::Silent { reason, .. } => PostError::Silent { reason, attempts },
        other => other,
    }
}

/// What an attempt that failed says of the next.
enum Answer {
    Never(PostError),
    Later(PostError, Option<Duration>),
}

async fn attempt_once(
    client: &Client,
    url: &Url,
    endpoint: &Endpoint,
    key: &str,
    body: &str,
) -> Result<(), Answer> {
    let mut request = client
        .post(url.clone())
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", key)
        .body(body.to_owned());
    if let Some(secret) = &endpoint.secret {
        request = request.header(SIGNATURE_HEADER, sign(secret, now(), body));
    }
    let attempts = 1;
    let response = request.send().await.map_err(|error| {
        let reason = if error.is_timeout() {
            "time was up"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        Answer::Later(PostError::Silent { reason, attempts }, None)
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let error = PostError::Status {
        status: status.as_u16(),
        attempts,
    };
    let again = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
    if !again {
        return Err(Answer::Never(error));
    }
    let asked = response.headers().get("Retry-After");
    let asked = asked.and_then(|value| value.to_str().ok()?.parse().ok());
    Err(Answer::Later(error, asked.map(Duration::from_secs)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature says when it was made"
)]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Where a server is. These very addresses are connected to, so that a name that leads elsewhere a moment later does
/// not matter.
async fn addresses(url: &Url, allow_private: bool) -> Result<Vec<SocketAddr>, PostError> {
    let is_http = url.scheme() == "http" && allow_private;
    if url.scheme() != "https" && !is_http {
        return Err(PostError::Url);
    }
    let host = url.host().ok_or(PostError::Url)?;
    let port = url.port_or_known_default().ok_or(PostError::Url)?;
    let name = host.to_string();
    let found: Vec<SocketAddr> = match host {
        Host::Ipv4(address) => vec![(address, port).into()],
        Host::Ipv6(address) => vec![(address, port).into()],
        Host::Domain(domain) => tokio::net::lookup_host((domain, port))
            .await
            .map(Iterator::collect)
            .unwrap_or_default(),
    };
    if found.is_empty() {
        return Err(PostError::NoAddress(name));
    }
    if !allow_private && !found.iter().all(|address| is_public(address.ip())) {
        return Err(PostError::Private(name));
    }
    Ok(found)
}

fn client(url: &Url, addresses: &[SocketAddr]) -> Result<Client, PostError> {
    let mut client = Client::builder()
        .redirect(Policy::none())
        // A proxy would look up the name again.
        .no_proxy()
        .timeout(ATTEMPT_TIMEOUT)
        .connect_timeout(ATTEMPT_TIMEOUT);
    if let Some(Host::Domain(domain)) = url.host() {
        client = client.resolve_to_addrs(domain, addresses);
    }
    client.build().map_err(|_| PostError::Client)
}
