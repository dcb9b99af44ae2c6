//! One object as its keys and the text of its values: numbers keep every digit that way.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object, in the order of its keys.
pub(super) struct Object<'a>(pub(super) Vec<(String, &'a RawValue)>);

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
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
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
