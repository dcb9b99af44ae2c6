//! `test`: rules on small tables. Both examples' cases hold, every rule has one, and what fails says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::example::Example;
use crate::playground::{DATE, Ended, Playground};

const EXAMPLES: [&str; 2] = ["examples/flights", "examples/health_score"];

fn understudy(arguments: &[&str]) -> Ended {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_understudy"));
    let ended = command
        .args(arguments)
        .current_dir(root)
        .env("NO_COLOR", "1")
        .output();
    Ended::from(ended.unwrap())
}

#[test]
fn the_cases_of_both_examples_hold() {
    for example in EXAMPLES {
        let ended = understudy(&["test", example]).expect(0);
        assert!(ended.stdout.contains(" passed\n"), "{ended:?}");
        assert!(!ended.stdout.contains("FAILED"), "{ended:?}");
    }
}

/// Each rule of each task is met by some case that counts a difference for it.
#[test]
fn every_rule_of_both_examples_has_a_case() {
    for example in EXAMPLES {
        let report = understudy(&["test", "--json", example]).expect(0).json();
        let mut tried: BTreeSet<String> = BTreeSet::new();
        for line in report["cases"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|case| case["lines"].as_array().unwrap())
        {
            if let (Value::String(rule), Some(1..)) = (&line["of"]["rule"], line["found"].as_u64())
            {
                tried.insert(rule.clone());
            }
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(example);
        let yaml = fs::read_to_string(file.join("understudy.yaml")).unwrap();
        let named = yaml
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- name: "));
        let named: BTreeSet<String> = named.map(str::to_owned).collect();
        assert!(!named.is_empty());
        assert_eq!(named, tried, "{example}");
    }
}

const PIPELINE: &str = "\
pipeline: shop
datasets:
  orders: { location: data/orders.csv, columns: { secret: mask } }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql }
changes:
  better:
    new: { totals: v2 }
    expect:
      totals:
        - { name: a little, columns: [amount], within: 1 }
";

const CASES: &str = "\
# Kept.
cases:
  - name: a little is meant   # really
    task: totals
    old: [{ id: 1, customer: Ann, amount: 1.5 }]
    new: [{ id: 1, customer: Ann, amount: 2.5 }]
    expect: { verdict: expected, rules: { a little: 1 } }   # all
  - name: much is not
    task: totals
    old: [{ id: 1, customer: Ann, amount: 1.5 }]
    new: [{ id: 1, customer: Ann, amount: 9.5 }]
    expect:
      verdict: unexpected
      customers: { Ann: 1 }
";

fn shop() -> Playground {
    Playground::of(&[
        ("understudy.yaml", PIPELINE),
        (
            "data/orders.csv",
            "id,customer,amount,secret,note\n1,Ann,10,alpha-7,x\n2,Ann,20,beta-8,\"<b>,\u{202e}\"\n3,Bob,30,gamma-9,\n",
        ),
        ("v1.sql", "SELECT * FROM orders\n"),
        (
            "v2.sql",
            "SELECT id, customer, CASE WHEN id = 2 THEN amount + 5 ELSE amount END AS amount, secret || '!' AS secret, note FROM orders WHERE id < 3\n",
        ),
        ("cases/totals.yaml", CASES),
    ])
}

#[test]
fn cases_that_hold() {
    let shop = shop();
    let ended = shop.understudy(&["test"]).expect(0);
    assert_eq!(
        ended.stdout,
        "ok      cases/totals.yaml: a little is meant\nok      cases/totals.yaml: much is not\n2 cases: 2 passed\n"
    );
    let some = shop
        .understudy(&["test", "cases/totals.yaml", "--filter", "much"])
        .expect(0);
    assert!(some.stdout.ends_with("1 case: 1 passed\n"), "{some:?}");
    // Nothing is left, and nothing was run or published.
    assert!(!shop.path("store").exists() && !shop.path("live").exists());
}

#[test]
fn a_case_that_does_not_hold_prints_expected_against_found() {
    let shop = shop();
    shop.replace("understudy.yaml", "within: 1 }", "within: 0.5 }");
    let ended = shop.understudy(&["test", "--junit", "out.xml"]).expect(1);
    for part in [
        "FAILED  cases/totals.yaml:3: a little is meant",
        "verdict          expected  unexpected  <- differs",
        "rule \"a little\"  1         0           <- differs",
        "unexpected: changed id=1  amount: 1.5 -> 2.5",
        "2 cases: 1 passed, 1 failed",
    ] {
        assert!(ended.stdout.contains(part), "no {part}: {}", ended.stdout);
    }
    let xml = shop.read("out.xml");
    assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
    let json = shop.understudy(&["test", "--json"]).expect(1).json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["cases"][0]["status"], "failed");
}

