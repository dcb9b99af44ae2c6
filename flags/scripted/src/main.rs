//! A scripted LaunchDarkly to try things with by hand: flags from the command line, commands from stdin.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::thread;

use serde_json::{Value, json};
use understudy_scripted_launchdarkly::Scripted;

const USAGE: &str = "usage: scripted-launchdarkly [--port N] FLAG…";
const COMMANDS: &str = "commands: hand FLAG CUSTOMER STAGE, all FLAG STAGE, delete FLAG, refuse on|off, \
    mute on|off, stop, restart, show FLAG, received";

fn main() -> ExitCode {
    let Some((port, flags)) = arguments() else {
        // Nobody reads stderr: then nobody is told.
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::from(2);
    };
    let server = port.map_or_else(Scripted::start, Scripted::start_on);
    for flag in &flags {
        server.create_stage_flag(flag);
    }
    match converse(&server) {
        Ok(()) => loop {
            thread::park();
        },
        Err(_) => ExitCode::FAILURE,
    }
}

fn arguments() -> Option<(Option<u16>, Vec<String>)> {
    let mut port = None;
    let mut flags = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--port" => port = Some(words.next()?.parse().ok()?),
            option if option.starts_with('-') => return None,
            _ if flags.contains(&word) => return None,
            _ => flags.push(word),
        }
    }
    Some((port, flags))
}

fn converse(server: &Scripted) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{}", introduction(server))?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        if !words.is_empty() {
            writeln!(out, "{}", obey(server, &words))?;
            out.flush()?;
        }
    }
    Ok(())
}

/// Secrets are named, not written, in a pipeline file.
fn introduction(server: &Scripted) -> String {
    format!(
        "# export LD_SDK_KEY={sdk_key}\n\
         # export LD_API_TOKEN={api_token}\n\
         flags:\n  \
           provider: launchdarkly\n  \
           sdk_key: \"${{env:LD_SDK_KEY}}\"\n  \
           api_token: \"${{env:LD_API_TOKEN}}\"\n  \
           project: {project}\n  \
           environment: {environment}\n  \
           relay: {url}\n  \
           api: {url}\n\
         # {COMMANDS}",
        sdk_key = server.sdk_key(),
        api_token = server.api_token(),
        project = server.project(),
        environment = server.environment(),
        url = server.url(),
    )
}

fn obey(server: &Scripted, words: &[&str]) -> String {
    let known = |flag: &str, stage: Option<&str>| match server.flag(flag) {
        None => Some(format!("no flag {flag}")),
        Some(rest) => stage
            .filter(|stage| !has_variation(&rest, stage))
            .map(|stage| format!("no stage {stage}")),
    };
    let problem = match words {
        ["hand", flag, _, stage] | ["all", flag, stage] => known(flag, Some(stage)),
        ["delete" | "show", flag] => known(flag, None),
        _ => None,
    };
    if let Some(problem) = problem {
        return problem;
    }
    match words {
        ["hand", flag, customer, stage] => server.target_by_hand(flag, customer, &json!(stage)),
        ["all", flag, stage] => server.serve_by_hand(flag, &json!(stage)),
        ["delete", flag] => server.delete_flag(flag),
        ["refuse", on @ ("on" | "off")] => server.refuse_sdk_key(*on == "on"),
        ["mute", on @ ("on" | "off")] => server.mute(*on == "on"),
        ["stop"] => server.stop(),
        ["restart"] => server.restart(),
        ["show", flag] => return server.flag(flag).as_ref().map(pretty).unwrap_or_default(),
        ["received"] => return received(server),
        _ => return COMMANDS.to_owned(),
    }
    "done".to_owned()
}

fn has_variation(flag: &Value, value: &str) -> bool {
    let variations = flag["variations"].as_array().into_iter().flatten();
    variations
        .into_iter()
        .any(|variation| variation["value"] == value)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

fn received(server: &Scripted) -> String {
    let lines = server.received().into_iter().map(|request| {
        let query = match request.query.as_str() {
            "" => String::new(),
            query => format!("?{query}"),
        };
        let size = request.body.len();
        format!("{} {}{query} ({size} bytes)", request.method, request.path)
    });
    lines.collect::<Vec<_>>().join("\n")
}
