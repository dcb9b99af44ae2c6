//! What a command finds beside its inputs: its environment, and the hosts that it needs.

use std::collections::BTreeMap;

use super::Reading;
use super::names::{texts_at, unique};
use crate::spec::model::Surroundings;
use crate::spec::problems::{Origin, quoted};
use crate::spec::scalar;
use crate::spec::yaml::{Mark, Node};

/// Variables whose names begin so are the framework's own.
const OWN_PREFIX: &str = "UNDERSTUDY_";

/// The keys that only code of the user's has a use for.
const KEYS: [&str; 3] = ["env", "shadow", "hosts"];

/// Reads the surroundings of a version.
pub(super) fn read(origin: &Origin, node: &Node, reading: &mut Reading<'_, '_>) -> Surroundings {
    let runs_code = ["command", "rust"]
        .iter()
        .any(|key| node.get(key).is_some());
    for (key, _) in unique(node) {
        if !runs_code && KEYS.contains(&key.text.as_str()) {
            let message = format!("{} is of no use here", quoted(&key.text));
            let fix =
                "leave it out: only a command or a Rust task has an environment and a network";
            reading.problems.push(key.mark, origin, message, fix);
        }
    }
    let hosts = texts_at(node, "hosts");
    for (host, mark) in &hosts {
        check_host(host, *mark, origin, reading);
    }
    Surroundings {
        env: read_env(node, origin, reading),
        shadow_env: node
            .get("shadow")
            .map(|shadow| read_env(shadow, origin, reading))
            .unwrap_or_default(),
        hosts: hosts.into_iter().map(|(host, _)| host.to_owned()).collect(),
    }
}

/// Refuses secrets where they would be stored or seen.
pub(super) fn refuse_secrets(
    place: &str,
    texts: &[(&str, Mark)],
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) {
    for (text, mark) in texts {
        if text.contains("${env:") || text.contains("${file:") {
            let message = format!(
                "{} is no place for a secret: everybody can see it there",
                quoted(text)
            );
            let fix = format!(
                "a secret in {place} stands in files and in the list of processes; give it to a command as a variable, under `env`"
            );
            reading.problems.push(*mark, origin, message, &fix);
        }
    }
}

fn read_env(
    node: &Node,
    origin: &Origin,
    reading: &mut Reading<'_, '_>,
) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (key, value) in node.get("env").map(unique).unwrap_or_default() {
        let Some(text) = value.scalar().and_then(scalar::verbatim) else {
            continue;
        };
        check_name(&key.text, key.mark, origin, reading);
        check_value(text, value.mark, origin, reading);
        env.insert(key.text.clone(), text.to_owned());
    }
    env
}

fn check_name(name: &str, mark: Mark, origin: &Origin, reading: &mut Reading<'_, '_>) {
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        let message = format!("{} is no name of a variable", quoted(name));
        let fix = "use letters, digits and `_`, and no digit first";
        reading.problems.push(mark, origin, message, fix);
    } else if name.starts_with(OWN_PREFIX) {
        let message = format!("{} is a variable of the framework's own", quoted(name));
        let fix = format!("give it a name that does not begin with `{OWN_PREFIX}`");
        reading.problems.push(mark, origin, message, &fix);
    }
}

fn check_value(text: &str, mark: Mark, origin: &Origin, reading: &mut Reading<'_, '_>) {
    let names_something = |inner: &str| {
        inner.split_once(':').is_some_and(|(kind, name)| {
            matches!(kind, "env" | "file") && !name.is_empty() && !name.contains(['{', '}'])
        })
    };
    let is_fine = match text.strip_prefix("${") {
        Some(rest) => rest.strip_suffix('}').is_some_and(names_something),
        None => !text.contains("${env:") && !text.contains("${file:") && !text.contains('\0'),
    };
    if !is_fine {
        let message = format!("{} cannot be a variable's value", quoted(text));
        let fix = "write plain text, `${env:NAME}` or `${file:path}`; a reference stands by itself";
        reading.problems.push(mark, origin, message, fix);
    }
}

fn check_host(host: &str, mark: Mark, origin: &Origin, reading: &mut Reading<'_, '_>) {
    let (name, port) = match host.rsplit_once(':') {
        // An IPv6 address has colons of its own.
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_fine = !name.is_empty() && !name.contains(['/', '@', ' ']) && port.is_none_or(is_port);
    if !is_fine {
        let message = format!("{} is no host", quoted(host));
        let fix = "write a name or an address, with a port if only that one is needed: `db.example.org:5432`";
        reading.problems.push(mark, origin, message, fix);
    }
}
