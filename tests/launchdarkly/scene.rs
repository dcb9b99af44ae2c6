//! A shop whose flags are in a scripted LaunchDarkly, and the questions that the tests put to it.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use understudy_scripted_launchdarkly::{Received, Scripted};

use crate::playground::{Ended, Playground, Started, wait_until};

/// The change, and its flag.
pub(crate) const CHANGE: &str = "double";
/// Everybody who has rows on every day; one row has no customer.
pub(crate) const CUSTOMERS: [&str; 3] = ["acme", "bolt", "cobalt"];
/// How long a command waits for the first flags.
pub(crate) const WAIT: Duration = Duration::from_secs(2);
/// What else a command may take here: the machine may be busy with other tests.
pub(crate) const SLACK: Duration = Duration::from_secs(4);
/// Longer than it takes to notice any fault, with two seconds of silence being stale and one before coming back.
const NOTICED: Duration = Duration::from_millis(5_000);
/// Longer than it takes a change of the flag to arrive.
const HEARD: Duration = Duration::from_millis(700);

const SHOP: &str = "\
pipeline: shop
owner: data-core
datasets:
  orders: { location: \"orders/date={date}/\" }
tasks:
  totals:
    inputs: [orders]
    output: { location: live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { command: [sh, v1.sh], inputs: csv }
      v2: { sql: v2.sql }
changes:
  double:
    new: { totals: v2 }
    expect:
      totals: [{ name: twice as much, columns: [amount], within: 100% }]
    gate: { clean_runs: 1 }
";

/// The old version hands its input on; where there is a file `hold`, it says so and waits until it is gone. That is
/// where a test acts between a run's first look at the flags and its publishing.
const HANDS_ON: &str = "\
if [ -e hold ]; then touch waits; while [ -e hold ]; do sleep 0.02; done; fi
cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"
";

/// A task behind the one that changes, which no change compares: it is the last of a run.
const LAST_TASK: &str = "  \
  copies:
    inputs: [totals]
    output: { location: live/copies, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { command: [sh, copies.sh], inputs: csv }
changes:
";

/// It hands its input on too, and waits as long as there is a file `hold-last`.
const HANDS_ON_LAST: &str = "\
if [ -e hold-last ]; then touch waits; while [ -e hold-last ]; do sleep 0.02; done; fi
cat \"$UNDERSTUDY_INPUT_TOTALS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"
";

/// The shop and its LaunchDarkly.
pub(crate) struct Scene {
    pub(crate) shop: Playground,
    pub(crate) server: Scripted,
}

/// What is left of a run that was held between its first look at the flags and its publishing.
pub(crate) struct Held<'a> {
    scene: &'a Scene,
    /// The file that it waits for to go.
    by: &'static str,
    run: Started,
}

impl Scene {
    /// No run yet; the flag is there, at `shadow` for everybody.
    pub(crate) fn new() -> Self {
        let scene = Self::without_flag();
        scene.server.create_stage_flag(CHANGE);
        scene
    }

    /// The same without the flag.
    pub(crate) fn without_flag() -> Self {
        let server = Scripted::start();
        let shop = Playground::of(&[
            (
                "understudy.yaml",
                &format!("{SHOP}flags: {{ provider: file }}\n"),
            ),
            ("v1.sh", HANDS_ON),
            (
                "v2.sql",
                "SELECT id, customer, amount * 2 AS amount FROM orders",
            ),
        ]);
        let shop = with_flags_in(shop, &server);
        let scene = Self { shop, server };
        (1..=9).for_each(|day| scene.orders(day, &[]));
        scene
    }

    /// One clean day, which is what the gate wants.
    pub(crate) fn ready() -> Self {
        let scene = Self::new();
        scene.run(1);
        scene
    }

    /// The same, with customers flipped.
    pub(crate) fn live(customers: &[&str]) -> Self {
        let scene = Self::ready();
        if !customers.is_empty() {
            scene.flip(&customers.join(",")).expect(0);
        }
        scene
    }

    /// The same with a last task, which [`Self::hold_last`] holds.
    pub(crate) fn with_last_task(self) -> Self {
        self.setting("changes:\n", LAST_TASK);
        self.shop.write("copies.sh", HANDS_ON_LAST);
        self
    }

    /// The orders of a day: those that everybody has, and one for each of these.
    pub(crate) fn orders(&self, day: u64, more: &[&str]) {
        let mut rows = "id,customer,amount\n".to_owned();
        for (at, (customer, amount)) in orders(day, more).into_iter().enumerate() {
            rows += &format!("{},{customer},{amount}\n", at + 1);
        }
        self.shop
            .write(&format!("orders/{}/rows.csv", dated(day)), &rows);
    }

    /// Changes what the pipeline file says of the flags.
    pub(crate) fn setting(&self, from: &str, to: &str) {
        self.shop.replace("understudy.yaml", from, to);
    }

    /// The binary; that neither secret is in what it prints is asserted.
    #[track_caller]
    pub(crate) fn understudy(&self, arguments: &[&str]) -> Ended {
        self.discreet(self.shop.understudy(arguments))
    }

    #[track_caller]
    pub(crate) fn discreet(&self, ended: Ended) -> Ended {
        for secret in [self.server.sdk_key(), self.server.api_token()] {
            assert!(
                !ended.stdout.contains(secret) && !ended.stderr.contains(secret),
                "a secret is printed: {ended:?}"
            );
        }
        ended
    }

    /// The run of a day, which has to end well.
    #[track_caller]
    pub(crate) fn run(&self, day: u64) -> Ended {
        self.understudy(&["run", "--json", "--date", &date(day)])
            .expect(0)
    }

    /// The same, which must not take longer than it may wait for flags.
    #[track_caller]
    pub(crate) fn run_in_time(&self, day: u64) -> Ended {
        let began = Instant::now();
        let ended = self.run(day);
        assert!(
            began.elapsed() < WAIT + SLACK,
            "{:?}\n{}",
            began.elapsed(),
            ended.stderr
        );
        ended
    }

    /// A run that has looked at the flags and does not publish yet.
    #[track_caller]
    pub(crate) fn hold(&self, day: u64) -> Held<'_> {
        self.hold_by("hold", day)
    }

    /// A run that has computed everything but its last task, and compared what it compares before publishing.
    #[track_caller]
    pub(crate) fn hold_last(&self, day: u64) -> Held<'_> {
        self.hold_by("hold-last", day)
    }

    #[track_caller]
    fn hold_by(&self, by: &'static str, day: u64) -> Held<'_> {
        self.shop.write(by, "");
        let run = self.shop.begin(&["run", "--json", "--date", &date(day)]);
        self.shop.wait_for("waits");
        fs::remove_file(self.shop.path("waits")).unwrap();
        Held {
            scene: self,
            by,
            run,
        }
    }

    #[track_caller]
    pub(crate) fn flip(&self, customers: &str) -> Ended {
        self.understudy(&[
            "flip",
            CHANGE,
            "--customers",
            customers,
            "--as",
            "priya",
            "--reason",
            "as agreed",
        ])
    }

    #[track_caller]
    pub(crate) fn flip_all(&self) -> Ended {
        self.understudy(&["flip", CHANGE, "--all", "--as", "priya"])
    }

    #[track_caller]
    pub(crate) fn rollback(&self, customers: &str) -> Ended {
        self.understudy(&["rollback", CHANGE, "--customers", customers])
    }

    /// Asserts that of a day exactly these customers' rows are published from the new version; `*` is everybody.
    #[track_caller]
    pub(crate) fn check_new(&self, day: u64, new: &[&str]) {
        self.check_new_among(day, new, &[]);
    }

    /// The same of a day with more orders.
    #[track_caller]
    pub(crate) fn check_new_among(&self, day: u64, new: &[&str], more: &[&str]) {
        let expected = orders(day, more).into_iter().enumerate();
        let mut expected: Vec<String> = expected
            .map(|(at, (customer, amount))| {
                let is_new = new == ["*"] || new.contains(&customer);
                let amount = if is_new { amount * 2 } else { amount };
                let customer = if customer.is_empty() {
                    "NULL"
                } else {
                    customer
                };
                format!("{},{customer},{amount}", at + 1)
            })
            .collect();
        expected.sort();
        assert_eq!(self.published(day), expected, "day {day}, {new:?} get NEW");
    }

    pub(crate) fn published(&self, day: u64) -> Vec<String> {
        let rows = self.shop.rows_in(&format!("live/totals/{}", dated(day)));
        let mut rows: Vec<String> = rows.lines().skip(1).map(str::to_owned).collect();
        rows.sort();
        rows
    }

    /// The events of the ledger, oldest first.
    #[track_caller]
    pub(crate) fn ledger(&self) -> Vec<Value> {
        let audit = self.understudy(&["audit", "--json"]).expect(0).json();
        let entries = audit["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["event"].clone()).collect()
    }

    /// The moves in the ledger, such as `flip acme to live`.
    #[track_caller]
    pub(crate) fn moves(&self) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::Object(object) => object.keys().next().unwrap().clone(),
            value => value.as_str().unwrap_or("none").to_owned(),
        };
        let moved = |event: Value| {
            let lanes = event["lanes"].as_array().unwrap().iter().map(text);
            let lanes = lanes.collect::<Vec<_>>().join(",");
            format!(
                "{} {lanes} to {}",
                text(&event["event"]),
                text(&event["to"])
            )
        };
        let events = self.ledger().into_iter();
        events
            .filter(|event| event["kind"] == "moved")
            .map(moved)
            .collect()
    }

    /// How often the ledger says that the flag has a move.
    #[track_caller]
    pub(crate) fn told(&self) -> usize {
        let events = self.ledger();
        let told = events.iter().filter(|event| event["kind"] == "flag_told");
        told.count()
    }

    /// The stage of a customer's lane as `status` has it.
    #[track_caller]
    pub(crate) fn stage(&self, customer: &str) -> String {
        let status = self.understudy(&["status", "--json"]).expect(0).json();
        let lanes = status["changes"][CHANGE]["lanes"].as_array().unwrap();
        let lane = lanes.iter().find(|lane| lane["customer"] == customer);
        let lane = lane.unwrap_or_else(|| panic!("{customer} is not in {status:#}"));
        lane["stage"].as_str().unwrap().to_owned()
    }

    /// The flag's configuration as the REST API shows it.
    pub(crate) fn config(&self) -> Value {
        let flag = self.server.flag(CHANGE).unwrap();
        flag["environments"][self.server.environment()].clone()
    }

    /// The customers that the flag targets with a variation.
    pub(crate) fn targeted(&self, variation: &str) -> BTreeSet<String> {
        let flag = self.server.flag(CHANGE).unwrap();
        let variations = flag["variations"].as_array().unwrap();
        let at = variations.iter().position(|one| one["value"] == variation);
        let targets = self.config()["contextTargets"].as_array().unwrap().clone();
        let of_it = targets.into_iter().filter(|target| {
            target["contextKind"] == "customer"
                && target["variation"].as_u64() == at.map(|at| at as u64)
        });
        let values = of_it.flat_map(|target| target["values"].as_array().unwrap().clone());
        values
            .map(|value| value.as_str().unwrap().to_owned())
            .collect()
    }

    /// What everybody is served whom nothing names.
    pub(crate) fn served_by_default(&self) -> String {
        let flag = self.server.flag(CHANGE).unwrap();
        let at = self.config()["fallthrough"]["variation"].as_u64().unwrap();
        let at = usize::try_from(at).unwrap();
        flag["variations"][at]["value"].as_str().unwrap().to_owned()
    }

    /// A hand targets one customer.
    pub(crate) fn hand(&self, customer: &str, stage: &str) {
        self.server.target_by_hand(CHANGE, customer, &json!(stage));
    }

    /// Patches of flags that were sent, dry runs aside.
    pub(crate) fn patches(&self) -> Vec<Received> {
        let mut received = self.server.received();
        received.retain(|request| {
            request.method == "PATCH"
                && request.path.contains("/flags/")
                && request.parameter("dryRun").as_deref() != Some("true")
        });
        received
    }

    /// Waits until a patch has arrived that is no dry run.
    #[track_caller]
    pub(crate) fn wait_for_patch(&self) {
        wait_until("a patch arrives", || !self.patches().is_empty());
    }

    /// Everything is down.
    pub(crate) fn down(&self) {
        self.server.stop();
    }

    /// It is up again.
    pub(crate) fn up(&self) {
        self.server.restart();
    }

    /// What stands in no place: no event was ever sent, and no file has a secret. Tests end with it.
    #[track_caller]
    pub(crate) fn nothing_leaked(&self) {
        let received = self.server.received();
        let events = received
            .iter()
            .filter(|request| request.path.contains("bulk") || request.path.contains("diagnostic"));
        assert_eq!(events.count(), 0, "events were sent");
        for (path, bytes) in self.shop.everything() {
            for secret in [self.server.sdk_key(), self.server.api_token()] {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "a secret stands in {}", path.display());
            }
        }
    }
}

