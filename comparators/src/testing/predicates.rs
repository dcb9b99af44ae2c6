//! Predicates as cases write them: comparisons of two cells or a cell and a literal, joined by `&`.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use understudy_core::value::Value;
use understudy_tables::value_at;

use crate::predicates::{Bound, PredicateError, Predicates};

/// Longer ones first, so that none is taken for a part of another.
const OPERATORS: [&str; 7] = ["!=", "<=", ">=", "=", "<", ">", "~"];

/// What understands them. `old.x~` holds where the cell is NULL, and `fails` nowhere.
#[derive(Debug)]
pub(crate) struct SmallPredicates;

impl Predicates for SmallPredicates {
    fn bind(&self, predicate: &str, schema: &SchemaRef) -> Result<Bound, PredicateError> {
        let parts: Vec<(String, &str, String)> = predicate.split('&').map(parts).collect();
        for (left, _, right) in &parts {
            let unknown = |word: &String| word.contains('.') && schema.index_of(word).is_err();
            let is_number = |word: &String| word.parse::<f64>().is_ok();
            if let Some(word) = [left, right]
                .into_iter()
                .find(|word| unknown(word) && !is_number(word))
            {
                return Err(PredicateError::new(format!("no column `{word}`")));
            }
        }
        Ok(Box::new(move |rows: &RecordBatch| {
            let holds = (0..rows.num_rows()).map(|row| {
                let mut holds = parts.iter().map(|part| holds(part, rows, row));
                holds.try_fold(true, |all, part| part.map(|part| all && part))
            });
            let holds: Result<Vec<bool>, PredicateError> = holds.collect();
            Ok(BooleanArray::from(holds?))
        }))
    }
}

fn parts(text: &str) -> (String, &'static str, String) {
    let found = OPERATORS
        .into_iter()
        .find_map(|operator| Some((operator, text.split_once(operator)?)));
    let (operator, (left, right)) = found.unwrap_or(("", (text, "")));
    (left.to_owned(), operator, right.to_owned())
}

fn holds(
    (left, operator, right): &(String, &str, String),
    rows: &RecordBatch,
    row: usize,
) -> Result<bool, PredicateError> {
    let value = |word: &String| match rows.column_by_name(word) {
        Some(column) => value_at(column.as_ref(), row).unwrap(),
        None => match word.parse::<f64>() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::Text(word.clone()),
        },
    };
    let (left, right) = (value(left), value(right));
    if *operator == "~" {
        return Ok(left == Value::Null);
    }
    if operator.is_empty() {
        return Err(PredicateError::new("it fails on some row"));
    }
    if left == Value::Null || right == Value::Null {
        return Ok(false);
    }
    let number = |value: &Value| value.render().and_then(|text| text.parse::<f64>().ok());
    let order = match (number(&left), number(&right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => left.render().cmp(&right.render()),
    };
    Ok(match *operator {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}
