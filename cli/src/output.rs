//! Data goes to standard output. A reader that went away is no error.

use std::io::{self, Write as _};

use serde::Serialize;
use understudy_runtime::report::terminal::{Detail, Ink, Surface, View};

/// How reports are shown on standard output.
pub(crate) fn view(detail: Detail) -> View {
    let ink = Ink::choose(Surface::of(&io::stdout()), |name| std::env::var(name).ok());
    View { ink, detail }
}

/// Prints lines.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) {
    let json = serde_json::to_string_pretty(value)
        .expect("what is printed has a JSON form: its keys are texts");
    print(&json);
}
