//! What versions say when they fail, and what programs print.

use super::scene::{Scene, logs, people};
use crate::playground::Ended;

/// Runs a new version that fails, or speaks, and looks for what it said.
#[track_caller]
fn check(new: &str, files: &[(&str, &str)], says: &str) -> Ended {
    let mut scene = Scene::of(new, files);
    let ended = scene.run();
    require(&scene, &ended, says);
    ended
}

#[track_caller]
fn require(scene: &Scene, ended: &Ended, says: &str) {
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert!(text.contains(says), "`{says}` is not said: {text}");
    assert_ne!(ended.code, 70);
    scene.require_masked();
}

#[test]
fn casts_that_fail() {
    for column in ["email", "note", "phone"] {
        let sql = format!(
            "SELECT id, shop, email, CAST({column} AS BIGINT) AS note, salary, born, phone FROM people"
        );
        check("{ sql: v2.sql }", &[("v2.sql", &sql)], "failed in `v2.sql`");
    }
    let dates =
        "SELECT id, shop, email, note, salary, CAST(note AS DATE) AS born, phone FROM people";
    check(
        "{ sql: v2.sql }",
        &[("v2.sql", dates)],
        "failed in `v2.sql`",
    );
    let stamps =
        "SELECT id, shop, email, note, salary, to_timestamp(phone) AS born, phone FROM people";
    check(
        "{ sql: v2.sql }",
        &[("v2.sql", stamps)],
        "failed in `v2.sql`",
    );
    let keys = "SELECT id, shop, arrow_cast(email, 'Int32') AS email, note, salary, born, phone FROM people";
    check("{ sql: v2.sql }", &[("v2.sql", keys)], "failed in `v2.sql`");
}

#[test]
fn arithmetic_that_fails() {
    let sql =
        "SELECT id, shop, email, CAST(salary AS SMALLINT) AS note, salary, born, phone FROM people";
    check("{ sql: v2.sql }", &[("v2.sql", sql)], "failed in `v2.sql`");
    let sql = "SELECT id / (id - id) AS id, shop, email, note, salary, born, phone FROM people";
    let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", sql)]);
    scene.run();
    scene.require_nothing_in_clear();
}

#[test]
fn keys_that_stand_twice() {
    let sql = "SELECT * FROM people UNION ALL SELECT id, shop, email, note, salary + 1 AS salary, born, phone FROM people WHERE id % 2 = 0";
    check("{ sql: v2.sql }", &[("v2.sql", sql)], "unexpected");
}

/// Prints its rows as programs do, to both streams, then ends so.
fn speaker(end: &str) -> String {
    format!(
        "\
import csv, glob, json, os, sys
rows = list(csv.DictReader(open(glob.glob(os.environ['UNDERSTUDY_INPUT_PEOPLE'] + '/*.csv')[0], encoding='utf-8')))
for stream in (sys.stdout, sys.stderr):
    for row in rows:
        print(row, file=stream)
        print(json.dumps(row), file=stream)
        print(json.dumps(row, ensure_ascii=False), file=stream)
        print(*row.values(), sep='|', file=stream)
        print(row['note'].upper(), repr(row['note']), ascii(row['note']), file=stream)
        print(float(row['salary']), row['born'].replace('-', '-'), file=stream)
    stream.flush()
{end}
"
    )
}

const PYTHON: &str = "{ command: [python3, v2.py], inputs: csv }";
const HAND_ON: &str = "\
with open(os.environ['UNDERSTUDY_OUTPUT'] + '/rows.csv', 'w', newline='', encoding='utf-8') as file:
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)";

#[test]
fn a_program_that_prints_its_rows() {
    for (end, says) in [
        ("sys.exit(3)", "standard error"),
        ("raise ValueError(rows[3]['note'])", "standard error"),
        (HAND_ON, "identical"),
        ("os.kill(os.getpid(), 9)", "failed"),
        ("os.abort()", "failed"),
    ] {
        let mut scene = Scene::of(PYTHON, &[("v2.py", &speaker(end))]);
        let ended = scene.run();
        require(&scene, &ended, says);
        let logs = logs(&scene.playground);
        let of_v2 = logs
            .iter()
            .filter(|path| path.to_string_lossy().contains("v2"));
        assert!(of_v2.count() >= 2, "its logs are kept: {logs:?}");
        assert!(
            scene.tokens_in("/logs/") > 100,
            "{}",
            scene.tokens_in("/logs/")
        );
    }
}

#[test]
fn a_program_that_prints_and_is_ended() {
    let mut scene = Scene::of(
        "{ command: [python3, v2.py], inputs: csv, limits: { wall: 3s } }",
        &[("v2.py", &speaker("import time\ntime.sleep(60)"))],
    );
    let ended = scene.run();
    require(&scene, &ended, "ran past its limit");
}

