//! Tables that are none: the file and the reason are named, and the exit code says whose fault it is.

use expect_test::expect;

use super::scene::{Scene, check};

const TABLES: &str = "\
-- good.csv
id,name
1,Ann
2,Bob
-- good.parquet
id,name
1,Ann
2,Bob
-- ragged.csv
id,name
1,Ann
2,Bob,new
-- short.csv
id,name
1,Ann
2
-- quote.csv
id,name
1,\"Ann
2,Bob
-- after.csv
id,name
1,\"Ann\"a
-- twice.csv
id,id
1,2
-- unnamed.csv
id,
1,2
-- none.csv
-- text.txt
id,name
-- empty/readme.txt
nothing here
-- mixed/a.csv
id,name
-- mixed/b.parquet
id,name
1,Ann
-- apart/a.csv
id,name
1,Ann
-- apart/b.csv
id,nome
2,Bob
";

#[test]
fn tables_that_are_not_there() {
    check(
        TABLES,
        "nowhere.csv good.csv",
        &expect![[r#"
        exit 6
        -- standard error
        error: OLD: nothing is at `nowhere.csv`; check the path
    "#]],
    );
    check(
        TABLES,
        "good.csv nowhere.parquet",
        &expect![[r#"
        exit 6
        -- standard error
        error: NEW: nothing is at `nowhere.parquet`; check the path
    "#]],
    );
    check(
        TABLES,
        "good.csv empty",
        &expect![[r#"
            exit 6
            -- standard error
            error: dataset `NEW`: `empty` has no .parquet, .csv, .jsonl or .arrow file; they must lie directly in it or below `key=value` folders (for others, write a glob)
        "#]],
    );
    check(
        TABLES,
        "good.csv mixed",
        &expect![[r#"
            exit 6
            -- standard error
            error: dataset `NEW`: `mixed` mixes formats (`mixed/a.csv`, `mixed/b.parquet`); keep one, or name it with a glob such as `*.parquet`
        "#]],
    );
    check(
        TABLES,
        "good.csv text.txt",
        &expect![[r#"
            exit 6
            -- standard error
            error: dataset `NEW`: `text.txt` is of no format that can be read; these are .parquet, .csv, .jsonl, .ndjson, .arrow, .ipc and .feather, and .gz or .zst of the text formats
        "#]],
    );
    check(
        TABLES,
        "good.csv s3://bucket/table",
        &expect![[r#"
        exit 6
        -- standard error
        error: dataset `NEW`: `s3://bucket/table` is a URL; only files and folders of this machine can be read
    "#]],
    );
    check(
        TABLES,
        "good.csv '*.nothing'",
        &expect![[r#"
            exit 6
            -- standard error
            error: dataset `NEW`: `*.nothing` has no .parquet, .csv, .jsonl or .arrow file; they must lie directly in it or below `key=value` folders (for others, write a glob)
        "#]],
    );
    check(
        TABLES,
        "good.csv 'a[.csv'",
        &expect![[r#"
        exit 6
        -- standard error
        error: dataset `NEW`: `a[.csv` is not a valid glob
          because: Pattern syntax error near position 3: invalid range pattern
    "#]],
    );
}

/// Nobody writes into it, so that whoever opens it waits.
#[test]
fn a_pipe_is_not_waited_for() {
    let scene = Scene::of(TABLES);
    let pipe = scene.playground.path("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let ended = scene.command("good.csv pipe.csv").output().unwrap();
    let said = "`pipe.csv` is not a regular file; write what it gives into one\n";
    assert_eq!(ended.status.code(), Some(6));
    assert!(String::from_utf8(ended.stderr).unwrap().ends_with(said));
}

#[test]
fn csv_that_is_none() {
    check(
        TABLES,
        "good.csv ragged.csv --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./ragged.csv`, line 3: 3 fields where the header has 2
    "#]],
    );
    check(
        TABLES,
        "short.csv good.csv --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./short.csv`, line 3: 1 fields where the header has 2
    "#]],
    );
    check(
        TABLES,
        "good.csv quote.csv --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./quote.csv`, line 2: a quoted field is not closed
    "#]],
    );
    check(
        TABLES,
        "good.csv after.csv --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./after.csv`, line 2: text after a closing quote; a quote inside a quoted field is written twice
    "#]],
    );
    check(
        TABLES,
        "good.csv twice.csv --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./twice.csv`, line 1: column `id` stands twice in the header
    "#]],
    );
    check(
        TABLES,
        "good.csv unnamed.csv --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./unnamed.csv`, line 1: column 2 of the header has no name
    "#]],
    );
    check(
        TABLES,
        "good.csv none.csv --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./none.csv`, line 1: the file is empty; a CSV needs a header line
    "#]],
    );
    check(
        TABLES,
        "good.csv apart --key id",
        &expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./apart/b.csv` has no column `name`, but `./apart/a.csv` has; all files of a table need the same columns
    "#]],
    );
}

#[test]
fn csv_that_is_no_text() {
    let scene = Scene::of(TABLES);
    scene.write_bytes("latin.csv", b"id,name\n1,Ann\n2,M\xfcller\n");
    expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./latin.csv`, line 3: not UTF-8; convert the file
    "#]]
    .assert_eq(&scene.diff("good.csv latin.csv --key id").text());
    scene.write_bytes("latin_header.csv", b"id,n\xe4me\n1,Ann\n");
    expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: `./latin_header.csv`, line 1: not UTF-8; convert the file
    "#]]
    .assert_eq(&scene.diff("good.csv latin_header.csv --key id").text());
}

/// Whatever part of a Parquet file is cut off or overwritten, the file is named.
#[test]
fn parquet_that_is_none() {
    let scene = Scene::of(TABLES);
    let good = scene.bytes("good.parquet");
    let size = good.len();
    let broken_page = [&good[..4], &[0xff; 40], &good[44..]].concat();
    let broken_footer = [&good[..size - 30], &[0xff; 20], &good[size - 10..]].concat();
    let long_footer = [
        &good[..size - 8],
        &[0xff, 0xff, 0xff, 0x7f],
        &good[size - 4..],
    ]
    .concat();
    for (broken, expected) in [
        (
            &good[..size / 2],
            expect![[r#"
            exit 6
            -- standard error
            error: the comparison failed: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: Parquet error: Invalid Parquet file. Corrupt footer
        "#]],
        ),
        (
            &good[..size - 1],
            expect![[r#"
            exit 6
            -- standard error
            error: the comparison failed: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: Parquet error: Invalid Parquet file. Corrupt footer
        "#]],
        ),
        (
            &good[..3],
            expect![[r#"
            exit 6
            -- standard error
            error: the comparison failed: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: EOF: Parquet file too small. Size is 3 but need 8
        "#]],
        ),
        (
            &[],
            expect![[r#"
            exit 6
            -- standard error
            error: the comparison failed: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: EOF: Parquet file too small. Size is 0 but need 8
        "#]],
        ),
        (
            b"id,name\n1,Ann\n",
            expect![[r#"
            exit 6
            -- standard error
            error: the comparison failed: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: Parquet error: Invalid Parquet file. Corrupt footer
        "#]],
        ),
        (
            &broken_footer,
            expect![[r#"
            exit 6
            -- standard error
            error: the comparison failed: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: Parquet error: invalid utf8
        "#]],
        ),
        (
            &long_footer,
            expect![[r#"
            exit 6
            -- standard error
            error: the comparison failed: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: EOF: Parquet file too small. Size is 792 but need 2147483655
        "#]],
        ),
    ] {
        scene.write_bytes("broken.parquet", broken);
        expected.assert_eq(&scene.diff("good.csv broken.parquet --key id").text());
    }
    scene.write_bytes("broken.parquet", &broken_page);
    expect![[r#"
        exit 6
        -- standard error
        error: the comparison failed: the new table cannot be read: `./broken.parquet` cannot be read as Parquet; it is cut off, damaged or something else: Parquet argument error: Parquet error: Unexpected struct field type 15
    "#]].assert_eq(
        &scene
            .diff("good.parquet broken.parquet --key id --out report")
            .text(),
    );
}

#[test]
fn formats_and_folders_may_differ_between_the_sides() {
    let tables = "\
-- one.parquet
id,name,day
1,Ann,2026-01-01
2,Bob,2026-01-02
3,,2026-01-03
-- one.csv
id,name,day
3,,2026-01-03
2,Bob,2026-01-02
1,Ann,2026-01-01
-- many/a.csv
id,name,day
1,Ann,2026-01-01
-- many/b.csv
id,name,day
2,Bob,2026-01-02
3,,2026-01-03
-- many/_note.csv
not,a,table
-- parted/day=2026-01-01/a.parquet
id,name
1,Ann
-- parted/day=2026-01-02/a.parquet
id,name
2,Bob
-- parted/day=2026-01-03/a.parquet
id,name
3,
";
    for (old, new) in [
        ("one.parquet", "one.csv"),
        ("one.csv", "many"),
        ("many", "one.parquet"),
        ("parted", "one.parquet"),
        ("many/", "one.parquet"),
        ("'many/[ab].csv'", "many"),
    ] {
        for key in ["", "--key id", "--key day,name"] {
            let told = Scene::of(tables)
                .diff(&format!("{old} {new} {key} --json"))
                .expect(0);
            assert_eq!(
                told.ended.json()["verdict"],
                "identical",
                "{old} {new} {key}"
            );
            assert_eq!(told.ended.json()["rows"]["matched"], 3, "{old} {new} {key}");
        }
    }
}
