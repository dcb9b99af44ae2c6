//! YAML as a tree that keeps what strictness needs: places, text as written, quotes and repeated keys.
//!
//! Aliases stand for the node that they name; tags, merge keys, directives and further documents are refused.
//! Budgets bound the size, the nesting and the expansion of aliases, so that no text takes long to read.

mod build;
mod error;

use std::rc::Rc;

pub(crate) use build::{parse, parse_flat};
pub(crate) use error::{YamlError, YamlErrorKind};

/// A place in the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Mark {
    /// The line, from one.
    pub(crate) line: usize,
    /// The column, from one, in characters.
    pub(crate) column: usize,
    /// The offset in bytes.
    pub(crate) offset: usize,
}

/// The file's beginning.
pub(crate) const BEGINNING: Mark = Mark {
    line: 1,
    column: 1,
    offset: 0,
};

/// One node of the tree. A clone shares what is below.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it begins.
    pub(crate) mark: Mark,
    /// What it is.
    pub(crate) data: Rc<Data>,
    /// How many nodes it is, itself included, with aliases written out.
    weight: usize,
    /// How deep it goes, with aliases written out; a scalar is 1 deep.
    depth: usize,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Data {
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the file's order, repeated keys included.
    Map(Vec<(Key, Node)>),
}

/// A scalar, untyped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scalar {
    /// The text: as written where it is plain, without its escapes where it is quoted.
    pub(crate) text: String,
    /// Whether it stands without quotes.
    pub(crate) plain: bool,
}

/// The key of a mapping's entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    /// The text.
    pub(crate) text: String,
    /// Where it begins.
    pub(crate) mark: Mark,
}

impl Scalar {
    /// Whether it is YAML's null: nothing at all, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// The scalar, if it is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &*self.data {
            Data::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items, if it is a list; else none.
    pub(crate) fn items(&self) -> &[Self] {
        match &*self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The entries, if it is a mapping; else none.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &*self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of the first entry with that key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(name, _)| name.text == key)
            .map(|(_, node)| node)
    }
}

#[cfg(test)]
mod tests;
