//! What the ledger's entries say, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::digest::Digest;
use crate::gate::Standing;
use crate::review::Reviewed;
use crate::rollout::lane::LaneEvent;
use crate::rollout::record::rollouts;
use crate::run_date::RunDate;
use crate::spec::GatePolicy;
use crate::stage::{Stage, Stages};
use crate::verdict::Verdict;

/// The format that this program writes, and the newest that it reads.
///
/// A new kind of event, or a field that an older program must not overlook, raises it.
pub const LEDGER_FORMAT: u32 = 6;

/// The format of the head file.
pub const HEAD_FORMAT: u32 = 1;

/// One entry, as it stands in its file. Each carries the digest of the file before it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The format: the oldest that knows all that the entry says.
    pub version: u32,
    /// Its place in the ledger, from one.
    pub number: u64,
    /// The digest of the bytes of the entry before; the digest of no bytes for the first.
    pub previous: Digest,
    /// When it was written, RFC 3339 in UTC.
    pub at: String,
    /// What happened.
    pub event: LedgerEvent,
}

impl Entry {
    /// The bytes of its file. Digests are taken over these, never over another rendering.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_file(self)
    }

    /// The name of the file that holds the entry of a number: `00000001.json`, and more digits beyond eight.
    #[must_use]
    pub fn file_name(number: u64) -> String {
        format!("{number:08}.json")
    }
}

/// What every entry of every format begins with, so that the chain can be followed through entries
/// whose events this program does not know.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Envelope {
    /// The format.
    pub version: u32,
    /// Its place in the ledger, from one.
    pub number: u64,
    /// The digest of the bytes of the entry before.
    pub previous: Digest,
}

/// Which entry is the last one. Every other entry is vouched for by the one after it; this file vouches for the
/// last. It is replaced after each append, so that after a crash it may be behind, and never ahead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The format, [`HEAD_FORMAT`].
    pub version: u32,
    /// The number of the last entry; zero while there is none.
    pub number: u64,
    /// The digest of the last entry's bytes; the digest of no bytes while there is none.
    pub digest: Digest,
}

impl Head {
    /// The name of its file.
    pub const FILE_NAME: &str = "head.json";

    /// The head of a ledger whose last entry has this number and digest.
    #[must_use]
    pub fn new(number: u64, digest: Digest) -> Self {
        Self {
            version: HEAD_FORMAT,
            number,
            digest,
        }
    }

    /// The head of a ledger without entries.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::new(0, Digest::of_bytes(b""))
    }

    /// The bytes of its file; there is no other way to write the same head.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_file(self)
    }
}

fn to_file(value: &impl Serialize) -> Vec<u8> {
    let mut bytes =
        serde_json::to_vec_pretty(value).expect("what the ledger holds has a JSON form");
    bytes.push(b'\n');
    bytes
}

/// What the ledger records. It holds no row values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LedgerEvent {
    /// The live half of a run ended.
    Published(PublishedRun),
    /// The shadow half of a run was judged.
    Judged(JudgedRun),
    /// Lanes moved to another stage.
    Moved(Move),
    /// Lanes are held where they are, or released.
    Held(Hold),
    /// Somebody approved of the evidence of a change.
    Approved(Approved),
    /// Somebody answered to groups of differences.
    Reviewed(Reviewed),
    /// A flag service took a move, and was read back.
    FlagTold(FlagTold),
}

impl LedgerEvent {
    /// The oldest format that knows all that the event says: what speaks of a slice must not be taken for what holds
    /// for everybody.
    #[must_use]
    pub fn format(&self) -> u32 {
        let of_slice = |slice: &Option<String>| if slice.is_some() { 2 } else { 1 };
        match self {
            Self::Published(run) if run.repair.is_some() => 3,
            Self::Published(run) => of_slice(&run.slice),
            Self::Judged(run) if run.ran_at.is_some() => 4,
            Self::Judged(run) => of_slice(&run.slice),
            Self::Moved(moved) if moved.event.is_none() => 1,
            Self::Moved(moved) if moved.wave.is_some() || !moved.except.is_empty() => 4,
            Self::Moved(_) | Self::Held(_) | Self::Approved(_) => 3,
            Self::Reviewed(_) => 5,
            Self::FlagTold(_) => 6,
        }
    }
}

