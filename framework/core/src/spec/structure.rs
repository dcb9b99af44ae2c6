//! Holds a tree against the table of keys, and finds everything that does not fit.

use std::collections::BTreeMap;

use super::nearest::{hint, nearest};
use super::problems::{Origin, Problems, quoted};
use super::shape::{ByName, ListOf, Need, Owner, Section, Shape, found};
use super::yaml::{BEGINNING, Data, Key, Mark, Node};
use crate::path_part::{self, MAX_PATH_PART_BYTES};
use crate::visible::acts;

/// What is looked at: how it is called, where that stands, and whose problems it has.
#[derive(Clone)]
pub(crate) struct Subject {
    /// As in "rule `x`".
    pub(crate) label: String,
    /// Where something that is missing from it is missed.
    pub(crate) mark: Mark,
    /// Whose its problems are.
    pub(crate) origin: Origin,
}

impl Subject {
    /// The whole file.
    pub(crate) fn whole(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            mark: BEGINNING,
            origin: Origin::Pipeline,
        }
    }

    /// What stands under a key.
    fn part(&self, key: &str, mark: Mark) -> Self {
        Self {
            label: format!("`{key}` of {}", self.label),
            mark,
            origin: self.origin.clone(),
        }
    }
}

/// Finds everything in a tree that does not fit a shape.
pub(crate) fn check(node: &Node, shape: &Shape, subject: &Subject, problems: &mut Problems<'_>) {
    match (shape, &*node.data) {
        (
            Shape::Section(section)
            | Shape::ListOr(_, section)
            | Shape::TextOr(section)
            | Shape::Within(section),
            Data::Map(entries),
        ) => {
            check_section(entries, section, subject, problems);
        }
        (Shape::ByName(by_name), Data::Map(entries)) => {
            check_names(node.mark, entries, by_name, subject, problems)
        }
        (Shape::List(list) | Shape::ListOr(list, _) | Shape::Wave(list), Data::List(items)) => {
            check_items(node.mark, items, list, subject, problems);
        }
        (Shape::Anything, _) => {}
        (shape, Data::Scalar(scalar)) if shape.accepts(scalar) => {}
        (Shape::Word(words), Data::Scalar(scalar)) if !scalar.is_null() => {
            let message = format!("{} cannot be {}", subject.label, found(node));
            let fix = match words {
                [word] => format!("write `{word}`"),
                words => hint(&scalar.text, words, "words for it"),
            };
            problems.push(node.mark, &subject.origin, message, fix);
        }
        _ => {
            let message = format!(
                "{} must be {}, not {}",
                subject.label,
                shape.what(),
                found(node)
            );
            problems.push(
                place(node, subject),
                &subject.origin,
                message,
                fix(node, shape),
            );
        }
    }
}

/// Nothing has no place of its own: it is missed at its key.
fn place(node: &Node, subject: &Subject) -> Mark {
    if node
        .scalar()
        .is_some_and(|scalar| scalar.text.is_empty() && scalar.plain)
    {
        subject.mark
    } else {
        node.mark
    }
}

fn fix(node: &Node, shape: &Shape) -> String {
    match (shape, node.scalar()) {
        (Shape::ColumnType, Some(scalar)) => {
            hint(&scalar.text, &super::scalar::COLUMN_TYPES, "types")
        }
        _ => shape.how(),
    }
}

fn check_section(
    entries: &[(Key, Node)],
    section: &Section,
    subject: &Subject,
    problems: &mut Problems<'_>,
) {
    check_repeated(entries, "key", |_| subject.origin.clone(), problems);
    let names = section.names();
    let mut written = BTreeMap::new();
    for (key, node) in entries {
        if let Some(known) = section.keys.iter().find(|known| known.name == key.text) {
            written.entry(known.name).or_insert(key.mark);
            check(
                node,
                &known.shape,
                &subject.part(known.name, key.mark),
                problems,
            );
        } else {
            // The key that was meant is not missing as well.
            nearest(&key.text, &names).map(|meant| written.entry(meant).or_insert(key.mark));
            let message = format!("unknown key {} in {}", quoted(&key.text), subject.label);
            problems.push(
                key.mark,
                &subject.origin,
                message,
                hint(&key.text, &names, "keys here"),
            );
        }
    }
    check_needs(&written, section, subject, problems);
    check_choice(&written, section, subject, problems);
}

/// The keys that are written in a section, or were meant to be.
type Written = BTreeMap<&'static str, Mark>;

fn check_needs(
    written: &Written,
    section: &Section,
    subject: &Subject,
    problems: &mut Problems<'_>,
) {
    for key in section.keys {
        match (key.need, written.get(key.name)) {
            (Need::Required, None) => {
                let message = format!("{} has no `{}`", subject.label, key.name);
                problems.push(
                    subject.mark,
                    &subject.origin,
                    message,
                    format!("add `{}: …`. {}", key.name, key.about),
                );
            }
            (Need::With(other), Some(mark)) if !written.contains_key(other) => {
                let message = format!(
                    "`{}` of {} needs `{other}`, which is not there",
                    key.name, subject.label
                );
                problems.push(
                    *mark,
                    &subject.origin,
                    message,
                    format!("add `{other}: …`, or leave `{}` out", key.name),
                );
            }
            _ => {}
        }
    }
}

