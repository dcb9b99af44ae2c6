//! Who wrote an object: a few words in its metadata, which tell our writes from others' when an answer is lost.

use std::borrow::Cow;

use object_store::{Attribute, AttributeValue, Attributes};

/// What a write leaves in the object's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    writer: String,
    digest: String,
}

/// Why a stamp cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be kept in an object's metadata: 1 to 200 of A-Z, a-z, 0-9 and `._:+=/-`")]
pub struct StampError(String);

// One lower-case word each: Azure allows no hyphens in such names, some proxies drop those with underscores.
const WRITER: &str = "understudywriter";
const DIGEST: &str = "understudydigest";
const MAX_LENGTH: usize = 200;

impl Stamp {
    /// A stamp. `writer` must be unique to this one write: two writes that may race, and a write and its repetition
    /// after a crash, each have their own. `digest` is of the content, in whatever form the caller compares.
    ///
    /// # Errors
    ///
    /// If one of them is empty, too long, or has characters that not every store keeps.
    pub fn new(writer: impl Into<String>, digest: impl Into<String>) -> Result<Self, StampError> {
        Ok(Self {
            writer: checked(writer.into())?,
            digest: checked(digest.into())?,
        })
    }

    /// The id of the write.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// The digest of what was written.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn attributes(&self) -> Attributes {
        let pair = |name: &'static str, value: &str| {
            (
                Attribute::Metadata(Cow::Borrowed(name)),
                AttributeValue::from(value.to_owned()),
            )
        };
        Attributes::from_iter([pair(WRITER, &self.writer), pair(DIGEST, &self.digest)])
    }

    pub(crate) fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let value = |name: &'static str| {
            attributes
                .get(&Attribute::Metadata(Cow::Borrowed(name)))
                .map(|value| value.as_ref().to_owned())
        };
        Self::new(value(WRITER)?, value(DIGEST)?).ok()
    }
}

fn checked(text: String) -> Result<String, StampError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:+=/-".contains(c);
    if text.is_empty() || text.len() > MAX_LENGTH || !text.chars().all(allowed) {
        return Err(StampError(text));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_store_keeps_is_taken() {
        assert!(Stamp::new("run-1:2", "sha256:00ff").is_ok());
        for bad in ["", "a b", "é", "a\r\nx", &"a".repeat(201)] {
            assert!(Stamp::new(bad, "d").is_err(), "{bad}");
            assert!(Stamp::new("w", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_comes_back_from_the_attributes() {
        let stamp = Stamp::new("w", "d").unwrap();
        assert_eq!(Stamp::from_attributes(&stamp.attributes()), Some(stamp));
        assert_eq!(Stamp::from_attributes(&Attributes::new()), None);
    }
}
