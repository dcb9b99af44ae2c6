use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Schema;
use tempfile::TempDir;
use understudy_core::spec::ColumnType;

use super::{TableSource, schemas_of_pair};
use crate::error::TableError;
use crate::pin::pin;
use crate::value::value_at;
use crate::write::ParquetFile;

mod formats;
mod json;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn source(base: &Path, location: &str, types: &[(&str, ColumnType)]) -> TableSource {
    let types = types
        .iter()
        .map(|(name, given)| ((*name).to_owned(), *given))
        .collect();
    TableSource {
        base: base.to_owned(),
        snapshot: pin("d", location, base).unwrap(),
        types,
    }
}

fn parquet(path: &Path, columns: &[(&str, ArrayRef)]) {
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = ParquetFile::create(path, &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
}

fn types(schema: &Schema) -> String {
    let fields = schema
        .fields()
        .iter()
        .map(|field| format!("{}:{}", field.name(), field.data_type()));
    fields.collect::<Vec<_>>().join(" ")
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The rows of a table as text, one a line.
fn rows(source: &TableSource, batch_rows: usize) -> Result<String, TableError> {
    let schema = source.schema()?;
    let mut lines = vec![types(&schema)];
    for batch in source.read(&schema, None, batch_rows)? {
        let batch = batch?;
        assert_eq!(batch.schema(), schema);
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|column| format!("{:?}", value_at(column, row).unwrap()));
            lines.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    Ok(lines.join("\n"))
}

fn check(files: &[(&str, &str)], location: &str, given: &[(&str, ColumnType)], expected: &str) {
    let folder = folder(files);
    let source = source(folder.path(), location, given);
    for batch_rows in [1, 2, 1000] {
        let found = rows(&source, batch_rows).unwrap_or_else(|error| chain(&error));
        let found = found.replace(&format!("{}/", folder.path().display()), "");
        assert_eq!(found, expected, "{files:?}");
    }
}

fn check_csv(text: &str, expected: &str) {
    check(&[("a.csv", text)], "a.csv", &[], expected);
}

#[test]
fn null_and_empty_text_are_two_things() {
    check_csv(
        "a,b\n,\"\"\nx,1\n",
        "a:Utf8 b:Utf8\nNull Text(\"\")\nText(\"x\") Text(\"1\")",
    );
    check_csv("a\n\n\"\"\n", "a:Utf8\nNull\nText(\"\")");
    check_csv(
        "a,b\n1,\n,2\n",
        "a:Int64 b:Int64\nInteger(1) Null\nNull Integer(2)",
    );
}

#[test]
fn quoting_is_that_of_rfc_4180() {
    check_csv(
        "a,b\r\n\"x,\"\"y\"\"\",\"1\r\n2\"\r\n",
        "a:Utf8 b:Utf8\nText(\"x,\\\"y\\\"\") Text(\"1\\r\\n2\")",
    );
    check_csv("a\n5\" pipe\n", "a:Utf8\nText(\"5\\\" pipe\")");
    check_csv("\u{feff}\"a\"\n\"1\"", "a:Int64\nInteger(1)");
    check_csv("a,b\n1,2\n\n\r\n", "a:Int64 b:Int64\nInteger(1) Integer(2)");
    check_csv("a,b\n", "a:Utf8 b:Utf8");
}

#[test]
fn broken_csv_is_named_with_its_line() {
    check_csv(
        "",
        "`a.csv`, line 1: the file is empty; a CSV needs a header line",
    );
    check_csv(
        "a,a\n",
        "`a.csv`, line 1: column `a` stands twice in the header",
    );
    check_csv(
        "a,\n",
        "`a.csv`, line 1: column 2 of the header has no name",
    );
    check_csv(
        "a,b\n1,2\n1,2,3\n",
        "`a.csv`, line 3: 3 fields where the header has 2",
    );
    check_csv(
        "a,b\n1\n",
        "`a.csv`, line 2: 1 fields where the header has 2",
    );
    check_csv(
        "a,b\n\n1,2\n",
        "`a.csv`, line 2: 1 fields where the header has 2",
    );
    check_csv(
        "a,b\n\"1\n2\",3\n4\n",
        "`a.csv`, line 4: 1 fields where the header has 2",
    );
    check_csv(
        "a\n1\n\"2\n3\n",
        "`a.csv`, line 3: a quoted field is not closed",
    );
    let after = "text after a closing quote; a quote inside a quoted field is written twice";
    check_csv("a\n\"1\"2\n", &format!("`a.csv`, line 2: {after}"));
    check_csv(
        "a\rb\r",
        "`a.csv`, line 1: a carriage return in an unquoted field; lines end with LF or CRLF",
    );
}

/// Finding columns by name takes time by the square of their number.
#[test]
fn more_columns_than_a_table_has_are_refused() {
    let header = |columns: usize| {
        let names: Vec<_> = (0..columns).map(|column| format!("c{column}")).collect();
        names.join(",") + "\n"
    };
    check_csv(
        &header(16_385),
        "`a.csv`, line 1: 16385 columns, where at most 16384 can be read; does a line not end?",
    );
    let folder = folder(&[("a.csv", &header(16_384))]);
    let schema = source(folder.path(), "a.csv", &[]).schema().unwrap();
    assert_eq!(schema.fields().len(), 16_384);
    let column = |number: usize| {
        (
            format!("c{number}"),
            Arc::new(Int64Array::from(vec![1])) as _,
        )
    };
    let batch = RecordBatch::try_from_iter((0..16_385).map(column)).unwrap();
    let path = folder.path().join("a.parquet");
    let mut file = ParquetFile::create(&path, &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
    let error = source(folder.path(), "a.parquet", &[])
        .schema()
        .unwrap_err();
    let said = "a.parquet` has 16385 columns, and at most 16384 can be read";
    assert!(error.to_string().ends_with(said), "{error}");
}

#[test]
fn long_fields_make_short_batches() {
    let line = format!("{}\n", "x".repeat(1 << 20));
    let folder = folder(&[("a.csv", &format!("a\n{}", line.repeat(20)))]);
    let source = source(folder.path(), "a.csv", &[]);
    let batches = source.read(&source.schema().unwrap(), None, 1_000).unwrap();
    let rows: Vec<_> = batches.map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(rows, [8, 8, 4]);
}

#[test]
fn bad_utf8_is_named_with_its_line() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.csv"), b"a\n\"x\n\xff\"\n").unwrap();
    let error = rows(&source(folder.path(), "a.csv", &[]), 10).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("a.csv`, line 3: not UTF-8; convert the file"),
        "{error}"
    );
}

