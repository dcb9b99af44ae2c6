//! What each kind finds.

use super::scene::{DEARER, add_checks, checks, equal_shop, of_customer, shop, verdict};
use crate::playground::{COPY, Playground};

/// The rows differ as a rule expects, so that the verdict is the checks'.
const EXPECTED: &str =
    "    expect:\n      totals:\n        - { columns: [amount], allow: any, reason: dearer }\n";

fn dearer_shop(checks: &str) -> Playground {
    let shop = shop(DEARER, checks);
    expect_rows(&shop);
    shop
}

fn expect_rows(shop: &Playground) {
    let change = "    new: { totals: v2 }\n";
    shop.replace("understudy.yaml", change, &format!("{change}{EXPECTED}"));
}

#[test]
fn metrics_by_customer() {
    let shop = dearer_shop(
        "- name: totals\n  metrics: { group_by: [customer], measure: [{ count: rows }, { sum: amount, within: 5% }] }",
    );
    let ended = shop.run(&[]).expect(0);
    assert_eq!(
        ended.verdict("totals"),
        "unexpected: check `totals`: 1 finding: sum of amount for Ann is 32, was 30"
    );
    assert_eq!(of_customer(&ended, "Ann"), "unexpected");
    assert_eq!(of_customer(&ended, "Bob"), "identical");
    let found = &checks(&ended)[0]["outcome"]["Ok"];
    assert_eq!(found["looked_at"], 4);
    assert_eq!(found["customers"]["Ann"], 1);
    let example = &found["examples"][0];
    assert_eq!(
        [
            &example["column"],
            &example["old"],
            &example["new"],
            &example["delta"]
        ],
        ["amount", "30", "32", "2"]
    );
    // What is said of customers is the same for people.
    let report = shop.understudy(&["report"]).expect(0);
    assert!(
        report
            .stdout
            .contains("sum of amount for Ann is 32, was 30"),
        "{}",
        report.stdout
    );
}

#[test]
fn metrics_within_their_tolerance_and_of_all() {
    let shop = dearer_shop(
        "- metrics: { measure: [{ sum: amount, within: 2 }, { percentile: amount, at: [50, 100] }] }",
    );
    assert_eq!(verdict(&shop), "expected");
    shop.replace("understudy.yaml", "within: 2", "within: 1.9");
    let ended = shop.run(&[]).expect(0);
    assert_eq!(
        ended.verdict("totals"),
        "unexpected: check `check 1`: 1 finding: sum of amount is 102, was 100"
    );
    // It belongs to nobody, so it concerns everybody.
    assert_eq!(of_customer(&ended, "Bob"), "unexpected");
}

#[test]
fn a_query_gives_offending_rows() {
    let query = "SELECT n.customer, 'amount' AS \"column\", o.amount AS old, n.amount AS new, n.id\n\
        FROM old o JOIN new n ON o.id = n.id WHERE n.amount > o.amount\n";
    let shop = dearer_shop("- { name: dearer, sql: checks/dearer.sql }");
    shop.write("checks/dearer.sql", query);
    let ended = shop.run(&[]).expect(0);
    assert_eq!(
        ended.verdict("totals"),
        "unexpected: check `dearer`: 1 finding: id=1 for Ann is 12, was 10"
    );
    assert_eq!(of_customer(&ended, "Bob"), "identical");
    // A rule may expect what a check finds.
    shop.replace(
        "understudy.yaml",
        "        - { columns: [amount]",
        "        - { kinds: [check], customers: [Ann], allow: any, reason: meant }\n        - { columns: [amount]",
    );
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.verdict("totals"), "expected");
    let rules = &ended.json()["changes"]["better"]["tasks"]["totals"]["rules"];
    assert_eq!(rules[0]["differences"], 1, "{rules:#}");
    assert_eq!(rules[0]["customers"]["Ann"], 1, "{rules:#}");
}

#[test]
fn a_query_sees_the_two_tables_and_nothing_else() {
    let check = |query: &str, expected: &str| {
        let shop = equal_shop("- { name: q, sql: q.sql }");
        shop.write("q.sql", query);
        let said = verdict(&shop);
        assert!(said.starts_with("inconclusive: "), "{query}: {said}");
        assert!(said.contains(expected), "{query}: {said}");
    };
    check("SELECT * FROM orders", "orders");
    check("SELECT * FROM 'data/orders.csv'", "data/orders.csv");
    check("CREATE TABLE x AS SELECT 1", "CREATE");
    check("COPY (SELECT 1) TO 'x.csv'", "COPY");
    check("SET datafusion.execution.batch_size = 1", "SET");
    check("SELECT 1; SELECT 2", "2 statements");
    check("SELECT nothing FROM new", "nothing");
    check("SELECT 1/0 FROM new", "ivide by zero");
}

