//! `customers.csv`: a line per customer, the worst first.

use std::path::Path;

use understudy_core::comparison::CustomerCounts;
use understudy_core::csv_dialect::CsvDialect;
use understudy_core::customer::Customer;
use understudy_core::stage::Stage;
use understudy_core::verdict::Verdict;

use super::whole_file::write_whole;
use crate::report::csv_text::{Field, beginning, push_line};
use crate::report::error::ReportError;

/// The file's name.
pub const CUSTOMERS_CSV: &str = "customers.csv";

const COLUMNS: [&str; 10] = [
    "customer",
    "verdict",
    "stage",
    "old_rows",
    "new_rows",
    "changed",
    "only_old",
    "only_new",
    "expected",
    "unexpected",
];

/// One customer of one task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomerLine {
    /// The customer.
    pub customer: Customer,
    /// The verdict on its lane.
    pub verdict: Verdict,
    /// The stage of its lane; `None` without a pipeline.
    pub stage: Option<Stage>,
    /// What the comparison counted.
    pub counts: CustomerCounts,
}

/// Writes `customers.csv` into a folder.
///
/// # Errors
/// The file cannot be written.
pub fn write_customers(
    folder: &Path,
    dialect: CsvDialect,
    mut customers: Vec<CustomerLine>,
) -> Result<(), ReportError> {
    customers.sort_by(|a, b| worst_first(a).cmp(&worst_first(b)));
    let mut text = beginning(dialect).to_owned();
    push_line(&mut text, dialect, COLUMNS.map(Field::Plain));
    for customer in &customers {
        push_customer(&mut text, dialect, customer);
    }
    write_whole(&folder.join(CUSTOMERS_CSV), &text)
}

fn worst_first(line: &CustomerLine) -> impl Ord {
    use std::cmp::Reverse;
    let counts = &line.counts;
    (
        Reverse(line.verdict),
        Reverse(counts.unexpected),
        Reverse(counts.expected),
        line.customer.clone(),
    )
}

fn push_customer(text: &mut String, dialect: CsvDialect, line: &CustomerLine) {
    let CustomerCounts {
        old,
        new,
        changed,
        only_old,
        only_new,
        expected,
        unexpected,
    } = line.counts;
    let customer = line.customer.label();
    let stage = line.stage.map(|stage| stage.to_string());
    let counts = [old, new, changed, only_old, only_new, expected, unexpected]
        .map(|count| count.to_string());
    let mut fields = vec![
        Field::Text(&customer),
        Field::Plain(line.verdict.name()),
        Field::plain(stage.as_deref()),
    ];
    fields.extend(counts.iter().map(|count| Field::Plain(count)));
    push_line(text, dialect, fields);
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn line(
        customer: Customer,
        verdict: Verdict,
        stage: Option<Stage>,
        counts: [u64; 2],
    ) -> CustomerLine {
        let [expected, unexpected] = counts;
        let counts = CustomerCounts {
            old: 9,
            new: 8,
            changed: 3,
            only_old: 1,
            expected,
            unexpected,
            ..Default::default()
        };
        CustomerLine {
            customer,
            verdict,
            stage,
            counts,
        }
    }

    #[test]
    fn the_worst_come_first_and_names_are_safe() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| Customer::Named(name.into());
        let lines = vec![
            line(
                named("same"),
                Verdict::Identical,
                Some(Stage::Shadow),
                [0, 0],
            ),
            line(
                named("=1+1"),
                Verdict::Unexpected,
                Some(Stage::Live),
                [1, 2],
            ),
            line(Customer::Null, Verdict::Inconclusive, None, [0, 0]),
            line(
                named("worst"),
                Verdict::Unexpected,
                Some(Stage::Shadow),
                [0, 4],
            ),
            line(named(""), Verdict::Expected, Some(Stage::Shadow), [4, 0]),
        ];
        write_customers(folder.path(), CsvDialect::default(), lines).unwrap();
        let text = std::fs::read_to_string(folder.path().join(CUSTOMERS_CSV)).unwrap();
        expect![[r#"
            customer,verdict,stage,old_rows,new_rows,changed,only_old,only_new,expected,unexpected
            worst,unexpected,shadow,9,8,3,1,0,0,4
            '=1+1,unexpected,live,9,8,3,1,0,1,2
            *null*,inconclusive,,9,8,3,1,0,0,0
            "",expected,shadow,9,8,3,1,0,4,0
            same,identical,shadow,9,8,3,1,0,0,0
        "#]]
        .assert_eq(&text);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing temporary remains"
        );
    }
}
