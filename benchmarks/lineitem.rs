//! Tables like lineitem of TPC-H, from a seed: a live one and three shadows of it.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use understudy_tables::ParquetFile;

const BATCH_ROWS: u64 = 65_536;
/// Lines of an order.
const LINES: u64 = 7;
const FLAGS: [&str; 3] = ["A", "N", "R"];
const INSTRUCTIONS: [&str; 4] = [
    "COLLECT COD",
    "DELIVER IN PERSON",
    "NONE",
    "TAKE BACK RETURN",
];
const MODES: [&str; 7] = ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"];
const WORDS: [&str; 16] = [
    "even", "ideas", "final", "accounts", "sleep", "quickly", "about", "the", "regular",
    "deposits", "bold", "packages", "haggle", "among", "silent", "pinto",
];

/// How a shadow's row differs from the live one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shadow {
    Live,
    Same,
    /// One price in a thousand is higher by a tenth; one row in ten thousand is missing, and one is new.
    Changed,
    /// Every price is higher by 1e-12 of it.
    Noise,
}

/// Writes all four, shadows in another order of their rows.
pub(crate) fn write(folder: &Path, rows: u64) {
    let shadows = [
        ("live", Shadow::Live),
        ("same", Shadow::Same),
        ("changed", Shadow::Changed),
        ("noise", Shadow::Noise),
    ];
    for (name, shadow) in shadows {
        write_one(&folder.join(format!("{name}.parquet")), rows, shadow);
    }
}

fn write_one(path: &Path, rows: u64, shadow: Shadow) {
    let schema = batch(&[0], shadow).schema();
    let mut file = ParquetFile::create(path, &schema).expect("a table can be created");
    let mut numbers = Vec::new();
    for place in 0..rows {
        let number = if shadow == Shadow::Live {
            place
        } else {
            elsewhere(place, rows)
        };
        if shadow != Shadow::Changed || mixed(number) % 10_000 != 13 {
            numbers.push(number);
        }
        // A new row has the number of one that no table has.
        if shadow == Shadow::Changed && mixed(number) % 10_000 == 17 {
            numbers.push(number + rows);
        }
        if numbers.len() as u64 >= BATCH_ROWS {
            file.write(&batch(&numbers, shadow))
                .expect("a table can be written");
            numbers.clear();
        }
    }
    if !numbers.is_empty() {
        file.write(&batch(&numbers, shadow))
            .expect("a table can be written");
    }
    file.finish().expect("a table can be finished");
}

/// Another place for every place: a stride that has no divisor in common with the number of rows.
fn elsewhere(place: u64, rows: u64) -> u64 {
    let divides = |mut a: u64, mut b: u64| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a > 1
    };
    let mut stride = (rows / 2).max(1) | 1;
    while divides(stride, rows) {
        stride += 2;
    }
    u64::try_from((u128::from(place) * u128::from(stride) + 7) % u128::from(rows))
        .expect("a remainder is small")
}

fn batch(numbers: &[u64], shadow: Shadow) -> RecordBatch {
    let integer = |salt: u64, from: u64, range: u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            numbers
                .iter()
                .map(|row| signed(from + random(*row, salt) % range)),
        ))
    };
    let float = |salt: u64, range: u64, per: f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(
            numbers
                .iter()
                .map(|row| (random(*row, salt) % range) as f64 / per),
        ))
    };
    let date = |salt: u64| -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(numbers.iter().map(|row| {
            8_035 + i32::try_from(random(*row, salt) % 2_500).expect("some years of days")
        })))
    };
    let text = |salt: u64, of: &'static [&'static str]| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            numbers
                .iter()
                .map(|row| of[(random(*row, salt) % of.len() as u64) as usize]),
        ))
    };
    let orders = Int64Array::from_iter_values(numbers.iter().map(|row| signed(1 + row / LINES)));
    let lines = Int32Array::from_iter_values(
        numbers
            .iter()
            .map(|row| i32::try_from(1 + row % LINES).expect("few lines")),
    );
    let prices = Float64Array::from_iter_values(numbers.iter().map(|row| price(*row, shadow)));
    let comments = StringArray::from_iter_values(numbers.iter().map(|row| comment(*row)));
    RecordBatch::try_from_iter([
        ("l_orderkey", Arc::new(orders) as ArrayRef),
        ("l_linenumber", Arc::new(lines)),
        ("l_partkey", integer(2, 1, 200_000)),
        ("l_suppkey", integer(3, 1, 10_000)),
        ("l_quantity", float(4, 50, 1.0)),
        ("l_extendedprice", Arc::new(prices)),
        ("l_discount", float(6, 11, 100.0)),
        ("l_tax", float(7, 9, 100.0)),
        ("l_returnflag", text(8, &FLAGS)),
        ("l_linestatus", text(9, &FLAGS[..2])),
        ("l_shipdate", date(10)),
        ("l_commitdate", date(11)),
        ("l_receiptdate", date(12)),
        ("l_shipinstruct", text(13, &INSTRUCTIONS)),
        ("l_shipmode", text(14, &MODES)),
        ("l_comment", Arc::new(comments)),
    ])
    .expect("all columns have as many rows")
}

fn price(row: u64, shadow: Shadow) -> f64 {
    let live = (90_000 + random(row, 5) % 10_000_000) as f64 / 100.0;
    match shadow {
        Shadow::Changed if mixed(row) % 1_000 == 7 => live * 1.1,
        Shadow::Noise => live * (1.0 + 1e-12),
        _ => live,
    }
}

fn comment(row: u64) -> String {
    let picked = random(row, 15);
    let words = (0..2 + picked % 5).map(|word| WORDS[(picked >> (4 * word + 4) & 15) as usize]);
    words.collect::<Vec<_>>().join(" ")
}

fn random(row: u64, salt: u64) -> u64 {
    mixed(row.wrapping_mul(31).wrapping_add(salt << 56))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("the numbers are small")
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
