//! Groups of unexpected differences: what people read first, and answer.
//!
//! They are counted from the lines of `diff.csv` in their order, where masked values are tokens already: nothing here
//! can show one, and of such columns nothing is told apart but NULL and empty text.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use serde::{Deserialize, Serialize};
use understudy_comparators::Layout;
use understudy_core::comparison::SchemaDifference;
use understudy_core::customer::Customer;
use understudy_core::digest::Digest;
use understudy_core::pattern::{Pattern, PatternAllowance, Reach};
use understudy_core::review::BugMark;
use understudy_core::rule::DifferenceKind;

use super::example::{Example, example};
use super::line::{Line, LineChange};
use super::record::Origin;

/// The groups of one task that are kept apart; what else there is makes one more.
pub const MAX_GROUPS: usize = 200;
/// The groups that are counted apart, of which the largest are kept.
const MAX_COUNTED: usize = 1_000;
/// The customers of one group that are named.
pub const MAX_CUSTOMERS: usize = 500;
/// The examples of one group.
pub const MAX_EXAMPLES: usize = 5;
/// The letters of a group's id after its first.
const ID_LETTERS: usize = 10;

/// Unexpected differences of one column, kind and pattern.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// What it is named by: the same for the same column, kind and pattern of a change's task, in whatever run.
    pub id: String,
    /// What happened, in words: "null → 0", "+30 min", "case only", "row is new".
    pub what: String,
    /// How its rows differ.
    pub kind: DifferenceKind,
    /// The column; `None` for whole rows.
    pub column: Option<String>,
    /// Its differences: cells, or rows on one side.
    pub differences: u64,
    /// The rows of each customer; of many customers, those that have most.
    pub customers: BTreeMap<Customer, u64>,
    /// How many customers there are beyond those.
    #[serde(default)]
    pub more_customers: u64,
    /// What would allow exactly this, for cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<PatternAllowance>,
    /// Whether it is all that was too much to be told apart: nobody can accept that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_rest: bool,
    /// That somebody called it a bug, and that it was never gone since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<BugMark>,
    /// Up to five of them.
    pub examples: Vec<Example>,
}

/// Marks the groups that were called bugs, and only those.
pub fn mark_bugs(groups: &mut [Group], marks: &BTreeMap<String, BugMark>) {
    for group in groups {
        group.bug = marks.get(&group.id).cloned();
    }
}

/// What begins a sentence about a group that was called a bug.
const CALLED_A_BUG: &str = "a bug, says ";

/// Brings the sentences about groups that were called bugs up to date, among other notes.
pub fn note_bugs(notes: &mut Vec<String>, groups: &[Group]) {
    notes.retain(|note| !note.starts_with(CALLED_A_BUG));
    notes.extend(groups.iter().filter_map(|group| {
        let bug = group.bug.as_ref()?;
        let place = group.column.as_deref().map(|column| format!("{column}: "));
        let said = bug.note.as_deref().map(|note| format!(" ({note})"));
        Some(format!(
            "{CALLED_A_BUG}{}: {}{}, {} times{}",
            bug.by,
            place.unwrap_or_default(),
            group.what,
            group.differences,
            said.unwrap_or_default()
        ))
    }));
}

/// Text made of letters that are no word, no number and no date in whatever spreadsheet.
#[must_use]
pub fn letters(digest: &Digest, count: usize) -> String {
    const LETTERS: &[u8; 16] = b"bcdfghklmnpqrtvz";
    let digits = digest.as_str().chars().take(count);
    digits
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| char::from(LETTERS[digit as usize]))
        .collect()
}

/// What the differences of one group share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Key {
    kind: DifferenceKind,
    column: Option<usize>,
    pattern: Option<Pattern>,
}

/// Counts groups from lines that come in the order of the file.
#[derive(Debug)]
pub(crate) struct Grouping {
    /// For each compared column, whether its values are hidden.
    hidden: Vec<bool>,
    groups: HashMap<Key, Counted>,
    rest: Counted,
}

