//! The identity of Rust tasks: the program that they are compiled into.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use understudy_core::digest::Digest;

use crate::store::durable;

/// The file that remembers the digest, so that a program of a hundred megabytes is not read for each run. It may be
/// deleted at any time.
const SEEN_FILE: &str = "executable.json";

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Seen {
    /// Length, inode, times of the last writing and of the last change, in nanoseconds.
    stat: (u64, u64, i128, i128),
    digest: Digest,
}

/// The digest of the running program.
///
/// # Errors
/// It cannot be read.
pub(super) fn digest(store: &Path) -> io::Result<Digest> {
    let program = std::env::current_exe()?;
    let metadata = fs::metadata(&program)?;
    let nanos = |secs: i64, nanos: i64| i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    let stat = (
        metadata.len(),
        metadata.ino(),
        nanos(metadata.mtime(), metadata.mtime_nsec()),
        nanos(metadata.ctime(), metadata.ctime_nsec()),
    );
    let seen = fs::read(store.join(SEEN_FILE)).unwrap_or_default();
    if let Ok(seen) = serde_json::from_slice::<Seen>(&seen)
        && seen.stat == stat
    {
        return Ok(seen.digest);
    }
    let digest = durable::digest_of_file(&program).map_err(|error| error.source)?;
    let seen = Seen {
        stat,
        digest: digest.clone(),
    };
    if let Ok(json) = serde_json::to_vec_pretty(&seen)
        && durable::create_dirs(store).is_ok()
    {
        // Failing to remember is no harm.
        let _ = durable::replace(&store.join(SEEN_FILE), &json);
    }
    Ok(digest)
}