#[test]
fn a_program_writes_what_it_found() {
    let script = "\
        test -n \"$(ls \"$UNDERSTUDY_OLD\"/*.parquet)\" -a -n \"$(ls \"$UNDERSTUDY_NEW\"/*.parquet)\" || exit 9\n\
        grep -q '\"check\": \"mine\"' \"$UNDERSTUDY_CONTEXT\" || exit 8\n\
        printf 'customer,column,old,new,what\\nBob,amount,1,2,\"a, b\"\\n' > \"$UNDERSTUDY_OUTPUT/found.csv\"\n\
        echo looked\n";
    let shop = equal_shop("- { name: mine, command: [sh, check.sh] }");
    shop.write("check.sh", script);
    let ended = shop.run(&[]).expect(0);
    assert_eq!(
        ended.verdict("totals"),
        "unexpected: check `mine`: 1 finding: what=a, b for Bob is 2, was 1"
    );
    assert_eq!(of_customer(&ended, "Ann"), "identical");
    let all = shop.everything();
    let kept = all.iter().find(|(path, _)| {
        path.to_string_lossy()
            .contains("check%20mine%20of%20totals%20of%20better%20out")
            || path.to_string_lossy().contains("mine")
                && path.to_string_lossy().ends_with("out.log")
    });
    let (_, log) = kept.unwrap_or_else(|| panic!("no log in {:?}", all.keys()));
    assert_eq!(String::from_utf8_lossy(log), "looked\n");
}

#[test]
fn what_a_program_leaves_says_what_it_found() {
    let check = |script: &str, expected: &str| {
        let shop = equal_shop("- { name: mine, command: [sh, check.sh] }");
        shop.write("check.sh", script);
        let said = verdict(&shop);
        assert!(said.starts_with(expected), "{script}: {said}");
    };
    let out = "\"$UNDERSTUDY_OUTPUT\"";
    // An empty file, and a table without rows, say that nothing was found.
    check(&format!("touch {out}/found.csv"), "identical");
    check(&format!("echo customer > {out}/found.csv"), "identical");
    check(&format!("touch {out}/found.jsonl"), "identical");
    let failed = |why: &str| format!("inconclusive: check `mine` could not compare: {why}");
    check("true", &failed("the program wrote nothing"));
    check(
        &format!("touch {out}/found.txt"),
        &failed("the program wrote no"),
    );
    check(&format!("touch {out}/found.parquet"), &failed("`"));
    check(&format!("echo garbage > {out}/found.parquet"), &failed("`"));
    check(
        &format!("printf 'a,b\\n1\\n' > {out}/found.csv"),
        &failed("`"),
    );
    check(
        &format!("touch {out}/found.csv; exit 3"),
        &failed("program `sh` exited with code 3"),
    );
    check(
        &format!("ln -s /etc/passwd {out}/found.csv"),
        &failed("the output is refused"),
    );
    check(&format!("mkfifo {out}/found.csv"), &failed(""));
    check("kill -9 $$", &failed("program `sh` was killed by SIGKILL"));
}

#[test]
fn what_cannot_be_compared_is_inconclusive() {
    let shop = equal_shop("- { metrics: { measure: [{ sum: customer }] } }");
    let said = verdict(&shop);
    assert!(said.starts_with("inconclusive: "), "{said}");
    // The columns of a command are known when it has run once: then the file itself is wrong.
    let checked = shop.understudy(&["check"]).expect(2);
    assert!(
        checked
            .stdout
            .contains("measures `customer`, which is no number"),
        "{}",
        checked.stdout
    );
    shop.replace("understudy.yaml", "sum: customer", "sum: amont");
    let checked = shop.understudy(&["check"]).expect(2);
    assert!(
        checked.stdout.contains("did you mean `amount`?"),
        "{}",
        checked.stdout
    );
}

#[test]
fn several_checks_stand_beside_each_other() {
    let shop = shop(COPY, "");
    let _ = shop;
    let shop = Playground::shop(COPY);
    add_checks(
        &shop,
        "- { name: a, metrics: { measure: [{ count: rows }] } }\n- { name: b, sql: b.sql }\n- { name: c, command: [sh, c.sh] }",
    );
    shop.write("b.sql", "SELECT customer FROM new WHERE id = 3");
    shop.write("c.sh", "exit 1");
    let ended = shop.run(&[]).expect(0);
    let said = ended.verdict("totals");
    assert!(
        said.starts_with(
            "unexpected: check `b`: 1 finding: a row of Bob; check `c` could not compare: "
        ),
        "{said}"
    );
    // What is not known of `c` concerns everybody, what `b` found only Bob.
    assert_eq!(of_customer(&ended, "Ann"), "inconclusive");
    assert_eq!(of_customer(&ended, "Bob"), "unexpected");
}
