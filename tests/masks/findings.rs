//! What comparing finds.

use super::scene::{SAME, Scene, canaries};
use crate::playground::DATE;

/// Every masked column differs in some row, and rows stand on one side only.
const OTHER: &str = "\
SELECT id, shop,
  CASE WHEN id = 3 THEN email || '.new' ELSE email END AS email,
  CASE WHEN id % 4 = 1 THEN 'not ' || note ELSE note END AS note,
  salary + CASE WHEN id % 3 = 0 THEN 1.5 ELSE 0 END AS salary,
  CASE WHEN id % 5 = 0 THEN born + INTERVAL '1 day' ELSE born END AS born,
  CASE WHEN id % 6 = 0 THEN NULL ELSE phone END AS phone
FROM people WHERE id <> 7
";

#[test]
fn of_differences_in_every_form() {
    let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", OTHER)]);
    let report = scene.run().expect(0).json();
    let task = &report["changes"]["better"]["tasks"]["staff"];
    assert_eq!(task["verdict"], "unexpected", "{task:#}");
    for place in [
        "diff.csv",
        "diff.parquet",
        "summary.json",
        "report.md",
        "run.json",
        "said",
    ] {
        assert!(scene.tokens_in(place) > 0, "{place} shows no token");
    }
    scene.require_masked();
    let diff = find(&scene, "staff/diff.csv");
    // Of masked columns there is no distance; NULL stays NULL.
    let salary = diff.lines().find(|line| line.contains(",salary,")).unwrap();
    let fields: Vec<&str> = salary.split(',').collect();
    assert!(
        fields[4].starts_with("masked:") && fields[5].starts_with("masked:"),
        "{salary}"
    );
    assert_eq!([fields[6], fields[7]], ["", ""], "{salary}");
    let gone = diff.lines().find(|line| line.contains(",phone,")).unwrap();
    assert_eq!(gone.split(',').nth(5), Some(""), "{gone}");
}

fn find(scene: &Scene, end: &str) -> String {
    let all = scene.playground.everything();
    let file = all.keys().find(|path| path.ends_with(end)).unwrap();
    String::from_utf8(all[file].clone()).unwrap()
}

#[test]
fn equal_values_have_equal_tokens_in_every_run_of_a_store() {
    let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", OTHER)]);
    scene.run().expect(0);
    let first = find(&scene, "staff/diff.csv");
    let key = scene.playground.path("store/mask.key");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&key).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&key).unwrap().len(), 32);
    scene.tell(&["run", "--json", "--date", DATE, "--fresh"]);
    assert_eq!(find(&scene, "staff/diff.csv"), first);
    // Another store has another key.
    std::fs::remove_dir_all(scene.playground.path("store")).unwrap();
    scene.run();
    assert_ne!(find(&scene, "staff/diff.csv"), first);
    scene.require_masked();
}

#[test]
fn a_mask_that_comes_later_masks_what_is_said_again() {
    let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", OTHER)]);
    let masks = super::scene::MASKED;
    scene
        .playground
        .replace("understudy.yaml", masks, "columns: {}");
    let clear = scene
        .playground
        .understudy(&["run", "--json", "--date", DATE])
        .expect(0);
    assert!(
        clear.stdout.contains(&canaries()[0]) || find(&scene, "staff/diff.csv").contains("canary")
    );
    scene
        .playground
        .replace("understudy.yaml", "columns: {}", masks);
    scene.run().expect(0);
    scene.require_masked();
}

#[test]
fn of_columns_that_are_added_dropped_and_retyped() {
    for sql in [
        "SELECT id, shop, email, note, CAST(salary AS VARCHAR) AS salary, born, phone FROM people",
        "SELECT id, shop, email, salary, born, phone FROM people",
        "SELECT *, phone || '!' AS phone2, note AS NOTE2 FROM people",
        "SELECT id, shop, email, note, CAST(salary * 100 AS BIGINT) AS salary, CAST(born AS VARCHAR) AS born, phone FROM people",
    ] {
        let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", sql)]);
        // A column that is renamed needs an entry of its own.
        scene.playground.replace(
            "understudy.yaml",
            "grain: [email], customer: shop }",
            "grain: [email], customer: shop, columns: { phone2: mask, NOTE2: mask } }",
        );
        if !sql.contains("phone2") {
            scene.playground.replace(
                "understudy.yaml",
                ", columns: { phone2: mask, NOTE2: mask }",
                "",
            );
        }
        scene.run().expect(0);
        scene.require_nothing_in_clear();
    }
}

#[test]
fn of_leaks_and_of_a_repair() {
    let sql = "SELECT id, shop, email, note, salary, born, CASE WHEN shop = 'north' THEN phone || ' ' ELSE phone END AS phone FROM people";
    let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", sql)]);
    scene.playground.replace(
        "understudy.yaml",
        "columns: [salary], customers: [north], within: 1% }",
        "columns: [phone], allow: any, reason: a blank }\n      pages:\n        - { name: pay, allow: any, reason: a blank }",
    );
    // What a shop sees of the others: the longest of all telephone numbers.
    scene.playground.write(
        "pages.sql",
        "SELECT *, max(phone) OVER () AS phone_of_all FROM staff\n",
    );
    scene.playground.replace(
        "understudy.yaml",
        "grain: [shop, email], customer: shop }",
        "grain: [shop, email], customer: shop, columns: { phone_of_all: mask } }",
    );
    scene.run().expect(0);
    scene
        .tell(&["flip", "better", "--customers", "north"])
        .expect(0);
    scene.run().expect(0);
    assert!(scene.tokens_in("/leak/") > 0, "nothing leaked");
    scene.tell(&["rollback", "better", "--all"]).expect(0);
    scene.tell(&["repair", "better"]).expect(0);
    scene.run();
    scene.require_masked();
}

#[test]
fn of_two_tables() {
    let mut scene = Scene::of(SAME, &[]);
    let text = super::scene::people();
    scene.playground.write("data/old.csv", &text);
    scene.playground.write(
        "data/new.csv",
        &text
            .replace("example.org", "example.com")
            .replace("canary", "other"),
    );
    let masks = ["email", "note", "salary", "born", "phone"].map(|column| ["--mask", column]);
    let masks = masks.concat();
    let diff = |scene: &mut Scene, more: &[&str]| {
        let tables = [
            "diff",
            "data/old.csv",
            "data/new.csv",
            "--key",
            "id",
            "--out",
            "report",
        ];
        scene.tell(&[&tables[..], more, &masks].concat())
    };
    diff(&mut scene, &[]).expect(1);
    assert!(scene.tokens_in("report/diff.csv") > 0);
    diff(&mut scene, &["--json"]).expect(1);
    let refused = diff(&mut scene, &["--customer", "email"]).expect(2);
    assert!(refused.stderr.contains("cannot be masked"), "{refused:?}");
    scene
        .playground
        .write("data/new.csv", &text.replace("north", "no\"rth"));
    diff(&mut scene, &[]);
    scene.run();
    scene.require_masked();
}
