//! The longest streak of late departures, by carrier and airport.
//!
//! A flight that was cancelled did not depart, so it neither goes on with a streak nor ends one. SQL can say that, too,
//! but not in a form that anybody likes to read.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use understudy::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use understudy::arrow::compute::cast;
use understudy::arrow::datatypes::{DataType, Float64Type, Int64Type};
use understudy::{Call, Param};

type AnyError = Box<dyn Error + Send + Sync>;

/// Whose departures: carrier and airport.
type Lane = (String, String);

/// When a flight was to leave (its hour in UTC, its minute, its number), and how late it was, if it left.
type Departure = ((i64, i64, i64), Option<f64>);

/// Reads `flights`, takes the parameter `late_minutes`, gives `carrier`, `origin`, `longest` and `streaks`.
pub(crate) fn late_streaks(call: &mut Call<'_>) -> Result<(), AnyError> {
    let late_minutes = match call.param("late_minutes") {
        Some(Param::Integer(minutes)) => *minutes as f64,
        _ => return Err("the parameter `late_minutes` must be a whole number".into()),
    };
    let mut lanes: BTreeMap<Lane, Vec<Departure>> = BTreeMap::new();
    for batch in call.input("flights")?.batches()? {
        read(&batch?, &mut lanes)?;
    }
    let found = lanes.into_iter().map(|(lane, departures)| {
        let streaks = streaks(departures, late_minutes);
        (lane, streaks)
    });
    call.write(&table(found.collect())?)?;
    Ok(())
}

fn read(batch: &RecordBatch, lanes: &mut BTreeMap<Lane, Vec<Departure>>) -> Result<(), AnyError> {
    let column = |name: &str, data_type: &DataType| -> Result<ArrayRef, AnyError> {
        let column = batch
            .column_by_name(name)
            .ok_or_else(|| format!("`flights` has no column `{name}`"))?;
        Ok(cast(column, data_type)?)
    };
    let (carriers, origins) = (
        column("carrier", &DataType::Utf8)?,
        column("origin", &DataType::Utf8)?,
    );
    let (carriers, origins): (&StringArray, &StringArray) =
        (carriers.as_string(), origins.as_string());
    let whole = |name: &str| column(name, &DataType::Int64);
    let (hours, minutes, flights) = (whole("time_hour")?, whole("minute")?, whole("flight")?);
    let [hours, minutes, flights]: [&Int64Array; 3] =
        [&hours, &minutes, &flights].map(|column| column.as_primitive::<Int64Type>());
    let delays = column("dep_delay", &DataType::Float64)?;
    let delays: &Float64Array = delays.as_primitive::<Float64Type>();
    for row in 0..batch.num_rows() {
        let lane = (
            carriers.value(row).to_owned(),
            origins.value(row).to_owned(),
        );
        let when = (hours.value(row), minutes.value(row), flights.value(row));
        let delay = delays.is_valid(row).then(|| delays.value(row));
        lanes.entry(lane).or_default().push((when, delay));
    }
    Ok(())
}

/// The lengths of all streaks, in the order of time.
fn streaks(mut departures: Vec<Departure>, late_minutes: f64) -> Vec<i64> {
    departures.sort_by_key(|(when, _)| *when);
    let (mut streaks, mut running) = (Vec::new(), 0);
    for delay in departures.into_iter().filter_map(|(_, delay)| delay) {
        if delay > late_minutes {
            running += 1;
        } else if running > 0 {
            streaks.push(running);
            running = 0;
        }
    }
    streaks.extend((running > 0).then_some(running));
    streaks
}

/// Lanes without any streak have no row.
fn table(found: Vec<(Lane, Vec<i64>)>) -> Result<RecordBatch, AnyError> {
    let found: Vec<_> = found
        .into_iter()
        .filter(|(_, streaks)| !streaks.is_empty())
        .collect();
    let text = |pick: fn(&Lane) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            found.iter().map(|(lane, _)| pick(lane)),
        ))
    };
    let number = |pick: fn(&Vec<i64>) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            found.iter().map(|(_, streaks)| pick(streaks)),
        ))
    };
    let count = |streaks: &Vec<i64>| i64::try_from(streaks.len()).unwrap_or(i64::MAX);
    let longest = |streaks: &Vec<i64>| streaks.iter().copied().max().unwrap_or(0);
    Ok(RecordBatch::try_from_iter([
        ("carrier", text(|(carrier, _)| carrier)),
        ("origin", text(|(_, origin)| origin)),
        ("longest", number(longest)),
        ("streaks", number(count)),
    ])?)
}

#[cfg(test)]
mod tests {
    use super::streaks;

    #[test]
    fn a_cancelled_flight_neither_ends_a_streak_nor_goes_on_with_it() {
        let departures = [Some(20.0), None, Some(30.0), Some(0.0), None, Some(16.0)];
        let departures = departures.into_iter().enumerate().rev();
        let departures = departures.map(|(hour, delay)| ((hour as i64, 0, 0), delay));
        assert_eq!(streaks(departures.collect(), 15.0), [2, 1]);
    }
}
