//! What the values of a column are, as far as they were seen.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use serde_json::value::RawValue;

use super::error::JsonProblem;
use super::number::Numbers;
use super::object::{Form, each_item, entries, form, text};
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
    Object(Keys),
}

/// The keys of objects, in the order in which they came up.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Keys {
    kinds: Vec<(String, Kind)>,
    places: HashMap<String, usize>,
}

/// Where in a line a value stands, and how many more columns there may be.
pub(super) struct Place {
    path: Vec<String>,
    room: usize,
}

impl Place {
    /// The beginning of a line.
    pub(super) fn new() -> Self {
        Self {
            path: Vec::new(),
            room: MAX_COLUMNS,
        }
    }

    fn within<T>(&mut self, step: &str, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.to_owned());
        let result = inner(self);
        self.path.pop();
        result
    }

    fn take_column(&mut self) -> Result<(), JsonProblem> {
        let room = self.room.checked_sub(1);
        self.room = room.ok_or(JsonProblem::TooManyColumns(MAX_COLUMNS))?;
        Ok(())
    }
}

impl Keys {
    /// Takes one object into account.
    pub(super) fn see(&mut self, object: &str, place: &mut Place) -> Result<(), JsonProblem> {
        for (position, (key, value)) in entries(object)?.into_iter().enumerate() {
            let kind = self.kind(&key, position, place)?;
            place.within(&key, |place| kind.see(value, place))?;
        }
        Ok(())
    }

    /// The kind of a key, which mostly stands in the same place as in the object before.
    fn kind(
        &mut self,
        key: &str,
        guess: usize,
        place: &mut Place,
    ) -> Result<&mut Kind, JsonProblem> {
        let guessed = self.kinds.get(guess).is_some_and(|(name, _)| name == key);
        let known = if guessed {
            Some(guess)
        } else {
            self.places.get(key).copied()
        };
        let position = match known {
            Some(position) => position,
            None => {
                place.take_column()?;
                self.add(key.to_owned(), Kind::Null)
            }
        };
        Ok(&mut self.kinds[position].1)
    }

    fn add(&mut self, key: String, kind: Kind) -> usize {
        let position = self.kinds.len();
        self.places.insert(key.clone(), position);
        self.kinds.push((key, kind));
        position
    }

    /// The keys with their kinds.
    pub(super) fn into_kinds(self) -> Vec<(String, Kind)> {
        self.kinds
    }

    fn join(&mut self, other: Self, path: &mut Vec<String>) -> Result<(), JsonProblem> {
        for (key, kind) in other.kinds {
            match self.places.get(&key) {
                None => {
                    self.add(key, kind);
                }
                Some(position) => {
                    path.push(key);
                    self.kinds[*position].1.join(kind, path)?;
                    path.pop();
                }
            }
        }
        Ok(())
    }
}

impl Kind {
    /// Takes a value into account.
    fn see(&mut self, value: &RawValue, place: &mut Place) -> Result<(), JsonProblem> {
        if place.path.len() > MAX_DEPTH {
            return Err(JsonProblem::TooDeep(MAX_DEPTH));
        }
        match form(value) {
            Form::Null => Ok(()),
            Form::Boolean => self.join(Self::Boolean, &mut place.path),
            Form::Text => {
                text(value)?;
                self.join(Self::Text, &mut place.path)
            }
            Form::Number => self.join(Self::Number(Numbers::of(value.get())), &mut place.path),
            Form::List => self.see_list(value, place),
            Form::Object => self.see_object(value, place),
        }
    }

    fn see_list(&mut self, value: &RawValue, place: &mut Place) -> Result<(), JsonProblem> {
        self.join(Self::List(Box::default()), &mut place.path)?;
        let Self::List(kind) = self else {
            return Ok(());
        };
        place.within("[]", |place| each_item(value, |item| kind.see(item, place)))
    }

    fn see_object(&mut self, value: &RawValue, place: &mut Place) -> Result<(), JsonProblem> {
        self.join(Self::Object(Keys::default()), &mut place.path)?;
        let Self::Object(keys) = self else {
            return Ok(());
        };
        keys.see(value.get(), place)
    }

    /// Becomes what holds both.
    pub(crate) fn join(&mut self, other: Self, path: &mut Vec<String>) -> Result<(), JsonProblem> {
        match (&mut *self, other) {
            (_, Self::Null) => {}
            (Self::Number(first), Self::Number(second)) => *first = first.and(second),
            (Self::List(first), Self::List(second)) => {
                path.push("[]".to_owned());
                first.join(*second, path)?;
                path.pop();
            }
            (Self::Object(first), Self::Object(second)) => first.join(second, path)?,
            (first @ Self::Null, second) => *first = second,
            (first, second) if *first == second => {}
            (first, second) if first.is_scalar() && second.is_scalar() => *first = Self::Written,
            (first, second) => {
                return Err(JsonProblem::Mixed {
                    column: path.join("."),
                    now: second.word(),
                    before: first.word(),
                });
            }
        }
        Ok(())
    }

    /// Whether it is neither an array nor an object.
    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number(_) => "a number",
            Self::Text => "text",
            Self::Written => "a number, a boolean or text",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The type that holds all values. Of objects without keys, which no file of another format holds, that is text.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Null | Self::Text | Self::Written => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Number(numbers) => numbers.data_type(),
            Self::List(items) => {
                DataType::List(Arc::new(Field::new(ITEM, items.data_type(), true)))
            }
            Self::Object(keys) if keys.kinds.is_empty() => DataType::Utf8,
            Self::Object(keys) => {
                let field =
                    |(name, kind): &(String, Self)| Field::new(name, kind.data_type(), true);
                DataType::Struct(keys.kinds.iter().map(field).collect())
            }
        }
    }
}
