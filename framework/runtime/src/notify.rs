//! Telling others what a run found: from a report to the messages that the pipeline file asks for.

mod lineage;
mod news;

use std::time::Duration;

use understudy_core::spec::{LineageTo, Notify};
use understudy_notify::{Endpoint, Message, ReferenceError, Target, deliver, resolve};

use crate::pipeline::Pipeline;
use crate::report::model::RunReport;

/// How long telling takes at most, whatever those who are told do. It begins when everything else has ended.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The same for a run that somebody's scheduler waits for.
pub const LIVE_DEADLINE: Duration = Duration::from_secs(3);

/// Tells everybody who wants to know of some runs. Gives what did not arrive, a sentence each; it is never more than
/// that.
pub async fn tell(pipeline: &Pipeline, reports: &[&RunReport], deadline: Duration) -> Vec<String> {
    let (mut messages, mut failed) = (Vec::new(), Vec::new());
    for receiver in &pipeline.spec.notify {
        for report in reports {
            match messages_to(pipeline, receiver, report) {
                Ok(some) => messages.extend(some),
                Err(error) => failed.push(format!("nobody was told: {error}")),
            }
        }
    }
    failed.dedup();
    let undelivered = deliver(messages, deadline).await;
    failed.extend(undelivered.iter().map(|error| {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        format!("{error}{}", cause.unwrap_or_default())
    }));
    failed
}

fn messages_to(
    pipeline: &Pipeline,
    receiver: &Notify,
    report: &RunReport,
) -> Result<Vec<Message>, ReferenceError> {
    let folder = pipeline.folder.as_path();
    let endpoint = |url: &str, secret: Option<&String>, allow_private: bool| {
        Ok(Target::Http(Endpoint {
            url: resolve(url, folder)?,
            secret: secret.map(|secret| resolve(secret, folder)).transpose()?,
            allow_private,
        }))
    };
    match receiver {
        Notify::Webhook {
            url,
            secret,
            on,
            allow_private,
        } => {
            let news = news::of(pipeline, report);
            let wanted: Vec<_> = news
                .into_iter()
                .filter(|news| on.contains(&news.kind))
                .collect();
            if wanted.is_empty() {
                return Ok(Vec::new());
            }
            let target = endpoint(url, secret.as_ref(), *allow_private)?;
            let message = |news: news::NewsItem| Message {
                target: target.clone(),
                idempotency_key: news.key,
                body: news.body,
            };
            Ok(wanted.into_iter().map(message).collect())
        }
        Notify::Openlineage {
            to,
            namespace,
            allow_private,
        } => {
            let target = match to {
                LineageTo::Url(url) => endpoint(url, None, *allow_private)?,
                LineageTo::File(path) => Target::File(folder.join(path)),
            };
            let events = lineage::events(pipeline, report, namespace);
            let message = |event: lineage::LineageEvent| Message {
                target: target.clone(),
                idempotency_key: event.key,
                body: event.body,
            };
            Ok(events.into_iter().map(message).collect())
        }
    }
}
