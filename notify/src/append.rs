//! A line at the end of a file.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::Value;

/// Adds a message as one line, by one write, so that lines of several processes do not mix.
pub(super) fn append(path: &Path, body: &Value) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(path)?;
    file.write_all(format!("{}\n", crate::json::ascii(body)).as_bytes())
}
