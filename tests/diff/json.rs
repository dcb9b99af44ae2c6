//! `--json`: every number, and nothing else on standard output.

use serde_json::{Value, json};

use super::scene::Scene;

const TABLES: &str = "\
-- old.csv
id,shop,price,name,gone
1,a,100,Ann,x
2,a,200,Bob,x
3,b,300,Cyd,x
4,b,400,Dan,x
4,b,400,Dan,x
-- new.csv
id,shop,price,name,come
1,a,101,Ann,y
2,a,250,Bo,y
3,b,300,Cyd,y
4,b,400,Dan,y
5,c,500,Eve,y
-- empty.csv
id,shop,price,name,gone
";

fn json(arguments: &str, code: i32) -> Value {
    let told = Scene::of(TABLES).diff(arguments).expect(code);
    assert_eq!(told.ended.stderr, "");
    assert_eq!(told.names(), [""; 0]);
    told.ended.json()
}

#[test]
fn every_number() {
    let found = json(
        "old.csv new.csv --key id --customer shop --within 1% --json",
        1,
    );
    let expected = json!({
        "version": 1,
        "verdict": "unexpected",
        "reasons": ["column removed: `gone`", "column added: `come`"],
        "rows": {
            "old": 5, "new": 5, "matched": 4, "changed": 2, "only_old": 1, "only_new": 1,
            "duplicate_keys": 1, "unexpected": 3
        },
        "columns": [
            {"name": "shop", "changed": 0, "unexpected": 0},
            {"name": "price", "changed": 2, "unexpected": 1},
            {"name": "name", "changed": 1, "unexpected": 1}
        ],
        "schema": [
            {"column": "gone", "kind": "column_removed", "old": "Utf8", "new": null, "rule": null},
            {"column": "come", "kind": "column_added", "old": null, "new": "Utf8", "rule": null}
        ],
        "customers": {
            "a": {"old": 2, "new": 2, "changed": 2, "only_old": 0, "only_new": 0, "expected": 1, "unexpected": 1},
            "b": {"old": 3, "new": 2, "changed": 0, "only_old": 1, "only_new": 0, "expected": 0, "unexpected": 1},
            "c": {"old": 0, "new": 1, "changed": 0, "only_old": 0, "only_new": 1, "expected": 0, "unexpected": 1}
        },
        "rules": [{"name": "--within 1%", "differences": 1, "rows": 1, "customers": {"a": 1}}],
        "not_compared": [],
        "notes": ["1 key stands more than once on a side", "c has rows in the new table only"]
    });
    assert_eq!(found, expected, "{found:#}");
}

#[test]
fn the_other_verdicts() {
    let found = json("old.csv old.csv --key id --json", 0);
    assert_eq!(found["verdict"], "identical");
    assert_eq!(
        found["rows"],
        json!({
            "old": 5, "new": 5, "matched": 5, "changed": 0, "only_old": 0, "only_new": 0,
            "duplicate_keys": 1, "unexpected": 0
        })
    );
    let found = json("empty.csv empty.csv --json", 3);
    assert_eq!(found["verdict"], "inconclusive");
    assert_eq!(
        found["reasons"],
        json!(["both outputs are empty: there was nothing to compare"])
    );
    let found = json("old.csv empty.csv --json", 1);
    assert_eq!(
        (&found["verdict"], &found["rows"]["only_old"]),
        (&json!("unexpected"), &json!(5))
    );
}

#[test]
fn an_error_is_no_json() {
    let told = Scene::of(TABLES)
        .diff("old.csv nowhere.csv --json")
        .expect(6);
    assert_eq!(told.ended.stdout, "");
    let told = Scene::of(TABLES)
        .diff("old.csv new.csv --key idd --json")
        .expect(2);
    assert_eq!(told.ended.stdout, "");
}

#[test]
fn with_report_files_it_names_their_folder() {
    let told = Scene::of(TABLES)
        .diff("old.csv old.csv --json --out report")
        .expect(0);
    assert_eq!(told.ended.json()["out"], "report");
}
