//! A program with Rust tasks, for the tests.

use std::error::Error;
use std::process::{Command, ExitCode};

use understudy::{Call, CheckError, Finding, Found, Param, Registry, Side, Sides, Value};

type Looked = Result<u64, CheckError>;
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
        })
        .task("hostile", hostile)
        .comparator("counts", counts)
        .comparator("panics", |_: &Sides<'_>, _: &mut dyn Found| -> Looked {
            panic!("on purpose")
        })
        .comparator("aborts", |_: &Sides<'_>, _: &mut dyn Found| -> Looked {
            std::process::abort()
        })
        .comparator(
            "tells",
            |sides: &Sides<'_>, found: &mut dyn Found| -> Looked {
                let text = values(sides)?;
                found.not_compared(text.clone());
                found.finding(Finding::new(text.clone()).about(text));
                Ok(1)
            },
        )
        .comparator(
            "fails_with_values",
            |sides: &Sides<'_>, _: &mut dyn Found| -> Looked {
                Err(CheckError::other(values(sides)?))
            },
        )
        .comparator(
            "panics_with_values",
            |sides: &Sides<'_>, _: &mut dyn Found| -> Looked { panic!("{}", values(sides)?) },
        );
    understudy::main(registry)
}

/// Does something that it should not, then hands its input on. What it was refused is an error of its own making: only
/// what it reached would show.
fn hostile(call: &mut Call<'_>) -> Ended {
    let text = |name: &str| match call.param(name) {
        Some(Param::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let (way, place) = (text("way"), text("place"));
    match way.as_str() {
        "loop" => loop {
            std::hint::spin_loop();
        },
        "deadlock" => std::thread::sleep(std::time::Duration::from_secs(3_600)),
        "abort" => std::process::abort(),
        "stack" => {
            overflow(0);
        }
        "panic" => panic!("on purpose"),
        "memory" => {
            let held: Vec<u8> = vec![1; 2_000_000_000];
            std::thread::sleep(std::time::Duration::from_secs(3_600));
            drop(held);
        }
        "processes" => {
            let mut started = Vec::new();
            for _ in 0..100 {
                started.push(Command::new("sleep").arg("1000").spawn());
            }
            std::thread::sleep(std::time::Duration::from_secs(3_600));
        }
        "write" => assert!(std::fs::write(&place, "bad").is_err(), "it was written"),
        "remove" => assert!(std::fs::remove_file(&place).is_err(), "it was removed"),
        "daemon" => {
            let mut daemon = Command::new("setsid");
            daemon.args(["sleep", "1000"]).spawn()?;
        }
        "log" => {
            for _ in 0..1_000_000 {
                eprintln!("{}", "the quick brown fox ".repeat(50));
            }
        }
        way => {
            let port = way.split_once(' ').ok_or("no such way")?.1.parse()?;
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
            let wait = std::time::Duration::from_secs(2);
            assert!(std::net::TcpStream::connect_timeout(&address, wait).is_err());
        }
    }
    for batch in call.input("orders")?.batches()? {
        call.write(&batch?)?;
    }
    Ok(())
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn overflow(depth: u64) -> u64 {
    let held = [depth; 1_000];
    overflow(depth + 1) + std::hint::black_box(held)[0]
}

/// Whether both tables have so many rows.
fn counts(sides: &Sides<'_>, found: &mut dyn Found) -> Looked {
    let [old, new] = [Side::Old, Side::New].map(|side| sides.rows(side));
    let (old, new) = (old?, new?);
    if old != new {
        let [old, new] = [old, new].map(|rows| Value::Integer(rows.into()));
        found.finding(Finding::new("rows").figures(old, new));
    }
    Ok(1)
}

/// All that a comparator reads, as an error may quote it.
fn values(sides: &Sides<'_>) -> Result<String, CheckError> {
    let mut text = String::new();
    for batch in sides.batches(Side::New, &["email", "note", "phone"])? {
        text += &format!("{:?}", batch?);
    }
    Ok(text)
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
