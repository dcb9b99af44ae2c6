//! The shop, attacked by its new version, and the same shop without it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::playground::{DATE, Ended, Playground};

/// Hands its input on, whatever happened before.
pub(super) const AND_COPY: &str =
    "\ncat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n";

/// Variables that an attack finds: where live's output is, and the folder around everything.
const PLACES: &str = "\
here=$(pwd)
live=$here/live/totals/date=2026-01-31
";

/// How an attack went.
pub(super) struct Attacked {
    pub(super) shop: Playground,
    pub(super) ended: Ended,
}

/// A shop whose new version does this, in a shell.
pub(super) fn shop(attack: &str, limits: &str) -> Playground {
    let shop = Playground::shop(&format!("{PLACES}{attack}"));
    shop.replace(
        "understudy.yaml",
        "[sh, v2.sh], inputs: csv",
        &format!("[sh, v2.sh], inputs: csv{limits}"),
    );
    shop
}

/// Attacks, then hands its input on. Live is asserted to be as without the shadow.
#[track_caller]
pub(super) fn attack(attack: &str) -> Attacked {
    attacked(shop(&format!("{attack}{AND_COPY}"), ""), "")
}

/// Attacks under limits, such as `, limits: { wall: 1s }`.
#[track_caller]
pub(super) fn attack_under(limits: &str, attack: &str) -> Attacked {
    attacked(shop(attack, limits), "")
}

/// Attacks, then hands its input on, in a sandbox that lacks some parts.
#[track_caller]
pub(super) fn attack_without(parts: &str, attack: &str) -> Attacked {
    attacked(shop(&format!("{attack}{AND_COPY}"), ""), parts)
}

/// Runs an attacked shop; what live made, and how the run ended, are asserted to be as without the shadow.
#[track_caller]
pub(super) fn attacked(shop: Playground, without: &str) -> Attacked {
    let ended = run(&shop, without).expect(0);
    let calm = Playground::shop_without_change();
    let expected = calm.run(&[]).expect(0);
    let (live, calm_live) = (&ended.json()["live"], &expected.json()["live"]);
    assert_eq!(live["status"], calm_live["status"]);
    assert_eq!(live["outputs"], calm_live["outputs"]);
    assert_eq!(shop.published("totals"), calm.published("totals"));
    assert_eq!(listing(&shop, "live"), listing(&calm, "live"));
    assert_published_before_the_shadow(&ended);
    shop.nobody_is_left();
    Attacked { shop, ended }
}

/// `run --json` in a sandbox that lacks some parts.
pub(super) fn run(shop: &Playground, without: &str) -> Ended {
    let mut command = shop.command(&["run", "--json", "--date", DATE]);
    Ended::from(
        command
            .env("UNDERSTUDY_SANDBOX_WITHOUT", without)
            .output()
            .unwrap(),
    )
}

#[track_caller]
fn assert_published_before_the_shadow(ended: &Ended) {
    let line = |what: &str| ended.stderr.lines().position(|line| line.starts_with(what));
    let (published, shadow) = (line("published"), line("shadow"));
    assert!(
        published.is_some() && (shadow.is_none() || published < shadow),
        "{}",
        ended.stderr
    );
}

/// The files below a folder, each with its length.
pub(super) fn listing(shop: &Playground, below: &str) -> BTreeMap<PathBuf, u64> {
    let base = shop.path("");
    let files = shop.everything().into_iter();
    let below = shop.path(below);
    files
        .filter(|(path, _)| path.starts_with(&below))
        // A marker names its run, and when it was.
        .map(|(path, bytes)| {
            let is_marker = path.ends_with("_understudy.json");
            let length = if is_marker { 0 } else { bytes.len() as u64 };
            (path.strip_prefix(&base).unwrap().to_owned(), length)
        })
        .collect()
}

impl Attacked {
    /// The verdict on what the new version made, with its reasons.
    pub(super) fn verdict(&self) -> String {
        self.ended.verdict("totals")
    }

    /// Asserts the verdict.
    #[track_caller]
    pub(super) fn expect_verdict(self, expected: &str) -> Self {
        assert_eq!(self.verdict(), expected, "{}", self.ended.stderr);
        self
    }

    /// Asserts that the verdict begins and ends so; what stands between differs from run to run.
    #[track_caller]
    pub(super) fn expect_verdict_like(self, begins: &str, ends: &str) -> Self {
        let verdict = self.verdict();
        let fits = verdict.starts_with(begins) && verdict.ends_with(ends);
        assert!(fits, "{verdict}\n{}", self.ended.stderr);
        self
    }

    /// Asserts that an alert says so.
    #[track_caller]
    pub(super) fn expect_alert(self, part: &str) -> Self {
        let alerts = &self.ended.json()["alerts"];
        let told = alerts.as_array().into_iter().flatten();
        let told: Vec<&str> = told.filter_map(Value::as_str).collect();
        let is_told = told.iter().any(|alert| alert.contains(part));
        assert!(is_told, "{}\n{told:?}", self.shop.read("v2.sh"));
        self
    }

    /// What the program printed to standard error.
    pub(super) fn stderr(&self) -> String {
        self.log("err")
    }

    /// What the program printed to standard output.
    pub(super) fn stdout(&self) -> String {
        self.log("out")
    }

    fn log(&self, kind: &str) -> String {
        let run = self.ended.json()["run"].as_str().unwrap().to_owned();
        let logs = self.shop.path(&format!("store/runs/{run}/logs"));
        let name = fs::read_dir(&logs)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.contains("v2") && name.contains(kind)
            });
        String::from_utf8_lossy(&fs::read(name.unwrap()).unwrap()).into_owned()
    }

    /// Asserts that what it tried was refused: the shell, or the program, said so.
    #[track_caller]
    pub(super) fn expect_refused(self) -> Self {
        let said = self.stderr().to_lowercase();
        let refusals = [
            "permission denied",
            "operation not permitted",
            "read-only file system",
            // How a link or a move across a wall is refused.
            "invalid cross-device link",
        ];
        let was_refused = refusals.iter().any(|refusal| said.contains(refusal));
        let did = self.shop.read("v2.sh");
        assert!(was_refused, "nothing was refused: {did}\n{said}");
        self
    }
}
