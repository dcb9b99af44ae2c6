//! Leases in an object store: one run a pipeline, date and slice, whatever machine it is on.
//!
//! A lease is a row of small objects, each created where there is none; the last one says who holds it and until when.
//! To take it over, to renew it and to give it back are each one more object, so that of all who try one succeeds. A
//! holder whose machine slept finds another one's object when it wants to publish, and does not.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use understudy_core::digest::Digest;
use understudy_objects::{Objects, Stamp};

use super::remote::{self, Created, RemoteError, at};
use crate::clock;

/// How long a lease holds without being renewed.
const HOLDS: Duration = Duration::from_secs(300);
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(60);
/// How often the renewing thread looks whether it should end.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The longest object of a lease.
const MAX_BYTES: u64 = 1 << 16;
/// The name of the lease of everybody, beside those of slices.
const EVERYBODY: &str = "everybody";

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Claim {
    version: u32,
    holder: String,
    /// `None` where it was given back.
    until: Option<DateTime<Utc>>,
}

/// A lease that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    url: String,
    holder: String,
    number: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    renewing: Mutex<Option<JoinHandle<()>>>,
}

impl Lease {
    /// Takes the lease of a slice, or of everybody, below the URL of a date; `None` where somebody else holds it, or one
    /// that excludes it. The file remembers the holder on this machine: what a process that was killed held is taken
    /// over at once by whoever holds the lock on the file's folder.
    pub(crate) fn take(
        date_url: &str,
        slice: Option<&str>,
        file: &Path,
    ) -> Result<Option<Self>, RemoteError> {
        let name = slice.map_or_else(|| EVERYBODY.to_owned(), |slice| format!("slice-{slice}"));
        let url = format!("{date_url}/{name}");
        let holder = remote::writer("run");
        let before = fs::read_to_string(file).unwrap_or_default();
        let Some(number) = at(&url, async |objects| claim(objects, &holder, &before).await)? else {
            return Ok(None);
        };
        // If it cannot be remembered, somebody has to wait some minutes after a crash.
        let _ = fs::write(file, &holder);
        let lease = Self::held(url, holder, number);
        // Whoever comes second of two that exclude each other sees the first here; if both come at once, both go.
        if excluded(date_url, slice, &name)? {
            return Ok(None);
        }
        Ok(Some(lease))
    }

    fn held(url: String, holder: String, number: u64) -> Self {
        let (number, ended) = (
            Arc::new(AtomicU64::new(number)),
            Arc::new(AtomicBool::new(false)),
        );
        let renewing = {
            let (url, holder, number, ended) = (
                url.clone(),
                holder.clone(),
                Arc::clone(&number),
                Arc::clone(&ended),
            );
            std::thread::spawn(move || renew(&url, &holder, &number, &ended))
        };
        Self {
            url,
            holder,
            number,
            ended,
            renewing: Mutex::new(Some(renewing)),
        }
    }

    /// Whether it is still this one's.
    pub(crate) fn is_held(&self) -> Result<bool, RemoteError> {
        let last = at(&self.url, async |objects| last(objects).await)?;
        Ok(last.is_some_and(|(_, claim)| {
            claim.holder == self.holder && claim.until > Some(clock::now())
        }))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Ok(mut renewing) = self.renewing.lock()
            && let Some(thread) = renewing.take()
        {
            let _ = thread.join();
        }
        let number = self.number.load(Ordering::Relaxed) + 1;
        let given_back = Claim {
            version: 1,
            holder: self.holder.clone(),
            until: None,
        };
        // If it does not work, the lease ends by itself.
        let _ = at(&self.url, async |objects| {
            put(objects, number, &given_back).await
        });
    }
}

fn renew(url: &str, holder: &str, number: &AtomicU64, ended: &AtomicBool) {
    loop {
        let mut waited = Duration::ZERO;
        while waited < RENEW_EVERY {
            if ended.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
            waited += LOOK_EVERY;
        }
        let next = number.load(Ordering::Relaxed) + 1;
        let claim = claimed(holder);
        if let Ok(Created::Yes) = at(url, async |objects| put(objects, next, &claim).await) {
            number.store(next, Ordering::Relaxed);
        }
    }
}

fn claimed(holder: &str) -> Claim {
    Claim {
        version: 1,
        holder: holder.to_owned(),
        until: Some(clock::now() + HOLDS),
    }
}

fn is_active(claim: &Claim) -> bool {
    claim.until.is_some_and(|until| until > clock::now())
}

/// The number of the claim that was made; `None` where somebody else holds the lease, or was faster.
async fn claim(objects: &Objects, holder: &str, before: &str) -> Result<Option<u64>, RemoteError> {
    let number = match last(objects).await? {
        Some((_, claim)) if is_active(&claim) && claim.holder != before => return Ok(None),
        Some((number, _)) => number + 1,
        None => 1,
    };
    let created = put(objects, number, &claimed(holder)).await?;
    Ok((created == Created::Yes).then_some(number))
}

async fn last(objects: &Objects) -> Result<Option<(u64, Claim)>, RemoteError> {
    let entries = objects.list("").await?;
    let Some(entry) = entries.last() else {
        return Ok(None);
    };
    let number = entry.key.trim_end_matches(".json").parse().unwrap_or(0);
    let bytes = objects
        .read(&entry.key, MAX_BYTES)
        .await?
        .unwrap_or_default();
    let unreadable = Claim {
        version: 1,
        holder: String::new(),
        until: None,
    };
    Ok(Some((
        number,
        serde_json::from_slice(&bytes).unwrap_or(unreadable),
    )))
}

async fn put(objects: &Objects, number: u64, claim: &Claim) -> Result<Created, RemoteError> {
    let bytes = serde_json::to_vec(claim).expect("a claim has a JSON form");
    let stamp = Stamp::new(remote::writer("lease"), Digest::of_bytes(&bytes).as_str())?;
    remote::create(objects, bytes, &format!("{number:020}.json"), &stamp).await
}

/// Whether a lease is held that excludes this one: those of slices and that of everybody exclude each other.
fn excluded(date_url: &str, slice: Option<&str>, own: &str) -> Result<bool, RemoteError> {
    let names = at(date_url, async |objects| {
        Ok(objects.list_folders("").await?)
    })?;
    for name in names.into_iter().filter(|name| name != own) {
        if slice.is_some() && name != EVERYBODY {
            continue;
        }
        let other = at(&format!("{date_url}/{name}"), async |objects| {
            last(objects).await
        })?;
        if other.is_some_and(|(_, claim)| is_active(&claim)) {
            return Ok(true);
        }
    }
    Ok(false)
}
