//! Further comparators, through the real binary: what each kind finds, and what one cannot do to a run.

mod finding;
mod hostile;
mod reused;
mod scene;