impl Grouping {
    pub(crate) fn new(hidden: Vec<bool>) -> Self {
        Self {
            hidden,
            groups: HashMap::new(),
            rest: Counted::default(),
        }
    }

    pub(crate) fn see(&mut self, line: &Line, layout: &Layout) {
        if line.is_expected() {
            return;
        }
        let key = self.key(line);
        let is_full = self.groups.len() >= MAX_COUNTED && !self.groups.contains_key(&key);
        let counted = if is_full {
            &mut self.rest
        } else {
            self.groups.entry(key).or_default()
        };
        counted.see(line, layout);
        if let (LineChange::Cell(cell), true) = (&line.change, key.is_measured()) {
            counted.reach.see(&cell.old, &cell.new);
        }
    }

    fn key(&self, line: &Line) -> Key {
        let pattern = match &line.change {
            LineChange::Cell(cell)
                if self.hidden.get(cell.column).is_some_and(|hidden| *hidden) =>
            {
                Some(Pattern::of_hidden(&cell.old, &cell.new))
            }
            LineChange::Cell(cell) => Some(Pattern::of(&cell.old, &cell.new)),
            LineChange::OnlyOld(_) | LineChange::OnlyNew(_) => None,
        };
        Key {
            kind: line.kind(),
            column: line.column(),
            pattern,
        }
    }

    /// The groups: those of the schema, then the largest first, and the rest last.
    pub(crate) fn finish(
        self,
        schema: &[SchemaDifference],
        layout: &Layout,
        origin: &Origin,
    ) -> Vec<Group> {
        let unexpected = schema.iter().filter(|found| found.rule.is_none());
        let mut groups: Vec<Group> = unexpected.map(|found| of_schema(found, origin)).collect();
        let mut counted: Vec<(Key, Counted)> = self.groups.into_iter().collect();
        counted.sort_by_key(|(key, counted)| (Reverse(counted.differences), *key));
        let mut rest = self.rest;
        let beyond = counted.split_off(counted.len().min(MAX_GROUPS));
        for (_, other) in beyond {
            rest.add(other);
        }
        let largest = counted.into_iter();
        groups.extend(largest.map(|(key, counted)| key.group(counted, layout, origin)));
        if rest.differences > 0 {
            groups.push(of_rest(rest, origin));
        }
        groups
    }
}

impl Key {
    fn is_measured(self) -> bool {
        self.pattern.is_some_and(Pattern::is_measured)
    }

    fn group(self, counted: Counted, layout: &Layout, origin: &Origin) -> Group {
        let column = self
            .column
            .and_then(|position| layout.columns.get(position))
            .map(|column| column.name.clone());
        let what = match (self.pattern, self.kind) {
            (Some(pattern), _) => pattern.to_string(),
            (None, DifferenceKind::OnlyOld) => "row is gone".to_owned(),
            (None, _) => "row is new".to_owned(),
        };
        let within = self.is_measured().then(|| counted.reach.within());
        let allowance = self
            .pattern
            .map(|pattern| PatternAllowance { pattern, within });
        let (customers, more_customers) = counted.customers.finish();
        Group {
            id: id(origin, &(self.kind, &column, self.pattern)),
            what,
            kind: self.kind,
            column,
            differences: counted.differences,
            customers,
            more_customers,
            allowance,
            is_rest: false,
            bug: None,
            examples: counted.examples.finish(),
        }
    }
}

fn of_schema(found: &SchemaDifference, origin: &Origin) -> Group {
    let old = found.old.as_deref().unwrap_or_default();
    let new = found.new.as_deref().unwrap_or_default();
    let what = match found.kind {
        DifferenceKind::ColumnAdded => format!("column is new ({new})"),
        DifferenceKind::ColumnRemoved => format!("column is gone ({old})"),
        _ => format!("type changed ({old} → {new})"),
    };
    Group {
        id: id(origin, &(found.kind, &found.column, &what)),
        what,
        kind: found.kind,
        column: Some(found.column.clone()),
        differences: 1,
        customers: BTreeMap::new(),
        more_customers: 0,
        allowance: None,
        is_rest: false,
        bug: None,
        examples: Vec::new(),
    }
}

