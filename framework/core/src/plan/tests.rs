//! Plans as text: a pipeline, stages, and the tree that comes out.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::customer::Customer;
use crate::digest::Digest;
use crate::snapshot::{DatasetSnapshot, FileFormat, Found, InputSnapshot};
use crate::spec::{FileCheck, load};
use crate::stage::Stage;

struct AnyFile;

impl FileCheck for AnyFile {
    fn exists(&self, _path: &str) -> bool {
        true
    }

    fn read(&self, _path: &str) -> Option<String> {
        None
    }
}

/// raw -> a -> b -> c; the change `x` gives `a` and, where a test says so, `b` a new version.
fn pipeline(changes: &str) -> String {
    let task = |name: &str, input: &str| {
        format!(
            "  {name}:\n    inputs: [{input}]\n    output: {{ location: live/{name}, grain: [id], customer: who }}\n    \
             live: v1\n    versions:\n      v1: {{ sql: {name}1.sql }}\n      v2: {{ sql: {name}2.sql }}\n"
        )
    };
    let tasks: String = [("a", "raw"), ("b", "a"), ("c", "b")]
        .map(|(name, input)| task(name, input))
        .concat();
    format!(
        "pipeline: p\ndatasets:\n  raw: {{ location: raw.parquet }}\ntasks:\n{tasks}changes:\n{changes}"
    )
}

fn planned(changes: &str, stages: &Stages) -> Plan {
    let loaded = load(&pipeline(changes), "understudy.yaml", &AnyFile);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    let spec = loaded.spec.unwrap();
    let snapshot = DatasetSnapshot {
        delta_version: None,
        missing_days: Vec::new(),
        name: "raw".into(),
        location: "raw.parquet".into(),
        format: FileFormat::Parquet,
        files: Vec::new(),
    };
    let inputs = InputSnapshot {
        tables: BTreeMap::from([("raw".to_owned(), Found::There(snapshot))]),
        externals: BTreeMap::new(),
    };
    let digest =
        |task: &str, version: &str| (version.to_owned(), Digest::of_json(&(task, version)));
    let code = spec.tasks.iter().map(|task| {
        let versions = task
            .versions
            .keys()
            .map(|version| digest(&task.name, version));
        (task.name.clone(), versions.collect())
    });
    let code = code.collect();
    plan(&PlanInput {
        spec: &spec,
        date: "2013-03-10".parse().unwrap(),
        slice: None,
        inputs: &inputs,
        stages,
        waves: &BTreeMap::new(),
        code: &code,
        repair: None,
    })
}

fn check(changes: &str, stages: &[(&str, LaneStages)], expected: &Expect) {
    let stages = Stages(
        stages
            .iter()
            .map(|(change, stages)| ((*change).to_owned(), stages.clone()))
            .collect(),
    );
    let plan = planned(changes, &stages);
    let mut text = render(&plan, &TreeFacts::default());
    text = text.replace(&plan.run, "RUN");
    expected.assert_eq(&text);
}

const X: &str = "  x:\n    new: { a: v2 }\n    downstream: [b]\n";
const X_AND_Y: &str = "  x:\n    new: { a: v2 }\n  y:\n    new: { b: v2 }\n";

fn some_live() -> LaneStages {
    LaneStages {
        lanes: BTreeMap::from([(Customer::Named("AS".into()), Stage::Live)]),
        unlisted: Stage::Shadow,
    }
}

fn all(stage: Stage) -> LaneStages {
    LaneStages {
        lanes: BTreeMap::new(),
        unlisted: stage,
    }
}

