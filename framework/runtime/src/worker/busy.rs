//! When workers were at work on what users wrote, as against starting, ending and looking after themselves.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use understudy_core::run::Usage;

/// The file in which a worker leaves what it spent.
pub(super) const SPENT_FILE: &str = "spent.json";

/// What a worker spent.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spent {
    pub(super) usage: Usage,
    pub(super) busy: Busy,
}

/// A span of wall time: nanoseconds since the epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub(super) struct Busy {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// How long at least one of them lasted.
pub(super) fn together(mut spans: Vec<Busy>) -> Duration {
    spans.sort_unstable();
    let (mut total, mut until) = (0, i64::MIN);
    for span in spans {
        let from = span.from.max(until);
        total += (span.to - from).max(0);
        until = until.max(span.to);
    }
    Duration::from_nanos(u64::try_from(total).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_counts_once() {
        let spans =
            [(10, 20), (0, 5), (15, 30), (16, 18), (0, 0)].map(|(from, to)| Busy { from, to });
        assert_eq!(together(spans.into()), Duration::from_nanos(25));
        assert_eq!(together(Vec::new()), Duration::ZERO);
    }
}
