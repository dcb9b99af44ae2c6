//! The SDK's way out: our HTTP client, so that there is one TLS and one idea of proxies, with timeouts and a tap.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::poll_fn;
use launchdarkly_sdk_transport::{
    ByteStream, HttpTransport, Request, Response, ResponseFuture, TransportError,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::wire::Wire;

/// How long a server may take to begin an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How many pieces of an answer wait to be taken.
const PIECES: usize = 16;

/// A client for the SDK whose traffic is recorded.
#[derive(Clone, Debug)]
pub(super) struct Tapped {
    client: reqwest::Client,
    wire: Wire,
    silence: Duration,
}

impl Tapped {
    /// `silence` is how long an answer may bring nothing before it is given up: a connection whose other end is gone
    /// brings nothing for ever.
    pub(super) fn new(client: reqwest::Client, wire: Wire, silence: Duration) -> Self {
        Self {
            client,
            wire,
            silence,
        }
    }
}

impl HttpTransport for Tapped {
    fn request(&self, request: Request<Option<Bytes>>) -> ResponseFuture {
        let asked = tokio::spawn(ask(self.clone(), request));
        Box::pin(async move {
            match asked.await {
                Ok(answer) => answer,
                Err(_) => Err(TransportError::new(io::Error::other(
                    "the request was given up",
                ))),
            }
        })
    }
}

async fn ask(
    tapped: Tapped,
    request: Request<Option<Bytes>>,
) -> Result<Response<ByteStream>, TransportError> {
    let wire = tapped.wire.clone();
    let failed = |why: String| {
        wire.failed(why.clone());
        TransportError::new(io::Error::other(why))
    };
    let is_stream = request.uri().path().ends_with("/all");
    let request = request.map(|body| reqwest::Body::from(body.unwrap_or_default()));
    let request = reqwest::Request::try_from(request).map_err(|error| failed(brief(&error)))?;
    let answer = match timeout(ANSWER_WITHIN, tapped.client.execute(request)).await {
        Ok(answer) => answer.map_err(|error| failed(brief(&error)))?,
        Err(_) => {
            return Err(failed(format!(
                "no answer within {} s",
                ANSWER_WITHIN.as_secs()
            )));
        }
    };
    let status = answer.status();
    tapped.wire.answered(status.as_u16(), is_stream);
    let headers = answer.headers().clone();
    let (sender, mut pieces) = mpsc::channel(PIECES);
    let what = match (status.is_success() || status.as_u16() == 304, is_stream) {
        (false, _) => What::Error,
        (true, true) => What::Stream,
        (true, false) => What::Poll,
    };
    tokio::spawn(pump(tapped, answer, what, sender));
    let body: ByteStream = Box::pin(poll_fn(move |context| pieces.poll_recv(context)));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// What an answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Stream,
    Poll,
    Error,
}

/// Hands the pieces of an answer on as they come, until it ends, breaks off, falls silent, or nobody takes them.
async fn pump(
    tapped: Tapped,
    answer: reqwest::Response,
    what: What,
    sender: mpsc::Sender<Result<Bytes, TransportError>>,
) {
    let mut body = answer.bytes_stream();
    loop {
        let piece = tokio::select! {
            piece = timeout(tapped.silence, body.next()) => piece,
            () = sender.closed() => return,
        };
        let piece = match piece {
            Ok(Some(Ok(piece))) => {
                if what == What::Stream {
                    tapped.wire.heard(&piece);
                }
                Ok(piece)
            }
            Ok(Some(Err(error))) => {
                tapped.wire.failed(brief(&error));
                Err(TransportError::new(io::Error::other(error)))
            }
            Ok(None) => {
                if what == What::Poll {
                    tapped.wire.polled();
                }
                return;
            }
            Err(_) => {
                let why = format!("nothing arrived for {} s", tapped.silence.as_secs());
                tapped.wire.failed(why.clone());
                Err(TransportError::new(io::Error::new(
                    io::ErrorKind::TimedOut,
                    why,
                )))
            }
        };
        let is_over = piece.is_err();
        if sender.send(piece).await.is_err() || is_over {
            return;
        }
    }
}

/// What an error of the HTTP client comes to, without the URL, which the reader knows, and without any header.
pub(super) fn brief(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        format!("no connection: {cause}")
    } else {
        cause.to_string()
    }
}
