//! The binary: Understudy without Rust tasks.

use std::process::ExitCode;

fn main() -> ExitCode {
    understudy::main(understudy::Registry::new())
}
