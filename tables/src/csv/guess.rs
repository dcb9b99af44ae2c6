//! The type of a column, from all of its values.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};

use super::number::{Number, decimal_scale};
use super::time::{Timestamp, TimestampForm, ZoneForm, parse_date};

/// The label of the zone that instants are read in.
pub(crate) const UTC: &str = "UTC";

/// What a column's values, as far as they were seen, leave possible.
#[derive(Clone, Debug)]
pub(crate) struct Guess {
    has_values: bool,
    has_numbers: bool,
    integer: bool,
    float: bool,
    boolean: bool,
    date: bool,
    decimal: Alike<u8>,
    timestamp: Alike<TimestampForm>,
}

/// A form that all values must share.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Alike<T> {
    Unseen,
    All(T),
    No,
}

impl<T: PartialEq + Copy> Alike<T> {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unseen, either) | (either, Self::Unseen) => either,
            (Self::All(one), Self::All(two)) if one == two => self,
            _ => Self::No,
        }
    }

    fn form(self) -> Option<T> {
        match self {
            Self::All(form) => Some(form),
            Self::Unseen | Self::No => None,
        }
    }
}

impl<T> From<Option<T>> for Alike<T> {
    fn from(form: Option<T>) -> Self {
        form.map_or(Self::No, Self::All)
    }
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            has_values: false,
            has_numbers: false,
            integer: true,
            float: true,
            boolean: true,
            date: true,
            decimal: Alike::Unseen,
            timestamp: Alike::Unseen,
        }
    }
}

impl Guess {
    /// Takes one value into account; NULL says nothing of the type.
    pub(crate) fn see(&mut self, text: &str) {
        self.has_values = true;
        self.see_number(text);
        self.boolean = self.boolean && matches!(text, "true" | "false");
        self.date = self.date && parse_date(text).is_some();
        if self.timestamp != Alike::No {
            let form = Timestamp::parse(text).filter(|timestamp| timestamp.micros().is_some());
            self.timestamp = self
                .timestamp
                .and(form.and_then(|timestamp| timestamp.form()).into());
        }
    }

    fn see_number(&mut self, text: &str) {
        if !self.integer && !self.float && self.decimal == Alike::No {
            return;
        }
        let number = Number::parse(text);
        self.has_numbers = self.has_numbers || number.is_some();
        self.integer = self.integer && number.is_some_and(|number| number.is_integer());
        self.float = self.float
            && (number.is_some_and(|number| number.is_shortest_float()) || is_special_float(text));
        self.decimal = self
            .decimal
            .and(number.as_ref().and_then(decimal_scale).into());
    }

    /// What both leave possible.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            has_values: self.has_values || other.has_values,
            has_numbers: self.has_numbers || other.has_numbers,
            integer: self.integer && other.integer,
            float: self.float && other.float,
            boolean: self.boolean && other.boolean,
            date: self.date && other.date,
            decimal: self.decimal.and(other.decimal),
            timestamp: self.timestamp.and(other.timestamp),
        }
    }

    /// The type; text where nothing else holds every value.
    pub(crate) fn data_type(&self) -> DataType {
        if !self.has_values {
            return DataType::Utf8;
        }
        let candidates = [
            self.integer.then_some(DataType::Int64),
            (self.float && self.has_numbers).then_some(DataType::Float64),
            self.decimal
                .form()
                .and_then(|scale| Some(DataType::Decimal128(38, i8::try_from(scale).ok()?))),
            self.boolean.then_some(DataType::Boolean),
            self.date.then_some(DataType::Date32),
            self.timestamp.form().map(timestamp_type),
        ];
        candidates
            .into_iter()
            .flatten()
            .next()
            .unwrap_or(DataType::Utf8)
    }

    /// The type of a partition column, of which only integers and dates are recognised.
    pub(crate) fn partition_type(&self) -> DataType {
        match self.data_type() {
            known @ (DataType::Int64 | DataType::Date32) => known,
            _ => DataType::Utf8,
        }
    }
}

/// The floats that are no numbers, as common languages write them.
pub(crate) fn is_special_float(text: &str) -> bool {
    matches!(text, "NaN" | "nan" | "inf" | "-inf")
}

fn timestamp_type(form: TimestampForm) -> DataType {
    let zone = (form.zone != ZoneForm::Missing).then(|| Arc::from(UTC));
    DataType::Timestamp(TimeUnit::Microsecond, zone)
}