#[test]
fn types_are_inferred_over_all_files() {
    let files = [("t/a.csv", "id,x\n1,1.5\n"), ("t/b.csv", "x,id\n2,007\n")];
    let expected = "id:Utf8 x:Float64\nText(\"1\") Float(1.5)\nText(\"007\") Float(2.0)";
    check(&files, "t", &[], expected);
    let missing = "`t/b.csv` has no column `x`, but `t/a.csv` has; all files of a table need the same columns";
    check(
        &[("t/a.csv", "a,x\n"), ("t/b.csv", "a\n")],
        "t",
        &[],
        missing,
    );
    check(
        &[("t/b.csv", "a,x\n"), ("t/a.csv", "a\n")],
        "t",
        &[],
        &missing
            .replace("b.csv", "#")
            .replace("a.csv", "b.csv")
            .replace('#', "a.csv"),
    );
}

#[test]
fn given_types_go_first() {
    let text = "a,b,c,d,e,f\n007,1,1.5,1,2013-01-02,2013-01-02 03:04:05\n";
    let given = [
        ("a", ColumnType::Integer),
        ("b", ColumnType::Text),
        ("c", ColumnType::Decimal(3)),
        ("d", ColumnType::Float),
        ("e", ColumnType::Date),
        ("f", ColumnType::Timestamp),
    ];
    let expected = "a:Int64 b:Utf8 c:Decimal128(38, 3) d:Float64 e:Date32 f:Timestamp(µs, \"UTC\")\nInteger(7) \
                    Text(\"1\") Decimal(BigDecimal(sign=Plus, scale=3, digits=[1500])) Float(1.0) Date(15707) Timestamp { nanos: 1357095845000000000, \
                    zone: Some(\"UTC\") }";
    check(&[("a.csv", text)], "a.csv", &given, expected);
    let wrong = |value: &str, given, expected: &str| {
        let text = format!("a,b\n1,\n,{value}\n");
        check(
            &[("a.csv", &text)],
            "a.csv",
            &[("b", given)],
            &format!(
                "`a.csv`, line 3: column `b`: `{}` is not {expected}",
                value.trim_matches('"')
            ),
        );
    };
    wrong("x", ColumnType::Integer, "a whole number (Int64)");
    wrong("\"\"", ColumnType::Integer, "a whole number (Int64)");
    wrong(
        "2.555",
        ColumnType::Decimal(2),
        "a decimal number with at most 2 digits after the point",
    );
    wrong("1..5", ColumnType::Float, "a number");
    wrong("yes", ColumnType::Boolean, "`true` or `false`");
    wrong("2013-02-30", ColumnType::Date, "a date (YYYY-MM-DD)");
    wrong(
        "noon",
        ColumnType::Timestamp,
        "a timestamp to the microsecond (such as 2013-01-31T05:00:00Z)",
    );
    let unknown = "dataset `d`: `types` names column `z`, which is not there; there are: a, b";
    check(
        &[("a.csv", "a,b\n")],
        "a.csv",
        &[("z", ColumnType::Text)],
        unknown,
    );
}

