//! The whole life of a change over a copy of the health score example, week after week: two teams go first, one of
//! them meets what the new version gets wrong, the version is mended, and in the end everybody has it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use chrono::{Days, NaiveDate};
use serde_json::Value;

use understudy_scripted_launchdarkly::Scripted;

use crate::example::copy_all;
use crate::launchdarkly;
use crate::playground::{Ended, Playground};

const CHANGE: &str = "honest-usage";
/// The teams that go first.
const FIRST: [&str; 2] = ["Hà Nội Soft", "Maple Ridge"];
/// The one of them whose agent changes.
const SURPRISING: &str = "Maple Ridge";
const WEEKS: u64 = 15;
/// Tasks that the change has new versions of.
const CHANGED: [&str; 2] = ["accounts_clean", "usage_score"];
/// What is computed from them, account by account.
const DOWNSTREAM: [&str; 4] = ["billing_score", "support_score", "health", "health_band"];
/// The place of `live` among the variations of the flag.
const LIVE: u64 = 2;
/// Of 26 teams, so many are a quarter.
const QUARTER: usize = 7;

/// The pipeline with its change, and both of its worlds alone: neither has a change.
struct Story {
    rollout: Playground,
    old: Playground,
    new: Playground,
    launchdarkly: Option<Scripted>,
}

/// Where the flag of the change is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FlagsIn {
    File,
    LaunchDarkly,
}

/// Who gets the new version.
#[derive(Clone, Copy)]
enum Getting<'a> {
    These(&'a [&'a str]),
    Everybody,
}

#[test]
fn from_the_first_clean_week_to_the_last_customer() {
    tell(FlagsIn::File);
}

#[test]
fn from_the_first_clean_week_to_the_last_customer_through_launchdarkly() {
    tell(FlagsIn::LaunchDarkly);
}

fn tell(flags: FlagsIn) {
    let story = Story::begin(flags);
    // Three weeks in the shadow; the gate wants as many.
    for week in 1..=3 {
        story.gate(if week == 1 { 3 } else { 1 });
        story.run_as_expected(week);
    }
    story.gate(0);
    story.published(3, Getting::These(&[]));

    // Two go first. Their rows are the new version's, and all others' the old one's.
    story.flip(&["--customers", &FIRST.join(",")]).expect(0);
    story.told();
    story.run_as_expected(4);
    story.published(4, Getting::These(&FIRST));

    // One team's agent calls all use a heartbeat, and heartbeats do not count in the new version.
    story.call_all_use_a_heartbeat(5);
    let ended = story.run(5);
    assert!(ended.stderr.contains("ALERT"), "{}", ended.stderr);
    assert_eq!(lane_of(&ended.json(), SURPRISING)["verdict"], "unexpected");
    story.published(5, Getting::These(&FIRST[..1]));
    story.the_new_version_was_wrong(5);
    assert_eq!(story.live(), [FIRST[0]]);
    assert!(story.lane(SURPRISING)["fell"].is_number());
    assert_eq!(
        story.last_move(),
        ("fall_back".to_owned(), vec![SURPRISING.to_owned()])
    );
    story.told();
    story.flip(&["--customers", SURPRISING]).expect(1);

    // It is mended. That is another version: nobody gets it before it has evidence of its own.
    story.mend();
    let ended = story.run(6);
    assert!(ended.stderr.contains("ALERT"), "{}", ended.stderr);
    story.published(6, Getting::These(&[]));
    assert!(story.live().is_empty());
    assert_eq!(
        story.last_move(),
        ("new_code".to_owned(), vec![FIRST[0].to_owned()])
    );
    story.told();
    story.flip(&["--customers", FIRST[0]]).expect(1);
    // The week that it got wrong is as expected now.
    story
        .rollout
        .understudy(&["run", "--shadow", "--strict", "--date", &date(5)])
        .expect(0);
    story.gate(1);
    story.run_as_expected(7);
    story.gate(0);

    // Wave after wave, with three clean weeks between two.
    let waves = [
        (8, Getting::These(&FIRST), 2),
        (11, Getting::These(&[]), QUARTER),
        (14, Getting::Everybody, 26),
    ];
    for (week, getting, live) in waves {
        story.flip(&["--next"]).expect(0);
        story.told();
        let names = story.live();
        assert_eq!(names.len(), live);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        story.run_as_expected(week);
        match getting {
            Getting::Everybody => story.published(week, getting),
            Getting::These(_) => {
                assert!(FIRST.iter().all(|first| names.contains(first)));
                story.published(week, Getting::These(&names));
                story.flip(&["--next"]).expect(1);
                (week + 1..week + 3).for_each(|week| story.run_as_expected(week));
            }
        }
    }

    // It is complete, and stands in the file as nothing special.
    story.rollout.understudy(&["complete", CHANGE]).expect(0);
    story
        .rollout
        .understudy(&["rollback", CHANGE, "--all"])
        .expect(1);
    story.make_new_live();
    let ended = story.run(15);
    assert!(!ended.stderr.contains("ALERT"), "{}", ended.stderr);
    story.published(15, Getting::Everybody);
    story.rollout.understudy(&["audit", "verify"]).expect(0);
}

