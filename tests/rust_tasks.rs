//! A program with Rust tasks, for the tests.

use std::error::Error;
use std::process::ExitCode;

use understudy::{Call, Registry};

type Ended = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let registry = Registry::new()
        .task("all_rows", all_rows)
        .task("panics", |_: &mut Call<'_>| -> Ended {
            panic!("on purpose")
        });
    understudy::main(registry)
}

/// The rows of both inputs.
fn all_rows(call: &mut Call<'_>) -> Ended {
    for name in ["first", "second"] {
        for batch in call.input(name)?.batches()? {
            call.write(&batch?)?;
        }
    }
    Ok(())
}
