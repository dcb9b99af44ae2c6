//! A file that went through many hands.

use super::scene::{Scene, answered, cells, place, questions, text};

/// The answers of a taken file, by group.
fn decisions(scene: &Scene, bytes: &[u8]) -> Vec<(String, String)> {
    let taken = scene.take_bytes(bytes, &["--dry-run"]).expect(0).json();
    let answers = taken["answers"].as_array().unwrap().iter();
    let mut found: Vec<(String, String)> = answers
        .map(|answer| {
            let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
            (
                text("group"),
                format!("{} {}", text("decision"), text("note")),
            )
        })
        .collect();
    found.sort();
    found
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(to_bytes).collect()
}

fn windows_1252(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}

#[test]
fn whatever_is_done_to_the_form_of_the_file_every_answer_arrives() {
    let scene = Scene::new();
    let cells = answered(&scene.csv());
    let wanted = decisions(&scene, text(&cells, b',').as_bytes());
    assert!(wanted.len() >= 4 && wanted.iter().any(|(_, said)| said.contains("größer")));
    let check = |name: &str, bytes: &[u8]| assert_eq!(decisions(&scene, bytes), wanted, "{name}");

    let plain = text(&cells, b',');
    check("semicolons", text(&cells, b';').as_bytes());
    check("tabs", text(&cells, b'\t').as_bytes());
    check("a mark", format!("\u{feff}{plain}").as_bytes());
    check(
        "a line that names the separator",
        format!("sep=;\n{}", text(&cells, b';')).as_bytes(),
    );
    check("CRLF", plain.replace('\n', "\r\n").as_bytes());
    check(
        "UTF-16, little end first",
        &utf16(&text(&cells, b'\t'), u16::to_le_bytes),
    );
    check("UTF-16, big end first", &utf16(&plain, u16::to_be_bytes));
    check("Windows-1252", &windows_1252(&plain));

    let mut reversed = cells.clone();
    reversed.reverse();
    check(
        "sorted, the names of the columns last",
        text(&reversed, b',').as_bytes(),
    );
    let turned: Vec<Vec<String>> = cells
        .iter()
        .map(|line| line.iter().rev().cloned().collect())
        .collect();
    check("columns in another order", text(&turned, b',').as_bytes());
    let kept: Vec<usize> = ["note", "decision", "id"]
        .map(|name| place(&cells, name))
        .into();
    let few: Vec<Vec<String>> = cells
        .iter()
        .map(|line| kept.iter().map(|place| line[*place].clone()).collect())
        .collect();
    check("columns taken out", text(&few, b';').as_bytes());
    let mut wide = cells.clone();
    wide[0].insert(0, "my column".into());
    wide[1..]
        .iter_mut()
        .for_each(|line| line.insert(0, "=cmd|'/C calc'!A0".into()));
    check("a column added", text(&wide, b',').as_bytes());
    let mut shouted = cells.clone();
    shouted[0]
        .iter_mut()
        .for_each(|name| *name = format!(" {} ", name.to_uppercase()));
    shouted[1..]
        .iter_mut()
        .for_each(|line| line[0] = line[0].to_uppercase());
    check("other case", text(&shouted, b',').as_bytes());
    let mut rewritten = cells.clone();
    for line in &mut rewritten[1..] {
        line.iter_mut()
            .skip(1)
            .take(9)
            .for_each(|cell| *cell = "01.03.26".into());
    }
    check(
        "values that are rewritten",
        text(&rewritten, b',').as_bytes(),
    );
    let questions = questions(&cells);
    let only: Vec<Vec<String>> = (0..cells.len())
        .filter(|line| *line == 0 || questions.contains(line))
        .map(|line| cells[line].clone())
        .collect();
    check("examples taken out", text(&only, b',').as_bytes());
    check(
        "twice the same",
        [plain.as_str(), plain.as_str()].concat().as_bytes(),
    );
    check("empty lines", plain.replace('\n', "\n\n,,,,\n").as_bytes());
}

#[test]
fn an_example_line_may_have_the_answer_and_what_is_missing_is_undecided() {
    let scene = Scene::new();
    let mut cells = cells(&scene.csv());
    let decision = place(&cells, "decision");
    let example = questions(&cells)[0] + 1;
    cells[example][decision] = "fine".into();
    let taken = scene
        .take(&text(&cells, b','), &["--dry-run"])
        .expect(0)
        .json();
    assert_eq!(taken["answers"].as_array().unwrap().len(), 1);
    assert_eq!(taken["undecided"], questions(&cells).len() - 1);
    let nothing = scene.take(&scene.csv(), &[]).expect(0).json();
    assert_eq!(nothing["done"], false);
}

