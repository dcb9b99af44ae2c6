//! A pipeline with canaries in its masked columns, and the search for them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use understudy_tables::{TableSource, pin, value_at};

use crate::playground::{DATE, Ended, Playground};

/// The people: three shops, and five columns that are masked.
const ROWS: usize = 20;
/// The columns that are masked.
pub(crate) const MASKED: &str =
    "columns: { email: mask, note: mask, salary: mask, born: mask, phone: mask }";

/// A version that hands its input on.
pub(crate) const SAME: &str = "{ sql: same.sql }";

/// A pipeline whose new version is to be seen, and all that it said.
pub(crate) struct Scene {
    pub(crate) playground: Playground,
    said: Vec<String>,
    listener: Listener,
}

/// The values of one person's masked columns.
fn person(row: usize) -> [String; 5] {
    let name = ["Zoë", "O'Neil", "\"Bo\"", "李雷", "Ünal\\"][row % 5];
    [
        format!("canary.{row}.{}@example.org", 7919 * (row + 1)),
        format!(
            "{name} said <canary {row}> & \"left\"; 100%, véry {}",
            104_729 * (row + 3)
        ),
        format!("{}.{}5", 7_310_041 + 37 * row, row % 9 + 1),
        format!("17{}-0{}-1{}", 41 + row, row % 9 + 1, row % 10),
        format!("+49 176 55{:03} {:04}", 431 + row * 7, 1009 + row * 13),
    ]
}

/// All hundred of them.
pub(crate) fn canaries() -> Vec<String> {
    let all: Vec<String> = (0..ROWS).flat_map(person).collect();
    assert_eq!(all.len(), 100);
    all
}

