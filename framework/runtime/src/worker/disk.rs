//! What a worker has written, and what is left on its disk.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

/// How much of a disk stays free for live, at most; on a small disk a fiftieth.
const KEPT_FREE_BYTES: u64 = 2 << 30;
/// The share of a disk that stays free, as a divisor.
const KEPT_FREE_SHARE: u64 = 50;
/// The system counts in these, whatever the disk's own are.
const BLOCK_BYTES: u64 = 512;

/// The room that files below some folders take, in bytes. Links are not followed; a file with several names counts for
/// each of them.
pub(super) fn taken(folders: &[PathBuf]) -> u64 {
    let mut open = folders.to_vec();
    let mut bytes = 0;
    while let Some(path) = open.pop() {
        let Ok(found) = fs::symlink_metadata(&path) else {
            continue;
        };
        bytes += found.blocks() * BLOCK_BYTES;
        if found.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            open.extend(entries.map(|entry| entry.path()));
        }
    }
    bytes
}

/// Whether so little is left on a folder's disk that live needs it; then, how much it is, in bytes. Files that were
/// removed while they are open are counted here.
pub(super) fn too_little_left(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    let fragment = disk.fragment_size();
    let free = disk.blocks_available().saturating_mul(fragment);
    let all = disk.blocks().saturating_mul(fragment);
    (free < KEPT_FREE_BYTES.min(all / KEPT_FREE_SHARE)).then_some(free)
}