fn check_choice(
    written: &Written,
    section: &Section,
    subject: &Subject,
    problems: &mut Problems<'_>,
) {
    let Some(choice) = section.one_of else { return };
    let mut chosen: Vec<(Mark, &str)> = choice
        .keys
        .iter()
        .filter_map(|key| Some((*written.get(key)?, *key)))
        .collect();
    chosen.sort_unstable();
    match chosen.as_slice() {
        [] if choice.unless.is_some_and(|key| written.contains_key(key)) => {}
        [] => problems.push(
            subject.mark,
            &subject.origin,
            format!("{} {}", subject.label, choice.none),
            choice.fix,
        ),
        [_] => {}
        [(_, first), (mark, other), ..] => {
            let message = format!(
                "{} {}: `{first}` and `{other}`",
                subject.label, choice.several
            );
            problems.push(*mark, &subject.origin, message, choice.fix);
        }
    }
}

fn check_names(
    mark: Mark,
    entries: &[(Key, Node)],
    by_name: &ByName,
    subject: &Subject,
    problems: &mut Problems<'_>,
) {
    if entries.is_empty() && !by_name.may_be_empty {
        problems.push(
            mark,
            &subject.origin,
            format!("{} is empty", subject.label),
            format!("name at least one {}", by_name.noun),
        );
    }
    check_repeated(
        entries,
        by_name.noun,
        |key| owner(by_name.owner, key, &subject.origin),
        problems,
    );
    for (key, node) in entries {
        let origin = owner(by_name.owner, key, &subject.origin);
        if key.text.trim().is_empty() || key.text.contains(acts) {
            let message = format!(
                "a name of a {} is blank or has characters that cannot be seen",
                by_name.noun
            );
            problems.push(
                key.mark,
                &origin,
                message,
                "give it a name that people can read",
            );
        }
        // Names of what has no files of its own, such as columns, may be as long as they are.
        if by_name.is_path() && !path_part::fits(&key.text) {
            let message = format!(
                "the name of the {} {} is too long for a file",
                by_name.noun,
                quoted(&key.text)
            );
            let fix = format!(
                "shorten it to {MAX_PATH_PART_BYTES} small letters, digits, `_` or `-`; any other byte counts for three"
            );
            problems.push(key.mark, &origin, message, fix);
        }
        let label = format!("{} {}", by_name.noun, quoted(&key.text));
        check(
            node,
            &by_name.of,
            &Subject {
                label,
                mark: key.mark,
                origin,
            },
            problems,
        );
    }
}

fn owner(owner: Owner, key: &Key, parent: &Origin) -> Origin {
    match (owner, parent) {
        (Owner::Task, _) => Origin::Task(key.text.clone()),
        (Owner::Change, _) => Origin::Change(key.text.clone()),
        (Owner::Version, Origin::Task(task)) => Origin::Version(task.clone(), key.text.clone()),
        (Owner::Parent | Owner::Version, _) => parent.clone(),
    }
}

fn check_repeated(
    entries: &[(Key, Node)],
    noun: &str,
    origin: impl Fn(&Key) -> Origin,
    problems: &mut Problems<'_>,
) {
    let mut seen = BTreeMap::new();
    for (key, _) in entries {
        if let Some(line) = seen.get(key.text.as_str()) {
            let message = format!("{noun} {} stands here a second time", quoted(&key.text));
            problems.push(
                key.mark,
                &origin(key),
                message,
                format!("the first is in line {line}; keep one of them"),
            );
        } else {
            seen.insert(key.text.as_str(), key.mark.line);
        }
    }
}

fn check_items(
    mark: Mark,
    items: &[Node],
    list: &ListOf,
    subject: &Subject,
    problems: &mut Problems<'_>,
) {
    if items.is_empty() && !list.may_be_empty {
        problems.push(
            mark,
            &subject.origin,
            format!("{} is an empty list", subject.label),
            format!("name at least one {}", list.noun),
        );
    }
    for (position, item) in items.iter().enumerate() {
        let item_subject = Subject {
            label: item_label(item, position, list, subject),
            mark: item.mark,
            origin: subject.origin.clone(),
        };
        check(item, &list.of, &item_subject, problems);
    }
}

/// By its name where it has one, else by its place in the list.
fn item_label(item: &Node, position: usize, list: &ListOf, subject: &Subject) -> String {
    let name = item
        .get("name")
        .and_then(Node::scalar)
        .and_then(super::scalar::text);
    match name {
        Some(name) => format!("{} {}", list.noun, quoted(name)),
        None => format!("{} {} of {}", list.noun, position + 1, subject.label),
    }
}
