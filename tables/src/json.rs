//! Newline-delimited JSON: one object a line, in UTF-8.
//!
//! A key that an object lacks is NULL, as `null` is; `""` is empty text. Blank lines are skipped. A key that stands
//! twice in an object is an error, and so is a line that holds anything else than one object.
//!
//! # Types
//! They are inferred over every value of every file, and no number loses a digit:
//!
//! - **integer**: all numbers are integers of 64 bits, written without point and exponent. `-0` is none.
//! - **float**: every number is exactly what the shortest form of its 64-bit float says; so not 9007199254740993.
//! - **decimal**: 38 digits hold all of them, before and after the point.
//! - **text** otherwise: the numbers as they are written. Numbers or booleans beside text are text as written, too.
//! - **boolean**, **text**; objects are structs and arrays are lists of the same. Text is never taken for a date: the
//!   dataset's `types` say that, or the other side of a comparison.
//!
//! A column without any value is text, and so is one of objects without any key. A column that is an object in one
//! line and something else in another is an error. A key that is also the key of the file's folders (`date=…`) is
//! what the folders say.

mod build;
pub(crate) mod error;
pub(crate) mod kind;
mod lines;
mod number;
mod object;
pub(crate) mod reader;
pub(crate) mod scan;
