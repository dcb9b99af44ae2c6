//! Judging stored runs again before the gate is asked, where the rules are others than they were judged by.

use std::path::Path;

use understudy_runtime::report::visible::visible;
use understudy_runtime::run::rejudge::rejudge;

use super::run::resources;
use super::with_crew;
use crate::Program;
use crate::exit::Exit;
use crate::output::tell;

/// Does so, and tells of it. What keeps it from being done is said by whoever asks the gate next.
pub(super) fn judge_again(program: &Program, pipeline: &Path, change: &str) {
    with_crew(program, async |crew| {
        let end = rejudge(pipeline, change, resources(None), &crew).await;
        let Ok(end) = end else {
            return Ok(Exit::Good);
        };
        match end.runs {
            0 => {}
            1 => tell!("the rules are others: 1 stored run was judged again"),
            runs => tell!("the rules are others: {runs} stored runs were judged again"),
        }
        if let Some(reason) = end.stopped {
            tell!("not judged again, and so no evidence: {}", visible(&reason));
        }
        Ok(Exit::Good)
    });
}
