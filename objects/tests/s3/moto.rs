//! A real S3 server on loopback: the Python package moto, if it is installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server with nothing in it. It ends with this value.
#[derive(Debug)]
pub(crate) struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Moto {
    /// Starts one, or says why not.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = find() else {
            eprintln!("skipped: moto_server is not installed");
            return None;
        };
        let mut child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto_server starts");
        let errors = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let (send, receive) = std::sync::mpsc::channel();
        // The pipe is read to its end, or the server would stop at a full one.
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("Running on http://") {
                    let _ = send.send(address.trim().to_owned());
                }
            }
        });
        let address = receive
            .recv_timeout(Duration::from_secs(60))
            .expect("moto_server says where it listens");
        let address = address
            .parse()
            .expect("moto_server says an address and a port");
        Some(Self { child, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes a bucket.
    pub(crate) fn make_bucket(&self, bucket: &str) {
        let answer = self.send(&format!("PUT /{bucket} HTTP/1.1"), b"");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Sends a request that no client of ours would send, and gives the whole answer.
    pub(crate) fn send(&self, request_line: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("moto_server listens");
        let head = format!(
            "{request_line}\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream
            .write_all(head.as_bytes())
            .expect("moto_server reads");
        stream.write_all(body).expect("moto_server reads");
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .expect("moto_server answers");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The settings that lead a client to this address.
pub(crate) fn settings(address: SocketAddr) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("AWS_ACCESS_KEY_ID", "tester"),
        pair("AWS_SECRET_ACCESS_KEY", "secret"),
        pair("AWS_REGION", "us-east-1"),
        pair("AWS_ENDPOINT_URL", &format!("http://{address}")),
        pair("AWS_ALLOW_HTTP", "true"),
    ]
}

fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("UNDERSTUDY_MOTO").filter(|name| !name.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("moto_server"))
        .find(|program| program.is_file())
}
