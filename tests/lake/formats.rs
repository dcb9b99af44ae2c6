//! One table in every format, as input and as what a program writes.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use understudy_tables::ParquetFile;

use crate::playground::{DATE, Playground};

/// The formats, by the names that their files have.
const FORMATS: [&str; 9] = [
    "rows.csv",
    "rows.csv.gz",
    "rows.csv.zst",
    "rows.jsonl",
    "rows.ndjson.gz",
    "rows.jsonl.zst",
    "rows.arrow",
    "rows.stream.arrow",
    "rows.parquet",
];

const CSV: &str =
    "id,name,amount,open\n1,Zoë,1.5,true\n2,\"\",2.5,false\n3,,1e-07,true\n4,\"a,\"\"b\",,\n";
const JSON: &str = "{\"id\":1,\"name\":\"Zo\\u00eb\",\"amount\":1.5,\"open\":true}\n\
                    {\"id\":2,\"name\":\"\",\"amount\":2.50,\"open\":false}\n\n\
                    {\"open\":true,\"amount\":1e-7,\"name\":null,\"id\":3}\n\
                    {\"id\":4,\"name\":\"a,\\\"b\"}\n";

fn table() -> RecordBatch {
    let columns: [(&str, ArrayRef); 4] = [
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        (
            "name",
            Arc::new(StringArray::from(vec![
                Some("Zoë"),
                Some(""),
                None,
                Some("a,\"b"),
            ])),
        ),
        (
            "amount",
            Arc::new(Float64Array::from(vec![
                Some(1.5),
                Some(2.5),
                Some(1e-7),
                None,
            ])),
        ),
        (
            "open",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                Some(false),
                Some(true),
                None,
            ])),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

