//! CSV that is safe to open in a spreadsheet.
//!
//! RFC 4180 with `\n` line ends. NULL is an empty field, an empty text is `""`. Numbers, dates and times stand as
//! they are. A value that begins with a sign and is no number, such as a negative duration, is guarded like a text. A *text* is changed in three ways, all of which leave `diff.parquet` alone:
//!
//! 1. What would act instead of being seen is made visible ([`visible`]), so that a line of the file is one record
//!    and a terminal that prints it stays as it was.
//! 2. A part that a spreadsheet could take for a formula gets a `'` in front. A part is what stands between `;`,
//!    because a spreadsheet that is set to `;` makes cells of them. It could be a formula if its first character
//!    is one of `= + - @ ＝ ＋ － ＠` or the picture of a control character, blanks, quotes and `'` aside.
//!    To undo it, drop the first character of every part that still looks like a formula: [`unguard`].
//! 3. Beyond [`MAX_TEXT_CHARS`] it is cut and says so, as spreadsheets lose what is longer.

use std::fmt::Write as _;

use understudy_sabotage::Sabotage;

use crate::report::visible::visible;

/// The most characters of one text; Excel's limit for a cell is 32,767.
pub const MAX_TEXT_CHARS: usize = 32_000;

/// One field of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field<'a> {
    /// No value.
    Null,
    /// A number, date, time or truth value, in its own characters.
    Plain(&'a str),
    /// A text that comes from data or from a person.
    Text(&'a str),
    /// `true` or `false`.
    Truth(bool),
}

impl<'a> Field<'a> {
    /// A text that may be missing.
    #[must_use]
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    /// A plain value that may be missing.
    #[must_use]
    pub fn plain(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Plain)
    }
}

/// Appends one line to a CSV text.
pub fn push_line<'a>(csv: &mut String, fields: impl IntoIterator<Item = Field<'a>>) {
    for (position, field) in fields.into_iter().enumerate() {
        if position > 0 {
            csv.push(',');
        }
        match field {
            Field::Null => {}
            Field::Plain(text) if is_plain(text) => push_quoted(csv, text),
            Field::Plain(text) => push_quoted(csv, &safe_text(text)),
            Field::Truth(truth) => csv.push_str(if truth { "true" } else { "false" }),
            Field::Text("") => csv.push_str("\"\""),
            Field::Text(text) => push_quoted(csv, &safe_text(text)),
        }
    }
    csv.push('\n');
}

/// The text as it stood before [`push_line`] guarded it, apart from what was made visible or cut.
#[must_use]
pub fn unguard(field: &str) -> String {
    let part = |part: &str| {
        let guarded = looks_like_formula(part);
        part.chars().skip(usize::from(guarded)).collect::<String>()
    };
    field.split(';').map(part).collect::<Vec<_>>().join(";")
}

fn safe_text(text: &str) -> String {
    cut(&guard(&visible(text)))
}

/// Whether a value that is no text stays what it is. What begins with a sign and is no number, such as a negative
/// duration or a date before the year nought, would be computed.
fn is_plain(text: &str) -> bool {
    let is_number = || text.parse::<f64>().is_ok_and(f64::is_finite);
    !looks_like_formula(text) || is_number()
}

fn guard(text: &str) -> String {
    if Sabotage::BareFormulas.is_on() {
        return text.to_owned();
    }
    let mut guarded = String::with_capacity(text.len() + 1);
    for (position, part) in text.split(';').enumerate() {
        if position > 0 {
            guarded.push(';');
        }
        if looks_like_formula(part) {
            guarded.push('\'');
        }
        guarded.push_str(part);
    }
    guarded
}

/// Whether some spreadsheet could take a visible text for a formula. A `'` in front changes nothing of the answer:
/// that is what makes the guard reversible.
fn looks_like_formula(text: &str) -> bool {
    let aside = |c: char| matches!(c, '\'' | '"') || c.is_whitespace();
    let trigger = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\u{2400}'..='\u{2421}'
        )
    };
    text.trim_start_matches(aside).starts_with(trigger)
}

fn cut(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(MAX_TEXT_CHARS) else {
        return text.to_owned();
    };
    let mut shorter = text[..end].to_owned();
    let missing = text[end..].chars().count();
    write!(shorter, "… ({missing} more characters)").expect("writing to a String cannot fail");
    shorter
}

fn push_quoted(csv: &mut String, text: &str) {
    let edge = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    if !edge && !text.contains(['"', ',', ';', '\r', '\n']) {
        csv.push_str(text);
        return;
    }
    csv.push('"');
    csv.push_str(&text.replace('"', "\"\""));
    csv.push('"');
}

#[cfg(test)]
mod tests;