/// The end of a live half.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PublishedRun {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// The slice whose customers it was for; `None` for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// Whether the outputs were published.
    pub succeeded: bool,
    /// The digest of each published file, by task.
    pub outputs: BTreeMap<String, Digest>,
    /// The digest of each task's published version, by task, where one version made all of it.
    pub code: BTreeMap<String, Digest>,
    /// The live version of each published task, whoever got its rows; empty in entries of a program that did not
    /// watch for edits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub live: BTreeMap<String, LiveVersion>,
    /// The lanes that got their old rows although they were live, by change.
    pub fallbacks: BTreeMap<String, Vec<Customer>>,
    /// What a person should look at.
    pub alerts: Vec<String>,
    /// What it repaired; `None` for an ordinary run, which publishes all outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repaired>,
}

/// A repair: who wanted it, and of which change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Repaired {
    /// The change whose lanes went back.
    pub change: String,
    /// Who did it.
    pub by: String,
    /// How that is known.
    pub known_by: KnownBy,
    /// Why.
    pub reason: Option<String>,
}

/// A version that is live by the pipeline file, or by a complete change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LiveVersion {
    /// Its name.
    pub version: String,
    /// The digest of its code.
    pub code: Digest,
}

/// The verdict on one change in one run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JudgedRun {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run.
    pub run: String,
    /// Its date.
    pub date: RunDate,
    /// The slice whose customers it was for; `None` for everybody. Lanes of other customers are not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// The change.
    pub change: String,
    /// The worst verdict of its lanes and tasks.
    pub verdict: Verdict,
    /// How many lanes have each verdict.
    pub lanes: BTreeMap<Verdict, u64>,
    /// The digest of the stored verdicts and comparisons.
    pub evidence: Digest,
    /// The digest of each side's versions: old, then new.
    pub code: [Digest; 2],
    /// The digest of the rules.
    pub rules: Digest,
    /// The groups of differences that were called bugs and are still there, by their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bugs: BTreeSet<String>,
    /// When the run was judged first, RFC 3339 in UTC, if its outputs were judged again by other rules: what it says
    /// is as old as that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_at: Option<String>,
}

/// Lanes that move to another stage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Move {
    /// The change.
    pub change: String,
    /// The lanes; empty means all of them, `*unlisted*` included.
    pub lanes: Vec<Customer>,
    /// Lanes that a move of all leaves where they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Customer>,
    /// Where to.
    pub to: Stage,
    /// Who moved it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The digest of the new versions that the move is for.
    pub code: Option<Digest>,
    /// How it is known who moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_by: Option<KnownBy>,
    /// What happened to the lanes; `None` in entries of a program that only wrote stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<LaneEvent>,
    /// What the gate said, of a move towards new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gated>,
    /// Which wave of the policy began with it, counted from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u32>,
}

impl Move {
    /// Whether it only records what a flag said: that it took lanes back, or that it refused a move.
    #[must_use]
    pub fn is_by_flag(&self) -> bool {
        self.event == Some(LaneEvent::Rollback) && self.known_by == Some(KnownBy::Understudy)
    }
}

/// What the gate said of a move towards new.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Gated {
    /// The digest of the evidence that it was decided on.
    pub evidence: Digest,
    /// How it stood.
    pub standing: Standing,
    /// Whether somebody moved the lanes all the same.
    pub overridden: bool,
    /// The policy that held.
    pub policy: GatePolicy,
}

/// Lanes that are held, or released.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hold {
    /// The change.
    pub change: String,
    /// The lanes; empty means all of them.
    pub lanes: Vec<Customer>,
    /// Whether they are held from now on.
    pub held: bool,
    /// Who did it.
    pub by: String,
    /// How that is known.
    pub known_by: KnownBy,
    /// Why.
    pub reason: Option<String>,
}

