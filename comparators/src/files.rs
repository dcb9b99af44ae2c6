//! Comparisons of files, good and bad, through the public door.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use understudy_tables::{ParquetFile, TableSource, pin};

use crate::testing::Collected;
use crate::testing::random::Random;
use crate::{Request, compare};

fn source(folder: &Path, location: &str) -> TableSource {
    TableSource {
        base: folder.to_owned(),
        snapshot: pin("t", location, folder).unwrap(),
        types: [].into(),
    }
}

fn batch(rows: i64, first: i64) -> RecordBatch {
    let ids = Int64Array::from_iter_values(first..first + rows);
    let names: StringArray = (0..rows)
        .map(|row| (row % 5 > 0).then(|| format!("name {row}")))
        .collect();
    let prices = Float64Array::from_iter_values((0..rows).map(|row| row as f64 / 8.0));
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(ids)),
        ("name", Arc::new(names)),
        ("price", Arc::new(prices)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn write_parquet(path: &Path, batch: &RecordBatch) {
    let mut file = ParquetFile::create(path, &batch.schema()).unwrap();
    file.write(batch).unwrap();
    file.finish().unwrap();
}

/// What comparing two locations by `id` says, errors with their causes.
fn compared(folder: &Path, old: &str, new: &str) -> Result<Collected, String> {
    let (old, new) = (source(folder, old), source(folder, new));
    let key = ["id".to_owned()];
    let request = Request {
        old: &old,
        new: &new,
        key: &key,
        customer: Some("name"),
        rules: &[],
        predicates: None,
        memory_bytes: 1 << 20,
        threads: 2,
        temp_dir: folder,
    };
    let mut collected = Collected::default();
    match compare(&request, &mut collected) {
        Ok(comparison) => {
            collected.comparison = comparison;
            Ok(collected)
        }
        Err(error) => {
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                error.source()
            });
            Err(causes
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": "))
        }
    }
}

#[test]
fn parquet_and_csv_of_the_same_rows_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(&folder.path().join("old.parquet"), &batch(1_000, 0));
    let lines = (0..1_000).rev().map(|row| {
        let name = if row % 5 > 0 {
            format!("name {row}")
        } else {
            String::new()
        };
        format!("{row},{name},{}\n", f64::from(row) / 8.0)
    });
    let csv = format!("id,name,price\n{}", lines.collect::<String>());
    std::fs::write(folder.path().join("new.csv"), csv).unwrap();
    let found = compared(folder.path(), "old.parquet", "new.csv").unwrap();
    assert_eq!(
        (found.comparison.rows.matched, found.comparison.rows.changed),
        (1_000, 0)
    );
    assert_eq!((found.comparison.schema, found.rows), (vec![], vec![]));
}

#[test]
fn a_folder_of_files_is_one_table() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("old")).unwrap();
    write_parquet(&folder.path().join("old/a.parquet"), &batch(100, 0));
    write_parquet(&folder.path().join("old/b.parquet"), &batch(100, 100));
    write_parquet(&folder.path().join("new.parquet"), &batch(150, 0));
    let rows = compared(folder.path(), "old", "new.parquet")
        .unwrap()
        .comparison
        .rows;
    assert_eq!(
        (
            rows.old,
            rows.new,
            rows.matched,
            rows.changed,
            rows.only_old
        ),
        (200, 150, 150, 50, 50)
    );
}

#[test]
fn files_without_rows_are_tables() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(&folder.path().join("old.parquet"), &batch(0, 0));
    write_parquet(&folder.path().join("new.parquet"), &batch(3, 0));
    let rows = compared(folder.path(), "old.parquet", "new.parquet")
        .unwrap()
        .comparison
        .rows;
    assert_eq!(
        (rows.old, rows.new, rows.only_new, rows.unexpected),
        (0, 3, 3, 3)
    );
    let found = compared(folder.path(), "old.parquet", "old.parquet").unwrap();
    assert_eq!(
        found.comparison.notes,
        ["both tables are empty: nothing was compared"]
    );
}

#[test]
fn a_broken_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(&folder.path().join("good.parquet"), &batch(100, 0));
    let bytes = std::fs::read(folder.path().join("good.parquet")).unwrap();
    std::fs::write(folder.path().join("cut.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(
        folder.path().join("ragged.csv"),
        "id,name,price\n1,a,2.0\n2,b\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("binary.csv"),
        b"id,name,price\n1,\xff\xfe,2.0\n",
    )
    .unwrap();
    for bad in ["cut.parquet", "ragged.csv", "binary.csv"] {
        for (old, new) in [("good.parquet", bad), (bad, "good.parquet")] {
            let error = compared(folder.path(), old, new).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }
}

/// Whatever happened to a file, comparing it ends, with an answer or with an error that says something.
#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(&folder.path().join("good.parquet"), &batch(60, 0));
    let parquet = std::fs::read(folder.path().join("good.parquet")).unwrap();
    let csv = b"id,name,price\n1,\"a,\nb\",2.0\n2,,3.5\n3,\"\",1e300\n".to_vec();
    let mut errors = 0;
    for seed in 0..600 {
        let mut random = Random(seed);
        let (name, bytes) = if seed % 3 > 0 {
            ("bad.parquet", &parquet)
        } else {
            ("bad.csv", &csv)
        };
        std::fs::write(folder.path().join(name), mutated(bytes, &mut random)).unwrap();
        if let Err(error) = compared(folder.path(), "good.parquet", name) {
            assert!(!error.is_empty());
            errors += 1;
        }
    }
    assert!(
        errors > 100,
        "most mutations break a file, and {errors} of them were noticed"
    );
}

fn mutated(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let place = random.below(bytes.len());
        match random.below(4) {
            0 => bytes.truncate(place + 1),
            1 => bytes.insert(place, random.below(256) as u8),
            _ => bytes[place] = random.below(256) as u8,
        }
    }
    bytes
}
