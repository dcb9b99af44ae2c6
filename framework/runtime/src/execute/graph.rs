//! Running steps in the order of their dependencies, several at a time.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

/// Runs every step once, each after those that it depends on, at most `parallel` at a time, the earliest first.
/// `dependencies[i]` are positions of steps; they must not form a cycle.
pub(super) async fn run_graph(
    dependencies: &[Vec<usize>],
    parallel: usize,
    run: impl AsyncFn(usize),
) {
    let mut open: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut ready: BTreeSet<usize> = (0..open.len()).filter(|step| open[*step] == 0).collect();
    let mut running = FuturesUnordered::new();
    let run = &run;
    loop {
        while running.len() < parallel.max(1) {
            let Some(step) = ready.pop_first() else { break };
            running.push(async move {
                run(step).await;
                step
            });
        }
        let Some(done) = running.next().await else {
            return;
        };
        for (step, needs) in dependencies.iter().enumerate() {
            let met = needs.iter().filter(|need| **need == done).count();
            open[step] -= met;
            if met > 0 && open[step] == 0 {
                ready.insert(step);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::run_graph;

    #[tokio::test]
    async fn steps_run_once_after_what_they_need_and_never_too_many() {
        let order = RefCell::new(Vec::new());
        let (now, most) = (Cell::new(0), Cell::new(0));
        let needs = vec![vec![3], vec![0, 3], vec![0, 1], vec![], vec![]];
        run_graph(&needs, 2, async |step| {
            now.set(now.get() + 1);
            most.set(now.get().max(most.get()));
            tokio::task::yield_now().await;
            now.set(now.get() - 1);
            order.borrow_mut().push(step);
        })
        .await;
        let order = order.into_inner();
        let place = |step| order.iter().position(|done| *done == step).unwrap();
        assert_eq!(order.len(), 5);
        assert!(place(3) < place(0) && place(0) < place(1) && place(1) < place(2));
        assert_eq!(most.get(), 2);
    }
}
