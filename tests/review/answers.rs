//! What becomes of answers.

use super::scene::{Scene, answered, cells, place, questions, text};

#[test]
fn the_file_has_a_question_a_line_with_examples_under_it() {
    let scene = Scene::new();
    let csv = scene.csv();
    let cells = cells(&csv);
    assert_eq!(
        cells[0].join(","),
        "id,customer,what happened,rows,column,old,new,change,change %,if accepted,decision,note"
    );
    let (id, what, rows) = (
        place(&cells, "id"),
        place(&cells, "what happened"),
        place(&cells, "rows"),
    );
    let questions = questions(&cells);
    assert!(questions.len() >= 4, "{csv}");
    let counts: Vec<u64> = questions
        .iter()
        .map(|line| cells[*line][rows].parse().unwrap())
        .collect();
    assert!(
        counts.is_sorted_by(|a, b| a >= b),
        "the largest first: {counts:?}"
    );
    for line in 1..cells.len() {
        assert!(!cells[line][id].is_empty() && !cells[line][what].is_empty());
        if cells[line][rows].is_empty() {
            assert_eq!(
                cells[line][id],
                cells[line - 1][id],
                "an example has its group's id"
            );
        }
    }
    let accepted = place(&cells, "if accepted");
    for line in questions {
        let words = &cells[line][accepted];
        assert!(
            words.starts_with("lets up to ") && words.contains("until "),
            "{words}"
        );
        assert!(!words.contains("any change"), "{words}");
    }
    // The same again is no other file; what somebody worked on is never written over.
    scene.out(&[]);
    let path = scene.out(&[]);
    std::fs::write(&path, "mine").unwrap();
    let ended = scene.tell(&["review", "out"], &[]).expect(2);
    assert!(
        ended.stderr.contains("may have answers in it"),
        "{}",
        ended.stderr
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert!(scene.out(&["--out", "elsewhere"]).exists());
}

#[test]
fn answers_become_waivers_and_marks_and_runs_are_judged_again() {
    let scene = Scene::new();
    let file = text(&answered(&scene.csv()), b',');
    let before = scene.ledger();

    let dry = scene.take(&file, &["--dry-run"]).expect(0).json();
    assert_eq!(dry["done"], false);
    assert_eq!(scene.ledger(), before, "a dry run records nothing");

    let taken = scene.take(&file, &[]).expect(0);
    assert!(
        taken.stderr.contains("1 stored run was judged again"),
        "{}",
        taken.stderr
    );
    let taken = taken.json();
    assert_eq!(taken["done"], true);
    assert_eq!(
        taken["answers"].as_array().unwrap().len(),
        dry["answers"].as_array().unwrap().len()
    );
    assert_eq!(
        taken["gate"]["standing"], "not_ready",
        "{:#}",
        taken["gate"]
    );
    let stage = scene.tell(&["status", "--json"], &[]).expect(0).json();
    assert_eq!(
        stage["changes"]["better"]["live"], 0,
        "an answer moves nothing"
    );

    // The report of the stored run is the one that was judged again.
    let report = scene.tell(&["report", "--json"], &[]).expect(0).json();
    let rules = Scene::rules(&report);
    assert!(
        rules
            .iter()
            .all(|(name, _)| name.starts_with("waiver g") && name.contains("(Dana, until "))
    );
    assert!(
        rules.iter().all(|(_, differences)| *differences > 0),
        "{rules:?}"
    );
    let groups = &report["changes"]["better"]["tasks"]["totals"]["files"]["diff"]["groups"];
    let left: Vec<&str> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["what"].as_str().unwrap())
        .collect();
    assert!(
        left.contains(&"row is gone") && !left.contains(&"null → 0"),
        "{left:?}"
    );
    let bug = groups
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["what"] == "row is gone")
        .unwrap();
    assert_eq!(bug["bug"]["by"], "Dana");
    let audit = scene.tell(&["audit"], &[]).expect(0).stdout;
    assert!(audit.contains("reviewed by Dana (as they said)"), "{audit}");
    scene.tell(&["audit", "verify"], &[]).expect(0);

    // The same file once more says nothing new.
    let entries = scene.ledger();
    assert_eq!(scene.take(&file, &[]).expect(0).json()["done"], false);
    assert_eq!(scene.ledger(), entries);
}

