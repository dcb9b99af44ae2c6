//! Crashing a child process at a fault point: the test binary, started again with one ignored test.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::store::fault;

/// A process that runs one ignored test of this binary, with a variable set to a path.
pub(crate) fn command(test: &str, variable: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(variable, path);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs such a process with a fault (`kill`, `panic@2` …) at a point; it must fire, and the process must fail.
pub(crate) fn run(test: &str, variable: &str, path: &Path, point: &str, action: &str) {
    let fault = format!("{point}={action}");
    let output = command(test, variable, path)
        .env(fault::VARIABLE, fault)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains(&fault::fired_line(point)),
        "{point}={action} did not fire: {errors}"
    );
    assert!(!output.status.success(), "{point}={action} did no harm");
}
