//! Patterns of times.

use super::{Pattern, Span};
use crate::value::Value;

const NANOS_PER_SEC: i128 = 1_000_000_000;
const NANOS_PER_MINUTE: i128 = 60 * NANOS_PER_SEC;
const NANOS_PER_HOUR: i128 = 60 * NANOS_PER_MINUTE;
const NANOS_PER_DAY: i128 = 24 * NANOS_PER_HOUR;
/// The zones of the earth lie this far apart at most, in steps of a quarter of an hour.
const MAX_ZONES: i128 = 26 * NANOS_PER_HOUR;
const ZONE_STEP: i128 = 15 * NANOS_PER_MINUTE;
/// Shifts by whole days that are told apart.
const MAX_DAYS: i128 = 7 * NANOS_PER_DAY;

/// The pattern of two times; `None` where they are none, or of two kinds.
pub(super) fn of_times(old: &Value, new: &Value) -> Option<Pattern> {
    if let (Value::Timestamp { nanos: before, .. }, Value::Timestamp { nanos: after, .. }) =
        (old, new)
        && before == after
    {
        return Some(Pattern::ZoneOnly);
    }
    let moved = Value::nanos_between(old, new)?;
    let distance = moved.unsigned_abs();
    let of = |nanos: i128| nanos.unsigned_abs();
    let is_zone = distance <= of(MAX_ZONES) && moved % ZONE_STEP == 0;
    let is_days = distance <= of(MAX_DAYS) && moved % NANOS_PER_DAY == 0;
    if (is_zone || is_days)
        && let Ok(minutes) = i32::try_from(moved / NANOS_PER_MINUTE)
    {
        return Some(Pattern::Shift { minutes });
    }
    let span = match distance {
        nanos if nanos <= of(NANOS_PER_SEC) => Span::Second,
        nanos if nanos <= of(NANOS_PER_MINUTE) => Span::Minute,
        nanos if nanos <= of(NANOS_PER_HOUR) => Span::Hour,
        nanos if nanos <= of(NANOS_PER_DAY) => Span::Day,
        _ => Span::More,
    };
    Some(if moved > 0 {
        Pattern::Later(span)
    } else {
        Pattern::Earlier(span)
    })
}
