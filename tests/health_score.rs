//! The health score example: what its README tells has to be what runs find.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::example::{Example, lanes};

const PLACE: &str = "examples/health_score";
const CHANGE: &str = "honest-usage";
/// The teams whose clocks are ahead or behind by half an hour or a quarter.
const HALF_HOURS: [&str; 6] = [
    "Adelaide Wines",
    "Mumbai Textiles",
    "St. John's Fish",
    "Tehran Carpets",
    "Yangon Rubber",
    "काठमाडौं Air",
];
/// The teams with names that are taken apart.
const DECOMPOSED: [&str; 3] = ["Río Verde", "Smörgås AB", "서울 카페"];

#[test]
fn half_hours_and_other_spellings_are_unexpected_and_nobody_else() {
    let report = Example::copy_of(PLACE).run(&[]);
    assert_eq!(report["date"], "2026-03-19");
    let teams = report["changes"][CHANGE]["tasks"]["usage_score"]["customers"]
        .as_object()
        .unwrap();
    let with = |verdict: &str| -> Vec<&str> {
        let teams = teams
            .iter()
            .filter(|(_, found)| found["verdict"] == verdict);
        teams.map(|(team, _)| team.as_str()).collect()
    };
    let mut flawed = [&HALF_HOURS[..], &DECOMPOSED[..]].concat();
    flawed.sort_unstable();
    assert_eq!(with("unexpected"), flawed);
    assert_eq!(
        with("expected"),
        ["Café Lumière", "Lagos Logistics", "Maple Ridge"]
    );
    assert_eq!(with("identical").len(), 14);
    let verdict = |task: &str| report["changes"][CHANGE]["tasks"][task]["verdict"].clone();
    assert_eq!(verdict("accounts_clean"), "expected");
    assert_eq!(verdict("health"), "unexpected");
    assert_eq!(verdict("health_band"), "unexpected");
    assert_eq!(verdict("billing_score"), "identical");
    assert_eq!(verdict("support_score"), "identical");
}

#[test]
fn a_change_of_clocks_shows_in_its_week() {
    let example = Example::copy_of(PLACE);
    let unexpected = |date: &str| {
        let lanes = lanes(&example.run(&["--date", date]), CHANGE, "usage_score");
        let (_, unexpected) = lanes.split_once("unexpected ").unwrap();
        unexpected.to_owned()
    };
    assert!(unexpected("2026-03-12").contains("Maple Ridge"));
    let before = unexpected("2026-03-05");
    for team in ["Maple Ridge", "Northwind", "O'Brien & Sons"] {
        assert!(before.contains(team), "{team} is not in {before}");
    }
    assert!(!unexpected("2026-03-19").contains("Maple Ridge"));
}

#[test]
fn the_mended_version_is_as_expected_on_every_date() {
    let example = Example::copy_of(PLACE);
    example.replace(
        "new: { accounts_clean: v2, usage_score: v2 }",
        "new: { accounts_clean: v2, usage_score: v3 }",
    );
    for date in ["2026-03-05", "2026-03-12", "2026-03-19"] {
        let report = example.run(&["--strict", "--date", date]);
        assert_eq!(report["changes"][CHANGE]["verdict"], "expected", "{date}");
        let found = lanes(&report, CHANGE, "usage_score");
        assert_eq!(
            found, "expected Café Lumière Hà Nội Soft Lagos Logistics Maple Ridge Smörgås AB",
            "{date}"
        );
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(repository.join(PLACE).join("README.md")).unwrap();
    let start = readme.find("```\nhonest-usage:").unwrap() + "```\n".len();
    let shown = readme[start..].split("```").next().unwrap();
    let example = Example::copy_of(PLACE);
    example.print(&["run"]);
    let printed = example.print(&["report", "--task", "usage_score"]);
    assert!(printed.contains(shown), "it printed:\n{printed}");
}

#[test]
fn the_seed_makes_the_data_that_are_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PLACE);
    let made = TempDir::new().unwrap();
    let status = Command::new("python3")
        .arg(folder.join("make_data.py"))
        .arg(made.path())
        .status()
        .unwrap();
    assert!(status.success());
    let files = files(made.path());
    assert_eq!(files, self::files(&folder.join("data")));
    for file in files {
        let read = |folder: &Path| fs::read(folder.join(&file)).unwrap();
        assert!(read(made.path()) == read(&folder.join("data")), "`{file}`");
    }
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap();
                found.push(name.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}
