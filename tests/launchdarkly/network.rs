//! The way there: proxies of the environment, and one TLS for the whole program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::playground::Playground;

const PIPELINE: &str = "\
pipeline: shop
datasets:
  orders: { location: orders.csv }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id] }
    live: v1
    versions:
      v1: { sql: v1.sql }
flags:
  provider: launchdarkly
  sdk_key: \"${env:LD_SDK_KEY}\"
  api_token: \"${env:LD_API_TOKEN}\"
  project: default
  environment: production
  wait: 1s
";

/// A proxy that refuses everybody, and remembers what it was asked.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut first = String::new();
            let mut reader = BufReader::new(&stream);
            if reader.read_line(&mut first).is_ok() {
                heard.lock().unwrap().push(first.trim().to_owned());
            }
            _ = (&stream).write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (address, asked)
}

#[test]
fn doctor_goes_through_the_proxy_of_the_environment_and_says_so() {
    let (address, asked) = proxy();
    let shop = Playground::of(&[
        ("understudy.yaml", PIPELINE),
        ("orders.csv", "id\n1\n"),
        ("v1.sql", "SELECT * FROM orders"),
    ])
    .with_variable("LD_SDK_KEY", "sdk-of-nobody")
    .with_variable("LD_API_TOKEN", "api-of-nobody")
    .with_variable("HTTPS_PROXY", &address);
    let ended = shop.understudy(&["doctor"]);
    for place in ["stream.launchdarkly.com:443", "app.launchdarkly.com:443"] {
        let wanted = format!("CONNECT {place} HTTP/1.1");
        assert!(
            asked.lock().unwrap().contains(&wanted),
            "{wanted}: {asked:?}"
        );
    }
    assert!(ended.stdout.contains("HTTPS_PROXY"), "{}", ended.stdout);
    let all = format!(
        "{}{}{:?}",
        ended.stdout,
        ended.stderr,
        asked.lock().unwrap()
    );
    assert!(!all.contains("of-nobody"), "{all}");
}

#[test]
fn the_whole_program_has_one_provider_of_tls() {
    let cargo = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--offline",
            "--locked",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        cargo.status.success(),
        "{}",
        String::from_utf8_lossy(&cargo.stderr)
    );
    let tree = String::from_utf8(cargo.stdout).unwrap();
    let has = |name: &str| {
        tree.lines()
            .any(|line| line.starts_with(&format!("{name} v")))
    };
    assert!(has("rustls") && has("ring"), "{tree}");
    for other in ["aws-lc-rs", "openssl", "native-tls"] {
        assert!(!has(other), "{other} is a second one");
    }
}
