//! Patterns in words, for people.

use std::fmt;

use super::{Pattern, PatternAllowance, Share, Span};
use crate::rule::{Bound, Within};

/// Digits that a bound has before it is written with an exponent.
const PLAIN_DIGITS: u64 = 15;

/// As "null → 0", "+30 min" or "case only".
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scaled(power) => f.write_str(&scale(*power)),
            Self::Up(share) => write!(f, "up by {}", share_words(*share)),
            Self::Down(share) => write!(f, "down by {}", share_words(*share)),
            Self::Shift { minutes } => f.write_str(&shift(*minutes)),
            Self::Later(span) => write!(f, "later by {}", span_words(*span)),
            Self::Earlier(span) => write!(f, "earlier by {}", span_words(*span)),
            fixed => f.write_str(fixed.fixed_words()),
        }
    }
}

impl Pattern {
    /// The words of a pattern without parts.
    fn fixed_words(self) -> &'static str {
        match self {
            Self::NullToZero => "null → 0",
            Self::NullToFalse => "null → false",
            Self::NullToEmpty => "null → empty text",
            Self::NullToValue | Self::NullToHidden => "null → value",
            Self::ZeroToNull => "0 → null",
            Self::FalseToNull => "false → null",
            Self::EmptyToNull => "empty text → null",
            Self::ValueToNull | Self::HiddenToNull => "value → null",
            Self::FalseToTrue => "false → true",
            Self::TrueToFalse => "true → false",
            Self::ZeroToNumber => "0 → another number",
            Self::NumberToZero => "number → 0",
            Self::ToNan => "number → NaN",
            Self::FromNan => "NaN → number",
            Self::ToInfinite => "number → infinite",
            Self::FromInfinite => "infinite → number",
            Self::SignFlipped => "sign flipped",
            Self::LastDigits => "last digits only",
            Self::Rounded => "rounded",
            Self::DecimalsCut => "decimals cut off",
            Self::MoreDecimals => "more decimals",
            Self::ZoneOnly => "time zone added or removed",
            Self::EmptyToText => "empty text → text",
            Self::TextToEmpty => "text → empty text",
            Self::CaseOnly => "case only",
            Self::WhitespaceOnly => "whitespace only",
            Self::UnicodeOnly => "Unicode form only",
            Self::AccentsOnly => "accents only",
            Self::SpellingOnly => "spelling only (case, whitespace, accents)",
            Self::CutOff => "text cut off",
            Self::Extended => "text extended",
            Self::OtherText => "another text",
            Self::OrderOnly => "order only",
            Self::TypeOnly => "type only",
            _ => "another value",
        }
    }

    /// What rows may do where it is accepted, of a column's name: what comes after "lets up to 450 rows".
    #[must_use]
    pub fn permission(self, column: &str) -> String {
        match self {
            Self::NullToZero => format!("have 0 where {column} was null"),
            Self::NullToFalse => format!("have false where {column} was null"),
            Self::NullToEmpty => format!("have empty text where {column} was null"),
            Self::NullToValue => {
                format!("have a value other than 0, false or empty text where {column} was null")
            }
            Self::NullToHidden => format!("have a value where {column} was null"),
            Self::ZeroToNull => format!("have null where {column} was 0"),
            Self::FalseToNull => format!("have null where {column} was false"),
            Self::EmptyToNull => format!("have null where {column} was empty text"),
            Self::ValueToNull | Self::HiddenToNull => {
                format!("have null where {column} had a value")
            }
            Self::FalseToTrue => format!("have true where {column} was false"),
            Self::TrueToFalse => format!("have false where {column} was true"),
            Self::ZeroToNumber => format!("have another number where {column} was 0"),
            Self::NumberToZero => format!("have 0 where {column} was another number"),
            Self::ToNan => format!("have NaN where {column} was a number"),
            Self::FromNan => format!("have a number where {column} was NaN"),
            Self::SignFlipped => format!("have {column} with the other sign"),
            Self::Scaled(power) => format!("have {column} {}", scale(power)),
            Self::LastDigits => format!("differ in the last digits of {column}"),
            Self::Up(_) | Self::Down(_) => format!("have {column} {self}"),
            Self::Shift { .. } => format!("have {column} moved by {self}"),
            Self::Later(_) | Self::Earlier(_) => format!("have {column} {self}"),
            Self::CutOff => format!("have the text of {column} cut off"),
            Self::Extended => format!("have more text behind that of {column}"),
            Self::OtherText => format!("have another text in {column}"),
            Self::Rounded => format!("have {column} rounded"),
            Self::DecimalsCut => format!("have {column} with decimals cut off"),
            Self::MoreDecimals => format!("have {column} with more decimals"),
            Self::Other | Self::Changed => format!("have another value in {column}"),
            plain => format!("differ in {column} like this: {}", plain.fixed_words()),
        }
    }
}

