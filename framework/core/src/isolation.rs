//! What kept the execution of a shadow in its place, as it was found to be in force.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was in force while a shadow was executed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Isolation {
    /// Each part that a shadow is kept in its place by.
    pub parts: BTreeMap<Part, State>,
    /// The hosts that it declared: what it read there is not pinned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// One part of a shadow's confinement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It can write to its own folders only.
    Files,
    /// It has no network, or only the hosts that it declared.
    Network,
    /// Whatever it started ends with it.
    Processes,
    /// It cannot signal or trace what it did not start.
    Signals,
    /// It cannot gain privileges.
    Privileges,
    /// It cannot take more memory and processes than it may.
    Limits,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Files,
        Self::Network,
        Self::Processes,
        Self::Signals,
        Self::Privileges,
        Self::Limits,
    ];

    /// The name in texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Signals => "signals",
            Self::Privileges => "privileges",
            Self::Limits => "limits",
        }
    }
}

/// Whether a part is in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is, by this.
    InForce(String),
    /// It is not, or not wholly, for this reason.
    Missing(String),
}

impl Isolation {
    /// The parts that are not in force, each with the reason. A part of which nothing is known is one of them.
    #[must_use]
    pub fn missing(&self) -> BTreeMap<Part, &str> {
        let state = |part: Part| match self.parts.get(&part) {
            Some(State::InForce(_)) => None,
            Some(State::Missing(why)) => Some((part, why.as_str())),
            None => Some((part, "nothing is known of it")),
        };
        Part::ALL.into_iter().filter_map(state).collect()
    }
}

/// What a reader of a run's evidence should know of how its shadows were kept in their places, by the name of each: what was
/// not in force, and what was read that is not pinned.
#[must_use]
pub fn doubts<'a>(shadows: impl IntoIterator<Item = (&'a String, &'a Isolation)>) -> Vec<String> {
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut doubts = Vec::new();
    for (name, isolation) in shadows {
        for (part, why) in isolation.missing() {
            let what = format!("not confined fully: {}: {why}", part.name());
            missing.entry(what).or_default().push(name);
        }
        if !isolation.hosts.is_empty() {
            let hosts = isolation.hosts.join(", ");
            doubts.push(format!("not pinned: what {name} read at {hosts}"));
        }
    }
    let missing = missing.into_iter();
    doubts.extend(missing.map(|(what, names)| format!("{what} ({})", names.join(", "))));
    doubts
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, Isolation, Part, State, doubts};

    #[test]
    fn doubts_are_gathered() {
        let whole = Isolation {
            parts: Part::ALL
                .map(|part| (part, State::InForce("a wall".to_owned())))
                .into(),
            hosts: vec!["db:5432".to_owned()],
        };
        let mut open = whole.clone();
        open.hosts.clear();
        open.parts
            .insert(Part::Files, State::Missing("no walls".to_owned()));
        let shadows = BTreeMap::from([
            ("a v2".to_owned(), whole),
            ("b v2".to_owned(), open.clone()),
            ("c v2".to_owned(), open),
        ]);
        assert_eq!(
            doubts(&shadows),
            [
                "not pinned: what a v2 read at db:5432",
                "not confined fully: files: no walls (b v2, c v2)"
            ]
        );
    }

    #[test]
    fn what_nobody_told_of_is_missing() {
        let mut isolation = Isolation::default();
        assert_eq!(isolation.missing().len(), Part::ALL.len());
        for part in Part::ALL {
            isolation
                .parts
                .insert(part, State::InForce("a wall".to_owned()));
        }
        assert!(isolation.missing().is_empty());
        let why = "the kernel is too old".to_owned();
        isolation.parts.insert(Part::Files, State::Missing(why));
        assert_eq!(
            isolation.missing().into_iter().collect::<Vec<_>>(),
            [(Part::Files, "the kernel is too old")]
        );
    }
}
