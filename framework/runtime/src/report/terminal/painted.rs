//! The last look at what goes to a terminal.

use std::borrow::Cow;

use super::ink::CODES;
use crate::report::visible::visible_lines;

/// A text in which nothing acts but our own colours, whatever was forgotten where it was put together.
#[must_use]
pub fn only_painted(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c == '\n' || matches!(c, ' '..='~');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        shown.push_str(&visible_lines(&rest[..at]));
        let after = &rest[at + 1..];
        let own = CODES.iter().find(|code| {
            let inner = after
                .strip_prefix('[')
                .and_then(|rest| rest.strip_prefix(*code));
            inner.is_some_and(|rest| rest.starts_with('m'))
        });
        let end = match own {
            Some(code) => {
                shown.push_str(&format!("\u{1b}[{code}m"));
                at + 1 + code.len() + 2
            }
            None => {
                shown.push_str(&visible_lines("\u{1b}"));
                at + 1
            }
        };
        rest = &rest[end..];
    }
    shown.push_str(&visible_lines(rest));
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::super::ink::{Ink, Tone};
    use super::only_painted;

    #[test]
    fn own_colours_stay_and_nothing_else_does() {
        let painted = format!("é {}\n", Ink::Colour.paint(Tone::Bad, "UNEXPECTED"));
        assert_eq!(only_painted(&painted), painted);
        assert_eq!(
            only_painted("\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}"),
            "␛[2J␛]0;x␇<U+202E>"
        );
        assert_eq!(only_painted("\u{1b}[1;31\u{1b}"), "␛[1;31␛");
    }
}
