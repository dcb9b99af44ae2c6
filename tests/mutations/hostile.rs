//! Small files that ask for much, and large ones that are not what they seem.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListBuilder, RecordBatch, StringBuilder};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use super::trial::code_of;

const MEGABYTE: usize = 1 << 20;

/// What comparing a file with itself ends with, in time and in its memory.
#[track_caller]
fn check(name: &str, write: impl Fn(&Path), code: i32) {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join(name));
    let sides = [name.to_owned(), name.to_owned()];
    for options in ["--key=id", "", "--key=id --out=report"] {
        assert_eq!(code_of(folder.path(), &sides, options), code, "{options}");
    }
}

fn csv(text: impl Fn() -> String) -> impl Fn(&Path) {
    move |path| fs::write(path, text()).unwrap()
}

#[test]
fn more_columns_than_a_table_has() {
    let names = || {
        (0..200_000).fold("id".to_owned(), |mut names, column| {
            write!(names, ",c{column}").expect("a text can be written to");
            names
        })
    };
    check("a.csv", csv(|| names() + "\n"), 6);
}

#[test]
fn a_line_that_does_not_end() {
    check(
        "a.csv",
        csv(|| "id,a\n1,".to_owned() + &"x".repeat(65 * MEGABYTE)),
        6,
    );
}

#[test]
fn fields_of_a_megabyte() {
    let line = |id: i32| format!("{id},{}\n", "x".repeat(MEGABYTE));
    check(
        "a.csv",
        csv(|| "id,a\n".to_owned() + &(0..150).map(line).collect::<String>()),
        0,
    );
}

/// Every row of either table belongs to the one key.
#[test]
fn one_key_for_all_rows() {
    let line = |row: i32| format!("1,{row}\n");
    check(
        "a.csv",
        csv(|| "id,a\n".to_owned() + &(0..100_000).map(line).collect::<String>()),
        0,
    );
}

/// A text of a megabyte, once in the file's dictionary and thousands of times in its rows.
#[test]
fn a_small_file_with_gigabytes_of_rows() {
    let write = |path: &Path| {
        let mut texts = ListBuilder::new(StringBuilder::new());
        let text = "x".repeat(MEGABYTE);
        for _ in 0..50 {
            texts.values().append_value(&text);
            texts.append(true);
        }
        let columns: [(&str, ArrayRef); 2] = [
            ("id", Arc::new(Int64Array::from_iter_values(0..50))),
            ("texts", Arc::new(texts.finish())),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_page_size_limit(2 * MEGABYTE)
            .build();
        let file = File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        for _ in 0..40 {
            writer.write(&batch).unwrap();
        }
        writer.close().unwrap();
        assert!(path.metadata().unwrap().len() < 100_000);
    };
    check("a.parquet", write, 6);
}

/// A line of 65 MB in a few kilobytes.
#[test]
fn a_compressed_line_that_does_not_end() {
    let write = |path: &Path| {
        let line = "{\"id\":\"".to_owned() + &"x".repeat(65 * MEGABYTE);
        fs::write(path, zstd::encode_all(line.as_bytes(), 0).unwrap()).unwrap();
        assert!(path.metadata().unwrap().len() < 100_000);
    };
    check("a.jsonl.zst", write, 6);
}

/// Millions of arrays in one line.
#[test]
fn a_line_of_empty_arrays() {
    let line = || "{\"id\":1,\"a\":[".to_owned() + &"[],".repeat(20 * MEGABYTE) + "[]]}\n";
    check("a.jsonl", csv(line), 6);
}

/// Each empty object is a value for every key of the others.
#[test]
fn objects_without_the_keys_of_others() {
    let keys: String = (0..10_000).map(|key| format!("\"k{key}\":1,")).collect();
    let empty = "{\"id\":1}\n".repeat(3_000);
    check("a.jsonl", csv(|| format!("{{{keys}\"id\":0}}\n{empty}")), 0);
}
