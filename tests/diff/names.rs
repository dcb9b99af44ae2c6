//! Names and values that are unusual, and some that are meant to do harm.

use expect_test::expect;

use super::scene::{Scene, check};

#[test]
fn of_files_and_columns() {
    let tables = "\
-- the old table.csv
the id,Größe,a=b,\"c,d\",日本
1,10,1,x,y
2,20,1,x,y
-- -new=ü.csv
the id,Größe,a=b,\"c,d\",日本
1,11,2,z,y
2,20,1,x,y
";
    check(
        tables,
        "--key 'the id' --within Größe=1 --within a=b=10 --ignore c,d -- 'the old table.csv' -new=ü.csv",
        &expect![[r#"
            exit 0
            EXPECTED in 1 of 2 rows (50 %)
                tables    2 rows in OLD, 2 rows in NEW, 2 pairs
                columns   Größe 1 changed as expected; a=b 1 changed as expected; c,d 1 changed as expected
                rules     "--within Größe=1" explains 1; "--within a=b=10" explains 1; "--ignore c,d" explains 1
        "#]],
    );
    check(
        tables,
        "--key 'the id' --normalize 日本=nfc --within 'c,d=1' -- 'the old table.csv' -new=ü.csv",
        &expect![[r#"
            exit 1
            UNEXPECTED in 1 of 2 rows (50 %)
                tables    2 rows in OLD, 2 rows in NEW, 2 pairs
                columns   Größe 1 changed, all UNEXPECTED; a=b 1 changed, all UNEXPECTED; c,d 1 changed, all
                          UNEXPECTED
                idle      "--within c,d=1" matched nothing; "--normalize 日本=nfc" matched nothing
                groups    Größe: up by 1 to 10 %, 1 cell
                          a=b: up by more than 10 %, 1 cell
                          c,d: another text, 1 cell
                example   *  the id=1  Größe  10 -> 11 (+10 %)
        "#]],
    );
}

#[test]
fn a_leading_dash() {
    let tables = "\
-- -t.csv
-id,--x
1,2
-- ./t.csv
-id,--x
1,3
";
    check(
        tables,
        "./-t.csv t.csv --key=-id",
        &expect![[r#"
            exit 1
            UNEXPECTED in 1 of 1 row (100 %)
                tables    1 row in OLD, 1 row in NEW, 1 pair
                columns   --x 1 changed, all UNEXPECTED
                groups    --x: up by more than 10 %, 1 cell
                example   *  -id=1  --x  2 -> 3 (+50 %)
        "#]],
    );
    check(
        tables,
        "./-t.csv t.csv --key=-id --ignore=--x",
        &expect![[r#"
            exit 0
            EXPECTED in 1 of 1 row (100 %)
                tables    1 row in OLD, 1 row in NEW, 1 pair
                columns   --x 1 changed as expected
                rules     "--ignore --x" explains 1
        "#]],
    );
    check(
        tables,
        "-t.csv t.csv",
        &expect![[r#"
        exit 2
        -- standard error
        error: unexpected argument '-t' found

          tip: to pass '-t' as a value, use '-- -t'

        Usage: understudy diff [OPTIONS] <OLD> <NEW>

        For more information, try '--help'.
    "#]],
    );
}

/// Escapes in values, in names of columns and of files: the screen shows them, and none acts.
#[test]
fn terminal_escapes() {
    let tables = "\
-- old.csv
id,shop,\"na\u{1b}[31mme\"
1,\u{1b}]0;owned\u{7},x
-- new.csv
id,shop,\"na\u{1b}[31mme\"
1,\u{1b}]0;owned\u{7},\u{1b}[2J\u{202e}y
";
    check(
        tables,
        "old.csv new.csv --key id --customer shop",
        &expect![[r#"
            exit 1
            UNEXPECTED in 1 of 1 row (100 %)
                tables    1 row in OLD, 1 row in NEW, 1 pair
                columns   na␛[31mme 1 changed, all UNEXPECTED
                customer    unexpected         expected  rows
                ␛]0;owned␇           1  100 %         0     1
                groups    na␛[31mme: another text, 1 cell of 1 customer
                example   ␛]0;owned␇  id=1  na␛[31mme  x -> "␛[2J\u{202e}y"
        "#]],
    );
    check(
        tables,
        "old.csv new.csv --key \"$(printf 'na\\033')\"",
        &expect![[r#"
            exit 2
            -- standard error
            error: `--key na␛`: neither table has a column `na␛`
            hint: the columns are: id, na␛[31mme, shop
        "#]],
    );
    check(
        tables,
        "old.csv \"$(printf '\\033]2;new.csv')\"",
        &expect![[r#"
            exit 6
            -- standard error
            error: NEW: nothing is at `␛]2;new.csv`; check the path
        "#]],
    );
    let told = Scene::of(tables)
        .diff("old.csv new.csv --key id --customer shop --json")
        .expect(1);
    assert_eq!(told.ended.json()["columns"][1]["name"], "na\u{1b}[31mme");
}
