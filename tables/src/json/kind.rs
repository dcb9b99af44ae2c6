//! What the values of a column are, as far as they were seen.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use serde_json::value::RawValue;

use super::error::JsonProblem;
use super::number::Numbers;
use super::object::{Form, Object, form};
use crate::source::MAX_COLUMNS;

/// Objects and arrays that go deeper are taken for something else.
const MAX_DEPTH: usize = 32;

/// The name of a list's items.
const ITEM: &str = "item";

/// What the values of a column are.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) enum Kind {
    /// Nothing was seen but NULL.
    #[default]
    Null,
    Boolean,
    Number(Numbers),
    Text,
    /// Scalars of several kinds: text as written.
    Written,
    List(Box<Self>),
    Object(Vec<(String, Self)>),
}

impl Kind {
    /// Takes a value into account; `path` says where it stands.
    pub(crate) fn see(
        &mut self,
        value: &RawValue,
        path: &mut Vec<String>,
    ) -> Result<(), JsonProblem> {
        if path.len() > MAX_DEPTH {
            return Err(JsonProblem::TooDeep(MAX_DEPTH));
        }
        match form(value) {
            Form::Null => Ok(()),
            Form::Boolean => self.join(Self::Boolean, path),
            Form::Text => self.join(Self::Text, path),
            Form::Number => self.join(Self::Number(Numbers::of(value.get())), path),
            Form::List => self.see_list(value, path),
            Form::Object => self.see_object(value, path),
        }
    }

    fn see_list(&mut self, value: &RawValue, path: &mut Vec<String>) -> Result<(), JsonProblem> {
        self.join(Self::List(Box::default()), path)?;
        let items: Vec<&RawValue> = parse(value.get())?;
        let Self::List(kind) = self else {
            return Ok(());
        };
        path.push("[]".to_owned());
        let seen = items.into_iter().try_for_each(|item| kind.see(item, path));
        path.pop();
        seen
    }

    fn see_object(&mut self, value: &RawValue, path: &mut Vec<String>) -> Result<(), JsonProblem> {
        self.join(Self::Object(Vec::new()), path)?;
        let Self::Object(fields) = self else {
            return Ok(());
        };
        see_fields(fields, value.get(), path)
    }

    /// Becomes what holds both.
    pub(crate) fn join(&mut self, other: Self, path: &[String]) -> Result<(), JsonProblem> {
        let before = std::mem::take(self);
        *self = match (before, other) {
            (kind, Self::Null) | (Self::Null, kind) => kind,
            (Self::Number(first), Self::Number(second)) => Self::Number(first.and(second)),
            (Self::List(mut first), Self::List(second)) => {
                first.join(*second, path)?;
                Self::List(first)
            }
            (Self::Object(mut first), Self::Object(second)) => {
                join_fields(&mut first, second, path)?;
                Self::Object(first)
            }
            (first, second) if first == second => first,
            (first, second) if first.is_scalar() && second.is_scalar() => Self::Written,
            (first, second) => {
                return Err(JsonProblem::Mixed {
                    column: path.join("."),
                    now: second.word(),
                    before: first.word(),
                });
            }
        };
        Ok(())
    }

    fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number(_) => "a number",
            Self::Text | Self::Written => "text",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The type that holds all values.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Null | Self::Text | Self::Written => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Number(numbers) => numbers.data_type(),
            Self::List(items) => {
                DataType::List(Arc::new(Field::new(ITEM, items.data_type(), true)))
            }
            Self::Object(fields) => DataType::Struct(
                fields
                    .iter()
                    .map(|(name, kind)| Field::new(name, kind.data_type(), true))
                    .collect::<Fields>(),
            ),
        }
    }
}

/// Takes the fields of one object into account.
pub(crate) fn see_fields(
    fields: &mut Vec<(String, Kind)>,
    object: &str,
    path: &mut Vec<String>,
) -> Result<(), JsonProblem> {
    let Object(entries) = parse(object)?;
    for (position, (key, _)) in entries.iter().enumerate() {
        if entries[..position].iter().any(|(before, _)| before == key) {
            return Err(JsonProblem::KeyTwice(key.clone()));
        }
    }
    for (place, (key, value)) in entries.into_iter().enumerate() {
        let known = fields.get(place).is_some_and(|(name, _)| *name == key);
        let position = if known {
            Some(place)
        } else {
            fields.iter().position(|(name, _)| *name == key)
        };
        let position = match position {
            Some(position) => position,
            None if fields.len() >= MAX_COLUMNS => {
                return Err(JsonProblem::TooManyColumns(MAX_COLUMNS));
            }
            None => {
                fields.push((key.clone(), Kind::Null));
                fields.len() - 1
            }
        };
        path.push(key);
        let seen = fields[position].1.see(value, path);
        path.pop();
        seen?;
    }
    Ok(())
}

pub(crate) fn join_fields(
    first: &mut Vec<(String, Kind)>,
    second: Vec<(String, Kind)>,
    path: &[String],
) -> Result<(), JsonProblem> {
    for (name, kind) in second {
        match first.iter_mut().find(|(other, _)| *other == name) {
            Some((_, known)) => known.join(kind, path)?,
            None => first.push((name, kind)),
        }
    }
    Ok(())
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, JsonProblem> {
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => JsonProblem::NotAnObject,
        _ => JsonProblem::NotJson(without_place(&error)),
    })
}

/// The line is said beside it, and a column of the text within a line helps nobody.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}
