//! What is dangerous, and where.

use serde_json::Value;

/// Whether a character steers a screen or the text around it.
fn steers(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn require_quiet(text: &str) {
    if let Some((at, c)) = text.char_indices().find(|(_, c)| *c != '\n' && steers(*c)) {
        let from = text.floor_char_boundary(at.saturating_sub(60));
        panic!(
            "U+{:04X} steers in {:?}",
            u32::from(c),
            &text[from..text.ceil_char_boundary(at + 60)]
        );
    }
}

/// Text for a terminal.
#[track_caller]
pub(crate) fn require_safe_screen(text: &str) {
    require_quiet(text);
}

/// JSON, which may be printed too.
#[track_caller]
pub(crate) fn require_safe_json(text: &str) {
    require_quiet(text);
    let parsed: Result<Value, _> = serde_json::from_str(text);
    assert!(parsed.is_ok(), "{parsed:?} in {text:.200}");
}

/// CSV, opened with any of the separators that spreadsheets use.
#[track_caller]
pub(crate) fn require_safe_csv(text: &str) {
    require_quiet(text);
    for separator in *b",;\t" {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(text.as_bytes());
        for record in reader.into_records() {
            for cell in &record.unwrap() {
                assert!(
                    !computes(cell),
                    "{cell:?}, opened with `{}`",
                    char::from(separator)
                );
            }
        }
    }
}

/// Whether some spreadsheet computes a cell: blanks and quotes before the sign are dropped by some. Numbers, dates and
/// times are what they are.
fn computes(cell: &str) -> bool {
    let bare = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
    let signed = bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r']);
    signed && !bare.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Markdown: outside of code there is nothing but what we write.
#[track_caller]
pub(crate) fn require_safe_markdown(text: &str) {
    require_quiet(text);
    for line in text.lines() {
        assert_eq!(
            line.matches('`').count() % 2,
            0,
            "code is not closed: {line}"
        );
        let outside: String = line.split('`').step_by(2).collect();
        let own = |c: char| c.is_alphanumeric() || " .,:;|()%–→_-*>#\"'❌⚠✅\u{fe0f}+/".contains(c);
        assert!(
            outside.chars().all(own),
            "{outside:?} is not ours in {line}"
        );
        assert!(
            !outside.contains("http") && !outside.contains("]("),
            "{line}"
        );
        let cells = line
            .split('`')
            .step_by(2)
            .map(|part| part.matches('|').count())
            .sum::<usize>();
        let inside = line
            .split('`')
            .skip(1)
            .step_by(2)
            .any(|code| code.contains('|'));
        assert!(!inside || cells == 0, "a cell is broken: {line}");
    }
}

/// HTML: no markup but ours, no address, nothing that runs, nothing that acts.
#[track_caller]
pub(crate) fn require_safe_html(page: &str) {
    require_quiet(page);
    let (head, body) = page.split_once("</style>").expect("a page has one style");
    assert!(head.contains("default-src 'none'"), "{head:.300}");
    let title = head.split_once("<title>").unwrap().1;
    let title = title.split_once("</title>").unwrap().0;
    assert!(!title.contains('<'), "{title}");
    let ours = [
        "head", "body", "html", "header", "main", "footer", "nav", "section", "h1", "h2", "h3",
        "h4", "p", "ul", "li", "dl", "dt", "dd", "div", "table", "caption", "thead", "tbody", "tr",
        "th", "td", "span", "strong", "small", "b", "i", "bdi", "code", "a", "del", "ins", "mark",
    ];
    let attributes = [
        "class",
        "id",
        "role",
        "tabindex",
        "aria-label",
        "aria-labelledby",
        "scope",
        "colspan",
        "href",
    ];
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag is closed");
        let tag = tag.trim_start_matches('/');
        let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(ours.contains(&name), "`<{tag:.80}` is not ours");
        for attribute in rest.split("=\"").filter(|part| !part.is_empty()) {
            let name = attribute.rsplit([' ', '"']).next().unwrap();
            assert!(
                name.is_empty() || attributes.contains(&name),
                "`{name}` in `<{tag:.80}`"
            );
        }
        assert!(
            !rest.contains("href=") || rest.contains("href=\"#t"),
            "{tag}"
        );
        assert!(!text.contains('>'), "{text:.80}");
    }
}

/// XML: no markup but ours, nothing that XML forbids, nothing that acts.
#[track_caller]
pub(crate) fn require_safe_xml(text: &str) {
    require_quiet(text);
    let names = [
        "?xml",
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "skipped",
        "system-out",
    ];
    for part in text.split('<').skip(1) {
        let name: String = part
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_alphanumeric() || "-?".contains(*c))
            .collect();
        assert!(names.contains(&name.as_str()), "`<{part:.60}` is not ours");
    }
    for part in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#10;", "#9;"];
        assert!(
            known.iter().any(|entity| part.starts_with(entity)),
            "`&{part:.20}`"
        );
    }
}