fn of_rest(rest: Counted, origin: &Origin) -> Group {
    let (customers, more_customers) = rest.customers.finish();
    Group {
        id: id(origin, &"rest"),
        what: "more kinds of difference".to_owned(),
        kind: DifferenceKind::Changed,
        column: None,
        differences: rest.differences,
        customers,
        more_customers,
        allowance: None,
        is_rest: true,
        bug: None,
        examples: rest.examples.finish(),
    }
}

fn id(origin: &Origin, what: &impl Serialize) -> String {
    let digest = Digest::of_json(&("group", &origin.change, &origin.task, what));
    format!("g{}", letters(&digest, ID_LETTERS))
}

/// What is counted of one group.
#[derive(Debug, Default)]
struct Counted {
    differences: u64,
    customers: Customers,
    reach: Reach,
    examples: GroupExamples,
}

impl Counted {
    fn see(&mut self, line: &Line, layout: &Layout) {
        self.differences += 1;
        let is_first = self.customers.see(&line.customer);
        self.examples.see(is_first, || example(line, layout));
    }

    fn add(&mut self, other: Self) {
        self.differences += other.differences;
        self.customers.add(other.customers);
        self.examples.more.extend(other.examples.finish());
    }
}

/// The rows of each customer, of lines that come customer by customer.
#[derive(Debug, Default)]
struct Customers {
    current: Option<(Customer, u64)>,
    /// Those that have most rows; the fewest on top.
    most: BinaryHeap<Reverse<(u64, Reverse<Customer>)>>,
    others: u64,
}

impl Customers {
    /// Counts a row. Gives whether it is the first of its customer.
    fn see(&mut self, customer: &Customer) -> bool {
        match &mut self.current {
            Some((current, rows)) if current == customer => {
                *rows += 1;
                false
            }
            _ => {
                let before = self.current.replace((customer.clone(), 1));
                self.keep(before);
                true
            }
        }
    }

    fn keep(&mut self, counted: Option<(Customer, u64)>) {
        let Some((customer, rows)) = counted else {
            return;
        };
        self.most.push(Reverse((rows, Reverse(customer))));
        if self.most.len() > MAX_CUSTOMERS {
            self.most.pop();
            self.others += 1;
        }
    }

    fn add(&mut self, other: Self) {
        let (mut all, others) = std::mem::take(self).finish();
        let (more, more_others) = other.finish();
        for (customer, rows) in more {
            *all.entry(customer).or_default() += rows;
        }
        // Who is beyond those that are kept may be counted twice: it is the rest, of which nothing depends on it.
        self.others = others.max(more_others);
        for counted in all {
            self.keep(Some(counted));
        }
    }

    fn finish(mut self) -> (BTreeMap<Customer, u64>, u64) {
        let last = self.current.take();
        self.keep(last);
        let most = self.most.into_iter();
        let named = most.map(|Reverse((rows, Reverse(customer)))| (customer, rows));
        (named.collect(), self.others)
    }
}

/// A few examples, of as many customers as there are.
#[derive(Debug, Default)]
struct GroupExamples {
    /// One of each customer.
    first: Vec<Example>,
    /// Others, in case that there are few customers.
    more: Vec<Example>,
}

impl GroupExamples {
    fn see(&mut self, is_first: bool, example: impl FnOnce() -> Example) {
        let kept = if is_first {
            &mut self.first
        } else {
            &mut self.more
        };
        if kept.len() < MAX_EXAMPLES {
            kept.push(example());
        }
    }

    fn finish(self) -> Vec<Example> {
        let all = self.first.into_iter().chain(self.more);
        all.take(MAX_EXAMPLES).collect()
    }
}

#[cfg(test)]
mod tests;
