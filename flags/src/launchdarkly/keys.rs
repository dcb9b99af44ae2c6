//! What LaunchDarkly knows customers by.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use understudy_core::customer::Customer;

/// What a hashed key begins with, so that people see what it is.
const PREFIX: &str = "h1-";
/// What hashes are for: one key makes other hashes for other purposes.
const PURPOSE: &[u8] = b"understudy: the context key of a customer\0";
/// How many bytes of a hash are kept; 16 make two customers of one key impossible in practice.
const KEPT: usize = 16;

/// How customers become context keys.
#[derive(Clone, Default)]
pub(super) struct Keys {
    secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_hashed() {
            "Keys(hashed)"
        } else {
            "Keys(clear)"
        })
    }
}

impl Keys {
    /// With a secret, keyed hashes (HMAC-SHA-256) stand in the place of names.
    pub(super) fn new(secret: Option<Vec<u8>>) -> Self {
        Self { secret }
    }

    pub(super) fn is_hashed(&self) -> bool {
        self.secret.is_some()
    }

    /// The key of a customer; `None` for those who have no name, and get what everybody else gets.
    pub(super) fn of(&self, customer: &Customer) -> Option<String> {
        let Customer::Named(name) = customer else {
            return None;
        };
        if name.is_empty() {
            return None;
        }
        let Some(secret) = &self.secret else {
            return Some(name.clone());
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(PURPOSE);
        mac.update(name.as_bytes());
        let digest = mac.finalize().into_bytes();
        let hex: String = digest
            .iter()
            .take(KEPT)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(format!("{PREFIX}{hex}"))
    }

    /// The customer of a key that a flag names, where keys are names.
    pub(super) fn customer(&self, key: &str) -> Option<Customer> {
        (!self.is_hashed()).then(|| Customer::Named(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_shows_nothing_and_depends_on_the_secret() {
        let acme = Customer::Named("acme".into());
        let keys = [b"one".to_vec(), b"two".to_vec()]
            .map(|secret| Keys::new(Some(secret)).of(&acme).unwrap());
        assert_ne!(keys[0], keys[1]);
        assert!(
            keys.iter()
                .all(|key| key.starts_with("h1-") && key.len() == 35 && !key.contains("acme"))
        );
        assert_eq!(Keys::default().of(&acme).unwrap(), "acme");
        assert_eq!(Keys::default().of(&Customer::Null), None);
    }
}
