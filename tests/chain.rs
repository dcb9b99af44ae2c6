//! A pipeline of two SQL tasks, one behind the other, and a third beside them, with a change of the first.

use crate::playground::{COPY, ORDERS, Playground};

const CHAIN: &str = "\
pipeline: chain
datasets:
  orders: { location: data/orders.csv }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { sql: v1.sql }
      v2: { sql: v2.sql, params: { more: 1 } }
  sums:
    inputs: [totals]
    output: { location: live/sums, grain: [customer], customer: customer }
    live: v1
    versions:
      v1: { sql: sums.sql }
  beside:
    inputs: [orders]
    output: { location: live/beside, grain: [id] }
    live: v1
    versions:
      v1: { command: [sh, beside.sh], inputs: csv }
changes:
  better:
    new: { totals: v2 }
    downstream: [sums]
    expect:
      totals:
        - { name: a little more, columns: [amount], within: 1 }
      sums:
        - { name: a little more, columns: [amount], within: 2 }
";

/// The pipeline, in which everything is as expected.
pub(crate) fn chain() -> Playground {
    Playground::of(&[
        ("understudy.yaml", CHAIN),
        ("data/orders.csv", ORDERS),
        ("v1.sql", "SELECT * FROM orders ORDER BY id\n"),
        (
            "v2.sql",
            "SELECT id, customer, amount + $more AS amount FROM orders\n",
        ),
        (
            "sums.sql",
            "SELECT customer, sum(amount) AS amount FROM totals GROUP BY customer ORDER BY customer\n",
        ),
        ("beside.sh", COPY),
    ])
}
