//! The files: bombs, and whatever else YAML has that nobody needs.

use std::fmt::Write as _;

/// All of them, by name. None is a pipeline, a list of rules or flags.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut add = |name: &str, text: String| files.push((name.to_owned(), text.into_bytes()));
    for levels in [3, 9, 30, 60] {
        add(
            &format!("billion laughs, {levels} levels"),
            laughs(levels, 9),
        );
        add(
            &format!("billion laughs in flow, {levels} levels"),
            flow_laughs(levels),
        );
        add(
            &format!("billion laughs of mappings, {levels} levels"),
            mapping_laughs(levels),
        );
    }
    for aliases in [65, 1_000, 50_000] {
        add(
            &format!("{aliases} aliases of one value"),
            format!("a: &a x\nb:\n{}", "- *a\n".repeat(aliases)),
        );
        add(
            &format!("{aliases} aliases of a long value"),
            quadratic(aliases),
        );
    }
    for depth in [33, 100, 10_000, 400_000] {
        add(
            &format!("{depth} deep lists in flow"),
            format!("a: {}{}", "[".repeat(depth), "]".repeat(depth)),
        );
        add(
            &format!("{depth} deep lists that stay open"),
            format!("a: {}", "[".repeat(depth)),
        );
        add(
            &format!("{depth} deep mappings in flow"),
            format!("a: {}x{}", "{a: ".repeat(depth), "}".repeat(depth)),
        );
        add(
            &format!("{depth} deep lists in a block"),
            format!("{}x", "- ".repeat(depth)),
        );
    }
    for depth in [33, 500] {
        let nested = (0..depth).fold(String::new(), |mut text, level| {
            let _ = writeln!(text, "{}a:", " ".repeat(level));
            text
        });
        add(&format!("{depth} deep mappings in a block"), nested);
        add(
            &format!("{depth} deep complex keys"),
            format!("{}x: y", "? ".repeat(depth)),
        );
    }
    let long = "x".repeat(2 << 20);
    add("a scalar of 2 MB", format!("pipeline: {long}\n"));
    add("a quoted scalar of 2 MB", format!("pipeline: \"{long}\"\n"));
    add("a folded scalar of 2 MB", format!("pipeline: >\n {long}\n"));
    add("a comment of 2 MB", format!("# {long}\npipeline: x\n"));
    add("2 MB of blanks", " ".repeat(2 << 20));
    add("2 MB of line breaks", "\n".repeat(2 << 20));
    add(
        "a scalar of 100 MB",
        format!("pipeline: {}\n", "x".repeat(100 << 20)),
    );
    add("a key of 900 kB", format!("{}: x\n", "k".repeat(900_000)));
    add(
        "a million small values",
        format!("a: [{}]", "1,".repeat(500_000)),
    );
    add(
        "a hundred thousand keys",
        (0..90_000).fold(String::new(), |text, key| text + &format!("k{key}: 1\n")),
    );
    add("one key ten thousand times", "a: 1\n".repeat(10_000));
    add(
        "a storm of merge keys",
        format!("a: &a {{x: 1}}\nb:\n{}", "  <<: *a\n".repeat(60)),
    );
    add(
        "a merge of a list",
        "a: &a {x: 1}\nb: {<<: [*a, *a]}\n".to_owned(),
    );
    add("many documents", "---\na: 1\n".repeat(100_000));
    add("a second document", "a: 1\n---\nb: 2\n".to_owned());
    add("a document that ends", "a: 1\n...\nb: 2\n".to_owned());
    for tag in [
        "!x",
        "!!binary",
        "!!python/object/apply:os.system",
        "!<tag:yaml.org,2002:int>",
        "!include",
        "!!set",
        "!!str",
        "!ruby/object:Gem",
    ] {
        add(&format!("the tag {tag}"), format!("pipeline: {tag} x\n"));
    }
    add("a tag on everything", format!("a: {}\n", "!a [".repeat(20)));
    add("an anchor in itself", "a: &a [*a]\n".to_owned());
    add(
        "an anchor in itself as a key",
        "a: &a {*a : 1}\n".to_owned(),
    );
    add(
        "two anchors in each other",
        "a: &a [&b [*a], *b]\n".to_owned(),
    );
    add("an anchor that is not there", "a: *b\n".to_owned());
    add(
        "an anchor many times",
        "a: &a x\n".repeat(1_000) + "b: *a\n",
    );
    add("a directive", "%YAML 1.1\n---\na: 1\n".to_owned());
    add(
        "a directive of 2,000",
        "%YAML 2000.1\n---\na: 1\n".to_owned(),
    );
    add(
        "tag directives",
        "%TAG ! tag:example.org,2000:\n".repeat(1_000) + "---\na: !x 1\n",
    );
    add("tabs", "a:\n\t- x\n".to_owned());
    add("a NUL", "pipeline: a\0b\n".to_owned());
    add(
        "control characters",
        "pipeline: a\u{1b}[2Jb\u{7}\n".to_owned(),
    );
    add(
        "bidirectional control",
        "pipeline: \u{202e}x\ntasks\u{2066}: 1\n".to_owned(),
    );
    add("an unclosed quote", "pipeline: \"x\n".to_owned());
    add("an unclosed brace", "pipeline: {x\n".to_owned());
    add("a list as a key", "[a, b]: 1\n".to_owned());
    add("nothing but an anchor", "&a\n".to_owned());
    add("null", "null\n".to_owned() + "a\n");
    add("a scalar", "just words\n".to_owned());
    add(
        "an escape beyond Unicode",
        "pipeline: \"\\U7fffffff\"\n".to_owned(),
    );
    add(
        "a number beyond any",
        format!("pipeline: {}\n", "9".repeat(10_000)),
    );
    files.push((
        "not UTF-8".to_owned(),
        b"pipeline: x\nowner: \xff\xfe\n".to_vec(),
    ));
    files.push(("UTF-16".to_owned(), b"\xff\xfep\0i\0p\0e\0".to_vec()));
    files.push(("a cut sequence".to_owned(), b"pipeline: \xe2\x82".to_vec()));
    files.push((
        "overlong UTF-8".to_owned(),
        b"pipeline: \xc0\xaf\n".to_vec(),
    ));
    files.push((
        "random bytes".to_owned(),
        (0..60_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect(),
    ));
    files
}

fn laughs(levels: usize, times: usize) -> String {
    let mut text = "a0: &a0 [lol]\n".to_owned();
    for level in 1..=levels {
        let inner = vec![format!("*a{}", level - 1); times].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{inner}]");
    }
    text
}

fn flow_laughs(levels: usize) -> String {
    let parts: Vec<String> = (1..=levels)
        .map(|level| format!("&a{level} [*a{0}, *a{0}, *a{0}]", level - 1))
        .collect();
    format!("a: [&a0 [lol], {}]\n", parts.join(", "))
}

fn mapping_laughs(levels: usize) -> String {
    let mut text = "a0: &a0 {x: lol}\n".to_owned();
    for level in 1..=levels {
        let _ = writeln!(
            text,
            "a{level}: &a{level} {{a: *a{0}, b: *a{0}, c: *a{0}}}",
            level - 1
        );
    }
    text
}

fn quadratic(aliases: usize) -> String {
    let long = "[x, y, z], ".repeat(10_000);
    format!("a: &a [{long}]\nb:\n{}", "- *a\n".repeat(aliases))
}
