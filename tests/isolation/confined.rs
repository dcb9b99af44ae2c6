//! What is in force, what is said of it, and what becomes of a shadow where something is missing.

use serde_json::Value;

use super::scene::{AND_COPY, attack, attacked, run, shop};
use crate::playground::{COPY, Playground};

/// The isolation of the one shadow, as the run's evidence has it.
fn evidence(shop: &Playground, run: &str) -> Value {
    let evidence = shop.everything().into_iter().find(|(path, _)| {
        let path = path.to_string_lossy();
        path.contains(run) && path.ends_with("evidence/better.json")
    });
    let (_, bytes) = evidence.unwrap();
    let evidence: Value = serde_json::from_slice(&bytes).unwrap();
    evidence["isolation"]["totals v2"].clone()
}

#[test]
fn what_was_in_force_stands_in_the_evidence() {
    let attacked = attack("true").expect_verdict("identical");
    let report = attacked.ended.json();
    let isolation = evidence(&attacked.shop, report["run"].as_str().unwrap());
    let parts = isolation["parts"].as_object().unwrap();
    let names: Vec<&String> = parts.keys().collect();
    assert_eq!(
        names,
        [
            "files",
            "network",
            "processes",
            "signals",
            "privileges",
            "limits"
        ]
    );
    for (part, state) in parts {
        assert!(state.get("in_force").is_some(), "{part}: {state}");
    }
    assert_eq!(report["notes"], serde_json::json!([]));
}

#[test]
fn what_is_missing_is_told_by_the_report_and_by_status() {
    let shop = shop(AND_COPY, "");
    let ended = run(&shop, "landlock").expect(0);
    assert_eq!(ended.verdict("totals"), "identical");
    let note = "not confined fully: files: nothing is known of it (totals v2)";
    let notes = &ended.json()["notes"];
    let told = notes.as_array().unwrap().iter();
    assert!(told.clone().any(|told| told == note), "{notes}");
    let status = shop.understudy(&["status"]).expect(0).stdout;
    assert!(status.contains(&format!("NOTE: {note}")), "{status}");
    let report = shop.understudy(&["report"]).expect(0).stdout;
    assert!(report.contains("not confined fully: files"), "{report}");
}

#[test]
fn where_everything_is_required_a_missing_part_keeps_the_shadow_from_running() {
    for (part, why) in [
        ("landlock", "files: nothing is known of it"),
        (
            "namespaces",
            "processes: the PID namespace is left out on purpose; what it starts is hunted down",
        ),
    ] {
        let shop = shop(&format!("touch \"$UNDERSTUDY_OUTPUT/ran\"{AND_COPY}"), "");
        shop.replace(
            "understudy.yaml",
            "pipeline: shop",
            "pipeline: shop\nsandbox: required",
        );
        assert_eq!(run(&shop, "").expect(0).verdict("totals"), "identical");
        shop.write("v2.sh", &format!("# again\n{COPY}"));
        let attacked = attacked(shop, part);
        let verdict = attacked.verdict();
        let expected = format!(
            "inconclusive: the new version (v2) was not run: `sandbox: required`, and a part of it is missing: {why}"
        );
        assert_eq!(verdict, expected);
    }
}

#[test]
fn live_is_not_confined() {
    let shop = Playground::shop(COPY);
    shop.write("v1.sh", &format!("touch live-was-here\n{COPY}"));
    assert_eq!(shop.run(&[]).expect(0).verdict("totals"), "identical");
    assert!(shop.path("live-was-here").exists());
}

#[test]
fn the_new_version_stays_confined_while_it_is_live_for_some() {
    let shop = shop(&format!("touch new-was-here\n{AND_COPY}"), "");
    shop.replace(
        "understudy.yaml",
        "    new: { totals: v2 }\n",
        "    new: { totals: v2 }\n    gate: { clean_runs: 1, soak: 0s, min_rows: 1 }\n",
    );
    shop.run(&[]).expect(0);
    shop.understudy(&["flip", "better", "--customers", "Ann", "--reason", "test"])
        .expect(0);
    shop.run(&["--fresh"]).expect(0);
    assert!(!shop.path("new-was-here").exists());
}

#[test]
fn a_task_that_is_never_a_shadow_is_not_run_as_one() {
    let shop = Playground::shop("touch \"$UNDERSTUDY_OUTPUT/ran\"");
    shop.replace(
        "understudy.yaml",
        "    live: v1",
        "    live: v1\n    shadow: never",
    );
    let ended = shop.run(&[]).expect(0);
    assert_eq!(ended.json()["changes"], serde_json::json!({}));
    assert_eq!(
        ended.json()["suspended"]["better"][0],
        "`better` would run `totals` as a shadow, which says `shadow: never`"
    );
    let checked = shop.understudy(&["check"]).expect(2);
    assert!(
        checked.stdout.contains("shadow: never"),
        "{}",
        checked.stdout
    );
}

#[test]
fn doctor_looks_at_the_machine_alone_only_where_no_pipeline_is_named() {
    let nothing = Playground::of(&[]);
    nothing.understudy(&["doctor"]).expect(0);
    let missing = nothing.understudy(&["doctor", "no/such/folder"]).expect(2);
    assert!(
        missing.stderr.contains("no/such/folder"),
        "{}",
        missing.stderr
    );
}

#[test]
fn doctor_tries_it() {
    let shop = Playground::shop(COPY);
    let found = shop.understudy(&["doctor"]).expect(0).stdout;
    assert!(found.contains("All of it is in force."), "{found}");
    assert!(
        found.contains("ok    totals v2   cannot write to `"),
        "{found}"
    );
    let weak = |without: &str| {
        let mut command = shop.command(&["doctor", "--json"]);
        let output = command
            .env("UNDERSTUDY_SANDBOX_WITHOUT", without)
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), found)
    };
    let (code, found) = weak("landlock");
    // What it is given lets it write to the live location: nothing else stops it then.
    assert_eq!(code, 6);
    assert_eq!(found["shadows"][0]["health"], "bad");
    let trial = found["sandbox"].as_array().unwrap().last().unwrap();
    assert_eq!(
        trial["found"],
        "a shadow was tried, and COULD write outside its folders"
    );
}
