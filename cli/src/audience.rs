//! Progress: a bar on a terminal, plain lines elsewhere. Always on standard error.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::Duration;

use crate::output::tell;
use indicatif::{ProgressBar, ProgressStyle};
use understudy_core::event::{Event, StepEnd};
use understudy_core::plan::Half;
use understudy_runtime::events::EventSink;
use understudy_runtime::report::visible::visible;

/// How often a bar moves by itself.
const TICK: Duration = Duration::from_millis(120);

/// The audience that suits where standard error goes.
pub(crate) fn audience() -> Box<dyn EventSink> {
    if std::io::stderr().is_terminal() {
        Box::new(Bar::new())
    } else {
        Box::new(Lines)
    }
}

/// A line for each thing that ended.
struct Lines;

impl EventSink for Lines {
    fn emit(&self, event: &Event) {
        if let Some(line) = line(event) {
            tell!("{line}");
        }
    }
}

/// A bar, with the running steps beside it.
struct Bar {
    bar: ProgressBar,
    running: Mutex<Vec<String>>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            running: Mutex::new(Vec::new()),
        }
    }

    fn note(&self, change: impl FnOnce(&mut Vec<String>)) {
        if let Ok(mut running) = self.running.lock() {
            change(&mut running);
            self.bar.set_message(running.join(", "));
        }
    }
}

impl EventSink for Bar {
    fn emit(&self, event: &Event) {
        match event {
            Event::RunStarted { steps, .. } => self.bar.set_length(*steps as u64),
            Event::StepStarted { step, .. } => {
                self.note(|running| running.push(visible(step).into_owned()))
            }
            Event::StepEnded { step, .. } => {
                self.note(|running| running.retain(|other| *other != visible(step)));
                self.bar.inc(1);
            }
            Event::RunEnded { .. } => self.bar.finish_and_clear(),
            _ => {}
        }
        let worth_a_line = !matches!(
            event,
            Event::StepEnded {
                end: StepEnd::Done(_) | StepEnd::Reused,
                ..
            }
        );
        if worth_a_line && let Some(line) = line(event) {
            self.bar.println(visible(&line));
        }
    }
}

fn line(event: &Event) -> Option<String> {
    match event {
        Event::StepEnded {
            step,
            half,
            end,
            wall_ms,
        } => Some(step_line(step, *half, end, *wall_ms)),
        Event::Published {
            outputs,
            reused: false,
        } if *outputs == 1 => Some("published 1 output".to_owned()),
        Event::Published {
            outputs,
            reused: false,
        } => Some(format!("published {outputs} outputs")),
        Event::LiveFailed { reason } => Some(format!("LIVE FAILED: {}", visible(reason))),
        Event::Alert { message } => Some(format!("ALERT: {}", visible(message))),
        _ => None,
    }
}

fn step_line(step: &str, half: Half, end: &StepEnd, wall_ms: u64) -> String {
    let half = match half {
        Half::Live => "live  ",
        Half::Shadow => "shadow",
    };
    let seconds = if wall_ms < 1_000 {
        format!("{wall_ms} ms")
    } else {
        format!("{}.{} s", wall_ms / 1_000, wall_ms % 1_000 / 100)
    };
    let end = match end {
        StepEnd::Done(word) => format!("{word} in {seconds}"),
        StepEnd::Reused => "there already".to_owned(),
        StepEnd::Failed(reason) => format!("FAILED after {seconds}: {}", visible(reason)),
    };
    format!("{half}  {}: {end}", visible(step))
}
