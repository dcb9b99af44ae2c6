//! Where stages of lanes come from.

use super::names::text_at;
use super::{Reading, unique};
use crate::spec::model::{FlagSettings, LaunchDarkly, LaunchDarklyMode, LaunchDarklyRegion};
use crate::spec::problems::{Origin, quoted};
use crate::spec::scalar;
use crate::spec::yaml::{Mark, Node};

/// How long a command waits for the first flags unless the file says otherwise, in seconds.
const DEFAULT_WAIT_SECS: u64 = 10;
/// How long nothing may arrive unless the file says otherwise, in seconds.
const DEFAULT_STALE_AFTER_SECS: u64 = 300;

/// Reads the settings; what cannot be read has been told.
pub(crate) fn read(root: &Node, reading: &mut Reading<'_, '_>) -> FlagSettings {
    let Some(node) = root.get("flags") else {
        return FlagSettings::File;
    };
    match text_at(node, "provider") {
        Some(("launchdarkly", mark)) => launchdarkly(node, mark, reading),
        Some(("file", _)) => {
            for (key, _) in unique(node)
                .into_iter()
                .filter(|(key, _)| key.text != "provider")
            {
                let message = format!("{} is no setting of the flag file", quoted(&key.text));
                let fix = "take it out, or write `provider: launchdarkly`";
                reading
                    .problems
                    .push(key.mark, &Origin::Pipeline, message, fix);
            }
            FlagSettings::File
        }
        // Whoever misspelt it meant something else than the file, and has been told.
        _ => FlagSettings::File,
    }
}

fn launchdarkly(node: &Node, provider: Mark, reading: &mut Reading<'_, '_>) -> FlagSettings {
    let text = |key: &str| text_at(node, key).map(|(text, _)| text.to_owned());
    let seconds = |key: &str| {
        node.get(key)
            .and_then(Node::scalar)
            .and_then(scalar::duration_secs)
    };
    if text("sdk_key").is_none() && node.get("sdk_key").is_none() {
        let message = "LaunchDarkly is read with an SDK key, and there is none".to_owned();
        let fix = "add `sdk_key: \"${env:LD_SDK_KEY}\"`, a server-side key of the environment";
        reading
            .problems
            .push(provider, &Origin::Pipeline, message, fix);
    }
    for key in ["sdk_key", "api_token"] {
        if let Some((text, mark)) = text_at(node, key)
            && !is_reference(text)
        {
            // It may be the key itself.
            reading.problems.hide(text);
            let message = format!("`{key}` stands in the file, where everybody can read it");
            let fix = "write `${env:NAME}` or `${file:path}`, and nothing beside it";
            reading.problems.push(mark, &Origin::Pipeline, message, fix);
        }
    }
    if let Some((_, mark)) = text_at(node, "api_token") {
        for key in ["project", "environment"] {
            if node.get(key).is_none() {
                let message = format!("lanes cannot be moved without the `{key}` of the flags");
                let fix = format!("add `{key}: …`, its key as LaunchDarkly shows it");
                reading
                    .problems
                    .push(mark, &Origin::Pipeline, message, &fix);
            }
        }
    }
    for key in ["relay", "api"] {
        if let Some((text, mark)) = text_at(node, key)
            && !(text.starts_with("https://") || text.starts_with("http://"))
        {
            let message = format!("{} is no URL", quoted(text));
            let fix = "write it with `https://` (or `http://`, within your own network)";
            reading.problems.push(mark, &Origin::Pipeline, message, fix);
        }
    }
    let word = |key: &str| text_at(node, key).map(|(word, _)| word);
    FlagSettings::LaunchDarkly(Box::new(LaunchDarkly {
        sdk_key: text("sdk_key").unwrap_or_default(),
        api_token: text("api_token"),
        project: text("project"),
        environment: text("environment"),
        mode: word("mode")
            .and_then(LaunchDarklyMode::named)
            .unwrap_or_default(),
        relay: text("relay"),
        region: word("region")
            .and_then(LaunchDarklyRegion::named)
            .unwrap_or_default(),
        api: text("api"),
        hash_customers: node.get("hash_customers").is_some(),
        wait_secs: seconds("wait").unwrap_or(DEFAULT_WAIT_SECS),
        stale_after_secs: seconds("stale_after").unwrap_or(DEFAULT_STALE_AFTER_SECS),
    }))
}

fn is_reference(text: &str) -> bool {
    let inner = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    inner
        .and_then(|inner| inner.split_once(':'))
        .is_some_and(|(kind, name)| {
            matches!(kind, "env" | "file") && !name.is_empty() && !name.contains(['{', '}'])
        })
}
