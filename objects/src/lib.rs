//! Places for data that are no folder of this machine: S3, GCS and Azure, and one in memory for tests.
//!
//! This crate knows buckets, keys and bytes. It knows nothing of tables, tasks or runs, and it reads neither the
//! environment nor the clock by itself: the settings come in as pairs of names and values.
//!
//! What holds for every write:
//!
//! - An `Err` means that nothing was written. An answer that leaves this open is [`Put::Unknown`] or
//!   [`Create::Unknown`], and whoever gets it must not clean up: the write may still arrive.
//! - Each write carries a [`Stamp`] in the object's metadata. Whether an object is ours is read from the stamp's
//!   writer, never guessed from its bytes.
//! - Writes go through a client that never repeats a request by itself. A client that does turns a lost "yes" into
//!   "there is one already".

mod create;
mod entry;
mod fetch;
mod limits;
mod objects;
mod place;
mod put;
mod stamp;
mod stores;
mod write;

#[cfg(test)]
mod tests;

pub use create::Create;
pub use entry::{Entry, Stat};
pub use fetch::FetchError;
pub use limits::{
    CONNECT_TIMEOUT, CREDENTIALS_TIMEOUT, FETCH_CHUNK_BYTES, Limits, MAX_LISTED, MAX_PARTS,
    ONE_PUT_MAX_BYTES, PART_BYTES, PARTS_AT_ONCE, READ_RETRIES, READ_RETRY_TIMEOUT,
    REQUEST_TIMEOUT, WRITE_ATTEMPTS, WRITE_PAUSE, WRITE_PAUSE_MAX,
};
pub use objects::{Objects, ReadError};
pub use place::{Place, PlaceError, Service};
pub use put::Put;
pub use stamp::{Stamp, StampError};
pub use stores::{OpenError, Stores};
pub use write::WriteError;
