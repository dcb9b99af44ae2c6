use std::collections::BTreeMap;

use understudy_core::comparison::{
    CheckFinding, CheckFindings, CheckFound, ColumnCounts, Comparison, CustomerCounts, RowCounts,
    RuleCounts, SchemaDifference,
};
use understudy_core::customer::Customer;
use understudy_core::judge::lanes::TaskVerdict;
use understudy_core::rule::DifferenceKind;
use understudy_core::run::Usage;
use understudy_core::stage::{LaneStages, Stage};
use understudy_core::world::Side;

use super::*;
use crate::report::files::diff::DiffFiles;
use crate::report::files::example::{Example, ExampleCell, NamedText};
use crate::report::files::group::Group;
use crate::report::model::{LiveReport, LiveStatus, RUN_REPORT_FORMAT, ReuseReport, TaskFiles};

/// How much of everything a task has, and what it is called.
#[derive(Clone)]
struct Much {
    customers: usize,
    columns: usize,
    rules: usize,
    groups: usize,
    name: String,
}

impl Much {
    fn little() -> Self {
        Self {
            customers: 3,
            columns: 2,
            rules: 2,
            groups: 2,
            name: "one".into(),
        }
    }

    fn named(&self, position: usize) -> String {
        format!("{}{position}", self.name)
    }
}

fn example(much: &Much, position: usize) -> Example {
    Example {
        customer: Customer::Named(much.named(position)),
        key: vec![NamedText {
            column: much.named(1),
            text: Some(much.named(2)),
        }],
        kind: DifferenceKind::Changed,
        cells: vec![ExampleCell {
            column: much.named(3),
            old: Some(format!("{} is 10:00", much.name)),
            new: Some(format!("{} is 10:30", much.name)),
            delta: None,
            delta_pct: Some("-99.97".into()),
        }],
    }
}

fn comparison(much: &Much) -> Comparison {
    let counts = CustomerCounts {
        old: 10,
        new: 10,
        changed: 3,
        expected: 1,
        unexpected: 2,
        ..Default::default()
    };
    let customer = |position| Customer::Named(much.named(position));
    let some = |many: usize| 0..many;
    Comparison {
        rows: RowCounts {
            old: 10,
            new: 10,
            matched: 1_000_000,
            changed: 3,
            unexpected: 999_999,
            ..Default::default()
        },
        columns: some(much.columns)
            .map(|position| ColumnCounts {
                name: much.named(position),
                changed: 5,
                unexpected: position as u64 % 5,
            })
            .collect(),
        schema: vec![SchemaDifference {
            column: much.named(0),
            kind: DifferenceKind::TypeChanged,
            old: Some("Int64".into()),
            new: Some("Utf8".into()),
            rule: None,
        }],
        customers: some(much.customers)
            .map(|position| (customer(position), counts))
            .collect(),
        rules: some(much.rules)
            .map(|position| RuleCounts {
                name: much.named(position),
                differences: position as u64,
                customers: [(customer(0), 1)].into(),
                exceeded: (position == 1).then_some(77),
                unmet: if position == 0 {
                    [customer(0)].into()
                } else {
                    Default::default()
                },
                ..Default::default()
            })
            .collect(),
        checks: vec![
            CheckFound {
                name: much.named(0),
                kind: DifferenceKind::Metric,
                outcome: Err(much.name.clone()),
            },
            CheckFound {
                name: much.named(1),
                kind: DifferenceKind::Check,
                outcome: Ok(CheckFindings {
                    looked_at: 9,
                    unexpected: 1,
                    examples: vec![CheckFinding {
                        customer: Some(customer(0)),
                        column: None,
                        what: much.name.clone(),
                        old: Some(much.named(1)),
                        new: None,
                        delta: Some(much.name.clone()),
                        rule: None,
                    }],
                    ..Default::default()
                }),
            },
        ],
        ..Default::default()
    }
}