impl Story {
    /// The example with its mended version and a gate that fits into a test, and weeks that it has no data of.
    fn begin(flags: FlagsIn) -> Self {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/health_score");
        let copy = || {
            let copy = Playground::of(&[]);
            copy_all(&example, &copy.path("."));
            let made = Command::new("python3")
                .args(["make_data.py", "data", &WEEKS.to_string()])
                .current_dir(copy.path("."))
                .status();
            assert!(made.unwrap().success());
            copy.replace(PIPELINE, "usage_score: v2 }", "usage_score: v3 }");
            copy
        };
        let (rollout, old, new) = (copy(), copy(), copy());
        let gate = format!(
            "gate: {{ clean_runs: 3, min_age: 0s, waves: [[{}], 25%, 100%] }}",
            FIRST.join(", ")
        );
        rollout.replace(
            PIPELINE,
            "gate: { clean_runs: 3, soak: 24h, min_rows: 10 }",
            &gate,
        );
        for world in [&old, &new] {
            without_change(world);
        }
        with_new_live(&new);
        let (rollout, launchdarkly) = match flags {
            FlagsIn::File => (rollout, None),
            FlagsIn::LaunchDarkly => {
                let server = Scripted::start();
                server.create_stage_flag(CHANGE);
                (
                    launchdarkly::scene::with_flags_in(rollout, &server),
                    Some(server),
                )
            }
        };
        Self {
            rollout,
            old,
            new,
            launchdarkly,
        }
    }

    /// Asserts that LaunchDarkly, where the flag is there, serves exactly the live teams the new version.
    fn told(&self) {
        let Some(server) = &self.launchdarkly else {
            return;
        };
        let flag = server.flag(CHANGE).unwrap();
        let config = &flag["environments"][server.environment()];
        let everybody = config["fallthrough"]["variation"] == LIVE;
        let targets = config["contextTargets"].as_array().unwrap().iter();
        let targets = targets.filter(|target| target["variation"] == LIVE);
        let names = targets.flat_map(|target| target["values"].as_array().unwrap());
        let mut names: Vec<&str> = names.map(|name| name.as_str().unwrap()).collect();
        names.sort_unstable();
        let live = self.live();
        match everybody {
            true => assert_eq!(live.len(), 26),
            false => assert_eq!(names, live),
        }
    }

    fn run(&self, week: u64) -> Ended {
        run(&self.rollout, week)
    }

    /// Runs a week without an alert, and every difference is one that a rule expects.
    fn run_as_expected(&self, week: u64) {
        let ended = self
            .rollout
            .understudy(&["run", "--strict", "--json", "--date", &date(week)]);
        let ended = ended.expect(0);
        assert_eq!(
            ended.json()["alerts"].as_array().map(Vec::len),
            Some(0),
            "{}",
            ended.stderr
        );
    }

    fn flip(&self, whom: &[&str]) -> Ended {
        self.rollout
            .understudy(&[&["flip", CHANGE, "--as", "priya"], whom].concat())
    }

    fn gate(&self, code: i32) {
        self.rollout.understudy(&["gate", CHANGE]).expect(code);
    }

    /// Asserts that each team's published rows are those of its world, in every task: nothing that is computed
    /// downstream looks at more than one account.
    fn published(&self, week: u64, getting: Getting<'_>) {
        run(&self.old, week);
        run(&self.new, week);
        for task in CHANGED.iter().chain(&DOWNSTREAM) {
            let [found, old, new] =
                [&self.rollout, &self.old, &self.new].map(|place| rows(place, task, week));
            let teams: BTreeSet<&String> =
                found.keys().chain(old.keys()).chain(new.keys()).collect();
            for team in teams {
                let world = if getting.has(team) { &new } else { &old };
                assert_eq!(
                    found.get(team),
                    world.get(team),
                    "{task} of {team}, week {week}"
                );
            }
        }
        // Otherwise there would be nothing to see.
        let [old, new] = [&self.old, &self.new].map(|world| rows(world, "usage_score", week));
        assert!(
            FIRST.iter().all(|team| old[*team] != new[*team]),
            "week {week}"
        );
    }

    /// Asserts that the new version alone would have published that nobody of the team did anything.
    fn the_new_version_was_wrong(&self, week: u64) {
        let new = rows(&self.new, "usage_score", week);
        assert!(
            new[SURPRISING]
                .iter()
                .all(|row| row.ends_with(",0,0,NULL,0")),
            "{new:?}"
        );
    }

    fn call_all_use_a_heartbeat(&self, week: u64) {
        let accounts = self.rollout.read("data/accounts.csv");
        let names: Vec<&str> = accounts
            .lines()
            .filter_map(|line| {
                line.split_once(&format!(",{SURPRISING},"))?
                    .1
                    .rsplit_once(',')
            })
            .map(|(name, _)| name.trim())
            .collect();
        assert_eq!(names.len(), 12);
        let file = format!("data/events/date={}/events.csv", date(week));
        let renamed = |line: &str| match line.rsplit_once(',') {
            Some((event, _)) if names.iter().any(|name| event.trim_end().ends_with(name)) => {
                format!("{event},heartbeat\n")
            }
            _ => format!("{line}\n"),
        };
        let events: String = self.rollout.read(&file).lines().map(renamed).collect();
        self.all().for_each(|place| place.write(&file, &events));
    }

