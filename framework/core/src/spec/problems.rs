//! The problems as they are found, and whose they are.

use super::location::credentials;
use std::collections::{BTreeMap, BTreeSet};

use super::problem::{Problem, Scope};
use super::yaml::Mark;
use crate::visible::acts;

/// How much of a line is shown, before and after a place.
const MAX_SHOWN_BYTES: usize = 120;
/// How much of a name is shown.
const MAX_NAME_CHARS: usize = 80;
const LINE_ENDS: [char; 2] = ['\n', '\r'];

/// What part of the file a problem is in. What it stops follows from it once the whole file is read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Origin {
    /// What every run needs.
    Pipeline,
    /// A task.
    Task(String),
    /// A version of a task.
    Version(String, String),
    /// A change.
    Change(String),
}

/// What is known of versions when scopes are given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Uses {
    /// The live version of each task.
    pub(crate) live: BTreeMap<String, String>,
    /// The change that gives a task a version.
    pub(crate) new: BTreeMap<(String, String), String>,
}

impl Uses {
    /// What a problem with a version stops. A task without a live version is a problem of the pipeline anyway.
    pub(crate) fn scope_of_version(&self, task: &str, version: &str) -> Scope {
        if self.live.get(task).is_none_or(|live| live == version) {
            return Scope::Pipeline;
        }
        let change = self.new.get(&(task.to_owned(), version.to_owned()));
        change.map_or(Scope::Unused, |change| Scope::Change(change.clone()))
    }

    fn scope(&self, origin: &Origin) -> Scope {
        match origin {
            Origin::Pipeline | Origin::Task(_) => Scope::Pipeline,
            Origin::Version(task, version) => self.scope_of_version(task, version),
            Origin::Change(change) => Scope::Change(change.clone()),
        }
    }
}

/// Collects problems. Aliases show one place several times: it is told once.
pub(crate) struct Problems<'a> {
    file: &'a str,
    source: &'a str,
    found: BTreeSet<(Mark, String, String, Origin)>,
    secrets: Vec<String>,
}

impl<'a> Problems<'a> {
    /// None yet, for a file and its text.
    pub(crate) fn new(file: &'a str, source: &'a str) -> Self {
        Self {
            file,
            source,
            found: BTreeSet::new(),
            secrets: Vec::new(),
        }
    }

    /// A text of the file that is never shown, whatever is wrong in its line.
    pub(crate) fn hide(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    /// One more.
    pub(crate) fn push(
        &mut self,
        mark: Mark,
        origin: &Origin,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.found
            .insert((mark, message.into(), fix.into(), origin.clone()));
    }

    /// The versions, each with its task, that have problems.
    pub(crate) fn versions(&self) -> BTreeSet<(String, String)> {
        let version = |origin: &Origin| match origin {
            Origin::Version(task, version) => Some((task.clone(), version.clone())),
            _ => None,
        };
        self.found
            .iter()
            .filter_map(|(_, _, _, origin)| version(origin))
            .collect()
    }

    /// All of them, in the file's order.
    pub(crate) fn finish(self, uses: &Uses) -> Vec<Problem> {
        let problem = |(mark, message, fix, origin): &(Mark, String, String, Origin)| Problem {
            file: self.file.to_owned(),
            line: mark.line,
            column: mark.column,
            text: self
                .secrets
                .iter()
                .fold(line_at(self.source, *mark), |line, secret| {
                    line.replace(&printable(secret), "…")
                }),
            message: printable(message),
            fix: printable(fix),
            scope: uses.scope(origin),
        };
        self.found.iter().map(problem).collect()
    }
}

/// The line of a place, without its indentation; of a long one, what is near the place.
pub(crate) fn line_at(source: &str, mark: Mark) -> String {
    let offset = source.floor_char_boundary(mark.offset);
    let from = source.floor_char_boundary(offset.saturating_sub(MAX_SHOWN_BYTES));
    let to = source.floor_char_boundary(offset.saturating_add(MAX_SHOWN_BYTES));
    let (before, after) = (&source[from..offset], &source[offset..to]);
    let start = before.rfind(LINE_ENDS).map(|end| end + 1);
    let end = after.find(LINE_ENDS);
    let dots = |is_cut: bool| if is_cut { "…" } else { "" };
    let line = [
        &before[start.unwrap_or(0)..],
        &after[..end.unwrap_or(after.len())],
    ]
    .concat();
    let (left, right) = (
        dots(start.is_none() && from > 0),
        dots(end.is_none() && to < source.len()),
    );
    printable(&format!(
        "{left}{}{right}",
        without_credentials(line.trim())
    ))
}

/// What may be a password is not printed.
fn without_credentials(line: &str) -> String {
    match credentials(line) {
        Some(range) => format!("{}…{}", &line[..range.start], &line[range.end..]),
        None => line.to_owned(),
    }
}

/// Text without anything that a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut shown, c| {
            if acts(c) {
                shown.extend(c.escape_unicode())
            } else {
                shown.push(c)
            }
            shown
        })
}

/// A name or value in backticks, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    if text.chars().count() <= MAX_NAME_CHARS {
        return format!("`{text}`");
    }
    let shown: String = text.chars().take(MAX_NAME_CHARS).collect();
    format!("`{shown}…`")
}

/// A rule by its name; one without a name is called by its place, such as `rule 2`.
pub(crate) fn rule_label(name: &str) -> String {
    let by_place = name
        .strip_prefix("rule ")
        .is_some_and(|place| place.bytes().all(|byte| byte.is_ascii_digit()));
    if by_place {
        quoted(name)
    } else {
        format!("rule {}", quoted(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(offset: usize) -> Mark {
        Mark {
            line: 1,
            column: 1,
            offset,
        }
    }

    #[test]
    fn the_line_of_a_place() {
        assert_eq!(line_at("a: 1\r\n  b: é\n", mark(9)), "b: é");
        assert_eq!(line_at("a", mark(99)), "a");
        assert_eq!(line_at("é", mark(1)), "é");
    }

    #[test]
    fn a_long_line_shows_the_place() {
        let source = format!("{}HERE{}", "x".repeat(5_000), "y".repeat(5_000));
        let line = line_at(&source, mark(5_000));
        assert!(
            line.contains("HERE") && line.chars().count() < 300,
            "{line}"
        );
    }

    #[test]
    fn terminals_are_not_spoken_to() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
    }
}
