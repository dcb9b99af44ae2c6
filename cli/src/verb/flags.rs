//! `flags`: what would surprise in a flag, and telling flags again.

use serde_json::json;
use understudy_runtime::flags::{Lint, Synced, Weight, lint, sync};
use understudy_runtime::report::visible::visible;

use super::moves::failed;
use crate::args::{FlagsArguments, FlagsLintArguments, FlagsSyncArguments, FlagsVerb};
use crate::exit::Exit;
use crate::output::{print, print_json};

pub(crate) fn flags(arguments: &FlagsArguments) -> Exit {
    match &arguments.verb {
        FlagsVerb::Lint(arguments) => look(arguments),
        FlagsVerb::Sync(arguments) => tell_again(arguments),
    }
}

fn look(arguments: &FlagsLintArguments) -> Exit {
    let found = match lint(&arguments.pipeline.pipeline, &arguments.change) {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    if arguments.json {
        print_json(&found);
    } else {
        print(&text(&found));
    }
    if found.has_errors() {
        Exit::Unexpected
    } else {
        Exit::Good
    }
}

fn text(found: &Lint) -> String {
    let mut lines = vec![format!(
        "flag {} in {}",
        visible(&found.flag),
        found.provider
    )];
    for surprise in &found.surprises {
        let weight = match surprise.weight {
            Weight::Error => "ERROR",
            Weight::Warning => "WARNING",
            Weight::Note => "note",
        };
        lines.push(format!("  {weight:<8} {}", visible(&surprise.what)));
        lines.push(format!("           {}", visible(&surprise.fix)));
    }
    if found.surprises.is_empty() {
        lines.push("  nothing in it would surprise".to_owned());
    }
    lines.join("\n")
}

fn tell_again(arguments: &FlagsSyncArguments) -> Exit {
    let change = arguments.change.as_deref();
    let synced = match sync(&arguments.pipeline.pipeline, change, arguments.dry_run) {
        Ok(synced) => synced,
        Err(error) => return failed(&error),
    };
    if arguments.json {
        print_json(&json!({ "version": 1, "done": !arguments.dry_run, "flags": synced }));
    } else if synced.is_empty() {
        print("the pipeline has no changes");
    } else {
        let lines: Vec<String> = synced
            .iter()
            .map(|one| line(one, arguments.dry_run))
            .collect();
        print(&lines.join("\n"));
    }
    Exit::Good
}

fn line(one: &Synced, is_dry_run: bool) -> String {
    let change = visible(&one.change);
    let mut text = match (one.entry, one.flag_version) {
        (None, _) => format!("{change}: its flag has what the ledger has"),
        (Some(entry), _) if is_dry_run => {
            format!("{change}: its flag would be told of ledger entry {entry}")
        }
        (Some(entry), None) => format!("{change}: its flag was told of ledger entry {entry}"),
        (Some(entry), Some(version)) => {
            format!(
                "{change}: its flag was told of ledger entry {entry}, and has version {version}"
            )
        }
    };
    for note in &one.notes {
        text.push_str(&format!("\n  {}", visible(note)));
    }
    text
}