fn task(much: &Much) -> TaskReport {
    let found = comparison(much);
    let verdict = TaskVerdict {
        verdict: Verdict::Unexpected,
        reasons: vec![much.name.clone()],
        customers: found
            .customers
            .keys()
            .map(|customer| (customer.clone(), Verdict::Unexpected))
            .collect(),
    };
    let versions = [much.named(1), much.named(2)];
    let mut report = TaskReport::new(versions, &verdict, Some(&found), |_| {
        (Stage::Live, Side::New)
    });
    report.notes = vec![much.name.clone()];
    report.usage = Some([Usage::default(); 2]);
    report.files = Some(TaskFiles {
        folder: format!("store/{}", much.name),
        diff: DiffFiles {
            lines: 20_000_000,
            unexpected_lines: 20_000_000,
            csv_lines: 10_485_750,
            csv_files: 10,
            csv_complete: false,
            examples: (0..15).map(|position| example(much, position)).collect(),
            groups: (0..much.groups)
                .map(|position| Group {
                    id: much.named(position),
                    what: format!("{} +30 min", much.name),
                    kind: DifferenceKind::Changed,
                    column: Some(much.named(position)),
                    differences: 450,
                    customers: (0..much.customers.min(100))
                        .map(|position| (Customer::Named(much.named(position)), 7))
                        .collect(),
                    more_customers: 5,
                    allowance: None,
                    bug: None,
                    is_rest: false,
                    examples: (0..5).map(|position| example(much, position)).collect(),
                })
                .collect(),
        },
    });
    report
}

fn change(much: &Much, tasks: usize) -> ChangeReport {
    let tasks: BTreeMap<String, TaskReport> = (0..tasks)
        .map(|position| (much.named(position), task(much)))
        .collect();
    ChangeReport {
        verdict: Verdict::Unexpected,
        stages: LaneStages::default(),
        fallbacks: Vec::new(),
        leaks: Vec::new(),
        tasks,
        page: None,
    }
}

fn run(much: &Much) -> RunReport {
    RunReport {
        version: RUN_REPORT_FORMAT,
        pipeline: much.name.clone(),
        run: much.name.clone(),
        date: "2013-03-10".parse().unwrap(),
        slice: Some(much.name.clone()),
        live: LiveReport {
            status: LiveStatus::Published,
            outputs: BTreeMap::new(),
            reasons: Vec::new(),
            wall_ms: 1_210,
        },
        changes: BTreeMap::new(),
        suspended: BTreeMap::new(),
        alerts: vec![much.name.clone()],
        notes: vec![much.name.clone()],
        reuse: ReuseReport::default(),
        wall_ms: 8_000,
        busy_ms: 7_000,
        next: None,
    }
}

fn page_of(much: &Much, tasks: usize) -> String {
    of_change(&run(much), &much.name, &change(much, tasks))
}

/// The tags of a page, each with its attributes. That there are no others follows from how text is escaped.
fn tags(page: &str) -> Vec<&str> {
    let body = page.split_once("</style>").unwrap().1;
    let tags = body.split('<').skip(1);
    tags.map(|tag| tag.split_once('>').unwrap().0).collect()
}