impl PatternAllowance {
    /// What rows may do where it is accepted: what comes after "lets up to 450 rows".
    #[must_use]
    pub fn permission(&self, column: &str) -> String {
        let may = self.pattern.permission(column);
        match self.within.as_ref().and_then(at_most) {
            Some(bound) => format!("{may}, by at most {bound}"),
            None => may,
        }
    }
}

/// The greater of the two directions that are allowed.
fn at_most(within: &Within) -> Option<String> {
    let sides = [&within.up, &within.down];
    let bound = sides
        .into_iter()
        .filter(|bound| bound.abs.is_some())
        .max_by(|a, b| a.abs.cmp(&b.abs))?;
    bound_words(bound)
}

fn bound_words(bound: &Bound) -> Option<String> {
    let abs = bound.abs.as_ref()?.normalized();
    if bound.abs_is_duration {
        let nanos = abs.with_scale(0).to_string().parse::<u128>().ok()?;
        return Some(duration(nanos));
    }
    let is_long = abs.order_of_magnitude().unsigned_abs() > PLAIN_DIGITS;
    Some(if is_long {
        abs.to_scientific_notation()
    } else {
        abs.to_plain_string()
    })
}

/// A distance between times, in the largest unit that it is ten of, or that it is a few tenths of.
#[must_use]
pub(crate) fn duration(nanos: u128) -> String {
    const UNITS: [(u128, &str); 7] = [
        (86_400_000_000_000, "days"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "min"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "µs"),
        (1, "ns"),
    ];
    let fits = |(unit, _): &(u128, &str)| nanos >= *unit && (nanos * 10).is_multiple_of(*unit);
    let (unit, name) = UNITS.into_iter().find(fits).unwrap_or((1, "ns"));
    let (whole, tenths) = (nanos / unit, nanos * 10 / unit % 10);
    match (whole, tenths, name) {
        (1, 0, "days") => "1 day".to_owned(),
        (whole, 0, name) => format!("{whole} {name}"),
        (whole, tenths, name) => format!("{whole}.{tenths} {name}"),
    }
}

fn scale(power: i8) -> String {
    let sign = if power < 0 { '÷' } else { '×' };
    match power.unsigned_abs() {
        few @ 1..=6 => format!("{sign}1{}", "0".repeat(usize::from(few))),
        many => format!("{sign}10^{many}"),
    }
}

fn share_words(share: Share) -> &'static str {
    match share {
        Share::OnePercent => "at most 1 %",
        Share::TenPercent => "1 to 10 %",
        Share::More => "more than 10 %",
    }
}

fn span_words(span: Span) -> &'static str {
    match span {
        Span::Second => "at most 1 s",
        Span::Minute => "1 s to 1 min",
        Span::Hour => "1 min to 1 h",
        Span::Day => "1 h to 1 day",
        Span::More => "more than 1 day",
    }
}

fn shift(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let distance = minutes.unsigned_abs();
    match (
        distance / 1_440,
        distance % 1_440,
        distance / 60,
        distance % 60,
    ) {
        (1, 0, ..) => format!("{sign}1 day"),
        (days, 0, ..) => format!("{sign}{days} days"),
        (_, _, hours, 0) => format!("{sign}{hours} h"),
        (_, _, 0, minutes) => format!("{sign}{minutes} min"),
        (_, _, hours, minutes) => format!("{sign}{hours} h {minutes} min"),
    }
}
