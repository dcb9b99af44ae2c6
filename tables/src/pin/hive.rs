//! Hive partition folders: `key=value`, both percent-encoded.

/// What a Hive writer calls the folder of rows whose partition column is NULL.
pub(crate) const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The key and the value that a folder's name stands for, decoded; `None` for another folder.
pub(crate) fn partition(folder: &str) -> Option<(String, String)> {
    let (key, value) = folder.split_once('=')?;
    (!key.is_empty()).then(|| (decode(key), decode(value)))
}

/// The text that a percent-encoded text stands for. What is no valid escape, or would be no UTF-8, stands for
/// itself: a folder may have been named by hand.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                bytes.push(digit(*high) * 16 + digit(*low));
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        b'a'..=b'f' => hex - b'a' + 10,
        _ => hex - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::partition;

    #[test]
    fn folders_are_decoded() {
        let check = |folder: &str, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(partition(folder), expected, "{folder}");
        };
        check("year=2013", Some(("year", "2013")));
        check("k=a=b", Some(("k", "a=b")));
        check("k=", Some(("k", "")));
        check("at=05%3A00", Some(("at", "05:00")));
        check("k=100%", Some(("k", "100%")));
        check("k=%zz%C3%A9", Some(("k", "%zzé")));
        check("k=%FF", Some(("k", "%FF")));
        check("=v", None);
        check("plain", None);
    }
}
