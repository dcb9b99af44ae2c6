//! Who is told of runs.

use std::collections::BTreeSet;

use super::names::{text_at, texts_at};
use crate::spec::model::{LineageTo, News, Notify};
use crate::spec::yaml::Node;

/// What a webhook hears unless it says something else.
const DEFAULT_NEWS: [News; 4] = [
    News::Unexpected,
    News::Inconclusive,
    News::Alert,
    News::LiveFailed,
];

/// Reads the receivers; those that cannot be read have been told.
pub(crate) fn read(root: &Node) -> Vec<Notify> {
    let items = root.get("notify").map(Node::items).unwrap_or_default();
    items.iter().filter_map(receiver).collect()
}

fn receiver(node: &Node) -> Option<Notify> {
    if let Some(webhook) = node.get("webhook") {
        return Some(Notify::Webhook {
            url: text(webhook, "url")?,
            secret: text(webhook, "secret"),
            on: news(webhook),
            allow_private: webhook.get("allow_private").is_some(),
        });
    }
    let lineage = node.get("openlineage")?;
    let to = match text(lineage, "url") {
        Some(url) => LineageTo::Url(url),
        None => LineageTo::File(text(lineage, "file")?),
    };
    Some(Notify::Openlineage {
        to,
        namespace: text(lineage, "namespace")?,
        allow_private: lineage.get("allow_private").is_some(),
    })
}

fn text(node: &Node, key: &str) -> Option<String> {
    text_at(node, key).map(|(text, _)| text.to_owned())
}

fn news(node: &Node) -> BTreeSet<News> {
    let asked = texts_at(node, "on");
    let named = asked
        .iter()
        .filter_map(|(word, _)| News::ALL.into_iter().find(|news| news.name() == *word));
    if asked.is_empty() {
        DEFAULT_NEWS.into()
    } else {
        named.collect()
    }
}
