//! Rows as findings.

use arrow::array::RecordBatch;
use understudy_comparators::{CheckError, Finding, Found};
use understudy_core::customer::Customer;
use understudy_core::value::Value;
use understudy_tables::value_at;

/// What the columns of a finding are called.
const COLUMN: &str = "column";
const OLD: &str = "old";
const NEW: &str = "new";

/// Hands the rows of a batch on.
pub(super) fn hand_on(
    batch: &RecordBatch,
    customer: Option<&str>,
    found: &mut dyn Found,
) -> Result<(), CheckError> {
    let schema = batch.schema();
    for row in 0..batch.num_rows() {
        let mut finding = Finding::default();
        let mut figures = [None, None];
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            let value = value_at(array.as_ref(), row)?;
            match field.name().as_str() {
                name if Some(name) == customer => finding.customer = Some(owner(&value)),
                COLUMN => finding.column = value.render(),
                OLD => figures[0] = Some(value),
                NEW => figures[1] = Some(value),
                name => finding.cells.push((name.to_owned(), value)),
            }
        }
        if figures.iter().any(Option::is_some) {
            finding.figures = Some(figures.map(|value| value.unwrap_or(Value::Null)));
        }
        found.finding(finding);
    }
    Ok(())
}

/// Whose a finding is, as the rows of the tables say it: both zeros are one customer.
fn owner(value: &Value) -> Customer {
    let text = match value {
        Value::Float(0.0) => Value::Float(0.0).render(),
        Value::Float32(0.0) => Value::Float32(0.0).render(),
        value => value.render(),
    };
    text.map_or(Customer::Null, Customer::Named)
}
