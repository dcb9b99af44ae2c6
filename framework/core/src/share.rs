//! Shares and movements in percent, as people read them. Something never reads as 0 %, and not everything never as 100 %.

/// Digits behind the point of a share that is counted, where fewer would not do.
const MOST_DIGITS: u32 = 4;

/// A part of a whole in percent: `33.3 %`. One digit behind the point, and more only as long as it would read 0 or 100
/// and is not; what even four digits cannot tell from these is `<0.0001 %` or `>99.9999 %`.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    match part {
        0 => "0 %".to_owned(),
        _ if part >= whole => "100 %".to_owned(),
        _ => (1..=MOST_DIGITS)
            .find_map(|digits| exactly(part, whole, digits))
            .unwrap_or_else(|| beyond(u128::from(part) * 2 < u128::from(whole))),
    }
}

/// A share, as a fraction of one, in percent: `33.33 %`. A limit that somebody wrote with two digits reads as written.
#[must_use]
pub fn percent_of(share: f64) -> String {
    let percent = share * 100.0;
    if !percent.is_finite() || percent == 0.0 || share == 1.0 {
        return format!("{percent} %");
    }
    (2..=MOST_DIGITS as usize)
        .map(|digits| format!("{percent:.digits$}"))
        .find(|text| reads_true(text, percent) && (share < 1.0) == reads_below(text))
        .map_or_else(
            || beyond(share < 0.5),
            |text| format!("{} %", trimmed(&text)),
        )
}

/// A movement in percent from its exact decimal text: `+14 %`. It reads 0 or 100 only where it is exactly that.
/// `None` where the text is no number.
#[must_use]
pub fn movement(delta_pct: &str) -> Option<String> {
    let percent: f64 = delta_pct
        .parse()
        .ok()
        .filter(|percent: &f64| percent.is_finite())?;
    let sign = if percent > 0.0 { "+" } else { "" };
    Some(if percent.abs() >= 1e15 {
        format!("{sign}{percent:.1e} %")
    } else {
        format!("{sign}{} %", rounded(percent))
    })
}

/// A number with its thousands apart: `4,310`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The share with so many digits, in whole numbers throughout; `None` where that reads as nothing or as everything.
fn exactly(part: u64, whole: u64, digits: u32) -> Option<String> {
    let unit = 10_u128.pow(digits);
    let (part, whole) = (u128::from(part), u128::from(whole));
    let scaled = (part * 100 * unit + whole / 2) / whole;
    let is_true = scaled > 0 && scaled < 100 * unit;
    is_true.then(|| {
        let behind = format!("{:0width$}", scaled % unit, width = digits as usize);
        let text = format!("{}.{behind}", scaled / unit);
        format!("{} %", trimmed(&text))
    })
}

fn beyond(is_small: bool) -> String {
    if is_small { "<0.0001 %" } else { ">99.9999 %" }.to_owned()
}

/// One digit after the point, and more of them only as long as the number would read 0 or 100 and is not.
fn rounded(percent: f64) -> String {
    let mut texts = (1..=12).map(|digits| format!("{percent:.digits$}"));
    let text = texts
        .find(|text| reads_true(text, percent))
        .unwrap_or_else(|| format!("{percent:.1e}"));
    if text.contains('e') {
        text
    } else {
        grouped(trimmed(&text))
    }
}

fn reads_true(text: &str, percent: f64) -> bool {
    let read: f64 = text.parse().unwrap_or(f64::NAN);
    (read != 0.0 || percent == 0.0) && (read.abs() != 100.0 || percent.abs() == 100.0)
}

fn reads_below(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|read| read < 100.0)
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches('0').trim_end_matches('.')
}

