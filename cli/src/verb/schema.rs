//! `schema`: the JSON Schema of the pipeline file.

use crate::exit::Exit;
use crate::output::print_json;

pub(crate) fn schema() -> Exit {
    print_json(&understudy_core::spec::json_schema());
    Exit::Good
}
