//! One encoder from any name to one safe part of a path, and back.

use std::fmt::Write as _;

use understudy_sabotage::Sabotage;

use crate::digest::Digest;

/// The most bytes that an encoded name has.
pub const MAX_PATH_PART_BYTES: usize = 128;

/// What stands between the beginning of a long name and its digest. No encoded byte looks like it.
const CUT: &str = "%~";
/// The digits of the digest of a long name.
const DIGEST_CHARS: usize = 32;
/// The empty name, which is no escape of any byte.
const EMPTY: &str = "%";

/// A name as one part of a path: small letters, digits, `.`, `_` and `-` stand for themselves, every other byte is
/// `%XX`. So are capital letters, because `A` and `a` are one file on some file systems, a dot at the beginning or the
/// end, and the first letter of what Windows takes for a device (`con`, `nul.txt`).
///
/// Names whose encoded form is too long are cut and carry their digest, so that different names never share a path;
/// [`fits`] tells which are not, and of those [`decode`] gives the name again.
#[must_use]
pub fn encode(name: &str) -> String {
    if Sabotage::PlainPaths.is_on() {
        return name.to_owned();
    }
    let part = escaped(name);
    if part.len() <= MAX_PATH_PART_BYTES {
        return part;
    }
    let digest = Digest::of_bytes(name.as_bytes());
    let room = MAX_PATH_PART_BYTES - CUT.len() - DIGEST_CHARS;
    format!("{}{CUT}{}", &part[..room], &digest.as_str()[..DIGEST_CHARS])
}

/// Whether a name's encoded form has all of it.
#[must_use]
pub fn fits(name: &str) -> bool {
    // Escaping never shortens, so that nobody has to escape what is long anyway.
    name.len() <= MAX_PATH_PART_BYTES && escaped(name).len() <= MAX_PATH_PART_BYTES
}

/// The name that a part of a path was made from; `None` where it is cut, or was made by something else.
#[must_use]
pub fn decode(part: &str) -> Option<String> {
    if part == EMPTY {
        return Some(String::new());
    }
    let mut name = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'%' {
            let digits = more.first_chunk::<2>()?;
            let digits = std::str::from_utf8(digits).ok()?;
            let is_ours = |digit: u8| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit);
            digits.bytes().all(is_ours).then_some(())?;
            name.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &more[2..];
        } else {
            name.push(*first);
            rest = more;
        }
    }
    String::from_utf8(name).ok()
}

fn escaped(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    let device = usize::from(is_device(name));
    for (position, byte) in name.bytes().enumerate() {
        let inner = position > 0 && position + 1 < name.len();
        let plain = byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || b"_-".contains(&byte)
            || (byte == b'.' && inner);
        if plain && position >= device {
            part.push(char::from(byte));
        } else {
            write!(part, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    if part.is_empty() {
        part.push_str(EMPTY);
    }
    part
}

/// Whether Windows takes a file of that name for a device, whatever follows the first dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    match stem.as_bytes() {
        [b'c', b'o', b'n'] | [b'p', b'r', b'n'] | [b'a', b'u', b'x'] | [b'n', b'u', b'l'] => true,
        [b'c', b'o', b'm', digit] | [b'l', b'p', b't', digit] => digit.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