/// Somebody's approval of evidence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Approved {
    /// The change.
    pub change: String,
    /// The digest of the evidence as it was.
    pub evidence: Digest,
    /// Who approved.
    pub by: String,
    /// How that is known.
    pub known_by: KnownBy,
    /// Why, or what was looked at.
    pub reason: Option<String>,
}

/// That a flag service has what the ledger says of a change, moves up to this entry included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FlagTold {
    /// The change.
    pub change: String,
    /// The key of its flag.
    pub flag: String,
    /// The number of the newest move that it was told of.
    pub entry: u64,
    /// The version of the flag that was read back.
    pub flag_version: u64,
    /// Whether whoever reads flags has seen that version.
    pub confirmed: bool,
}

/// How it is known who did something. It is never taken for more than it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// The machine's user that the program ran as.
    SystemUser,
    /// Somebody said so with `--as`.
    Said,
    /// A CI service's variables say so.
    Ci,
    /// The program did it by itself.
    Understudy,
}

impl KnownBy {
    /// For people, after a name.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::SystemUser => "system user",
            Self::Said => "as they said",
            Self::Ci => "as CI says",
            Self::Understudy => "by itself",
        }
    }
}

/// The number of the newest move of a change that its flag service has not been told of, if there is one.
#[must_use]
pub fn untold<'a>(entries: impl IntoIterator<Item = &'a Entry>, change: &str) -> Option<u64> {
    let (mut moved, mut told) = (0, 0);
    for entry in entries {
        match &entry.event {
            // The flag said so itself: that it took lanes back, or that it refused a move. Nothing waits then.
            LedgerEvent::Moved(event) if event.change == change && event.is_by_flag() => {
                told = entry.number;
            }
            LedgerEvent::Moved(event) if event.change == change => moved = entry.number,
            LedgerEvent::FlagTold(event) if event.change == change => told = told.max(event.entry),
            _ => {}
        }
    }
    (moved > told).then_some(moved)
}

/// The version that each flag had when it was read back last, by its key.
#[must_use]
pub fn flag_versions<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeMap<String, u64> {
    let told = entries.into_iter().filter_map(|entry| match &entry.event {
        LedgerEvent::FlagTold(told) => Some((told.flag.clone(), told.flag_version)),
        _ => None,
    });
    told.collect()
}

