//! Numbers, percentages and times as people read them.

pub(crate) use understudy_core::share::{count, movement, percent};

/// A number of things: `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted() {
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
        assert_eq!(counted(1_000, "row", "rows"), "1,000 rows");
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
