//! Locations with placeholders for the run date and the slice.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::run_date::RunDate;

/// A location such as `data/flights/date={date}/`, with `{date}`, `{date-1d}`, `{date+7d}` or `{slice}` in it, or
/// none of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Location {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Date { plus_days: i64 },
    Slice,
}

/// A location that cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LocationError {
    /// A placeholder that is none of those that there are.
    #[error("`{{{0}}}` is not a placeholder")]
    UnknownPlaceholder(String),
    /// A user or a password in a URL.
    #[error("a URL has a name or a password before its bucket")]
    Credentials,
    /// A brace without its partner.
    #[error("a brace is not closed in `{0}`")]
    Unclosed(String),
}

/// What stands before the bucket of a URL, where nothing may. The container of an `abfss://` URL stands there rightly.
pub(crate) fn credentials(text: &str) -> Option<std::ops::Range<usize>> {
    let scheme = text.find("://")?;
    let begin = scheme + "://".len();
    let end = text[begin..]
        .find('/')
        .map_or(text.len(), |end| begin + end);
    let at = text[begin..end].rfind('@')?;
    (!text[..scheme].ends_with("abfss")).then_some(begin..begin + at)
}

impl Location {
    /// Reads a location.
    ///
    /// # Errors
    /// A placeholder that is not known, or a brace without a partner.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        if credentials(text).is_some() {
            return Err(LocationError::Credentials);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            let close = after
                .find('}')
                .ok_or_else(|| LocationError::Unclosed(text.to_owned()))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(placeholder(&after[1..close])?);
            rest = &after[close + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// Whether it depends on the run date.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Date { .. }))
    }

    /// Whether it depends on the slice.
    #[must_use]
    pub fn is_sliced(&self) -> bool {
        self.parts.contains(&Part::Slice)
    }

    /// The same location for one slice.
    #[must_use]
    pub fn for_slice(&self, slice: &str) -> Self {
        let part = |part: &Part| match part {
            Part::Slice => Part::Text(slice.to_owned()),
            other => other.clone(),
        };
        Self {
            text: self.text.replace("{slice}", slice),
            parts: joined(self.parts.iter().map(part)),
        }
    }

    /// The location for a run date; `None` where a placeholder leaves the calendar or stands for a slice.
    #[must_use]
    pub fn at(&self, date: RunDate) -> Option<String> {
        let texts = self.parts.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Date { plus_days } => date.plus_days(*plus_days).map(|date| date.to_string()),
            Part::Slice => None,
        });
        texts.collect()
    }

    /// The key of the folder that is named for the date, such as `date` in `…/date={date}/…`, if there is one.
    #[must_use]
    pub fn date_key(&self) -> Option<&str> {
        let dated = self.parts.windows(2).find_map(|parts| match parts {
            [Part::Text(before), Part::Date { .. }] => Some(before),
            _ => None,
        });
        let folder = dated?.rsplit('/').next()?;
        folder.strip_suffix('=').filter(|key| !key.is_empty())
    }

    /// The text before the first placeholder, the text after the first, and the first placeholder's offset in
    /// days: what is needed to find the dates that are there. `None` where it is not dated.
    #[must_use]
    pub fn around_first_date(&self) -> Option<(String, i64, String)> {
        let position = self
            .parts
            .iter()
            .position(|part| matches!(part, Part::Date { .. }))?;
        let Part::Date { plus_days } = self.parts[position] else {
            return None;
        };
        let text = |parts: &[Part]| {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Date { .. } | Part::Slice => None,
            });
            texts.collect::<String>()
        };
        Some((
            text(&self.parts[..position]),
            plus_days,
            text(&self.parts[position + 1..]),
        ))
    }
}

/// Texts beside each other become one.
fn joined(parts: impl Iterator<Item = Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, part) => joined.push(part),
        }
    }
    joined
}

fn placeholder(inner: &str) -> Result<Part, LocationError> {
    let unknown = || LocationError::UnknownPlaceholder(inner.to_owned());
    if inner == "slice" {
        return Ok(Part::Slice);
    }
    let offset = inner.strip_prefix("date").ok_or_else(unknown)?;
    if offset.is_empty() {
        return Ok(Part::Date { plus_days: 0 });
    }
    let days = offset
        .strip_suffix('d')
        .filter(|days| days.starts_with(['+', '-']))
        .ok_or_else(unknown)?;
    days.parse()
        .map(|plus_days| Part::Date { plus_days })
        .map_err(|_| unknown())
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Location {
    type Error = LocationError;

    fn try_from(text: String) -> Result<Self, LocationError> {
        Self::parse(&text)
    }
}

impl From<Location> for String {
    fn from(location: Location) -> Self {
        location.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<String, LocationError> {
        Location::parse(text).map(|location| location.at("2013-03-01".parse().unwrap()).unwrap())
    }

    #[test]
    fn placeholders_become_dates() {
        assert_eq!(at("data/date={date}/x").unwrap(), "data/date=2013-03-01/x");
        assert_eq!(
            at("{date-1d}..{date+1d}").unwrap(),
            "2013-02-28..2013-03-02"
        );
        assert_eq!(at("plain.csv").unwrap(), "plain.csv");
    }

    #[test]
    fn anything_else_in_braces_is_refused() {
        for text in ["{dat}", "{date-1}", "{date1d}", "{date--1d}", "{}", "{date"] {
            assert!(at(text).is_err(), "{text}");
        }
    }
}
