//! What every run says while lanes are live against the gate, or cost more than the gate allows.

use crate::playground::{Ended, Playground};

const SHOP: &str = "\
pipeline: shop
datasets:
  orders: { location: orders.csv }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { command: [sh, v1.sh], inputs: csv }
      v2: { command: [sh, v2.sh], inputs: csv }
changes:
  better:
    new: { totals: v2 }
    gate: { clean_runs: 1, max_runtime_ratio: 3 }
";

const COPY: &str = "cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";

fn shop() -> Playground {
    Playground::of(&[
        ("understudy.yaml", SHOP),
        ("orders.csv", "id,customer,amount\n1,Ann,10\n2,Bob,20\n"),
        ("v1.sh", COPY),
        (
            "v2.sh",
            &format!("if [ -e slow ]; then sleep 10.1; fi\n{COPY}"),
        ),
    ])
}

fn run(shop: &Playground, date: &str) -> Ended {
    shop.understudy(&["run", "--json", "--date", date])
        .expect(0)
}

fn alerts(ended: &Ended) -> Vec<String> {
    let report = ended.json();
    let alerts = report["alerts"].as_array().unwrap();
    alerts
        .iter()
        .map(|alert| alert.as_str().unwrap().to_owned())
        .collect()
}

fn flip(shop: &Playground, more: &[&str]) {
    let flip = ["flip", "better", "--customers", "Ann", "--as", "priya"];
    shop.understudy(&[&flip, more].concat()).expect(0);
}

#[test]
fn an_override_is_in_every_report_until_the_lane_is_back_or_the_gate_agrees() {
    let shop = shop();
    // There is no evidence at all.
    flip(&shop, &["--override", "--reason", "agreed with Ann"]);
    for date in ["2026-03-01", "2026-03-02"] {
        let ended = run(&shop, date);
        let found = alerts(&ended);
        assert_eq!(found.len(), 1, "{found:?}");
        let begin = "`better`: GATE OVERRIDDEN for Ann by priya (as they said) on 20";
        assert!(found[0].starts_with(begin), "{found:?}");
        assert!(found[0].ends_with("UTC: agreed with Ann"), "{found:?}");
        assert!(ended.stderr.contains(begin), "{}", ended.stderr);
    }
    let audit = shop.understudy(&["audit", "--json"]).expect(0).stdout;
    assert_eq!(audit.matches("GATE OVERRIDDEN for Ann").count(), 2);
    // By now there is evidence, and nothing to override.
    flip(&shop, &[]);
    assert_eq!(alerts(&run(&shop, "2026-03-03")), [""; 0]);
    flip(&shop, &["--override", "--reason", "to be sure"]);
    assert_eq!(alerts(&run(&shop, "2026-03-04")), [""; 0]);
    // Another version goes live against the gate, and comes back.
    shop.write("v2.sh", &format!("true\n{COPY}"));
    flip(&shop, &["--override", "--reason", "in a hurry"]);
    let found = alerts(&run(&shop, "2026-03-05"));
    assert!(found[0].ends_with("UTC: in a hurry"), "{found:?}");
    shop.understudy(&["rollback", "better", "--all"]).expect(0);
    assert_eq!(alerts(&run(&shop, "2026-03-06")), [""; 0]);
}

#[test]
fn a_new_version_that_takes_too_long_while_it_is_live_is_told() {
    let shop = shop();
    run(&shop, "2026-03-02");
    flip(&shop, &[]);
    assert_eq!(alerts(&run(&shop, "2026-03-03")), [""; 0]);
    shop.write("slow", "");
    let found = alerts(&run(&shop, "2026-03-04"));
    assert_eq!(found.len(), 1, "{found:?}");
    let told = [
        "`better` is live for some and took 10.",
        "`max_runtime_ratio` is 3",
    ];
    for text in told {
        assert!(found[0].contains(text), "{found:?}");
    }
    let audit = shop.understudy(&["audit", "--json"]).expect(0).stdout;
    assert!(audit.contains(told[0]), "{audit}");
}
