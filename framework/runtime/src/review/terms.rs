//! What a yes to a group allows: as a sentence for people, and as the rule that then holds. Both are made from the same
//! terms.

use std::collections::BTreeSet;

use understudy_core::customer::{Customer, listed};
use understudy_core::rule::{Allowance, ColumnSelector, DifferenceKind, Rule};
use understudy_core::run_date::RunDate;

use crate::report::files::group::Group;

/// The customers that a sentence names.
const NAMED: usize = 5;

/// What a yes to a group allows.
#[derive(Clone, Debug)]
pub(crate) struct Terms<'a> {
    group: &'a Group,
    /// Whose rows; `None` where it cannot be limited to some.
    customers: Option<BTreeSet<String>>,
    /// In each run; `None` for differences of the schema, which are of no row.
    max_rows: Option<u64>,
}

impl<'a> Terms<'a> {
    /// Those of a group; `None` for what is too mixed to be accepted.
    pub(crate) fn of(group: &'a Group) -> Option<Self> {
        if group.is_rest || matches!(group.kind, DifferenceKind::Metric | DifferenceKind::Check) {
            return None;
        }
        Some(Self {
            group,
            customers: names(group),
            max_rows: (!is_schema(group.kind)).then(|| twice(group.differences)),
        })
    }

    /// What is allowed until then, in words.
    pub(crate) fn sentence(&self, until: RunDate) -> String {
        let column = self.group.column.as_deref().unwrap_or_default();
        let until = date_words(until);
        let Some(max_rows) = self.max_rows else {
            return format!("lets {}, until {until}", schema_words(self.group, column));
        };
        let rows = match max_rows {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let may = match (&self.group.allowance, self.group.kind) {
            (Some(allowance), _) => allowance.permission(column),
            (None, DifferenceKind::OnlyOld) => "be gone".to_owned(),
            (None, _) => "be new".to_owned(),
        };
        format!(
            "lets up to {rows}{} {may}, in each run until {until}",
            self.whose()
        )
    }

    fn whose(&self) -> String {
        let is_everybody = |customer: &Customer| *customer == Customer::Everybody;
        match &self.customers {
            None if self.group.customers.keys().all(is_everybody) => String::new(),
            None => " of any customer".to_owned(),
            Some(names) if names.len() <= NAMED => {
                let all: Vec<&Customer> = self.group.customers.keys().collect();
                format!(" of {}", listed(&all))
            }
            Some(names) => format!(" of these {} customers", names.len()),
        }
    }

    /// The rule that holds until then.
    pub(crate) fn rule(&self, reviewer: &str, reason: Option<String>, until: RunDate) -> Rule {
        let allow = self.group.allowance.clone();
        Rule {
            customers: self.customers.clone(),
            columns: self
                .group
                .column
                .clone()
                .map(|column| vec![ColumnSelector::Name(column)]),
            kinds: Some(BTreeSet::from([self.group.kind])),
            max_rows: self.max_rows,
            reason,
            until: Some(until),
            ..Rule::new(
                rule_name(&self.group.id, reviewer, until),
                allow.map_or(Allowance::Any, Allowance::Pattern),
            )
        }
    }
}

/// What a waiver is called in reports.
pub(crate) fn rule_name(group: &str, reviewer: &str, until: RunDate) -> String {
    format!("waiver {group} ({reviewer}, until {until})")
}

fn is_schema(kind: DifferenceKind) -> bool {
    matches!(
        kind,
        DifferenceKind::ColumnAdded | DifferenceKind::ColumnRemoved | DifferenceKind::TypeChanged
    )
}

/// A rule names customers by their names: rows without one, and more customers than are known, it cannot name.
fn names(group: &Group) -> Option<BTreeSet<String>> {
    if group.more_customers > 0 || group.customers.is_empty() {
        return None;
    }
    let names = group.customers.keys().map(|customer| match customer {
        Customer::Named(name) => Some(name.clone()),
        Customer::Everybody | Customer::Null => None,
    });
    names.collect()
}

fn schema_words(group: &Group, column: &str) -> String {
    let what = &group.what;
    match group.kind {
        DifferenceKind::ColumnAdded => format!("the new version have the column {column}"),
        DifferenceKind::ColumnRemoved => format!("the new version lack the column {column}"),
        _ => format!("the column {column} have another type ({what})"),
    }
}

/// Twice as many, in two digits, rounded up.
fn twice(rows: u64) -> u64 {
    let twice = rows.saturating_mul(2);
    let mut step = 1;
    while twice / step >= 100 {
        step *= 10;
    }
    twice.div_ceil(step).saturating_mul(step)
}

/// As people write it: `30 June 2026`.
pub(crate) fn date_words(date: RunDate) -> String {
    date.0.format("%-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use understudy_core::pattern::{Pattern, PatternAllowance, Reach, Share};
    use understudy_core::value::Value;

    use super::*;

    fn group(kind: DifferenceKind, column: Option<&str>, customers: &[&str]) -> Group {
        let rows = |label: &&str| (Customer::from_label(label), 75);
        Group {
            id: "gbcd".into(),
            what: "column is new (Int64)".into(),
            kind,
            column: column.map(str::to_owned),
            differences: 225,
            customers: customers.iter().map(rows).collect(),
            more_customers: 0,
            allowance: None,
            is_rest: false,
            bug: None,
            examples: Vec::new(),
        }
    }

    fn cells(pattern: Pattern, customers: &[&str]) -> Group {
        let mut reach = Reach::default();
        reach.see(&Value::Float(10.0), &Value::Float(10.05));
        Group {
            allowance: Some(PatternAllowance {
                pattern,
                within: pattern.is_measured().then(|| reach.within()),
            }),
            ..group(DifferenceKind::Changed, Some("score"), customers)
        }
    }

    #[track_caller]
    fn check(group: &Group, sentence: &str) {
        let until = "2026-06-30".parse().unwrap();
        let found = Terms::of(group).map(|terms| terms.sentence(until));
        assert_eq!(found.as_deref().unwrap_or("none"), sentence);
    }

    #[test]
    fn a_yes_is_said_in_words_and_never_allows_any_change() {
        let many: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(
            &cells(Pattern::Up(Share::OnePercent), &many),
            "lets up to 450 rows of these 12 customers have score up by at most 1 %, by at most 0.05, in each run until 30 June 2026",
        );
        check(
            &cells(Pattern::NullToZero, &["VX", "AS"]),
            "lets up to 450 rows of AS and VX have 0 where score was null, in each run until 30 June 2026",
        );
        check(
            &cells(Pattern::CaseOnly, &["*"]),
            "lets up to 450 rows differ in score like this: case only, in each run until 30 June 2026",
        );
        check(
            &cells(Pattern::CaseOnly, &["*null*", "AS"]),
            "lets up to 450 rows of any customer differ in score like this: case only, in each run until 30 June 2026",
        );
        check(
            &group(DifferenceKind::OnlyNew, None, &["AS"]),
            "lets up to 450 rows of AS be new, in each run until 30 June 2026",
        );
        check(
            &group(DifferenceKind::ColumnAdded, Some("extra"), &[]),
            "lets the new version have the column extra, until 30 June 2026",
        );
        let rest = Group {
            is_rest: true,
            ..group(DifferenceKind::Changed, None, &["AS"])
        };
        check(&rest, "none");
    }

    #[test]
    fn the_rule_has_the_terms_of_the_sentence() {
        let until = "2026-06-30".parse().unwrap();
        let of = |group: &Group| Terms::of(group).unwrap().rule("Dana", None, until);
        let rule = of(&cells(Pattern::CaseOnly, &["AS"]));
        assert_eq!(rule.name, "waiver gbcd (Dana, until 2026-06-30)");
        assert_eq!(rule.customers, Some(BTreeSet::from(["AS".to_owned()])));
        assert_eq!(rule.columns, Some(vec!["score".into()]));
        assert_eq!((rule.max_rows, rule.until), (Some(450), Some(until)));
        assert!(matches!(rule.allow, Allowance::Pattern(_)));
        assert_eq!(of(&cells(Pattern::CaseOnly, &["*"])).customers, None);
        let more = Group {
            more_customers: 1,
            customers: BTreeMap::from([(Customer::Named("AS".into()), 1)]),
            ..cells(Pattern::CaseOnly, &[])
        };
        assert_eq!(of(&more).customers, None);
        let schema = of(&group(DifferenceKind::ColumnAdded, Some("extra"), &[]));
        assert_eq!((schema.customers, schema.max_rows), (None, None));
        assert_eq!(schema.allow, Allowance::Any);
    }

    #[test]
    fn limits_are_about_twice_what_was_found() {
        for (rows, limit) in [
            (1, 2),
            (49, 98),
            (50, 100),
            (51, 110),
            (225, 450),
            (1_234, 2_500),
        ] {
            assert_eq!(twice(rows), limit, "{rows}");
        }
        assert_eq!(twice(u64::MAX), u64::MAX);
    }
}
