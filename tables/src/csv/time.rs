//! Dates and timestamps as text.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

/// How a column writes its timestamps; all values of one share it, so that each comes back as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimestampForm {
    separator: u8,
    fraction_digits: usize,
    pub(crate) zone: ZoneForm,
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ZoneForm {
    /// Not at all: a reading of some clock.
    Missing,
    /// `Z`.
    Zulu,
    /// `+00:00`.
    Numeric,
}

/// A timestamp's text, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp<'a> {
    separator: u8,
    clock: NaiveDateTime,
    fraction: &'a str,
    offset: &'a str,
}

/// The days since 1970-01-01 of a `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    naive_date(text.as_bytes()).map(days_since_epoch)
}

fn days_since_epoch(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

impl<'a> Timestamp<'a> {
    /// Takes apart `YYYY-MM-DD?HH:MM:SS[.f…][Z|±HH:MM]`, with `T` or a space in the middle.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 19 || !text.is_ascii() || !matches!(bytes[10], b'T' | b' ') {
            return None;
        }
        let clock = naive_date(&bytes[..10])?.and_time(naive_time(&bytes[11..19])?);
        let rest = &text[19..];
        let fraction = match rest.strip_prefix('.') {
            Some(rest) => &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()],
            None => "",
        };
        if rest.starts_with('.') && fraction.is_empty() {
            return None;
        }
        let offset = &rest[usize::from(!fraction.is_empty()) + fraction.len()..];
        Some(Self {
            separator: bytes[10],
            clock,
            fraction,
            offset,
        })
    }

    /// Its form, where it can be one of a column that comes back the same.
    pub(crate) fn form(&self) -> Option<TimestampForm> {
        let zone = match self.offset {
            "" => ZoneForm::Missing,
            "Z" => ZoneForm::Zulu,
            "+00:00" => ZoneForm::Numeric,
            _ => return None,
        };
        let micros = self.fraction.len() <= 6;
        micros.then_some(TimestampForm {
            separator: self.separator,
            fraction_digits: self.fraction.len(),
            zone,
        })
    }

    /// Microseconds since the epoch, of the instant or, without an offset, of the clock taken as UTC.
    /// `None` where a microsecond does not hold it.
    pub(crate) fn micros(&self) -> Option<i64> {
        let fraction = micros_of_fraction(self.fraction)?;
        self.instant()?.timestamp_micros().checked_add(fraction)
    }

    fn instant(&self) -> Option<DateTime<Utc>> {
        if matches!(self.offset, "" | "Z") {
            return Some(self.clock.and_utc());
        }
        let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = self.offset.as_bytes() else {
            return None;
        };
        let seconds = i32::try_from(two(&[*h1, *h2])? * 3600 + two(&[*m1, *m2])? * 60).ok()?;
        let offset = FixedOffset::east_opt(if *sign == b'-' { -seconds } else { seconds })?;
        offset
            .from_local_datetime(&self.clock)
            .single()
            .map(|local| local.to_utc())
    }
}

/// The digits behind a second's point as microseconds; `None` where there are more than zeros behind the sixth.
fn micros_of_fraction(digits: &str) -> Option<i64> {
    let (held, lost) = digits.split_at(digits.len().min(6));
    let nothing_lost = lost.bytes().all(|digit| digit == b'0');
    let micros = held
        .bytes()
        .fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    nothing_lost.then(|| (held.len()..6).fold(micros, |micros, _| micros * 10))
}

fn naive_date(bytes: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else {
        return None;
    };
    let year = two(&[*y1, *y2])? * 100 + two(&[*y3, *y4])?;
    NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        two(&[*m1, *m2])?,
        two(&[*d1, *d2])?,
    )
}

/// A time of day; a leap second has no instant of its own, so it is none.
fn naive_time(bytes: &[u8]) -> Option<NaiveTime> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = bytes else {
        return None;
    };
    NaiveTime::from_hms_opt(two(&[*h1, *h2])?, two(&[*m1, *m2])?, two(&[*s1, *s2])?)
}

fn two(digits: &[u8; 2]) -> Option<u32> {
    let both = digits.iter().all(u8::is_ascii_digit);
    both.then(|| u32::from(digits[0] - b'0') * 10 + u32::from(digits[1] - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_strict() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date("1969-12-31"), Some(-1));
        for text in [
            "2013-02-29",
            "2013-2-3",
            "20130203",
            "2013/02/03",
            "",
            "2013-02-03 ",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_to_the_microsecond() {
        let check = |text, micros| {
            assert_eq!(
                Timestamp::parse(text).and_then(|timestamp| timestamp.micros()),
                micros,
                "{text}"
            );
        };
        check("1970-01-01T00:00:01Z", Some(1_000_000));
        check("1970-01-01 00:00:01.5", Some(1_500_000));
        check("1970-01-01T00:00:00.0000010Z", Some(1));
        check("1970-01-01T00:00:00.0000001Z", None);
        check("1970-01-01T01:00:00+01:00", Some(0));
        check("1969-12-31T23:59:59.25Z", Some(-750_000));
        for text in [
            "1970-01-01",
            "1970-01-01T00:00Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00UTC",
        ] {
            check(text, None);
        }
    }
}
