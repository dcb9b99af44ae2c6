//! A comparator: a carrier's longest streak never gets shorter when streaks grow together.

use std::collections::{BTreeMap, BTreeSet};

use understudy::arrow::array::{Array, ArrayRef, AsArray};
use understudy::arrow::compute::cast;
use understudy::arrow::datatypes::{DataType, Int64Type};
use understudy::{CheckError, Customer, Finding, Found, Side, Sides, Value};

/// Finds carriers whose longest streak is shorter in the new output, and those that only one of them has.
pub(crate) fn longest_stays(sides: &Sides<'_>, found: &mut dyn Found) -> Result<u64, CheckError> {
    sides.all_rows()?;
    let (old, new) = (longest(sides, Side::Old)?, longest(sides, Side::New)?);
    let carriers: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for carrier in &carriers {
        let (before, after) = (old.get(*carrier), new.get(*carrier));
        let stays = before
            .zip(after)
            .is_some_and(|(before, after)| after >= before);
        if !stays {
            let figure = |streak: Option<&i64>| {
                streak.map_or(Value::Null, |streak| Value::Integer((*streak).into()))
            };
            let finding = Finding::new("longest streak")
                .of(Customer::Named((*carrier).clone()))
                .about("longest")
                .figures(figure(before), figure(after));
            found.finding(finding);
        }
    }
    Ok(carriers.len() as u64)
}

/// The longest streak of each carrier. What is NULL cannot be compared.
fn longest(sides: &Sides<'_>, side: Side) -> Result<BTreeMap<String, i64>, CheckError> {
    let mut longest: BTreeMap<String, i64> = BTreeMap::new();
    for batch in sides.batches(side, &["carrier", "longest"])? {
        let batch = batch?;
        let column = |position: usize, data_type: &DataType| -> Result<ArrayRef, CheckError> {
            let column = cast(batch.column(position), data_type);
            let column = column.map_err(|error| CheckError::other(error.to_string()))?;
            if column.null_count() > 0 {
                return Err(CheckError::other("a carrier or a streak is NULL"));
            }
            Ok(column)
        };
        let (carriers, streaks) = (column(0, &DataType::Utf8)?, column(1, &DataType::Int64)?);
        let streaks = streaks.as_primitive::<Int64Type>();
        for (row, carrier) in carriers.as_string::<i32>().iter().flatten().enumerate() {
            let streak = streaks.value(row);
            let known = longest.entry(carrier.to_owned()).or_insert(streak);
            *known = streak.max(*known);
        }
    }
    Ok(longest)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use understudy::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use understudy::conformance::{Sample, require};

    use super::longest_stays;

    fn table(longest: [i64; 4]) -> RecordBatch {
        let columns: [(&str, ArrayRef); 3] = [
            (
                "carrier",
                Arc::new(StringArray::from(vec!["AA", "AA", "B6", "UA"])),
            ),
            (
                "origin",
                Arc::new(StringArray::from(vec!["JFK", "LGA", "JFK", "EWR"])),
            ),
            ("longest", Arc::new(Int64Array::from(longest.to_vec()))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn it_keeps_the_laws() {
        let sample = Sample {
            old: table([3, 7, 5, 2]),
            new: table([3, 6, 5, 4]),
            key: vec!["carrier".to_owned(), "origin".to_owned()],
            customer: Some("carrier".to_owned()),
            reads: vec!["longest".to_owned()],
        };
        require(&longest_stays, &sample);
    }
}
