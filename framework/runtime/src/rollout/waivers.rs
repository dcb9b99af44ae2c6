//! Waivers: where the pipeline file meets what reviews granted in the ledger.

use understudy_core::ledger::Entry;
use understudy_core::review::{reviews, waivers};
use understudy_core::spec::Spec;

use crate::clock;
use crate::evidence::code_of;
use crate::observe::CodeDigests;

/// Gives each change the waivers that hold today for its code: rules that come after those of the file. Whoever judges,
/// or asks which rules hold, does this first.
pub(crate) fn grant(spec: &mut Spec, entries: &[Entry], code: &CodeDigests) {
    let today = clock::today();
    let changes: Vec<String> = spec.changes.keys().cloned().collect();
    for change in changes {
        if reviews(entries, &spec.pipeline, &change).next().is_none() {
            continue;
        }
        let code = code_of(spec, code, &change);
        let granted = waivers(entries, &spec.pipeline, &change, &code, today);
        if let Some(change) = spec.changes.get_mut(&change) {
            change.waivers = granted;
        }
    }
}
