//! The hidden verb of worker processes.

use std::path::Path;

use crate::Program;
use crate::exit::Exit;
use crate::output::tell;

pub(crate) fn worker(program: &Program, invocation: &Path) -> Exit {
    match understudy_runtime::worker::serve(invocation, &program.registry) {
        Ok(()) => Exit::Good,
        Err(message) => {
            tell!("error: {message}");
            Exit::Machine
        }
    }
}