#[test]
fn a_waiver_is_of_its_code_and_ends_when_somebody_says_otherwise() {
    let scene = Scene::new();
    let mut cells = answered(&scene.csv());
    let (what, decision) = (place(&cells, "what happened"), place(&cells, "decision"));
    for line in questions(&cells) {
        cells[line][decision] = "fine".into();
    }
    let all_fine = text(&cells, b',');
    let taken = scene.take(&all_fine, &[]).expect(0).json();
    assert_eq!(taken["gate"]["standing"], "ready", "{:#}", taken["gate"]);
    let report = scene.report();
    assert_eq!(report["changes"]["better"]["verdict"], "expected");

    // Somebody thinks better of it.
    for line in questions(&cells) {
        if cells[line][what] == "null → 0" {
            cells[line][decision] = "unsure".into();
        }
    }
    let taken = scene.take(&text(&cells, b','), &[]).expect(0).json();
    assert_eq!(
        taken["gate"]["standing"], "not_ready",
        "{:#}",
        taken["gate"]
    );
    scene.take(&all_fine, &[]).expect(0);
    scene.tell(&["gate", "better"], &[]).expect(0);

    // Other code, and nobody has looked at it.
    scene.playground.replace("v2.sql", "0.1", "0.1 + 0");
    let report = scene.report();
    assert!(Scene::rules(&report).is_empty());
    assert_eq!(report["changes"]["better"]["verdict"], "unexpected");
    scene.tell(&["gate", "better"], &[]).expect(1);
}

#[test]
fn a_waiver_lets_no_more_through_than_it_says() {
    let scene = Scene::new();
    let mut cells = answered(&scene.csv());
    let decision = place(&cells, "decision");
    for line in questions(&cells) {
        cells[line][decision] = "fine".into();
    }
    scene.take(&text(&cells, b','), &[]).expect(0);
    // Another customer, and a larger step of a known one, come with the next data.
    scene
        .playground
        .replace("data/orders.csv", "7,Zoë", "8,New,80.25,x,,\n7,Zoë");
    let report = scene.report();
    let customers = &report["changes"]["better"]["tasks"]["totals"]["customers"];
    assert_eq!(customers["New"]["verdict"], "unexpected", "{customers:#}");
    assert_eq!(customers["Ann"]["verdict"], "expected", "{customers:#}");
}

#[test]
fn a_bug_is_marked_until_it_is_gone() {
    let scene = Scene::new();
    let file = text(&answered(&scene.csv()), b',');
    scene.take(&file, &[]).expect(0);
    let marked = |report: &serde_json::Value| {
        let groups = &report["changes"]["better"]["tasks"]["totals"]["files"]["diff"]["groups"];
        let groups = groups.as_array().cloned().unwrap_or_default();
        groups
            .iter()
            .filter(|group| group["bug"].is_object())
            .count()
    };
    scene
        .playground
        .replace("data/orders.csv", "10.25", "10.75");
    assert_eq!(marked(&scene.report()), 1);
    scene.playground.replace("v2.sql", "WHERE id <> 6", "");
    assert_eq!(marked(&scene.report()), 0);
    scene
        .playground
        .replace("v2.sql", "FROM orders", "FROM orders WHERE id <> 6");
    assert_eq!(
        marked(&scene.report()),
        0,
        "it was gone, and nobody called this one a bug"
    );
}

#[test]
fn what_is_masked_is_masked_in_the_file_and_can_be_accepted() {
    let scene = Scene::new();
    let mask = "datasets:\n  orders: { columns: { name: mask },";
    scene
        .playground
        .replace("understudy.yaml", "datasets:\n  orders: {", mask);
    let run = super::scene::run(&scene.playground);
    let path = scene.out(&["--run", &run, "--out", "masked"]);
    let csv = std::fs::read_to_string(path).unwrap();
    assert!(!csv.contains("MÜLLER") && csv.contains("masked:"), "{csv}");
    let csv = csv.strip_prefix('\u{feff}').unwrap();
    let mut cells = cells(csv);
    let decision = place(&cells, "decision");
    for line in questions(&cells) {
        cells[line][decision] = "fine".into();
    }
    let taken = scene
        .take(&text(&cells, b','), &["--run", &run])
        .expect(0)
        .json();
    assert_eq!(taken["gate"]["standing"], "ready", "{:#}", taken["gate"]);
}
