//! A plan as a tree that a person can read.

use std::fmt::Write as _;

use crate::plan::{Half, InputFrom, Node, NodeId, NodeInput, Plan, PlannedComparison, Work};
use crate::slice::when_part;
use crate::stage::Span;

/// What the tree says beside the plan itself.
#[derive(Clone, Debug, Default)]
pub struct TreeFacts {
    /// A word on each dataset, such as `3 files, 5.3 MB`, by name.
    pub datasets: std::collections::BTreeMap<String, String>,
    /// Suspended changes, each with the reason.
    pub suspended: Vec<(String, String)>,
    /// What the shadow half took relative to the live half, the last time.
    pub cost: Option<String>,
    /// Nodes whose output is there already.
    pub done: std::collections::BTreeSet<NodeId>,
}

/// The plan as text, a line for each thing that the run does, without a final line break.
#[must_use]
pub fn render(plan: &Plan, facts: &TreeFacts) -> String {
    let slice = plan
        .slice
        .as_ref()
        .map(|slice| format!("  slice {}", slice.name))
        .unwrap_or_default();
    let mut text = format!("{} {}{slice}  run {}\n", plan.pipeline, plan.date, plan.run);
    section(&mut text, "reads", &dataset_lines(plan, facts));
    section(&mut text, "live", &live_lines(plan, facts));
    let mut changes: Vec<&str> = plan
        .comparisons
        .iter()
        .map(|comparison| comparison.change.as_str())
        .collect();
    changes.dedup();
    for change in &changes {
        let title = format!("shadow of {change} ({})", span_text(plan, change));
        section(&mut text, &title, &change_lines(plan, facts, change));
    }
    if changes.is_empty() {
        section(
            &mut text,
            "shadow",
            &["nothing: no change is at a stage that compares".to_owned()],
        );
    }
    for (change, reason) in &facts.suspended {
        section(
            &mut text,
            &format!("{change} is SUSPENDED"),
            &reason.lines().map(str::to_owned).collect::<Vec<_>>(),
        );
    }
    if let Some(cost) = &facts.cost {
        let _ = writeln!(text, "cost: {cost}");
    }
    text.trim_end().to_owned()
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}");
    for (position, line) in lines.iter().enumerate() {
        let branch = if position + 1 == lines.len() {
            "└─"
        } else {
            "├─"
        };
        let _ = writeln!(text, "{branch} {line}");
    }
}

fn dataset_lines(plan: &Plan, facts: &TreeFacts) -> Vec<String> {
    let mut names: Vec<&str> = plan.nodes.iter().flat_map(dataset_names).collect();
    names.sort_unstable();
    names.dedup();
    let word = |name: &str| {
        facts
            .datasets
            .get(name)
            .map(|word| format!("  {word}"))
            .unwrap_or_default()
    };
    names
        .iter()
        .map(|name| format!("{name}{}", word(name)))
        .collect()
}

fn dataset_names(node: &Node) -> impl Iterator<Item = &str> {
    let inputs = match &node.work {
        Work::Compute { inputs, .. } => inputs.as_slice(),
        Work::Assemble { .. } | Work::Given(_) => &[],
    };
    inputs.iter().filter_map(|input| match &input.from {
        InputFrom::Stored { id, .. } => Some(id.as_str()),
        InputFrom::External(_) | InputFrom::Node(_) => None,
    })
}

fn live_lines(plan: &Plan, facts: &TreeFacts) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, _) in plan.nodes().filter(|(_, node)| node.half == Half::Live) {
        let published = plan
            .publications
            .iter()
            .find(|publication| publication.node == id);
        let target = match published {
            Some(publication) => format!(
                "  => {}/{}/",
                publication.location.trim_end_matches('/'),
                when_part(plan.date, plan.slice.as_ref())
            ),
            None => String::new(),
        };
        lines.push(format!("{}{target}", node_line(plan, facts, id)));
    }
    lines
}

