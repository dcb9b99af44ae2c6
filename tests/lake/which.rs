//! Which version is live: for schedulers that run versions themselves.

use std::time::Instant;

use crate::playground::Playground;

#[test]
fn a_scheduler_asks_which_version_is_live() {
    let shop = Playground::shop("exit 1");
    let which = |arguments: &[&str]| {
        shop.understudy(&[&["which", "totals"], arguments].concat())
            .expect(0)
            .stdout
    };
    assert_eq!(which(&[]), "everybody  v1 (shadow)\n");
    assert_eq!(which(&["--customer", "Ann"]), "v1\n");
    let json: serde_json::Value =
        serde_json::from_str(&which(&["--customer", "Ann", "--json"])).unwrap();
    assert_eq!(json["live"], "v1");
    assert_eq!(json["stage"], "shadow");
    assert_eq!(json["change"], "better");
    let since = Instant::now();
    which(&["--customer", "Ann"]);
    // A bound for a machine that does many things at once; docs/benchmarks.md has the figure.
    assert!(since.elapsed().as_secs() < 5);
}

#[test]
fn a_task_that_is_none_is_named() {
    let shop = Playground::shop_without_change();
    let ended = shop.understudy(&["which", "total"]).expect(2);
    assert!(
        ended
            .stderr
            .contains("there is no task `total`; did you mean `totals`?"),
        "{}",
        ended.stderr
    );
    let ended = shop.understudy(&["which", "totals"]).expect(0);
    assert_eq!(ended.stdout, "everybody  v1\n");
}
