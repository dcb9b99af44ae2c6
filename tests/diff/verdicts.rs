//! The screen and the exit code of each verdict.

use expect_test::expect;

use super::scene::{Scene, check};

const TABLES: &str = "\
-- old.csv
id,shop,price
1,a,10
2,a,20
3,b,30
-- new.csv
id,shop,price
1,a,10
2,a,22
4,b,30
-- cents.csv
id,shop,price
1,a,10.0
2,a,20.5
3,b,30.0
-- shuffled.csv
id,shop,price
3,b,30
1,a,10
2,a,20
-- empty.csv
id,shop,price
";

#[test]
fn identical() {
    check(
        TABLES,
        "old.csv old.csv --key id",
        &expect![[r#"
        exit 0
        IDENTICAL in 3 rows
            tables    3 rows in OLD, 3 rows in NEW, 3 pairs
    "#]],
    );
    check(
        TABLES,
        "old.csv shuffled.csv --key id",
        &expect![[r#"
        exit 0
        IDENTICAL in 3 rows
            tables    3 rows in OLD, 3 rows in NEW, 3 pairs
    "#]],
    );
    check(
        TABLES,
        "old.csv shuffled.csv",
        &expect![[r#"
        exit 0
        IDENTICAL in 3 rows
            tables    3 rows in OLD, 3 rows in NEW, 3 pairs
    "#]],
    );
    check(
        TABLES,
        "old.csv shuffled.csv --key id --customer shop",
        &expect![[r#"
            exit 0
            IDENTICAL in 3 rows
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                customers 2 identical
        "#]],
    );
}

#[test]
fn expected() {
    check(
        TABLES,
        "old.csv cents.csv --key id --customer shop --within price=0.5",
        &expect![[r#"
            exit 0
            EXPECTED in 1 of 3 rows (33.3 %)
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 1 changed as expected
                customers 1 as expected, 1 identical
                rules     "--within price=0.5" explains 1
        "#]],
    );
}

#[test]
fn unexpected() {
    check(
        TABLES,
        "old.csv new.csv --key id",
        &expect![[r#"
            exit 1
            UNEXPECTED in 3 of 4 rows (75 %)
                tables    3 rows in OLD, 3 rows in NEW, 2 pairs
                rows      1 only in OLD; 1 only in NEW
                columns   price 1 changed, all UNEXPECTED
                groups    price: up by 1 to 10 %, 1 cell
                          row is gone, 1 row
                          row is new, 1 row
                example   *  id=2  price  20 -> 22 (+10 %)
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key id --customer shop --within 5% --ignore shop",
        &expect![[r#"
            exit 1
            UNEXPECTED in 3 of 4 rows (75 %)
                tables    3 rows in OLD, 3 rows in NEW, 2 pairs
                rows      1 only in OLD; 1 only in NEW
                columns   price 1 changed, all UNEXPECTED
                customer  unexpected         expected  rows
                b                  2  100 %         0     2
                a                  1   50 %         0     2
                idle      "--within 5%" matched nothing; "--ignore shop" matched nothing
                groups    price: up by 1 to 10 %, 1 cell of 1 customer
                          row is gone, 1 row of 1 customer
                          row is new, 1 row of 1 customer
                example   b  id=3  only in OLD: shop=b price=30
                          a  id=2  price  20 -> 22 (+10 %)
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv",
        &expect![[r#"
            exit 1
            UNEXPECTED in 4 of 5 rows (80 %)
                tables    3 rows in OLD, 3 rows in NEW, 1 pair
                rows      2 only in OLD; 2 only in NEW
                groups    row is gone, 2 rows
                          row is new, 2 rows
                example   *  only in OLD: id=2 shop=a price=20
        "#]],
    );
}

#[test]
fn not_checked() {
    check(
        TABLES,
        "empty.csv empty.csv --key id",
        &expect![[r#"
        exit 3
        NOT CHECKED: both outputs are empty: there was nothing to compare
            tables    0 rows in OLD, 0 rows in NEW, 0 pairs
            note      both tables are empty: nothing was compared
    "#]],
    );
    check(
        TABLES,
        "old.csv empty.csv --key id",
        &expect![[r#"
            exit 1
            UNEXPECTED in 3 of 3 rows (100 %)
                tables    3 rows in OLD, 0 rows in NEW, 0 pairs
                rows      3 only in OLD
                groups    row is gone, 3 rows
                example   *  id=1  only in OLD: shop=a price=10
        "#]],
    );
    check(
        TABLES,
        "empty.csv old.csv --key id",
        &expect![[r#"
            exit 1
            UNEXPECTED in 3 of 3 rows (100 %)
                tables    0 rows in OLD, 3 rows in NEW, 0 pairs
                rows      3 only in NEW
                groups    row is new, 3 rows
                example   *  id=1  only in NEW: shop=a price=10
        "#]],
    );
}

#[test]
fn a_column_that_only_one_side_has() {
    let tables = "\
-- old.csv
id,price
1,10
-- new.csv
id,price,tax
1,10,2
";
    check(
        tables,
        "old.csv new.csv --key id",
        &expect![[r#"
            exit 1
            UNEXPECTED columns
                because   column added: `tax`
                tables    1 row in OLD, 1 row in NEW, 1 pair
                schema    column added: tax (Int64), UNEXPECTED
                groups    tax: column is new (Int64)
        "#]],
    );
    check(
        tables,
        "new.csv old.csv --key id",
        &expect![[r#"
            exit 1
            UNEXPECTED columns
                because   column removed: `tax`
                tables    1 row in OLD, 1 row in NEW, 1 pair
                schema    column removed: tax (Int64), UNEXPECTED
                groups    tax: column is gone (Int64)
        "#]],
    );
    let told = Scene::of(tables).diff("old.csv new.csv --key id --ignore tax --json");
    assert_eq!(told.expect(0).ended.json()["verdict"], "expected");
}

#[test]
fn another_type() {
    let tables = "\
-- old.parquet
id,price
1,10
2,20
-- new.parquet
id,price
1,10
2,many
";
    check(
        tables,
        "old.parquet new.parquet --key id",
        &expect![[r#"
            exit 1
            UNEXPECTED columns
                because   type changed: `price`
                because   column `price` was not compared: neither of Int64 and Utf8 holds every value of the
                          other
                tables    2 rows in OLD, 2 rows in NEW, 2 pairs
                schema    type changed: price (Int64 -> Utf8), UNEXPECTED
                groups    price: type changed (Int64 → Utf8)
        "#]],
    );
}

#[test]
fn a_key_more_than_once() {
    let tables = "\
-- old.csv
id,price
1,10
1,10
1,20
2,30
-- new.csv
id,price
1,20
1,10
2,30
2,30
";
    check(
        tables,
        "old.csv new.csv --key id",
        &expect![[r#"
            exit 1
            UNEXPECTED in 2 of 5 rows (40 %)
                tables    4 rows in OLD, 4 rows in NEW, 3 pairs
                rows      1 only in OLD; 1 only in NEW; 2 keys more than once on a side
                groups    row is gone, 1 row
                          row is new, 1 row
                example   *  id=1  only in OLD: price=10
                note      2 keys stand more than once on a side
        "#]],
    );
    check(
        tables,
        "old.csv new.csv",
        &expect![[r#"
            exit 1
            UNEXPECTED in 2 of 5 rows (40 %)
                tables    4 rows in OLD, 4 rows in NEW, 3 pairs
                rows      1 only in OLD; 1 only in NEW
                groups    row is gone, 1 row
                          row is new, 1 row
                example   *  only in OLD: id=1 price=10
        "#]],
    );
    check(
        tables,
        "old.csv old.csv --key id",
        &expect![[r#"
            exit 0
            IDENTICAL in 4 rows
                tables    4 rows in OLD, 4 rows in NEW, 4 pairs
                rows      1 keys more than once on a side
                note      1 key stands more than once on a side
        "#]],
    );
}
