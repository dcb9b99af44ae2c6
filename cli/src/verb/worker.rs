//! The hidden verb of worker processes.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use understudy_runtime::worker::{Role, serve};

use crate::Program;
use crate::exit::Exit;
use crate::output::tell;

pub(crate) fn worker(
    program: &Program,
    role: &str,
    invocation: &Path,
    becomes: &[OsString],
) -> ExitCode {
    let Some(role) = Role::named(role) else {
        tell!("error: nobody starts this verb but the program itself");
        return Exit::Usage.into();
    };
    match serve(role, invocation, becomes, &program.registry) {
        Ok(code) => code.into(),
        Err(message) => {
            tell!("error: {message}");
            Exit::Machine.into()
        }
    }
}
