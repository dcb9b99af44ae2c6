//! Text that keeps to its columns, counted as a terminal shows it.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The columns that a screen has at least; nothing but a path or a command to type goes beyond.
pub(crate) const MAX_WIDTH: usize = 100;

/// More bytes than a column of a text takes that somebody reads: characters with many marks on them.
const MAX_BYTES_PER_COLUMN: usize = 64;

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut to so many columns; what is cut shows it by `…`.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = head(text, columns.saturating_sub(1)).to_owned();
    cut.push('…');
    cut
}

/// The text with blanks after it, up to so many columns.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", blanks(text, columns))
}

/// The text with blanks before it, up to so many columns.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", blanks(text, columns))
}

/// The text in lines of so many columns, broken at blanks, or inside a word that is too long for a line.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut rest = word;
        loop {
            let line = lines.last_mut().expect("there is a line from the start");
            let gap = usize::from(!line.is_empty());
            if fits(rest, columns.saturating_sub(width(line) + gap)) {
                line.push_str(&" "[..gap]);
                line.push_str(rest);
                break;
            }
            if line.is_empty() {
                let taken = head(rest, columns.max(2));
                line.push_str(taken);
                rest = &rest[taken.len()..];
            }
            lines.push(String::new());
        }
    }
    lines
}

/// Whether so many columns hold the text. One of megabytes is not counted for every line of it.
fn fits(text: &str, columns: usize) -> bool {
    text.len() <= columns.saturating_mul(MAX_BYTES_PER_COLUMN) && width(text) <= columns
}

/// As much of the text's start as so many columns hold.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let too_far = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    too_far.map_or(text, |(end, _)| &text[..end])
}

fn blanks(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(left("東京", 6), "東京  ");
        assert_eq!(right("e\u{301}", 3), "  e\u{301}");
        assert_eq!(fit("東京都庁", 6), "東京…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
    }

    #[test]
    fn lines_break_at_blanks_and_inside_words_only_where_they_must() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a abcdefgh b", 4), ["a", "abcd", "efgh", "b"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("東京都庁", 5), ["東京", "都庁"]);
    }

    /// Found by a mutated file with a key of megabytes: each line of it took as long as all that was left.
    #[test]
    fn a_word_of_megabytes_is_wrapped() {
        let lines = wrap(&"x".repeat(20 << 20), 80);
        assert_eq!(lines.len(), (20 << 20) / 80);
    }
}
