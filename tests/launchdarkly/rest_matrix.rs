//! What the REST API does wrong with a move, held against the moments of a run: before it, in the middle of its tasks,
//! and with all computed that changes before it publishes; with the old version live for the customer who is moved,
//! and with the new one. And a run that tells the flag a move that it was not told, while the REST API does wrong.
//!
//! Whatever it is, rows are where the ledger has the customers, the flag makes nobody live whom the ledger does not,
//! those whom nobody moved stay, somebody is told, and once it is over `flags sync` settles it.

mod fault;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use self::fault::{ANSWER_LOST, APPROVAL, Back, FAULTS, FOR_EVER, Fault, Flip, approve};
use super::outbox::{before_it_arrived, crashed_at_the_patch};
use super::scene::{CHANGE, Scene, alerted, date, no_alert, play_each};
use crate::playground::{Ended, Started, wait_until};

/// Longer than any run takes here, on a machine that is busy with other tests.
const RUN_ENDS: Duration = Duration::from_secs(120);
/// A run asks again for seconds, the machine's pauses aside; a move towards new for most of a minute.
const RUN_ASKS: Duration = Duration::from_secs(20);
/// Within this time nobody who asks for a minute gives up.
const STILL_ASKS: Duration = Duration::from_secs(40);
/// Who may ask for 3 s gives up no sooner: only where the machine is so busy, what is asked twice may be too late.
const ASKED_FOR: Duration = Duration::from_secs(2);
/// What the mover, a run and `status` say where the flag does not have what the ledger has.
const NOT_TOLD: [&str; 3] = ["was not told", "has not confirmed", "needs approval"];

/// Where a run is when somebody is moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    Before,
    AmongTheTasks,
    BeforePublishing,
}

/// The version that is live for acme, before they are moved to the other. Throughout, bolt gets the new one and cobalt
/// the old one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Live {
    Old,
    New,
}

const BOLT_ALONE: &[&str] = &["bolt"];
const ACME_TOO: &[&str] = &["acme", "bolt"];

/// How many scenes are played at once: some of the time they wait.
const AT_ONCE: usize = 4;

