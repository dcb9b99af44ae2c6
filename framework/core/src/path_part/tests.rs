//! Names that are meant to leave their folder, to meet another name, or to be no file at all.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{MAX_PATH_PART_BYTES, decode, encode, fits};
use crate::spec::{FileCheck, load};

/// Names of every kind that has hurt somebody.
const ODD: &[&str] = &[
    "",
    ".",
    "..",
    "...",
    "../x",
    "..\\x",
    "a/b",
    "a\\b",
    "/",
    "//",
    "/proc/self/root",
    "/proc/self/root/etc/passwd",
    "~",
    "~root",
    "$HOME",
    "`id`",
    "$(id)",
    "a\0b",
    "\0",
    "\n",
    "a\nb",
    "\r",
    "\t",
    " ",
    " a",
    "a ",
    "a.",
    ".a",
    "a.b.",
    "%",
    "%%",
    "%2e",
    "%2E",
    "%2e%2e",
    "%2F",
    "%252F",
    "%25252e",
    "%c0%ae",
    "..%2f..",
    "..;/",
    "con",
    "CON",
    "con.txt",
    "nul",
    "NUL",
    "nul.json",
    "prn",
    "aux",
    "aux.h",
    "com1",
    "com9.log",
    "lpt0",
    "lpt1",
    "COM¹",
    "conin$",
    "clock$",
    "a:b",
    "a::$DATA",
    "C:",
    "C:\\x",
    "\\\\server\\share",
    "\\\\?\\C:\\",
    "é",
    "e\u{301}",
    "Å",
    "\u{212b}",
    "A\u{30a}",
    "ß",
    "ẞ",
    "SS",
    "ı",
    "I",
    "i",
    "İ",
    "\u{202e}txt.exe",
    "\u{2066}x\u{2069}",
    "\u{200b}",
    "\u{feff}",
    "a\u{200d}b",
    "A",
    "a",
    "Ab",
    "aB",
    "AB",
    "-rf",
    "--",
    "-",
    "_",
    "*",
    "?",
    "a*b",
    "[a]",
    "{a}",
    "a|b",
    "a>b",
    "<a",
    "\"a\"",
    "'a'",
    "data.parquet",
    "run.json",
    "logs",
    "evidence",
    "events.jsonl",
    "head.json",
    "date=2026-01-01",
    "slice=x",
    "run=1",
    "file:///etc/passwd",
    "s3://bucket/key",
    "https://example.org/?a=b#c",
    "a&b=c",
    "a+b",
    "日本",
    "👩\u{200d}🚀",
];

/// 5,000 of them: the odd ones as they are, encoded, encoded twice, one in another, and long ones.
fn many() -> Vec<String> {
    let mut names: Vec<String> = ODD.iter().map(|name| (*name).to_owned()).collect();
    names.extend(ODD.iter().map(|name| encode(name)));
    names.extend(ODD.iter().map(|name| encode(&encode(name))));
    names.extend(ODD.iter().map(|name| name.to_uppercase()));
    for length in [100, 126, 127, 128, 129, 255, 256, 4_096, 10_000] {
        names.extend(
            ODD.iter()
                .filter(|name| !name.is_empty())
                .map(|name| name.chars().cycle().take(length).collect()),
        );
    }
    let pairs = ODD
        .iter()
        .flat_map(|left| ODD.iter().map(move |right| format!("{left}{right}")));
    names.extend(pairs);
    names.sort();
    names.dedup();
    names.truncate(5_000);
    names
}

/// What is dangerous in a part of a path, on any system that we know.
#[track_caller]
fn require_safe(name: &str, part: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-%~".contains(&byte);
    assert!(part.bytes().all(plain), "{name:?} is {part:?}");
    assert!(
        !part.is_empty() && part.len() <= MAX_PATH_PART_BYTES,
        "{name:?} is {part:?}"
    );
    assert!(
        !part.starts_with('.') && !part.ends_with('.'),
        "{name:?} is {part:?}"
    );
    let stem = part.split('.').next().unwrap().to_lowercase();
    let devices = ["con", "prn", "aux", "nul"];
    let numbered = (0..10).flat_map(|n| [format!("com{n}"), format!("lpt{n}")]);
    assert!(!devices.contains(&&*stem), "{name:?} is {part:?}");
    assert!(
        !numbered.into_iter().any(|device| device == stem),
        "{name:?} is {part:?}"
    );
}

#[test]
fn plain_names_stay() {
    for name in [
        "carrier_delay-v2.1",
        "0",
        "a",
        "consul",
        "com",
        "com10",
        "nulls.x",
    ] {
        assert_eq!(encode(name), name);
    }
}

