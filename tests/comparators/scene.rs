//! The shop with checks.

use serde_json::Value;

use crate::playground::{COPY, Ended, Playground};

/// A new version that gives Ann 12 for 10.
pub(super) const DEARER: &str = "sed 's/^1,Ann,10$/1,Ann,12/' \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";

/// The shop with this new version and these checks, each a line of a list.
pub(super) fn shop(new_version: &str, checks: &str) -> Playground {
    let shop = Playground::shop(new_version);
    add_checks(&shop, checks);
    shop
}

pub(super) fn add_checks(shop: &Playground, checks: &str) {
    let list: String = checks
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    let change = "    new: { totals: v2 }\n";
    let compare = format!("{change}    compare:\n      totals:\n{list}");
    shop.replace("understudy.yaml", change, &compare);
}

/// The shop whose two versions give the same rows.
pub(super) fn equal_shop(checks: &str) -> Playground {
    shop(COPY, checks)
}

/// The verdict with its reasons.
#[track_caller]
pub(super) fn verdict(shop: &Playground) -> String {
    shop.run(&[]).expect(0).verdict("totals")
}

/// What is said of the checks.
pub(super) fn checks(ended: &Ended) -> Value {
    ended.json()["changes"]["better"]["tasks"]["totals"]["checks"].clone()
}

/// The verdict of a customer.
pub(super) fn of_customer(ended: &Ended, customer: &str) -> String {
    let task = &ended.json()["changes"]["better"]["tasks"]["totals"];
    let verdict = task["customers"][customer]["verdict"].as_str();
    verdict.unwrap_or("none").to_owned()
}
