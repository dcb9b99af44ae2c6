//! How CSV files for people are written: what their spreadsheet wants.

use serde::{Deserialize, Serialize};

/// What a CSV file of a report looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CsvDialect {
    /// Whether it begins with a byte order mark, by which some spreadsheets know UTF-8.
    #[serde(default)]
    pub bom: bool,
    /// What stands between fields.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// What stands before the decimals of a number; a text is left as it is.
    #[serde(default)]
    pub decimal: DecimalMark,
}

/// What stands between fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

/// What stands before the decimals of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// `.`
    #[default]
    Point,
    /// `,`
    Comma,
}

impl Delimiter {
    /// The words for them, as people write them.
    pub const WORDS: &'static [&'static str] = &[",", ";", "tab"];

    /// The delimiter of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Comma, Self::Semicolon, Self::Tab]
            .into_iter()
            .zip(Self::WORDS)
            .find_map(|(delimiter, known)| (*known == word).then_some(delimiter))
    }

    /// The character.
    #[must_use]
    pub fn character(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}

impl DecimalMark {
    /// The words for them, as people write them.
    pub const WORDS: &'static [&'static str] = &[".", ","];

    /// The mark of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Point, Self::Comma]
            .into_iter()
            .zip(Self::WORDS)
            .find_map(|(mark, known)| (*known == word).then_some(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::{DecimalMark, Delimiter};

    #[test]
    fn every_word_has_a_meaning() {
        let delimiters: Vec<_> = Delimiter::WORDS
            .iter()
            .map(|word| Delimiter::named(word))
            .collect();
        assert!(delimiters.iter().all(Option::is_some), "{delimiters:?}");
        let marks: Vec<_> = DecimalMark::WORDS
            .iter()
            .map(|word| DecimalMark::named(word))
            .collect();
        assert!(marks.iter().all(Option::is_some), "{marks:?}");
        assert_eq!(Delimiter::named("|"), None);
    }
}
