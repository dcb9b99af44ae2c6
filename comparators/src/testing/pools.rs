//! A few values of every type that a column can have, among them those that go wrong elsewhere.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, FixedSizeListArray, Int64Array, ListArray,
    MapBuilder, RunArray, StringArray, StringBuilder, StructArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type};
use understudy_core::value::Value;
use understudy_tables::value_at;

use super::cells::column;
use super::random::Random;

/// Values of one type. Some are the same value twice, as the two zeros are.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) array: ArrayRef,
    pub(crate) values: Vec<Value>,
}

impl Pool {
    /// The numbers from zero.
    pub(crate) fn numbers(count: usize) -> Self {
        Self::new(Arc::new(Int64Array::from_iter_values(
            (0..count).map(|number| number as i64),
        )))
    }

    fn new(array: ArrayRef) -> Self {
        let values = (0..array.len())
            .map(|row| value_at(array.as_ref(), row).unwrap())
            .collect();
        Self { array, values }
    }
}

impl Pool {
    /// The same values in another encoding, if there is one for their type.
    pub(crate) fn encoded(&self, random: &mut Random) -> Self {
        let own = self.array.data_type().clone();
        let dictionary = |values: &DataType| {
            DataType::Dictionary(Box::new(DataType::Int16), Box::new(values.clone()))
        };
        let runs = |values: &DataType| {
            let ends = Field::new("run_ends", DataType::Int32, false);
            let values = Field::new("values", values.clone(), true);
            DataType::RunEndEncoded(ends.into(), values.into())
        };
        let choices = match &own {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => vec![
                DataType::Utf8,
                DataType::LargeUtf8,
                DataType::Utf8View,
                dictionary(&DataType::Utf8),
                runs(&DataType::Utf8),
            ],
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                vec![
                    DataType::Binary,
                    DataType::LargeBinary,
                    DataType::BinaryView,
                ]
            }
            DataType::Int64 | DataType::Date32 | DataType::Decimal128(_, _) => {
                vec![own.clone(), dictionary(&own), runs(&own)]
            }
            _ => return self.clone(),
        };
        let choice = &choices[random.below(choices.len())];
        Self::new(arrow::compute::cast(&self.array, choice).unwrap())
    }
}

/// Types that are written as text.
const WRITTEN: [(&str, &[&str]); 36] = [
    ("Boolean", &["NULL", "true", "false"]),
    ("Int8", &["NULL", "-128", "0", "127"]),
    ("Int16", &["NULL", "-32768", "0", "1"]),
    ("Int32", &["NULL", "-2147483648", "0", "7"]),
    (
        "Int64",
        &[
            "NULL",
            "9007199254740992",
            "9007199254740993",
            "-9223372036854775808",
            "-9223372036854775807",
        ],
    ),
    ("UInt8", &["NULL", "255", "0"]),
    ("UInt16", &["NULL", "65535", "0"]),
    ("UInt32", &["NULL", "4294967295", "0"]),
    (
        "UInt64",
        &[
            "NULL",
            "18446744073709551615",
            "18446744073709551614",
            "9223372036854775808",
            "0",
        ],
    ),
    ("Float16", &["NULL", "0.5", "-0.0", "0.0", "NaN", "inf"]),
    (
        "Float32",
        &[
            "NULL",
            "0.1",
            "0.10000001",
            "-0.0",
            "0.0",
            "NaN",
            "inf",
            "-inf",
        ],
    ),
    (
        "Float64",
        &[
            "NULL",
            "0.1",
            "0.10000000000000002",
            "-0.0",
            "0.0",
            "NaN",
            "inf",
            "-inf",
            "5e-324",
            "1e308",
        ],
    ),
    ("Decimal32(5, 2)", &["NULL", "1.50", "-1.50", "0.00"]),
    ("Decimal64(15, 3)", &["NULL", "1.500", "123456789012.345"]),
    (
        "Decimal128(38, 10)",
        &[
            "NULL",
            "1234567890123456789012345678.0000000001",
            "1234567890123456789012345678.0000000002",
            "0",
        ],
    ),
    (
        "Decimal256(76, 0)",
        &[
            "NULL",
            "1234567890123456789012345678901234567890123456789012345678901234567890123456",
            "1",
        ],
    ),
    (
        "Utf8",
        &[
            "NULL",
            "\"\"",
            "a",
            "A",
            "a ",
            "\u{e9}",
            "e\u{301}",
            "\u{65e5}\u{672c}",
            "\u{5e2}\u{5d1}",
        ],
    ),
    ("LargeUtf8", &["NULL", "\"\"", "x"]),
    (
        "Utf8View",
        &[
            "NULL",
            "\"\"",
            "short",
            "a text that is too long for a view to hold",
            "a text that is too long for a view to keep",
        ],
    ),
    (
        "Date32",
        &["NULL", "1970-01-01", "2024-02-29", "1582-10-15"],
    ),
    ("Date64", &["NULL", "1970-01-01", "2024-02-29"]),
    ("Time32(Second)", &["NULL", "00:00:00", "23:59:59"]),
    (
        "Time64(Nanosecond)",
        &["NULL", "00:00:00", "00:00:00.000000001"],
    ),
    (
        "Timestamp(Second, None)",
        &[
            "NULL",
            "1970-01-01T00:00:00",
            "9999-12-31T23:59:59",
            "2024-03-10T02:30:00",
        ],
    ),
    (
        "Timestamp(Microsecond, Some(\"+09:00\"))",
        &[
            "NULL",
            "2024-03-10T02:30:00Z",
            "2024-03-10T02:30:00.000001Z",
        ],
    ),
    ("Dictionary(Int8, Utf8)", &["NULL", "\"\"", "a", "b"]),
    ("LargeBinary", &["NULL", "\"\"", "a", "ab"]),
    (
        "Decimal256(60, 20)",
        &[
            "NULL",
            "-0.00000000000000000001",
            "0",
            "0.00000000000000000001",
        ],
    ),
    (
        "Timestamp(Nanosecond, Some(\"-05:30\"))",
        &[
            "NULL",
            "1969-12-31T23:59:59.999999999Z",
            "2024-11-03T06:30:00Z",
        ],
    ),
    (
        "Timestamp(Millisecond, None)",
        &["NULL", "0001-01-01T00:00:00", "1969-12-31T23:59:59.999"],
    ),
    (
        "Duration(Nanosecond)",
        &["NULL", "0", "1", "-9223372036854775808"],
    ),
    (
        "Interval(MonthDayNano)",
        &["NULL", "1 month", "30 days", "1 day", "24 hours"],
    ),
    (
        "LargeList(Utf8)",
        &[
            "NULL",
            "[]",
            "[\"\"]",
            "[null]",
            "[\"ab\", \"c\"]",
            "[\"a\", \"bc\"]",
        ],
    ),
    ("ListView(Int64)", &["NULL", "[]", "[1, 2]", "[2, 1]"]),
    (
        "List(Struct(\"n\": Float64, \"t\": Utf8))",
        &[
            "NULL",
            "[null]",
            "[{\"n\": -0.0}]",
            "[{\"n\": 0.0}]",
            "[{\"n\": \"NaN\", \"t\": \"\"}]",
        ],
    ),
    (
        "Map(\"entries\": non-null Struct(\"key\": non-null Int64, \"value\": List(Int64)), unsorted)",
        &[
            "NULL",
            "[]",
            "[[1, [1]], [2, null]]",
            "[[2, null], [1, [1]]]",
            "[[1, []]]",
        ],
    ),
];

