//! Durations and sizes as people say them.

use std::time::Duration;

/// A duration in the unit that shows it best.
#[must_use]
pub fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        secs if secs % 3600 == 0 => format!("{} h", secs / 3600),
        secs if secs % 60 == 0 => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

/// A number of bytes in decimal units, cut and not rounded up.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.into_iter().find(|(_, size)| bytes >= *size) {
        Some((name, size)) => format!("{}.{} {name}", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_suit_what_they_measure() {
        let durations =
            [250, 7_000, 600_000, 7_200_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(durations, ["250 ms", "7 s", "10 min", "2 h"]);
        assert_eq!(
            [999, 1_999, 2_000_000_000].map(bytes),
            ["999 bytes", "1.9 kB", "2.0 GB"]
        );
    }
}
