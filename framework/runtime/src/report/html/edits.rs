//! What of a text changed: the parts of the old and of the new one that are not in the other.
//!
//! A part never ends inside what people see as one character, so that no accent and no emoji comes apart.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// The characters between the first and the last difference that are held against each other one by one.
const MAX_COMPARED: usize = 400;
/// Of the longer side, so much has to be the same for its equal parts to be told apart from the changed ones: what is
/// equal by chance in two different texts says nothing.
const LIKE_PERCENT: usize = 60;

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) is_changed: bool,
}

/// The parts of the old and of the new text.
pub(super) fn parts<'a>(old: &'a str, new: &'a str) -> [Vec<Part<'a>>; 2] {
    let sides = [clusters(old), clusters(new)];
    let [a, b] = &sides;
    let same = |(a, b): &(&&str, &&str)| a == b;
    let before = a.iter().zip(b).take_while(same).count();
    let (rest_a, rest_b) = (&a[before..], &b[before..]);
    let after = rest_a
        .iter()
        .rev()
        .zip(rest_b.iter().rev())
        .take_while(same)
        .count();
    let (middle_a, middle_b) = (
        &rest_a[..rest_a.len() - after],
        &rest_b[..rest_b.len() - after],
    );
    let mut changed = [vec![true; middle_a.len()], vec![true; middle_b.len()]];
    if !is_number(old) || !is_number(new) {
        for (run_a, run_b) in equal_runs(middle_a, middle_b) {
            changed[0][run_a].fill(false);
            changed[1][run_b].fill(false);
        }
    }
    let [changed_a, changed_b] = changed.map(|middle| {
        let equal = |number| std::iter::repeat_n(false, number);
        let all = equal(before).chain(middle).chain(equal(after));
        all.collect::<Vec<_>>()
    });
    [joined(old, a, &changed_a), joined(new, b, &changed_b)]
}

/// Digits that two numbers share by chance are no likeness.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

fn clusters(text: &str) -> Vec<&str> {
    text.graphemes(true).collect()
}

/// Runs of at least two characters that stand on both sides in the same order, where there are enough of them.
fn equal_runs(a: &[&str], b: &[&str]) -> Vec<(Range<usize>, Range<usize>)> {
    if a.is_empty() || b.is_empty() || a.len().max(b.len()) > MAX_COMPARED {
        return Vec::new();
    }
    let pairs = common(a, b);
    if pairs.len() * 100 < a.len().max(b.len()) * LIKE_PERCENT {
        return Vec::new();
    }
    let mut runs: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for (i, j) in pairs {
        match runs.last_mut() {
            Some((run_a, run_b)) if run_a.end == i && run_b.end == j => {
                run_a.end += 1;
                run_b.end += 1;
            }
            _ => runs.push((i..i + 1, j..j + 1)),
        }
    }
    runs.retain(|(run, _)| run.len() > 1);
    runs
}

/// The positions of a longest common subsequence.
fn common(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    let mut lengths = vec![0_u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i * width + j] = if a[i] == b[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

fn joined<'a>(text: &'a str, clusters: &[&str], changed: &[bool]) -> Vec<Part<'a>> {
    let mut parts: Vec<(Range<usize>, bool)> = Vec::new();
    let mut at = 0;
    for (cluster, is_changed) in clusters.iter().zip(changed) {
        let end = at + cluster.len();
        match parts.last_mut() {
            Some((range, of)) if of == is_changed => range.end = end,
            _ => parts.push((at..end, *is_changed)),
        }
        at = end;
    }
    let part = |(range, is_changed)| Part {
        text: &text[range],
        is_changed,
    };
    parts.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::parts;

    fn marked(old: &str, new: &str) -> String {
        let shown = parts(old, new).map(|parts| {
            let shown = parts.iter().map(|part| match part.is_changed {
                true => format!("[{}]", part.text),
                false => part.text.to_owned(),
            });
            shown.collect::<String>()
        });
        shown.join(" | ")
    }

    #[test]
    fn the_changed_part_is_marked() {
        for (old, new, shown) in [
            ("same", "same", "same | same"),
            ("", "x", " | [x]"),
            ("10:00", "10:30", "10:[0]0 | 10:[3]0"),
            ("4310", "4290", "4[31]0 | 4[29]0"),
            ("1234.5", "9234.1", "[1234.5] | [9234.1]"),
            ("Munich", "München", "M[unich] | M[ünchen]"),
            (
                "the quick brown fox",
                "the quack brown box",
                "the qu[i]ck brown [f]ox | the qu[a]ck brown [b]ox",
            ),
            ("abc", "xyz", "[abc] | [xyz]"),
            ("Ann", "ann", "[A]nn | [a]nn"),
        ] {
            assert_eq!(marked(old, new), shown);
        }
    }

    #[test]
    fn no_mark_stands_inside_what_people_see_as_one_character() {
        for (old, new, shown) in [
            ("cafe\u{301}s", "cafes", "caf[e\u{301}]s | caf[e]s"),
            ("caf\u{e9}", "cafe\u{301}", "caf[\u{e9}] | caf[e\u{301}]"),
            ("👩\u{200d}🚀 up", "👩 up", "[👩\u{200d}🚀] up | [👩] up"),
            ("שָׁלוֹם", "שָׁלום", "שָׁל[וֹ]ם | שָׁל[ו]ם"),
            ("🇩🇪🇫🇷", "🇩🇪🇮🇹", "🇩🇪[🇫🇷] | 🇩🇪[🇮🇹]"),
        ] {
            assert_eq!(marked(old, new), shown);
        }
    }

    #[test]
    fn the_parts_are_the_texts() {
        let texts = [
            "",
            "a",
            "ab\r\ncd",
            "e\u{301}\u{301}",
            "\u{301}a",
            "x y z",
            "zyx",
        ];
        for old in texts {
            for new in texts {
                let [a, b] = parts(old, new)
                    .map(|parts| parts.iter().map(|part| part.text).collect::<String>());
                assert_eq!((a.as_str(), b.as_str()), (old, new));
            }
        }
    }
}