fn each_case(play: impl Fn(&'static Fault, Live) + Sync) {
    let sides = [Live::Old, Live::New];
    let faults = FAULTS.iter();
    let cases: Vec<_> = faults
        .flat_map(|fault| sides.map(|live| (fault, live)))
        .collect();
    let name = |(fault, live): &(&Fault, Live)| format!("{}, {live:?} live", fault.name);
    play_each(AT_ONCE, &cases, name, |(fault, live)| play(fault, *live));
}

/// Nothing has gone wrong yet.
fn scene(live: Live) -> Scene {
    let scene = Scene::new().with_last_task();
    scene.run(1);
    let customers = match live {
        Live::Old => BOLT_ALONE,
        Live::New => ACME_TOO,
    };
    scene.flip(&customers.join(",")).expect(0);
    scene.server.forget();
    scene
}

/// Acme is moved to the other version in the fault, while a run is somewhere.
struct Cell {
    fault: &'static Fault,
    moment: Moment,
    live: Live,
    scene: Scene,
}

/// The command that moves.
enum Moving {
    Ended { ended: Ended, took: Duration },
    StillAsks { flip: Started, since: Instant },
}

/// Whether the flag has what the ledger has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flag {
    HasIt,
    /// And why.
    WasNotTold(&'static str),
    /// On a machine that is busy for seconds.
    WasToldLate,
}

impl Flag {
    /// What was told at once, or else after having been asked for some time.
    #[track_caller]
    fn after(is_told: bool, took: Duration) -> Self {
        assert!(is_told || took > ASKED_FOR, "given up after {took:?}");
        if is_told {
            Self::HasIt
        } else {
            Self::WasToldLate
        }
    }
}

#[test]
fn before_a_run() {
    each_cell(Moment::Before);
}

#[test]
fn among_the_tasks_of_a_run() {
    each_cell(Moment::AmongTheTasks);
}

#[test]
fn before_a_run_publishes() {
    each_cell(Moment::BeforePublishing);
}

fn each_cell(moment: Moment) {
    each_case(|fault, live| {
        let scene = scene(live);
        let cell = Cell {
            fault,
            moment,
            live,
            scene,
        };
        cell.play();
    });
}

impl Cell {
    fn play(&self) {
        let (moving, run) = self.meet();
        let name = format!("{}, {:?}, {:?}", self.fault.name, self.moment, self.live);
        eprintln!("{name}: {}", run.stderr);
        check_rows(&self.scene, 2, self.new_in_the_run());
        let flag = self.flag(&moving);
        self.check_where_acme_is(flag);
        self.check_alerts(&run, flag);
        self.check_what_the_mover_heard(moving, flag);
        self.settle();
    }

    /// The move and the run, at this moment.
    fn meet(&self) -> (Moving, Ended) {
        let held = match self.moment {
            Moment::Before => {
                let moving = self.move_acme();
                return (moving, run_in_bounds(&self.scene, &["run"]));
            }
            Moment::AmongTheTasks => self.scene.hold(2),
            Moment::BeforePublishing => self.scene.hold_last(2),
        };
        let moving = self.move_acme();
        (moving, held.let_it_hear().go())
    }

    fn move_acme(&self) -> Moving {
        (self.fault.begin)(&self.scene.server);
        let since = Instant::now();
        let ended = match (self.live, self.fault.flip) {
            (Live::New, _) => self.scene.rollback("acme"),
            (Live::Old, Flip::StillAsks) => {
                let flip = ["flip", CHANGE, "--customers", "acme"];
                let flip = self.scene.shop.begin(&flip);
                wait_until("it is asked again", || self.scene.patches().len() > 1);
                return Moving::StillAsks { flip, since };
            }
            (Live::Old, _) => self.scene.flip("acme"),
        };
        let took = since.elapsed();
        Moving::Ended { ended, took }
    }

    /// A run honours at publishing who moved back, and it is the next one that publishes who was flipped.
    fn new_in_the_run(&self) -> &'static [&'static str] {
        match (self.live, self.fault.flip, self.moment) {
            (Live::Old, Flip::Moves, Moment::Before) => ACME_TOO,
            _ => BOLT_ALONE,
        }
    }

    fn flag(&self, moving: &Moving) -> Flag {
        match (self.live, self.fault.flip, self.fault.back, moving) {
            (Live::Old, Flip::Moves | Flip::Refused(..), ..) => Flag::HasIt,
            (_, _, Back::NotTold(why), _) => Flag::WasNotTold(why),
            (_, _, Back::Told, Moving::Ended { ended, took }) => {
                Flag::after(!says(&ended.stderr, &NOT_TOLD), *took)
            }
            (_, _, Back::Told, Moving::StillAsks { .. }) => unreachable!("it would be answered"),
        }
    }

    fn check_where_acme_is(&self, flag: Flag) {
        let is_live = match (self.live, self.fault.flip) {
            (Live::New, _) | (Live::Old, Flip::Refused(..)) => false,
            (Live::Old, _) => true,
        };
        assert_eq!(self.scene.stage("acme"), stage(is_live));
        let status = self.scene.understudy(&["status"]).expect(0);
        let says_so = says(&(status.stdout + &status.stderr), &NOT_TOLD);
        match flag {
            Flag::HasIt => check_flag(&self.scene, is_live),
            Flag::WasNotTold(_) => check_flag(&self.scene, !is_live),
            Flag::WasToldLate => return,
        }
        assert_eq!(says_so, flag != Flag::HasIt, "`status`");
    }

    fn check_alerts(&self, run: &Ended, flag: Flag) {
        let honours_a_move = self.live == Live::New && self.moment != Moment::Before;
        if honours_a_move {
            alerted(run, &["came in during the run"]);
        }
        match flag {
            Flag::WasNotTold(why) => alerted(run, &[why]),
            Flag::HasIt if !honours_a_move => no_alert(run),
            Flag::HasIt | Flag::WasToldLate => {}
        }
    }

    fn check_what_the_mover_heard(&self, moving: Moving, flag: Flag) {
        let ended = match moving {
            Moving::StillAsks { flip, since } => return self.check_that_it_goes_on(flip, since),
            Moving::Ended { ended, .. } => ended,
        };
        match (self.live, self.fault.flip, flag) {
            (Live::Old, Flip::Refused(code, why), _) => heard(ended, code, Some(why)),
            (Live::Old, _, Flag::WasNotTold(why)) => heard(ended, 6, Some(why)),
            (Live::New, _, Flag::WasNotTold(why)) => heard(ended, 0, Some(why)),
            (_, _, Flag::HasIt) => heard(ended, 0, None),
            (_, _, Flag::WasToldLate) => heard(ended, 0, Some("")),
        }
    }

    /// It is over, and the flip has what it asked for.
    fn check_that_it_goes_on(&self, flip: Started, since: Instant) {
        (self.fault.end)(&self.scene.server);
        let was_in_time = since.elapsed() < STILL_ASKS;
        let ended = self.scene.discreet(flip.end());
        if was_in_time {
            heard(ended, 0, None);
        }
    }

    fn settle(&self) {
        (self.fault.end)(&self.scene.server);
        self.scene.understudy(&["flags", "sync"]).expect(0);
        if let (Live::Old, Flip::Refused(..)) = (self.live, self.fault.flip) {
            self.scene.flip("acme").expect(0);
        }
        check_settled(&self.scene, self.live == Live::Old);
    }
}

