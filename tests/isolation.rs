//! Nothing that a shadow does hurts live: hostile programs, and what there is against them.

mod confined;
mod escapes;
mod greedy;
mod rust;
mod scene;
mod secrets;
