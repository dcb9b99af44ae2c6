//! What a program can leave in its output folder that is no table of its own, or more than a table.

use std::fs;
use std::os::unix::fs::symlink;

use crate::playground::{COPY, Playground};

const SECRET: &str = "id,customer,amount\n7,canary,7\n";

/// Runs the shop with a new version that leaves something: live is as without it, what is elsewhere comes into no
/// output, and the reason has this text.
#[track_caller]
fn check(new_version: &str, reason: &str) {
    check_in(Playground::shop(new_version), reason);
}

/// The same where no wall keeps the program from making it in the first place.
#[track_caller]
fn check_without_walls(new_version: &str, reason: &str) {
    check_in(Playground::shop(new_version).without_walls(), reason);
}

#[track_caller]
fn check_in(shop: Playground, reason: &str) {
    shop.replace(
        "understudy.yaml",
        "v2: { command: [sh, v2.sh], inputs: csv",
        "v2: { command: [sh, v2.sh], inputs: csv, limits: { wall: 300s, memory: 1GB }",
    );
    shop.write("secret.csv", SECRET);
    let without = Playground::shop_without_change();
    without.run(&[]).expect(0);
    let verdict = shop.run(&[]).expect(0).verdict("totals");
    assert!(
        verdict.starts_with("inconclusive: ") && verdict.contains(reason),
        "{verdict}"
    );
    assert_eq!(shop.published("totals"), without.published("totals"));
    assert_eq!(shop.read("secret.csv"), SECRET);
}

#[test]
fn a_link_to_a_file() {
    check(
        "ln -s \"$PWD/secret.csv\" \"$UNDERSTUDY_OUTPUT/rows.csv\"",
        "`rows.csv` is not taken: it is a link, and links are not followed here",
    );
}

#[test]
fn a_link_to_a_file_of_its_own() {
    check(
        &format!("{COPY}ln -s rows.csv \"$UNDERSTUDY_OUTPUT/more.csv\""),
        "`more.csv` is not taken: it is a link, and links are not followed here",
    );
}

#[test]
fn a_link_to_a_folder() {
    check_without_walls(
        "mkdir other; cp secret.csv other/; ln -s \"$PWD/other\" \"$UNDERSTUDY_OUTPUT/k=1\"",
        "`k=1/secret.csv` is not taken: its folder is a link or no folder, and links are not followed here",
    );
}

#[test]
fn a_link_to_nothing() {
    check(
        "ln -s nowhere.csv \"$UNDERSTUDY_OUTPUT/rows.csv\"",
        "rows.csv",
    );
}

#[test]
fn another_name_of_a_file() {
    check_without_walls(
        "ln secret.csv \"$UNDERSTUDY_OUTPUT/rows.csv\"",
        "`rows.csv` is not taken: it is a hard link, another name of a file that is elsewhere as well",
    );
}

/// Who opens a pipe waits for its other end.
#[test]
fn a_pipe() {
    check(
        "mkfifo \"$UNDERSTUDY_OUTPUT/data.parquet\"",
        "`data.parquet` is not taken: it is not a regular file",
    );
}

#[test]
fn a_link_to_a_device() {
    check(
        "ln -s /dev/zero \"$UNDERSTUDY_OUTPUT/data.parquet\"",
        "`data.parquet` is not taken",
    );
}

#[test]
fn a_folder_with_the_name_of_a_file() {
    check(
        "mkdir \"$UNDERSTUDY_OUTPUT/data.parquet\"",
        "the program wrote no .parquet",
    );
}

#[test]
fn a_field_of_two_gigabytes() {
    check("truncate -s 2G \"$UNDERSTUDY_OUTPUT/rows.csv\"", "rows.csv");
}

#[test]
fn little_that_becomes_much() {
    check(
        "head -c 300000000 /dev/zero | tr '\\0' x | gzip -1 > \"$UNDERSTUDY_OUTPUT/rows.csv.gz\"",
        "rows.csv.gz",
    );
}

#[test]
fn json_of_great_depth() {
    check(
        "python3 -c 'print(\"{\\\"id\\\": \" + \"[\" * 1000000)' > \"$UNDERSTUDY_OUTPUT/rows.jsonl\"",
        "rows.jsonl",
    );
}

/// Such a number is a text, as far as types are concerned: there is no other type that holds it.
#[test]
fn a_number_of_a_million_digits() {
    let shop = Playground::shop(
        "python3 -c 'print(\"{\\\"id\\\": \" + \"9\" * 1000000 + \", \\\"customer\\\": 1}\")' > \"$UNDERSTUDY_OUTPUT/rows.jsonl\"",
    );
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.json()["live"]["status"], "published");
    assert_ne!(ended.verdict("totals"), "identical");
}

/// The place of an external version may be reached over links; what lies below it may not.
#[test]
fn a_link_below_the_place_of_an_external_version() {
    let shop = Playground::shop("").without_walls();
    shop.replace(
        "understudy.yaml",
        "v2: { command: [sh, v2.sh], inputs: csv }",
        "v2: { external: { location: theirs } }",
    );
    shop.write("real/rows.csv", SECRET);
    symlink("real", shop.path("theirs")).unwrap();
    let verdict = shop.run(&[]).expect(0).verdict("totals");
    assert!(!verdict.contains("not taken"), "{verdict}");
    shop.write("secret.csv", &SECRET.replace("7,canary,7", "8,canary,8"));
    fs::remove_file(shop.path("real/rows.csv")).unwrap();
    symlink(shop.path("secret.csv"), shop.path("real/rows.csv")).unwrap();
    let verdict = shop.run(&[]).expect(0).verdict("totals");
    assert!(
        verdict.contains(
            "`theirs/rows.csv` is not taken: it is a link, and links are not followed here"
        ),
        "{verdict}"
    );
}

/// A new version cannot have the store follow a link of its making.
#[test]
fn a_link_in_the_store() {
    let shop = Playground::shop(COPY);
    shop.write("mine/precious", "mine");
    fs::create_dir_all(shop.path("store")).unwrap();
    symlink("../mine", shop.path("store/quarantine")).unwrap();
    let ended = shop.run(&[]);
    assert_eq!(ended.code, 6, "{ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        said.contains("is a symbolic link, and none is followed in the store"),
        "{said}"
    );
    assert_eq!(fs::read_dir(shop.path("mine")).unwrap().count(), 1);
}
