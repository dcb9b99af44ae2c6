//! `doctor`: what is in force here.

use std::path::Path;

use understudy_runtime::doctor::{Checkup, Finding, Health, check_up, is_pipeline};
use understudy_runtime::pipeline;
use understudy_runtime::report::visible::visible;

use super::with_crew;
use crate::Program;
use crate::args::DoctorArguments;
use crate::exit::Exit;
use crate::output::{print, print_json};

pub(crate) fn doctor(program: &Program, arguments: &DoctorArguments) -> Exit {
    with_crew(program, async |crew| {
        // Here there need not be one; who names one means it.
        let is_named = arguments.pipeline != Path::new(".");
        let pipeline = (is_named || is_pipeline(&arguments.pipeline))
            .then(|| pipeline::load(&arguments.pipeline))
            .transpose()?;
        let found = check_up(pipeline.as_ref(), &crew).await?;
        if arguments.json {
            print_json(&found);
        } else {
            print(&text(&found));
        }
        Ok(match found.health() {
            Health::Good | Health::Weak => Exit::Good,
            Health::Bad => Exit::Machine,
        })
    })
}

fn text(found: &Checkup) -> String {
    let mut lines = vec!["What keeps a shadow in its place on this machine".to_owned()];
    lines.extend(found.sandbox.iter().map(line));
    if !found.shadows.is_empty() {
        lines.push(String::new());
        lines.push(
            "What the shadows of this pipeline could do where outputs are published".to_owned(),
        );
        lines.extend(found.shadows.iter().map(line));
    }
    if !found.flags.is_empty() {
        lines.push(String::new());
        lines.push("Where the flags of this pipeline are".to_owned());
        lines.extend(found.flags.iter().map(line));
    }
    lines.push(String::new());
    if found
        .flags
        .iter()
        .any(|finding| finding.health == Health::Bad)
    {
        lines.push("While flags do not answer, runs go on with the ledger's stages and nobody moves towards new.".to_owned());
    }
    let shadows = found.sandbox.iter().chain(&found.shadows);
    let health = shadows.map(|finding| finding.health).max();
    lines.push(
        match health.unwrap_or(Health::Good) {
            Health::Good if found.health() == Health::Bad => {
                "All that keeps a shadow in its place is in force."
            }
            Health::Good => "All of it is in force.",
            Health::Weak => "Shadows run under what there is; reports and `status` say what is missing. `sandbox: required` in the pipeline file would not run them.",
            Health::Bad => "Something has to be put right before shadows run.",
        }
        .to_owned(),
    );
    lines.join("\n")
}

fn line(finding: &Finding) -> String {
    let mark = match finding.health {
        Health::Good => "ok  ",
        Health::Weak => "weak",
        Health::Bad => "BAD ",
    };
    format!(
        "  {mark}  {:<11} {}",
        visible(&finding.what),
        visible(&finding.found)
    )
}
