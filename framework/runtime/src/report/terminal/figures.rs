//! Numbers, percentages and times as people read them.

/// A number with its thousands apart: `4,310`.
pub(crate) fn count(number: u64) -> String {
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

/// A number of things: `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A part of a whole in percent. Something is never 0 %, and not everything is never 100 %.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match part {
        0 => "0 %".to_owned(),
        _ if part >= whole => "100 %".to_owned(),
        _ => {
            let percent = part as f64 * 100.0 / whole as f64;
            if percent >= 100.0 {
                ">99.99 %".to_owned()
            } else {
                format!("{} %", rounded(percent))
            }
        }
    }
}

/// A movement in percent from its exact decimal text: `+14 %`. It reads 0 or 100 only where it is exactly that.
pub(crate) fn movement(delta_pct: &str) -> Option<String> {
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

/// Milliseconds: `340 ms`, `1.2 s`, `2 min 5 s`, `3 h 4 min`.
pub(crate) fn time(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds}.{} s", ms % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// One digit after the point, and more of them only as long as the number would read 0 or 100 and is not.
fn rounded(percent: f64) -> String {
    let reads_true = |text: &str| {
        let read: f64 = text.parse().unwrap_or(f64::NAN);
        (read != 0.0 || percent == 0.0) && (read.abs() != 100.0 || percent.abs() == 100.0)
    };
    let mut texts = (1..=12).map(|digits| format!("{percent:.digits$}"));
    let text = texts
        .find(|text| reads_true(text))
        .unwrap_or_else(|| format!("{percent:.1e}"));
    if text.contains('e') {
        text
    } else {
        grouped(text.trim_end_matches('0').trim_end_matches('.'))
    }
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
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let check = |number, text: &str| assert_eq!(count(number), text);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        check(u64::MAX, "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
    }

    #[test]
    fn percentages_never_lie_at_the_ends() {
        let check = |part, whole, text: &str| assert_eq!(percent(part, whole), text);
        check(0, 7, "0 %");
        check(7, 7, "100 %");
        check(1, 3, "33.3 %");
        check(1, 2, "50 %");
        check(1, 1_000_000, "0.0001 %");
        check(999_999, 1_000_000, "99.9999 %");
        check(1, u64::MAX, "5.4e-18 %");
        check(u64::MAX - 1, u64::MAX, ">99.99 %");
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

    #[test]
    fn times_have_the_unit_that_fits() {
        let check = |ms, text: &str| assert_eq!(time(ms), text);
        check(0, "0 ms");
        check(999, "999 ms");
        check(1_250, "1.2 s");
        check(125_000, "2 min 5 s");
        check(11_040_000, "3 h 4 min");
    }
}
