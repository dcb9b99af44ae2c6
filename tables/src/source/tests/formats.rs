//! One table in every format and compression, and both sides of a comparison in different ones.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use tempfile::TempDir;
use understudy_core::spec::ColumnType;

use super::{chain, rows, schemas_of_pair, source, types};
use crate::pin::pin;

const CSV: &str = "i,f,b,t,d\n1,1.5,true,\"\",0.1\n,,,,\n-3,2.0,false,ß🎭é,-7.25\n";

const JSON: &str = "{\"i\":1,\"f\":1.5,\"b\":true,\"t\":\"\",\"d\":0.1}\n{\"i\":null}\n\
                    {\"i\":-3,\"f\":2.0,\"b\":false,\"t\":\"ß🎭é\",\"d\":-7.25}\n";

const ROWS: &str = "i:Int64 f:Float64 b:Boolean t:Utf8 d:Float64\n\
                    Integer(1) Float(1.5) Boolean(true) Text(\"\") Float(0.1)\nNull Null Null Null Null\n\
                    Integer(-3) Float(2.0) Boolean(false) Text(\"ß🎭é\") Float(-7.25)";

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

fn batch() -> RecordBatch {
    let columns: [(&str, ArrayRef); 5] = [
        (
            "i",
            Arc::new(Int64Array::from(vec![Some(1), None, Some(-3)])),
        ),
        (
            "f",
            Arc::new(Float64Array::from(vec![Some(1.5), None, Some(2.0)])),
        ),
        (
            "b",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "t",
            Arc::new(StringArray::from(vec![Some(""), None, Some("ß🎭é")])),
        ),
        (
            "d",
            Arc::new(Float64Array::from(vec![Some(0.1), None, Some(-7.25)])),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

fn arrow_file(path: &Path, batch: &RecordBatch, compression: Option<CompressionType>) {
    let options = IpcWriteOptions::default()
        .try_with_compression(compression)
        .unwrap();
    let file = File::create(path).unwrap();
    let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

fn arrow_stream(path: &Path, batch: &RecordBatch) {
    let mut writer = StreamWriter::try_new(File::create(path).unwrap(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

/// The names of files that hold the same table.
fn write_all(folder: &Path) -> Vec<&'static str> {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("a.csv", CSV.as_bytes());
    write("a.csv.gz", &gzip(CSV.as_bytes()));
    write("a.csv.zst", &zstd(CSV.as_bytes()));
    write("a.jsonl", JSON.as_bytes());
    write("a.jsonl.gz", &gzip(JSON.as_bytes()));
    write("a.jsonl.zst", &zstd(JSON.as_bytes()));
    write("a.ndjson", JSON.as_bytes());
    write("a.NDJSON.GZ", &gzip(JSON.as_bytes()));
    arrow_file(&folder.join("a.arrow"), &batch(), None);
    arrow_file(
        &folder.join("lz4.feather"),
        &batch(),
        Some(CompressionType::LZ4_FRAME),
    );
    arrow_file(
        &folder.join("zstd.arrow"),
        &batch(),
        Some(CompressionType::ZSTD),
    );
    arrow_stream(&folder.join("a.ipc"), &batch());
    let columns = batch();
    let columns: Vec<_> = columns
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let arrays = batch();
    let named: Vec<_> = columns
        .iter()
        .map(String::as_str)
        .zip(arrays.columns().iter().cloned())
        .collect();
    super::parquet(&folder.join("a.parquet"), &named);
    vec![
        "a.csv",
        "a.csv.gz",
        "a.csv.zst",
        "a.jsonl",
        "a.jsonl.gz",
        "a.jsonl.zst",
        "a.ndjson",
        "a.NDJSON.GZ",
        "a.arrow",
        "lz4.feather",
        "zstd.arrow",
        "a.ipc",
        "a.parquet",
    ]
}

#[test]
fn every_format_gives_the_same_rows() {
    let folder = TempDir::new().unwrap();
    let names = write_all(folder.path());
    for name in &names {
        let source = source(folder.path(), name, &[]);
        for batch_rows in [1, 2, 1000] {
            assert_eq!(rows(&source, batch_rows).unwrap(), ROWS, "{name}");
        }
    }
    for (old, new) in names
        .iter()
        .flat_map(|old| names.iter().map(move |new| (old, new)))
    {
        let (old_side, new_side) = (
            source(folder.path(), old, &[]),
            source(folder.path(), new, &[]),
        );
        let (left, right) = schemas_of_pair(&old_side, &new_side).unwrap();
        assert_eq!(types(&left), types(&right), "{old} and {new}");
    }
}

#[test]
fn columns_of_csv_and_json_meet() {
    let check = |csv: &str, json: &str, expected: &str| {
        let folder = super::folder(&[("a.csv", csv), ("b.jsonl", json)]);
        let side = |name: &str| source(folder.path(), name, &[]);
        let (csv, json) = (side("a.csv"), side("b.jsonl"));
        let (left, right) = schemas_of_pair(&csv, &json).unwrap();
        assert_eq!(format!("{} | {}", types(&left), types(&right)), expected);
        let (right_again, left_again) = schemas_of_pair(&json, &csv).unwrap();
        assert_eq!((&left, &right), (&left_again, &right_again));
        for (side, schema) in [(&csv, &left), (&json, &right)] {
            for batch in side.read(schema, None, 10).unwrap() {
                assert_eq!(batch.unwrap().schema(), *schema);
            }
        }
    };
    check("a\n1\n", "{\"a\":2}", "a:Int64 | a:Int64");
    check("a\n1\n", "{\"a\":2.5}", "a:Float64 | a:Float64");
    check("a\n1.5\n", "{\"a\":2}", "a:Float64 | a:Float64");
    check(
        "a\n1.50\n2.25\n",
        "{\"a\":1.5}",
        "a:Decimal128(38, 2) | a:Decimal128(38, 2)",
    );
    check(
        "a\n2013-01-01\n",
        "{\"a\":\"2013-01-01\"}",
        "a:Date32 | a:Date32",
    );
    check("a\n2013-01-01\n", "{\"a\":\"x\"}", "a:Utf8 | a:Utf8");
    check("a\n007\n", "{\"a\":7}", "a:Utf8 | a:Utf8");
    check("a\n7\n", "{\"a\":\"007\"}", "a:Utf8 | a:Utf8");
    check(
        "a,b\n,1\n",
        "{\"a\":7,\"b\":null}",
        "a:Int64 b:Int64 | a:Int64 b:Int64",
    );
    check("a\n9007199254740993\n", "{\"a\":1.5}", "a:Utf8 | a:Utf8");
    check("a\nx\n", "{\"a\":[1]}", "a:Utf8 | a:List(Int64)");
    check("a\ntrue\n", "{\"a\":false}", "a:Boolean | a:Boolean");
    check("a\n1\n", "{\"b\":false}", "a:Int64 | b:Boolean");
}

#[test]
fn json_takes_the_type_of_the_other_side_where_every_value_comes_back() {
    let check = |text: &str, column: ArrayRef, same: bool| {
        let folder = super::folder(&[("old.jsonl", text)]);
        let batch =
            RecordBatch::try_from_iter_with_nullable([("a", column.clone(), true)]).unwrap();
        arrow_file(&folder.path().join("new.arrow"), &batch, None);
        let side = |name: &str| source(folder.path(), name, &[]);
        let (old, new) = schemas_of_pair(&side("old.jsonl"), &side("new.arrow")).unwrap();
        assert_eq!(
            old == new,
            same,
            "{text}: {} | {}",
            types(&old),
            types(&new)
        );
        assert_eq!(new.field(0).data_type(), column.data_type());
        for batch in side("old.jsonl").read(&old, None, 10).unwrap() {
            assert_eq!(batch.unwrap().schema(), old);
        }
    };
    let small = || Arc::new(Int32Array::from(vec![1])) as ArrayRef;
    check("{\"a\":1}", small(), true);
    check("{\"a\":1.0}", small(), true);
    check("{\"a\":3000000000}", small(), false);
    check("{\"a\":\"1\"}", small(), false);
    let text = || Arc::new(StringArray::from(vec!["1"])) as ArrayRef;
    check("{\"a\":1}", text(), false);
    check("{\"a\":null}", small(), true);
    let decimal = || {
        let decimal = Decimal128Array::from(vec![125])
            .with_precision_and_scale(10, 2)
            .unwrap();
        Arc::new(decimal) as ArrayRef
    };
    check("{\"a\":1.25}", decimal(), true);
    check("{\"a\":\"1.25\"}", decimal(), true);
    check("{\"a\":1.255}", decimal(), false);
    check("{\"a\":123456789}", decimal(), false);
    let date = || Arc::new(Date32Array::from(vec![1])) as ArrayRef;
    check("{\"a\":\"2013-01-01\"}", date(), true);
    check("{\"a\":\"2013-02-30\"}", date(), false);
    check("{\"a\":20130101}", date(), false);
    let instant = || {
        let instants = TimestampMicrosecondArray::from(vec![0]);
        Arc::new(instants.with_timezone("America/New_York")) as ArrayRef
    };
    check("{\"a\":\"1970-01-01T00:00:00Z\"}", instant(), true);
    check("{\"a\":\"1970-01-01T00:00:00\"}", instant(), false);
    let structure = || {
        let x = Arc::new(Field::new("x", DataType::Int32, true));
        Arc::new(StructArray::from(vec![(x, small())])) as ArrayRef
    };
    check(
        "{\"a\":{\"x\":1}}\n{\"a\":{}}\n{\"a\":null}",
        structure(),
        true,
    );
    check("{\"a\":{\"x\":1,\"y\":1}}", structure(), false);
    check("{\"a\":{\"x\":\"1\"}}", structure(), false);
    let list = || {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]);
        Arc::new(list) as ArrayRef
    };
    check("{\"a\":[1,null]}\n{\"a\":[]}", list(), true);
    check("{\"a\":[1.5]}", list(), false);
}

#[test]
fn two_sides_of_json_are_inferred_together() {
    let check = |old: &str, new: &str, expected: &str| {
        let folder = super::folder(&[("old.jsonl", old), ("new.jsonl", new)]);
        let side = |name: &str| source(folder.path(), name, &[]);
        let (old, new) = schemas_of_pair(&side("old.jsonl"), &side("new.jsonl")).unwrap();
        assert_eq!(format!("{} | {}", types(&old), types(&new)), expected);
    };
    check("{\"a\":1}", "{\"a\":1.5}", "a:Float64 | a:Float64");
    check("{\"a\":1}", "{\"a\":\"x\"}", "a:Utf8 | a:Utf8");
    check("{\"a\":1}", "{\"a\":[1]}", "a:Int64 | a:List(Int64)");
    check(
        "{\"a\":{}}",
        "{\"a\":{\"x\":1}}",
        "a:Struct(\"x\": Int64) | a:Struct(\"x\": Int64)",
    );
}

#[test]
fn types_are_for_formats_without() {
    let folder = TempDir::new().unwrap();
    write_all(folder.path());
    for name in ["a.arrow", "a.ipc", "a.parquet"] {
        let source = source(folder.path(), name, &[("i", ColumnType::Text)]);
        let expected = "dataset `d`: `types` names column `i`, but files of this format bring their own types; remove it";
        assert_eq!(rows(&source, 10).unwrap_err().to_string(), expected);
    }
}

#[test]
fn compressed_and_not_may_stand_together_and_formats_may_not() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join("t").join(name);
    fs::create_dir(folder.path().join("t")).unwrap();
    fs::write(path("1.csv"), "a\n1\n").unwrap();
    fs::write(path("2.csv.gz"), gzip(b"a\n2\n")).unwrap();
    fs::write(path("3.csv.zst"), zstd(b"a\n3.5\n")).unwrap();
    let expected = "a:Float64\nFloat(1.0)\nFloat(2.0)\nFloat(3.5)";
    assert_eq!(
        rows(&source(folder.path(), "t", &[]), 10).unwrap(),
        expected
    );
    fs::write(path("4.parquet.gz"), "not looked at").unwrap();
    assert_eq!(
        rows(&source(folder.path(), "t", &[]), 10).unwrap(),
        expected
    );
    fs::write(path("5.jsonl"), "{}").unwrap();
    let error = pin("d", "t", folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("mixes formats (`t/1.csv`, `t/5.jsonl`)"),
        "{error}"
    );
}

#[test]
fn damaged_compression_is_an_error_that_names_the_file() {
    let long: String = (0..5000).map(|row| format!("{{\"a\":{row}}}\n")).collect();
    for (name, bytes) in [
        ("a.jsonl.gz", gzip(long.as_bytes())),
        ("a.jsonl.zst", zstd(long.as_bytes())),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        let mut wrong = vec![
            Vec::new(),
            b"plain text".to_vec(),
            [&bytes[..], b"more"].concat(),
        ];
        wrong.extend(
            (1..bytes.len())
                .step_by(97)
                .map(|end| bytes[..end].to_vec()),
        );
        for bytes in wrong {
            fs::write(&path, &bytes).unwrap();
            let error = rows(&source(folder.path(), name, &[]), 100).unwrap_err();
            assert!(chain(&error).contains(name), "{}", chain(&error));
        }
        // Files that were put together one after the other are one.
        fs::write(&path, [&bytes[..], &bytes[..]].concat()).unwrap();
        assert_eq!(
            rows(&source(folder.path(), name, &[]), 100)
                .unwrap()
                .lines()
                .count(),
            10_001
        );
    }
}

#[test]
fn a_bomb_meets_the_longest_line() {
    for name in ["a.jsonl.gz", "a.csv.zst"] {
        let folder = TempDir::new().unwrap();
        let zeros = vec![b'0'; 70 << 20];
        let bytes = if name.ends_with("gz") {
            gzip(&zeros)
        } else {
            zstd(&zeros)
        };
        assert!(bytes.len() < 1 << 20);
        fs::write(folder.path().join(name), bytes).unwrap();
        let error = rows(&source(folder.path(), name, &[]), 100)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 1: a") && error.contains("longer than 67108864 bytes"),
            "{error}"
        );
    }
}

#[test]
fn a_zstd_window_has_a_limit() {
    let folder = TempDir::new().unwrap();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(b"{\"a\":1}\n").unwrap();
    fs::write(folder.path().join("a.jsonl.zst"), encoder.finish().unwrap()).unwrap();
    let error = rows(&source(folder.path(), "a.jsonl.zst", &[]), 100).unwrap_err();
    assert!(chain(&error).contains("a.jsonl.zst"), "{}", chain(&error));
}
