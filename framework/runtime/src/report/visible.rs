//! Text from data that never acts on the screen that shows it.

pub use understudy_core::visible::{quiet_json, visible, visible_lines};
