//! What was published on earlier dates, read by both versions alike.

use serde_json::json;

use crate::playground::Playground;

const PIPELINE: &str = "\
pipeline: balances
datasets:
  moves: { location: \"moves/date={date}/\" }
  opening: { location: opening.csv }
tasks:
  balance:
    inputs:
      - moves
      - { dataset: balance, date: -1d, as: before, else: opening }
    output: { location: live/balance, grain: [customer], customer: customer }
    live: v1
    versions:
      v1: { sql: balance.sql }
      v2: { sql: balance2.sql }
  week:
    inputs: [{ dataset: moves, window: 7d, as: moves }, { dataset: balance, window: 3d, as: history, else: opening }]
    output: { location: live/week, grain: [customer], customer: customer }
    live: v1
    versions:
      v1: { sql: week.sql }
changes:
  better:
    new: { balance: v2 }
";

fn balances() -> Playground {
    let balance = "SELECT b.customer, CAST(b.amount + coalesce(m.amount, 0) AS BIGINT) AS amount \
                   FROM before b LEFT JOIN (SELECT customer, sum(amount) AS amount FROM moves GROUP BY customer) m \
                   ON b.customer = m.customer";
    let balances = Playground::of(&[
        ("understudy.yaml", PIPELINE),
        ("balance.sql", balance),
        ("balance2.sql", &format!("{balance} ORDER BY 1")),
        (
            "week.sql",
            "SELECT m.customer, count(DISTINCT m.date) AS days, max(h.amount) AS highest \
             FROM moves m JOIN history h ON m.customer = h.customer GROUP BY m.customer",
        ),
        ("opening.csv", "customer,amount\nAnn,100\nBob,200\n"),
    ]);
    for day in 1..=5 {
        balances.write(
            &format!("moves/date=2026-03-{day:02}/rows.csv"),
            &format!("customer,amount\nAnn,{day}\nBob,-{day}\n"),
        );
    }
    balances
}

#[test]
fn each_date_builds_on_the_one_before() {
    let balances = balances();
    balances.understudy(&["check"]).expect(0);
    balances
        .understudy(&[
            "run",
            "--strict",
            "--from",
            "2026-03-01",
            "--to",
            "2026-03-05",
        ])
        .expect(0);
    let rows = |task: &str, day: u32| {
        let mut rows: Vec<String> = balances
            .rows_in(&format!("live/{task}/date=2026-03-{day:02}"))
            .lines()
            .skip(1)
            .map(str::to_owned)
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(rows("balance", 1), ["Ann,101", "Bob,199"]);
    assert_eq!(rows("balance", 5), ["Ann,115", "Bob,185"]);
    // The window has the days that are there, and of the history those before the date.
    assert_eq!(rows("week", 1), ["Ann,1,100", "Bob,1,200"]);
    assert_eq!(rows("week", 5), ["Ann,5,110", "Bob,5,197"]);
}

#[test]
fn a_gap_in_a_window_is_said_and_a_beginning_is_not() {
    let balances = balances();
    let run = |day: &str| balances.understudy(&["run", "--json", "--date", day]);
    assert_eq!(run("2026-03-01").expect(0).json()["notes"], json!([]));
    std::fs::remove_dir_all(balances.path("moves/date=2026-03-03")).unwrap();
    let notes = run("2026-03-02").expect(0).json()["notes"].clone();
    assert_eq!(notes, json!([]));
    // The third day has no moves, so nothing was published on it either.
    balances.replace("understudy.yaml", "date: -1d", "date: -2d");
    let notes = run("2026-03-04").expect(0).json()["notes"].clone();
    assert_eq!(
        notes,
        json!([
            "the window of `balance` has a gap: `live/balance/date=2026-03-03/` is not there, and was left out",
            "the window of `moves` has a gap: `moves/date=2026-03-03/` is not there, and was left out",
        ])
    );
}

#[test]
fn a_balance_does_not_begin_anew_after_a_gap() {
    let balances = balances();
    let run = |day: &str| balances.understudy(&["run", "--json", "--date", day]);
    run("2026-03-01").expect(0);
    // The second day was not run.
    let ended = run("2026-03-03").expect(6);
    let says = ["nothing is at `live/balance/date=2026-03-02/`", "`else`"];
    for part in says {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    run("2026-03-02").expect(0);
    run("2026-03-03").expect(0);
    // Before the first date, what stands in does so.
    balances.write("moves/date=2026-02-20/rows.csv", "customer,amount\nAnn,1\n");
    run("2026-02-20").expect(0);
}

#[test]
fn what_another_slice_published_is_not_the_past_of_this_one() {
    let balances = balances();
    let slices = "slices: { ann: [Ann], bob: [Bob] }\ntasks:\n";
    balances.replace("understudy.yaml", "tasks:\n", slices);
    balances.replace(
        "understudy.yaml",
        "opening.csv }",
        "opening.csv, customer: customer }",
    );
    balances.replace(
        "understudy.yaml",
        "date={date}/\" }",
        "date={date}/\", customer: customer }",
    );
    let run = |day: &str, arguments: &[&str]| {
        balances.understudy(&[&["run", "--date", day], arguments].concat())
    };
    let rows = |folder: &str| balances.rows_in(&format!("live/balance/{folder}"));
    run("2026-03-01", &["--slice", "ann"]).expect(0);
    run("2026-03-02", &["--slice", "bob"]).expect(0);
    assert_eq!(
        rows("date=2026-03-02/slice=bob"),
        "customer,amount\nBob,198\n"
    );
    run("2026-03-02", &["--slice", "ann"]).expect(0);
    assert_eq!(
        rows("date=2026-03-02/slice=ann"),
        "customer,amount\nAnn,103\n"
    );
    // For everybody, the day before is there once all slices are.
    run("2026-03-03", &[]).expect(0);
    let all = rows("date=2026-03-03");
    assert!(all.contains("Ann,106") && all.contains("Bob,195"), "{all}");
    run("2026-03-04", &["--slice", "ann"]).expect(0);
    let ended = run("2026-03-05", &[]).expect(6);
    assert!(
        ended.stderr.contains("live/balance/date=2026-03-04/"),
        "{}",
        ended.stderr
    );
}

#[test]
fn both_versions_read_the_same_published_rows() {
    let balances = balances();
    balances
        .understudy(&["run", "--date", "2026-03-01"])
        .expect(0);
    // The new version's own output of yesterday is in quarantine, and nobody reads it.
    balances.write(
        "balance2.sql",
        "SELECT b.customer, CAST(b.amount + coalesce(m.amount, 0) + 1 AS BIGINT) AS amount \
         FROM before b LEFT JOIN moves m ON b.customer = m.customer",
    );
    for day in ["2026-03-02", "2026-03-03"] {
        let ended = balances
            .understudy(&["run", "--json", "--date", day])
            .expect(0);
        let task = ended.json()["changes"]["better"]["tasks"]["balance"].clone();
        assert_eq!(task["rows"]["changed"], 2, "{task:#}");
        let diff = format!(
            "store/runs/{}/better/balance/diff.csv",
            ended.json()["run"].as_str().unwrap()
        );
        let deltas: Vec<String> = balances
            .read(&diff)
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(6).unwrap().to_owned())
            .collect();
        assert_eq!(
            deltas,
            ["1", "1"],
            "a difference of one day does not grow: {}",
            balances.read(&diff)
        );
    }
}

#[test]
fn without_a_past_and_without_an_else_nothing_runs() {
    let balances = balances();
    balances.replace(
        "understudy.yaml",
        ", as: before, else: opening",
        ", as: before",
    );
    let ended = balances
        .understudy(&["run", "--date", "2026-03-01"])
        .expect(6);
    assert!(
        ended
            .stderr
            .contains("nothing is at `live/balance/date=2026-02-28/`"),
        "{}",
        ended.stderr
    );
}