#[test]
fn the_order_is_verdict_figures_columns_customers_rules_groups_examples() {
    let page = page_of(&Much::little(), 1);
    let parts = [
        "<strong>✗ UNEXPECTED.</strong>",
        "To look at first",
        "<dl>",
        "<h3>Columns</h3>",
        "<h3>Schema</h3>",
        "<h3>Customers</h3>",
        "<h3>Rules</h3>",
        "<h3>Checks</h3>",
        "grouped</h3>",
        "<h3>Examples",
        "<h3>Notes</h3>",
        "<h3>Files</h3>",
    ];
    let places: Vec<_> = parts
        .map(|part| {
            page.find(part)
                .unwrap_or_else(|| panic!("no {part}: {page}"))
        })
        .into();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn it_says_what_is_there() {
    let page = page_of(&Much::little(), 1);
    for part in [
        "999,999 of 1,000,000 rows (99.9999 %) differ in ways that no rule allows, of 3 of 3 customers; 3 more differ as expected.",
        "10:<del>0</del>0",
        "10:<ins>3</ins>0",
        "-99.97 %",
        "? NOT CHECKED",
        "it would allow 77 rows, more than it may",
        "✗ must change</span>, and did not: one0.",
        "one0 +30 min",
        "diff-10.csv",
        "The CSV has 10,485,750 of 20,000,000 differences",
        "ALERT: one",
    ] {
        let part = part.replace("one0 +30", "one +30");
        assert!(page.contains(&part), "no {part}: {page}");
    }
}

#[test]
fn it_is_small_however_much_differs() {
    let much = Much {
        customers: 100_000,
        columns: 2_000,
        rules: 2_000,
        groups: 500,
        name: "a name of a usual length ".into(),
    };
    let page = page_of(&much, 1);
    assert!(page.len() < 200_000, "{} bytes", page.len());
    assert!(
        page.contains("and <") || page.contains("and 99,960 more unexpected"),
        "{page}"
    );
    assert!(page.contains("customers.csv"), "says where the others are");
    // Every text as long as it may be and every character as long as one gets, in many tasks.
    let worst = Much {
        customers: 50,
        columns: 60,
        rules: 60,
        groups: 20,
        name: "\u{e0041}".repeat(500),
    };
    let page = page_of(&worst, 300);
    assert!(page.len() < 3 * MAX_BYTES, "{} bytes", page.len());
    assert!(page.contains("The page ends here"));
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn nothing_from_data_is_markup() {
    for hostile in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><svg onload=alert(1)>",
        "--><iframe src=javascript:alert(1)>",
        "{{7*7}} ${7*7} &lt;script&gt;",
        "\u{202e}\u{0}\u{1b}[31m\n<b>",
    ] {
        let much = Much {
            name: hostile.into(),
            ..Much::little()
        };
        let page = page_of(&much, 2);
        for tag in tags(&page) {
            let name = tag.trim_start_matches('/').split(' ').next().unwrap();
            assert!(OURS.contains(&name), "<{tag}> is not ours: {hostile}");
            let inside = tag.to_lowercase();
            let harmless =
                !inside.contains(" on") && !inside.contains("src=") && !inside.contains("style=");
            assert!(harmless, "<{tag}>");
            assert!(
                !inside.contains("href=") || inside.contains("href=\"#t"),
                "<{tag}>"
            );
        }
        let title = page.split_once("<title>").unwrap().1;
        assert!(!title.split_once("</title>").unwrap().0.contains('<'));
    }
}

const OURS: &[&str] = &[
    "a", "b", "bdi", "body", "caption", "code", "dd", "del", "div", "dl", "dt", "footer", "h1",
    "h2", "h3", "h4", "head", "header", "html", "i", "ins", "li", "main", "mark", "nav", "p",
    "section", "small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
];

#[test]
fn what_is_opened_is_closed() {
    let page = page_of(&Much::little(), 3);
    let mut open = Vec::new();
    for tag in tags(&page)
        .into_iter()
        .filter(|tag| !["/head", "/body", "/html", "body"].contains(tag))
    {
        let name = tag.split(' ').next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{open:?}"),
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_policy_names_the_one_style_and_forbids_the_rest() {
    // From RFC 6234's test of nothing.
    assert_eq!(digest(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    let page = page_of(&Much::little(), 1);
    let policy = format!(
        "content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{}'\"",
        digest(STYLE)
    );
    assert!(page.contains(&policy), "{page}");
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    assert_eq!(page.matches("<style>").count(), 1);
}

#[test]
fn a_mark_tells_what_looks_the_same() {
    let much = Much::little();
    let mut report = task(&much);
    if let Some(files) = &mut report.files {
        files.diff.groups.clear();
        let mut example = example(&much, 0);
        example.cells[0].old = Some("caf\u{e9} \u{202e}x".into());
        example.cells[0].new = Some("cafe\u{301} x".into());
        files.diff.examples = vec![example];
    }
    let mut out = Markup::default();
    examples::show(&mut out, &report);
    let shown = out.into_text();
    assert!(shown.contains("caf<del>\u{e9}"), "{shown}");
    assert!(
        shown.contains("<b class=\"c\">&lt;U+202E&gt;</b>"),
        "{shown}"
    );
    assert!(shown.contains("U+0065 U+0301"), "{shown}");
    assert!(shown.contains("U+00E9"), "{shown}");
}

#[test]
fn null_and_emptiness_are_words() {
    let much = Much::little();
    let mut report = task(&much);
    if let Some(files) = &mut report.files {
        files.diff.groups.clear();
        let mut example = example(&much, 0);
        example.cells[0].old = None;
        example.cells[0].new = Some(String::new());
        files.diff.examples = vec![example];
    }
    let mut out = Markup::default();
    examples::show(&mut out, &report);
    let shown = out.into_text();
    assert!(
        shown.contains("<del><i>NULL</i></del></td><td><ins><i>empty text</i></ins>"),
        "{shown}"
    );
}
