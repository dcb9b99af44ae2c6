//! A shop whose new version is right in one thing, wrong in another and odd in a third.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::playground::{DATE, Ended, Playground};

const PIPELINE: &str = "\
pipeline: shop
datasets:
  orders: { location: data/orders.csv, types: { phone: text } }
tasks:
  totals:
    inputs: [orders]
    output:
      location: live/totals
      grain: [id]
      customer: customer
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql }
changes:
  better:
    new: { totals: v2 }
    gate: { clean_runs: 1, soak: 0s, min_rows: 1 }
";

const ORDERS: &str = "\
id,customer,amount,name,paid,phone
1,Ann,10.25,Müller,,
2,Ann,20.5,\"=HYPERLINK(\"\"http://x\"\")\",1,
3,Ann,30.25,\"a;b, \"\"c\"\"
d\",,0041 79
4,Bob,40.75,Δ,2,+41
5,Bob,50.25,1e5,,1-2
6,Bob,60.5,2026-03-01,,
7,Zoë,70.25,straße,1,
";

/// NULL becomes nought, names become large, amounts move a little, and an order is lost.
const NEW: &str = "\
SELECT id, customer, amount + 0.1 AS amount, upper(name) AS name, coalesce(paid, 0) AS paid, phone
FROM orders WHERE id <> 6
";

/// A playground after one run, with its file for review.
pub(super) struct Scene {
    pub(super) playground: Playground,
    pub(super) run: String,
}

impl Scene {
    pub(super) fn new() -> Self {
        let playground = Playground::of(&[
            ("understudy.yaml", PIPELINE),
            ("data/orders.csv", ORDERS),
            (
                "v1.sql",
                "SELECT id, customer, amount, name, paid, phone FROM orders",
            ),
            ("v2.sql", NEW),
        ]);
        let run = run(&playground);
        Self { playground, run }
    }

    /// Runs once more, and gives the report.
    pub(super) fn report(&self) -> Value {
        self.playground.run(&[]).expect(0).json()
    }

    /// Writes the file and gives its path.
    pub(super) fn out(&self, options: &[&str]) -> PathBuf {
        let ended = self.tell(&["review", "out", "--json"], options).expect(0);
        let path = ended.json()["files"][0]["path"]
            .as_str()
            .unwrap()
            .to_owned();
        self.playground.path(&path)
    }

    /// The text of the CSV.
    pub(super) fn csv(&self) -> String {
        let text = fs::read_to_string(self.out(&[])).unwrap();
        text.strip_prefix('\u{feff}')
            .expect("a byte order mark")
            .to_owned()
    }

    pub(super) fn tell(&self, verb: &[&str], options: &[&str]) -> Ended {
        self.playground.understudy(&[verb, options].concat())
    }

    /// `review in` of a text, by Dana.
    pub(super) fn take(&self, text: &str, options: &[&str]) -> Ended {
        self.take_bytes(text.as_bytes(), options)
    }

    pub(super) fn take_bytes(&self, bytes: &[u8], options: &[&str]) -> Ended {
        fs::write(self.playground.path("answers"), bytes).unwrap();
        let verb = ["review", "in", "answers", "--reviewer", "Dana", "--json"];
        self.tell(&verb, options)
    }

    pub(super) fn ledger(&self) -> usize {
        let entries = fs::read_dir(self.playground.path("store/ledger")).unwrap();
        entries.count()
    }

    /// The rules of the task with what they explain, such as `waiver gabc (Dana, until …) 4`.
    pub(super) fn rules(report: &Value) -> Vec<(String, u64)> {
        let rules = &report["changes"]["better"]["tasks"]["totals"]["rules"];
        let rules = rules.as_array().unwrap().iter();
        rules
            .map(|rule| {
                let name = rule["name"].as_str().unwrap().to_owned();
                (name, rule["differences"].as_u64().unwrap())
            })
            .collect()
    }
}

/// The run's id.
pub(super) fn run(playground: &Playground) -> String {
    let report = playground
        .understudy(&["run", "--json", "--date", DATE])
        .expect(0)
        .json();
    report["run"].as_str().unwrap().to_owned()
}

/// A CSV as cells.
pub(super) fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let records = reader.records().map(Result::unwrap);
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// Cells as a CSV.
pub(super) fn text(cells: &[Vec<String>], delimiter: u8) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_writer(Vec::new());
    cells
        .iter()
        .for_each(|line| writer.write_record(line).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Where a column is.
pub(super) fn place(cells: &[Vec<String>], name: &str) -> usize {
    cells[0].iter().position(|cell| cell == name).unwrap()
}

/// The lines of groups: those that say how many rows.
pub(super) fn questions(cells: &[Vec<String>]) -> Vec<usize> {
    let rows = place(cells, "rows");
    (1..cells.len())
        .filter(|line| !cells[*line][rows].is_empty())
        .collect()
}

/// Answers each question by what happened and its column: `case` fine, `row is gone` a bug, the others by turns.
pub(super) fn answered(csv: &str) -> Vec<Vec<String>> {
    let mut cells = cells(csv);
    let (what, decision, note) = (
        place(&cells, "what happened"),
        place(&cells, "decision"),
        place(&cells, "note"),
    );
    for line in questions(&cells) {
        let answer = match cells[line][what].as_str() {
            "row is gone" => ("bug", "order 6 is lost; ask \"Ann\", please"),
            "another text" => ("Unsure", ""),
            _ => (" FINE ", "größer ist richtig"),
        };
        cells[line][decision] = answer.0.to_owned();
        cells[line][note] = answer.1.to_owned();
    }
    cells
}
