//! Takes findings, asks the rules about each, counts them, and keeps a few.

use std::collections::BTreeMap;

use understudy_core::comparison::{CheckFinding, CheckFindings};
use understudy_core::customer::Customer;
use understudy_core::judge::checks::rule_for_finding;
use understudy_core::rule::{DifferenceKind, Rule};
use understudy_core::schema::Column;
use understudy_core::value::Value;

use super::{Finding, Found};

/// The findings that are kept as examples: so many that no rule expects, and so many that one does.
pub const MAX_EXAMPLES: usize = 20;
/// The characters of each text of an example, once it is whole.
pub const MAX_FINDING_CHARS: usize = 400;
/// The characters that a text is kept with until then: values that are looked for in it must not be cut in two.
const MAX_KEPT_CHARS: usize = 4_000;
/// The customers that findings are counted by. Those of others count as everybody's, which is no better.
const MAX_CUSTOMERS: usize = 1 << 20;
/// The bytes of a customer's name. A longer one is no customer of any table that people look at.
const MAX_CUSTOMER_BYTES: usize = 4_096;
/// The cells of an example that are shown.
const MAX_CELLS: usize = 32;
/// The sentences that say what could not be compared.
const MAX_NOT_COMPARED: usize = 10;

/// What one rule expects of a check's findings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Share {
    /// The findings.
    pub findings: u64,
    /// Them by customer. One that belongs to every customer is not among them.
    pub customers: BTreeMap<Customer, u64>,
}

/// The findings of one comparator, counted, with the rules that expect them.
#[derive(Debug)]
pub struct Collected<'a> {
    kind: DifferenceKind,
    rules: &'a [Rule],
    columns: &'a [Column],
    shares: Vec<Share>,
    found: CheckFindings,
    /// Examples that a rule expects.
    expected: Vec<CheckFinding>,
    more_not_compared: u64,
}

impl<'a> Collected<'a> {
    /// Collects findings of a kind. `columns` are those of both tables.
    #[must_use]
    pub fn new(kind: DifferenceKind, rules: &'a [Rule], columns: &'a [Column]) -> Self {
        Self {
            kind,
            rules,
            columns,
            shares: vec![Share::default(); rules.len()],
            found: CheckFindings::default(),
            expected: Vec::new(),
            more_not_compared: 0,
        }
    }

    /// What was found, given how many things were looked at; and what each rule expects of it, in their order. The
    /// texts of examples are [shortened](shortened) by whoever shows them.
    #[must_use]
    pub fn finish(mut self, looked_at: u64) -> (CheckFindings, Vec<Share>) {
        if self.more_not_compared > 0 {
            let more = format!("and {} more could not be compared", self.more_not_compared);
            self.found.not_compared.push(more);
        }
        self.found.looked_at = looked_at;
        self.found.examples.append(&mut self.expected);
        (self.found, self.shares)
    }

    fn rule_for(&self, finding: &Finding) -> Option<usize> {
        let unknown = finding.column.as_ref().map(|name| Column {
            name: name.clone(),
            data_type: String::new(),
            kind: understudy_core::schema::ColumnKind::Other,
        });
        let known = |name: &String| self.columns.iter().find(|column| column.name == *name);
        let known = finding.column.as_ref().and_then(known);
        let column = known.or(unknown.as_ref());
        rule_for_finding(self.rules, self.kind, finding.customer.as_ref(), column)
    }
}

impl Found for Collected<'_> {
    fn finding(&mut self, finding: Finding) {
        let rule = self.rule_for(&finding);
        let customer = finding.customer.clone();
        let (examples, customers) = match rule {
            Some(rule) => {
                self.found.expected += 1;
                self.shares[rule].findings += 1;
                (&mut self.expected, &mut self.shares[rule].customers)
            }
            None => {
                self.found.unexpected += 1;
                (&mut self.found.examples, &mut self.found.customers)
            }
        };
        if let Some(customer) = customer.filter(is_short)
            && (customers.len() < MAX_CUSTOMERS || customers.contains_key(&customer))
        {
            *customers.entry(customer).or_default() += 1;
        }
        if examples.len() < MAX_EXAMPLES {
            let name = rule.map(|rule| self.rules[rule].name.clone());
            examples.push(example(finding, name));
        }
    }

    fn not_compared(&mut self, what: String) {
        if self.found.not_compared.len() < MAX_NOT_COMPARED {
            self.found.not_compared.push(cut(&what, MAX_KEPT_CHARS));
        } else {
            self.more_not_compared += 1;
        }
    }
}

/// A finding as it is kept.
fn example(finding: Finding, rule: Option<String>) -> CheckFinding {
    let text = |value: &Value| value.render().map(|text| cut(&text, MAX_KEPT_CHARS));
    let [old, new] = match &finding.figures {
        Some([old, new]) => [text(old), text(new)],
        None => [None, None],
    };
    let delta = finding.figures.as_ref();
    let delta = delta.and_then(|[old, new]| Value::delta(old, new));
    CheckFinding {
        what: cut(&words(&finding), MAX_KEPT_CHARS),
        customer: finding.customer,
        column: finding.column,
        old,
        new,
        delta: delta.map(|delta| cut(&delta, MAX_KEPT_CHARS)),
        rule,
    }
}

/// What a finding is about: its words, then its cells.
fn words(finding: &Finding) -> String {
    let cell = |(name, value): &(String, Value)| {
        let value = value.render().unwrap_or_else(|| "NULL".to_owned());
        format!("{name}={}", cut(&value, MAX_KEPT_CHARS))
    };
    let mut cells: Vec<String> = finding.cells.iter().take(MAX_CELLS).map(cell).collect();
    if finding.cells.len() > MAX_CELLS {
        cells.push("…".to_owned());
    }
    match (finding.what.is_empty(), cells.is_empty()) {
        (true, _) => cells.join(", "),
        (false, true) => finding.what.clone(),
        (false, false) => format!("{} where {}", finding.what, cells.join(", ")),
    }
}

fn is_short(customer: &Customer) -> bool {
    !matches!(customer, Customer::Named(name) if name.len() > MAX_CUSTOMER_BYTES)
}

/// The findings with texts as long as people read them.
#[must_use]
pub fn shortened(mut found: CheckFindings) -> CheckFindings {
    for finding in &mut found.examples {
        finding.what = cut(&finding.what, MAX_FINDING_CHARS);
        finding.customer = finding.customer.take().filter(is_short);
        let texts = [&mut finding.old, &mut finding.new, &mut finding.delta];
        for text in texts.into_iter().flatten() {
            *text = cut(text, MAX_FINDING_CHARS);
        }
        if let Some(column) = &mut finding.column {
            *column = cut(column, MAX_FINDING_CHARS);
        }
    }
    for text in &mut found.not_compared {
        *text = cut(text, MAX_FINDING_CHARS);
    }
    found
}

fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