/// The stages that follow from the moves, taken in order.
#[must_use]
pub fn stages<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Stages {
    let rollouts = rollouts(entries).into_iter();
    Stages(
        rollouts
            .filter(|(_, rollout)| rollout.moved)
            .map(|(change, rollout)| (change, rollout.stages()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(number: u64, lanes: &[&str], to: Stage) -> Entry {
        Entry {
            version: 1,
            number,
            previous: Digest::of_bytes(b""),
            at: "2026-03-01T06:00:00.000Z".to_owned(),
            event: LedgerEvent::Moved(Move {
                change: "utc-delays".to_owned(),
                lanes: lanes
                    .iter()
                    .map(|lane| Customer::from_label(lane))
                    .collect(),
                to,
                by: "ana".to_owned(),
                reason: None,
                code: None,
                known_by: None,
                event: None,
                gate: None,
                wave: None,
                except: Vec::new(),
            }),
        }
    }

    #[test]
    fn an_entry_is_written_in_this_form_for_ever() {
        let expected = r#"{
  "version": 1,
  "number": 1,
  "previous": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "at": "2026-03-01T06:00:00.000Z",
  "event": {
    "kind": "moved",
    "change": "utc-delays",
    "lanes": [
      "AS"
    ],
    "to": "live",
    "by": "ana",
    "reason": null,
    "code": null
  }
}
"#;
        let entry = moved(1, &["AS"], Stage::Live);
        assert_eq!(String::from_utf8(entry.to_bytes()).unwrap(), expected);
        assert_eq!(serde_json::from_str::<Entry>(expected).unwrap(), entry);
    }

    #[test]
    fn every_kind_of_event_comes_back_from_its_file() {
        let run = PublishedRun {
            pipeline: "flights".to_owned(),
            run: "r1".to_owned(),
            date: "2013-01-01".parse().unwrap(),
            slice: Some("emea".to_owned()),
            succeeded: true,
            outputs: BTreeMap::from([("carrier_delay".to_owned(), Digest::of_bytes(b"rows"))]),
            code: BTreeMap::new(),
            live: BTreeMap::from([(
                "carrier_delay".to_owned(),
                LiveVersion {
                    version: "v1".to_owned(),
                    code: Digest::of_bytes(b"code"),
                },
            )]),
            fallbacks: BTreeMap::from([("utc-delays".to_owned(), vec![Customer::Null])]),
            alerts: vec!["look".to_owned()],
            repair: Some(Repaired {
                change: "utc-delays".to_owned(),
                by: "ana".to_owned(),
                known_by: KnownBy::Said,
                reason: None,
            }),
        };
        let judged = JudgedRun {
            pipeline: "flights".to_owned(),
            run: "r1".to_owned(),
            date: "2013-01-01".parse().unwrap(),
            slice: None,
            change: "utc-delays".to_owned(),
            verdict: Verdict::Unexpected,
            lanes: BTreeMap::from([(Verdict::Identical, 14), (Verdict::Unexpected, 2)]),
            evidence: Digest::of_bytes(b"evidence"),
            code: [Digest::of_bytes(b"old"), Digest::of_bytes(b"new")],
            rules: Digest::of_bytes(b"rules"),
            bugs: BTreeSet::new(),
            ran_at: None,
        };
        for event in [LedgerEvent::Published(run), LedgerEvent::Judged(judged)] {
            let entry = Entry {
                version: event.format(),
                event,
                ..moved(2, &[], Stage::Off)
            };
            assert_eq!(
                serde_json::from_slice::<Entry>(&entry.to_bytes()).unwrap(),
                entry
            );
        }
    }

    #[test]
    fn an_entry_from_before_live_versions_were_recorded_can_be_read() {
        let digest = Digest::of_bytes(b"rows");
        let digest = digest.as_str();
        let entry = format!(
            r#"{{"version":1,"number":1,"previous":"{digest}","at":"2026-03-01T06:00:00.000Z","event":{{"kind":"published",
            "pipeline":"flights","run":"r1","date":"2013-01-01","succeeded":true,"outputs":{{"a":"{digest}"}},
            "code":{{"a":"{digest}"}},"fallbacks":{{}},"alerts":[]}}}}"#
        );
        let entry: Entry = serde_json::from_str(&entry).unwrap();
        let LedgerEvent::Published(run) = &entry.event else {
            panic!("{entry:?}")
        };
        assert_eq!((run.code.len(), run.live.len()), (1, 0));
        // Its bytes must stay what they were: the next entry holds their digest.
        assert!(
            !String::from_utf8(entry.to_bytes())
                .unwrap()
                .contains("live")
        );
    }

    #[test]
    fn later_moves_go_before_earlier_ones_and_a_move_of_all_forgets_the_named_lanes() {
        let check = |moves: &[(&[&str], Stage)], customer: &str, expected: Stage| {
            let entries: Vec<_> = moves
                .iter()
                .map(|(lanes, to)| moved(1, lanes, *to))
                .collect();
            let stage = stages(&entries)
                .of("utc-delays")
                .of(&Customer::from_label(customer));
            assert_eq!(stage, expected, "{moves:?}");
        };
        check(&[], "AS", Stage::Shadow);
        check(&[(&["AS"], Stage::Live)], "AS", Stage::Live);
        check(&[(&["AS"], Stage::Live)], "VX", Stage::Shadow);
        check(
            &[(&["AS"], Stage::Live), (&["AS"], Stage::Off)],
            "AS",
            Stage::Off,
        );
        check(
            &[(&["AS"], Stage::Off), (&[], Stage::Live)],
            "AS",
            Stage::Live,
        );
        check(
            &[(&[], Stage::Live), (&["AS"], Stage::Shadow)],
            "VX",
            Stage::Live,
        );
    }
}