/// The whole part's thousands apart.
fn grouped(text: &str) -> String {
    let (sign, text) = text
        .strip_prefix('-')
        .map_or(("", text), |text| ("-", text));
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
    format!("{sign}{whole}{rest}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let check = |number, text: &str| assert_eq!(count(number), text);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        check(u64::MAX, "18,446,744,073,709,551,615");
    }

    #[test]
    fn percentages_never_lie_at_the_ends() {
        let check = |part, whole, text: &str| assert_eq!(percent(part, whole), text);
        check(0, 7, "0 %");
        check(7, 7, "100 %");
        check(0, 0, "0 %");
        check(1, 3, "33.3 %");
        check(1, 2, "50 %");
        check(9_996, 10_000, "99.96 %");
        check(1, 1_000_000, "0.0001 %");
        check(999_999, 1_000_000, "99.9999 %");
        check(1, u64::MAX, "<0.0001 %");
        check(u64::MAX - 1, u64::MAX, ">99.9999 %");
    }

    #[test]
    fn shares_as_fractions_do_not_either() {
        let check = |share, text: &str| assert_eq!(percent_of(share), text);
        check(0.0, "0 %");
        check(1.0, "100 %");
        check(0.05, "5 %");
        check(0.0255, "2.55 %");
        check(1.0 / 3.0, "33.33 %");
        check(0.999_99, "99.999 %");
        check(0.000_001, "0.0001 %");
        check(1e-12, "<0.0001 %");
        check(1.0 - 1e-12, ">99.9999 %");
    }

    #[test]
    fn movements_keep_their_sign_and_never_lie_either() {
        let check =
            |delta_pct: &str, text: &str| assert_eq!(movement(delta_pct).as_deref(), Some(text));
        check("14", "+14 %");
        check("-3.225806", "-3.2 %");
        check("0.0000000000000111022", "+1.1e-14 %");
        check("0.004", "+0.004 %");
        check("-99.97", "-99.97 %");
        check("100", "+100 %");
        check("0", "0 %");
        check("123456.78", "+123,456.8 %");
        check("1e300", "+1.0e300 %");
        assert_eq!(movement("x"), None);
    }

    /// The number that a text shows, and whether it says "less" or "more".
    fn shown(text: &str) -> (f64, bool) {
        let number = text.trim_end_matches(" %");
        let bound = number.starts_with(['<', '>']);
        let number = number.trim_start_matches(['<', '>']).replace(',', "");
        (number.parse().unwrap(), bound)
    }

    proptest! {
        #[test]
        fn nothing_and_everything_read_so_and_nothing_else_does(part in any::<u64>(), whole in 1..u64::MAX) {
            let part = part % whole;
            let (number, bound) = shown(&percent(part, whole));
            prop_assert_eq!(number == 0.0, part == 0);
            prop_assert!(number < 100.0);
            prop_assert!(bound || (number - part as f64 * 100.0 / whole as f64).abs() <= 0.051);
            prop_assert_eq!(percent(whole, whole), "100 %");
        }

        #[test]
        fn near_the_ends_too(few in 1..1_000_u64, whole in 1_000_000..u64::MAX) {
            for part in [few, whole - few] {
                let (number, _) = shown(&percent(part, whole));
                prop_assert!(number > 0.0 && number < 100.0, "{} of {}", part, whole);
            }
        }

        #[test]
        fn a_fraction_below_one_never_reads_as_all(share in prop_oneof![0.0..1.0_f64, 0.999..1.0_f64, 0.0..1e-4_f64]) {
            let (number, _) = shown(&percent_of(share));
            prop_assert_eq!(number == 0.0, share == 0.0);
            prop_assert!(number < 100.0);
        }

        #[test]
        fn a_movement_reads_0_or_100_only_where_it_is(thousandths in -1_000_000_000_i64..1_000_000_000) {
            let exact = thousandths as f64 / 1_000.0;
            let (number, _) = shown(&movement(&exact.to_string()).unwrap());
            prop_assert_eq!(number == 0.0, exact == 0.0);
            prop_assert_eq!(number.abs() == 100.0, exact.abs() == 100.0);
        }
    }
}
