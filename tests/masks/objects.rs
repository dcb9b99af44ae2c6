//! A store in a bucket: whoever works on it masks with the same key.

use std::path::Path;

use crate::objects::scene::Scene;
use crate::playground::{DATE, Ended, Playground};

fn key(machine: &Playground) -> Vec<u8> {
    let files = machine.everything();
    let key = files
        .iter()
        .find(|(path, _)| path.ends_with(Path::new("mask.key")));
    key.expect("it has a key").1.clone()
}

#[test]
fn two_machines_have_one_key() {
    let Some(scene) = Scene::new() else { return };
    scene.shop.replace(
        "understudy.yaml",
        "orders/date={date}/\" }",
        "orders/date={date}/\", columns: { amount: mask } }",
    );
    scene.shop.write(
        "v2.sql",
        "SELECT id, customer, amount + 1 AS amount FROM orders",
    );
    let ended = scene.run(&[]).expect(0);
    assert!(ended.stdout.contains("masked:"), "{ended:?}");
    assert_eq!(scene.keys("store/mask.key"), ["store/mask.key"]);
    let other = scene.another_machine();
    let command = ["run", "--json", "--fresh", "--date", DATE];
    let again = Ended::from(scene.command(&other, &command).output().unwrap()).expect(0);
    assert!(again.stdout.contains("masked:"), "{again:?}");
    assert_eq!(key(&scene.shop), key(&other));
    assert_eq!(key(&other).len(), 32);
}
