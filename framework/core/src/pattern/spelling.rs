//! Patterns of texts and lists.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Pattern;
use crate::rule::Normalizer;
use crate::value::Value;

/// Texts longer than this, in bytes, are not looked at letter by letter.
const MAX_SPELLED_BYTES: usize = 64 << 10;

/// The pattern of two texts that are not the same.
pub(super) fn of_texts(old: &str, new: &str) -> Pattern {
    match (old.is_empty(), new.is_empty()) {
        (true, _) => return Pattern::EmptyToText,
        (_, true) => return Pattern::TextToEmpty,
        _ => {}
    }
    let is_short = old.len().max(new.len()) <= MAX_SPELLED_BYTES;
    if let Some(pattern) = is_short.then(|| of_spelling(old, new)).flatten() {
        return pattern;
    }
    let without_mark = new.trim_end_matches(['…', '.']).trim_end();
    if old.starts_with(new) || (new.ends_with(['…', '.']) && is_beginning(without_mark, old)) {
        Pattern::CutOff
    } else if new.starts_with(old) {
        Pattern::Extended
    } else {
        Pattern::OtherText
    }
}

fn is_beginning(part: &str, text: &str) -> bool {
    !part.is_empty() && part.len() < text.len() && text.starts_with(part)
}

/// A way to write a text.
type Form = fn(&str) -> String;

fn of_spelling(old: &str, new: &str) -> Option<Pattern> {
    // Most texts that differ differ in more: that is seen at once.
    if plain(old) != plain(new) {
        return None;
    }
    let forms: [(Pattern, Form); 4] = [
        (Pattern::WhitespaceOnly, solid),
        (Pattern::UnicodeOnly, |text| text.nfkc().collect()),
        (Pattern::CaseOnly, str::to_lowercase),
        (Pattern::AccentsOnly, bare),
    ];
    let only = forms
        .into_iter()
        .find(|(_, form)| form(old) == form(new))
        .map(|(pattern, _)| pattern);
    Some(only.unwrap_or(Pattern::SpellingOnly))
}

/// Without white space.
fn solid(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Without accents.
fn bare(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

/// Without all of it. Letters come last, because some of them are made small only in another form.
fn plain(text: &str) -> String {
    bare(&solid(&bare(text).to_lowercase()))
}

/// Whether two lists have the same items.
pub(super) fn is_order_only(old: &Value, new: &Value) -> bool {
    let sorted = |value| Normalizer::Unordered.apply(value);
    sorted(old).same(&sorted(new))
}
