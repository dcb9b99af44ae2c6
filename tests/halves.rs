//! The halves of a run, and what writes nothing.

use serde_json::Value;

use crate::chain::chain;
use crate::playground::{DATE, ORDERS};

/// What must not depend on how a run was cut into halves.
fn findings(report: &Value) -> [Value; 2] {
    let mut changes = report["changes"].clone();
    for task in changes["better"]["tasks"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        task["reused"] = Value::Null;
        task["usage"] = Value::Null;
    }
    [report["run"].clone(), changes]
}

#[test]
fn live_and_then_shadow_is_the_same_as_both() {
    let whole = chain();
    let both = whole.run(&[]).expect(0).json();
    let halves = chain();
    let live = halves.run(&["--live"]).expect(0).json();
    assert_eq!(live["live"]["status"], "published");
    assert_eq!(live["changes"].as_object().unwrap().len(), 0);
    let shadow = halves.run(&["--shadow", "--strict"]).expect(0);
    assert!(
        !shadow.executed().contains(&"totals v1".to_owned()),
        "live was computed twice: {}",
        shadow.stderr
    );
    assert_eq!(findings(&both), findings(&shadow.json()));
    for task in ["totals", "sums", "beside"] {
        assert_eq!(whole.published(task), halves.published(task));
    }
    let diff = format!(
        "store/runs/{}/better/totals/diff.csv",
        both["run"].as_str().unwrap()
    );
    assert_eq!(whole.read(&diff), halves.read(&diff));
}

#[test]
fn the_shadow_half_alone_compares_and_never_publishes() {
    let chain = chain();
    let ended = chain.run(&["--shadow", "--strict"]).expect(0);
    assert_eq!(ended.verdict("totals"), "expected");
    assert_eq!(ended.json()["live"]["status"], "not_asked");
    assert!(!chain.path("live").exists());
    // What it computed of live is taken by the half that publishes.
    let live = chain.run(&["--live"]).expect(0);
    assert_eq!(live.json()["live"]["status"], "published");
    assert_eq!(chain.rows("totals"), ORDERS);
}

#[test]
fn what_only_shows_writes_nothing() {
    let looks: [&[&str]; 9] = [
        &["plan", "--date", DATE],
        &["plan", "--json", "--date", DATE],
        &["run", "--dry-run", "--date", DATE],
        &["run", "--dry-run", "--json", "--date", DATE],
        &["check"],
        &["check", "--json"],
        &["report"],
        &["audit"],
        &["audit", "verify"],
    ];
    let chain = chain();
    for after_a_run in [false, true] {
        let before = chain.everything();
        for look in looks {
            let ended = chain.understudy(look);
            let code = if look == ["report"] && !after_a_run {
                2
            } else {
                0
            };
            assert_eq!(ended.code, code, "{look:?}: {ended:?}");
            assert!(chain.everything() == before, "{look:?} wrote something");
        }
        chain.run(&[]).expect(0);
    }
}

#[test]
fn the_plan_tells_the_tree() {
    let chain = chain();
    let plan = chain.understudy(&["plan", "--date", DATE]).expect(0).stdout;
    let (head, tree) = plan.split_once('\n').unwrap();
    assert!(head.starts_with("chain 2026-01-31  run "), "{head}");
    assert_eq!(
        tree,
        "reads\n\
         └─ orders  data/orders.csv  1 file, 55 bytes\n\
         live\n\
         ├─ run totals v1  reads orders  => live/totals/date=2026-01-31/\n\
         ├─ run sums v1  reads totals (v1)  => live/sums/date=2026-01-31/\n\
         └─ run beside v1  reads orders  => live/beside/date=2026-01-31/\n\
         shadow of better (all lanes at shadow)\n\
         ├─ run totals v2  reads orders\n\
         ├─ run sums v1  reads totals (v2)\n\
         ├─ compare totals: v1 with v2 on (id), by customer, 1 rule\n\
         └─ compare sums: v1 in both worlds on (customer), by customer, 1 rule\n"
    );
    let json = chain
        .understudy(&["plan", "--json", "--date", DATE])
        .expect(0)
        .json();
    assert_eq!(
        (&json["version"], &json["plan"]["date"]),
        (&Value::from(1), &Value::from(DATE))
    );
    let ran = chain.run(&[]).expect(0).json();
    assert_eq!(json["plan"]["run"], ran["run"], "the plan is what is run");
    let again = chain.understudy(&["plan", "--date", DATE]).expect(0).stdout;
    assert_eq!(again.matches("(there already)").count(), 5, "{again}");
    assert!(again.contains("the shadow took"), "{again}");
}
