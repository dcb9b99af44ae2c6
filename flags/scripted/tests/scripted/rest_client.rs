//! A client of the REST API that shows what a test needs to see of an answer.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use understudy_scripted_launchdarkly::Scripted;

pub(crate) const SEMANTIC: &str = "application/json; domain-model=launchdarkly.semanticpatch";

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

pub(crate) struct Rest<'a> {
    pub(crate) server: &'a Scripted,
}

impl Rest<'_> {
    /// `None` where the connection ends without an answer.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let headers = [
            ("Authorization", self.server.api_token()),
            ("LD-API-Version", "20240415"),
            ("Content-Type", SEMANTIC),
        ];
        self.raw(method, path, &headers, body)
    }

    pub(crate) fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Answer> {
        let url = self.server.url();
        let host = url.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        parsed(&answer)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).unwrap()
    }

    pub(crate) fn flag_path(&self, key: &str) -> String {
        format!("/api/v2/flags/{}/{key}", self.server.project())
    }

    pub(crate) fn place(&self, key: &str) -> String {
        let (project, environment) = (self.server.project(), self.server.environment());
        format!("/api/v2/projects/{project}/flags/{key}/environments/{environment}")
    }

    /// Patches a flag, with a query that begins with a question mark or is empty.
    pub(crate) fn patch(&self, key: &str, query: &str, instructions: &Value) -> Option<Answer> {
        let path = format!("{}{query}", self.flag_path(key));
        let body = json!({
            "comment": "as a test has it",
            "environmentKey": self.server.environment(),
            "instructions": instructions,
        });
        self.send("PATCH", &path, Some(&body))
    }

    pub(crate) fn id(&self, key: &str, stage: &str) -> String {
        self.server.variation_id(key, &json!(stage))
    }

    /// An instruction that moves customers into a stage or out of it.
    pub(crate) fn targets(&self, kind: &str, key: &str, stage: &str, customers: &[&str]) -> Value {
        json!({
            "kind": kind,
            "contextKind": "customer",
            "values": customers,
            "variationId": self.id(key, stage),
        })
    }

    /// A flag's configuration in the environment, as the server keeps it.
    pub(crate) fn config(&self, key: &str) -> Value {
        self.server.flag(key).unwrap()["environments"][self.server.environment()].clone()
    }
}

fn parsed(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    Some(Answer {
        status,
        headers: headers.collect(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}
