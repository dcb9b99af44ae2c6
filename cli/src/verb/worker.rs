//! The hidden verb of worker processes.

use std::path::Path;

use crate::exit::Exit;

pub(crate) fn worker(invocation: &Path) -> Exit {
    match understudy_runtime::worker::serve(invocation) {
        Ok(()) => Exit::Good,
        Err(message) => {
            eprintln!("error: {message}");
            Exit::Machine
        }
    }
}
