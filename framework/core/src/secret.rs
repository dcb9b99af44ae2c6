//! Secrets, and how none of them gets out in a text.

use std::fmt;

/// Values shorter than this are not looked for: they would be found in everything.
pub const MIN_BYTES: usize = 4;

/// The secrets that a piece of work knows.
#[derive(Clone, Default)]
pub struct Secrets {
    /// What is looked for, longest first, each with what stands in its place.
    hidden: Vec<(Vec<u8>, String)>,
}

/// It never shows what it holds.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("forms", &self.hidden.len())
            .finish()
    }
}

impl Secrets {
    /// These values, each with a name that may be told.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hidden = Vec::new();
        for (name, value) in values {
            let forms = forms(value).into_iter();
            let long = forms.filter(|form| form.len() >= MIN_BYTES);
            hidden.extend(long.map(|form| (form, format!("<secret {name}>"))));
        }
        hidden.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        hidden.dedup_by(|one, other| one.0 == other.0);
        Self { hidden }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hidden.is_empty()
    }

    /// The length of the longest form, in bytes.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.hidden.first().map_or(0, |(form, _)| form.len())
    }

    /// The text with the name of each secret in its place.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut pending = text.as_bytes().to_vec();
        String::from_utf8_lossy(&self.hide_in(&mut pending, true)).into_owned()
    }

    /// Takes from a stream's bytes those that can be given on, with the name of each secret in its place; what could be
    /// the beginning of a secret stays until more comes, or until the end.
    #[must_use]
    pub fn hide_in(&self, pending: &mut Vec<u8>, is_end: bool) -> Vec<u8> {
        let kept = if is_end {
            0
        } else {
            self.longest().saturating_sub(1)
        };
        let until = pending.len().saturating_sub(kept);
        let mut shown = Vec::with_capacity(pending.len());
        let mut position = 0;
        while let Some((start, end, name)) = self.first_in(pending, position)
            && start < until
        {
            shown.extend_from_slice(&pending[position..start]);
            shown.extend_from_slice(name.as_bytes());
            position = end;
        }
        let until = until.max(position);
        shown.extend_from_slice(&pending[position..until]);
        pending.drain(..until);
        shown
    }

    /// The first secret from a position on, the longest of those that begin there.
    fn first_in(&self, bytes: &[u8], from: usize) -> Option<(usize, usize, &str)> {
        let found = self.hidden.iter().filter_map(|(form, name)| {
            let start = from + memchr::memmem::find(&bytes[from..], form)?;
            Some((start, start + form.len(), name.as_str()))
        });
        found.min_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)))
    }
}

/// How a value may stand in a text: as it is, in JSON, and in a URL.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let json = serde_json::Value::from(value).to_string();
    // Without the two quotes around it; those that belong to the value stay.
    let json = json[1..json.len() - 1].to_owned();
    let mut url = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    // A text of several lines, such as a private key, is as secret line by line.
    let lines = value.lines().filter(|line| line.len() >= 16);
    let mut forms: Vec<String> = lines.map(str::to_owned).collect();
    forms.extend([value.to_owned(), json, url.to_lowercase(), url]);
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter().map(String::into_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    fn secrets() -> Secrets {
        Secrets::new([
            ("TOKEN", "s3cr3t/key"),
            ("LONG", "s3cr3t/key-and-more"),
            ("SHORT", "abc"),
        ])
    }

    #[test]
    fn secrets_are_named_instead_of_shown() {
        let check = |text: &str, shown: &str| assert_eq!(secrets().hide(text), shown);
        check("nothing", "nothing");
        check("a s3cr3t/key b", "a <secret TOKEN> b");
        check("s3cr3t/key-and-more", "<secret LONG>");
        check("s3cr3t/keys3cr3t/key", "<secret TOKEN><secret TOKEN>");
        check(
            "url?t=s3cr3t%2Fkey&u=s3cr3t%2fkey",
            "url?t=<secret TOKEN>&u=<secret TOKEN>",
        );
        check("abc", "abc");
        assert_eq!(
            format!("{:?}", Secrets::new([("A", "tell me")])),
            "Secrets { forms: 2 }"
        );
    }

    #[test]
    fn in_json_they_are_named_as_well() {
        let secrets = Secrets::new([("KEY", "two\nlines and \"quotes\"")]);
        let text = serde_json::json!({ "key": "two\nlines and \"quotes\"" }).to_string();
        assert_eq!(secrets.hide(&text), "{\"key\":\"<secret KEY>\"}");
    }

    #[test]
    fn however_a_stream_is_cut_the_same_comes_out() {
        let text = "x s3cr3t/key-and-more y s3cr3t/key s3cr3t/ke";
        let whole = secrets().hide(text);
        for size in 1..text.len() {
            let (mut pending, mut shown) = (Vec::new(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                pending.extend_from_slice(piece);
                shown.extend(secrets().hide_in(&mut pending, false));
            }
            shown.extend(secrets().hide_in(&mut pending, true));
            assert_eq!(String::from_utf8(shown).unwrap(), whole, "pieces of {size}");
        }
    }
}