impl Held<'_> {
    /// Lets a change of the flag arrive.
    pub(crate) fn let_it_hear(self) -> Self {
        std::thread::sleep(HEARD);
        self
    }

    /// Lets the run go on, whose end has to be good.
    #[track_caller]
    pub(crate) fn go(self) -> Ended {
        fs::remove_file(self.scene.shop.path(self.by)).unwrap();
        self.scene.discreet(self.run.end()).expect(0)
    }

    /// Waits for as long as it takes to notice any fault.
    pub(crate) fn let_it_notice(self) -> Self {
        std::thread::sleep(NOTICED);
        self
    }

    /// The machine fails.
    #[track_caller]
    pub(crate) fn kill(self) {
        self.run.signal("KILL");
        self.run.end().expect(137);
        fs::remove_file(self.scene.shop.path(self.by)).unwrap();
    }
}

/// The same pipeline with its flags in LaunchDarkly in the place of the file.
pub(crate) fn with_flags_in(place: Playground, server: &Scripted) -> Playground {
    let file = "flags: { provider: file }\n";
    place.replace("understudy.yaml", file, &settings(server));
    place
        .with_variable("LD_SDK_KEY", server.sdk_key())
        .with_variable("LD_API_TOKEN", server.api_token())
        .with_variable("NO_PROXY", "127.0.0.1")
}

