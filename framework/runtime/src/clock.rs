//! The one place that reads the wall clock.

use chrono::{DateTime, SecondsFormat, Utc};
use understudy_core::run_date::RunDate;

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "everybody else asks here")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Today, in UTC.
#[must_use]
pub(crate) fn today() -> RunDate {
    RunDate(now().date_naive())
}

/// Now: nanoseconds since 1970-01-01T00:00:00 UTC.
#[must_use]
pub(crate) fn now_nanos() -> i64 {
    now().timestamp_nanos_opt().unwrap_or(i64::MAX)
}

/// Now, as RFC 3339 in UTC to the millisecond.
#[must_use]
pub(crate) fn now_text() -> String {
    now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
