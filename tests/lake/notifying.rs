//! Telling others: reports for pull requests and CI servers, webhooks, OpenLineage.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::playground::Playground;

const WRONG: &str =
    "sed s/30/31/ \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";

fn shop(notify: &str) -> Playground {
    let shop = Playground::shop(WRONG);
    shop.write(
        "understudy.yaml",
        &format!("{}notify:\n{notify}", shop.read("understudy.yaml")),
    );
    shop
}

/// The receiver of the documentation, on loopback.
struct Receiver {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
    port: String,
}

impl Receiver {
    fn start() -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../examples/webhook/receiver.py"
        );
        let mut process = Command::new("python3")
            .args([script, "0"])
            .env("UNDERSTUDY_HOOK_KEY", "the key")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let port = first.trim().rsplit(' ').next().unwrap().to_owned();
        Self {
            process,
            lines,
            port,
        }
    }

    /// All that it believed.
    fn heard(mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let mut heard = String::new();
        std::io::Read::read_to_string(&mut self.lines, &mut heard).unwrap();
        heard
    }
}

#[test]
fn a_receiver_believes_a_signed_message_once() {
    let receiver = Receiver::start();
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let shop = shop(
        "  - webhook: { url: \"${env:HOOK_URL}\", secret: \"${file:hook.key}\", allow_private: true }\n",
    );
    shop.write("hook.key", "the key\n");
    for _ in 0..2 {
        let mut command = shop.command(&["run", "--date", "2026-01-31"]);
        let output = command.env("HOOK_URL", &url).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && !stderr.contains("note:"),
            "{stderr}"
        );
    }
    shop.write("hook.key", "another key\n");
    let output = shop
        .command(&["run", "--date", "2026-01-31"])
        .env("HOOK_URL", &url)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "note: `http://127.0.0.1:{}` was not told: it answered 401 after 1 attempts",
        receiver.port
    );
    assert!(
        output.status.success() && stderr.contains(&expected),
        "{stderr}"
    );
    assert_eq!(receiver.heard(), "unexpected shop 2026-01-31 better\n");
    for (path, bytes) in shop.everything() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let own = path.ends_with("hook.key");
        assert!(
            own || !text.contains("the key"),
            "the key stands in {path:?}"
        );
        assert!(!text.contains(&url), "the URL stands in {path:?}");
    }
}

#[test]
fn nobody_who_is_told_makes_a_run_fail_or_wait() {
    // A port that nobody listens on, one that says nothing, a private address, and a reference to nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let shop = shop(&format!(
        "  - webhook: {{ url: \"http://127.0.0.1:9/\", on: [unexpected, live_failed], allow_private: true }}\n  \
         - webhook: {{ url: \"http://127.0.0.1:{port}/\", on: [identical, unexpected, alert, live_failed], allow_private: true }}\n  \
         - webhook: {{ url: \"https://127.0.0.1:{port}/\" }}\n  \
         - webhook: {{ url: \"${{env:NO_SUCH_HOOK}}\" }}\n  \
         - openlineage: {{ file: no/such/folder/lineage.ndjson, namespace: shop }}\n"
    ));
    let since = Instant::now();
    let ended = shop.run(&[]).expect(0);
    assert!(
        since.elapsed() < Duration::from_secs(30),
        "{:?}",
        since.elapsed()
    );
    for expected in [
        "note: nobody was told: the environment variable `NO_SUCH_HOOK` is not set",
        "note: `http://127.0.0.1:9` was not told: it did not answer (no connection) in 4 attempts",
        "leads to an address that is not public",
        "lineage.ndjson` cannot be written",
    ] {
        assert!(
            ended.stderr.contains(expected),
            "{expected} is not in {}",
            ended.stderr
        );
    }
    let since = Instant::now();
    shop.write("v1.sh", "exit 1");
    shop.run(&["--live"]).expect(5);
    assert!(
        since.elapsed() < Duration::from_secs(8),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn lineage_says_what_came_from_what_and_what_comparing_found() {
    let shop = shop("  - openlineage: { file: lineage.ndjson, namespace: lake }\n");
    shop.run(&[]).expect(0);
    let text = shop.read("lineage.ndjson");
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [published, compared] = events.as_slice() else {
        panic!("{text}");
    };
    assert_eq!(published["job"]["name"], "shop.totals");
    assert_eq!(published["inputs"][0]["name"], "data/orders.csv");
    assert_eq!(published["outputs"][0]["name"], "live/totals");
    assert_eq!(compared["eventType"], "COMPLETE");
    let assertions = &compared["inputs"][1]["inputFacets"]["dataQualityAssertions"]["assertions"];
    assert_eq!(assertions[0]["success"], false, "{assertions:#}");
    assert_eq!(
        assertions[1]["assertion"],
        "better: no unexpected differences of Bob"
    );
    assert_eq!(assertions[2]["success"], true);
    for event in &events {
        let id = event["run"]["runId"].as_str().unwrap();
        assert!(
            id.len() == 36 && id.as_bytes()[14] == b'8' && id.as_bytes()[19] == b'9',
            "{id}"
        );
        chrono::DateTime::parse_from_rfc3339(event["eventTime"].as_str().unwrap()).unwrap();
    }
}

#[test]
fn a_run_is_told_as_markdown_and_to_a_ci_server() {
    let shop = Playground::shop(WRONG);
    shop.write(
        "data/orders.csv",
        "id,customer,amount\n1,Ann|`<b>@all,10\n2,\"B\u{7}\"\"&b\",30\n",
    );
    let ended = shop
        .understudy(&[
            "run",
            "--date",
            "2026-01-31",
            "--markdown",
            "-",
            "--junit",
            "report.xml",
        ])
        .expect(0);
    assert!(
        ended
            .stdout
            .starts_with("## ❌ `shop`: UNEXPECTED differences\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended
            .stdout
            .contains("| `totals` | `v1` → `v2` | **UNEXPECTED** | 2 | 1 | 0 |"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains("Ann|`"), "{}", ended.stdout);
    let script = "import sys, xml.etree.ElementTree as tree\n\
                  for suite in tree.parse('report.xml').getroot():\n    \
                  print(suite.get('name'), suite.get('tests'), suite.get('failures'), suite.get('skipped'))\n";
    let python = Command::new("python3")
        .args(["-c", script])
        .current_dir(shop.path(""))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(python.stdout).unwrap(),
        "live 1 0 0\nbetter 2 1 0\n"
    );
    let again = shop.understudy(&["report", "--junit", "-"]).expect(0);
    assert_eq!(again.stdout, shop.read("report.xml"));
    // One form goes to standard output, and one into each file.
    for both in [
        ["--junit", "-", "--json", "."],
        ["--junit", "-", "--markdown", "-"],
        ["--junit", "same", "--markdown", "same"],
    ] {
        shop.understudy(&[&["report"], &both[..]].concat())
            .expect(2);
    }
    let ended = shop
        .understudy(&["report", "--markdown", "no/such/folder.md"])
        .expect(6);
    assert!(
        ended
            .stderr
            .contains("the report `no/such/folder.md` cannot be written"),
        "{}",
        ended.stderr
    );
}
