//! `report` and `audit`: a finished run again, and the ledger.

use crate::chain::chain;
use crate::playground::DATE;

#[test]
fn a_report_is_what_the_run_printed() {
    let chain = chain();
    let ran = chain.understudy(&["run", "--date", DATE]).expect(0).stdout;
    assert_eq!(chain.understudy(&["report"]).expect(0).stdout, ran);
    assert!(
        ran.contains("better: differs as expected; everybody gets OLD"),
        "{ran}"
    );
    let json = chain.understudy(&["report", "--json"]).expect(0).json();
    let run = json["run"].as_str().unwrap();
    assert_eq!(
        chain.understudy(&["report", "--run", run]).expect(0).stdout,
        ran
    );
    assert_eq!(
        chain
            .understudy(&["report", "--run", &run[..5]])
            .expect(0)
            .stdout,
        ran
    );
    assert_eq!(
        json,
        chain
            .understudy(&["report", "--json", "--run", run])
            .expect(0)
            .json()
    );
}

#[test]
fn a_report_of_an_earlier_run() {
    let chain = chain();
    let first = chain.run(&[]).expect(0).json();
    chain.replace("data/orders.csv", "30", "31");
    let second = chain.run(&[]).expect(0).json();
    assert_ne!(first["run"], second["run"]);
    let run = first["run"].as_str().unwrap();
    assert_eq!(
        chain
            .understudy(&["report", "--json", "--run", run])
            .expect(0)
            .json(),
        first
    );
    assert_eq!(
        chain.understudy(&["report", "--json"]).expect(0).json(),
        second
    );
}

#[test]
fn a_report_on_one_task() {
    let chain = chain();
    chain.run(&[]).expect(0);
    let told = chain
        .understudy(&["report", "--task", "totals"])
        .expect(0)
        .stdout;
    assert!(
        told.contains("totals  v1 -> v2") && !told.contains("sums  v1"),
        "{told}"
    );
    let ended = chain.understudy(&["report", "--task", "beside"]).expect(2);
    assert!(
        ended
            .stderr
            .contains("task `beside` was not compared in run "),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("; compared were: sums, totals"),
        "{ended:?}"
    );
}

#[test]
fn a_run_that_is_not_there() {
    let chain = chain();
    let ended = chain.understudy(&["report"]).expect(2);
    assert_eq!(
        ended.stderr,
        "error: no run of this pipeline has ended yet; start with `understudy run`\n"
    );
    chain.run(&[]).expect(0);
    let ended = chain.understudy(&["report", "--run", "zzz"]).expect(2);
    assert!(
        ended
            .stderr
            .starts_with("error: there is no run `zzz` in `"),
        "{ended:?}"
    );
}

#[test]
fn the_ledger_lists_what_was_published_and_judged() {
    let chain = chain();
    assert_eq!(
        chain.understudy(&["audit"]).expect(0).stdout,
        "the ledger is empty: nothing has run yet\n"
    );
    let run = chain.run(&[]).expect(0).json()["run"]
        .as_str()
        .unwrap()
        .to_owned();
    chain.run(&[]).expect(0);
    let listed = chain.understudy(&["audit"]).expect(0).stdout;
    let without_time = |line: &str| {
        line.split_whitespace()
            .skip(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let lines: Vec<String> = listed.lines().map(without_time).collect();
    let published = format!("2026-01-31 {run} published 3 outputs");
    assert_eq!(
        lines,
        [
            published,
            format!("2026-01-31 {run} better: expected (2 expected)")
        ]
    );
    let json = chain.understudy(&["audit", "--json"]).expect(0).json();
    assert_eq!(json["entries"].as_array().unwrap().len(), 2);
    assert_eq!(
        chain.understudy(&["audit", "verify"]).expect(0).stdout,
        "the chain is whole: 2 entries\n"
    );
}

#[test]
fn the_ledger_holds_no_row_values() {
    let chain = chain();
    chain.replace("data/orders.csv", "30", "987654");
    chain.run(&[]).expect(0);
    let ledger =
        chain.read("store/ledger/00000001.json") + &chain.read("store/ledger/00000002.json");
    assert!(
        !ledger.contains("987654") && !ledger.contains("987655"),
        "{ledger}"
    );
}

/// Each change has a page, which a run writes and `report` names.
#[test]
fn a_run_writes_a_page_for_each_change() {
    let chain = chain();
    let ran = chain.run(&[]).expect(0).json();
    let page = ran["changes"]["better"]["page"].as_str().unwrap();
    assert!(page.ends_with("/better/report.html"), "{page}");
    let text = chain.read(page);
    assert!(text.contains("Change <span"), "{text}");
    assert!(text.contains("<strong>✓ As expected.</strong>"), "{text}");
    assert!(text.contains("Everybody gets OLD."), "{text}");
    let told = chain.understudy(&["report"]).expect(0).stdout;
    assert!(told.contains(&format!("report       {page}")), "{told}");
}

/// Rules that are others give other pages: whoever opens it reads what the gate goes by.
#[test]
fn a_page_is_written_anew_when_the_rules_are_others() {
    let chain = chain();
    let ran = chain.run(&[]).expect(0).json();
    let page = ran["changes"]["better"]["page"].as_str().unwrap();
    let before = chain.read(page);
    let yaml = chain.read("understudy.yaml");
    let start = yaml.find("    expect:").unwrap();
    let end = yaml[start..]
        .find("\n    gate")
        .map_or(yaml.len(), |end| start + end + 1);
    chain.write(
        "understudy.yaml",
        &format!("{}{}", &yaml[..start], &yaml[end..]),
    );
    chain.understudy(&["gate", "better"]);
    let after = chain.read(page);
    assert_ne!(before, after);
    assert!(after.contains("<strong>✗ UNEXPECTED.</strong>"), "{after}");
}

/// A page that cannot be written costs the page, and live nothing.
#[test]
fn a_page_that_cannot_be_written_is_said() {
    let chain = chain();
    let ran = chain.run(&[]).expect(0).json();
    let page = ran["changes"]["better"]["page"]
        .as_str()
        .unwrap()
        .to_owned();
    std::fs::remove_file(chain.path(&page)).unwrap();
    std::fs::create_dir(chain.path(&page)).unwrap();
    let again = chain.run(&[]).expect(0).json();
    let alerts = again["alerts"].to_string();
    assert!(
        alerts.contains("the page about `better` could not be written"),
        "{alerts}"
    );
    assert_eq!(again["changes"]["better"]["page"], serde_json::Value::Null);
    assert_eq!(again["live"]["status"], "already_published");
}
