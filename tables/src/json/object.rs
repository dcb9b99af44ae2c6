//! One object as its keys and the text of its values: numbers keep every digit that way.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::error::JsonProblem;
use crate::source::MAX_COLUMNS;

/// Few keys are faster compared with each other than hashed.
const FEW_KEYS: usize = 16;

/// The keys of an object with their values, in its order; no key stands twice.
pub(super) fn entries(object: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, JsonProblem> {
    let Object(entries) = parse(object)?;
    if entries.len() > MAX_COLUMNS {
        return Err(JsonProblem::TooManyColumns(MAX_COLUMNS));
    }
    match repeated(&entries) {
        Some(key) => Err(JsonProblem::KeyTwice(key.to_owned())),
        None => Ok(entries),
    }
}

/// Visits the items of an array, up to the first that is refused.
pub(super) fn each_item<'a>(
    list: &'a RawValue,
    visit: impl FnMut(&'a RawValue) -> Result<(), JsonProblem>,
) -> Result<(), JsonProblem> {
    let mut refused = None;
    let items = Items {
        visit,
        refused: &mut refused,
    };
    let visited = serde_json::Deserializer::from_str(list.get()).deserialize_seq(items);
    match refused {
        Some(problem) => Err(problem),
        None => visited.map_err(|error| problem(&error)),
    }
}

/// What a text value says.
pub(super) fn text(value: &RawValue) -> Result<Cow<'_, str>, JsonProblem> {
    parse(value.get()).map(|Text(text)| text)
}

/// What a value is, by its first character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

/// The form of a value that was found to be JSON.
pub(super) fn form(value: &RawValue) -> Form {
    match value.get().as_bytes().first() {
        Some(b'n') => Form::Null,
        Some(b't' | b'f') => Form::Boolean,
        Some(b'"') => Form::Text,
        Some(b'[') => Form::List,
        Some(b'{') => Form::Object,
        _ => Form::Number,
    }
}

fn repeated<'a>(entries: &'a [(Cow<'_, str>, &RawValue)]) -> Option<&'a str> {
    let keys = || entries.iter().map(|(key, _)| key.as_ref());
    if entries.len() <= FEW_KEYS {
        let mut positions = keys().enumerate();
        return positions
            .find(|(position, key)| keys().take(*position).any(|before| before == *key))
            .map(|(_, key)| key);
    }
    let mut seen = HashSet::with_capacity(entries.len());
    keys().find(|key| !seen.insert(*key))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonProblem> {
    serde_json::from_str(text).map_err(|error| problem(&error))
}

fn problem(error: &serde_json::Error) -> JsonProblem {
    match error.classify() {
        Category::Data => JsonProblem::NotAnObject,
        _ => JsonProblem::NotJson(without_place(error)),
    }
}

/// The line is said beside it, and a column of the text within a line helps nobody.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Deserialize<'a> for Object<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'a> Visitor<'a> for Entries {
            type Value = Object<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Object<'a>, M::Error> {
                let mut entries = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    // One more than there may be is enough to say so.
                    if entries.len() <= MAX_COLUMNS {
                        entries.push((key, value));
                    }
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

struct Items<'p, F> {
    visit: F,
    refused: &'p mut Option<JsonProblem>,
}

impl<'a, F: FnMut(&'a RawValue) -> Result<(), JsonProblem>> Visitor<'a> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'a>>(mut self, mut items: S) -> Result<(), S::Error> {
        while let Some(item) = items.next_element()? {
            if let Err(problem) = (self.visit)(item) {
                *self.refused = Some(problem);
                return Err(S::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A text, borrowed where nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Text<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'a> Visitor<'a> for Any {
            type Value = Text<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Any)
    }
}
