//! Two machines, one bucket.

use serde_json::Value;

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

fn on(scene: &Scene, machine: &crate::playground::Playground, arguments: &[&str]) -> Ended {
    Ended::from(scene.command(machine, arguments).output().unwrap())
}

fn events(scene: &Scene, kind: &str) -> Vec<Value> {
    let entries = scene.understudy(&["audit", "--json"]).expect(0).json()["entries"].clone();
    let events = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"].clone());
    events.filter(|event| event["kind"] == kind).collect()
}

/// A crash between the two PUTs of a publication.
fn cut_off(scene: &Scene) {
    let crashed = scene
        .command(&scene.shop, &["run", "--json", "--date", DATE])
        .env("UNDERSTUDY_FAULT", "objects.between-puts=kill")
        .output()
        .unwrap();
    assert!(!crashed.status.success());
}

#[test]
fn what_another_machine_published_since_is_not_taken_back() {
    let Some(scene) = Scene::new() else { return };
    let other = scene.another_machine();
    cut_off(&scene);
    // Its lease has run out, and the other machine publishes newer data.
    for key in scene.keys("store/locks/") {
        scene.remove(&key);
    }
    let newer = crate::playground::ORDERS.replace("4,Bob,40", "4,Bob,41");
    scene.replace(&format!("orders/date={DATE}/orders.csv"), &newer);
    on(&scene, &other, &["run", "--json", "--date", DATE]).expect(0);
    let published = scene.get(&format!("live/totals/date={DATE}/_understudy.json"));
    scene.put("orders/date=2026-02-01/orders.csv", &newer);
    let ended = scene
        .understudy(&["run", "--json", "--date", "2026-02-01"])
        .expect(0);
    assert!(
        ended
            .stderr
            .contains("another run has published the same since, and that stays"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        scene.get(&format!("live/totals/date={DATE}/_understudy.json")),
        published
    );
    let dates: Vec<String> = events(&scene, "published")
        .iter()
        .map(|event| event["date"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(dates, [DATE, "2026-02-01"]);
}

#[test]
fn what_the_next_run_finishes_is_in_the_ledger() {
    let Some(scene) = Scene::new() else { return };
    cut_off(&scene);
    scene.put(
        "orders/date=2026-02-01/orders.csv",
        crate::playground::ORDERS,
    );
    let ended = scene
        .understudy(&["run", "--json", "--date", "2026-02-01"])
        .expect(0);
    assert!(
        ended.stderr.contains("that is finished now"),
        "{}",
        ended.stderr
    );
    let published = events(&scene, "published");
    assert_eq!(published[0]["date"], DATE);
    assert_eq!(published[0]["outputs"].as_object().unwrap().len(), 2);
    // The same date again finds it.
    scene
        .understudy(&["run", "--json", "--date", DATE])
        .expect(0);
    assert_eq!(events(&scene, "published").len(), 2);
}

#[test]
fn another_machine_does_not_publish_the_same_run_again() {
    let Some(scene) = Scene::new() else { return };
    scene.shop.write(
        "v1.sh",
        "echo id,customer,amount > \"$UNDERSTUDY_OUTPUT/rows.csv\"; \
         echo 1,Ann,$(od -An -N4 -tu4 /dev/urandom | tr -d ' ') >> \"$UNDERSTUDY_OUTPUT/rows.csv\"\n",
    );
    let other = scene.another_machine();
    scene.run(&[]).expect(0);
    let marker = || scene.get(&format!("live/totals/date={DATE}/_understudy.json"));
    let before = marker();
    let again = on(&scene, &other, &["run", "--json", "--date", DATE]).expect(0);
    assert_eq!(again.json()["live"]["status"], "already_published");
    assert_eq!(marker(), before);
    assert_eq!(events(&scene, "published").len(), 1);
}

#[test]
fn runs_side_by_side_lose_no_entry() {
    let Some(scene) = Scene::new() else { return };
    let dates: Vec<String> = (1..=5).map(|day| format!("2026-02-{day:02}")).collect();
    let machines: Vec<_> = dates.iter().map(|_| scene.another_machine()).collect();
    let runs: Vec<_> = dates
        .iter()
        .zip(&machines)
        .map(|(date, machine)| {
            scene.put(
                &format!("orders/date={date}/orders.csv"),
                crate::playground::ORDERS,
            );
            let mut run = scene.command(machine, &["run", "--json", "--date", date]);
            run.stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null());
            run.spawn().unwrap()
        })
        .collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    assert_eq!(
        (
            events(&scene, "published").len(),
            events(&scene, "judged").len()
        ),
        (5, 5)
    );
    scene.understudy(&["audit", "verify"]).expect(0);
}
