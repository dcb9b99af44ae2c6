//! Text from data that never acts on the screen that shows it.

use std::borrow::Cow;
use std::fmt::Write as _;

use understudy_sabotage::Sabotage;

/// The text with everything visible that would act instead of being seen: control characters as their pictures
/// (`␊`, `␛`), others that steer or hide text, such as bidirectional overrides, as `<U+202E>`.
/// It stays on one line.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) || Sabotage::BareEscapes.is_on() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match picture(c) {
            Some(picture) => shown.push(picture),
            None if acts(c) => {
                write!(shown, "<U+{:04X}>", u32::from(c)).expect("writing to a String cannot fail")
            }
            None => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The same for a text of several lines: its line breaks stay.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// A JSON text in which what would act is escaped: outside of its texts JSON has nothing of the kind.
#[must_use]
pub fn quiet_json(json: String) -> String {
    // Line breaks stand between its parts.
    let loud = |c: char| c != '\n' && acts(c);
    if !json.contains(loud) || Sabotage::BareEscapes.is_on() {
        return json;
    }
    let mut quiet = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        if loud(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(quiet, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        } else {
            quiet.push(c);
        }
    }
    quiet
}

/// Whether a character steers the screen, or the text around it, rather than standing for itself.
/// The joiners that scripts and emoji need (U+200C, U+200D) are not among them.
#[must_use]
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

/// The picture that Unicode has for an ASCII control character.
fn picture(c: char) -> Option<char> {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)),
        '\x7f' => Some('\u{2421}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{quiet_json, visible};

    #[test]
    fn plain_text_of_any_script_stays() {
        for text in [
            "",
            "carrier_delay",
            "Zürich",
            "東京",
            "שלום",
            "می\u{200c}خواهم",
            "👩\u{200d}🚀",
            "e\u{301}",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_acts_is_shown() {
        let check = |text: &str, shown: &str| assert_eq!(visible(text), shown);
        check("a\nb\r\tc\0", "a␊b␍␉c␀");
        check("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇");
        check("\u{9b}31m\x7f", "<U+009B>31m␡");
        check("abc\u{202e}cba\u{2066}", "abc<U+202E>cba<U+2066>");
        check(
            "a\u{2028}b\u{feff}c\u{e0041}",
            "a<U+2028>b<U+FEFF>c<U+E0041>",
        );
    }

    #[test]
    fn json_says_the_same_and_acts_no_more() {
        let text = "a\u{202e}b\u{7f}\u{9b}\u{e0041}é\n\u{1b}";
        let json = quiet_json(serde_json::to_string_pretty(&[text]).unwrap());
        let back: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, [text]);
        assert!(!json.contains(|c| c != '\n' && super::acts(c)), "{json:?}");
    }

    #[test]
    fn no_character_that_acts_remains_and_none_makes_another_line() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            let shown = visible(&text);
            assert!(!shown.chars().any(super::acts), "{c:?}");
            assert_eq!(shown.lines().count(), 1, "{c:?}");
        }
    }
}
