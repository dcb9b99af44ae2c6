//! Masked columns: a hundred values that nobody may see, through every way in which a run can speak.
//!
//! Data stay in clear: what is published, staged or in quarantine. Everything else that is written below the folder, said
//! on the terminal or told to others is searched for each value, in every form in which programs write it.

mod checks;
mod failures;
mod findings;
mod objects;
mod rules;
mod scene;
