//! What a run was told, decided again from what is stored with it.

use serde_json::Value as Json;
use understudy_core::customer::Customer;

use super::keys::Keys;
use super::snapshot::{Decision, Snapshot};

/// What a stored answer says of a flag, decided again.
#[derive(Clone, PartialEq, Debug)]
pub struct DecidedAgain {
    /// The flag's version.
    pub version: u64,
    /// Why nothing of it counts, if so.
    pub refused: Option<String>,
    /// The decision for each customer that was asked for.
    pub customers: Vec<(Customer, Decision)>,
    /// The decision for everybody else.
    pub others: Decision,
}

/// The customers that a flag names in a stored answer; none where they are hashed.
#[must_use]
pub fn named_in(record: &Json, flag: &str) -> Vec<Customer> {
    let snapshot: Snapshot = serde_json::from_value(record.clone()).unwrap_or_default();
    let keys = Keys::new((record["hashed"] == true).then(Vec::new));
    let named = snapshot.named(flag).into_iter();
    named.filter_map(|key| keys.customer(key)).collect()
}

/// Decides again what a run was told, from what is stored with it. `hash_key` is needed where customers are hashed.
///
/// # Errors
/// It is no such record, or the flag is not in it.
pub fn decide_again(
    record: &Json,
    flag: &str,
    customers: &[Customer],
    hash_key: Option<Vec<u8>>,
) -> Result<DecidedAgain, String> {
    let snapshot: Snapshot =
        serde_json::from_value(record.clone()).map_err(|error| error.to_string())?;
    let keys = Keys::new(hash_key.filter(|_| record["hashed"] == true));
    let version = snapshot
        .version(flag)
        .ok_or_else(|| format!("flag `{flag}` was not there"))?;
    let judge = snapshot.judge()?;
    let others = judge.decide_for_others(flag);
    let decide = |customer: &Customer| {
        let decision = keys
            .of(customer)
            .map_or_else(|| others.clone(), |key| judge.decide(flag, &key));
        (customer.clone(), decision)
    };
    Ok(DecidedAgain {
        version,
        refused: snapshot.refusal(flag),
        customers: customers.iter().map(decide).collect(),
        others,
    })
}
