use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    Field, Fields, Float16Type, Int8Type, Int32Type, Int64Type, IntervalDayTime,
    IntervalMonthDayNano, UnionFields, i256,
};

use super::*;

fn check(array: impl Array + 'static, expected: &[Value]) {
    let values: Vec<_> = (0..array.len())
        .map(|row| value_at(&array, row).unwrap())
        .collect();
    assert_eq!(values, expected, "{}", array.data_type());
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn decimal(value: &str) -> Value {
    Value::Decimal(value.parse().unwrap())
}

#[test]
fn numbers_are_exact() {
    check(
        BooleanArray::from(vec![Some(true), None]),
        &[Value::Boolean(true), Value::Null],
    );
    check(Int8Array::from(vec![i8::MIN]), &[Value::Integer(-128)]);
    check(Int16Array::from(vec![-2]), &[Value::Integer(-2)]);
    check(Int32Array::from(vec![-3]), &[Value::Integer(-3)]);
    check(
        Int64Array::from(vec![i64::MIN]),
        &[Value::Integer(i64::MIN.into())],
    );
    check(UInt8Array::from(vec![255]), &[Value::Integer(255)]);
    check(UInt16Array::from(vec![5]), &[Value::Integer(5)]);
    check(UInt32Array::from(vec![6]), &[Value::Integer(6)]);
    check(
        UInt64Array::from(vec![u64::MAX]),
        &[Value::Integer(u64::MAX.into())],
    );
    check(Float32Array::from(vec![0.1]), &[Value::Float32(0.1)]);
    check(Float64Array::from(vec![0.1]), &[Value::Float(0.1)]);
    let halves = arrow::compute::cast(&Float32Array::from(vec![2.5]), &DataType::Float16).unwrap();
    check(
        halves.as_primitive::<Float16Type>().clone(),
        &[Value::Float32(2.5)],
    );
    check(NullArray::new(2), &[Value::Null, Value::Null]);
}

#[test]
fn decimals_of_all_widths() {
    let scaled = |digits: i128| {
        Decimal128Array::from(vec![digits])
            .with_precision_and_scale(38, 2)
            .unwrap()
    };
    check(scaled(-150), &[decimal("-1.50")]);
    check(
        scaled(10_i128.pow(38) - 1),
        &[decimal("999999999999999999999999999999999999.99")],
    );
    check(
        Decimal32Array::from(vec![5])
            .with_precision_and_scale(9, 3)
            .unwrap(),
        &[decimal("0.005")],
    );
    check(
        Decimal64Array::from(vec![-5])
            .with_precision_and_scale(18, -2)
            .unwrap(),
        &[decimal("-500")],
    );
    let large = i256::from_string(
        "-1234567890123456789012345678901234567890123456789012345678901234567890",
    )
    .unwrap();
    let array = Decimal256Array::from(vec![large])
        .with_precision_and_scale(76, 10)
        .unwrap();
    check(
        array,
        &[decimal(
            "-123456789012345678901234567890123456789012345678901234567890.1234567890",
        )],
    );
}

#[test]
fn text_and_bytes_however_they_are_stored() {
    check(
        StringArray::from(vec![Some(""), None]),
        &[text(""), Value::Null],
    );
    check(LargeStringArray::from(vec!["é"]), &[text("é")]);
    check(
        StringViewArray::from(vec!["a long text that is no inline view"]),
        &[text("a long text that is no inline view")],
    );
    check(
        BinaryArray::from(vec![b"\xff".as_slice()]),
        &[Value::Binary(vec![0xff])],
    );
    check(
        LargeBinaryArray::from(vec![b"a".as_slice()]),
        &[Value::Binary(vec![b'a'])],
    );
    check(
        BinaryViewArray::from(vec![b"b".as_slice()]),
        &[Value::Binary(vec![b'b'])],
    );
    let fixed = FixedSizeBinaryArray::try_from_iter([[1, 2]].into_iter()).unwrap();
    check(fixed, &[Value::Binary(vec![1, 2])]);
    let dictionary: DictionaryArray<Int8Type> =
        vec![Some("x"), None, Some("x")].into_iter().collect();
    check(dictionary, &[text("x"), Value::Null, text("x")]);
    let values = StringArray::from(vec![Some("x"), None]);
    check(
        DictionaryArray::<Int8Type>::new(Int8Array::from(vec![1, 0]), Arc::new(values)),
        &[Value::Null, text("x")],
    );
    let runs: RunArray<Int32Type> = vec![Some("x"), Some("x"), None].into_iter().collect();
    check(runs.clone(), &[text("x"), text("x"), Value::Null]);
    check(runs.slice(1, 2), &[text("x"), Value::Null]);
}

#[test]
fn times_of_all_units() {
    check(Date32Array::from(vec![-1]), &[Value::Date(-1)]);
    check(Date64Array::from(vec![-MILLIS_PER_DAY]), &[Value::Date(-1)]);
    check(
        Time32SecondArray::from(vec![1]),
        &[Value::Time(1_000_000_000)],
    );
    check(
        Time32MillisecondArray::from(vec![1]),
        &[Value::Time(1_000_000)],
    );
    check(Time64MicrosecondArray::from(vec![1]), &[Value::Time(1_000)]);
    check(Time64NanosecondArray::from(vec![1]), &[Value::Time(1)]);
    let at = |nanos, zone: Option<&str>| Value::Timestamp {
        nanos,
        zone: zone.map(str::to_owned),
    };
    check(
        TimestampSecondArray::from(vec![i64::MAX]),
        &[at(i128::from(i64::MAX) * 1_000_000_000, None)],
    );
    check(
        TimestampMillisecondArray::from(vec![-1]),
        &[at(-1_000_000, None)],
    );
    check(
        TimestampMicrosecondArray::from(vec![1]).with_timezone("Asia/Tokyo"),
        &[at(1_000, Some("Asia/Tokyo"))],
    );
    check(
        TimestampNanosecondArray::from(vec![1]).with_timezone("UTC"),
        &[at(1, Some("UTC"))],
    );
    check(
        DurationSecondArray::from(vec![-1]),
        &[Value::Duration(-1_000_000_000)],
    );
    check(
        DurationMillisecondArray::from(vec![1]),
        &[Value::Duration(1_000_000)],
    );
    check(
        DurationMicrosecondArray::from(vec![1]),
        &[Value::Duration(1_000)],
    );
    check(
        DurationNanosecondArray::from(vec![1]),
        &[Value::Duration(1)],
    );
    let interval = |months, days, nanos| Value::Interval {
        months,
        days,
        nanos,
    };
    check(
        IntervalYearMonthArray::from(vec![14]),
        &[interval(14, 0, 0)],
    );
    check(
        IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, -2)]),
        &[interval(0, 1, -2_000_000)],
    );
    check(
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3)]),
        &[interval(1, 2, 3)],
    );
}