/// What stands in the pipeline file.
fn settings(server: &Scripted) -> String {
    let (url, project, environment) = (server.url(), server.project(), server.environment());
    format!(
        "\
flags:
  provider: launchdarkly
  sdk_key: \"${{env:LD_SDK_KEY}}\"
  api_token: \"${{env:LD_API_TOKEN}}\"
  project: {project}
  environment: {environment}
  relay: {url}
  api: {url}
  wait: 2s
  stale_after: 2s
"
    )
}

/// Who has ordered for how much on a day.
fn orders<'a>(day: u64, more: &[&'a str]) -> Vec<(&'a str, u64)> {
    let customers = CUSTOMERS
        .into_iter()
        .chain([""])
        .chain(more.iter().copied());
    let orders = customers.zip(1..);
    orders
        .map(|(customer, number)| (customer, number * 100 + day))
        .collect()
}

pub(crate) fn date(day: u64) -> String {
    format!("2026-03-{day:02}")
}

fn dated(day: u64) -> String {
    format!("date={}", date(day))
}

/// The alerts of a run's report.
pub(crate) fn alerts(ended: &Ended) -> Vec<String> {
    let report = ended.json();
    let alerts = report["alerts"].as_array().unwrap().iter();
    alerts
        .map(|alert| alert.as_str().unwrap().to_owned())
        .collect()
}

