//! What customers who get old rows see of a flip of others: looked for last, and evidence of nothing.

use std::path::PathBuf;

use understudy_core::event::StepEnd;
use understudy_core::leak::{Leak, leak};
use understudy_core::plan::PlannedComparison;
use understudy_core::run::{ComparisonRecord, Failure, FailureKind, LeakRecord};

use super::{Executor, Step};

/// Below the findings of the task: the differences between what is published and the old world.
const LEAK_FOLDER: &str = "leak";

impl Executor<'_> {
    /// Looks for leaks in what was published; where nothing was, nothing leaked.
    pub(crate) async fn leaks(&self) {
        if self.log.borrow().published.is_none() || self.crew.is_interrupted() {
            return;
        }
        let all = (0..self.plan.leaks.len()).map(Step::Leak);
        self.take(self.with_needs(all.collect())).await;
    }

    pub(super) async fn leak(&self, position: usize) {
        let planned = &self.plan.leaks[position];
        let name = format!("leak into {} of {}", planned.task, planned.change);
        let since = self.started(&name, planned.half);
        let folder = self.leak_folder(planned);
        let (compared, _) = self.comparison(planned, &folder, &name).await;
        let record = self.leak_record(planned, compared);
        let end = match &record.outcome {
            Err(failure) => StepEnd::Failed(failure.message.clone()),
            Ok(_) if record.reused => StepEnd::Reused,
            Ok(None) => StepEnd::Done("nothing leaks".to_owned()),
            Ok(Some(leak)) => StepEnd::Done(format!("{} rows leak", leak.rows)),
        };
        if let Ok(Some(leak)) = &record.outcome {
            self.alert(alert(planned, leak));
        }
        self.log.borrow_mut().leaks.insert(position, record);
        self.ended(&name, planned.half, since, end);
    }

    fn leak_record(&self, planned: &PlannedComparison, compared: ComparisonRecord) -> LeakRecord {
        let outcome = compared.outcome.and_then(|found| {
            let assembly = self.assembly(&planned.change)?;
            leak(&found, &assembly).map_err(|reason| Failure::new(FailureKind::Task, reason))
        });
        LeakRecord {
            outcome,
            usage: compared.usage,
            reused: compared.reused,
        }
    }

    /// Where the differences behind a leak are.
    pub(crate) fn leak_folder(&self, planned: &PlannedComparison) -> PathBuf {
        self.findings_folder(planned).join(LEAK_FOLDER)
    }
}

fn alert(planned: &PlannedComparison, leak: &Leak) -> String {
    format!("`{}`: {}", planned.change, leak.text(&planned.task))
}
