//! The hidden verb of worker processes.

use std::path::Path;

use crate::Program;
use crate::exit::Exit;

pub(crate) fn worker(program: &Program, invocation: &Path) -> Exit {
    match understudy_runtime::worker::serve(invocation, &program.registry) {
        Ok(()) => Exit::Good,
        Err(message) => {
            eprintln!("error: {message}");
            Exit::Machine
        }
    }
}