/// Asserts how a move has ended, and whether it said that the flag was not told.
#[track_caller]
fn heard(ended: Ended, code: i32, untold: Option<&str>) {
    let ended = ended.expect(code);
    let text = ended.stdout + &ended.stderr;
    assert_eq!(says(&text, &NOT_TOLD), untold.is_some(), "{text}");
    assert!(text.contains(untold.unwrap_or_default()), "{text}");
}

#[test]
fn a_run_that_tells_the_flag() {
    each_case(|fault, live| {
        let scene = scene(live);
        move_untold(&scene, live);
        (fault.begin)(&scene.server);
        let since = Instant::now();
        let run = run_in_bounds(&scene, &["run", "--live"]);
        eprintln!("{}, {live:?}: {}", fault.name, run.stderr);
        check_asking(&scene);
        // The run tells the flag what the next one reads.
        check_rows(&scene, 2, BOLT_ALONE);
        alerted(&run, &NOT_TOLD);
        let flag = match fault.back {
            Back::Told => Flag::after(scene.told() == 2, since.elapsed()),
            Back::NotTold(why) => Flag::WasNotTold(why),
        };
        if flag == Flag::HasIt {
            check_flag(&scene, live == Live::Old);
        }
        if let Flag::WasNotTold(why) = flag {
            check_flag(&scene, live == Live::New);
            alerted(&run, &[why]);
        }
        (fault.end)(&scene.server);
        scene.understudy(&["flags", "sync"]).expect(0);
        check_settled(&scene, live == Live::Old);
    });
}

/// The ledger has a move to the other version, and the flag was not told.
fn move_untold(scene: &Scene, live: Live) {
    match live {
        Live::Old => crashed_at_the_patch(scene, before_it_arrived()),
        Live::New => {
            scene.down();
            scene.rollback("acme").expect(0);
            scene.up();
        }
    }
    scene.server.forget();
}

