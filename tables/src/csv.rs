//! CSV as RFC 4180 has it, with a header line, in UTF-8; NULL and empty text are two things.
//!
//! An empty field is NULL, `""` is empty text. LF ends a line as well as CRLF. A byte order mark is skipped.
//! Blank lines at the end of a file are skipped; in a table of one column a blank line is a NULL, so there
//! they count. A quote inside an unquoted field stands for itself.
//!
//! # Types
//! A column has a type only if *every* value, of every file, would come back the same from that type; else it
//! stays text. So `007`, `+1`, `-0`, `1_000`, `TRUE` and `1e5` make a column text. In this order:
//!
//! - **integer**: 64 bits, canonical digits.
//! - **float**: the text is the shortest that gives this number, but for a trailing `.0`; so `1.5` and `2.0`, not
//!   `1.50` (it could be an id or a version). An exponent needs its sign and a normal mantissa (`1e-05`,
//!   `2.5e+300`): hexadecimal ids such as `12e4` are no numbers. `NaN`, `nan`, `inf` and `-inf` stand among
//!   numbers only.
//! - **decimal**: every value has the same number of digits after the point (`1.50`, `12.25`), 38 digits at most.
//! - **boolean**: `true` and `false`.
//! - **date**: `YYYY-MM-DD`.
//! - **timestamp**: RFC 3339 with `Z` or `+00:00`, an instant in UTC; without an offset, a reading of some clock. All
//!   values are written alike: the same separator, the same number (at most six) of digits of a second.
//!
//! A column without any value is text.

pub(crate) mod build;
pub(crate) mod error;
pub(crate) mod guess;
pub(crate) mod number;
pub(crate) mod reader;
pub(crate) mod records;
pub(crate) mod scan;
pub(crate) mod time;
