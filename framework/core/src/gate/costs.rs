//! What the new side of a change takes beside the old one: for the gate, and in every run while lanes are live.

use crate::evidence::Cost;
use crate::spec::GatePolicy;

/// A run in which the new side took less than this is not judged by what it took, in milliseconds: ten seconds.
pub const COST_FLOOR_MS: u64 = 10_000;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// How long it took.
    Runtime,
    /// How much memory it took.
    Memory,
}

/// A ratio of new to old beyond what the policy allows.
#[derive(Clone, PartialEq, Debug)]
pub struct Beyond {
    /// What was measured.
    pub measure: Measure,
    /// What each side took: old, then new.
    pub cost: [Cost; 2],
    /// How many times what the old side took the new one did.
    pub times: f64,
    /// How many times at most the policy allows.
    pub most: f64,
}

/// What of a run's cost is beyond the policy.
#[must_use]
pub fn beyond(policy: &GatePolicy, cost: &[Cost; 2]) -> Vec<Beyond> {
    let limits = [
        (Measure::Runtime, policy.max_runtime_ratio),
        (Measure::Memory, policy.max_memory_ratio),
    ];
    let found = limits.into_iter().filter_map(|(measure, most)| {
        let (most, times) = (most?, times(cost, measure)?);
        (times > most).then_some(Beyond {
            measure,
            cost: *cost,
            times,
            most,
        })
    });
    found.collect()
}

/// How many times what the old side took the new one did; `None` where that is not judged.
pub(super) fn times([old, new]: &[Cost; 2], measure: Measure) -> Option<f64> {
    if new.wall_ms < COST_FLOOR_MS {
        return None;
    }
    Some(match (measure.of(old), measure.of(new)) {
        (0, _) => f64::INFINITY,
        (old, new) => new as f64 / old as f64,
    })
}

impl Measure {
    fn of(self, cost: &Cost) -> u64 {
        match self {
            Self::Runtime => cost.wall_ms,
            Self::Memory => cost.memory_bytes,
        }
    }

    /// The key of its limit in the pipeline file.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Runtime => "max_runtime_ratio",
            Self::Memory => "max_memory_ratio",
        }
    }

    fn text(self, cost: &Cost) -> String {
        let amount = self.of(cost) as f64;
        match self {
            Self::Runtime => format!("{:.1} s", amount / 1e3),
            Self::Memory => format!("{:.0} MB", amount / 1e6),
        }
    }
}

impl Beyond {
    /// The sentence about it that an alert is.
    #[must_use]
    pub fn text(&self, change: &str) -> String {
        let [old, new] = self.cost.map(|cost| self.measure.text(&cost));
        format!(
            "`{change}` is live for some and took {new} where the old version took {old}: {:.2} times, and `{}` is {}",
            self.times,
            self.measure.key(),
            self.most
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(wall_ms: u64, memory_bytes: u64) -> Cost {
        Cost {
            wall_ms,
            memory_bytes,
        }
    }

    #[track_caller]
    fn check(policy: &GatePolicy, old: Cost, new: Cost, expected: &[&str]) {
        let found = beyond(policy, &[old, new]);
        let texts: Vec<String> = found.iter().map(|beyond| beyond.text("x")).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn what_the_policy_limits_is_told_from_ten_seconds_on() {
        let policy = GatePolicy {
            max_runtime_ratio: Some(2.0),
            ..GatePolicy::default()
        };
        let runtime = "`x` is live for some and took 10.0 s where the old version took 2.0 s: 5.00 times, and `max_runtime_ratio` is 2";
        check(&policy, cost(2_000, 1), cost(10_000, 9), &[runtime]);
        check(&policy, cost(2_000, 1), cost(9_999, 9), &[]);
        check(&policy, cost(5_000, 1), cost(10_000, 9), &[]);
        check(&GatePolicy::default(), cost(1, 1), cost(90_000, 9), &[]);
    }

    #[test]
    fn memory_is_another_limit() {
        let policy = GatePolicy {
            max_runtime_ratio: Some(100.0),
            max_memory_ratio: Some(1.5),
            ..GatePolicy::default()
        };
        let memory = "`x` is live for some and took 400 MB where the old version took 200 MB: 2.00 times, and `max_memory_ratio` is 1.5";
        check(
            &policy,
            cost(20_000, 200_000_000),
            cost(20_000, 400_000_000),
            &[memory],
        );
        check(
            &policy,
            cost(0, 2),
            cost(20_000, 2),
            &[
                "`x` is live for some and took 20.0 s where the old version took 0.0 s: inf times, and `max_runtime_ratio` is 100",
            ],
        );
    }
}
