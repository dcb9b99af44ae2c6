//! Every option, and what is said of one that cannot be used.

use expect_test::expect;

use super::scene::{Scene, check};

const TABLES: &str = "\
-- old.csv
id,shop,name,price,loaded_at
1,a,Ann,100,2026-01-01
2,a,Bob,200,2026-01-01
3,b,Cyd,0,2026-01-01
-- new.csv
id,shop,name,price,loaded_at
1,a, ann,105,2026-02-01
2,a,BOB,211,2026-02-01
3,b,Cyd,1,2026-02-01
";

#[test]
fn key() {
    check(
        TABLES,
        "old.csv new.csv --key id,shop --ignore loaded_at --ignore name --within 10%",
        &expect![[r#"
            exit 1
            UNEXPECTED in 1 of 3 rows (33.3 %), 2 as expected
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 3 changed, 1 UNEXPECTED; loaded_at 3 changed as expected; name 2 changed as
                          expected
                rules     "--within 10%" explains 2; "--ignore loaded_at" explains 3; "--ignore name" explains 2
                groups    price: 0 → another number, 1 cell
                example   *  id=3  shop=b  price  0 -> 1
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key id --key shop --ignore loaded_at --ignore name --within 10%",
        &expect![[r#"
            exit 1
            UNEXPECTED in 1 of 3 rows (33.3 %), 2 as expected
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 3 changed, 1 UNEXPECTED; loaded_at 3 changed as expected; name 2 changed as
                          expected
                rules     "--within 10%" explains 2; "--ignore loaded_at" explains 3; "--ignore name" explains 2
                groups    price: 0 → another number, 1 cell
                example   *  id=3  shop=b  price  0 -> 1
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key nothing",
        &expect![[r#"
            exit 2
            -- standard error
            error: `--key nothing`: neither table has a column `nothing`
            hint: the columns are: id, loaded_at, name, price, shop
        "#]],
    );
    let tables = "\
-- old.csv
id,shop
1,a
-- new.csv
id,shops
1,a
";
    check(
        tables,
        "old.csv new.csv --key shop",
        &expect![[r#"
        exit 2
        -- standard error
        error: `--key shop`: NEW has no column `shop`
        hint: did you mean `shops`? the columns are: id, shops
    "#]],
    );
    check(
        tables,
        "old.csv new.csv --key id --customer shops",
        &expect![[r#"
            exit 2
            -- standard error
            error: `--customer shops`: OLD has no column `shops`
            hint: did you mean `shop`? the columns are: id, shop
        "#]],
    );
    check(
        tables,
        "old.csv new.csv --key id --within shops=1",
        &expect![[r#"
            exit 1
            UNEXPECTED columns
                because   column removed: `shop`
                because   column added: `shops`
                tables    1 row in OLD, 1 row in NEW, 1 pair
                schema    column removed: shop (Utf8), UNEXPECTED; column added: shops (Utf8), UNEXPECTED
                idle      "--within shops=1" matched nothing
                groups    shop: column is gone (Utf8)
                          shops: column is new (Utf8)
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key Id",
        &expect![[r#"
            exit 2
            -- standard error
            error: `--key Id`: neither table has a column `Id`
            hint: did you mean `id`? the columns are: id, loaded_at, name, price, shop
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key id,sop",
        &expect![[r#"
            exit 2
            -- standard error
            error: `--key sop`: neither table has a column `sop`
            hint: did you mean `shop`? the columns are: id, loaded_at, name, price, shop
        "#]],
    );
}

#[test]
fn customer() {
    check(
        TABLES,
        "old.csv new.csv --key id --customer sho",
        &expect![[r#"
            exit 2
            -- standard error
            error: `--customer sho`: neither table has a column `sho`
            hint: did you mean `shop`? the columns are: id, loaded_at, name, price, shop
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key id --customer shop --ignore loaded_at --ignore name --within 6%",
        &expect![[r#"
            exit 1
            UNEXPECTED in 1 of 3 rows (33.3 %), 2 as expected
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 3 changed, 1 UNEXPECTED; loaded_at 3 changed as expected; name 2 changed as
                          expected
                customer  unexpected         expected  rows
                b                  1  100 %         0     1
                and 1 as expected
                rules     "--within 6%" explains 2; "--ignore loaded_at" explains 3; "--ignore name" explains 2
                groups    price: 0 → another number, 1 cell of 1 customer
                example   b  id=3  price  0 -> 1
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
}

/// Each bound on its own boundary and beyond it.
#[test]
fn within() {
    let tables = "\
-- old.csv
id,price,weight
1,100,1.0
-- new.csv
id,price,weight
1,105,1.1
";
    let code = |within: &str| {
        let arguments = format!("old.csv new.csv --key id {within}");
        Scene::of(tables).diff(&arguments).ended.code
    };
    let cases = [
        ("--within 10%", 0),
        ("--within 9%", 1),
        ("--within 5", 0),
        ("--within 4.99 --within weight=1", 1),
        ("--within price=5 --within weight=0.1", 0),
        ("--within price=5 --within weight=0.09", 1),
        ("--within price=5%", 1),
        ("--within price=5% --within weight=10%", 0),
        ("--within price=4.9% --within 10%", 0),
        ("--within price=5% --ignore weight", 0),
        ("--within 0", 1),
        ("--within 'price={up: 5%, down: 0}' --ignore weight", 0),
        ("--within 'price={up: 4.9%}' --ignore weight", 1),
        ("--within 'price={down: 50%}' --ignore weight", 1),
        ("--within 'price={abs: 5, rel: 1%}' --ignore weight", 0),
        ("--within 'price={abs: 1, rel: 5%}' --ignore weight", 0),
        ("--within 'price={abs: 4, rel: 4%}' --ignore weight", 1),
        ("--within 'price={rel: 4.77%, of: max}' --ignore weight", 0),
        ("--within 'price={rel: 4.76%, of: max}' --ignore weight", 1),
        ("--within '{up: 10%, down: 0}'", 0),
        ("--within 'price={up: 5%, dwon: 0}'", 2),
    ];
    for (within, expected) in cases {
        assert_eq!(code(within), expected, "{within}");
    }
}

#[test]
fn within_that_is_none() {
    for (within, expected) in [
        (
            "--within price=much",
            expect![[r#"
            exit 2
            -- standard error
            error: `--within price=much`: `within` of rule 1 of the file must be a distance of zero or more, not `much`
            hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
        "#]],
        ),
        (
            "--within ''",
            expect![[r#"
            exit 2
            -- standard error
            error: `--within `: `within` of rule 1 of the file must be a distance of zero or more, not nothing
            hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
        "#]],
        ),
        (
            "--within price=",
            expect![[r#"
            exit 2
            -- standard error
            error: `--within price=`: `within` of rule 1 of the file must be a distance of zero or more, not nothing
            hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
        "#]],
        ),
        (
            "--within -5",
            expect![[r#"
            exit 2
            -- standard error
            error: unexpected argument '-5' found

              tip: to pass '-5' as a value, use '-- -5'

            Usage: understudy diff [OPTIONS] <OLD> <NEW>

            For more information, try '--help'.
        "#]],
        ),
        (
            "--within price=-5",
            expect![[r#"
            exit 2
            -- standard error
            error: `--within price=-5`: `within` of rule 1 of the file must be a distance of zero or more, not `-5`
            hint: write a number or a percentage, such as `0.5` or `5%`, or for times a duration such as `15m`
        "#]],
        ),
        (
            "--within 'price={up: 5%, dwon: 0}'",
            expect![[r#"
            exit 2
            -- standard error
            error: `--within price={up: 5%, dwon: 0}`: unknown key `dwon` in `within` of rule 1 of the file
            hint: did you mean `down`? the keys here are: abs, down, of, rel, up
        "#]],
        ),
        (
            "--within 'price={}'",
            expect![[r#"
            exit 2
            -- standard error
            error: `--within price={}`: `within` of `rule 1` has no bound
            hint: write `abs` or `rel` or both, or `up` or `down` or both
        "#]],
        ),
        (
            "--within prise=5",
            expect![[r#"
                exit 2
                -- standard error
                error: `--within prise`: neither table has a column `prise`
                hint: did you mean `price`? the columns are: id, loaded_at, name, price, shop
            "#]],
        ),
        (
            "--within \"$(printf 'price=5\\nignore: true')\"",
            expect![[r#"
                exit 2
                -- standard error
                error: `--within price=5
                ignore: true`: a line break is no part of it
            "#]],
        ),
        (
            "--within 'price=5, ignore: true'",
            expect![[r#"
            exit 2
            -- standard error
            error: `--within price=5, ignore: true`: this is not YAML: mapping values are not allowed in this context
            hint: look at the indentation, the colons and the quotes here and in the line before
        "#]],
        ),
    ] {
        check(
            TABLES,
            &format!("old.csv new.csv --key id {within}"),
            &expected,
        );
    }
}

#[test]
fn normalize() {
    check(
        TABLES,
        "old.csv new.csv --key id --ignore loaded_at --within 10 --within price=11 --normalize name=trim,case",
        &expect![[r#"
            exit 0
            EXPECTED in 3 of 3 rows (100 %)
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 3 changed as expected; loaded_at 3 changed as expected; name 2 changed as
                          expected
                rules     "--within 10" explains 2; "--within price=11" explains 1; "--normalize name=trim,case"
                          explains 2; "--ignore loaded_at" explains 3
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key id --ignore loaded_at --within price=11 --normalize name=trim",
        &expect![[r#"
            exit 1
            UNEXPECTED in 2 of 3 rows (66.7 %), 1 as expected
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   name 2 changed, all UNEXPECTED; price 3 changed as expected; loaded_at 3 changed as
                          expected
                rules     "--within price=11" explains 3; "--ignore loaded_at" explains 3
                idle      "--normalize name=trim" matched nothing
                groups    name: case only, 1 cell
                          name: spelling only (case, whitespace, accent…, 1 cell
                example   *  id=1  name  Ann -> " ann"
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
    for (normalize, expected) in [
        (
            "--normalize trim",
            expect![[r#"
            exit 2
            -- standard error
            error: `--normalize trim` names no column
            hint: write `--normalize COLUMN=nfc,trim`
        "#]],
        ),
        (
            "--normalize name=trum",
            expect![[r#"
            exit 2
            -- standard error
            error: `--normalize name=trum`: normaliser 1 of `normalize` of rule 1 of the file cannot be `trum`
            hint: did you mean `trim`? the words for it are: case, empty_is_null, nfc, nfkc, trim, unordered, whitespace
        "#]],
        ),
        (
            "--normalize name=",
            expect![[r#"
            exit 2
            -- standard error
            error: `--normalize name=`: `normalize` of rule 1 of the file is an empty list
            hint: name at least one normaliser
        "#]],
        ),
        (
            "--normalize nam=trim",
            expect![[r#"
                exit 2
                -- standard error
                error: `--normalize nam`: neither table has a column `nam`
                hint: did you mean `name`? the columns are: id, loaded_at, name, price, shop
            "#]],
        ),
    ] {
        check(
            TABLES,
            &format!("old.csv new.csv --key id {normalize}"),
            &expected,
        );
    }
}

#[test]
fn ignore() {
    check(
        TABLES,
        "old.csv new.csv --key id --ignore nome",
        &expect![[r#"
            exit 2
            -- standard error
            error: `--ignore nome`: neither table has a column `nome`
            hint: did you mean `name`? the columns are: id, loaded_at, name, price, shop
        "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --key id --ignore name --ignore price --ignore loaded_at",
        &expect![[r#"
            exit 0
            EXPECTED in 3 of 3 rows (100 %)
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 3 changed as expected; loaded_at 3 changed as expected; name 2 changed as
                          expected
                rules     "--ignore name" explains 2; "--ignore price" explains 3; "--ignore loaded_at" explains
                          3
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
}

#[test]
fn rules() {
    let rules = "\
-- rules.yaml
- name: shop a may move
  customers: [a]
  columns: [price]
  within: 6%
- name: names are cleaned
  columns: [name]
  normalize: [trim, case]
- name: the clock
  columns: [loaded_at]
  ignore: true
  reason: the clock of the run
";
    let files = format!("{TABLES}{rules}");
    check(
        &files,
        "old.csv new.csv --key id --customer shop --rules rules.yaml",
        &expect![[r#"
            exit 1
            UNEXPECTED in 1 of 3 rows (33.3 %), 2 as expected
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 3 changed, 1 UNEXPECTED; loaded_at 3 changed as expected; name 2 changed as
                          expected
                customer  unexpected         expected  rows
                b                  1  100 %         0     1
                and 1 as expected
                rules     "shop a may move" explains 2; "names are cleaned" explains 2; "the clock" explains 3
                groups    price: 0 → another number, 1 cell of 1 customer
                example   b  id=3  price  0 -> 1
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
    check(
        &files,
        "old.csv new.csv --key id --customer shop --rules rules.yaml --within price=1",
        &expect![[r#"
            exit 0
            EXPECTED in 3 of 3 rows (100 %)
                tables    3 rows in OLD, 3 rows in NEW, 3 pairs
                columns   price 3 changed as expected; loaded_at 3 changed as expected; name 2 changed as
                          expected
                customers 2 as expected
                rules     "--within price=1" explains 1; "shop a may move" explains 2; "names are cleaned"
                          explains 2; "the clock" explains 3
                note      `name`: 1 changed cell differs only by case
        "#]],
    );
}

#[test]
fn rules_that_are_none() {
    let files = format!(
        "{TABLES}-- wrong.yaml\n- name: a\n  colums: [price]\n  within: 5%\n- columns: [price]\n-- empty.yaml\n"
    );
    for (rules, expected) in [
        (
            "--rules nowhere.yaml",
            expect![[r#"
            exit 2
            -- standard error
            error: `nowhere.yaml` cannot be read: No such file or directory (os error 2)
            hint: look at the path and its permissions
        "#]],
        ),
        (
            "--rules wrong.yaml",
            expect![[r#"
                exit 2
                -- standard error
                error: the rules cannot be used
                wrong.yaml:2:3: unknown key `colums` in rule `a`
                    colums: [price]
                    hint: did you mean `columns`? the keys here are: allow, columns, customers, ignore, kinds, max_rows, must_change, name, normalize, reason, until, where, within
                wrong.yaml:4:3: rule 2 of the file allows nothing
                    - columns: [price]
                    hint: write one of `within: …`, `normalize: […]`, `ignore: true` and `allow: any`
            "#]],
        ),
    ] {
        check(
            &files,
            &format!("old.csv new.csv --key id {rules}"),
            &expected,
        );
    }
    Scene::of(&files)
        .diff("old.csv new.csv --rules empty.yaml")
        .expect(2);
}

#[test]
fn memory_and_threads() {
    let code = |options: &str| {
        let arguments = format!("old.csv old.csv --key id {options}");
        Scene::of(TABLES).diff(&arguments).ended.code
    };
    for good in [
        "--memory 1MB",
        "--memory 2000kB",
        "--memory 2000KB",
        "--memory 3GB",
        "--threads 1",
        "--threads 256",
        "--memory 1MB --threads 3",
    ] {
        assert_eq!(code(good), 0, "{good}");
    }
    for bad in [
        "--memory 0GB",
        "--memory 999kB",
        "--memory MB",
        "--memory 5",
        "--memory 5TB",
        "--memory -1MB",
        "--memory 99999999999GB",
        "--threads 0",
        "--threads 257",
        "--threads x",
    ] {
        assert_eq!(code(bad), 2, "{bad}");
    }
    check(
        TABLES,
        "old.csv old.csv --memory 5",
        &expect![[r#"
        exit 2
        -- standard error
        error: invalid value '5' for '--memory <SIZE>': write a size of at least 1MB, such as `256MB` or `1GB`

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn wrong_usage() {
    check(
        TABLES,
        "",
        &expect![[r#"
        exit 2
        -- standard error
        error: the following required arguments were not provided:
          <OLD>
          <NEW>

        Usage: understudy diff <OLD> <NEW>

        For more information, try '--help'.
    "#]],
    );
    check(
        TABLES,
        "old.csv",
        &expect![[r#"
        exit 2
        -- standard error
        error: the following required arguments were not provided:
          <NEW>

        Usage: understudy diff <OLD> <NEW>

        For more information, try '--help'.
    "#]],
    );
    check(
        TABLES,
        "old.csv new.csv more.csv",
        &expect![[r#"
        exit 2
        -- standard error
        error: unexpected argument 'more.csv' found

        Usage: understudy diff [OPTIONS] <OLD> <NEW>

        For more information, try '--help'.
    "#]],
    );
    check(
        TABLES,
        "old.csv new.csv --kee id",
        &expect![[r#"
        exit 2
        -- standard error
        error: unexpected argument '--kee' found

          tip: a similar argument exists: '--key'

        Usage: understudy diff --key <COLUMN,…> <OLD> <NEW>

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn rules_for_customers_need_a_customer_column() {
    let rules = "\
-- rules.yaml
- name: shop a may move
  customers: [a]
  within: 6%
";
    check(
        &format!("{TABLES}{rules}"),
        "old.csv new.csv --key id --rules rules.yaml",
        &expect![[r#"
            exit 2
            -- standard error
            error: rule `shop a may move` of `rules.yaml` selects customers, but nothing says whose a row is
            hint: add `--customer COLUMN`
        "#]],
    );
}
