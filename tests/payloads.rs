//! Two thousand texts that are meant to act, through every report: as values, names of columns, of customers and of what
//! the pipeline file names. Nothing of them acts, and what is a number or a date stays one.
//!
//! The checker here is its own: it knows what is dangerous, and nothing of how it is made harmless.

mod checker;
mod corpus;

use std::fmt::Write as _;
use std::fs;

use self::checker::{
    require_safe_csv, require_safe_html, require_safe_json, require_safe_markdown,
    require_safe_screen, require_safe_xml,
};
use self::corpus::payloads;
use crate::playground::{DATE, Ended, Playground};

/// The columns of one table whose names are payloads.
const COLUMNS_AT_ONCE: usize = 250;

fn field(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// What a comparison of two tables leaves and says.
#[track_caller]
fn require_safe_diff(playground: &Playground, options: &[&str]) {
    let tables = ["diff", "old.csv", "new.csv", "--out", "report"];
    for json in [&[][..], &["--json"]] {
        let ended = playground.understudy(&[&tables, options, json].concat());
        assert!([0, 1].contains(&ended.code), "{ended:?}");
        require_safe_screen(&ended.stderr);
        if json.is_empty() {
            require_safe_screen(&ended.stdout);
        } else {
            require_safe_json(&ended.stdout);
        }
    }
    for file in ["report/diff.csv", "report/customers.csv"] {
        require_safe_csv(&playground.read(file));
    }
    require_safe_json(&playground.read("report/summary.json"));
    require_safe_html(&playground.read("report/report.html"));
}

#[test]
fn as_values_keys_and_customers() {
    let playground = Playground::of(&[]);
    let (mut old, mut new) = (
        "id,who,text,amount,day\n".to_owned(),
        "id,who,text,amount,day\n".to_owned(),
    );
    for (row, payload) in payloads().iter().enumerate() {
        let (text, day) = (field(payload), row % 27 + 1);
        let _ = writeln!(old, "{text},{text},{text},{row},2026-01-{day:02}");
        // Values that change, are gone, and come to be.
        match row % 3 {
            0 => writeln!(
                new,
                "{text},{text},{},{}.5,2026-02-{day:02}",
                field(&format!("{payload}!")),
                -2 - row as i64
            ),
            1 => writeln!(
                new,
                "{},{text},{text},{row},2026-01-{day:02}",
                field(&format!("{payload}!"))
            ),
            _ => writeln!(new, "{text},{text},x,-1.5,2026-01-{day:02}"),
        }
        .unwrap();
    }
    playground.write("old.csv", &old);
    playground.write("new.csv", &new);
    require_safe_diff(&playground, &["--key", "id", "--customer", "who"]);
    require_safe_diff(&playground, &["--customer", "who"]);
    // What is a number or a date is one.
    let csv = {
        require_safe_diff(&playground, &["--key", "id", "--customer", "who"]);
        playground.read("report/diff.csv")
    };
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (column, new, delta) = (at("column"), at("new"), at("delta"));
    let (mut numbers, mut dates) = (0, 0);
    for record in reader.records() {
        let record = record.unwrap();
        match &record[column] {
            "amount" => {
                numbers += 1;
                assert!(
                    record[new].parse::<f64>().is_ok() && record[delta].parse::<f64>().is_ok(),
                    "{record:?}"
                );
            }
            "day" => {
                dates += 1;
                assert!(
                    record[new].parse::<chrono::NaiveDate>().is_ok(),
                    "{record:?}"
                );
            }
            _ => {}
        }
    }
    assert!(
        numbers > 600 && dates > 600,
        "{numbers} numbers, {dates} dates"
    );
}

#[test]
fn as_names_of_columns() {
    let names: Vec<String> = payloads()
        .into_iter()
        .filter(|name| !name.trim().is_empty())
        .collect();
    for names in names.chunks(COLUMNS_AT_ONCE) {
        let playground = Playground::of(&[]);
        let header: Vec<String> = names.iter().map(|name| field(name)).collect();
        let row = |value: &str| vec![value; names.len()].join(",");
        let table = |value: &str| {
            format!(
                "id,{}\n1,{}\n2,{}\n",
                header.join(","),
                row("same"),
                row(value)
            )
        };
        playground.write("old.csv", &table("old"));
        playground.write("new.csv", &table("new"));
        require_safe_diff(&playground, &["--key", "id"]);
        // Of the key itself as well, where the command line takes it.
        if let Some(name) = names.iter().find(|name| !name.contains('\0')) {
            let key = format!("--key={name}");
            let _ = playground.understudy(&["diff", "old.csv", "new.csv", &key]);
        }
    }
}

/// A pipeline with all payloads as values, keys and customers, and one as the name and reason of everything else.
fn shop(name: &str) -> Playground {
    let quoted = serde_json::to_string(name).unwrap();
    let mut rows = "id,customer,amount,day\n".to_owned();
    for (row, payload) in payloads()
        .iter()
        .enumerate()
        .filter(|(row, _)| row % 10 == 0)
    {
        let _ = writeln!(
            rows,
            "{},{},{row},2026-01-02",
            field(payload),
            field(payload)
        );
    }
    let pipeline = format!(
        "\
pipeline: {quoted}
owner: {quoted}
runbook: {quoted}
datasets:
  orders: {{ location: data/orders.csv }}
tasks:
  totals:
    inputs: [orders]
    output: {{ location: live/totals, grain: [id], customer: customer }}
    live: v1
    versions:
      v1: {{ sql: v1.sql }}
      v2: {{ sql: v2.sql }}
changes:
  better:
    new: {{ totals: v2 }}
    expect:
      totals: [{{ name: {quoted}, columns: [day], allow: any, reason: {quoted} }}]
    gate: {{ clean_runs: 1 }}
notify:
  - openlineage: {{ file: lineage.jsonl, namespace: {quoted} }}
"
    );
    let sql = serde_json::to_string("x").unwrap();
    Playground::of(&[
        ("understudy.yaml", &pipeline),
        ("data/orders.csv", &rows),
        ("v1.sql", "SELECT * FROM orders\n"),
        (
            "v2.sql",
            &format!(
                "SELECT id, customer, amount - 1.5 AS amount, CAST('2026-01-03' AS DATE) AS day, id AS {sql} FROM orders WHERE amount > 15\n"
            ),
        ),
    ])
}

fn said(ended: &Ended, is_json: bool) {
    assert_ne!(ended.code, 70, "{ended:?}");
    require_safe_screen(&ended.stderr);
    if is_json && !ended.stdout.is_empty() {
        require_safe_json(&ended.stdout);
    } else {
        require_safe_screen(&ended.stdout);
    }
}

#[test]
fn through_runs_in_every_form() {
    // A name that cannot be seen is refused by the pipeline file; these can.
    for name in [
        "=cmd|' /C calc'!A1",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1)) `a` | b",
        "@SUM(1)\"';--",
    ] {
        let shop = shop(name);
        let forms = ["--markdown", "report.md", "--junit", "report.xml"];
        let ran = shop
            .understudy(&[&["run", "--json", "--date", DATE], &forms[..]].concat())
            .expect(0);
        said(&ran, true);
        require_safe_markdown(&shop.read("report.md"));
        require_safe_xml(&shop.read("report.xml"));
        for line in shop.read("lineage.jsonl").lines() {
            require_safe_json(line);
        }
        for verb in [
            &["report"][..],
            &["report", "--task", "totals"],
            &["status"],
            &["status", "better"],
            &["gate", "better"],
            &["audit"],
            &["plan", "--date", DATE],
            &["check"],
            &["which", "totals"],
            &["hold", "better", "--customers", name, "--reason", name],
            &["status", "better"],
            &["audit"],
            &["flip", "better", "--customers", name],
            &["which", "totals", "--customer", name],
            &["gate", "better", "--customers", name],
            &["report", "--task", name],
            &["status", name],
            &["gate", name],
        ] {
            said(&shop.understudy(verb), false);
            if !["which", "check"].contains(&verb[0]) {
                said(&shop.understudy(&[verb, &["--json"]].concat()), true);
            }
        }
        for (path, bytes) in shop.everything() {
            let text = String::from_utf8_lossy(&bytes);
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_report = path.to_string_lossy().contains("/store/runs/");
            match name.rsplit('.').next() {
                Some("csv") if is_report => require_safe_csv(&text),
                Some("html") if is_report => require_safe_html(&text),
                Some("json") if is_report && !path.to_string_lossy().contains("/outputs/") => {
                    require_safe_json(&text)
                }
                Some("jsonl") if is_report => text.lines().for_each(require_safe_json),
                _ => {}
            }
        }
    }
}

/// Names of the pipeline file that would act are refused, and the refusal does not act either.
#[test]
fn as_names_in_the_pipeline_file() {
    let folder = Playground::of(&[]);
    for name in payloads().iter().step_by(20) {
        let shop = shop(name);
        let yaml = shop.read("understudy.yaml");
        let quoted = serde_json::to_string(name).unwrap();
        let named = yaml
            .replace("totals:", &format!("{quoted}:"))
            .replace("better:", &format!("{quoted}:"));
        fs::write(folder.path("understudy.yaml"), named).unwrap();
        said(&folder.understudy(&["check"]), false);
        said(&shop.understudy(&["check"]), false);
    }
}
