//! Promise 3: both versions read the same data, or the verdict says that it cannot be proved.

use crate::playground::{COPY, ORDERS, Playground};

/// Reads the input where it lies, after adding to it unless somebody made the file `calm`.
const MEDDLER: &str = "[ -e calm ] || echo 5,Cat,50 >> data/orders.csv
cat data/orders.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"
";

#[test]
fn an_input_that_changes_during_the_run_is_named() {
    let shop = Playground::shop(&format!("{COPY}echo 5,Cat,50 >> data/orders.csv")).without_walls();
    let ended = shop.run(&[]).expect(0);
    let changed =
        "an input changed during the run: `data/orders.csv` was changed (55 bytes, now 64)";
    assert_eq!(ended.verdict("totals"), format!("inconclusive: {changed}"));
    assert_eq!(ended.json()["alerts"][0], changed);
    assert_eq!(ended.json()["live"]["status"], "published");
    assert_eq!(shop.rows("totals"), ORDERS);
}

#[test]
fn an_input_that_changes_under_live_is_published_and_not_checked() {
    let shop = Playground::shop(COPY);
    shop.write("v1.sh", &format!("{COPY}echo 5,Cat,50 >> data/orders.csv"));
    let ended = shop.run(&[]).expect(0);
    // The new version saw a row more: that is no evidence against it, and no run is good that had it.
    let customers = &ended.json()["changes"]["better"]["tasks"]["totals"]["customers"];
    assert_eq!(
        [&customers["Ann"]["verdict"], &customers["Bob"]["verdict"]],
        ["inconclusive", "inconclusive"]
    );
    assert!(
        ended
            .verdict("totals")
            .contains("an input changed during the run: `data/orders.csv`"),
        "{ended:?}"
    );
    assert_eq!(shop.rows("totals"), ORDERS);
}

#[test]
fn what_was_made_from_changed_inputs_is_not_reused() {
    let shop = Playground::shop(MEDDLER).without_walls();
    let before = shop.run(&[]).expect(0);
    assert!(
        before
            .verdict("totals")
            .starts_with("inconclusive: an input changed"),
        "{before:?}"
    );
    shop.write("data/orders.csv", ORDERS);
    shop.write("calm", "");
    let after = shop.run(&[]).expect(0);
    assert_eq!(
        after.json()["run"],
        before.json()["run"],
        "the input is as it was"
    );
    assert_eq!(after.verdict("totals"), "identical");
    assert_eq!(after.reuse(), "0 of 3");
    assert_eq!(shop.run(&[]).expect(0).reuse(), "3 of 3");
}

#[test]
fn a_version_that_is_edited_during_the_run_is_not_checked() {
    let shop = Playground::shop(&format!("{COPY}echo '# edited' >> v2.sh")).without_walls();
    let ended = shop.run(&[]).expect(0);
    assert_eq!(
        ended.verdict("totals"),
        "inconclusive: an input changed during the run: the code of a version was edited"
    );
}
