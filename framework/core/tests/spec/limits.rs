//! No text takes long, and none panics.

use std::collections::BTreeSet;

use proptest::prelude::*;
use understudy_core::spec::{InputSource, Scope, Table};

use crate::{VALID, loaded};

/// The message of a text's only problem.
fn refusal(text: &str) -> String {
    let loaded = loaded(text);
    assert!(loaded.spec.is_none());
    assert_eq!(loaded.problems.len(), 1, "{:?}", loaded.problems);
    loaded.problems[0].message.clone()
}

#[test]
fn aliases_of_aliases() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = level - 1;
        let aliases = vec![format!("*a{below}"); 5].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(refusal(&bomb), "the file has more than 100000 values");
}

#[test]
fn many_aliases() {
    let aliases = vec!["*x"; 65].join(", ");
    assert_eq!(
        refusal(&format!("a: &x 1\nb: [{aliases}]\n")),
        "the file has more than 64 aliases"
    );
}

#[test]
fn deep_nesting() {
    for text in [
        "[".repeat(200_000),
        "- ".repeat(200_000),
        "{a: ".repeat(100_000),
        "? ".repeat(100_000),
    ] {
        refusal(&text);
    }
}

#[test]
fn nesting_by_alias() {
    let deep = format!("{}1{}", "[".repeat(20), "]".repeat(20));
    assert_eq!(
        refusal(&format!(
            "a: &x {deep}\nb: {}*x{}\n",
            "[".repeat(20),
            "]".repeat(20)
        )),
        "lists and mappings stand more than 32 deep in each other",
    );
}

#[test]
fn size() {
    assert_eq!(
        refusal(&"a".repeat((1 << 20) + 1)),
        "the file has 1048577 bytes; at most 1048576 are read"
    );
}

#[test]
fn many_problems_are_still_told_fast() {
    let unknown: String = (0..20_000)
        .map(|number| format!("k{number}: 1\n"))
        .collect();
    assert_eq!(loaded(&format!("{VALID}{unknown}")).problems.len(), 20_000);
}

#[test]
fn many_names_in_one_line() {
    let columns: Vec<_> = (0..30_000).map(|number| format!("c{number}")).collect();
    let text = VALID.replace(
        "grain: [carrier, origin]",
        &format!("grain: [{}]", columns.join(", ")),
    );
    assert!(loaded(&text).spec.is_some());
}

/// An edit of a text: some characters at a place become others.
fn edit() -> impl Strategy<Value = (usize, usize, String)> {
    let pieces = prop_oneof![
        "[\\[\\]{}:,#&*!|>'\"%@`~\\-? \t\n]{0,4}",
        "[a-z0-9.=]{0,6}",
        Just("null".to_owned()),
        Just("<<: ".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\u{85}é\u{2028}".to_owned()),
        Just("9999999999999999999999d".to_owned()),
        Just("v1".to_owned()),
        Just("delay".to_owned()),
        Just("rank".to_owned()),
        Just(", total".to_owned()),
    ];
    (0..VALID.chars().count(), 0..12_usize, pieces)
}

fn edited(edits: &[(usize, usize, String)]) -> String {
    let mut text: Vec<char> = VALID.chars().collect();
    for (at, removed, piece) in edits {
        let at = (*at).min(text.len());
        let end = (at + removed).min(text.len());
        text.splice(at..end, piece.chars());
    }
    text.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the text: no panic, places that are in it, and a pipeline exactly where no problem stops it.
    #[test]
    fn any_edit_is_read(edits in prop::collection::vec(edit(), 1..5)) {
        let text = edited(&edits);
        let loaded = loaded(&text);
        let stops = loaded.problems.iter().any(|problem| problem.scope == Scope::Pipeline);
        prop_assert_eq!(loaded.spec.is_none(), stops);
        for problem in &loaded.problems {
            prop_assert!(problem.line >= 1 && problem.column >= 1 && problem.line <= text.lines().count() + 1);
            prop_assert!(!problem.message.is_empty() && !problem.fix.is_empty());
        }
        if let Some(spec) = loaded.spec {
            let mut computed = BTreeSet::new();
            for task in &spec.tasks {
                for input in &task.inputs {
                    let is_there = match &input.source {
                        InputSource::Stored(stored) => match &stored.table {
                            Table::Dataset(name) => spec.datasets.contains_key(name),
                            Table::Published(name) => spec.task(name).is_some(),
                        },
                        InputSource::Task(name) => computed.contains(name),
                    };
                    prop_assert!(is_there, "{input:?} of {}", task.name);
                }
                computed.insert(task.name.clone());
                prop_assert!(task.versions.contains_key(&task.live));
                prop_assert!(!task.output.grain.is_empty());
            }
            for change in spec.changes.values() {
                prop_assert!(!spec.suspended.contains_key(&change.name));
                for (task, version) in &change.new {
                    prop_assert!(spec.task(task).unwrap().versions.contains_key(version));
                }
            }
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        loaded(&text);
    }
}