fn csv_field(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The input as CSV.
pub(crate) fn people() -> String {
    let mut text = "id,shop,email,note,salary,born,phone\n".to_owned();
    for row in 0..ROWS {
        let shop = ["north", "south", "east"][row % 3];
        let [email, note, salary, born, phone] = person(row);
        let (note, phone) = (csv_field(&note), csv_field(&phone));
        text += &format!("{row},{shop},{email},{note},{salary},{born},{phone}\n");
    }
    text
}

impl Scene {
    /// The pipeline with this new version, and files that it needs.
    pub(crate) fn of(new: &str, files: &[(&str, &str)]) -> Self {
        let listener = Listener::start();
        let pipeline = format!(
            "\
pipeline: people
datasets:
  people:
    location: data/people.csv
    {MASKED}
tasks:
  staff:
    inputs: [people]
    output: {{ location: live/staff, grain: [email], customer: shop }}
    live: v1
    versions:
      v1: {SAME}
      v2: {new}
  pages:
    inputs: [staff]
    output: {{ location: live/pages, grain: [shop, email], customer: shop }}
    live: v1
    versions:
      v1: {{ sql: pages.sql }}
changes:
  better:
    new: {{ staff: v2 }}
    downstream: [pages]
    expect:
      staff:
        - {{ name: pay, columns: [salary], customers: [north], within: 1% }}
    gate: {{ clean_runs: 1 }}
notify:
  - webhook: {{ url: \"http://127.0.0.1:{}/\", allow_private: true, on: [identical, expected, unexpected, inconclusive, alert, live_failed] }}
  - openlineage: {{ file: lineage.jsonl, namespace: test }}
",
            listener.port
        );
        let playground = Playground::of(&[
            ("understudy.yaml", &pipeline),
            ("data/people.csv", &people()),
            ("same.sql", "SELECT * FROM people\n"),
            (
                "pages.sql",
                "SELECT *, count(*) OVER () AS everybody FROM staff\n",
            ),
        ]);
        for (name, text) in files {
            playground.write(name, text);
        }
        Self {
            playground,
            said: Vec::new(),
            listener,
        }
    }

    /// The same with a program that has Rust tasks.
    pub(crate) fn with_rust_tasks(self) -> Self {
        Self {
            playground: self.playground.with_rust_tasks(),
            ..self
        }
    }

    /// Does something, and remembers what was said.
    pub(crate) fn tell(&mut self, arguments: &[&str]) -> Ended {
        let ended = self.playground.understudy(arguments);
        self.said
            .push(format!("{arguments:?}\n{}\n{}", ended.stdout, ended.stderr));
        ended
    }

    /// Runs, and says it again in every form.
    pub(crate) fn run(&mut self) -> Ended {
        let forms = ["--markdown", "report.md", "--junit", "report.xml"];
        let ended = self.tell(&[&["run", "--json", "--date", DATE], &forms[..]].concat());
        self.tell(&["report"]);
        self.tell(&["report", "--json"]);
        self.tell(&["report", "--task", "staff"]);
        self.tell(&["report", "--task", "pages"]);
        self.tell(&["status"]);
        self.tell(&["status", "better"]);
        self.tell(&["gate", "better"]);
        self.tell(&["audit"]);
        ended
    }

    /// Everything that was said and written, as texts with where they stand.
    fn texts(&self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        let root = self.playground.path("");
        files(&root, &mut |path| {
            let below = path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if is_data(&below) {
                return;
            }
            let text = if below.ends_with(".parquet") {
                cells(path)
            } else {
                String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
            };
            texts.insert(below, text);
        });
        for (position, said) in self.said.iter().enumerate() {
            texts.insert(format!("said {position}"), said.clone());
        }
        let heard = self.listener.heard.lock().unwrap();
        texts.insert("heard".to_owned(), heard.join("\n"));
        texts
    }

    /// Asserts that no canary is anywhere in clear, and that there was something to mask.
    #[track_caller]
    pub(crate) fn require_masked(&self) {
        let texts = self.require_nothing_in_clear();
        let tokens: usize = texts
            .values()
            .map(|text| text.matches("masked:").count())
            .sum();
        assert!(
            tokens > 0,
            "nothing was masked: did anything speak of the values?"
        );
        assert!(!texts["heard"].is_empty(), "nobody was told");
    }

    /// Asserts that no canary is anywhere in clear.
    #[track_caller]
    pub(crate) fn require_nothing_in_clear(&self) -> BTreeMap<String, String> {
        let texts = self.texts();
        let forms: Vec<(String, Vec<String>)> = canaries()
            .into_iter()
            .map(|canary| (canary.clone(), written(&canary)))
            .collect();
        let mut found = Vec::new();
        for (place, text) in &texts {
            let text = text.to_lowercase();
            for (canary, forms) in &forms {
                if let Some(form) = forms
                    .iter()
                    .find(|form| text.contains(&form.to_lowercase()))
                {
                    found.push(format!("{place}: {canary} as {form}"));
                }
            }
        }
        assert!(
            found.is_empty(),
            "{} in clear:\n{}",
            found.len(),
            found.join("\n")
        );
        texts
    }

    /// How often a token stands in a file, or in what was said.
    pub(crate) fn tokens_in(&self, place: &str) -> usize {
        let texts = self.texts();
        let places = texts.iter().filter(|(name, _)| name.contains(place));
        places
            .map(|(_, text)| text.matches("masked:").count())
            .sum()
    }
}

/// What is data, and so in clear: inputs, outputs, quarantine.
fn is_data(below: &str) -> bool {
    ["data/", "live/", "store/quarantine/"]
        .iter()
        .any(|part| below.starts_with(part))
        || below.contains("/outputs/")
}

/// The forms in which a value is looked for; written down here once more, so that what looks and what hides do not share
/// a mistake.
fn written(canary: &str) -> Vec<String> {
    let json = serde_json::to_string(canary).unwrap();
    let ascii: String = json
        .chars()
        .flat_map(|c| {
            let units: Vec<u16> = c.encode_utf16(&mut [0; 2]).to_vec();
            let text = if c.is_ascii() {
                c.to_string()
            } else {
                units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
            };
            text.chars().collect::<Vec<_>>()
        })
        .collect();
    let mut forms = vec![
        canary.to_owned(),
        json[1..json.len() - 1].to_owned(),
        ascii[1..ascii.len() - 1].to_owned(),
        canary.escape_debug().to_string(),
        canary.replace('"', "\"\""),
        canary.replace('\'', "''"),
        canary
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
    ];
    // A part that is long enough to know somebody by.
    if let Some(part) = canary
        .char_indices()
        .nth(24)
        .map(|(end, _)| canary[..end].to_owned())
    {
        forms.push(part);
    }
    forms
}

fn files(folder: &Path, see: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, see);
        } else {
            see(&path);
        }
    }
}

/// All cells of a Parquet file, a line each.
fn cells(path: &Path) -> String {
    let base = path.parent().unwrap().to_owned();
    let name = path.file_name().unwrap().to_string_lossy();
    let source = TableSource {
        snapshot: pin("file", &name, &base).unwrap(),
        base,
        types: BTreeMap::new(),
    };
    let schema = source.schema().unwrap();
    let mut text = String::new();
    for batch in source.read(&schema, None, 1_000).unwrap() {
        let batch = batch.unwrap();
        for column in batch.columns() {
            for row in 0..batch.num_rows() {
                text += &value_at(column, row).unwrap().render().unwrap_or_default();
                text.push('\n');
            }
        }
    }
    text
}

/// Somebody who takes webhooks.
struct Listener {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                if let Some(body) = take(stream) {
                    all.lock().unwrap().push(body);
                }
            }
        });
        Self { port, heard }
    }
}

fn take(mut stream: TcpStream) -> Option<String> {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).ok()?;
        text.extend_from_slice(&buffer[..read]);
        let shown = String::from_utf8_lossy(&text).to_lowercase();
        let whole = shown.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
            length.is_some_and(|length: usize| body.len() >= length)
        });
        if whole || read == 0 {
            break;
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The path of a file of the run, for messages.
pub(crate) fn logs(playground: &Playground) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&playground.path("store/runs"), &mut |path| {
        if path.extension().is_some_and(|extension| extension == "log") {
            found.push(path.to_owned());
        }
    });
    found
}
