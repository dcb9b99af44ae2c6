//! The date that a run computes.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// A run date: a calendar day, written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunDate(pub NaiveDate);

impl RunDate {
    /// The date some days later (or earlier, when negative); `None` beyond the calendar.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Option<Self> {
        let distance = Days::new(days.unsigned_abs());
        let moved = if days < 0 {
            self.0.checked_sub_days(distance)
        } else {
            self.0.checked_add_days(distance)
        };
        moved.map(Self)
    }
}

impl fmt::Display for RunDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// A text that is no run date.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a date; write it as YYYY-MM-DD")]
pub struct NotADate(String);

impl FromStr for RunDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let strict = text.len() == 10 && text.is_ascii();
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| strict)
            .map(Self)
            .ok_or_else(|| NotADate(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_full_form_is_a_date() {
        assert_eq!(
            "2013-02-28".parse::<RunDate>().unwrap().to_string(),
            "2013-02-28"
        );
        for text in [
            "2013-2-28",
            "2013-02-30",
            "20130228",
            "",
            "+2013-02-28",
            "today",
        ] {
            assert!(text.parse::<RunDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_cross_months() {
        let date: RunDate = "2013-03-01".parse().unwrap();
        assert_eq!(date.plus_days(-1).unwrap().to_string(), "2013-02-28");
    }
}
