//! Who may import whom: read from what cargo resolves, and held against three tables.
//!
//! ARCHITECTURE.md says why. A crate that is not in a table fails here, so a new one is a decision.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each of our crates, with those of ours that it may name in its manifest.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("understudy-core", &["understudy-sabotage"]),
    (
        "understudy-tables",
        &["understudy-core", "understudy-sabotage"],
    ),
    (
        "understudy-comparators",
        &[
            "understudy-core",
            "understudy-sabotage",
            "understudy-tables",
        ],
    ),
    (
        "understudy-tasks",
        &[
            "understudy-comparators",
            "understudy-core",
            "understudy-sabotage",
            "understudy-tables",
        ],
    ),
    ("understudy-delta", &[]),
    (
        "understudy-flags",
        &["understudy-core", "understudy-scripted-launchdarkly"],
    ),
    ("understudy-scripted-launchdarkly", &[]),
    ("understudy-notify", &[]),
    ("understudy-objects", &["understudy-core"]),
    (
        "understudy-runtime",
        &[
            "understudy-comparators",
            "understudy-core",
            "understudy-delta",
            "understudy-flags",
            "understudy-notify",
            "understudy-objects",
            "understudy-sabotage",
            "understudy-tables",
            "understudy-tasks",
        ],
    ),
    (
        "understudy",
        &[
            "understudy-comparators",
            "understudy-core",
            "understudy-flags",
            "understudy-runtime",
            "understudy-sabotage",
            "understudy-scripted-launchdarkly",
            "understudy-tables",
            "understudy-tasks",
        ],
    ),
    ("understudy-sabotage", &[]),
    ("custom-task", &["understudy"]),
];

/// Families of foreign crates (`tokio` stands for `tokio-util` too), with those of ours that may name them.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("arrow", DATA_CRATES),
    ("datafusion", &["understudy-tasks"]),
    (
        "launchdarkly",
        &["understudy-flags", "understudy-scripted-launchdarkly"],
    ),
    ("delta_kernel", &["understudy-delta"]),
    (
        "object_store",
        &["understudy-delta", "understudy-objects", "understudy-tasks"],
    ),
    ("parquet", DATA_CRATES),
    ("petgraph", &["understudy-core"]),
    ("reqwest", &["understudy-flags", "understudy-notify"]),
    (
        "tokio",
        &[
            "understudy",
            "understudy-flags",
            "understudy-notify",
            "understudy-objects",
            "understudy-runtime",
            "understudy-scripted-launchdarkly",
            "understudy-tasks",
        ],
    ),
];

const DATA_CRATES: &[&str] = &[
    "understudy-comparators",
    "understudy-delta",
    "understudy-runtime",
    "understudy-tables",
    "understudy-tasks",
];

/// Families that core does not even reach through others: its tests build in seconds because of it.
const CORE_NEVER_REACHES: &[&str] = &[
    "arrow",
    "datafusion",
    "launchdarkly",
    "object_store",
    "parquet",
    "tokio",
];

/// Crates whose types cross the borders of ours: with two versions of one, its types are not the same.
const ONE_VERSION: &[&str] = &[
    "arrow",
    "arrow-schema",
    "datafusion",
    "object_store",
    "parquet",
];

#[test]
fn our_crates_import_only_what_they_may() {
    let resolved = Resolved::of_workspace();
    assert_eq!(resolved.wrong_imports(MAY_IMPORT), [""; 0]);
}

#[test]
fn foreign_crates_stay_where_they_belong() {
    let resolved = Resolved::of_workspace();
    assert_eq!(resolved.strayed(ONLY_IN), [""; 0]);
}

#[test]
fn core_reaches_neither_data_stack_nor_async() {
    let resolved = Resolved::of_workspace();
    assert_eq!(
        resolved.reached("understudy-core", CORE_NEVER_REACHES),
        [""; 0]
    );
}

#[test]
fn the_data_stack_comes_once() {
    let resolved = Resolved::of_workspace();
    let missing: Vec<_> = ONE_VERSION
        .iter()
        .filter(|name| !resolved.named.contains_key(**name))
        .collect();
    assert!(missing.is_empty(), "not in the build at all: {missing:?}");
    assert_eq!(resolved.several_versions(ONE_VERSION), [""; 0]);
}

