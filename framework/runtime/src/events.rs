//! Who hears of what happens in a run.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use serde::Serialize;
use understudy_core::event::Event;
use understudy_core::visible::quiet_json;

/// Hears events. It must not fail and must not take long: a run does not wait for its audience.
pub trait EventSink: Send + Sync {
    /// Something happened.
    fn emit(&self, event: &Event);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl EventSink for Silent {
    fn emit(&self, _event: &Event) {}
}

/// Writes events to a file, a JSON object a line, and passes them on.
pub struct Recorder<'a> {
    file: Mutex<Option<File>>,
    next: &'a dyn EventSink,
}

impl std::fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    #[serde(flatten)]
    event: &'a Event,
}

impl<'a> Recorder<'a> {
    /// Records into a file, after what stands there. Without the file, events are only passed on: recording may
    /// never fail a run.
    #[must_use]
    pub fn new(path: &Path, next: &'a dyn EventSink) -> Self {
        let _ = path.parent().map(fs::create_dir_all);
        let file = File::options().create(true).append(true).open(path).ok();
        Self {
            file: Mutex::new(file),
            next,
        }
    }
}

impl EventSink for Recorder<'_> {
    fn emit(&self, event: &Event) {
        let line = serde_json::to_string(&Line {
            at: crate::clock::now_text(),
            event,
        });
        if let (Ok(line), Ok(mut file)) = (line, self.file.lock())
            && let Some(file) = file.as_mut()
        {
            let _ = writeln!(file, "{}", quiet_json(line));
        }
        self.next.emit(event);
    }
}