#[test]
fn blessing_keeps_everything_else() {
    let shop = shop();
    shop.replace("understudy.yaml", "within: 1 }", "within: 0.5 }");
    shop.understudy(&["test", "--bless", "--dry-run"]).expect(0);
    assert_eq!(shop.read("cases/totals.yaml"), CASES);
    let ended = shop.understudy(&["test", "--bless"]).expect(0);
    assert!(ended.stdout.contains("BLESSED"), "{ended:?}");
    let wanted = CASES.replace(
        "{ verdict: expected, rules: { a little: 1 } }",
        "{ verdict: unexpected, rules: { a little: 0 } }",
    );
    assert_eq!(shop.read("cases/totals.yaml"), wanted);
    shop.understudy(&["test"]).expect(0);
}

#[test]
fn nothing_tested_is_no_success() {
    let empty = Playground::of(&[("understudy.yaml", PIPELINE)]);
    let ended = empty.understudy(&["test"]).expect(2);
    assert!(
        ended.stderr.contains("nothing was tested\nhint: "),
        "{ended:?}"
    );
    let ended = shop().understudy(&["test", "--filter", "zzz"]).expect(2);
    assert!(
        ended.stderr.contains("no case with `zzz` in its name"),
        "{ended:?}"
    );
}

#[test]
fn a_file_that_is_wrong_is_told_with_line_column_and_hint() {
    let shop = shop();
    shop.replace(
        "cases/totals.yaml",
        "verdict: unexpected\n",
        "verdikt: unexpected\n",
    );
    let ended = shop.understudy(&["test"]).expect(2);
    assert!(
        ended
            .stderr
            .contains("cases/totals.yaml:13:7: unknown key `verdikt`"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("hint: did you mean `verdict`?"),
        "{ended:?}"
    );
    shop.understudy(&["test", "cases/nowhere.yaml"]).expect(2);
    // A value that its type cannot hold is the file's fault as well.
    shop.write(
        "cases/totals.yaml",
        &CASES.replace(
            "    task: totals\n",
            "    task: totals\n    types: { id: date }\n",
        ),
    );
    let ended = shop.understudy(&["test"]).expect(2);
    assert!(ended.stdout.contains("WRONG"), "{ended:?}");
}

#[test]
fn a_case_comes_from_a_difference_that_was_found() {
    let shop = shop();
    let run = shop
        .understudy(&["run", "--json", "--date", DATE])
        .expect(0)
        .json();
    let run = run["run"].as_str().unwrap();
    let from = ["test", "--from-run", run, "--task", "totals", "--key"];
    let dry = shop
        .understudy(&[&from[..], &["id=2", "--dry-run"]].concat())
        .expect(0);
    assert!(dry.stdout.contains("id=2"), "{dry:?}");
    let made = shop
        .understudy(&[&from[..], &["id=2", "--json"]].concat())
        .expect(0)
        .json();
    let text = fs::read_to_string(made["file"].as_str().unwrap()).unwrap();
    // The rows are there, and masked columns are not in clear.
    assert!(
        text.contains("\"masked:") && text.contains("\"Ann\""),
        "{text}"
    );
    assert!(!text.contains("beta-8"), "{text}");
    assert!(text.contains("<b>,\\u202e"), "what acts is escaped: {text}");
    assert!(text.contains("verdict: unexpected"), "{text}");
    // It holds as it stands, beside those that were there.
    let ended = shop.understudy(&["test"]).expect(0);
    assert!(ended.stdout.contains("3 cases: 3 passed"), "{ended:?}");
    // A row on one side only.
    shop.understudy(&[&from[..], &["id=3"]].concat()).expect(0);
    shop.understudy(&["test"]).expect(0);
    // What is not there is said.
    let ended = shop.understudy(&[&from[..], &["id=99"]].concat()).expect(2);
    assert!(
        ended.stderr.contains("has a row with that key"),
        "{ended:?}"
    );
    let ended = shop
        .understudy(&[&from[..], &["customer=Ann"]].concat())
        .expect(2);
    assert!(
        ended.stderr.contains("hint: write `--key id=…`"),
        "{ended:?}"
    );
}

/// The examples are copied for other tests; their cases come along and hold there too.
#[test]
fn a_copy_of_an_example_has_its_cases() {
    let example = Example::copy_of("examples/flights");
    let printed = example.print(&["test"]);
    assert!(printed.contains("summer_time.yaml"), "{printed}");
}