/// Plays a scene for each case, so many at once, and fails with all that failed.
#[track_caller]
pub(crate) fn play_each<C: Sync>(
    at_once: usize,
    cases: &[C],
    name: impl Fn(&C) -> String + Sync,
    play: impl Fn(&C) + Sync,
) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let play_some = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| play(case))) {
                let why = panic.downcast_ref::<String>().cloned();
                let why = why.unwrap_or_else(|| "it panicked".to_owned());
                failed
                    .lock()
                    .unwrap()
                    .push(format!("{}: {why}", name(case)));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(play_some);
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Asserts that an alert with one of these texts stands in the report and on stderr.
#[track_caller]
pub(crate) fn alerted(ended: &Ended, texts: &[&str]) {
    let has = |line: &str| texts.iter().any(|text| line.contains(text));
    let reported = alerts(ended);
    assert!(
        reported.iter().any(|alert| has(alert)),
        "none of {texts:?} in {reported:#?}"
    );
    let mut printed = ended.stderr.lines();
    assert!(
        printed.any(|line| line.contains("ALERT") && has(line)),
        "none of {texts:?} in\n{}",
        ended.stderr
    );
}

#[track_caller]
pub(crate) fn no_alert(ended: &Ended) {
    assert_eq!(alerts(ended), [""; 0]);
    assert!(!ended.stderr.contains("ALERT"), "{}", ended.stderr);
}
