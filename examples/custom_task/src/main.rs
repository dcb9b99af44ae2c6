//! Understudy with one Rust task, the longest streaks of late departures, and one comparator of what it makes.

mod longest;
mod streaks;

use std::process::ExitCode;

use understudy::Registry;

fn main() -> ExitCode {
    let registry = Registry::new()
        .task("late_streaks", streaks::late_streaks)
        .comparator("longest_stays", longest::longest_stays);
    understudy::main(registry)
}
