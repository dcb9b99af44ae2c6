//! The nouns of Understudy and the decisions over them.
//!
//! Knows: the pipeline file, versions, worlds, stages, rules, verdicts.
//! Does not know: files, processes, clocks, Arrow, DataFusion, tokio, flag vendors.
//! Everything here is a function from data to data; whoever calls it does the looking and the doing.

pub mod case;
pub mod check;
pub mod comparison;
pub mod csv_dialect;
pub mod customer;
pub mod digest;
pub mod event;
pub mod evidence;
pub mod gate;
pub mod isolation;
pub mod judge;
pub mod leak;
pub mod ledger;
pub mod live_edits;
pub mod normalize;
pub mod path_part;
pub mod pattern;
pub mod plan;
pub mod repair;
pub mod review;
pub mod rollout;
pub mod rule;
pub mod run;
pub mod run_date;
pub mod schema;
pub mod secret;
pub mod share;
pub mod slice;
pub mod snapshot;
pub mod spec;
pub mod stage;
pub mod tolerance;
pub mod value;
pub mod verdict;
pub mod visible;
pub mod world;
