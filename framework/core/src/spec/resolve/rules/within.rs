//! Tolerances.

use crate::rule::{Base, Bound, Within};
use crate::spec::problems::{Origin, Problems};
use crate::spec::scalar;
use crate::spec::yaml::{Data, Node};

const DIRECTIONS: [&str; 2] = ["up", "down"];
const PARTS: [&str; 2] = ["abs", "rel"];

/// Reads a tolerance; one that cannot be read has been told.
pub(in crate::spec::resolve) fn read(node: &Node) -> Option<Within> {
    if !has_any(node, &DIRECTIONS) {
        let both = bound(node)?;
        return Some(Within {
            up: both.clone(),
            down: both,
        });
    }
    // A direction that is not written allows nothing.
    let direction = |name| node.get(name).map_or(Some(Bound::default()), bound);
    Some(Within {
        up: direction("up")?,
        down: direction("down")?,
    })
}

fn bound(node: &Node) -> Option<Bound> {
    if let Some(scalar) = node.scalar() {
        return scalar::bound(scalar);
    }
    let part = |name| node.get(name).map(|part| scalar::bound(part.scalar()?));
    let (abs, rel) = (part("abs"), part("rel"));
    if abs == Some(None) || rel == Some(None) {
        return None;
    }
    let abs = abs.flatten().unwrap_or_default();
    let of = node.get("of").and_then(Node::scalar);
    Some(Bound {
        rel: rel.flatten().unwrap_or_default().rel,
        of: match of.map(|of| of.text.as_str()) {
            Some("max") => Base::Max,
            _ => Base::Old,
        },
        ..abs
    })
}

/// Finds what no single key of a tolerance shows.
pub(in crate::spec::resolve) fn check(
    node: &Node,
    rule: &str,
    origin: &Origin,
    problems: &mut Problems<'_>,
) {
    if !matches!(&*node.data, Data::Map(_)) {
        return;
    }
    let is_directed = has_any(node, &DIRECTIONS);
    if is_directed && has_any(node, &PARTS) {
        let message = format!(
            "`within` of {rule} has a bound for both directions beside one for a single direction"
        );
        let fix = "write `abs`, `rel` and `of` in a mapping under `up` or `down`";
        problems.push(node.mark, origin, message, fix);
    } else if !is_directed && !has_any(node, &PARTS) {
        let message = format!("`within` of {rule} has no bound");
        let fix = "write `abs` or `rel` or both, or `up` or `down` or both";
        problems.push(node.mark, origin, message, fix);
    }
    for direction in DIRECTIONS {
        let Some(bound) = node.get(direction) else {
            continue;
        };
        if matches!(&*bound.data, Data::Map(_)) && !has_any(bound, &PARTS) {
            let message = format!("`{direction}` of `within` of {rule} has no bound");
            problems.push(bound.mark, origin, message, "write `abs` or `rel` or both");
        }
    }
}

fn has_any(node: &Node, names: &[&str]) -> bool {
    names.iter().any(|name| node.get(name).is_some())
}
