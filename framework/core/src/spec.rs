//! The pipeline file: text in, [`Spec`] and [`Problem`]s out.
//!
//! `load` parses, then resolves, and gives every problem at once. It reads no file itself: the caller hands it
//! the text and a [`FileCheck`] that answers which files exist.
//!
//! One table (`table.rs`) has every key: `structure.rs` holds a file against it, and [`json_schema()`] prints it for
//! editors. What the keys mean together is the business of `resolve.rs`.

pub mod cases;
mod columns;
mod flags;
mod json_schema;
pub mod location;
pub mod masks;
pub mod model;
pub mod nearest;
mod places;
pub mod problem;
mod problems;
mod resolve;
mod scalar;
mod shape;
mod structure;
mod table;
mod yaml;

pub use columns::check_columns;
pub use flags::{Flags, load_flags};
pub use json_schema::json_schema;
pub use location::{Location, LocationError};
pub use model::*;
pub use places::{Places, Spot};
pub use problem::{Problem, Scope};

use std::collections::BTreeSet;

use crate::rule::Rule;
use problems::{Origin, Problems, Uses};
use shape::Shape;
use structure::Subject;
use yaml::Node;

/// Answers what the file names: files whose paths begin at the pipeline file's folder, or are absolute.
pub trait FileCheck {
    /// Whether there is a file.
    fn exists(&self, path: &str) -> bool;

    /// The text of a file, such as a list of customers; `None` where it cannot be read or is not UTF-8.
    fn read(&self, path: &str) -> Option<String>;
}

/// What came of a pipeline file.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The pipeline, with the changes that cannot run suspended; `None` where live itself cannot run.
    pub spec: Option<Spec>,
    /// Everything that is wrong, in the file's order.
    pub problems: Vec<Problem>,
    /// Where things stand, for [`check_columns`] and for what else is found later.
    pub places: Places,
}

/// Reads a pipeline file. `file_name` is how the user knows it.
#[must_use]
pub fn load(text: &str, file_name: &str, files: &dyn FileCheck) -> Loaded {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut problems = Problems::new(file_name, text);
    let Some(root) = parse(text, &mut problems) else {
        return Loaded {
            spec: None,
            problems: problems.finish(&Uses::default()),
            places: Places::default(),
        };
    };
    structure::check(
        &root,
        &Shape::Section(&table::PIPELINE),
        &Subject::whole("the pipeline"),
        &mut problems,
    );
    let resolved = resolve::resolve(&root, files, &mut problems);
    let broken = problems.versions();
    let problems = problems.finish(&resolved.uses);
    let stops_live = problems
        .iter()
        .any(|problem| problem.scope == Scope::Pipeline);
    let spec = resolved
        .spec
        .filter(|_| !stops_live)
        .map(|spec| suspend(without(spec, &broken), &problems));
    Loaded {
        spec,
        problems,
        places: Places::new(file_name, text, resolved.spots, resolved.uses),
    }
}

/// Reads a list of rules that stands by itself, written as in a task's `expect`.
///
/// # Errors
/// Everything that is wrong with it, in the file's order.
pub fn load_rules(
    text: &str,
    file_name: &str,
    files: &dyn FileCheck,
) -> Result<Vec<Rule>, Vec<Problem>> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut problems = Problems::new(file_name, text);
    let rules = parse(text, &mut problems).map(|root| {
        structure::check(
            &root,
            &Shape::List(&table::RULES),
            &Subject::whole("the file"),
            &mut problems,
        );
        resolve::read_rules_alone(&root, files, &mut problems)
    });
    let problems = problems.finish(&Uses::default());
    rules.filter(|_| problems.is_empty()).ok_or(problems)
}

/// The pipeline with those changes suspended that have problems. Problems of the whole pipeline are the caller's.
#[must_use]
pub fn suspend(mut spec: Spec, problems: &[Problem]) -> Spec {
    for problem in problems {
        if let Scope::Change(change) = &problem.scope {
            spec.changes.remove(change);
            let known = spec.suspended.entry(change.clone()).or_default();
            if !known.contains(problem) {
                known.push(problem.clone());
            }
        }
    }
    spec
}

/// The pipeline without some versions, none of which is live.
fn without(mut spec: Spec, broken: &BTreeSet<(String, String)>) -> Spec {
    for task in &mut spec.tasks {
        task.versions
            .retain(|version, _| !broken.contains(&(task.name.clone(), version.clone())));
    }
    spec
}

const BYTE_ORDER_MARK: char = '\u{feff}';

fn parse(text: &str, problems: &mut Problems<'_>) -> Option<Node> {
    let refused = |error: yaml::YamlError| {
        problems.push(
            error.mark,
            &Origin::Pipeline,
            error.to_string(),
            error.kind.fix(),
        );
    };
    yaml::parse(text).map_err(refused).ok()
}
