//! Newline-delimited JSON: one object a line, in UTF-8.
//!
//! A key that an object lacks is NULL, as `null` is; `""` is empty text. Blank lines are skipped. A key that stands
//! twice in an object is an error, and so is a line that holds anything else than one object.
//!
//! # Types
//! They are inferred over every value of every file, and no number loses a digit:
//!
//! - **integer**: all numbers are integers of 64 bits.
//! - **float**: every number is exactly what the shortest form of its 64-bit float says; so not 9007199254740993.
//! - **decimal**: the same number of digits before and after the point holds them all, 38 at most.
//! - **text** otherwise: the numbers as they are written. Numbers or booleans beside text are text as written, too.
//! - **boolean**, **text**; objects are structs and arrays are lists of the same. Text is never taken for a date: the
//!   dataset's `types` say that, or the other side of a comparison.
//!
//! A column that is an object in one line and something else in another is an error.

pub(crate) mod error;
pub(crate) mod kind;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod reader;
pub(crate) mod scan;
