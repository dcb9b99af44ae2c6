//! What was found before, and what makes it old.

use super::scene::{DEARER, checks, equal_shop, shop};
use crate::playground::Playground;

fn executed(shop: &Playground) -> Vec<String> {
    shop.run(&[]).expect(0).executed()
}

#[test]
fn a_check_is_made_once_and_again_when_it_is_another() {
    let shop = shop(
        DEARER,
        "- { name: q, sql: q.sql }\n- { name: p, command: [sh, p.sh], code: [\"lib/*\"] }",
    );
    shop.write("q.sql", "SELECT customer FROM new WHERE amount > 100");
    shop.write(
        "p.sh",
        "touch \"$UNDERSTUDY_OUTPUT/found.csv\"; echo once >> \"$TMPDIR/x\"",
    );
    shop.write("lib/more", "1");
    let first = shop.run(&[]).expect(0);
    assert_eq!(checks(&first)[0]["outcome"]["Ok"]["unexpected"], 0);
    assert_eq!(executed(&shop), Vec::<String>::new());
    // Its text, its files and the files that it names make it what it is; the rows are not compared again.
    shop.write("q.sql", "SELECT customer FROM new WHERE amount > 10");
    let again = shop.run(&[]).expect(0);
    assert_eq!(checks(&again)[0]["outcome"]["Ok"]["unexpected"], 4);
    for file in ["p.sh", "lib/more"] {
        let text = shop.read(file);
        shop.write(file, &format!("{text}\n# other"));
        assert!(!executed(&shop).is_empty(), "{file}");
        assert_eq!(executed(&shop), Vec::<String>::new());
    }
}

#[test]
fn what_failed_is_tried_again() {
    let shop = equal_shop(
        "- { name: p, command: [sh, -c, \"test -e $HERE/go && touch $UNDERSTUDY_OUTPUT/found.csv\"] }",
    );
    let here = shop.path("");
    shop.replace("understudy.yaml", "$HERE", here.to_str().unwrap());
    assert!(
        shop.run(&[])
            .expect(0)
            .verdict("totals")
            .starts_with("inconclusive")
    );
    shop.write("go", "");
    assert_eq!(shop.run(&[]).expect(0).verdict("totals"), "identical");
}

#[test]
fn changed_checks_judge_stored_runs_again() {
    let shop = shop(DEARER, "- { name: q, sql: q.sql }");
    shop.replace(
        "understudy.yaml",
        "    compare:",
        "    expect:\n      totals:\n        - { columns: [amount], allow: any, reason: dearer }\n    compare:",
    );
    shop.write("q.sql", "SELECT customer FROM new WHERE amount > 100");
    assert_eq!(shop.run(&[]).expect(0).verdict("totals"), "expected");
    let gate = |word: &str| {
        let ended = shop.understudy(&["gate", "better", "--json"]);
        assert!(ended.stdout.contains(word), "{word}: {ended:?}");
    };
    shop.write("q.sql", "SELECT customer FROM new WHERE amount > 39");
    // Asking the gate applies the check of now to the run of before.
    gate("\"ready\"");
    let report = shop.understudy(&["report", "--json"]);
    assert!(
        report.stdout.contains("check `q`: 1 finding"),
        "{}",
        report.stdout
    );
}