#[test]
fn partitions_are_columns_of_text_integers_or_dates() {
    let files = [
        ("t/y=2013/d=2013-01-01/k=x/a.csv", "a\n1\n"),
        (
            "t/y=2014/d=__HIVE_DEFAULT_PARTITION__/k=1.5/a.csv",
            "a\n2\n",
        ),
    ];
    let expected = "a:Int64 y:Int64 d:Date32 k:Utf8\nInteger(1) Integer(2013) Date(15706) Text(\"x\")\nInteger(2) \
                    Integer(2014) Null Text(\"1.5\")";
    check(&files, "t", &[], expected);
    check(
        &[("t/m=01/a.csv", "a\n1\n")],
        "t",
        &[],
        "a:Int64 m:Utf8\nInteger(1) Text(\"01\")",
    );
    check(
        &[("t/m=01/a.csv", "a\n1\n")],
        "t",
        &[("m", ColumnType::Integer)],
        "a:Int64 m:Int64\nInteger(1) Integer(1)",
    );
    check(
        &[("t/m=1/a.csv", "m\n7\n")],
        "t",
        &[],
        "m:Int64\nInteger(7)",
    );
}

#[test]
fn a_projection_reads_some_columns() {
    let folder = folder(&[("t/k=1/a.csv", "a,b\n1,x\n2,y\n")]);
    let source = source(folder.path(), "t", &[]);
    let schema = source.schema().unwrap();
    for projection in [vec![2, 0], vec![1], vec![]] {
        let batches: Vec<_> = source
            .read(&schema, Some(&projection), 10)
            .unwrap()
            .collect();
        let batch = batches.into_iter().next().unwrap().unwrap();
        assert_eq!(
            batch.schema().as_ref(),
            &schema.project(&projection).unwrap()
        );
        assert_eq!(batch.num_rows(), 2);
    }
    assert!(source.read(&schema, Some(&[3]), 10).is_err());
}

#[test]
fn parquet_files_must_agree() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join("t").join(name);
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None]));
    parquet(
        &path("k=1/a.parquet"),
        &[
            ("i", Arc::new(Int64Array::from(vec![1, 2]))),
            ("s", text.clone()),
        ],
    );
    parquet(
        &path("k=2/a.parquet"),
        &[
            ("s", text.clone()),
            ("i", Arc::new(Int64Array::from(vec![3, 4]))),
        ],
    );
    let expected = "i:Int64 s:Utf8 k:Int64\nInteger(1) Text(\"x\") Integer(1)\nInteger(2) Null Integer(1)\n\
                    Integer(3) Text(\"x\") Integer(2)\nInteger(4) Null Integer(2)";
    assert_eq!(
        rows(&source(folder.path(), "t", &[]), 10).unwrap(),
        expected
    );

    parquet(
        &path("k=3/a.parquet"),
        &[("s", text), ("i", Arc::new(Int32Array::from(vec![3, 4])))],
    );
    let error = rows(&source(folder.path(), "t", &[]), 10)
        .unwrap_err()
        .to_string();
    let error = error.replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(
        error,
        "column `i` is Int64 in `t/k=1/a.parquet` and Int32 in `t/k=3/a.parquet`; all files of a table need the same types"
    );
}

