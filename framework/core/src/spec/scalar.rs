//! What scalars mean. Each reader gives `None` for a text that is not clearly what it reads; the shape that asked
//! for it says what was wanted.

use std::str::FromStr as _;

use bigdecimal::{BigDecimal, Zero as _};

use super::model::{ColumnType, Param, Wave};
use super::yaml::Scalar;
use crate::rule::Bound;
use crate::run_date::RunDate;

/// The column types, as files name them.
pub(crate) const COLUMN_TYPES: [&str; 7] = [
    "text",
    "integer",
    "float",
    "boolean",
    "date",
    "timestamp",
    "decimal(S)",
];
/// The digits of a decimal column.
const DECIMAL_DIGITS: i8 = 38;
/// The longest duration: ten years.
const MAX_DURATION_SECS: u64 = 10 * 366 * 86_400;
/// The longest number that a tolerance is read from.
const MAX_NUMBER_CHARS: usize = 64;
/// The greatest power of ten in a tolerance; beyond it every float is near or none is.
const MAX_EXPONENT: i64 = 330;
/// Words that some programs read as booleans or numbers and others as text.
const AMBIGUOUS: [&str; 8] = ["yes", "no", "on", "off", ".inf", "-.inf", "+.inf", ".nan"];

/// The furthest day that an offset reaches: a hundred years.
const MAX_DAYS: i64 = 36_525;

/// A number of days with its unit, such as `-1d` or `30d`.
pub(crate) fn days(scalar: &Scalar) -> Option<i64> {
    let number = scalar.text.strip_suffix('d')?;
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let days: i64 = number.parse().ok().filter(|_| is_plain)?;
    (-MAX_DAYS..=MAX_DAYS).contains(&days).then_some(days)
}

/// Text that is not blank and has nothing in it that cannot be seen.
pub(crate) fn text(scalar: &Scalar) -> Option<&str> {
    let seen = !scalar.text.trim().is_empty() && !scalar.text.contains(char::is_control);
    verbatim(scalar).filter(|_| seen)
}

/// Text exactly as written.
pub(crate) fn verbatim(scalar: &Scalar) -> Option<&str> {
    (!scalar.is_null()).then_some(scalar.text.as_str())
}

/// A parameter: quoted is text; plain is a boolean or a number where it is written like one.
pub(crate) fn param(scalar: &Scalar) -> Option<Param> {
    let text = || Param::Text(scalar.text.clone());
    if !scalar.plain {
        return Some(text());
    }
    match scalar.text.as_str() {
        "true" => Some(Param::Boolean(true)),
        "false" => Some(Param::Boolean(false)),
        word if scalar.is_null() || is_ambiguous(word) => None,
        number if is_number(number) && !number.contains(['.', 'e', 'E']) => {
            number.parse().ok().map(Param::Integer)
        }
        number if is_number(number) => number
            .parse()
            .ok()
            .filter(|float: &f64| float.is_finite())
            .map(Param::Float),
        _ => Some(text()),
    }
}

fn is_ambiguous(word: &str) -> bool {
    let lower = word.to_lowercase();
    AMBIGUOUS.contains(&lower.as_str()) || lower == "true" || lower == "false"
}

/// A number as JSON writes it: `007`, `1_000` and `0x1F` are text.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let whole_fits = digits(whole) && (whole == "0" || !whole.starts_with('0'));
    whole_fits && digits(fraction) && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// A whole number in digits.
pub(crate) fn count(scalar: &Scalar) -> Option<u64> {
    let digits = scalar.plain && scalar.text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = scalar.text == "0" || !scalar.text.starts_with('0');
    (digits && canonical)
        .then(|| scalar.text.parse().ok())
        .flatten()
}

/// A number from 0 to 100, exactly as written.
pub(crate) fn percentile(scalar: &Scalar) -> Option<BigDecimal> {
    let is_plain = scalar.plain && is_number(&scalar.text) && !scalar.text.contains(['e', 'E']);
    let is_short = scalar.text.len() <= MAX_NUMBER_CHARS;
    let number = (is_plain && is_short).then(|| BigDecimal::from_str(&scalar.text).ok());
    let within =
        |number: &BigDecimal| (BigDecimal::zero()..=BigDecimal::from(100)).contains(number);
    number.flatten().filter(within)
}