#[test]
fn nested_values() {
    let one_two = Value::List(vec![Value::Integer(1), Value::Null]);
    let rows = [Some(vec![Some(1), None]), None];
    check(
        ListArray::from_iter_primitive::<Int64Type, _, _>(rows.clone()),
        &[one_two.clone(), Value::Null],
    );
    check(
        LargeListArray::from_iter_primitive::<Int64Type, _, _>(rows.clone()),
        &[one_two.clone(), Value::Null],
    );
    check(
        FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>(rows, 2),
        &[one_two.clone(), Value::Null],
    );
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let numbers = Arc::new(Int64Array::from(vec![Some(7), Some(1), None]));
    let (offsets, sizes) = (
        ScalarBuffer::from(vec![1, 0]),
        ScalarBuffer::from(vec![2, 1]),
    );
    let views = ListViewArray::new(item, offsets, sizes, numbers, None);
    check(views, &[one_two, Value::List(vec![Value::Integer(7)])]);

    let fields = Fields::from(vec![
        Field::new("a", DataType::Int64, false),
        Field::new("b", DataType::Utf8, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1])),
        Arc::new(StringArray::from(vec!["x"])),
    ];
    let structure = StructArray::new(fields.clone(), columns.clone(), None);
    let expected = vec![
        ("a".to_owned(), Value::Integer(1)),
        ("b".to_owned(), text("x")),
    ];
    check(structure.clone(), &[Value::Struct(expected)]);

    let entries = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    let map = MapArray::new(
        entries,
        OffsetBuffer::from_lengths([1]),
        structure,
        None,
        false,
    );
    check(map, &[Value::Map(vec![(Value::Integer(1), text("x"))])]);

    let choices = [
        Field::new("a", DataType::Int64, true),
        Field::new("b", DataType::Utf8, true),
    ];
    let choices: UnionFields = choices
        .into_iter()
        .enumerate()
        .map(|(id, field)| (i8::try_from(id).unwrap(), Arc::new(field)))
        .collect();
    let types = ScalarBuffer::from(vec![1_i8]);
    check(
        UnionArray::try_new(choices, types, None, columns).unwrap(),
        &[text("x")],
    );
}

#[test]
fn what_is_no_value_is_an_error() {
    let error = |array: &dyn Array, row| value_at(array, row).unwrap_err().to_string();
    assert_eq!(
        error(&Int64Array::from(vec![1]), 1),
        "row 1 is not there; the column has 1"
    );
    let afternoon = "`43200000` ms since 1970 is no whole day, but its column is a date";
    assert_eq!(error(&Date64Array::from(vec![43_200_000]), 0), afternoon);
}