/// One pool for every type.
pub(crate) fn pools() -> Vec<Pool> {
    let written = WRITTEN.iter().map(|(data_type, texts)| {
        let texts = texts.iter().map(|text| match *text {
            "NULL" => None,
            "\"\"" => Some(String::new()),
            text => Some(text.to_owned()),
        });
        column(&texts.collect::<Vec<_>>(), &data_type.parse().unwrap())
    });
    written.chain(built()).map(Pool::new).collect()
}

fn built() -> Vec<ArrayRef> {
    vec![
        durations(),
        Arc::new(BinaryArray::from_opt_vec(vec![
            None,
            Some(b""),
            Some(&[0]),
            Some(&[0, 0]),
            Some(&[255]),
        ])),
        Arc::new(FixedSizeBinaryArray::try_from_iter([[0_u8, 1], [1, 0]].into_iter()).unwrap()),
        lists(),
        Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(
            [
                None,
                Some(vec![Some(1), Some(2)]),
                Some(vec![Some(2), Some(1)]),
                Some(vec![None, Some(1)]),
            ],
            2,
        )),
        structs(),
        maps(),
        Arc::new(
            RunArray::<Int32Type>::try_new(
                &vec![2, 3, 5].into(),
                &StringArray::from(vec![Some("a"), None, Some("b")]),
            )
            .unwrap(),
        ),
        Arc::new(arrow::array::NullArray::new(2)),
    ]
}

fn durations() -> ArrayRef {
    let numbers = Int64Array::from(vec![None, Some(0), Some(i64::MAX), Some(-1)]);
    let data_type = DataType::Duration(arrow::datatypes::TimeUnit::Second);
    arrow::compute::cast(&numbers, &data_type).unwrap()
}

fn lists() -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
        None,
        Some(vec![]),
        Some(vec![None]),
        Some(vec![Some(1), Some(2)]),
        Some(vec![Some(2), Some(1)]),
        Some(vec![Some(1), Some(2), None]),
    ]))
}

fn structs() -> ArrayRef {
    let a: ArrayRef = Arc::new(Int64Array::from(vec![
        Some(1),
        Some(2),
        None,
        Some(1),
        None,
    ]));
    let b: ArrayRef = Arc::new(StringArray::from(vec![
        Some("x"),
        Some("x"),
        None,
        None,
        None,
    ]));
    let fields = vec![
        Field::new("a", DataType::Int64, true),
        Field::new("b", DataType::Utf8, true),
    ];
    let valid = vec![true, true, true, true, false];
    Arc::new(StructArray::new(
        fields.into(),
        vec![a, b],
        Some(valid.into()),
    ))
}

/// The first two are the same map in two orders.
fn maps() -> ArrayRef {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for entries in [
        &[("a", "1"), ("b", "2")][..],
        &[("b", "2"), ("a", "1")],
        &[("a", "2")],
        &[],
    ] {
        for (key, value) in entries {
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
        maps.append(true).unwrap();
    }
    maps.append(false).unwrap();
    Arc::new(maps.finish())
}