    /// Heartbeats do not count, unless the agent calls everything one.
    fn mend(&self) {
        let file = "tasks/usage_score_v3.py";
        for place in self.all() {
            place.replace(
                file,
                "    days_of = {}\n",
                "    named = lambda event: unicodedata.normalize(\"NFC\", event[\"account\"].strip())\n    \
                 telling = {named(event) for event in tables.rows(\"events\") if event[\"kind\"] != \"heartbeat\"}\n    \
                 days_of = {}\n",
            );
            place.replace(
                file,
                "event[\"kind\"] == \"heartbeat\":",
                "event[\"kind\"] == \"heartbeat\" and name in telling:",
            );
        }
    }

    /// What `complete` says is to be done.
    fn make_new_live(&self) {
        without_change(&self.rollout);
        with_new_live(&self.rollout);
    }

    fn all(&self) -> impl Iterator<Item = &Playground> {
        [&self.rollout, &self.old, &self.new].into_iter()
    }

    fn lanes(&self) -> Vec<Value> {
        let status = self
            .rollout
            .understudy(&["status", "--json"])
            .expect(0)
            .json();
        status["changes"][CHANGE]["lanes"]
            .as_array()
            .unwrap()
            .clone()
    }

    fn lane(&self, team: &str) -> Value {
        let mut lanes = self.lanes().into_iter();
        lanes.find(|lane| lane["customer"] == team).unwrap()
    }

    /// The teams that are live, by name.
    fn live(&self) -> Vec<String> {
        let lanes = self
            .lanes()
            .into_iter()
            .filter(|lane| lane["stage"] == "live");
        let mut live: Vec<String> = lanes
            .map(|lane| lane["customer"].as_str().unwrap().to_owned())
            .collect();
        live.sort();
        live
    }

    /// The last move in the ledger: what happened, and to whom.
    fn last_move(&self) -> (String, Vec<String>) {
        let audit = self
            .rollout
            .understudy(&["audit", "--json"])
            .expect(0)
            .json();
        let entries = audit["entries"].as_array().unwrap();
        let mut events = entries.iter().rev().map(|entry| &entry["event"]);
        let last = events.find(|event| event["kind"] == "moved").unwrap();
        let happened = match &last["event"] {
            Value::Object(event) => event.keys().next().unwrap().clone(),
            event => event.as_str().unwrap().to_owned(),
        };
        let lanes = last["lanes"].as_array().unwrap().iter();
        (
            happened,
            lanes
                .map(|lane| lane.as_str().unwrap().to_owned())
                .collect(),
        )
    }
}

impl Getting<'_> {
    fn has(self, team: &str) -> bool {
        match self {
            Self::These(teams) => teams.contains(&team),
            Self::Everybody => true,
        }
    }
}

const PIPELINE: &str = "understudy.yaml";

fn without_change(place: &Playground) {
    let text = place.read(PIPELINE);
    let (tasks, rest) = text.split_once("changes:\n").unwrap();
    let (_, flags) = rest.split_once("\nflags:").unwrap();
    place.write(PIPELINE, &format!("{tasks}flags:{flags}"));
}

fn with_new_live(place: &Playground) {
    for (task, version) in [("accounts_clean", "v2"), ("usage_score", "v3")] {
        let text = place.read(PIPELINE);
        let (before, own) = text.split_once(&format!("\n  {task}:\n")).unwrap();
        let own = own.replacen("live: v1", &format!("live: {version}"), 1);
        place.write(PIPELINE, &format!("{before}\n  {task}:\n{own}"));
    }
}

fn date(week: u64) -> String {
    let first = NaiveDate::from_ymd_opt(2026, 3, 5).unwrap();
    (first + Days::new(7 * (week - 1))).to_string()
}

fn run(place: &Playground, week: u64) -> Ended {
    place
        .understudy(&["run", "--json", "--date", &date(week)])
        .expect(0)
}

fn lane_of(report: &Value, team: &str) -> Value {
    report["changes"][CHANGE]["tasks"]["usage_score"]["customers"][team].clone()
}

/// The published rows of a task, by team, in no particular order.
fn rows(place: &Playground, task: &str, week: u64) -> BTreeMap<String, BTreeSet<String>> {
    let text = place.rows_in(&format!("live/{task}/date={}", date(week)));
    let (columns, rows) = text.split_once('\n').unwrap();
    let team = columns
        .split(',')
        .position(|column| column == "team")
        .unwrap();
    let mut by_team: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.lines() {
        let name = row.split(',').nth(team).unwrap();
        by_team
            .entry(name.to_owned())
            .or_default()
            .insert(row.to_owned());
    }
    by_team
}
