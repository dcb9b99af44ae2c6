//! Creations under faults: exactly one is told that it created, and that one did.

use std::time::Duration;

use crate::proxy::Fault;
use crate::world::{TOO_LONG, WAIT, World, created, stamp};

/// One creation whose PUT meets a fault so many times: what it says, and what stands there afterwards.
async fn check(
    world: &World,
    key: &str,
    fault: Fault,
    times: usize,
    expected: &str,
    stands: Option<&str>,
) {
    world.proxy.add("PUT", key, 0, times, fault);
    let answer = world
        .broken()
        .await
        .create(key, b"mine".to_vec(), &stamp("me"))
        .await;
    assert_eq!(
        created(&answer),
        expected,
        "{fault:?} × {times}: {answer:?}"
    );
    assert_eq!(world.proxy.fired(key), times, "{fault:?} did not fire");
    let found = world
        .straight()
        .await
        .stat(key)
        .await
        .unwrap()
        .map(|stat| stat.stamp.unwrap().writer().to_owned());
    assert_eq!(found.as_deref(), stands, "{fault:?} × {times}");
}

#[tokio::test]
async fn each_fault_is_settled_or_said() {
    let Some(world) = World::start() else { return };
    check(&world, "lost", Fault::LoseAnswer, 1, "created", Some("me")).await;
    check(&world, "cut", Fault::CutBefore, 1, "created", Some("me")).await;
    check(
        &world,
        "storm",
        Fault::Unavailable,
        3,
        "created",
        Some("me"),
    )
    .await;
    check(
        &world,
        "endless-storm",
        Fault::Unavailable,
        4,
        "unknown",
        None,
    )
    .await;
    check(&world, "cut-for-good", Fault::CutBefore, 4, "unknown", None).await;
    check(
        &world,
        "late",
        Fault::DelayAnswer(TOO_LONG),
        1,
        "created",
        Some("me"),
    )
    .await;
    check(&world, "twice", Fault::Double, 1, "created", Some("me")).await;
    check(
        &world,
        "conflict",
        Fault::Conflict,
        1,
        "created",
        Some("me"),
    )
    .await;
    check(
        &world,
        "conflict-for-good",
        Fault::Conflict,
        4,
        "unknown",
        None,
    )
    .await;
    check(
        &world,
        "delivered-late",
        Fault::DeliverLate(Duration::from_millis(20)),
        1,
        "created",
        Some("me"),
    )
    .await;
}

#[tokio::test]
async fn what_another_wrote_is_never_taken_for_ours() {
    let Some(world) = World::start() else { return };
    for (key, fault) in [
        ("lost", Fault::LoseAnswer),
        ("cut", Fault::CutBefore),
        ("storm", Fault::Unavailable),
        ("twice", Fault::Double),
        ("conflict", Fault::Conflict),
    ] {
        // The same bytes: they prove nothing.
        let other = world
            .straight()
            .await
            .create(key, b"mine".to_vec(), &stamp("other"))
            .await;
        assert_eq!(created(&other), "created");
        check(&world, key, fault, 1, "already exists", Some("other")).await;
    }
}

#[tokio::test]
async fn an_unknown_that_arrives_later_is_found_by_its_writer() {
    let Some(world) = World::start() else { return };
    world
        .proxy
        .add("PUT", "slow", 0, 4, Fault::DeliverLate(WAIT));
    let answer = world
        .broken()
        .await
        .create("slow", b"mine".to_vec(), &stamp("me"))
        .await;
    assert_eq!(created(&answer), "unknown");
    tokio::time::sleep(2 * WAIT).await;
    let stat = world.straight().await.stat("slow").await.unwrap().unwrap();
    assert_eq!(stat.stamp, Some(stamp("me")));
}

#[tokio::test]
async fn an_unreadable_answer_is_unknown() {
    let Some(world) = World::start() else { return };
    world.proxy.add("PUT", "dark", 0, 4, Fault::CutBefore);
    world.proxy.add("HEAD", "dark", 0, 100, Fault::Unavailable);
    let answer = world
        .broken()
        .await
        .create("dark", b"mine".to_vec(), &stamp("me"))
        .await;
    assert_eq!(created(&answer), "unknown");
    assert!(world.proxy.fired("dark") > 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_that_race_one_creates() {
    let Some(world) = World::start() else { return };
    let objects = world.broken().await;
    let faults = [
        Fault::LoseAnswer,
        Fault::CutBefore,
        Fault::Unavailable,
        Fault::Double,
        Fault::Conflict,
    ];
    for (round, fault) in faults.into_iter().cycle().take(10).enumerate() {
        let key = format!("race-{round}-");
        world.proxy.add("PUT", &key, round % 5, 8, fault);
        let race = (0..16).map(|n| {
            let (objects, key) = (objects.clone(), key.clone());
            tokio::spawn(async move {
                let writer = format!("writer-{n}");
                let answer = objects
                    .create(&key, writer.clone().into_bytes(), &stamp(&writer))
                    .await;
                (writer, created(&answer))
            })
        });
        let answers: Vec<(String, &str)> = futures::future::join_all(race)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(world.proxy.fired(&key), 8, "{fault:?} did not fire");
        let winners: Vec<&String> = answers
            .iter()
            .filter(|(_, word)| *word == "created")
            .map(|(name, _)| name)
            .collect();
        assert_eq!(winners.len(), 1, "{fault:?}: {answers:?}");
        assert!(
            answers
                .iter()
                .all(|(_, word)| matches!(*word, "created" | "already exists")),
            "{answers:?}"
        );
        let bytes = world
            .straight()
            .await
            .read(&key, 100)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&String::from_utf8(bytes).unwrap(), winners[0]);
    }
}
