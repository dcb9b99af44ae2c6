//! Two machines, one bucket.

use crate::playground::{DATE, Ended};

use super::scene::Scene;

#[test]
fn of_two_machines_one_runs_a_date() {
    let Some(scene) = Scene::new() else { return };
    scene.shop.write(
        "v1.sh",
        "sleep 2; cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n",
    );
    let other = scene.another_machine();
    let mut first = scene
        .command(&scene.shop, &["run", "--json", "--date", DATE])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    let second = Ended::from(
        scene
            .command(&other, &["run", "--json", "--date", DATE])
            .output()
            .unwrap(),
    );
    assert_eq!(second.code, 6, "{second:?}");
    assert!(
        second
            .stderr
            .contains("another run of 2026-01-31 is going on"),
        "{}",
        second.stderr
    );
    assert!(first.wait().unwrap().success());
    // It was given back.
    let second = Ended::from(
        scene
            .command(&other, &["run", "--json", "--date", DATE])
            .output()
            .unwrap(),
    );
    assert_eq!(second.code, 0, "{second:?}");
    scene.understudy(&["audit", "verify"]).expect(0);
}
