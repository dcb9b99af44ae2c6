use std::fmt::Write as _;

use super::{Data, Node, parse};

/// The tree as text: quoted scalars in quotes, each node with its place.
fn shown(node: &Node) -> String {
    let mut text = format!("{}:{} ", node.mark.line, node.mark.column);
    match &*node.data {
        Data::Scalar(scalar) if scalar.plain => text.push_str(&scalar.text),
        Data::Scalar(scalar) => write!(text, "{:?}", scalar.text).unwrap(),
        Data::List(items) => write!(
            text,
            "[{}]",
            items.iter().map(shown).collect::<Vec<_>>().join(", ")
        )
        .unwrap(),
        Data::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, node)| format!("{}={}", key.text, shown(node)))
                .collect();
            write!(text, "{{{}}}", entries.join(", ")).unwrap();
        }
    }
    text
}

fn check(text: &str, expected: &str) {
    let found = match parse(text) {
        Ok(node) => shown(&node),
        Err(error) => format!("{}:{} {error}", error.mark.line, error.mark.column),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn scalars_stay_as_written() {
    check(
        "[NO, 007, 1.50, \"NO\", 'x', ~, ]",
        "1:1 [1:2 NO, 1:6 007, 1:11 1.50, 1:17 \"NO\", 1:23 \"x\", 1:28 ~]",
    );
}

#[test]
fn repeated_keys_stay() {
    check("a: 1\né: 2\na: 3\n", "1:1 {a=1:4 1, é=2:4 2, a=3:4 3}");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_read_over() {
    check("\u{feff}a: 1\r\nb: 2\r\n", "1:1 {a=1:4 1, b=2:4 2}");
}

#[test]
fn aliases_stand_for_what_they_name() {
    check("a: &x [1]\nb: *x\n", "1:1 {a=1:7 [1:8 1], b=1:7 [1:8 1]}");
}

#[test]
fn what_is_not_read_is_refused() {
    check("", "1:1 the file is empty");
    check("# nothing\n", "1:1 the file is empty");
    check("a: !!str 1", "1:10 `!!str` is a tag, and tags are not read");
    check(
        "a: &x {b: 1}\nc: {<<: *x}",
        "2:5 `<<` merges mappings, and that is not done",
    );
    check("[1]: 2", "1:3 a key must be text, not a list or a mapping");
    check(
        "a: 1\n---\nb: 2\n",
        "2:1 a second document begins here, and only one is read",
    );
    check(
        "a: &x [*x]",
        "1:8 an alias stands inside the very value that it names",
    );
}
