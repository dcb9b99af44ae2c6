//! CSV that is safe to open in a spreadsheet.
//!
//! RFC 4180 with `\n` line ends. NULL is an empty field, an empty text is `""`. Numbers, dates and times stand as
//! they are. A value that begins with a sign and is no number, such as a negative duration, is guarded like a text. A *text* is changed in three ways, all of which leave `diff.parquet` alone:
//!
//! 1. What would act instead of being seen is made visible ([`visible`]), so that a line of the file is one record
//!    and a terminal that prints it stays as it was.
//! 2. A part that a spreadsheet could take for a formula gets a `'` in front. A part is what stands between `;`,
//!    because a spreadsheet that is set to `;` makes cells of them; where `;` is the delimiter, between `,`, and where
//!    a tab is, between both. It could be a formula if its first character
//!    is one of `= + - @ ＝ ＋ － ＠` or the picture of a control character, blanks, quotes and `'` aside.
//!    To undo it, drop the first character of every part that still looks like a formula: [`unguard`].
//! 3. Beyond [`MAX_TEXT_CHARS`] it is cut and says so, as spreadsheets lose what is longer.

use std::fmt::Write as _;

use understudy_core::csv_dialect::{CsvDialect, DecimalMark, Delimiter};
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

/// How a file begins.
#[must_use]
pub fn beginning(dialect: CsvDialect) -> &'static str {
    if dialect.bom { "\u{feff}" } else { "" }
}

/// Appends one line to a CSV text.
pub fn push_line<'a>(
    csv: &mut String,
    dialect: CsvDialect,
    fields: impl IntoIterator<Item = Field<'a>>,
) {
    let between = dialect.delimiter;
    for (position, field) in fields.into_iter().enumerate() {
        if position > 0 {
            csv.push(between.character());
        }
        match field {
            Field::Null => {}
            Field::Plain(text) if has_decimals(text, dialect) => push_decimals(csv, text, between),
            Field::Plain(text) if is_plain(text) => push_quoted(csv, text),
            Field::Plain(text) => push_quoted(csv, &safe_text(text, between)),
            Field::Truth(truth) => csv.push_str(if truth { "true" } else { "false" }),
            Field::Text("") => csv.push_str("\"\""),
            Field::Text(text) => push_quoted(csv, &safe_text(text, between)),
        }
    }
    csv.push('\n');
}

/// The text as it stood before [`push_line`] guarded it, apart from what was made visible or cut.
#[must_use]
pub fn unguard(field: &str, delimiter: Delimiter) -> String {
    let parts = field.split_inclusive(elsewhere(delimiter));
    let part = |part: &str| {
        let guarded = looks_like_formula(part);
        part.chars().skip(usize::from(guarded)).collect::<String>()
    };
    parts.map(part).collect()
}

/// What a spreadsheet that is set to something else takes for the end of a cell.
fn elsewhere(delimiter: Delimiter) -> &'static [char] {
    match delimiter {
        Delimiter::Comma => &[';'],
        Delimiter::Semicolon => &[','],
        Delimiter::Tab => &[',', ';'],
    }
}

/// A text as [`push_line`] writes it, before its quotes.
pub(crate) fn safe_text(text: &str, delimiter: Delimiter) -> String {
    cut(&guard(&visible(text), delimiter))
}

/// Whether a value that is no text stays what it is. What begins with a sign and is no number, such as a negative
/// duration or a date before the year nought, would be computed.
fn is_plain(text: &str) -> bool {
    !looks_like_formula(text) || is_number(text)
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a value is a number in which another mark has to stand. A time of day has a point as well, and is none.
fn has_decimals(text: &str, dialect: CsvDialect) -> bool {
    dialect.decimal == DecimalMark::Comma && text.contains('.') && is_number(text)
}

fn push_decimals(csv: &mut String, number: &str, delimiter: Delimiter) {
    let number = number.replace('.', ",");
    if delimiter == Delimiter::Comma {
        push_quoted(csv, &number);
    } else {
        csv.push_str(&number);
    }
}

fn guard(text: &str, delimiter: Delimiter) -> String {
    if Sabotage::BareFormulas.is_on() {
        return text.to_owned();
    }
    let mut guarded = String::with_capacity(text.len() + 1);
    for part in text.split_inclusive(elsewhere(delimiter)) {
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
