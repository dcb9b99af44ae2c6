//! How long, how often and how much.

use std::time::Duration;

use object_store::{BackoffConfig, ClientOptions, RetryConfig};

/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one request may take, its body included.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// How long the first look for credentials may take: long enough for an identity service, short enough to be an
/// answer where there is none.
pub const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a request that reads, or that sends a part of an upload, is repeated.
pub const READ_RETRIES: usize = 8;

/// No read is repeated any more when this much time has passed since it began.
pub const READ_RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a write is sent at most.
pub const WRITE_ATTEMPTS: u32 = 8;

/// The pause before a write is sent the second time; it doubles from then on.
pub const WRITE_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two attempts to write.
pub const WRITE_PAUSE_MAX: Duration = Duration::from_secs(5);

/// Files up to this size are written with one PUT, larger ones in parts.
pub const ONE_PUT_MAX_BYTES: u64 = 64 << 20;

/// The size of a part, unless the file needs larger ones to stay within [`MAX_PARTS`].
pub const PART_BYTES: u64 = 16 << 20;

/// The most parts that a file is cut into; S3 takes 10,000.
pub const MAX_PARTS: u64 = 9_000;

/// How many parts are in memory and on their way at once.
pub const PARTS_AT_ONCE: usize = 4;

/// How much of an object one request fetches.
pub const FETCH_CHUNK_BYTES: u64 = 32 << 20;

/// A listing that is longer than this is refused, because it would be held in memory.
pub const MAX_LISTED: usize = 1_000_000;

/// The limits that one [`Stores`](crate::Stores) works under. The default is the constants of this crate; tests
/// shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long one request may take, its body included.
    pub request_timeout: Duration,
    /// How long the first look for credentials may take.
    pub credentials_timeout: Duration,
    /// How often a read is repeated.
    pub read_retries: usize,
    /// How often a write is sent at most.
    pub write_attempts: u32,
    /// The pause before a write is sent the second time.
    pub write_pause: Duration,
    /// Files up to this size are written with one PUT.
    pub one_put_max_bytes: u64,
    /// The least size of a part.
    pub part_bytes: u64,
    /// How much of an object one request fetches.
    pub fetch_chunk_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            credentials_timeout: CREDENTIALS_TIMEOUT,
            read_retries: READ_RETRIES,
            write_attempts: WRITE_ATTEMPTS,
            write_pause: WRITE_PAUSE,
            one_put_max_bytes: ONE_PUT_MAX_BYTES,
            part_bytes: PART_BYTES,
            fetch_chunk_bytes: FETCH_CHUNK_BYTES,
        }
    }
}

impl Limits {
    /// The pause before the attempt of this number; the first is 0 and has none.
    pub(crate) fn pause_before(&self, attempt: u32) -> Duration {
        match attempt {
            0 => Duration::ZERO,
            n => self
                .write_pause
                .saturating_mul(1 << (n - 1).min(16))
                .min(WRITE_PAUSE_MAX),
        }
    }

    /// The size of each part of a file of this size.
    pub(crate) fn part_bytes_for(&self, bytes: u64) -> u64 {
        self.part_bytes.max(bytes.div_ceil(MAX_PARTS))
    }

    pub(crate) fn client_options(&self) -> ClientOptions {
        ClientOptions::new()
            .with_connect_timeout(self.connect_timeout)
            .with_timeout(self.request_timeout)
    }

    pub(crate) fn patient(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: self.write_pause,
                max_backoff: WRITE_PAUSE_MAX,
                base: 2.0,
            },
            max_retries: self.read_retries,
            retry_timeout: READ_RETRY_TIMEOUT,
        }
    }

    pub(crate) fn once(&self) -> RetryConfig {
        RetryConfig {
            max_retries: 0,
            ..self.patient()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let limits = Limits::default();
        let pauses: Vec<u128> = (0..9).map(|n| limits.pause_before(n).as_millis()).collect();
        assert_eq!(pauses, [0, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        assert_eq!(limits.pause_before(u32::MAX), WRITE_PAUSE_MAX);
    }

    #[test]
    fn a_file_is_never_cut_into_too_many_parts() {
        let limits = Limits::default();
        assert_eq!(limits.part_bytes_for(100 << 20), PART_BYTES);
        let huge = 5 << 40;
        assert!(huge / limits.part_bytes_for(huge) <= MAX_PARTS);
    }
}
