//! The file through LibreOffice, which rewrites what it takes for dates and numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scene::{Scene, answered, text};

/// Comma or semicolon, quotes, UTF-8, first line 1; then what the locale of the profile says.
const COMMAS: &str = "44,34,76,1";
const SEMICOLONS: &str = "59,34,76,1";
const GERMAN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>de-DE</value></prop></item>
<item oor:path="/org.openoffice.Office.Linguistic/General"><prop oor:name="DefaultLocale" oor:op="fuse"><value>de-DE</value></prop></item>
</oor:items>
"#;

struct Office {
    profile: PathBuf,
}

impl Office {
    fn new(scene: &Scene, locale: &str) -> Self {
        let profile = scene.playground.path(&format!("profile-{locale}"));
        if locale == "de" {
            fs::create_dir_all(profile.join("user")).unwrap();
            fs::write(profile.join("user/registrymodifications.xcu"), GERMAN).unwrap();
        }
        Self { profile }
    }

    /// Opens a file and saves it as another kind, into a folder of its own.
    fn convert(&self, file: &Path, kind: &str, read_with: Option<&str>) -> PathBuf {
        let folder = file.parent().unwrap().join("converted");
        let ending = kind.split(':').next().unwrap();
        let mut command = Command::new("soffice");
        let profile = format!("-env:UserInstallation=file://{}", self.profile.display());
        command.args(["--headless", "--norestore", &profile]);
        if let Some(options) = read_with {
            command.arg(format!("--infilter=CSV:{options}"));
        }
        command.args(["--convert-to", kind, "--outdir"]);
        let ended = command
            .arg(&folder)
            .arg(file)
            .output()
            .expect("LibreOffice (`soffice`) is needed: apt-get install libreoffice-calc");
        let made = folder
            .join(file.file_name().unwrap())
            .with_extension(ending);
        assert!(made.exists(), "{ended:?}");
        made
    }
}

fn decisions(scene: &Scene, file: &Path) -> Vec<String> {
    let taken = scene
        .take_bytes(&fs::read(file).unwrap(), &["--dry-run"])
        .expect(0)
        .json();
    let answers = taken["answers"].as_array().unwrap().iter();
    let mut said: Vec<String> = answers
        .map(|answer| {
            format!(
                "{} {} {}",
                answer["group"], answer["decision"], answer["note"]
            )
        })
        .collect();
    said.sort();
    said
}

/// The answers, written as a CSV and then through LibreOffice as often and in whatever forms.
#[track_caller]
fn check(locale: &str, delimiter: u8, options: &str, saved: &str) {
    let scene = Scene::new();
    let office = Office::new(&scene, locale);
    let start = scene.playground.path("start.csv");
    fs::write(&start, text(&answered(&scene.csv()), delimiter)).unwrap();
    let wanted = decisions(&scene, &start);
    assert!(wanted.len() >= 4);

    let csv = format!("csv:Text - txt - csv (StarCalc):{saved}");
    let once = office.convert(&start, &csv, Some(options));
    assert_eq!(decisions(&scene, &once), wanted, "CSV, once");
    let twice = office.convert(&once, &csv, Some(saved));
    assert_eq!(decisions(&scene, &twice), wanted, "CSV, twice");
    let workbook = office.convert(&start, "xlsx", Some(options));
    assert_eq!(decisions(&scene, &workbook), wanted, "a workbook, once");
    let again = office.convert(&workbook, "xlsx", None);
    assert_eq!(decisions(&scene, &again), wanted, "a workbook, twice");
    let back = office.convert(&again, &csv, None);
    assert_eq!(
        decisions(&scene, &back),
        wanted,
        "a workbook, and CSV again"
    );
}

#[test]
fn through_an_american_libreoffice_every_decision_arrives() {
    check("en", b',', COMMAS, "44,34,76,1");
}

#[test]
fn through_a_german_libreoffice_every_decision_arrives() {
    // Semicolons and decimal commas, once in UTF-8 and once as Windows writes it.
    check("de", b';', SEMICOLONS, "59,34,76,1");
    check("de", b',', COMMAS, "59,34,1,1");
}

#[test]
fn our_workbook_goes_through_libreoffice_and_back() {
    let scene = Scene::new();
    let office = Office::new(&scene, "de");
    let book = scene.out(&["--xlsx"]);
    // Nobody has answered: nothing is taken, and every question is there.
    let asked = |file: &Path| {
        let taken = scene
            .take_bytes(&fs::read(file).unwrap(), &["--dry-run"])
            .expect(0)
            .json();
        taken["undecided"].as_u64().unwrap()
    };
    let count = asked(&book);
    assert!(count >= 4);
    let again = office.convert(&book, "xlsx", None);
    assert_eq!(asked(&again), count);
    let again = office.convert(&again, "xlsx", None);
    assert_eq!(asked(&again), count);
    let csv = office.convert(&again, "csv:Text - txt - csv (StarCalc):59,34,76,1", None);
    assert_eq!(asked(&csv), count);
    // What a person types into it arrives, and no cell became a formula.
    let lines = fs::read_to_string(&csv).unwrap();
    assert!(lines.contains("'=HYPERLINK"), "{lines}");
    let answered = lines.replacen(";;\n", ";fine;größer\n", 1);
    assert_ne!(answered, lines);
    let taken = scene.take(&answered, &["--dry-run"]).expect(0).json();
    assert_eq!(taken["answers"].as_array().unwrap().len(), 1);
}
