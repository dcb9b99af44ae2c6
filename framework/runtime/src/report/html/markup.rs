//! Markup that is being written: what comes from data goes in as text and never as markup.

use std::borrow::Cow;

use understudy_core::share::count;
use understudy_core::visible::{acts, visible};
use unicode_segmentation::UnicodeSegmentation as _;

/// How much of a text from data is shown: characters as people count them, and bytes of markup, because one such
/// character may have any number of marks on it.
#[derive(Clone, Copy)]
struct Most {
    characters: usize,
    bytes: usize,
}

impl Most {
    const NAME: Self = Self {
        characters: 80,
        bytes: 800,
    };
    const SENTENCE: Self = Self {
        characters: 600,
        bytes: 3_000,
    };

    /// Where the text is cut: its end, if it is not.
    fn of(self, text: &str) -> usize {
        let mut bytes = 0;
        for (number, (at, character)) in text.grapheme_indices(true).enumerate() {
            if number == self.characters {
                return at;
            }
            for (within, c) in character.char_indices() {
                bytes += markup_bytes(c);
                if bytes > self.bytes {
                    return at + within;
                }
            }
        }
        text.len()
    }
}

/// About what a character takes on the page.
fn markup_bytes(c: char) -> usize {
    match c {
        c if acts(c) => 33,
        '&' | '<' | '>' | '"' | '\'' => 6,
        c => c.len_utf8(),
    }
}

/// HTML. There are two ways in: [`own`](Self::own), which takes what stands in the program's own source, and the others,
/// which escape.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Markup of ours.
    pub(super) fn own(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text. What would act instead of being seen stands in its place as a picture or a code point, marked as such.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let mut rest = text;
        while let Some(at) = rest.find(acts) {
            let (before, after) = rest.split_at(at);
            let length = after.chars().next().map_or(0, char::len_utf8);
            self.escape(before).own("<b class=\"c\">");
            self.escape(&visible(&after[..length])).own("</b>");
            rest = &after[length..];
        }
        self.escape(rest)
    }

    /// A name, in the direction of its own script, cut where nobody reads on.
    pub(super) fn name(&mut self, text: &str) -> &mut Self {
        self.own("<bdi class=\"v\">")
            .bounded(text, Most::NAME)
            .own("</bdi>")
    }

    /// A sentence with names in it, cut where nobody reads on.
    pub(super) fn sentence(&mut self, text: &str) -> &mut Self {
        self.bounded(text, Most::SENTENCE)
    }

    /// A text where no element may stand, such as the page's title.
    pub(super) fn title(&mut self, text: &str) -> &mut Self {
        let shown = visible(text);
        let end = Most::SENTENCE.of(&shown);
        self.escape(&shown[..end])
    }

    /// A path or a command, whole, for people to copy.
    pub(super) fn path(&mut self, path: &str) -> &mut Self {
        self.own("<code>").text(path).own("</code>")
    }

    /// A number with its thousands apart.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.escape(&count(number))
    }

    /// A table's cell with a number in it.
    pub(super) fn number_cell(&mut self, number: u64) -> &mut Self {
        self.own("<td class=\"n\">").number(number).own("</td>")
    }

    /// A paragraph of less weight.
    pub(super) fn aside(&mut self, inner: impl FnOnce(&mut Self)) -> &mut Self {
        self.own("<p class=\"q\">");
        inner(self);
        self.own("</p>\n")
    }

    /// A table that may be wider than the screen, with what it shows for those who hear it.
    pub(super) fn table(
        &mut self,
        caption: &'static str,
        heads: &[Head],
        rows: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.own("<div class=\"s\" role=\"region\" tabindex=\"0\" aria-label=\"")
            .own(caption)
            .own("\"><table>\n<caption>")
            .own(caption)
            .own("</caption>\n<thead><tr>");
        for head in heads {
            let (open, title) = match head {
                Head::Words(title) => ("<th scope=\"col\">", title),
                Head::Number(title) => ("<th scope=\"col\" class=\"n\">", title),
            };
            self.own(open).own(title).own("</th>");
        }
        self.own("</tr></thead>\n");
        rows(self);
        self.own("</table></div>\n")
    }

    /// How long it is by now, in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn bounded(&mut self, text: &str, most: Most) -> &mut Self {
        if text.is_empty() {
            return self.own("<i>empty</i>");
        }
        let end = most.of(text);
        self.text(&text[..end]);
        self.own(if end < text.len() { "…" } else { "" })
    }

    fn escape(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escaped(text));
        self
    }
}

/// The head of a table's column, a title of ours.
#[derive(Clone, Copy, Debug)]
pub(super) enum Head {
    Words(&'static str),
    Number(&'static str),
}

/// The text as it stands in HTML, in elements as well as in attributes with quotes.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::{Markup, Most};

    fn text(text: &str) -> String {
        let mut out = Markup::default();
        out.text(text);
        out.into_text()
    }

    #[test]
    fn text_is_no_markup_and_does_not_act() {
        for (from, to) in [
            ("plain é 東京 שלום", "plain é 東京 שלום"),
            ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"),
            ("a\nb", "a<b class=\"c\">␊</b>b"),
            ("\u{202e}x", "<b class=\"c\">&lt;U+202E&gt;</b>x"),
            ("&lt;", "&amp;lt;"),
        ] {
            assert_eq!(text(from), to);
        }
    }

    #[test]
    fn no_character_but_our_own_can_open_a_tag_or_act() {
        for c in '\0'..=char::MAX {
            let shown = text(&c.to_string());
            let bare = shown.replace("<b class=\"c\">", "").replace("</b>", "");
            assert!(!bare.contains(['<', '>', '"', '\'']), "{c:?}: {shown}");
            assert!(!bare.chars().any(super::acts), "{c:?}: {shown}");
        }
    }

    #[test]
    fn a_name_is_cut_between_what_people_see_as_characters() {
        let mut out = Markup::default();
        out.name(&"e\u{301}".repeat(Most::NAME.characters + 1));
        let shown = out.into_text();
        assert_eq!(shown.matches("e\u{301}").count(), Most::NAME.characters);
        assert!(shown.ends_with("…</bdi>"), "{shown}");
        // One character with a million marks is one character.
        let mut out = Markup::default();
        out.name(&format!("e{}", "\u{301}".repeat(1_000_000)));
        assert!(out.len() < 1_000, "{}", out.len());
    }
}