#[test]
fn everything_wrong_is_said_at_once_and_nothing_is_taken() {
    let scene = Scene::new();
    let mut cells = answered(&scene.csv());
    let (decision, note) = (place(&cells, "decision"), place(&cells, "note"));
    let lines = questions(&cells);
    cells[lines[0]][decision] = "ok".into();
    let first = cells[lines[1]][0].clone();
    cells[lines[1]][0] = first.replace('-', "–");
    cells[lines[2]][note] = "n".repeat(10_000);
    cells[lines[3]][decision] = "fine".into();
    let example = lines[3] + 1;
    cells[example][decision] = "bug".into();
    let mut foreign: Vec<char> = cells[lines[0] + 1][0].chars().collect();
    let last = foreign.len() - 1;
    foreign[last] = if foreign[last] == 'b' { 'c' } else { 'b' };
    let mut extra = cells[lines[0]].clone();
    extra[0] = foreign.into_iter().collect();
    extra[decision] = "bug".into();
    cells.push(extra);
    cells.push(
        vec![String::new(); decision]
            .into_iter()
            .chain(["fine".into()])
            .collect(),
    );

    let before = (scene.ledger(), scene.playground.everything().len());
    let ended = scene.take(&text(&cells, b','), &[]).expect(2);
    let said = ended.stderr.clone();
    for words in [
        "`ok` is no decision",
        "is no id\n",
        "the note has 10000 characters",
        "to the same id",
        "is no id of this run and change",
        "there is an answer, and no id",
        "nothing was taken: 6 lines are wrong",
        "--run",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let faults = ended.json()["faults"].as_array().unwrap().clone();
    assert_eq!(faults.len(), 6);
    // Lines are counted as an editor does: a name has a line break in it, so that lines and records are two things.
    let text = text(&cells, b',');
    let line = faults[0]["line"].as_u64().unwrap() as usize;
    assert!(
        text.lines().nth(line - 1).unwrap().contains(",ok,"),
        "{faults:?}"
    );
    assert_eq!(
        (scene.ledger(), scene.playground.everything().len()),
        (before.0, before.1 + 1)
    );
}

#[test]
fn a_file_of_another_run_or_no_file_for_review_is_an_error() {
    let scene = Scene::new();
    let old = text(&answered(&scene.csv()), b',');
    scene
        .playground
        .replace("data/orders.csv", "10.25", "11.25");
    scene.report();
    let ended = scene.take(&old, &[]).expect(2);
    assert!(
        ended.stderr.contains("is no id of this run") && ended.stderr.contains("hint:"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        scene.take(&old, &["--run", &scene.run]).expect(0).json()["done"],
        true
    );
    for (bytes, words) in [
        (&b""[..], "no line has the columns"),
        (b"a,b\n1,2\n", "the first line has: a, b"),
        (b"PK\x03\x04 and no more", "it is no Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "no line has the columns"),
    ] {
        let ended = scene.take_bytes(bytes, &[]).expect(2);
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let verb = ["review", "in", "nowhere.csv", "--reviewer", "Dana"];
    assert!(
        scene
            .tell(&verb, &[])
            .expect(2)
            .stderr
            .contains("cannot be read")
    );
    let verb = ["review", "in", "data", "--reviewer", "Dana"];
    assert!(
        scene
            .tell(&verb, &[])
            .expect(2)
            .stderr
            .contains("no regular file")
    );
    let csv = text(&answered(&scene.csv()), b',');
    for (options, words) in [
        (["--reviewer", " "], "--reviewer is empty"),
        (["--until", "1999-01-01"], "is past"),
        (["--until", "soon"], "is no date"),
        (["--until", "20000d"], "ten years"),
        (["--change", "other"], "was not compared"),
    ] {
        std::fs::write(scene.playground.path("answers"), &csv).unwrap();
        let who = if options[0] == "--reviewer" {
            &[][..]
        } else {
            &["--reviewer", "Dana"]
        };
        let ended = scene
            .tell(&["review", "in", "answers"], &[who, &options].concat())
            .expect(2);
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn a_note_of_ten_megabytes_is_refused_and_steers_no_terminal() {
    let scene = Scene::new();
    let mut cells = answered(&scene.csv());
    let note = place(&cells, "note");
    let lines = questions(&cells);
    cells[lines[0]][note] = "\u{1b}[2J".repeat(2_500_000);
    let ended = scene.take(&text(&cells, b','), &[]).expect(2);
    assert!(
        ended.stderr.contains("characters, and at most"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.len() < 10_000);
    cells[lines[0]][note] = "\u{1b}[2J=cmd|'/C calc'!A0\u{202e}".into();
    let ended = scene.take(&text(&cells, b','), &[]).expect(0);
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
    let audit = scene.tell(&["report"], &[]).expect(0);
    assert!(!audit.stdout.contains("\u{1b}[2J") && !audit.stdout.contains('\u{202e}'));
}
