//! The end of a log file, safe to print.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const MAX_LINES: usize = 10;
const MAX_BYTES: u64 = 4096;

/// The last lines of a file as a part of an error, on lines of their own; empty where there are none.
pub(super) fn last_lines(path: &Path) -> String {
    let text = read_end(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(printable)
        .collect();
    if lines.is_empty() {
        return "; it wrote nothing to standard error".to_owned();
    }
    let last = &lines[lines.len().saturating_sub(MAX_LINES)..];
    format!(
        "; the end of its standard error:\n    {}",
        last.join("\n    ")
    )
}

fn read_end(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_BYTES)))?;
    let mut end = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut end)?;
    Ok(end)
}

/// A program's output can hold terminal escapes; none may reach a terminal from here.
fn printable(line: &str) -> String {
    let shown = line.chars().map(|character| match character {
        '\t' => ' ',
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        plain => plain,
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_short_and_printable() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("log");
        let check = |text: &[u8], expected: &str| {
            std::fs::write(&path, text).unwrap();
            assert_eq!(last_lines(&path), expected);
        };
        check(b"", "; it wrote nothing to standard error");
        check(
            b"one\n\n\x1b[31mtwo\xff\n",
            "; the end of its standard error:\n    one\n    \u{fffd}[31mtwo\u{fffd}",
        );
        let many: String = (0..5000).map(|line| format!("{line}\n")).collect();
        let expected: Vec<_> = (4990..5000).map(|line| line.to_string()).collect();
        check(
            many.as_bytes(),
            &format!(
                "; the end of its standard error:\n    {}",
                expected.join("\n    ")
            ),
        );
    }
}
