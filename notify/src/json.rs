//! JSON that any program and any screen takes.

use std::fmt::Write as _;

use serde_json::Value;

/// The text of a message: ASCII only, because receivers put it on screens and into logs, where other characters may
/// act. JSON says the same with escapes.
pub(super) fn ascii(body: &Value) -> String {
    let json = body.to_string();
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, ' '..='~') {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(text, "\\u{unit:04x}").expect("writing to a String cannot fail");
        }
    }
    text
}