#[test]
fn a_lost_answer_is_looked_for_towards_old_and_by_a_run_too() {
    for (live, is_a_run) in [(Live::New, false), (Live::New, true), (Live::Old, true)] {
        let scene = scene(live);
        if is_a_run {
            move_untold(&scene, live);
            scene.server.script_rest(ANSWER_LOST, FOR_EVER);
            scene.run(2);
        } else {
            scene.server.script_rest(ANSWER_LOST, FOR_EVER);
            scene.rollback("acme").expect(0);
        }
        let sent_and_told = (scene.patches().len(), scene.told());
        assert_eq!(sent_and_told, (1, 2), "{live:?}, a run: {is_a_run}");
        check_flag(&scene, live == Live::Old);
    }
}

/// Nobody piles up requests, of which the first that is applied leaves the others in the way of the next move.
#[test]
fn one_approval_is_asked_for_however_often_the_flag_is_told() {
    let scene = scene(Live::New);
    scene.server.require_approvals(true);
    heard(scene.rollback("acme"), 0, Some(APPROVAL));
    for day in 2..=3 {
        alerted(&scene.run(day), &NOT_TOLD);
    }
    assert_ne!(scene.understudy(&["flags", "sync"]).code, 0);
    let asked = scene.server.approvals(CHANGE);
    assert_eq!(asked.len(), 1, "{asked:#?}");
    approve(&scene.server);
    scene.understudy(&["flags", "sync"]).expect(0);
    scene.server.require_approvals(false);
    scene.flip("cobalt").expect(0);
    no_alert(&scene.run(4));
    check_rows(&scene, 4, &["bolt", "cobalt"]);
}

/// The run of the second day, which has to end by itself.
fn run_in_bounds(scene: &Scene, run: &[&str]) -> Ended {
    let since = Instant::now();
    let mut run = scene
        .shop
        .begin(&[run, &["--json", "--date", &date(2)]].concat());
    while !run.has_ended() && since.elapsed() < RUN_ENDS {
        std::thread::sleep(Duration::from_millis(20));
    }
    if !run.has_ended() {
        run.signal("KILL");
    }
    scene.discreet(run.end()).expect(0)
}

/// Asserts that nobody went on asking the REST API for long.
fn check_asking(scene: &Scene) {
    let received = scene.server.received().into_iter();
    let asked = received.filter(|request| request.path.starts_with("/api/"));
    let asked: Vec<Instant> = asked.map(|request| request.at).collect();
    let took = asked[asked.len() - 1] - asked[0];
    assert!(took < RUN_ASKS, "asked {} times in {took:?}", asked.len());
}

/// Asserts whose rows of a day are published from the new version, and that the last task has the same rows.
fn check_rows(scene: &Scene, day: u64, new: &[&str]) {
    scene.check_new(day, new);
    let rows = |task: &str| -> BTreeSet<String> {
        let rows = scene
            .shop
            .rows_in(&format!("live/{task}/date={}", date(day)));
        rows.lines().map(str::to_owned).collect()
    };
    assert_eq!(rows("copies"), rows("totals"), "day {day}");
}

/// Asserts whom the flag makes live.
fn check_flag(scene: &Scene, with_acme: bool) {
    let live = if with_acme { ACME_TOO } else { BOLT_ALONE };
    let live = live.iter().map(|&customer| customer.to_owned());
    assert_eq!(scene.targeted("live"), live.collect());
    assert_eq!(scene.served_by_default(), "shadow");
}

/// Asserts that flag, ledger and rows agree, and that nobody is alerted any more.
fn check_settled(scene: &Scene, is_live: bool) {
    no_alert(&scene.run(3));
    check_rows(scene, 3, if is_live { ACME_TOO } else { BOLT_ALONE });
    check_flag(scene, is_live);
    scene.understudy(&["audit", "verify"]).expect(0);
    scene.nothing_leaked();
}

fn stage(is_live: bool) -> &'static str {
    if is_live { "live" } else { "shadow" }
}

fn says(text: &str, any_of: &[&str]) -> bool {
    any_of.iter().any(|one| text.contains(one))
}
