//! A run's claim on a date, or on a slice on it: a lock on this machine, and a lease where the store is in an object store.

use std::io;
use std::path::Path;
use std::time::Duration;

use understudy_core::path_part;
use understudy_core::run_date::RunDate;

use super::Store;
use super::lease::Lease;
use super::lock::Lock;
use super::remote::RemoteError;

/// How long a run waits for another one of the same date.
const LOCK_WAIT: Duration = Duration::from_millis(200);
/// How long it waits for the workers of a run that was killed, which end as soon as they notice.
const WORKERS_WAIT: Duration = Duration::from_secs(10);
/// The file in a lock's folder that says who took it last.
const HOLDER_FILE: &str = "holder";

/// The locks of a date, or of a slice on it; `None` where somebody else on this machine has them. A run of everybody on a
/// date works alone; runs of different slices may work side by side. Nobody writes where the run will write: the workers of
/// an earlier one that was killed are gone.
pub(crate) fn locks(
    store: &Store,
    pipeline: &str,
    date: RunDate,
    slice: Option<&str>,
) -> io::Result<Option<Vec<Lock>>> {
    let of = |slice| store.lock_dir(pipeline, date, slice);
    let (whole, own) = (of(None), of(slice));
    let at_work = store.at_work_dir(pipeline, date, slice);
    std::fs::create_dir_all(&at_work)?;
    let locks = if slice.is_some() {
        [
            Lock::shared(&whole, LOCK_WAIT)?,
            Lock::exclusive(&own, LOCK_WAIT)?,
        ]
    } else {
        [Lock::exclusive(&whole, LOCK_WAIT)?, None]
    };
    let wanted = 1 + usize::from(slice.is_some());
    let locks: Vec<Lock> = locks.into_iter().flatten().collect();
    if locks.len() != wanted {
        return Ok(None);
    }
    let are_workers_gone = Lock::exclusive(&at_work, WORKERS_WAIT)?.is_some();
    let holder = if are_workers_gone {
        format!(
            "process {} on {}, since {}",
            std::process::id(),
            host(),
            crate::clock::now_text()
        )
    } else {
        format!(
            "workers on {} of a run that was killed, which have not ended within {} s",
            host(),
            WORKERS_WAIT.as_secs()
        )
    };
    // It is for people; that it cannot be written is no harm.
    let _ = std::fs::write(own.join(HOLDER_FILE), holder);
    Ok(are_workers_gone.then_some(locks))
}

/// Who said last that they hold the locks, or others that exclude them, in brackets; empty where nobody did.
pub(crate) fn holder(store: &Store, pipeline: &str, date: RunDate, slice: Option<&str>) -> String {
    let whole = store.lock_dir(pipeline, date, None);
    let own = store.lock_dir(pipeline, date, slice);
    let slices = std::fs::read_dir(&whole).into_iter().flatten().flatten();
    let slices = slices
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    let said = |folder: &Path| {
        let file = folder.join(HOLDER_FILE);
        let written = std::fs::metadata(&file).and_then(|found| found.modified());
        Some((written.ok()?, std::fs::read_to_string(file).ok()?))
    };
    let folders = [own, whole].into_iter().chain(slices);
    let newest = folders.filter_map(|folder| said(&folder)).max();
    newest.map_or_else(String::new, |(_, who)| format!(" ({who})"))
}

pub(crate) fn host() -> String {
    nix::unistd::gethostname()
        .map(|host| host.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The lease of a date, or of a slice on it, which keeps other machines away.
#[derive(Debug)]
pub(crate) enum Leased {
    /// The store is on a disk: there is none.
    NotNeeded,
    /// It is this run's.
    Held(Lease),
    /// Another machine has it, or one that excludes it.
    ByOthers,
}

/// Takes the lease; the locks have to be held.
pub(crate) fn lease(
    store: &Store,
    pipeline: &str,
    date: RunDate,
    slice: Option<&str>,
) -> Result<Leased, RemoteError> {
    let Some(url) = store.remote() else {
        return Ok(Leased::NotNeeded);
    };
    let pipeline_part = path_part::encode(pipeline);
    let date_url = format!("{url}/locks/{pipeline_part}/date={date}");
    let file = store.lock_dir(pipeline, date, slice).join("lease");
    Ok(match Lease::take(&date_url, slice, &file)? {
        Some(lease) => Leased::Held(lease),
        None => Leased::ByOthers,
    })
}