/// Whether a text comes back as the same value from a type that somebody else chose: equal as a number, the
/// same instant, the same text.
pub(crate) fn fits(text: &str, data_type: &DataType) -> bool {
    use DataType as T;
    let number = || Number::parse(text);
    match data_type {
        T::Utf8 | T::LargeUtf8 | T::Utf8View => true,
        T::Dictionary(_, values) => fits(text, values),
        T::Boolean => matches!(text, "true" | "false"),
        T::Int8 => fits_integer::<i8>(text),
        T::Int16 => fits_integer::<i16>(text),
        T::Int32 => fits_integer::<i32>(text),
        T::Int64 => fits_integer::<i64>(text),
        T::UInt8 => fits_integer::<u8>(text),
        T::UInt16 => fits_integer::<u16>(text),
        T::UInt32 => fits_integer::<u32>(text),
        T::UInt64 => fits_integer::<u64>(text),
        T::Float32 => is_special_float(text) || number().is_some_and(|number| number.is_float32()),
        T::Float64 => is_special_float(text) || number().is_some_and(|number| number.is_float()),
        T::Decimal32(precision, scale)
        | T::Decimal64(precision, scale)
        | T::Decimal128(precision, scale)
        | T::Decimal256(precision, scale) => {
            number().is_some_and(|number| number.is_decimal((*precision).min(38), *scale))
        }
        T::Date32 | T::Date64 => parse_date(text).is_some(),
        T::Timestamp(unit, zone) => fits_timestamp(text, *unit, zone.is_some()),
        _ => false,
    }
}

/// Whether it is the one text of such an integer.
fn fits_integer<T: std::str::FromStr + ToString>(text: &str) -> bool {
    text.parse::<T>()
        .is_ok_and(|integer| integer.to_string() == text)
}

fn fits_timestamp(text: &str, unit: TimeUnit, has_zone: bool) -> bool {
    let Some(timestamp) = Timestamp::parse(text) else {
        return false;
    };
    let Some(form) = timestamp.form() else {
        return false;
    };
    let Some(micros) = timestamp.micros() else {
        return false;
    };
    let unit_holds_it = match unit {
        TimeUnit::Second => micros % 1_000_000 == 0,
        TimeUnit::Millisecond => micros % 1_000 == 0,
        TimeUnit::Microsecond => true,
        TimeUnit::Nanosecond => micros.checked_mul(1_000).is_some(),
    };
    unit_holds_it && has_zone == (form.zone != ZoneForm::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expected: &str) {
        let mut guess = Guess::default();
        values.iter().for_each(|value| guess.see(value));
        assert_eq!(guess.data_type().to_string(), expected, "{values:?}");
    }

    #[test]
    fn a_column_has_the_type_that_all_its_values_come_back_from() {
        check(&[], "Utf8");
        check(&["1", "-20"], "Int64");
        check(&["1", "007"], "Utf8");
        check(&["1", ""], "Utf8");
        check(&["1", "2.5", "2.0"], "Float64");
        check(&["1.5", "1.50"], "Utf8");
        check(&["1.50", "12.25"], "Decimal128(38, 2)");
        check(&["1.10", "1.2"], "Utf8");
        check(&["NaN", "inf"], "Utf8");
        check(&["NaN", "1.5"], "Float64");
        check(&["true", "false"], "Boolean");
        check(&["true", "TRUE"], "Utf8");
        check(&["2013-01-01"], "Date32");
        check(&["2013-01-01", "2013-02-30"], "Utf8");
        check(&["2013-01-01T05:00:00Z"], "Timestamp(µs, \"UTC\")");
        check(
            &["2013-01-01 05:00:00", "2013-01-02 05:00:00"],
            "Timestamp(µs)",
        );
        check(&["2013-01-01 05:00:00", "2013-01-02T05:00:00"], "Utf8");
        check(
            &["2013-01-01T05:00:00Z", "2013-01-01T05:00:00-05:00"],
            "Utf8",
        );
        check(&["1e5", "12e4"], "Utf8");
    }

    #[test]
    fn parts_of_a_column_give_the_type_of_the_whole() {
        let values = [
            "1",
            "2.5",
            "2.50",
            "true",
            "2013-01-01",
            "2013-01-01T05:00:00Z",
            "x",
            "",
            "-0",
            "1e-05",
        ];
        for one in values {
            for two in values {
                let guess = |values: &[&str]| {
                    let mut guess = Guess::default();
                    values.iter().for_each(|value| guess.see(value));
                    guess
                };
                let parts = guess(&[one]).and(&guess(&[two]));
                assert_eq!(
                    parts.data_type(),
                    guess(&[one, two]).data_type(),
                    "{one} {two}"
                );
            }
        }
    }

    #[test]
    fn values_fit_a_type_that_gives_them_back() {
        let check = |text: &str, data_type: DataType, expected| {
            assert_eq!(fits(text, &data_type), expected, "{text} as {data_type}");
        };
        check("127", DataType::Int8, true);
        check("128", DataType::Int8, false);
        check("1.50", DataType::Float64, true);
        check("1.50", DataType::Decimal128(10, 2), true);
        check("1.505", DataType::Decimal128(10, 2), false);
        check("123456789.00", DataType::Decimal128(10, 2), false);
        check(
            "2013-01-01T00:00:00Z",
            DataType::Timestamp(TimeUnit::Second, Some("America/New_York".into())),
            true,
        );
        check(
            "2013-01-01T00:00:00",
            DataType::Timestamp(TimeUnit::Second, Some("UTC".into())),
            false,
        );
        check(
            "2013-01-01T00:00:00.5",
            DataType::Timestamp(TimeUnit::Second, None),
            false,
        );
        check("x", DataType::Binary, false);
    }
}
