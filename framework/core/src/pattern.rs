//! Patterns of differences: what many changed cells have in common, such as "null → 0", "+30 min" or "case only".
//!
//! There are a few hundred patterns in all, and every changed cell has exactly one. Numbers are classified by exact
//! decimals, a float by the shortest decimal that reads back as it.

mod numbers;
mod reach;
mod spelling;
mod times;
mod words;

use serde::{Deserialize, Serialize};

use crate::rule::Within;
use crate::value::Value;

pub use reach::Reach;

/// How a cell changed, in a word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// NULL became the number zero.
    NullToZero,
    /// NULL became false.
    NullToFalse,
    /// NULL became empty text.
    NullToEmpty,
    /// NULL became a value that is neither zero nor false nor empty.
    NullToValue,
    /// The number zero became NULL.
    ZeroToNull,
    /// False became NULL.
    FalseToNull,
    /// Empty text became NULL.
    EmptyToNull,
    /// A value that is neither zero nor false nor empty became NULL.
    ValueToNull,
    /// False became true.
    FalseToTrue,
    /// True became false.
    TrueToFalse,
    /// Zero became another number.
    ZeroToNumber,
    /// A number became zero.
    NumberToZero,
    /// A number became NaN.
    ToNan,
    /// NaN became a number.
    FromNan,
    /// A number became infinite.
    ToInfinite,
    /// An infinite number became finite.
    FromInfinite,
    /// The same number with the other sign.
    SignFlipped,
    /// The old number times ten to this power, which is not zero.
    Scaled(i8),
    /// Floats that differ in the last digits, by at most a billionth.
    LastDigits,
    /// The old number, rounded to fewer decimals.
    Rounded,
    /// The old number, cut to fewer decimals.
    DecimalsCut,
    /// A number that gives the old one when it is rounded.
    MoreDecimals,
    /// A greater number, by such a share of the old one.
    Up(Share),
    /// A smaller number, by such a share of the old one.
    Down(Share),
    /// A time that moved by exactly this, as clocks and calendars do.
    Shift {
        /// Minutes; negative for an earlier time.
        minutes: i32,
    },
    /// A later time.
    Later(Span),
    /// An earlier time.
    Earlier(Span),
    /// The same time, with a zone on one side only.
    ZoneOnly,
    /// Empty text became text.
    EmptyToText,
    /// Text became empty.
    TextToEmpty,
    /// The same letters, small or capital.
    CaseOnly,
    /// The same but for white space.
    WhitespaceOnly,
    /// The same characters in another Unicode form.
    UnicodeOnly,
    /// The same letters with other accents.
    AccentsOnly,
    /// The same but for case, white space, Unicode form and accents together.
    SpellingOnly,
    /// The beginning of the old text.
    CutOff,
    /// The old text with more behind it.
    Extended,
    /// Another text.
    OtherText,
    /// The same items in another order.
    OrderOnly,
    /// Another type, whose values read the same.
    TypeOnly,
    /// Another value, in none of the ways above.
    Other,
    /// NULL became a value that is not shown.
    NullToHidden,
    /// A value that is not shown became NULL.
    HiddenToNull,
    /// A value that is not shown became another one.
    Changed,
}

/// How far a number moved, as a share of what it was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// At most 1 %.
    OnePercent,
    /// More, and at most 10 %.
    TenPercent,
    /// More than 10 %.
    More,
}

/// How far a time moved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// At most a second.
    Second,
    /// More, and at most a minute.
    Minute,
    /// More, and at most an hour.
    Hour,
    /// More, and at most a day.
    Day,
    /// More than a day.
    More,
}

/// Differences of one pattern, and how far they may go.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PatternAllowance {
    /// The pattern.
    pub pattern: Pattern,
    /// How far a cell may move, where it is one that can be measured.
    pub within: Option<Within>,
}

impl Pattern {
    /// The pattern of a cell that is not equal.
    #[must_use]
    pub fn of(old: &Value, new: &Value) -> Self {
        match (old, new) {
            (Value::Null, value) => of_filled(value),
            (value, Value::Null) => of_emptied(value),
            (Value::Boolean(_), Value::Boolean(new)) => {
                if *new {
                    Self::FalseToTrue
                } else {
                    Self::TrueToFalse
                }
            }
            (Value::Text(old), Value::Text(new)) => spelling::of_texts(old, new),
            (Value::List(_), Value::List(_)) if spelling::is_order_only(old, new) => {
                Self::OrderOnly
            }
            _ => numbers::of_numbers(old, new)
                .or_else(|| times::of_times(old, new))
                .unwrap_or_else(|| of_others(old, new)),
        }
    }

    /// The pattern of a cell whose values must not be shown: the same whether the values stand there or what is put
    /// in their place.
    #[must_use]
    pub fn of_hidden(old: &Value, new: &Value) -> Self {
        match (old, new) {
            (Value::Null, Value::Text(text)) if text.is_empty() => Self::NullToEmpty,
            (Value::Text(text), Value::Null) if text.is_empty() => Self::EmptyToNull,
            (Value::Null, _) => Self::NullToHidden,
            (_, Value::Null) => Self::HiddenToNull,
            _ => Self::Changed,
        }
    }

    /// Whether it is one of values that must not be shown.
    #[must_use]
    pub fn is_hidden(self) -> bool {
        matches!(
            self,
            Self::NullToHidden | Self::HiddenToNull | Self::Changed
        )
    }

    /// Whether cells of it have a distance.
    #[must_use]
    pub fn is_measured(self) -> bool {
        matches!(
            self,
            Self::ZeroToNumber
                | Self::NumberToZero
                | Self::Scaled(_)
                | Self::LastDigits
                | Self::Rounded
                | Self::DecimalsCut
                | Self::MoreDecimals
                | Self::Up(_)
                | Self::Down(_)
                | Self::Later(_)
                | Self::Earlier(_)
        )
    }
}

impl PatternAllowance {
    /// Whether a cell may change like this.
    #[must_use]
    pub fn allows(&self, old: &Value, new: &Value) -> bool {
        let found = if self.pattern.is_hidden() {
            Pattern::of_hidden(old, new)
        } else {
            Pattern::of(old, new)
        };
        let within = self.within.as_ref();
        found == self.pattern && within.is_none_or(|within| within.allows(old, new))
    }
}

fn of_filled(value: &Value) -> Pattern {
    match value {
        Value::Boolean(false) => Pattern::NullToFalse,
        Value::Text(text) if text.is_empty() => Pattern::NullToEmpty,
        value if numbers::is_zero(value) => Pattern::NullToZero,
        _ => Pattern::NullToValue,
    }
}

fn of_emptied(value: &Value) -> Pattern {
    match value {
        Value::Boolean(false) => Pattern::FalseToNull,
        Value::Text(text) if text.is_empty() => Pattern::EmptyToNull,
        value if numbers::is_zero(value) => Pattern::ZeroToNull,
        _ => Pattern::ValueToNull,
    }
}

fn of_others(old: &Value, new: &Value) -> Pattern {
    if std::mem::discriminant(old) != std::mem::discriminant(new) && old.render() == new.render() {
        Pattern::TypeOnly
    } else {
        Pattern::Other
    }
}

#[cfg(test)]
mod tests;
