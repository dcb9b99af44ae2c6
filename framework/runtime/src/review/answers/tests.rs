use std::fs;

use expect_test::{Expect, expect};

use super::*;
use crate::review::read::read;

const IDS: Ids<'_> = Ids {
    pipeline: "p",
    change: "c",
    run: "r",
};

/// `A` and `B` stand for the ids of two groups, `X` for one of another run.
fn check(text: &str, expected: &Expect) {
    let id = |ids: Ids<'_>, group: &str, until: &str| ids.id(group, until.parse().unwrap());
    let other = Ids {
        run: "other",
        ..IDS
    };
    let named = [
        ("A", id(IDS, "gbbbbbbbbbb", "2026-12-21")),
        ("a", id(IDS, "gbbbbbbbbbb", "2026-12-01")),
        ("B", id(IDS, "gcccccccccc", "2026-12-21")),
        ("X", id(other, "gbbbbbbbbbb", "2026-12-21")),
    ];
    let mut text = text.to_owned();
    for (name, id) in &named {
        text = text.replace(&format!("{name},"), &format!("{id},"));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.csv");
    fs::write(&path, text).unwrap();
    let found = answers(&read(&path, has_head).unwrap(), IDS);
    let mut lines = String::new();
    for (group, answer) in &found.answers {
        let note = answer.note.as_deref().unwrap_or("-").escape_debug();
        let (line, decision, until) = (answer.line, answer.decision.name(), answer.until);
        lines.push_str(&format!(
            "{group} line {line} {decision} until {until}: {note}\n"
        ));
    }
    let (undecided, left) = (&found.undecided, &found.notes_without_decision);
    lines.push_str(&format!("undecided {undecided:?}, notes left {left:?}\n"));
    for fault in &found.faults {
        lines.push_str(&format!("FAULT {}: {}\n", fault.line, fault.what));
    }
    for (name, id) in &named {
        lines = lines.replace(id, name);
    }
    expected.assert_eq(&lines);
}

#[test]
fn answers_are_by_group_and_notes_are_put_together() {
    check(
        "id,decision,note\nA,fine,one\nA,FINE,two\nA,,one\nB,,alone\n",
        &expect![[r#"
            gbbbbbbbbbb line 2 fine until 2026-12-21: one / two
            undecided ["gcccccccccc"], notes left [5]
        "#]],
    );
}

#[test]
fn of_two_files_that_were_put_together_the_shorter_promise_holds() {
    check(
        "id,decision,note\nA,fine,\nid,decision,note\na,fine,\n",
        &expect![[r#"
            gbbbbbbbbbb line 2 fine until 2026-12-01: -
            undecided [], notes left []
        "#]],
    );
}

#[test]
fn all_faults_come_with_their_lines() {
    check(
        "id,decision,note\nA,fine,\"a\nb\"\nA,bug,\nX,fine,\n,unsure,\nnothing,,\nB,maybe,\n",
        &expect![[r#"
            gbbbbbbbbbb line 2 fine until 2026-12-21: a\nb
            undecided [], notes left []
            FAULT 4: it says bug, and line 2 says fine to the same id
            FAULT 5: `X` is no id of this run and change
            FAULT 6: there is an answer, and no id
            FAULT 7: `nothing` is no id
            FAULT 8: `maybe` is no decision: write fine, bug or unsure, or nothing
        "#]],
    );
}

#[test]
fn a_file_without_the_columns_says_what_it_has() {
    check(
        "name,answer\nx,fine\n",
        &expect![[r#"
            undecided [], notes left []
            FAULT 1: no line has the columns `id` and `decision`; the first line has: name, answer
        "#]],
    );
    check(
        "",
        &expect![[r#"
            undecided [], notes left []
            FAULT 1: no line has the columns `id` and `decision`; it is empty
        "#]],
    );
}