/// How many times as much, from once to a thousand times.
pub(crate) fn ratio(scalar: &Scalar) -> Option<f64> {
    let is_number = scalar.plain
        && scalar
            .text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !scalar.text.starts_with('.')
        && !scalar.text.ends_with('.');
    let ratio: f64 = is_number.then(|| scalar.text.parse().ok()).flatten()?;
    (1.0..=1_000.0).contains(&ratio).then_some(ratio)
}

/// A percentage as a fraction.
pub(crate) fn fraction(scalar: &Scalar) -> Option<f64> {
    use bigdecimal::ToPrimitive as _;
    bound(scalar)?.rel?.to_f64()
}

/// How many customers go with a wave, or which share of all has gone after it.
pub(crate) fn wave(scalar: &Scalar) -> Option<Wave> {
    let share = || fraction(scalar).filter(|share| *share > 0.0 && *share <= 1.0);
    let few = count(scalar).and_then(|count| u32::try_from(count).ok());
    let few = few.filter(|few| *few > 0).map(Wave::More);
    few.or_else(|| share().map(Wave::Share))
}

/// A duration in seconds.
pub(crate) fn duration_secs(scalar: &Scalar) -> Option<u64> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    with_unit(&scalar.text, &units).filter(|secs| *secs <= MAX_DURATION_SECS)
}

/// A size in bytes; at least one.
pub(crate) fn memory_bytes(scalar: &Scalar) -> Option<u64> {
    let decimal = [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    let binary = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    with_unit(&scalar.text, &decimal)
        .or_else(|| with_unit(&scalar.text, &binary))
        .filter(|bytes| *bytes > 0)
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(end);
    let (_, size) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    digits.parse::<u64>().ok()?.checked_mul(*size)
}

/// One bound of a tolerance: `0.5`, `5%` or, for times, `15m`.
pub(crate) fn bound(scalar: &Scalar) -> Option<Bound> {
    let text = scalar.text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        let rel = amount(percent.trim_end())? * BigDecimal::new(1.into(), 2);
        return Some(Bound {
            rel: Some(rel.normalized()),
            ..Bound::default()
        });
    }
    let nanos = nanos(text);
    Some(Bound {
        abs_is_duration: nanos.is_some(),
        abs: Some(nanos.or_else(|| amount(text))?),
        ..Bound::default()
    })
}

fn amount(text: &str) -> Option<BigDecimal> {
    let plain = text.len() <= MAX_NUMBER_CHARS && text.starts_with(|c: char| c.is_ascii_digit());
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let plain = plain
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let amount = (plain && exponent.abs() <= MAX_EXPONENT)
        .then(|| BigDecimal::from_str(text).ok())
        .flatten()?;
    Some(if amount.is_zero() {
        BigDecimal::zero()
    } else {
        amount.normalized()
    })
}

fn nanos(text: &str) -> Option<BigDecimal> {
    let units = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    let millis = with_unit(text, &units).filter(|millis| *millis <= MAX_DURATION_SECS * 1_000)?;
    Some(BigDecimal::from(millis) * BigDecimal::from(1_000_000))
}

/// A calendar date.
pub(crate) fn date(scalar: &Scalar) -> Option<RunDate> {
    scalar.text.parse().ok()
}

/// A type for a CSV column.
pub(crate) fn column_type(scalar: &Scalar) -> Option<ColumnType> {
    match scalar.text.as_str() {
        "text" => Some(ColumnType::Text),
        "integer" => Some(ColumnType::Integer),
        "float" => Some(ColumnType::Float),
        "boolean" => Some(ColumnType::Boolean),
        "date" => Some(ColumnType::Date),
        "timestamp" => Some(ColumnType::Timestamp),
        decimal => {
            let scale: i8 = decimal
                .strip_prefix("decimal(")?
                .strip_suffix(')')?
                .trim()
                .parse()
                .ok()?;
            (0..=DECIMAL_DIGITS)
                .contains(&scale)
                .then_some(ColumnType::Decimal(scale))
        }
    }
}

#[cfg(test)]
mod tests;