#[test]
fn the_code_map_names_every_crate() {
    let text = std::fs::read_to_string(workspace_root().join("ARCHITECTURE.md")).unwrap();
    let missing: Vec<_> = MAY_IMPORT
        .iter()
        .filter(|(name, _)| !text.contains(&format!("`{name}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md does not name {missing:?}"
    );
}

#[test]
fn no_build_for_use_is_armed() {
    let metadata = metadata();
    let armed = list(&metadata["packages"]).filter(|package| {
        let default = &package["features"]["default"];
        let default: Vec<&str> = default.as_array().into_iter().flatten().map(text).collect();
        let wants = |package: &Value| {
            list(&package["dependencies"]).any(|needed| {
                text(&needed["name"]) == "understudy-sabotage"
                    && list(&needed["features"]).any(|feature| text(feature) == "armed")
            })
        };
        default.contains(&"sabotage") || default.contains(&"armed") || wants(package)
    });
    let armed: Vec<&str> = armed.map(|package| text(&package["name"])).collect();
    assert_eq!(
        armed, [""; 0],
        "deliberate defects are compiled in by default"
    );
}

#[test]
fn each_check_sees_what_is_wrong() {
    let resolved = Resolved::from_edges(&[
        ("understudy-core", &["serde", "serde-tokio"]),
        ("serde-tokio", &["tokio-util"]),
        ("understudy-tables", &["understudy-tasks", "datafusion-sql"]),
        ("understudy-tasks", &[]),
        ("understudy-extra", &[]),
    ]);
    assert_eq!(
        resolved.wrong_imports(MAY_IMPORT),
        [
            "understudy-extra is in no table",
            "understudy-tables names understudy-tasks",
        ]
    );
    assert_eq!(
        resolved.strayed(ONLY_IN),
        ["understudy-tables names datafusion-sql"]
    );
    assert_eq!(
        resolved.reached("understudy-core", CORE_NEVER_REACHES),
        ["tokio-util"]
    );
}

/// What cargo resolved for this platform, by crate name.
struct Resolved {
    ours: BTreeSet<String>,
    /// What each crate's manifest names for itself, its build and (for ours) its tests.
    named: BTreeMap<String, BTreeSet<String>>,
    /// The same without tests: what is linked into who uses the crate.
    linked: BTreeMap<String, BTreeSet<String>>,
    /// The names of all packages, one for each version.
    packages: Vec<String>,
}

impl Resolved {
    fn of_workspace() -> Self {
        let metadata = metadata();
        let names: BTreeMap<&str, &str> = list(&metadata["packages"])
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let ours = list(&metadata["workspace_members"])
            .map(|id| names[text(id)].to_owned())
            .collect();
        Self {
            ours,
            named: edges(&metadata, &names, |_| true),
            linked: edges(&metadata, &names, |kind| kind != "dev"),
            packages: names.values().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn from_edges(edges: &[(&str, &[&str])]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let named: BTreeMap<_, BTreeSet<_>> = edges
            .iter()
            .map(|(from, to)| ((*from).to_owned(), owned(to)))
            .collect();
        let ours = named
            .keys()
            .filter(|name| name.starts_with("understudy"))
            .cloned()
            .collect();
        Self {
            ours,
            linked: named.clone(),
            named,
            packages: edges.iter().map(|(from, _)| (*from).to_owned()).collect(),
        }
    }

    /// Imports among our own crates that the table does not allow.
    fn wrong_imports(&self, may_import: &[(&str, &[&str])]) -> Vec<String> {
        let mut wrong = Vec::new();
        for from in &self.ours {
            let Some((_, allowed)) = may_import.iter().find(|(name, _)| name == from) else {
                wrong.push(format!("{from} is in no table"));
                continue;
            };
            let imports = self.named[from].intersection(&self.ours);
            let strangers = imports.filter(|to| !allowed.contains(&to.as_str()));
            wrong.extend(strangers.map(|to| format!("{from} names {to}")));
        }
        wrong
    }

    /// Foreign crates that one of ours names, for more than its tests, and the table does not allow it.
    fn strayed(&self, only_in: &[(&str, &[&str])]) -> Vec<String> {
        let mut strayed = Vec::new();
        for from in &self.ours {
            let forbidden: Vec<_> = only_in
                .iter()
                .filter(|(_, homes)| !homes.contains(&from.as_str()))
                .collect();
            let linked = self.linked[from].iter();
            let wrong = linked.filter(|to| forbidden.iter().any(|(family, _)| is_of(family, to)));
            strayed.extend(wrong.map(|to| format!("{from} names {to}")));
        }
        strayed
    }

    /// Those of some crates that are built in more than one version.
    fn several_versions(&self, crates: &[&str]) -> Vec<String> {
        let versions = |name: &&&str| {
            self.packages
                .iter()
                .filter(|package| package == *name)
                .count()
        };
        crates
            .iter()
            .filter(|name| versions(name) > 1)
            .map(|name| (*name).to_owned())
            .collect()
    }

    /// The crates of some families that are linked into a crate or its tests, however far down.
    fn reached(&self, from: &str, families: &[&str]) -> Vec<String> {
        let mut seen = self.named[from].clone();
        let mut next: Vec<&str> = self.named[from].iter().map(String::as_str).collect();
        while let Some(name) = next.pop() {
            let fresh = self
                .linked
                .get(name)
                .into_iter()
                .flatten()
                .filter(|to| seen.insert((*to).clone()));
            next.extend(fresh.map(String::as_str));
        }
        seen.retain(|name| families.iter().any(|family| is_of(family, name)));
        seen.into_iter().collect()
    }
}

fn is_of(family: &str, name: &str) -> bool {
    name.strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// Who names whom, by name: all versions of a crate together.
fn edges(
    metadata: &Value,
    names: &BTreeMap<&str, &str>,
    wanted: fn(&Value) -> bool,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let to = list(&node["deps"])
            .filter(|edge| list(&edge["dep_kinds"]).any(|kind| wanted(&kind["kind"])))
            .map(|edge| names[text(&edge["pkg"])].to_owned());
        let from = names[text(&node["id"])].to_owned();
        edges.entry(from).or_default().extend(to);
    }
    edges
}

/// Only this platform's crates are asked for: a build has not fetched the others.
fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", "host-tuple"])
        .current_dir(workspace_root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
