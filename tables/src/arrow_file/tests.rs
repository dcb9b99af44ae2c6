use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, NullArray, RecordBatch, StringArray};
use arrow::datatypes::{Int8Type, Schema};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use tempfile::TempDir;

use super::*;

fn table() -> RecordBatch {
    let words: DictionaryArray<Int8Type> = ["x", "y", "x", "z"].into_iter().collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("i", Arc::new(Int64Array::from_iter_values(0..4))),
        ("t", Arc::new(StringArray::from(vec!["a", "", "ß", "d"]))),
        ("w", Arc::new(words)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn file(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default()
        .try_with_compression(compression)
        .unwrap();
    let schema = batches[0].schema();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn stream(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default()
        .try_with_compression(compression)
        .unwrap();
    let schema = batches[0].schema();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

/// A file of these bytes, kept as long as its folder.
fn on_disk(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.arrow");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn read(bytes: &[u8], batch_rows: usize) -> Result<Vec<RecordBatch>, String> {
    let (_folder, path) = on_disk(bytes);
    let said = |error: &ArrowFileError| format!("{}", error.source);
    let schema = file_schema(&path).map_err(|error| said(&error))?;
    let batches = ArrowBatches::open(&path, schema.fields(), batch_rows);
    let batches = batches.map_err(|error| said(&error))?;
    let batches = batches.map(|batch| {
        batch.map_err(|error| match error {
            crate::TableError::Arrow(error) => said(&error),
            other => other.to_string(),
        })
    });
    batches.collect()
}

fn all_forms() -> Vec<Vec<u8>> {
    let batches = [table(), table().slice(1, 2)];
    let compressions = [
        None,
        Some(CompressionType::LZ4_FRAME),
        Some(CompressionType::ZSTD),
    ];
    let forms = compressions.map(|compression| {
        [
            file(&batches[..1], compression),
            stream(&batches, compression),
        ]
    });
    forms.into_iter().flatten().collect()
}

#[test]
fn files_and_streams_give_what_was_written() {
    for (position, bytes) in all_forms().iter().enumerate() {
        let rows = if position % 2 == 0 { 4 } else { 6 };
        for batch_rows in [1, 3, 100] {
            let batches = read(bytes, batch_rows).unwrap();
            assert!(batches.iter().all(|batch| batch.num_rows() <= batch_rows));
            let all = arrow::compute::concat_batches(&table().schema(), &batches).unwrap();
            assert_eq!(all.num_rows(), rows);
            assert_eq!(all.slice(0, 4), table());
        }
    }
}

#[test]
fn some_columns_can_be_read() {
    for bytes in all_forms() {
        let (_folder, path) = on_disk(&bytes);
        let wanted = Schema::new(vec![table().schema().field(2).clone()]);
        let batches = ArrowBatches::open(&path, wanted.fields(), 100).unwrap();
        let first = batches.into_iter().next().unwrap().unwrap();
        assert_eq!(first, table().project(&[2]).unwrap());
    }
}

#[test]
fn what_is_cut_off_is_never_read_as_a_whole() {
    for bytes in all_forms() {
        for end in (0..bytes.len()).step_by(5).chain([bytes.len() - 1]) {
            assert!(
                read(&bytes[..end], 100).is_err(),
                "{end} of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn no_byte_stops_the_process() {
    let mut failures = 0;
    for bytes in all_forms() {
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= [0x01, 0x80, 0xff][position % 3];
            failures += usize::from(read(&damaged, 100).is_err());
        }
    }
    assert!(failures > 500, "{failures}");
}

#[test]
fn streams_must_end_and_nothing_may_follow() {
    let whole = stream(&[table()], None);
    let without_mark = &whole[..whole.len() - 8];
    let error = read(without_mark, 100).unwrap_err();
    assert_eq!(
        error,
        "the stream has no end mark; its writer did not finish"
    );
    let error = read(&[&whole[..], &whole[..]].concat(), 100).unwrap_err();
    let expected = format!(
        "{} bytes follow the end of the stream; several streams do not make one table",
        whole.len()
    );
    assert_eq!(error, expected);
}

#[test]
fn other_files_are_named() {
    let check = |bytes: &[u8], expected: &str| assert_eq!(read(bytes, 100).unwrap_err(), expected);
    check(
        b"FEA1....",
        "it is Feather of version 1; write it as version 2",
    );
    check(b"", "the stream has no end mark; its writer did not finish");
    check(b"ARROW1", "it has 6 bytes, too few for any table");
    check(
        b"a,b\n1,2\n",
        "it says that a message's metadata has 174206049 bytes, where 4 can be",
    );
}

#[test]
fn rows_that_take_no_bytes_are_limited() {
    let nulls: ArrayRef = Arc::new(NullArray::new(1 << 29));
    let batch = RecordBatch::try_from_iter([("n", nulls)]).unwrap();
    let batches = [batch];
    for bytes in [file(&batches, None), stream(&batches, None)] {
        let error = read(&bytes, 8192).unwrap_err();
        assert!(
            error.starts_with("a batch has 536870912 rows, where at most 268435456"),
            "{error}"
        );
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_decompressed() {
    let zeros: ArrayRef = Arc::new(Int64Array::from(vec![0; 1 << 16]));
    let batch = RecordBatch::try_from_iter([("n", zeros)]).unwrap();
    let whole = file(&[batch], Some(CompressionType::ZSTD));
    let length = (8_u64 << 16).to_le_bytes();
    let position = whole.windows(8).position(|bytes| bytes == length).unwrap();
    for said in [1_i64 << 40, -2, i64::MAX, i64::MIN] {
        let mut bomb = whole.clone();
        // The length is in the metadata, too, where nothing is believed either.
        let last = whole
            .windows(8)
            .rposition(|bytes| bytes == length)
            .unwrap_or(position);
        for place in [position, last] {
            bomb[place..place + 8].copy_from_slice(&said.to_le_bytes());
        }
        assert!(read(&bomb, 100).is_err(), "{said}");
    }
}