fn change_lines(plan: &Plan, facts: &TreeFacts, change: &str) -> Vec<String> {
    let comparisons = || {
        plan.comparisons
            .iter()
            .filter(move |comparison| comparison.change == change)
    };
    let mut nodes: Vec<NodeId> = comparisons()
        .flat_map(|comparison| reach(plan, comparison))
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    let runs = nodes.into_iter().map(|id| node_line(plan, facts, id));
    let leaks = plan.leaks.iter().filter(|leak| leak.change == change);
    runs.chain(comparisons().map(|comparison| comparison_line(plan, comparison)))
        .chain(leaks.map(leak_line))
        .collect()
}

/// The shadow nodes that a comparison needs.
fn reach(plan: &Plan, comparison: &PlannedComparison) -> Vec<NodeId> {
    let mut open = vec![comparison.old, comparison.new];
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        if plan.node(id).half == Half::Shadow {
            found.push(id);
            open.extend(plan.node(id).reads());
        }
    }
    found
}

fn node_line(plan: &Plan, facts: &TreeFacts, id: NodeId) -> String {
    let node = plan.node(id);
    let done = if facts.done.contains(&id) {
        "  (there already)"
    } else {
        ""
    };
    match &node.work {
        Work::Compute {
            version, inputs, ..
        } if is_external(inputs) => {
            format!(
                "take {} {version} as somebody else left it{done}",
                node.task
            )
        }
        Work::Compute {
            version, inputs, ..
        } => {
            let reads: Vec<String> = inputs
                .iter()
                .map(|input| input_text(plan, &input.name, &input.from))
                .collect();
            format!(
                "run {} {version}  reads {}{done}",
                node.task,
                reads.join(", ")
            )
        }
        Work::Given(given) => format!(
            "take {} {} as run {} left it{done}",
            node.task, given.version, given.run
        ),
        Work::Assemble { change, .. } => {
            format!(
                "put together {} by customer, as the stages of {change} say{done}",
                node.task
            )
        }
    }
}

fn is_external(inputs: &[NodeInput]) -> bool {
    inputs
        .iter()
        .any(|input| matches!(input.from, InputFrom::External(_)))
}

fn input_text(plan: &Plan, name: &str, from: &InputFrom) -> String {
    match from {
        InputFrom::Stored { id, .. } if id == name => name.to_owned(),
        InputFrom::Stored { id, .. } => format!("{name} = {id}"),
        InputFrom::External(_) => name.to_owned(),
        InputFrom::Node(id) => match plan.node(*id).version() {
            Some(version) => format!("{name} ({version})"),
            None => name.to_owned(),
        },
    }
}

fn comparison_line(plan: &Plan, comparison: &PlannedComparison) -> String {
    let side = |id: NodeId| plan.node(id).version().unwrap_or("put together").to_owned();
    let (old, new) = (side(comparison.old), side(comparison.new));
    let sides = if comparison.changed {
        format!("{old} with {new}")
    } else {
        format!("{old} in both worlds")
    };
    let customer = comparison
        .customer
        .as_ref()
        .map(|column| format!(", by {column}"))
        .unwrap_or_default();
    let (key, rules) = (comparison.key.join(", "), comparison.rules.len());
    let plural = if rules == 1 { "" } else { "s" };
    let when = if comparison.half == Half::Live {
        " before publishing"
    } else {
        ""
    };
    format!(
        "compare {}{when}: {sides} on ({key}){customer}, {rules} rule{plural}",
        comparison.task
    )
}

fn leak_line(leak: &PlannedComparison) -> String {
    format!(
        "look for a leak in {}: what is published with the old world on ({})",
        leak.task,
        leak.key.join(", ")
    )
}

fn span_text(plan: &Plan, change: &str) -> &'static str {
    match plan.stages.get(change).map(crate::stage::LaneStages::span) {
        Some(Span::SomeLive) => "some lanes live",
        Some(Span::AllLive) => "all lanes live",
        Some(Span::Complete) => "complete",
        Some(Span::Off) => "off",
        Some(Span::Shadow) | None => "all lanes at shadow",
    }
}