#[test]
fn names_have_these_parts() {
    let check = |name: &str, part: &str| assert_eq!(encode(name), part);
    check("UTC delays", "%55%54%43%20delays");
    check("..", "%2E%2E");
    check("", "%");
    check("con", "%63on");
    check("nul.json", "%6Eul.json");
    check("a.", "a%2E");
}

#[test]
fn five_thousand_odd_names_are_safe_apart_and_come_back() {
    let names = many();
    assert_eq!(names.len(), 5_000);
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for name in &names {
        let part = encode(name);
        require_safe(name, &part);
        // A file system that takes `A` for `a` keeps them apart as well.
        let other = taken.insert(part.to_lowercase(), name);
        assert_eq!(other, None, "{name:?} is {part:?}");
        let back = decode(&part);
        assert_eq!(
            back.as_deref(),
            fits(name).then_some(name.as_str()),
            "{name:?} is {part:?}"
        );
    }
    assert!(names.iter().any(|name| !fits(name)));
}

/// A pipeline in which one kind of thing has an odd name: all others have plain ones.
fn pipeline(kind: usize, name: &str) -> String {
    let quoted = serde_json::to_string(name).unwrap();
    let plain = [
        "p", "orders", "totals", "v2", "better", "ann", "north", "amount", "a rule", "id",
    ];
    let mut names = plain.map(|name| format!("\"{name}\""));
    names[kind] = quoted;
    let [
        pipeline,
        dataset,
        task,
        version,
        change,
        customer,
        slice,
        column,
        rule,
        key,
    ] = names;
    format!(
        "\
pipeline: {pipeline}
datasets: {{ {dataset}: {{ location: data.csv, columns: {{ {column}: mask }} }} }}
slices: {{ {slice}: [{customer}] }}
tasks:
  {task}:
    inputs: [{dataset}]
    output: {{ location: live/x, grain: [{key}], customer: customer }}
    live: v1
    versions: {{ v1: {{ sql: a.sql }}, {version}: {{ sql: a.sql }} }}
changes:
  {change}:
    new: {{ {task}: {version} }}
    expect: {{ {task}: [{{ name: {rule}, columns: [{column}], customers: [{customer}], within: 1 }}] }}
"
    )
}

struct AnyFile;

impl FileCheck for AnyFile {
    fn exists(&self, _: &str) -> bool {
        true
    }

    fn read(&self, _: &str) -> Option<String> {
        Some(String::new())
    }
}

/// Whatever is named so is read, or refused with its place and what to do; and what is read has a safe path of its own.
#[test]
fn five_thousand_odd_names_of_everything() {
    let (mut read, mut refused) = (0, 0);
    for name in many() {
        for kind in 0..10 {
            let text = pipeline(kind, &name);
            let loaded = load(&text, "understudy.yaml", &AnyFile);
            for problem in &loaded.problems {
                assert!(problem.line > 0 && problem.column > 0 && !problem.fix.is_empty());
                assert!(
                    !problem
                        .to_string()
                        .contains(|c| c != '\n' && crate::visible::acts(c))
                );
            }
            match loaded.spec {
                None => {
                    refused += 1;
                    assert!(!loaded.problems.is_empty(), "{kind} {name:?}");
                }
                Some(spec) => {
                    read += 1;
                    let tasks = spec
                        .tasks
                        .iter()
                        .flat_map(|task| task.versions.keys().chain([&task.name]));
                    let names = tasks
                        .chain(spec.datasets.keys())
                        .chain(spec.changes.keys())
                        .chain(spec.slices.keys());
                    for name in names {
                        require_safe(name, &encode(name));
                        assert!(fits(name), "{name:?} is read and has no path that says it");
                    }
                }
            }
        }
    }
    assert!(
        read > 20_000 && refused > 9_000,
        "{read} read, {refused} refused"
    );
}

#[test]
fn what_nobody_encoded_is_no_name() {
    for part in ["%2", "%zz", "%2f", "%~0", "%FF", "a%"] {
        assert_eq!(decode(part), None, "{part}");
    }
}

proptest! {
    #[test]
    fn any_name_is_safe_and_comes_back(name in any::<String>()) {
        let part = encode(&name);
        require_safe(&name, &part);
        prop_assert_eq!(decode(&part), fits(&name).then(|| name.clone()));
    }

    #[test]
    fn two_names_have_two_parts(left in ".{0,6}", right in ".{0,6}") {
        prop_assert_eq!(left == right, encode(&left).eq_ignore_ascii_case(&encode(&right)));
    }
}
