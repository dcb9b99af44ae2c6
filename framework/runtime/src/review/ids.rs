//! The ids in a file for review: of one group, one run and one date until which an answer would hold.
//!
//! They are letters that make no word, so that no spreadsheet takes them for a number, a date or a formula.

use chrono::NaiveDate;
use understudy_core::digest::Digest;
use understudy_core::run_date::RunDate;

use crate::report::files::group::letters;

/// The letters that a digit in sixteen is written as, in the order of the digits.
const LETTERS: &str = "bcdfghklmnpqrtvz";
/// The letters of a date: days since 1970-01-01.
const DATE_LETTERS: usize = 4;
/// The letters that vouch for the rest.
const CHECK_LETTERS: usize = 6;

/// What ids are bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids<'a> {
    /// The pipeline's name.
    pub(crate) pipeline: &'a str,
    /// The change.
    pub(crate) change: &'a str,
    /// The run.
    pub(crate) run: &'a str,
}

/// Why a text is no id of this run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BadId {
    /// It does not look like one.
    NoId,
    /// It is of another run or change, or a letter of it was altered.
    Foreign,
}

/// What an id stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Named {
    /// The group's id.
    pub(crate) group: String,
    /// The last day on which an answer holds.
    pub(crate) until: RunDate,
}

impl Ids<'_> {
    /// The id of a group whose answer would hold until then.
    pub(crate) fn id(&self, group: &str, until: RunDate) -> String {
        let date = date_letters(until);
        format!("{group}-{date}{}", self.check(group, &date))
    }

    /// What an id stands for.
    pub(crate) fn read(&self, id: &str) -> Result<Named, BadId> {
        let id = id.to_lowercase();
        let (group, rest) = id.split_once('-').ok_or(BadId::NoId)?;
        let are_letters = |text: &str| text.chars().all(|c| LETTERS.contains(c));
        let is_id = group.starts_with('g')
            && rest.len() == DATE_LETTERS + CHECK_LETTERS
            && are_letters(group)
            && are_letters(rest);
        if !is_id {
            return Err(BadId::NoId);
        }
        let (date, check) = rest.split_at(DATE_LETTERS);
        let until = date_of(date).ok_or(BadId::NoId)?;
        if check != self.check(group, date) {
            return Err(BadId::Foreign);
        }
        let group = group.to_owned();
        Ok(Named { group, until })
    }

    fn check(&self, group: &str, date: &str) -> String {
        let all = ("review", self.pipeline, self.change, self.run, group, date);
        letters(&Digest::of_json(&all), CHECK_LETTERS)
    }
}

fn date_letters(date: RunDate) -> String {
    let days = date
        .0
        .signed_duration_since(NaiveDate::default())
        .num_days();
    let days = u16::try_from(days).unwrap_or(u16::MAX);
    let letter = |place: usize| {
        let digit = usize::from(days) >> (4 * (DATE_LETTERS - 1 - place)) & 15;
        char::from(LETTERS.as_bytes()[digit])
    };
    (0..DATE_LETTERS).map(letter).collect()
}

fn date_of(letters: &str) -> Option<RunDate> {
    let days = letters.chars().try_fold(0_i64, |days, letter| {
        let digit = i64::try_from(LETTERS.find(letter)?).ok()?;
        Some(days * 16 + digit)
    })?;
    RunDate(NaiveDate::default()).plus_days(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: Ids<'_> = Ids {
        pipeline: "p",
        change: "c",
        run: "r1",
    };

    fn day(text: &str) -> RunDate {
        text.parse().unwrap()
    }

    #[test]
    fn an_id_gives_back_its_group_and_date_in_whatever_case() {
        for until in ["1970-01-01", "2026-12-21", "2149-06-06"] {
            let id = IDS.id("gbcdfghklmn", day(until));
            let named = IDS.read(&id.to_uppercase()).unwrap();
            assert_eq!(named.group, "gbcdfghklmn");
            assert_eq!(named.until, day(until));
        }
    }

    #[test]
    fn an_id_of_another_run_or_change_or_with_another_letter_is_none_of_this_one() {
        let id = IDS.id("gbcdfghklmn", day("2026-12-21"));
        for other in [
            Ids { run: "r2", ..IDS },
            Ids { change: "d", ..IDS },
            Ids {
                pipeline: "q",
                ..IDS
            },
        ] {
            assert_eq!(other.read(&id), Err(BadId::Foreign));
        }
        for place in 1..id.len() {
            let mut letters: Vec<char> = id.chars().collect();
            letters[place] = if letters[place] == 'b' { 'c' } else { 'b' };
            let damaged: String = letters.into_iter().collect();
            assert!(IDS.read(&damaged).is_err(), "{damaged}");
        }
        for none in [
            "",
            "1e5",
            "-",
            "g-",
            &id[1..],
            &id[..id.len() - 1],
            "2026-12-21",
            "g–é",
        ] {
            assert_eq!(IDS.read(none), Err(BadId::NoId), "{none}");
        }
    }
}