/// Writes the table in the format of the file's name.
fn write(playground: &Playground, file: &str) {
    let path = playground.path(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = table();
    let text = if file.contains(".csv") { CSV } else { JSON };
    if file.ends_with(".parquet") {
        let mut output = ParquetFile::create(&path, &batch.schema()).unwrap();
        output.write(&batch).unwrap();
        output.finish().unwrap();
    } else if file.ends_with(".stream.arrow") {
        let output = std::fs::File::create(path).unwrap();
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(output, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    } else if file.ends_with(".arrow") {
        let output = std::fs::File::create(path).unwrap();
        let mut writer = arrow_ipc::writer::FileWriter::try_new(output, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    } else if file.ends_with(".zst") {
        std::fs::write(path, zstd::encode_all(text.as_bytes(), 0).unwrap()).unwrap();
    } else if file.ends_with(".gz") {
        let gzip = Command::new("gzip")
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(path).unwrap())
            .spawn();
        let mut gzip = gzip.unwrap();
        gzip.stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(gzip.wait().unwrap().success());
    } else {
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn the_same_table_is_identical_in_every_format() {
    let playground = Playground::of(&[]);
    FORMATS.iter().for_each(|file| write(&playground, file));
    for old in FORMATS {
        for new in FORMATS {
            let ended = playground.understudy(&["diff", old, new, "--key", "id", "--json"]);
            assert_eq!(
                ended.json()["verdict"],
                "identical",
                "{old} with {new}: {}",
                ended.stdout
            );
            assert_eq!(ended.json()["rows"]["matched"], 4, "{old} with {new}");
        }
    }
}

#[test]
fn every_format_is_read_by_queries_and_programs_and_written_by_programs() {
    for file in FORMATS {
        let pipeline = format!(
            "pipeline: formats\ndatasets:\n  rows: {{ location: in/{file} }}\ntasks:\n  \
             copy:\n    inputs: [rows]\n    output: {{ location: live/copy, grain: [id] }}\n    live: v1\n    versions:\n      \
             v1: {{ sql: copy.sql }}\n      v2: {{ command: [sh, copy.sh], inputs: csv }}\n  \
             hand:\n    inputs: [rows]\n    output: {{ location: live/hand, grain: [id] }}\n    live: v1\n    versions:\n      \
             v1: {{ sql: copy.sql }}\n      v2: {{ command: [sh, hand.sh], inputs: parquet }}\n\
             changes:\n  better:\n    new: {{ copy: v2 }}\n  handed:\n    new: {{ hand: v2 }}\n"
        );
        let playground = Playground::of(&[
            ("understudy.yaml", &pipeline),
            ("copy.sql", "SELECT id, name, amount, open FROM rows"),
            (
                "copy.sh",
                "cat \"$UNDERSTUDY_INPUT_ROWS\"/*.csv > \"$UNDERSTUDY_OUTPUT/out.csv\"\n",
            ),
            (
                "hand.sh",
                &format!(
                    "ls \"$UNDERSTUDY_INPUT_ROWS\"/*.parquet >&2; cp in/{file} \"$UNDERSTUDY_OUTPUT/{file}\"\n"
                ),
            ),
        ]);
        write(&playground, &format!("in/{file}"));
        let ended = playground.run(&["--strict"]).expect(0);
        assert_eq!(ended.verdict("copy"), "identical", "{file}");
        assert_eq!(
            ended.json()["changes"]["handed"]["verdict"],
            "identical",
            "{file}"
        );
        let rows = playground.rows("copy");
        assert!(
            rows.contains("1,Zoë,1.5,true\n2,,2.5,false\n3,NULL,1e-7,true\n4,a,\"b,NULL,NULL\n"),
            "{file}: {rows}"
        );
        assert!(
            playground
                .path(&format!("live/hand/date={DATE}/data.parquet"))
                .exists()
        );
    }
}

fn refused(name: &str, text: &str) -> String {
    let playground = Playground::of(&[(name, text), ("other.csv", "id\n1\n")]);
    let ended = playground
        .understudy(&["diff", name, "other.csv"])
        .expect(6);
    ended.stderr.trim().to_owned()
}

#[test]
fn json_lines_that_are_none_are_named_by_their_line() {
    for (text, expected) in [
        (
            "{\"id\":1}\n{\"id\":2\n",
            "line 2: not JSON: EOF while parsing an object",
        ),
        (
            "{\"id\":1}\n[1]\n",
            "line 2: a line must hold one object, `{…}`",
        ),
        (
            "{\"id\":1,\"id\":2}\n",
            "line 1: the key `id` stands twice in one object",
        ),
        (
            "{\"a\":{\"b\":1}}\n{\"a\":2}\n",
            "line 2: `a` is a number here, and an object before",
        ),
        (
            "{\"a\":{\"b\":[1]}}\n{\"a\":{\"b\":[{}]}}\n",
            "line 2: `a.b.[]` is an object here, and a number before",
        ),
        (
            "{\"id\":1}{\"id\":2}\n",
            "line 1: not JSON: trailing characters",
        ),
        ("{\"id\":tru}\n", "line 1: not JSON"),
    ] {
        let found = refused("rows.jsonl", text);
        assert!(found.contains(expected), "{text}: {found}");
    }
    let deep = format!("{{\"a\":{}1{}}}\n", "[".repeat(40), "]".repeat(40));
    assert!(refused("rows.jsonl", &deep).contains("deeper than 32"));
}

#[test]
fn numbers_in_json_keep_every_digit() {
    let playground = Playground::of(&[
        (
            "a.jsonl",
            "{\"id\":1,\"n\":9007199254740992.5}\n{\"id\":2,\"n\":1}\n",
        ),
        (
            "b.jsonl",
            "{\"id\":1,\"n\":9007199254740993.5}\n{\"id\":2,\"n\":1.0}\n",
        ),
    ]);
    let ended = playground
        .understudy(&["diff", "a.jsonl", "b.jsonl", "--key", "id", "--json"])
        .expect(1);
    assert_eq!(ended.json()["rows"]["changed"], 1);
}

#[test]
fn nested_json_is_compared_as_structs_and_lists() {
    let playground = Playground::of(&[
        (
            "a.jsonl",
            "{\"id\":1,\"at\":{\"x\":1,\"y\":[1,2]}}\n{\"id\":2,\"at\":null}\n",
        ),
        (
            "b.jsonl",
            "{\"id\":1,\"at\":{\"y\":[1,2],\"x\":1}}\n{\"id\":2}\n",
        ),
        (
            "c.jsonl",
            "{\"id\":1,\"at\":{\"x\":1,\"y\":[2,1]}}\n{\"id\":2}\n",
        ),
    ]);
    playground
        .understudy(&["diff", "a.jsonl", "b.jsonl", "--key", "id"])
        .expect(0);
    playground
        .understudy(&["diff", "a.jsonl", "c.jsonl", "--key", "id"])
        .expect(1);
}

#[test]
fn compressed_and_arrow_files_that_are_broken_are_refused() {
    let playground = Playground::of(&[("other.csv", "id\n1\n")]);
    for file in [
        "rows.csv.gz",
        "rows.jsonl.zst",
        "rows.arrow",
        "rows.stream.arrow",
    ] {
        write(&playground, file);
        let bytes = std::fs::read(playground.path(file)).unwrap();
        for cut in [bytes.len() / 2, bytes.len() * 9 / 10, 3] {
            std::fs::write(playground.path(file), &bytes[..cut]).unwrap();
            let ended = playground.understudy(&["diff", file, "other.csv"]);
            assert!(ended.code == 6, "{file} cut at {cut}: {ended:?}");
            assert!(ended.stderr.contains(file), "{file}: {}", ended.stderr);
        }
    }
}
