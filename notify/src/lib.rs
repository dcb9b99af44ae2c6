//! Telling others what a run found: signed webhooks, and OpenLineage events over HTTP or into a file.
//!
//! Knows: HTTP, addresses that must not be reached, signatures, references to secrets.
//! Does not know: pipelines, runs, what a message says. Everything is bounded in number and time, and nothing that goes
//! wrong here is more than a sentence for whoever asked.

mod address;
mod append;
mod json;
mod post;
mod reference;
mod signature;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use serde_json::Value;

pub use post::PostError;
pub use reference::{ReferenceError, resolve};
pub use signature::{SIGNATURE_HEADER, sign};

/// The most messages of one delivery; those beyond it are left out, and that is said.
pub const MAX_MESSAGES: usize = 100;

/// How many are on their way to one receiver at the same time.
const PARALLEL: usize = 4;

/// Where a message goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// A server that takes JSON by POST.
    Http(Endpoint),
    /// A file to which each message is added as a line.
    File(PathBuf),
}

/// A server that takes JSON by POST.
#[derive(Clone)]
pub struct Endpoint {
    /// Its URL, which may be a secret itself.
    pub url: String,
    /// The key of the signature; without one, messages are not signed.
    pub secret: Option<String>,
    /// Whether it may be at an address that is not public.
    pub allow_private: bool,
}

impl std::fmt::Debug for Endpoint {
    /// Without anything that could be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("at", &post::shown(&self.url))
            .finish_non_exhaustive()
    }
}

/// Something to tell.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where to.
    pub target: Target,
    /// The same for the same news, however often they are told.
    pub idempotency_key: String,
    /// What.
    pub body: Value,
}

/// Why a message did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// The server did not take it.
    #[error("`{at}` was not told")]
    Post {
        /// The server, without what could be a secret.
        at: String,
        /// Why.
        source: PostError,
    },
    /// The file cannot be written.
    #[error("`{}` cannot be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Time was up.
    #[error("`{at}` was not told within {} s", deadline.as_secs_f32())]
    TooLate {
        /// The server or file.
        at: String,
        /// The time that there was.
        deadline: Duration,
    },
    /// There were more messages than are sent at once.
    #[error("{0} messages were left out: more than {MAX_MESSAGES} are not sent at once")]
    TooMany(usize),
}

/// Delivers messages, each as often as it takes, until they are there or time is up. Gives what did not arrive.
pub async fn deliver(messages: Vec<Message>, deadline: Duration) -> Vec<NotDelivered> {
    let left_out = messages.len().saturating_sub(MAX_MESSAGES);
    let until = tokio::time::Instant::now() + deadline;
    let tell = async |message: Message| {
        let at = message.target.shown();
        let told = tokio::time::timeout_at(until, one(&message)).await;
        told.unwrap_or(Err(NotDelivered::TooLate { at, deadline }))
    };
    // Each receiver has a row of its own: one that hangs keeps nobody else waiting.
    let mut rows: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for message in messages.into_iter().take(MAX_MESSAGES) {
        let row = match &message.target {
            Target::Http(endpoint) => endpoint.url.clone(),
            Target::File(path) => path.display().to_string(),
        };
        rows.entry(row).or_default().push(message);
    }
    let rows = rows.into_values().map(async |row| {
        let told = stream::iter(row.into_iter().map(&tell));
        told.buffer_unordered(PARALLEL).collect::<Vec<_>>().await
    });
    let told: Vec<Vec<_>> = futures::future::join_all(rows).await;
    let failed = told.into_iter().flatten().filter_map(Result::err);
    failed
        .chain((left_out > 0).then_some(NotDelivered::TooMany(left_out)))
        .collect()
}

async fn one(message: &Message) -> Result<(), NotDelivered> {
    match &message.target {
        Target::Http(endpoint) => {
            let posted = post::post(endpoint, &message.idempotency_key, &message.body).await;
            posted.map_err(|source| NotDelivered::Post {
                at: post::shown(&endpoint.url),
                source,
            })
        }
        Target::File(path) => {
            append::append(path, &message.body).map_err(|source| NotDelivered::File {
                path: path.clone(),
                source,
            })
        }
    }
}

impl Target {
    fn shown(&self) -> String {
        match self {
            Self::Http(endpoint) => post::shown(&endpoint.url),
            Self::File(path) => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
