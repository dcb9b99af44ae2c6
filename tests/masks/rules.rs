//! What the pipeline file may say of masks.

use super::scene::{MASKED, Scene};
use crate::playground::DATE;

#[track_caller]
fn refused(replace: &str, by: &str, says: &str) {
    let scene = Scene::of("{ sql: same.sql }", &[]);
    scene.playground.replace("understudy.yaml", replace, by);
    for verb in [&["check"][..], &["run", "--date", DATE]] {
        let ended = scene.playground.understudy(verb).expect(2);
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(text.contains(says) && text.contains("hint:"), "{text}");
    }
}

#[test]
fn the_customer_column_cannot_be_masked() {
    let says = "the customer column `shop` of `staff` is masked";
    refused(MASKED, "columns: { shop: mask }", says);
    refused(MASKED, "columns: { SHOP: mask }", says);
    let says = "the customer column `shop` of `pages` is masked";
    refused(
        "grain: [shop, email], customer: shop }",
        "grain: [shop, email], customer: shop, columns: { shop: mask } }",
        says,
    );
}

#[test]
fn a_column_that_is_not_there_protects_nothing() {
    refused(
        MASKED,
        "columns: { e_mail: mask }",
        "`people` has no column `e_mail` to mask",
    );
    refused(
        "grain: [email], customer: shop }",
        "grain: [email], customer: shop, columns: { emial: mask } }",
        "`staff` has no column `emial` to mask",
    );
}

#[test]
fn mask_is_the_only_word() {
    refused(MASKED, "columns: { email: hide }", "cannot be `hide`");
    refused(MASKED, "columns: { email: true }", "cannot be `true`");
}
