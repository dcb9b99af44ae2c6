//! Normalisers: what two spellings of one value may differ by.
//!
//! Those of text reach into lists, structs and the values of maps, and leave everything else as it is.

use unicode_normalization::UnicodeNormalization as _;

use crate::rule::Normalizer;
use crate::value::Value;

impl Normalizer {
    /// All of them; those that take away less come before those that take away more.
    pub const ALL: [Self; 7] = [
        Self::Nfc,
        Self::Trim,
        Self::Whitespace,
        Self::Case,
        Self::EmptyIsNull,
        Self::Unordered,
        Self::Nfkc,
    ];

    /// The name in files: `nfc`, `empty_is_null` and so on.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Case => "case",
            Self::Whitespace => "whitespace",
            Self::Nfc => "nfc",
            Self::Nfkc => "nfkc",
            Self::EmptyIsNull => "empty_is_null",
            Self::Unordered => "unordered",
        }
    }

    /// The value without what this normaliser takes away.
    #[must_use]
    pub fn apply(self, value: &Value) -> Value {
        match value {
            Value::Text(text) => self.apply_to_text(text),
            Value::List(items) => {
                let mut items: Vec<_> = items.iter().map(|item| self.apply(item)).collect();
                if self == Self::Unordered {
                    items.sort_by(Value::order);
                }
                Value::List(items)
            }
            Value::Struct(fields) => Value::Struct(
                fields
                    .iter()
                    .map(|(name, value)| (name.clone(), self.apply(value)))
                    .collect(),
            ),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), self.apply(value)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    fn apply_to_text(self, text: &str) -> Value {
        Value::Text(match self {
            Self::Trim => text.trim().to_owned(),
            Self::Case => text.to_lowercase(),
            Self::Whitespace => one_space(text),
            Self::Nfc => text.nfc().collect(),
            Self::Nfkc => text.nfkc().collect(),
            Self::EmptyIsNull if text.is_empty() => return Value::Null,
            Self::EmptyIsNull | Self::Unordered => text.to_owned(),
        })
    }
}

/// Whether two values are the same once these normalisers, in this order, have been applied to both.
#[must_use]
pub fn same_after(normalizers: &[Normalizer], left: &Value, right: &Value) -> bool {
    let normal = |value: &Value| {
        normalizers
            .iter()
            .fold(value.clone(), |value, step| step.apply(&value))
    };
    normal(left).same(&normal(right))
}

/// The one normaliser that is enough to make two different values the same, if one is.
#[must_use]
pub fn differs_only_by(left: &Value, right: &Value) -> Option<Normalizer> {
    let has_spelling = |value: &Value| {
        matches!(
            value,
            Value::Text(_) | Value::List(_) | Value::Struct(_) | Value::Map(_)
        )
    };
    if !has_spelling(left) && !has_spelling(right) {
        return None;
    }
    Normalizer::ALL
        .into_iter()
        .find(|step| step.apply(left).same(&step.apply(right)))
}

fn one_space(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_whitespace() {
            normal.push(character);
        } else if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[track_caller]
    fn check(left: Value, right: Value, expected: Option<Normalizer>) {
        assert_eq!(
            differs_only_by(&left, &right),
            expected,
            "{left:?} {right:?}"
        );
        assert_eq!(
            differs_only_by(&right, &left),
            expected,
            "{right:?} {left:?}"
        );
    }

    #[test]
    fn each_takes_away_its_own() {
        check(text("\u{e9}"), text("e\u{301}"), Some(Normalizer::Nfc));
        check(text("\u{fb01}x"), text("fix"), Some(Normalizer::Nfkc));
        check(text(" a"), text("a\t"), Some(Normalizer::Trim));
        check(text("a  b"), text("a\u{a0}b"), Some(Normalizer::Whitespace));
        check(text("\u{c9}A"), text("\u{e9}a"), Some(Normalizer::Case));
        check(text(""), Value::Null, Some(Normalizer::EmptyIsNull));
        check(text(" "), Value::Null, None);
        check(text("a"), text("b"), None);
        check(Value::Integer(1), Value::Integer(2), None);
    }

    #[test]
    fn they_reach_into_nested_values() {
        let list = |items: &[&str]| Value::List(items.iter().map(|item| text(item)).collect());
        check(
            list(&["a", "b"]),
            list(&["b", "a"]),
            Some(Normalizer::Unordered),
        );
        check(list(&["a", "a"]), list(&["a"]), None);
        check(list(&["a "]), list(&["a"]), Some(Normalizer::Trim));
        check(
            Value::Struct(vec![("x".into(), text("A"))]),
            Value::Struct(vec![("x".into(), text("a"))]),
            Some(Normalizer::Case),
        );
    }

    #[test]
    fn several_are_applied_in_their_order() {
        use Normalizer::{EmptyIsNull, Trim};
        assert!(same_after(&[Trim, EmptyIsNull], &text(" "), &Value::Null));
        assert!(!same_after(&[EmptyIsNull, Trim], &text(" "), &Value::Null));
        assert!(!same_after(&[], &text("a"), &text("A")));
    }
}
