//! What checks find and say.

use super::scene::Scene;

/// Every salary is another.
const OTHER: &str = "SELECT * REPLACE (salary + 1000 AS salary) FROM people";

fn scene(checks: &str, files: &[(&str, &str)]) -> Scene {
    let files = [&[("v2.sql", OTHER)], files].concat();
    let scene = Scene::of("{ sql: v2.sql }", &files);
    scene.playground.replace(
        "understudy.yaml",
        "    expect:\n",
        &format!("    compare:\n      staff:\n{checks}    expect:\n"),
    );
    scene
}

fn outcome(report: &serde_json::Value) -> serde_json::Value {
    report["changes"]["better"]["tasks"]["staff"]["checks"][0]["outcome"].clone()
}

#[test]
fn figures_of_masked_columns() {
    let checks = "        - metrics: { group_by: [email], measure: [{ sum: salary }, { distinct: phone }] }\n        - metrics: { group_by: [shop], measure: [{ percentile: salary, at: [0, 50] }, { mean: salary }] }\n";
    let mut scene = scene(checks, &[]);
    let found = outcome(&scene.run().expect(0).json());
    let example = &found["Ok"]["examples"][0];
    for text in [&example["old"], &example["new"], &example["what"]] {
        assert!(text.as_str().unwrap().contains("masked:"), "{example:#}");
    }
    assert!(example["delta"].is_null(), "{example:#}");
    scene.require_masked();
}

#[test]
fn rows_of_queries_in_every_disguise() {
    let query = "SELECT n.email AS shop, n.email, n.email AS id, 'x' || n.note AS note_2, upper(n.note) AS \"column\",\n\
        o.salary AS old, n.salary AS new, n.phone AS \"the phone\", struct(n.born) AS s\n\
        FROM old o JOIN new n ON o.id = n.id\n";
    let checks = "        - { name: q, sql: q.sql }\n";
    let mut scene = scene(checks, &[("q.sql", query)]);
    let found = outcome(&scene.run().expect(0).json());
    assert_eq!(found["Ok"]["unexpected"], 20, "{found:#}");
    scene.require_masked();
}

#[test]
fn queries_that_fail_with_values() {
    let query = "SELECT CAST(email AS BIGINT) AS x FROM new";
    let checks = "        - { name: q, sql: q.sql }\n";
    let mut scene = scene(checks, &[("q.sql", query)]);
    let found = outcome(&scene.run().expect(0).json());
    assert!(
        found["Err"].as_str().unwrap().contains("masked:"),
        "{found:#}"
    );
    scene.require_masked();
}

#[test]
fn programs_that_print_and_write_values() {
    let script = "import json, os, sys\n\
        rows = list(open('data/people.csv'))\n\
        print(''.join(rows)); print(''.join(rows), file=sys.stderr)\n\
        with open(os.environ['UNDERSTUDY_OUTPUT'] + '/found.jsonl', 'w') as out:\n\
        \x20   for row in rows[1:]:\n\
        \x20       json.dump({'shop': 'north', 'what': row, 'column': 'email', 'old': row.split(',')[2]}, out); out.write('\\n')\n";
    let checks = "        - { name: p, command: [python3, p.py] }\n";
    for (end, key) in [("", "Ok"), ("raise ValueError(rows[3])\n", "Err")] {
        let mut scene = scene(checks, &[("p.py", &format!("{script}{end}"))]);
        let found = outcome(&scene.run().expect(0).json());
        assert!(found[key].to_string().contains("masked:"), "{found:#}");
        scene.require_masked();
    }
}

#[test]
fn rust_comparators_that_tell_values() {
    for (way, key) in [
        ("tells", "Ok"),
        ("fails_with_values", "Err"),
        ("panics_with_values", "Err"),
    ] {
        let checks = format!("        - {{ name: r, rust: {way} }}\n");
        let mut scene = scene(&checks, &[]).with_rust_tasks();
        let found = outcome(&scene.run().expect(0).json());
        assert!(
            found[key].to_string().contains("masked:"),
            "{way}: {found:#}"
        );
        scene.require_masked();
    }
}
