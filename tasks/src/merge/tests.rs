//! Small tables in, the merged one or the error out, as text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use understudy_core::spec::{Merge, MergeHow, Missing};
use understudy_tables::{CsvFile, TableSource, pin};

use super::{MergeTask, run_merge};
use crate::sql::{Joins, SqlTask};
use crate::{TaskInput, TaskOutput};

fn input(folder: &Path, name: &str, text: &str) -> TaskInput {
    let file = format!("{name}.csv");
    fs::write(folder.join(&file), text).unwrap();
    let source = TableSource {
        base: folder.to_owned(),
        snapshot: pin(name, &file, folder).unwrap(),
        types: BTreeMap::new(),
    };
    TaskInput {
        name: name.to_owned(),
        schema: source.schema().unwrap(),
        source,
    }
}

/// The lines of the merged table, the header first and the rows in order; then the notes. Or the error.
fn merged(how: MergeHow, missing: Missing, tables: &[(&str, &str)]) -> String {
    merged_by(&["id"], how, missing, tables)
}

fn merged_by(grain: &[&str], how: MergeHow, missing: Missing, tables: &[(&str, &str)]) -> String {
    let folder = TempDir::new().unwrap();
    let inputs: Vec<_> = tables
        .iter()
        .map(|(name, text)| input(folder.path(), name, text))
        .collect();
    let task = MergeTask {
        merge: Merge { how, missing },
        grain: grain.iter().map(|&column| column.to_owned()).collect(),
        engine: SqlTask {
            sql: String::new(),
            params: BTreeMap::new(),
            run_date: "2013-07-03".parse().unwrap(),
            now_nanos: 0,
            threads: 2,
            memory_bytes: 64 << 20,
            temp_dir: folder.path().to_owned(),
            joins: Joins::Sorted,
        },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    match runtime.block_on(run_merge(&task, &inputs, &folder.path().join("out"))) {
        Ok(merged) => [lines(&merged.output, folder.path()), merged.notes]
            .concat()
            .join("\n"),
        Err(error) => chain(&error),
    }
}

fn lines(output: &TaskOutput, folder: &Path) -> Vec<String> {
    let base = output.parquet.parent().unwrap().to_owned();
    let source = TableSource {
        snapshot: pin("out", "data.parquet", &base).unwrap(),
        base,
        types: BTreeMap::new(),
    };
    let schema = source.schema().unwrap();
    let path = folder.join("out.csv");
    let mut file = CsvFile::create(&path, &schema).unwrap();
    for batch in source.read(&schema, None, 100).unwrap() {
        file.write(&batch.unwrap()).unwrap();
    }
    file.finish().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[1..].sort();
    lines
}

const A: (&str, &str) = ("a", "id,x\n1,10\n2,20\n,30\n");
const B: (&str, &str) = ("b", "id,y\n2,two\n3,three\n,none\n");

#[test]
fn a_join_keeps_rows_that_one_input_lacks() {
    let found = merged(MergeHow::Join, Missing::Keep, &[A, B]);
    let expected = "id,x,y\n,30,none\n1,10,\n2,20,two\n3,,three\n\
                    1 row not in `a`: NULL there\n1 row not in `b`: NULL there";
    assert_eq!(found, expected);
}

#[test]
fn a_join_drops_them_where_it_is_told_to() {
    let found = merged(MergeHow::Join, Missing::Drop, &[A, B]);
    let expected =
        "id,x,y\n,30,none\n2,20,two\n1 row not in `a`: left out\n1 row not in `b`: left out";
    assert_eq!(found, expected);
}

#[test]
fn a_join_fails_where_it_is_told_to() {
    let expected = "`a` lacks 1 rows that other inputs have, and `missing: fail` forbids that";
    assert_eq!(merged(MergeHow::Join, Missing::Fail, &[A, B]), expected);
    let same = [A, ("c", "id,z\n1,1\n2,2\n,3\n")];
    let found = merged(MergeHow::Join, Missing::Fail, &same);
    assert_eq!(found, "id,x,z\n,30,3\n1,10,1\n2,20,2");
}

#[test]
fn a_join_of_three_finds_rows_that_only_the_last_has() {
    let c = ("c", "id,z\n4,4\n2,2\n");
    let found = merged(MergeHow::Join, Missing::Keep, &[A, B, c]);
    assert!(
        found.starts_with("id,x,y,z\n,30,none,\n1,10,,\n2,20,two,2\n3,,three,\n4,,,4\n"),
        "{found}"
    );
}

#[test]
fn a_join_by_several_columns_takes_each_of_them() {
    let a = ("a", "team,id,x\nred,1,10\nred,2,20\nblue,1,30\n,1,40\n");
    let b = ("b", "team,id,y\nred,1,7\nblue,2,8\n,1,9\n");
    let found = merged_by(&["team", "id"], MergeHow::Join, Missing::Keep, &[a, b]);
    let expected = "team,id,x,y\n,1,40,9\nblue,1,30,\nblue,2,,8\nred,1,10,7\nred,2,20,\n\
                    1 row not in `a`: NULL there\n2 rows not in `b`: NULL there";
    assert_eq!(found, expected);
}

#[test]
fn a_key_that_stands_twice_would_multiply_rows() {
    let twice = ("b", "id,y\n2,two\n2,zwei\n5,five\n");
    assert_eq!(
        merged(MergeHow::Join, Missing::Keep, &[A, twice]),
        "`b` has 1 keys (id) more than once, which would multiply the rows of the others"
    );
}

#[test]
fn columns_of_a_join_have_one_origin() {
    assert_eq!(
        merged(MergeHow::Join, Missing::Keep, &[A, ("b", "id,x\n1,1\n")]),
        "both `a` and `b` have a column `x`, which is not of the grain; rename it in one of them"
    );
    assert_eq!(
        merged(MergeHow::Join, Missing::Keep, &[A, ("b", "key,y\n1,1\n")]),
        "`b` has no column `id` of the grain, by which rows are joined"
    );
    assert_eq!(
        merged(MergeHow::Join, Missing::Keep, &[A, ("b", "id,y\none,1\n")]),
        "column `id` is Int64 in `a` and Utf8 in `b`; give both the same type"
    );
}

#[test]
fn a_union_goes_by_the_names_of_columns() {
    let c = ("c", "z,id\n1.5,7\n2.5,1\n");
    let found = merged(MergeHow::Union, Missing::Keep, &[A, c]);
    let expected = "id,x,z\n,30,\n1,,2.5\n1,10,\n2,20,\n7,,1.5\n\
                    column `x` is not in `c`: NULL there\ncolumn `z` is not in `a`: NULL there";
    assert_eq!(found, expected);
    let found = merged(MergeHow::Union, Missing::Drop, &[A, c]);
    let expected = "id\n\"\"\n1\n1\n2\n7\ncolumn `x` is not in `c`: left out\ncolumn `z` is not in `a`: left out";
    assert_eq!(found.replace("id\n\n", "id\n\"\"\n"), expected);
    assert_eq!(
        merged(MergeHow::Union, Missing::Fail, &[A, c]),
        "column `x` is not in `c`, and `missing: fail` forbids that"
    );
}

#[test]
fn a_union_never_makes_floats_of_integers() {
    assert_eq!(
        merged(MergeHow::Union, Missing::Keep, &[A, ("b", "id,x\n9,1.5\n")]),
        "column `x` is Int64 in `a` and Float64 in `b`; give both the same type"
    );
}

#[test]
fn names_with_quotes_and_capitals_are_names() {
    let odd = ("O\"dd", "id,\"A \"\"b\"\"\"\n1,yes\n");
    let found = merged(MergeHow::Join, Missing::Drop, &[A, odd]);
    assert!(
        found.starts_with("id,x,\"A \"\"b\"\"\"\n1,10,yes\n"),
        "{found}"
    );
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