#[test]
fn at_shadow_the_old_world_is_the_live_one() {
    check(
        X,
        &[],
        &expect![[r#"
        p 2013-03-10  run RUN
        reads
        └─ raw
        live
        ├─ run a v1  reads raw  => live/a/date=2013-03-10/
        ├─ run b v1  reads a (v1)  => live/b/date=2013-03-10/
        └─ run c v1  reads b (v1)  => live/c/date=2013-03-10/
        shadow of x (all lanes at shadow)
        ├─ run a v2  reads raw
        ├─ run b v1  reads a (v2)
        ├─ compare a: v1 with v2 on (id), by who, 0 rules
        └─ compare b: v1 in both worlds on (id), by who, 0 rules"#]],
    );
}

#[test]
fn while_some_lanes_are_live_both_versions_belong_to_live() {
    check(
        X,
        &[("x", some_live())],
        &expect![[r#"
        p 2013-03-10  run RUN
        reads
        └─ raw
        live
        ├─ run a v1  reads raw
        ├─ run a v2  reads raw
        ├─ put together a by customer, as the stages of x say  => live/a/date=2013-03-10/
        ├─ run b v1  reads a  => live/b/date=2013-03-10/
        └─ run c v1  reads b (v1)  => live/c/date=2013-03-10/
        shadow of x (some lanes live)
        ├─ run b v1  reads a (v1)
        ├─ run b v1  reads a (v2)
        ├─ compare a before publishing: v1 with v2 on (id), by who, 0 rules
        ├─ compare b: v1 in both worlds on (id), by who, 0 rules
        └─ look for a leak in b: what is published with the old world on (id)"#]],
    );
}

#[test]
fn when_off_or_complete_one_version_runs() {
    check(
        X,
        &[("x", all(Stage::Off))],
        &expect![[r#"
        p 2013-03-10  run RUN
        reads
        └─ raw
        live
        ├─ run a v1  reads raw  => live/a/date=2013-03-10/
        ├─ run b v1  reads a (v1)  => live/b/date=2013-03-10/
        └─ run c v1  reads b (v1)  => live/c/date=2013-03-10/
        shadow
        └─ nothing: no change is at a stage that compares"#]],
    );
    check(
        X,
        &[("x", all(Stage::Complete))],
        &expect![[r#"
        p 2013-03-10  run RUN
        reads
        └─ raw
        live
        ├─ run a v2  reads raw  => live/a/date=2013-03-10/
        ├─ run b v1  reads a (v2)  => live/b/date=2013-03-10/
        └─ run c v1  reads b (v1)  => live/c/date=2013-03-10/
        shadow
        └─ nothing: no change is at a stage that compares"#]],
    );
}

#[test]
fn two_changes_are_each_compared_in_the_live_world_of_the_other() {
    check(
        X_AND_Y,
        &[("x", some_live())],
        &expect![[r#"
        p 2013-03-10  run RUN
        reads
        └─ raw
        live
        ├─ run a v1  reads raw
        ├─ run a v2  reads raw
        ├─ put together a by customer, as the stages of x say  => live/a/date=2013-03-10/
        ├─ run b v1  reads a  => live/b/date=2013-03-10/
        └─ run c v1  reads b (v1)  => live/c/date=2013-03-10/
        shadow of x (some lanes live)
        └─ compare a before publishing: v1 with v2 on (id), by who, 0 rules
        shadow of y (all lanes at shadow)
        ├─ run b v2  reads a
        └─ compare b: v1 with v2 on (id), by who, 0 rules"#]],
    );
}

#[test]
fn a_change_over_two_tasks_moves_as_one() {
    check(
        "  x:\n    new: { a: v2, b: v2 }\n",
        &[("x", some_live())],
        &expect![[r#"
        p 2013-03-10  run RUN
        reads
        └─ raw
        live
        ├─ run a v1  reads raw
        ├─ run a v2  reads raw
        ├─ put together a by customer, as the stages of x say  => live/a/date=2013-03-10/
        ├─ run b v1  reads a (v1)
        ├─ run b v2  reads a (v2)
        ├─ put together b by customer, as the stages of x say  => live/b/date=2013-03-10/
        └─ run c v1  reads b  => live/c/date=2013-03-10/
        shadow of x (some lanes live)
        ├─ compare a before publishing: v1 with v2 on (id), by who, 0 rules
        └─ compare b before publishing: v1 with v2 on (id), by who, 0 rules"#]],
    );
}

#[test]
fn the_run_id_depends_on_code_inputs_stages_and_date_and_on_nothing_else() {
    let with_rules = "  x:\n    new: { a: v2 }\n    downstream: [b]\n    expect:\n      a:\n        - { columns: [n], within: 5% }\n";
    let plain = planned(X, &Stages::default());
    assert_eq!(plain.run, planned(with_rules, &Stages::default()).run);
    let live = Stages(BTreeMap::from([("x".to_owned(), some_live())]));
    assert_ne!(plain.run, planned(X, &live).run);
    assert_ne!(plain.run, planned(X_AND_Y, &Stages::default()).run);
}

#[test]
fn a_leak_is_looked_for_only_while_some_lanes_are_live_and_others_not() {
    let leaks = |changes: &str, stages: LaneStages| {
        let plan = planned(changes, &Stages(BTreeMap::from([("x".to_owned(), stages)])));
        plan.leaks
    };
    for stage in [Stage::Off, Stage::Shadow, Stage::Live, Stage::Complete] {
        assert_eq!(leaks(X, all(stage)), [], "{stage}");
    }
    assert_eq!(leaks("  x:\n    new: { a: v2 }\n", some_live()), []);
    assert_eq!(leaks(X, some_live()).len(), 1);
}

#[test]
fn of_the_rules_only_those_that_ignore_hold_for_a_leak() {
    let rules = "    expect:\n      b:\n        - { columns: [n], within: 5% }\n        - { columns: [at], ignore: true, reason: a clock }\n";
    let plan = planned(
        &format!("{X}{rules}"),
        &Stages(BTreeMap::from([("x".to_owned(), some_live())])),
    );
    let [leak] = plan.leaks.as_slice() else {
        panic!("{:?}", plan.leaks)
    };
    assert_eq!(leak.rules.len(), 1);
    assert_eq!(leak.rules[0].columns.as_deref(), Some(&["at".into()][..]));
    // What is published on the one side, what would be without the change on the other.
    assert_eq!(leak.new, plan.publications[1].node);
    assert_eq!(leak.old, plan.comparisons[1].old);
}
