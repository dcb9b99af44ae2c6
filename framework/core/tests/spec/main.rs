//! The pipeline file from outside: text in, problems as people read them out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
mod columns;
mod flags;
mod isolation;
mod lake;
mod limits;
mod mistakes;
mod reading;

use std::fmt::Write as _;

use expect_test::Expect;
use understudy_core::spec::{FileCheck, Loaded, load};

/// A file that uses every key and has nothing wrong.
const VALID: &str = include_str!("valid.yaml");

/// The files beside it.
struct Folder;

impl FileCheck for Folder {
    fn exists(&self, path: &str) -> bool {
        [
            "sql/delay_v1.sql",
            "sql/delay_v2.sql",
            "rank.py",
            "./bin/total",
        ]
        .contains(&path)
            || self.read(path).is_some()
    }

    fn read(&self, path: &str) -> Option<String> {
        match path {
            "west.txt" => Some("\u{feff}AS\r\n\r\nVX\r\n007\r\n".to_owned()),
            "checks/gone.sql" => Some("SELECT * FROM old".to_owned()),
            "empty.txt" => Some("\n\n".to_owned()),
            _ => None,
        }
    }
}

fn loaded(text: &str) -> Loaded {
    load(text, "understudy.yaml", &Folder)
}

/// The valid file with one part of it replaced.
fn with(part: &str, replacement: &str) -> String {
    assert_eq!(
        VALID.matches(part).count(),
        1,
        "{part:?} is not in the valid file exactly once"
    );
    VALID.replace(part, replacement)
}

/// What a file comes to: its problems in full, then what runs.
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&shown(&loaded(text)));
}

fn shown(loaded: &Loaded) -> String {
    let mut text = String::new();
    for problem in &loaded.problems {
        writeln!(text, "{problem}").unwrap();
    }
    match &loaded.spec {
        None => text.push_str("=> nothing runs\n"),
        Some(spec) if spec.suspended.is_empty() => text.push_str("=> everything runs\n"),
        Some(spec) => {
            let names: Vec<_> = spec.suspended.keys().map(String::as_str).collect();
            writeln!(text, "=> live runs without {}", names.join(", ")).unwrap();
        }
    }
    text
}
