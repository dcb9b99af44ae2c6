use std::fs;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMillisecondArray,
    Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Int64Type;
use tempfile::TempDir;
use understudy_core::snapshot::DatasetSnapshot;

use super::{CsvFile, ParquetFile};
use crate::pin::pin;
use crate::source::TableSource;

fn batch() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "id",
            Arc::new(Int64Array::from(vec![Some(1), None, Some(-3)])),
        ),
        (
            "text",
            Arc::new(StringArray::from(vec![Some(""), None, Some("a,\"b\"\nc")])),
        ),
        (
            "float",
            Arc::new(Float64Array::from(vec![Some(0.1), Some(2.0), Some(1e300)])),
        ),
        (
            "small",
            Arc::new(Float32Array::from(vec![
                Some(0.1),
                Some(f32::NAN),
                Some(f32::NEG_INFINITY),
            ])),
        ),
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "day",
            Arc::new(Date32Array::from(vec![Some(0), None, Some(-1)])),
        ),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), None, Some(-1)]).with_timezone("UTC"),
            ),
        ),
        (
            "price",
            Arc::new(
                Decimal128Array::from(vec![Some(150), None, Some(-5)])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap()
}

fn source(folder: &TempDir, file: &str) -> TableSource {
    let snapshot: DatasetSnapshot = pin("d", file, folder.path()).unwrap();
    TableSource {
        base: folder.path().to_owned(),
        snapshot,
        types: Default::default(),
    }
}

#[test]
fn csv_is_exact() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.csv");
    let mut file = CsvFile::create(&path, &batch().schema()).unwrap();
    file.write(&batch()).unwrap();
    assert_eq!(file.finish().unwrap(), 3);
    let expected = "id,text,float,small,flag,day,at,price\n\
                    1,\"\",0.1,0.1,true,1970-01-01,1970-01-01T00:00:00.000001Z,1.50\n\
                    ,,2.0,NaN,,,,\n\
                    -3,\"a,\"\"b\"\"\nc\",1e+300,-inf,false,1969-12-31,1969-12-31T23:59:59.999999Z,-0.05\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn csv_reads_back_as_it_was_written() {
    let folder = TempDir::new().unwrap();
    let batch = batch().project(&[0, 1, 2, 4, 5, 6]).unwrap();
    let mut file = CsvFile::create(&folder.path().join("a.csv"), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
    let source = source(&folder, "a.csv");
    let back: Vec<_> = source
        .read(&source.schema().unwrap(), None, 10)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(back, [batch]);
}

#[test]
fn one_column_of_nulls_keeps_its_rows() {
    let folder = TempDir::new().unwrap();
    let column: ArrayRef = Arc::new(StringArray::from(vec![None, Some(""), None]));
    let batch = RecordBatch::try_from_iter_with_nullable([("a", column, true)]).unwrap();
    let mut file = CsvFile::create(&folder.path().join("a.csv"), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
    let source = source(&folder, "a.csv");
    let back: Vec<_> = source
        .read(&source.schema().unwrap(), None, 10)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(back, [batch]);
}

#[test]
fn nested_values_are_json() {
    let folder = TempDir::new().unwrap();
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some([
        Some(1),
        None,
    ])]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![b"\x00\xff".as_slice()]));
    let duration: ArrayRef = Arc::new(DurationMillisecondArray::from(vec![-1500]));
    let batch =
        RecordBatch::try_from_iter([("list", list), ("bytes", bytes), ("duration", duration)])
            .unwrap();
    let path = folder.path().join("a.csv");
    let mut file = CsvFile::create(&path, &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "list,bytes,duration\n\"[1,null]\",00ff,PT-1.5S\n"
    );
}

#[test]
fn parquet_keeps_everything() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    let mut file = ParquetFile::create(&path, &batch().schema()).unwrap();
    file.write(&batch()).unwrap();
    file.write(&batch()).unwrap();
    assert_eq!(file.finish().unwrap(), 6);
    let source = source(&folder, "a.parquet");
    let schema = source.schema().unwrap();
    assert_eq!(schema, batch().schema());
    let back: Vec<_> = source
        .read(&schema, None, 3)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(back[0].columns()[..3], batch().columns()[..3]);
    assert_eq!(back.len(), 2);
}

#[test]
fn nothing_is_written_over() {
    let folder = TempDir::new().unwrap();
    for name in ["a.csv", "a.parquet"] {
        fs::write(folder.path().join(name), "precious").unwrap();
    }
    let csv = CsvFile::create(&folder.path().join("a.csv"), &batch().schema());
    let parquet = ParquetFile::create(&folder.path().join("a.parquet"), &batch().schema());
    assert!(
        csv.unwrap_err()
            .to_string()
            .ends_with("a.csv` cannot be written")
    );
    assert!(
        parquet
            .unwrap_err()
            .to_string()
            .ends_with("a.parquet` cannot be written")
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("a.csv")).unwrap(),
        "precious"
    );
}
