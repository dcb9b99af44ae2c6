//! Signatures by which a receiver knows who wrote, and when.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header that carries the signature: `t=<seconds since 1970>,v1=<hexadecimal>`.
pub const SIGNATURE_HEADER: &str = "Understudy-Signature";

/// The signature of a body at a time: HMAC-SHA256 (RFC 2104) over `<seconds>.<body>`, with the time so that an old
/// message cannot be sent again.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn sign(secret: &str, seconds: i64, body: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{seconds}.{body}").as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}
