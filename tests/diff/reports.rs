//! The files of `--out`.

use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;
use serde_json::Value;

use super::scene::{Scene, check};

const TABLES: &str = "\
-- old.csv
id,shop,price,note
1,a,100,same
2,a,200,\"=1+1\"
3,b,300,
4,b,400,\"a,b\"
-- new.csv
id,shop,price,note
1,a,101,same
2,a,200,\"=1+2\"
3,b,300,\"\"
5,b,500,\"x\"\"y\"
";
const NAMES: [&str; 5] = [
    "customers.csv",
    "diff.csv",
    "diff.parquet",
    "report.html",
    "summary.json",
];

#[test]
fn their_text() {
    check(
        TABLES,
        "old.csv new.csv --key id --customer shop --within price=1 --out report",
        &expect![[r#"
            exit 1
            UNEXPECTED in 4 of 5 rows (80 %), 1 as expected
                tables    4 rows in OLD, 4 rows in NEW, 3 pairs
                rows      1 only in OLD; 1 only in NEW
                columns   note 2 changed, all UNEXPECTED; price 1 changed as expected
                customer  unexpected         expected  rows
                b                  3  100 %         0     3
                a                  1   50 %         1     2
                rules     "--within price=1" explains 1
                groups    note: null → empty text, 1 cell of 1 customer
                          note: another text, 1 cell of 1 customer
                          row is gone, 1 row of 1 customer
                          and 1 more
                example   b  id=3  note  NULL -> ""
                          a  id=2  note  =1+1 -> =1+2
                note      `note`: 1 changed cell differs only by empty_is_null
                report    report/report.html
                files     report
            -- customers.csv
            customer,verdict,stage,old_rows,new_rows,changed,only_old,only_new,expected,unexpected
            b,unexpected,,2,2,1,1,1,0,3
            a,unexpected,,2,2,2,0,0,1,1
            -- diff.csv
            customer,id,kind,column,old,new,delta,delta_pct,expected,rule,change,task,date,run
            a,1,changed,price,100,101,1,1,true,'--within price=1,,,,
            a,2,changed,note,'=1+1,'=1+2,,,false,,,,,
            b,3,changed,note,,"",,,false,,,,,
            b,4,only_old,,"{""shop"":""b"",""price"":""400"",""note"":""a,b""}",,,,false,,,,,
            b,5,only_new,,,"{""shop"":""b"",""price"":""500"",""note"":""x\""y""}",,,false,,,,,
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --out report/of/today",
        &expect![[r#"
            exit 1
            UNEXPECTED in 8 of 8 rows (100 %)
                tables    4 rows in OLD, 4 rows in NEW, 0 pairs
                rows      4 only in OLD; 4 only in NEW
                groups    row is gone, 4 rows
                          row is new, 4 rows
                example   *  only in OLD: id=1 shop=a price=100 note=same
                report    report/of/today/report.html
                files     report/of/today
            -- customers.csv
            customer,verdict,stage,old_rows,new_rows,changed,only_old,only_new,expected,unexpected
            *,unexpected,,4,4,0,4,4,0,8
            -- diff.csv
            customer,kind,column,old,new,delta,delta_pct,expected,rule,change,task,date,run
            *,only_old,,"{""id"":""1"",""shop"":""a"",""price"":""100"",""note"":""same""}",,,,false,,,,,
            *,only_old,,"{""id"":""2"",""shop"":""a"",""price"":""200"",""note"":""=1+1""}",,,,false,,,,,
            *,only_old,,"{""id"":""3"",""shop"":""b"",""price"":""300"",""note"":null}",,,,false,,,,,
            *,only_old,,"{""id"":""4"",""shop"":""b"",""price"":""400"",""note"":""a,b""}",,,,false,,,,,
            *,only_new,,,"{""id"":""1"",""shop"":""a"",""price"":""101"",""note"":""same""}",,,false,,,,,
            *,only_new,,,"{""id"":""2"",""shop"":""a"",""price"":""200"",""note"":""=1+2""}",,,false,,,,,
            *,only_new,,,"{""id"":""3"",""shop"":""b"",""price"":""300"",""note"":""""}",,,false,,,,,
            *,only_new,,,"{""id"":""5"",""shop"":""b"",""price"":""500"",""note"":""x\""y""}",,,false,,,,,
        "#]],
    );
    check(
        TABLES,
        "old.csv old.csv --key id --out report",
        &expect![[r#"
            exit 0
            IDENTICAL in 4 rows
                tables    4 rows in OLD, 4 rows in NEW, 4 pairs
                report    report/report.html
                files     report
            -- customers.csv
            customer,verdict,stage,old_rows,new_rows,changed,only_old,only_new,expected,unexpected
            *,identical,,4,4,0,0,0,0,0
            -- diff.csv
            customer,id,kind,column,old,new,delta,delta_pct,expected,rule,change,task,date,run
        "#]],
    );
}

#[test]
fn their_names() {
    let told = Scene::of(TABLES).diff("old.csv new.csv --key id --out report");
    assert_eq!(told.expect(1).names(), NAMES);
    let told = Scene::of(TABLES).diff("old.csv old.csv --key id --out 'a report'");
    assert_eq!(told.expect(0).names(), NAMES);
}

#[test]
fn without_a_folder_nothing_is_written() {
    for arguments in [
        "old.csv new.csv --key id",
        "old.csv new.csv",
        "old.csv old.csv --json",
    ] {
        let told = Scene::of(TABLES).diff(arguments);
        assert!(told.written.is_empty(), "{:?}", told.written.keys());
    }
}

#[test]
fn the_summary_says_what_the_screen_says() {
    let scene = Scene::of(TABLES);
    let told = scene
        .diff("old.csv new.csv --key id --json --out report")
        .expect(1);
    let (summary, printed): (Value, Value) = (
        serde_json::from_slice(&scene.bytes("report/summary.json")).unwrap(),
        told.ended.json(),
    );
    for part in [
        "version",
        "verdict",
        "reasons",
        "rows",
        "columns",
        "schema",
        "customers",
        "rules",
        "notes",
    ] {
        assert_eq!(summary[part], printed[part], "{part}");
    }
    assert_eq!(summary["diff"]["lines"], 5);
    assert_eq!(summary["diff"]["csv_complete"], true);
}

#[test]
fn an_earlier_report_is_replaced() {
    let scene = Scene::of(TABLES);
    scene
        .diff("old.csv new.csv --key id --out report")
        .expect(1);
    let first = scene.bytes("report/diff.csv");
    scene
        .diff("old.csv old.csv --key id --out report")
        .expect(0);
    assert_ne!(scene.bytes("report/diff.csv"), first);
    scene
        .diff("old.csv new.csv --key id --out report")
        .expect(1);
    assert_eq!(scene.bytes("report/diff.csv"), first);
}

#[test]
fn a_folder_with_something_else_in_it_is_refused() {
    let scene = Scene::of(&format!("{TABLES}-- mine/thesis.txt\nyears of work\n"));
    let told = scene.diff("old.csv new.csv --key id --out mine");
    assert!(told.written.is_empty());
    expect![[r#"
        exit 2
        -- standard error
        error: `mine` has other files in it, such as `thesis.txt`; name an empty folder, or one that is not there
    "#]].assert_eq(&told.text());
    let told = scene.diff("old.csv new.csv --key id --out old.csv");
    assert!(told.written.is_empty());
    expect![[r#"
        exit 6
        -- standard error
        error: `old.csv` cannot be used for the report files
          because: Not a directory (os error 20)
    "#]]
    .assert_eq(&told.text());
    let told = scene.diff("old.csv new.csv --key id --out .").expect(2);
    assert!(told.written.is_empty());
}

#[test]
fn after_an_error_there_is_no_report() {
    let scene = Scene::of(&format!("{TABLES}-- ragged.csv\nid,shop\n1,a\n2\n"));
    for (arguments, code) in [
        ("old.csv ragged.csv", 6),
        ("old.csv nowhere.csv", 6),
        ("old.csv new.csv --key x", 2),
    ] {
        let told = scene
            .diff(&format!("{arguments} --out report"))
            .expect(code);
        assert_eq!(told.names(), [""; 0], "{arguments}");
    }
}

/// A report is for colleagues: whoever may read one of its files may read all.
#[test]
fn all_may_be_read_by_the_same_people() {
    let scene = Scene::of(TABLES);
    scene
        .diff("old.csv new.csv --key id --out report")
        .expect(1);
    let mode = |name: &str| {
        let path = scene.playground.path(&format!("report/{name}"));
        path.metadata().unwrap().permissions().mode()
    };
    for name in NAMES {
        assert_eq!(mode(name), mode("summary.json"), "{name}");
    }
}

#[test]
fn the_page_is_one_file_that_asks_for_nothing() {
    let scene = Scene::of(TABLES);
    let told = scene
        .diff("old.csv new.csv --key id --customer shop --out report")
        .expect(1);
    assert!(
        told.ended.stdout.contains("report    report/report.html"),
        "{:?}",
        told.ended
    );
    let page = String::from_utf8(scene.bytes("report/report.html")).unwrap();
    for part in [
        "<html lang=\"en\">",
        "default-src 'none'",
        "<strong>✗ UNEXPECTED.</strong>",
        "10<del>0</del>",
        "10<ins>1</ins>",
        "report/diff.csv",
    ] {
        assert!(page.contains(part), "no {part}: {page}");
    }
    for outside in ["<script", "src=", "http:", "https:", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}: {page}");
    }
}

#[test]
fn a_page_is_small_however_many_differ() {
    let scene = Scene::of("");
    let table = |new: bool| {
        let lines = (0..100_000_u32).map(|id| format!("{id},c{id},{}\n", id + u32::from(new)));
        format!("id,shop,price\n{}", lines.collect::<String>())
    };
    scene.playground.write("old.csv", &table(false));
    scene.playground.write("new.csv", &table(true));
    scene
        .diff("old.csv new.csv --key id --customer shop --out report")
        .expect(1);
    let page = scene.bytes("report/report.html");
    assert!(page.len() < 100_000, "{} bytes", page.len());
    let text = String::from_utf8(page).unwrap();
    assert!(text.contains("99,960 more unexpected"), "{text}");
}

#[test]
fn a_dialect_for_the_spreadsheets_of_other_countries() {
    let scene = Scene::of(TABLES);
    scene
        .playground
        .replace("new.csv", "1,a,101,", "1,a,101.5,");
    let options = "--csv-bom --csv-delimiter ';' --csv-decimal ,";
    scene
        .diff(&format!(
            "old.csv new.csv --key id --customer shop --out report {options}"
        ))
        .expect(1);
    let diff = String::from_utf8(scene.bytes("report/diff.csv")).unwrap();
    assert!(diff.starts_with("\u{feff}customer;id;kind;"), "{diff}");
    assert!(
        diff.contains("a;1;changed;price;100,0;101,5;1,5;1,5;false;"),
        "{diff}"
    );
    let customers = String::from_utf8(scene.bytes("report/customers.csv")).unwrap();
    assert!(
        customers.starts_with("\u{feff}customer;verdict;"),
        "{customers}"
    );
    // Without a folder there is no file to write so.
    scene.diff("old.csv new.csv --csv-bom").expect(2);
    scene
        .diff("old.csv new.csv --out report --csv-delimiter '|'")
        .expect(2);
}

#[test]
fn files_of_a_longer_report_are_gone_with_it() {
    let scene = Scene::of(TABLES);
    scene
        .diff("old.csv new.csv --key id --out report")
        .expect(1);
    scene
        .playground
        .write("report/diff-2.csv", "of an earlier report");
    scene
        .diff("old.csv new.csv --key id --out report")
        .expect(1);
    assert!(!scene.playground.path("report/diff-2.csv").exists());
    scene.playground.write("report/diff-99.csv", "somebody's");
    scene
        .diff("old.csv new.csv --key id --out report")
        .expect(2);
}
