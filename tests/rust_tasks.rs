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
        })
        .task("panics_with_rows", |call: &mut Call<'_>| -> Ended {
            panic!("{}", rows(call)?)
        })
        .task("fails_with_rows", |call: &mut Call<'_>| -> Ended {
            Err(rows(call)?.into())
        })
        .task("dies_with_rows", |call: &mut Call<'_>| -> Ended {
            eprintln!("{}", rows(call)?);
            std::process::abort()
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

/// All that a task reads, as an error may quote it.
fn rows(call: &Call<'_>) -> Result<String, Box<dyn Error + Send + Sync>> {
    let mut text = String::new();
    for batch in call.input("people")?.batches()? {
        text += &format!("{:?}", batch?);
    }
    Ok(text)
}
