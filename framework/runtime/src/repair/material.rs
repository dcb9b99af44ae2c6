//! What an earlier run left of a changed task, and whether that is still what it left.

use std::fs;

use understudy_core::plan::{GivenOutput, NodeId, Work};
use understudy_core::world::Side;
use understudy_tasks::DATA_FILE;

use crate::run::record::RunRecord;
use crate::store::Store;
use crate::store::durable;

/// A side of a changed task as a run left it.
///
/// # Errors
/// Why it cannot be published again, for people.
pub(super) fn left(
    store: &Store,
    record: &RunRecord,
    change: &str,
    task: &str,
    side: Side,
) -> Result<GivenOutput, String> {
    let mut planned = record.plan.comparisons.iter();
    let planned = planned.find(|planned| planned.change == change && planned.task == task);
    let planned = planned.ok_or_else(|| {
        format!(
            "run {} did not keep the {} output of `{task}`",
            record.run,
            side.name()
        )
    })?;
    let id = planned.node(side);
    let given = of_node(store, record, id).ok_or_else(|| {
        let name = side.name();
        format!(
            "run {} has no {name} output of `{task}`: its {name} version failed",
            record.run
        )
    })?;
    looked_at(
        store,
        given,
        record,
        id,
        &format!("the {} output of `{task}`", side.name()),
    )
}

fn of_node(store: &Store, record: &RunRecord, id: NodeId) -> Option<GivenOutput> {
    let node = record.plan.node(id);
    let output = record.log.output(id)?;
    let (run, version, code) = match &node.work {
        Work::Given(given) => (given.run.clone(), given.version.clone(), given.code.clone()),
        Work::Compute { version, .. } => {
            let code = record.code.get(&node.task)?.get(version)?;
            (record.run.clone(), version.clone(), code.clone())
        }
        Work::Assemble { .. } => return None,
    };
    let file = store.root().join(&node.folder).join(DATA_FILE);
    let digest = durable::digest_of_file(&file).ok();
    Some(GivenOutput {
        run,
        version,
        code,
        folder: node.folder.clone(),
        rows: output.rows,
        bytes: output.bytes,
        // What cannot be read is said when it is looked at.
        digest: digest.unwrap_or_else(|| understudy_core::digest::Digest::of_bytes(b"")),
    })
}

/// What is published is what the run left, to the byte where its record knows the digest.
fn looked_at(
    store: &Store,
    given: GivenOutput,
    record: &RunRecord,
    id: NodeId,
    what: &str,
) -> Result<GivenOutput, String> {
    let file = store.root().join(&given.folder).join(DATA_FILE);
    let Ok(found) = fs::metadata(&file) else {
        return Err(format!(
            "{what} is gone: nothing is at `{}`",
            file.display()
        ));
    };
    let known = record
        .log
        .output(id)
        .and_then(|output| output.digest.as_ref());
    if found.len() != given.bytes || known.is_some_and(|known| *known != given.digest) {
        return Err(format!(
            "{what} is not what run {} left: `{}` was changed",
            given.run,
            file.display()
        ));
    }
    Ok(given)
}
