//! SHA-256 digests, the identity of everything that is identified by what it contains.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::from_hash(Sha256::digest(bytes).as_slice())
    }

    /// The digest of a value's JSON form, whose keys stand in the order of the type's fields.
    ///
    /// # Panics
    /// If the value has no JSON form, such as a map whose keys are no text.
    #[must_use]
    pub fn of_json(value: &impl Serialize) -> Self {
        let json = serde_json::to_vec(value).expect("what is digested has a JSON form");
        Self::of_bytes(&json)
    }

    /// The digest that a finished SHA-256 state gave as 32 bytes.
    #[must_use]
    pub fn from_hash(hash: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(hash.len() * 2);
        for byte in hash {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        }
        Self(text)
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..self.0.len().min(12)]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}
