//! Verdicts: what a comparison means for a lane.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The outcome for one lane and task. A later one is worse, and the worst wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No difference.
    Identical,
    /// Differences, each expected by a rule.
    Expected,
    /// Not checked: evidence is missing, stale, partial or empty.
    Inconclusive,
    /// A difference that no rule allows.
    Unexpected,
}

impl Verdict {
    /// The worst of some verdicts; without any there is no evidence, which is inconclusive.
    #[must_use]
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Inconclusive)
    }

    /// The name in files: `identical` and so on.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Expected => "expected",
            Self::Inconclusive => "inconclusive",
            Self::Unexpected => "unexpected",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn the_worst_wins_and_nothing_is_inconclusive() {
        assert_eq!(Verdict::worst([]), Verdict::Inconclusive);
        assert_eq!(
            Verdict::worst([Verdict::Expected, Verdict::Identical]),
            Verdict::Expected
        );
        assert_eq!(
            Verdict::worst([Verdict::Unexpected, Verdict::Inconclusive]),
            Verdict::Unexpected
        );
    }
}
