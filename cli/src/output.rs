//! Data goes to standard output, everything else to standard error. A reader that went away is no error.

use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;
use understudy_runtime::error::RunError;
use understudy_runtime::report::model::RunReport;
use understudy_runtime::report::terminal::{self, Detail, Ink, Surface, View};
use understudy_runtime::report::visible::{quiet_json, visible_lines};
use understudy_runtime::report::{junit, markdown};

use crate::args::ReportFiles;

/// How reports are shown on standard output.
pub(crate) fn view(detail: Detail) -> View {
    let ink = Ink::choose(Surface::of(&io::stdout()), |name| std::env::var(name).ok());
    View { ink, detail }
}

/// Says a line on standard error, as `eprintln!` does; but a reader that went away ends nothing.
macro_rules! tell {
    ($($words:tt)*) => {
        $crate::output::tell_line(format_args!($($words)*))
    };
}
pub(crate) use tell;

/// See [`tell!`].
pub(crate) fn tell_line(words: std::fmt::Arguments<'_>) {
    // Whatever was forgotten before: no word for people steers their terminal.
    let _ = writeln!(io::stderr().lock(), "{}", visible_lines(&words.to_string()));
}

/// Prints lines.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(terminal::only_painted(text).as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// A report in a form for other programs.
type Form = fn(&RunReport) -> String;

/// Shows a run in every form that was asked for. Exactly one of them goes to standard output.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn show(
    report: &RunReport,
    files: &ReportFiles,
    as_json: bool,
    detail: Detail,
) -> Result<(), RunError> {
    let mut printed = false;
    let forms: [(Option<&Path>, Form); 2] = [
        (files.markdown.as_deref(), markdown::render),
        (files.junit.as_deref(), junit::render),
    ];
    for (path, render) in forms {
        match path {
            Some(path) if path == Path::new("-") => {
                print(&render(report));
                printed = true;
            }
            Some(path) => write(path, &render(report))?,
            None => {}
        }
    }
    if as_json {
        print_json(report);
    } else if !printed {
        print(&terminal::render(report, &view(detail)));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), RunError> {
    std::fs::write(path, text).map_err(|source| RunError::Machine {
        what: format!("the report `{}` cannot be written", path.display()),
        source,
    })
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) {
    let json = serde_json::to_string_pretty(value)
        .expect("what is printed has a JSON form: its keys are texts");
    print(&quiet_json(json));
}
