//! `diff` from outside: two tables as text in, and out comes what a person at a terminal gets, as one text.

mod bad_input;
mod interruptions;
mod json;
mod names;
mod options;
mod reports;
mod scene;
mod verdicts;
