//! What people answered: of each line the id, the decision and the note, whatever became of the rest.

use std::collections::BTreeMap;

use serde::Serialize;
use understudy_core::review::Decision;
use understudy_core::run_date::RunDate;

use super::ids::{BadId, Ids};
use super::read::TableLine;

/// The characters of a note, at most.
pub(super) const MAX_NOTE_CHARS: usize = 4_000;
/// The characters of what is wrong that are shown.
const SHOWN_CHARS: usize = 40;

/// Something that is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// The line, as the program that edits the file shows it.
    pub line: u64,
    /// What is wrong, for people.
    pub what: String,
}

/// The answer to one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    /// The first line that has it.
    pub(super) line: u64,
    pub(super) decision: Decision,
    pub(super) note: Option<String>,
    /// The last day on which it is to hold, as the file said to whoever answered.
    pub(super) until: RunDate,
}

/// What a file says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Answers {
    /// By group.
    pub(super) answers: BTreeMap<String, Answer>,
    /// Groups that have a line and no answer.
    pub(super) undecided: Vec<String>,
    /// Lines with a note and a group that nobody decided on.
    pub(super) notes_without_decision: Vec<u64>,
    /// All that is wrong.
    pub(super) faults: Vec<Fault>,
    /// Whether an id was of another run.
    pub(super) is_foreign: bool,
}

/// The places of the columns that are read.
struct Head {
    line: usize,
    id: u32,
    decision: u32,
    note: Option<u32>,
}

/// Whether a table has the columns.
pub(super) fn has_head(table: &[TableLine]) -> bool {
    head(table).is_some()
}

/// The first line with both names. It need not be the very first: somebody may have sorted it in among the others.
fn head(table: &[TableLine]) -> Option<Head> {
    table.iter().enumerate().find_map(|(line, cells)| {
        let place = |name: &str| {
            let mut cells = cells.cells.iter();
            cells
                .find(|(_, cell)| plain(cell).to_lowercase() == name)
                .map(|(place, _)| *place)
        };
        Some(Head {
            line,
            id: place("id")?,
            decision: place("decision")?,
            note: place("note"),
        })
    })
}

/// Without what people cannot see at either end.
fn plain(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// Reads the answers to the groups of one run and change.
pub(super) fn answers(table: &[TableLine], ids: Ids<'_>) -> Answers {
    let mut found = Answers::default();
    let Some(head) = head(table) else {
        found.faults.push(no_head(table));
        return found;
    };
    let mut notes: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    for (position, line) in table.iter().enumerate() {
        // Excel's own first line, which names what the cells stand apart by.
        let names_separator = |cell: &String| plain(cell).starts_with("sep=");
        if position == head.line || position == 0 && line.cells.values().any(names_separator) {
            continue;
        }
        let cell = |column: u32| line.cells.get(&column).map_or("", |cell| plain(cell));
        let (id, decision) = (cell(head.id), cell(head.decision));
        let note = head.note.map_or("", cell);
        if id.is_empty() && decision.is_empty() && note.is_empty() {
            continue;
        }
        match of_line(id, decision, note, ids) {
            // The names of the columns once more, where two files were put together.
            Err(_) if id.eq_ignore_ascii_case("id") => {}
            Err(problems) => {
                found.is_foreign |= problems.is_foreign;
                let faults = problems.whats.into_iter();
                let number = line.number;
                found
                    .faults
                    .extend(faults.map(|what| Fault { line: number, what }));
            }
            Ok(read) => {
                if !note.is_empty() {
                    let of_group = notes.entry(read.group.clone()).or_default();
                    of_group.push((line.number, note.to_owned()));
                }
                found.add(line.number, read);
            }
        }
    }
    found.finish(&notes);
    found
}

/// What a line says.
struct OfLine {
    group: String,
    until: RunDate,
    decision: Option<Decision>,
}

/// What is wrong with a line.
#[derive(Default)]
struct Problems {
    whats: Vec<String>,
    is_foreign: bool,
}

fn of_line(id: &str, decision: &str, note: &str, ids: Ids<'_>) -> Result<OfLine, Problems> {
    let mut problems = Problems::default();
    let named = ids.read(id);
    match &named {
        Err(BadId::NoId) if id.is_empty() => {
            problems
                .whats
                .push("there is an answer, and no id".to_owned());
        }
        Err(BadId::NoId) => problems.whats.push(format!("`{}` is no id", short(id))),
        Err(BadId::Foreign) => {
            problems.is_foreign = true;
            let what = format!("`{}` is no id of this run and change", short(id));
            problems.whats.push(what);
        }
        Ok(_) => {}
    }
    let answer = Decision::written(decision);
    if answer.is_none() && !decision.is_empty() {
        problems.whats.push(format!(
            "`{}` is no decision: write fine, bug or unsure, or nothing",
            short(decision)
        ));
    }
    let chars = note.chars().count();
    if chars > MAX_NOTE_CHARS {
        problems.whats.push(format!(
            "the note has {chars} characters, and at most {MAX_NOTE_CHARS} are kept"
        ));
    }
    match named {
        Ok(named) if problems.whats.is_empty() => Ok(OfLine {
            group: named.group,
            until: named.until,
            decision: answer,
        }),
        _ => Err(problems),
    }
}

impl Answers {
    fn add(&mut self, line: u64, read: OfLine) {
        let Some(decision) = read.decision else {
            self.undecided.push(read.group);
            return;
        };
        match self.answers.get_mut(&read.group) {
            None => {
                let answer = Answer {
                    line,
                    decision,
                    note: None,
                    until: read.until,
                };
                self.answers.insert(read.group, answer);
            }
            Some(known) if known.decision == decision => {
                known.until = known.until.min(read.until);
            }
            Some(known) => self.faults.push(Fault {
                line,
                what: format!(
                    "it says {}, and line {} says {} to the same id",
                    decision.name(),
                    known.line,
                    known.decision.name()
                ),
            }),
        }
    }

    fn finish(&mut self, notes: &BTreeMap<String, Vec<(u64, String)>>) {
        self.undecided.sort();
        self.undecided.dedup();
        let answers = &self.answers;
        self.undecided.retain(|group| !answers.contains_key(group));
        for (group, said) in notes {
            let Some(answer) = self.answers.get_mut(group) else {
                let lines = said.iter().map(|(line, _)| *line);
                self.notes_without_decision.extend(lines);
                continue;
            };
            let mut different: Vec<&str> = Vec::new();
            for (_, note) in said {
                if !different.contains(&note.as_str()) {
                    different.push(note);
                }
            }
            let note: String = different.join(" / ").chars().take(MAX_NOTE_CHARS).collect();
            answer.note = Some(note);
        }
        self.notes_without_decision.sort_unstable();
        self.faults.sort_by_key(|fault| fault.line);
    }
}

fn no_head(table: &[TableLine]) -> Fault {
    let first = table.first();
    let names: Vec<String> = first
        .map(|line| {
            line.cells
                .values()
                .take(12)
                .map(|cell| short(plain(cell)))
                .collect()
        })
        .unwrap_or_default();
    let found = if names.is_empty() {
        "it is empty".to_owned()
    } else {
        format!("the first line has: {}", names.join(", "))
    };
    Fault {
        line: first.map_or(1, |line| line.number),
        what: format!("no line has the columns `id` and `decision`; {found}"),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
