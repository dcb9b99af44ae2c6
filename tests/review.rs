//! Review: differences out to a file for people, through whatever they do to it, and their answers back.

mod answers;
mod hostile;
mod scene;
mod spreadsheet;
