//! What somebody else left in a bucket: the outputs of external versions, and Delta tables.

use std::fs;

use serde_json::json;

use crate::lake::delta::{Lake, ids, metadata, plain};
use crate::playground::{DATE, ORDERS};

use super::scene::Scene;

/// Both versions are somebody else's, and so is what the old one published.
const EXTERNAL: &str = "\
pipeline: shop
datasets: {}
tasks:
  totals:
    inputs: []
    output: { grain: [id], customer: customer }
    live: v1
    versions:
      v1: { external: { location: \"s3://lake/old/dt={date}/\" } }
      v2: { external: { location: \"s3://lake/new/dt={date}/\" } }
changes:
  better:
    new: { totals: v2 }
";

const DELTA: &str = "\
pipeline: shop
datasets:
  orders: { location: s3://lake/orders table }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id] }
    live: v1
    versions:
      v1: { sql: v2.sql }
      v2: { command: [sh, v1.sh], inputs: csv }
changes:
  better:
    new: { totals: v2 }
";

#[test]
fn external_versions_leave_their_tables_in_a_bucket() {
    let Some(scene) = Scene::new() else { return };
    scene.shop.write("understudy.yaml", EXTERNAL);
    scene.put(&format!("old/dt={DATE}/rows.csv"), ORDERS);
    let waiting = scene.run(&["--shadow", "--strict"]).expect(3);
    assert!(
        waiting.stdout.contains(&format!("s3://lake/new/dt={DATE}")),
        "{}",
        waiting.stdout
    );
    let other = ORDERS.replace("3,Bob,30", "3,Bob,31");
    scene.put(&format!("new/dt={DATE}/rows.csv"), &other);
    let ended = scene.run(&["--shadow", "--strict"]).expect(1);
    assert_eq!(ended.verdict("totals"), "unexpected");
    // Published again: another table, and another run.
    scene.replace(&format!("new/dt={DATE}/rows.csv"), ORDERS);
    let ended = scene.run(&["--shadow", "--strict"]).expect(0);
    assert_eq!(ended.verdict("totals"), "identical");
}

#[test]
fn a_delta_table_is_read_from_a_bucket() {
    let Some(scene) = Scene::new() else { return };
    let shop = &scene.shop;
    shop.write("understudy.yaml", DELTA);
    shop.write("v2.sql", "SELECT id FROM orders");
    let lake = Lake::new(shop, "orders table");
    let gone = lake.file("gone.parquet", &[("id", ids([9]))]);
    lake.commit(0, &[plain(), metadata(&[("id", "long")], &[]), gone]);
    let remove =
        json!({"remove": {"path": "gone.parquet", "deletionTimestamp": 1, "dataChange": true}});
    let stays = lake.file("a b.parquet", &[("id", ids([1, 2, 3]))]);
    let mut stays_encoded = stays;
    stays_encoded["add"]["path"] = json!("a%20b.parquet");
    lake.commit(1, &[remove, stays_encoded]);
    for name in [
        "gone.parquet",
        "a b.parquet",
        "_delta_log/00000000000000000000.json",
        "_delta_log/00000000000000000001.json",
    ] {
        let bytes = fs::read(shop.path("orders table").join(name)).unwrap();
        let key = format!("orders table/{name}").replace(' ', "%20");
        scene.put_bytes(&key, &bytes);
    }
    let ended = scene.run(&["--strict"]).expect(0);
    assert_eq!(ended.verdict("totals"), "identical");
    assert_eq!(shop.rows("totals"), "id\n1\n2\n3\n");
}
