//! What the parts of a sandbox tell of themselves, as files in the worker's own folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use understudy_core::isolation::{Isolation, Part, State};

/// What is in force, by part.
pub(super) type Parts = BTreeMap<Part, State>;

/// What the guard tells.
pub(super) const GUARD_FILE: &str = "guard.json";
/// What the worker tells.
pub(super) const WALLS_FILE: &str = "walls.json";

/// Leaves what a process put in force.
pub(super) fn tell(folder: &Path, file: &str, parts: &Parts) -> io::Result<()> {
    fs::write(folder.join(file), serde_json::to_vec(parts)?)
}

/// What both told; parts that nobody told of are missing.
pub(in crate::worker) fn told_of(folder: &Path, hosts: Vec<String>) -> Isolation {
    let mut parts = Parts::new();
    for file in [GUARD_FILE, WALLS_FILE] {
        let told = fs::read(folder.join(file)).unwrap_or_default();
        let told: Parts = serde_json::from_slice(&told).unwrap_or_default();
        for (part, state) in told {
            together(&mut parts, part, state);
        }
    }
    Isolation { parts, hosts }
}

/// Two states of one part: whatever is in force holds.
fn together(parts: &mut Parts, part: Part, state: State) {
    let merged = match (parts.remove(&part), state) {
        (Some(State::InForce(one)), State::InForce(other)) => {
            State::InForce(format!("{one}, {other}"))
        }
        (Some(in_force @ State::InForce(_)), State::Missing(_)) => in_force,
        (_, state) => state,
    };
    parts.insert(part, merged);
}
