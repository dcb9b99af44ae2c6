//! How programs print a value.

use crate::report::visible::visible;

/// The texts that a value's text may stand as: itself, without blanks around it, escaped as JSON, Rust, Python, SQL, CSV,
/// HTML and URLs do it, and of numbers and times the forms that typed columns give.
///
/// Upper and lower case of ASCII letters are one to whoever looks for them.
pub(super) fn renderings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    let mut add = |form: String| {
        if !all.contains(&form) {
            all.push(form);
        }
    };
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    if !is_plain {
        add(text.trim().to_owned());
        add(text.to_lowercase());
        add(text.to_uppercase());
        add(json(text));
        add(ascii_json(text));
        add(text.escape_debug().to_string());
        add(text.escape_default().to_string());
        add(text.replace('\\', "\\\\").replace('\'', "\\'"));
        add(text.replace('\'', "''"));
        add(text.replace('"', "\"\""));
        add(html(text));
        add(url(text));
        add(visible(text).into_owned());
    }
    if text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        numbers_and_times(text).into_iter().for_each(add);
    }
    all
}

fn numbers_and_times(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    if let Ok(number) = text.parse::<f64>() {
        forms.extend([format!("{number}"), format!("{number:?}")]);
        if text.contains('.') {
            forms.push(text.trim_end_matches('0').trim_end_matches('.').to_owned());
        }
    }
    // A time is written with `T` or a blank in it, and with or without its zone.
    let bare = text.trim_end_matches('Z').trim_end_matches("+00:00");
    if bare.len() > 10 && bare.is_char_boundary(10) && bare.is_char_boundary(11) {
        let (date, time) = (&bare[..10], &bare[11..]);
        forms.extend([
            bare.to_owned(),
            format!("{date}T{time}"),
            format!("{date} {time}"),
        ]);
    }
    forms
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON as many programs write it: what is not ASCII is escaped in UTF-16.
fn ascii_json(text: &str) -> String {
    let mut escaped = String::new();
    for c in json(text).chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            escaped.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    escaped
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn url(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}