#[test]
fn damaged_parquet_is_an_error_that_names_the_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    parquet(&path, &[("i", numbers)]);
    let whole = fs::read(&path).unwrap();
    let mut failures = 0;
    for position in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0xff;
        for bytes in [&whole[..position], &damaged[..]] {
            fs::write(&path, bytes).unwrap();
            if let Err(error) = rows(&source(folder.path(), "a.parquet", &[]), 100) {
                assert!(error.to_string().contains("a.parquet"), "{error}");
                failures += 1;
            }
        }
    }
    assert!(failures > whole.len() / 7, "{failures}");
}

#[test]
fn both_sides_get_one_type() {
    let check = |old: &str, new: &str, expected: &str| {
        let folder = folder(&[("old.csv", old), ("new.csv", new)]);
        let side = |name: &str| source(folder.path(), name, &[]);
        let (old, new) = schemas_of_pair(&side("old.csv"), &side("new.csv")).unwrap();
        assert_eq!(format!("{} | {}", types(&old), types(&new)), expected);
    };
    check("a\n1\n", "a\n2\n", "a:Int64 | a:Int64");
    check("a\n1\n", "a\n2.5\n", "a:Float64 | a:Float64");
    check("a\n1\n", "a\n007\n", "a:Utf8 | a:Utf8");
    check("a\n1\n", "a\n\n", "a:Int64 | a:Int64");
    check(
        "a,b\n1,2\n",
        "b,c\n1.5,x\n",
        "a:Int64 b:Float64 | b:Float64 c:Utf8",
    );
}

#[test]
fn csv_takes_the_type_of_parquet_where_every_value_comes_back() {
    let check = |text: &str, column: ArrayRef, expected: &str| {
        let folder = folder(&[("old.csv", text)]);
        parquet(&folder.path().join("new.parquet"), &[("a", column)]);
        let side = |name: &str| source(folder.path(), name, &[]);
        let (old, new) = schemas_of_pair(&side("old.csv"), &side("new.parquet")).unwrap();
        assert_eq!(
            format!("{} | {}", types(&old), types(&new)),
            expected,
            "{text}"
        );
        let read = side("old.csv")
            .read(&old, None, 10)
            .unwrap()
            .collect::<Result<Vec<_>, _>>();
        assert_eq!(read.unwrap()[0].schema(), old);
    };
    let small = || Arc::new(Int32Array::from(vec![1])) as ArrayRef;
    check("a\n1\n", small(), "a:Int32 | a:Int32");
    check("a\n3000000000\n", small(), "a:Int64 | a:Int32");
    check("a\n007\n", small(), "a:Utf8 | a:Int32");
    let text = || Arc::new(StringArray::from(vec!["1"])) as ArrayRef;
    check("a\n1\n", text(), "a:Utf8 | a:Utf8");
    let zoned = Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("America/New_York"))
        as ArrayRef;
    let zoned_type = "Timestamp(µs, \"America/New_York\")";
    check(
        "a\n1970-01-01T00:00:00Z\n",
        zoned.clone(),
        &format!("a:{zoned_type} | a:{zoned_type}"),
    );
    check(
        "a\n1970-01-01T00:00:00\n",
        zoned,
        &format!("a:Timestamp(µs) | a:{zoned_type}"),
    );
}

#[test]
fn a_source_survives_json() {
    let folder = folder(&[("t/k=1/a.csv", "a\n1\n")]);
    let source = source(folder.path(), "t", &[("a", ColumnType::Text)]);
    let json = serde_json::to_string(&source).unwrap();
    let back: TableSource = serde_json::from_str(&json).unwrap();
    assert_eq!(back.snapshot, source.snapshot);
    assert_eq!(
        back.types,
        BTreeMap::from([("a".to_owned(), ColumnType::Text)])
    );
}
