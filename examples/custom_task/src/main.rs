//! Understudy with one Rust task: the longest streaks of late departures.

mod streaks;

use std::process::ExitCode;

use understudy::Registry;

fn main() -> ExitCode {
    understudy::main(Registry::new().task("late_streaks", streaks::late_streaks))
}
