//! Lines of a screen: laid out first, painted afterwards, and never more than what is seen.

use super::ink::{Ink, Tone};
use super::width::{self, MAX_WIDTH};
use crate::report::visible::visible;

/// The columns that are left for a text, however long what stands before it is.
const MIN_TEXT_WIDTH: usize = 24;

/// A screen that is being written.
#[derive(Debug)]
pub(crate) struct Page {
    ink: Ink,
    text: String,
}

impl Page {
    pub(crate) fn new(ink: Ink) -> Self {
        Self {
            ink,
            text: String::new(),
        }
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Painted words, and a text behind them that goes on in lines of its own below where it began.
    pub(crate) fn entry(&mut self, lead: &[(Tone, &str)], text: &str) {
        let lead: Vec<_> = lead
            .iter()
            .map(|(tone, words)| (*tone, visible(words)))
            .collect();
        let used: usize = lead.iter().map(|(_, words)| width::width(words)).sum();
        let indent = used.min(MAX_WIDTH - MIN_TEXT_WIDTH);
        let text = visible(text);
        // A blank between the words and the text belongs to the words.
        let gap = text.len() - text.trim_start_matches(' ').len();
        let lines = width::wrap(&text[gap..], MAX_WIDTH - indent - gap);
        let mut line: String = lead
            .iter()
            .map(|(tone, words)| self.ink.paint(*tone, words))
            .collect();
        for rest in lines {
            line.push_str(&" ".repeat(gap));
            line.push_str(&rest);
            self.push(&line);
            line = " ".repeat(indent);
        }
    }

    /// A path or command, whole on one line.
    pub(crate) fn path(&mut self, lead: &str, path: &str) {
        let (lead, path) = (visible(lead), visible(path));
        let line = format!("{}{path}", self.ink.paint(Tone::Quiet, &lead));
        self.push(&line);
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// A name from data in so many columns at most.
pub(crate) fn name(text: &str, columns: usize) -> String {
    width::fit(&visible(text), columns)
}
