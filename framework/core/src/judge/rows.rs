//! Which rule expects a difference, if one does.

use crate::comparison::RowDifference;

/// A differing row and what the rules say of it.
#[derive(Clone, PartialEq, Debug)]
pub struct JudgedRow {
    /// The difference.
    pub difference: RowDifference,
    /// For each cell of a matched row, or for the one row that stands on one side: the position of the rule
    /// that expects it; `None` where no rule does.
    pub rules: Vec<Option<usize>>,
}

impl JudgedRow {
    /// Whether a rule expects every part of it.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.rules.iter().all(Option::is_some)
    }
}