#[test]
fn a_live_version_that_prints_and_fails() {
    let mut scene = Scene::of(PYTHON, &[("v2.py", &speaker("sys.exit(3)"))]);
    scene.playground.replace(
        "understudy.yaml",
        "v1: { sql: same.sql }",
        &format!("v1: {PYTHON}"),
    );
    let ended = scene.run().expect(5);
    require(&scene, &ended, "standard error");
}

#[test]
fn what_is_kept_of_a_long_log_is_looked_through() {
    let much = "\
import glob, os, sys
text = open(glob.glob(os.environ['UNDERSTUDY_INPUT_PEOPLE'] + '/*.csv')[0]).read()
for _ in range(20000): sys.stderr.write(text)
sys.exit(1)";
    let mut scene = Scene::of(PYTHON, &[("v2.py", much)]);
    let ended = scene.run();
    assert!(ended.stdout.contains("standard error"), "{ended:?}");
    let logs = scene.playground.everything().into_iter();
    let kept = logs
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "log"))
        .map(|(path, bytes)| (bytes.len(), path));
    let longest = kept.max();
    assert!(
        longest
            .as_ref()
            .is_some_and(|(length, _)| (5 << 20..16 << 20).contains(length)),
        "{longest:?}"
    );
    scene.require_nothing_in_clear();
}

#[test]
fn a_program_that_leaves_what_cannot_be_read() {
    for end in [
        "open(os.environ['UNDERSTUDY_OUTPUT'] + '/rows.csv', 'w').write('id,shop,email,note\\n1,north,\"' + rows[0]['note'])",
        "open(os.environ['UNDERSTUDY_OUTPUT'] + '/rows.csv', 'w').write('email,note\\n' + '\\n'.join(row['note'] for row in rows))",
        "open(os.environ['UNDERSTUDY_OUTPUT'] + '/rows.parquet', 'w').write(rows[0]['note'])",
        "open(os.environ['UNDERSTUDY_OUTPUT'] + '/' + rows[0]['phone'], 'w').write(rows[0]['note'])",
    ] {
        let mut scene = Scene::of(PYTHON, &[("v2.py", &speaker(end))]);
        let ended = scene.run();
        require(&scene, &ended, "");
    }
}

#[test]
fn inputs_that_stop_being_what_they_were() {
    let broken: [(&str, String); 4] = [
        // A value that is not of the type that is given.
        ("types: { email: integer, phone: date }", people()),
        ("types: { salary: integer }", people()),
        // A row that is cut, and a quote that is not closed.
        (
            "",
            format!("{}7,north,\"{}", people(), "canary.0.7919@example.org"),
        ),
        ("", format!("{}7,north\n", people())),
    ];
    for (types, text) in broken {
        let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", "SELECT * FROM people")]);
        scene.playground.write("data/people.csv", &text);
        if !types.is_empty() {
            scene.playground.replace(
                "understudy.yaml",
                "location: data/people.csv\n",
                &format!("location: data/people.csv\n    {types}\n"),
            );
        }
        let ended = scene.run();
        assert!([5, 6, 2].contains(&ended.code), "{ended:?}");
        scene.tell(&["check"]);
        scene.tell(&["plan", "--date", crate::playground::DATE]);
        require_silent(&scene, &ended);
    }
}

/// Nobody need be told of a run that did not begin.
#[track_caller]
fn require_silent(scene: &Scene, ended: &Ended) {
    assert_ne!(ended.code, 70, "{ended:?}");
    scene.require_nothing_in_clear();
}

#[test]
fn lines_of_json_that_stop_being_what_they_were() {
    let lines: String = people()
        .lines()
        .skip(1)
        .enumerate()
        .map(|(id, line)| {
            let email = line.split(',').nth(2).unwrap();
            format!("{{\"id\":{id},\"shop\":\"north\",\"email\":\"{email}\",\"note\":\"n\",\"salary\":1,\"born\":\"1742-01-01\",\"phone\":{id}}}\n")
        })
        .collect();
    for text in [
        format!("{lines}{{\"id\":1,\"email\":\"canary.0.7919@example.org\""),
        format!("{lines}{{\"id\":1,\"email\":{{\"canary.0.7919@example.org\":1}}}}\n"),
        format!("{lines}\"canary.0.7919@example.org\"\n"),
        format!("{lines}canary.0.7919@example.org\n"),
    ] {
        let mut scene = Scene::of("{ sql: v2.sql }", &[("v2.sql", "SELECT * FROM people")]);
        scene.playground.write("data/people.jsonl", &text);
        scene
            .playground
            .replace("understudy.yaml", "data/people.csv", "data/people.jsonl");
        let ended = scene.run();
        assert_ne!(ended.code, 0, "{ended:?}");
        scene.tell(&["check"]);
        require_silent(&scene, &ended);
    }
}

#[test]
fn rust_tasks_that_panic_and_die() {
    for task in ["panics_with_rows", "fails_with_rows", "dies_with_rows"] {
        let mut scene = Scene::of(&format!("{{ rust: {task} }}"), &[]).with_rust_tasks();
        let ended = scene.run();
        require(&scene, &ended, "masked:");
    }
}
