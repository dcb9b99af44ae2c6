//! One encoder from any name to one safe part of a path.

/// The most bytes that an encoded name has.
pub const MAX_PATH_PART_BYTES: usize = 128;

/// A name as one part of a path: letters, digits, `.`, `_` and `-` stand for themselves, every other byte
/// (and a leading dot) is `%XX`. Names whose encoded form is too long are cut and carry their digest, so that
/// different names never share a path; what they were is recorded beside the files.
#[must_use]
pub fn encode(name: &str) -> String {
    use std::fmt::Write as _;
    let mut part = String::with_capacity(name.len());
    for (position, byte) in name.bytes().enumerate() {
        let plain =
            byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || (byte == b'.' && position > 0);
        if plain {
            part.push(char::from(byte));
        } else {
            write!(part, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    if part.is_empty() {
        return "%".to_owned();
    }
    if part.len() > MAX_PATH_PART_BYTES {
        let digest = crate::digest::Digest::of_bytes(name.as_bytes());
        part.truncate(MAX_PATH_PART_BYTES - 34);
        part = format!("{part}%~{}", &digest.as_str()[..32]);
    }
    part
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn plain_names_stay() {
        assert_eq!(encode("carrier_delay-v2.1"), "carrier_delay-v2.1");
    }

    #[test]
    fn nothing_leaves_its_folder() {
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "a\0b",
            "é",
            "%2e",
            &"x".repeat(5_000),
        ] {
            let part = encode(name);
            assert!(!part.is_empty() && part != "." && part != "..", "{name:?}");
            assert!(!part.contains(['/', '\\', '\0']), "{name:?}");
            assert!(part.len() <= super::MAX_PATH_PART_BYTES, "{name:?}");
        }
    }

    #[test]
    fn different_names_differ() {
        let names = [
            "a", "A", "a%", "a/", "a%2F", "é", "e\u{301}", ".", "%2E", "", "%",
        ];
        let parts: std::collections::BTreeSet<_> = names.iter().map(|name| encode(name)).collect();
        assert_eq!(parts.len(), names.len());
    }
}
