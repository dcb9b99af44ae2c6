//! Flags in LaunchDarkly: string flags whose variations are the stages, for contexts of the kind `customer`.
//!
//! Reading and moving are two things. What is read comes from the vendor's SDK, which keeps it up to date: the raw
//! flags are captured as it takes them (`capture`), the wire is watched to know how fresh they are (`wire`), and
//! decisions are made from one snapshot with the vendor's own evaluation crate (`snapshot`). Moving goes through
//! the REST API (`rest`): a patch is planned (`patch`), rehearsed, sent, read back, and seen on the stream.

mod capture;
mod connection;
mod flag_form;
mod frames;
mod keys;
mod lint;
mod patch;
mod rest;
mod settings;
mod snapshot;
mod transport;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use understudy_core::customer::{Customer, listed};
use understudy_core::stage::{LaneStages, Stage};

use crate::{
    Asked, Doubt, FlagAnswer, FlagError, FlagProvider, Freshness, Reached, Said, Surprise, Telling,
    Told, Towards, Weight,
};
use connection::Connection;
use flag_form::{sdk_flag, sdk_segment};
use keys::Keys;
use patch::{Patch, Wanted, disagreements, patch, with_members};
use rest::Api;

pub use rest::ApiError;
pub use settings::Settings;
pub use snapshot::{CONTEXT_KIND, Decision, Judge, Snapshot};

/// How long a move is looked for on the stream, with time and in a hurry.
const CONFIRMED_WITHIN: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(2)];
/// How often a change that may be lost is tried.
const TRIES: usize = 3;
/// How many lanes a message names.
const SHOWN: usize = 3;
/// How long a connection to LaunchDarkly may take to be made.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// The flags of one environment.
#[derive(Debug)]
pub struct LaunchDarkly {
    settings: Settings,
    keys: Result<Keys, String>,
    http: Result<reqwest::Client, String>,
    connection: OnceLock<Result<Connection, String>>,
    /// The newest version of each flag that was read.
    seen: Mutex<BTreeMap<String, u64>>,
}

/// Why LaunchDarkly does not answer, or could not be told.
#[derive(Debug, thiserror::Error)]
pub enum LaunchDarklyError {
    /// What was read cannot be relied on.
    #[error("LaunchDarkly is {0}")]
    NotFresh(Freshness),
    /// What was read cannot be read.
    #[error("what LaunchDarkly says cannot be understood: {0}")]
    Unreadable(String),
    /// There is no token, or none that can be looked up.
    #[error("LaunchDarkly cannot be told: {0}")]
    NoToken(String),
    /// The API refused, or did not answer.
    #[error("LaunchDarkly was not told: {0}")]
    Api(#[from] ApiError),
    /// The flag cannot say it.
    #[error("flag `{flag}` cannot be moved in LaunchDarkly: {why}")]
    Impossible {
        /// The flag.
        flag: String,
        /// Why.
        why: String,
    },
    /// Somebody has to approve of it first.
    #[error(
        "flag `{flag}` needs approval in LaunchDarkly: request {request} was made; once it is applied there, move the lanes again"
    )]
    Approval {
        /// The flag.
        flag: String,
        /// The id of the request.
        request: String,
    },
    /// It was told, and says something else.
    #[error(
        "flag `{flag}` was changed in LaunchDarkly and says something else than it was told: {how}; `understudy flags lint` says what there is"
    )]
    Disagrees {
        /// The flag.
        flag: String,
        /// For whom, and what.
        how: String,
    },
}

impl LaunchDarklyError {
    /// Whether it was surely not done, and will not be if it is tried again as it is.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Approval { .. } | Self::Impossible { .. } | Self::NoToken(_) => true,
            Self::Api(error) => error
                .status()
                .is_some_and(|status| (400..500).contains(&status) && !matches!(status, 409 | 429)),
            Self::NotFresh(_) | Self::Unreadable(_) | Self::Disagrees { .. } => false,
        }
    }
}

impl LaunchDarkly {
    /// Flags that are not connected to before they are asked for.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let secret = settings.hash_key.clone().transpose();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECTED_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("understudy/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string());
        Self {
            settings,
            keys: secret.map(Keys::new),
            http,
            connection: OnceLock::new(),
            seen: Mutex::default(),
        }
    }

    /// Where flags are read from, and where they are moved.
    #[must_use]
    pub fn endpoints(&self) -> [String; 2] {
        [self.settings.source(), self.settings.api()]
    }

    fn connection(&self) -> Result<&Connection, LaunchDarklyError> {
        let open = || Connection::open(&self.settings, self.http.clone()?);
        let opened = self.connection.get_or_init(open).as_ref();
        opened.map_err(|reason| LaunchDarklyError::NotFresh(down(reason)))
    }

    fn keys(&self) -> Result<&Keys, LaunchDarklyError> {
        self.keys
            .as_ref()
            .map_err(|reason| LaunchDarklyError::NotFresh(down(reason)))
    }

    fn api(&self, hurry: bool) -> Result<Api, LaunchDarklyError> {
        let token = match &self.settings.api_token {
            None => {
                return Err(LaunchDarklyError::NoToken(
                    "the pipeline file has no `api_token`".to_owned(),
                ));
            }
            Some(Err(why)) => return Err(LaunchDarklyError::NoToken(why.clone())),
            Some(Ok(token)) => token,
        };
        let http = self
            .http
            .clone()
            .map_err(|reason| LaunchDarklyError::NotFresh(down(&reason)))?;
        let connection = self.connection()?;
        let handle = connection
            .handle()
            .ok_or_else(|| LaunchDarklyError::NotFresh(down("it was closed")))?;
        Ok(Api::new(&self.settings, token, http, handle, hurry))
    }

    /// What is held now of some flags, if it is fresh.
    fn read(&self, flags: &[&str]) -> Result<Snapshot, LaunchDarklyError> {
        let connection = self.connection()?;
        connection.wait_for_first();
        match connection.freshness() {
            Freshness::Fresh => {}
            other => return Err(LaunchDarklyError::NotFresh(other)),
        }
        let capture = connection.capture();
        let held = capture.held();
        Ok(Snapshot::of(&held, flags.iter().copied()))
    }

    /// What a flag says of the lanes that were asked for.
    fn said(&self, snapshot: &Snapshot, asked: &Asked, keys: &Keys) -> Result<OfFlag, String> {
        let flag = asked.flag.as_str();
        let version = snapshot.version(flag).ok_or("it is not there (any more)")?;
        if let Some(why) = snapshot.refusal(flag) {
            return Err(why);
        }
        let seen = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(flag)
            .copied();
        let newest = seen.max(asked.last_version).unwrap_or(0);
        if version < newest {
            return Err(format!(
                "its version went back from {newest} to {version}, as when an older environment is restored; a move by Understudy settles it"
            ));
        }
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(flag.to_owned(), version);
        let judge = snapshot.judge()?;
        let mut doubts = Vec::new();
        let others = judge.decide_for_others(flag);
        let unlisted = others.stage.unwrap_or(asked.held.unlisted);
        if others.stage.is_none() {
            doubts.push(format!(
                "it gives everybody else no stage ({})",
                others.reason
            ));
        }
        let mut undecided = Vec::new();
        let mut lanes = BTreeMap::new();
        for (customer, key) in lanes_of(asked, snapshot, keys) {
            let decision = judge.decide(flag, &key);
            let held = asked.held.of(&customer);
            if decision.stage.is_none() && others.stage.is_some() {
                undecided.push(customer.clone());
            }
            lanes.insert(customer, decision.stage.unwrap_or(held));
        }
        if let Some(first) = undecided.first() {
            let reason = keys
                .of(first)
                .map(|key| judge.decide(flag, &key).reason)
                .unwrap_or_default();
            let lanes: Vec<&Customer> = undecided.iter().collect();
            doubts.push(format!("it gives {} no stage ({reason})", listed(&lanes)));
        }
        // Rows without a customer are no customer that is yet to come.
        let nobody = judge.decide_for_nobody(flag).stage;
        if let Some(stage) = nobody {
            lanes.insert(Customer::Null, stage);
        }
        lanes.retain(|_, stage| *stage != unlisted);
        Ok(OfFlag {
            is_bound: nobody != others.stage,
            stages: LaneStages { lanes, unlisted },
            doubts,
        })
    }

    /// The flag as the API has it, with what it reaches.
    fn fetched(api: &Api, flag: &str) -> Result<(Json, Snapshot), LaunchDarklyError> {
        let rest = match api.flag(flag) {
            Err(error) if error.status() == Some(404) => {
                return Err(LaunchDarklyError::Impossible {
                    flag: flag.to_owned(),
                    why: "it is not there; create it: a string flag with the variations off, shadow, live and complete, and the default rule shadow".to_owned(),
                });
            }
            found => found?,
        };
        let mut snapshot = Snapshot::default();
        Self::add(api, &mut snapshot, flag, &rest)?;
        Ok((rest, snapshot))
    }

    fn add(
        api: &Api,
        snapshot: &mut Snapshot,
        flag: &str,
        rest: &Json,
    ) -> Result<(), LaunchDarklyError> {
        let Some(found) = sdk_flag(rest, api.environment()) else {
            return Err(LaunchDarklyError::Impossible {
                flag: flag.to_owned(),
                why: format!("there is no environment `{}`", api.environment()),
            });
        };
        let (mut flags, mut segments) = snapshot::reached_by(&found);
        snapshot.flags.insert(flag.to_owned(), found);
        while let Some(key) = segments.pop() {
            if snapshot.segments.contains_key(&key) {
                continue;
            }
            if let Some(segment) = api.segment(&key)? {
                let segment = sdk_segment(&segment);
                segments.extend(snapshot::reached_by(&segment).1);
                snapshot.segments.insert(key, segment);
            }
        }
        while let Some(key) = flags.pop() {
            if !snapshot.flags.contains_key(&key)
                && let Ok(other) = api.flag(&key)
            {
                Self::add(api, snapshot, &key, &other)?;
            }
        }
        Ok(())
    }

    /// Who is to get what, as LaunchDarkly has them: all that are named on either side, and all that there are.
    fn wanted(telling: &Telling<'_>, snapshot: &Snapshot, keys: &Keys) -> Wanted {
        let named = snapshot
            .named(telling.flag)
            .into_iter()
            .filter_map(|key| keys.customer(key));
        let known = telling
            .stages
            .lanes
            .keys()
            .chain(telling.customers)
            .cloned();
        let customers: BTreeSet<Customer> = named.chain(known).collect();
        let stages = customers
            .iter()
            .filter_map(|customer| Some((keys.of(customer)?, telling.stages.of(customer))));
        let mut wanted = Wanted {
            stages: stages.collect(),
            others: telling.stages.unlisted,
        };
        if let (Towards::Old, Ok(judge)) = (telling.towards, snapshot.judge()) {
            // On the way to old nobody is raised above what the flag says: a hand may have lowered it.
            let lower = |wanted: &mut Stage, given: Decision| {
                if *wanted > Stage::Shadow {
                    *wanted = given.stage.map_or(*wanted, |given| given.min(*wanted));
                }
            };
            for (key, stage) in &mut wanted.stages {
                lower(stage, judge.decide(telling.flag, key));
            }
            lower(&mut wanted.others, judge.decide_for_others(telling.flag));
        }
        wanted
    }

    fn planned(
        api: &Api,
        telling: &Telling<'_>,
        keys: &Keys,
    ) -> Result<Planned, LaunchDarklyError> {
        let (rest, mut snapshot) = Self::fetched(api, telling.flag)?;
        let impossible = |why: String| LaunchDarklyError::Impossible {
            flag: telling.flag.to_owned(),
            why,
        };
        // Segments of ours that the flag does not name yet may be there from before.
        let wanted = Self::wanted(telling, &snapshot, keys);
        let mut planned = patch(telling.flag, &rest, &snapshot, &wanted).map_err(impossible)?;
        for key in planned.new_segments.clone() {
            if let Some(found) = api.segment(&key)? {
                snapshot.segments.insert(key, sdk_segment(&found));
                planned = patch(telling.flag, &rest, &snapshot, &wanted).map_err(impossible)?;
            }
        }
        Ok(Planned {
            patch: planned,
            snapshot,
            wanted,
        })
    }

    /// Sends a patch to the flag; an answer that was lost is looked for in the audit log.
    fn send(
        api: &Api,
        telling: &Telling<'_>,
        instructions: &[Json],
        comment: &str,
    ) -> Result<(), LaunchDarklyError> {
        for tries_left in (0..TRIES).rev() {
            let error = match api.patch_flag(telling.flag, instructions, comment, false) {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if error.status() == Some(405) {
                return Err(Self::ask_for_approval(api, telling, instructions, comment));
            }
            if !error.is_uncertain() {
                return Err(error.into());
            }
            if let Some(marker) = telling.marker
                && api.was_commented(telling.flag, marker)?
            {
                return Ok(());
            }
            if tries_left == 0 {
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn ask_for_approval(
        api: &Api,
        telling: &Telling<'_>,
        instructions: &[Json],
        comment: &str,
    ) -> LaunchDarklyError {
        match api.request_approval(telling.flag, instructions, comment) {
            Ok(request) => LaunchDarklyError::Approval {
                flag: telling.flag.to_owned(),
                request,
            },
            Err(error) => error.into(),
        }
    }

    /// Waits until the stream has a version of the flag.
    fn is_confirmed(&self, flag: &str, version: u64, hurry: bool) -> bool {
        let Ok(connection) = self.connection() else {
            return false;
        };
        let [patient, hurried] = CONFIRMED_WITHIN;
        let within = if hurry { hurried } else { patient };
        let began = Instant::now();
        loop {
            let held = connection
                .capture()
                .held()
                .flags
                .get(flag)
                .map(|item| item.version);
            if held.is_some_and(|held| held >= version) {
                return true;
            }
            if began.elapsed() > within || !connection.freshness().is_fresh() {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What one flag says.
struct OfFlag {
    stages: LaneStages,
    doubts: Vec<String>,
    /// Whether what it says of everybody else is only the lowest that it may be.
    is_bound: bool,
}

struct Planned {
    patch: Patch,
    snapshot: Snapshot,
    wanted: Wanted,
}

/// The lanes to decide for, each with its key: those of the ledger, those that there are, those that the flag names.
fn lanes_of(asked: &Asked, snapshot: &Snapshot, keys: &Keys) -> BTreeMap<Customer, String> {
    let named = snapshot
        .named(&asked.flag)
        .into_iter()
        .filter_map(|key| keys.customer(key));
    let known = asked.held.lanes.keys().chain(&asked.customers).cloned();
    known
        .chain(named)
        .filter_map(|customer| keys.of(&customer).map(|key| (customer, key)))
        .collect()
}

fn down(reason: &(impl fmt::Display + ?Sized)) -> Freshness {
    Freshness::Down {
        reason: reason.to_string(),
    }
}

/// Whom a flag gives something else, in words. Keys of customers are theirs to see who runs this.
fn how(disagreements: &[(Option<String>, Stage, Decision)]) -> String {
    let told: Vec<String> = disagreements
        .iter()
        .take(SHOWN)
        .map(|(key, wanted, given)| {
            let who = key
                .as_ref()
                .map_or("everybody else".to_owned(), |key| format!("{key:?}"));
            let got = given
                .stage
                .map_or("nothing".to_owned(), |stage| stage.to_string());
            format!("{who} gets {got} instead of {wanted} ({})", given.reason)
        })
        .collect();
    let more = disagreements.len().saturating_sub(SHOWN);
    let more = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", told.join(", "))
}

/// The variable that sends requests to a place through a proxy, as the HTTP client reads them.
fn through_proxy(place: &str) -> String {
    let is_tls = place.starts_with("https://");
    let names = if is_tls {
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    let set = names
        .into_iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    set.map_or(String::new(), |name| {
        format!(" ({name} and NO_PROXY say how)")
    })
}

/// What a stored answer says of a flag, decided again.
#[derive(Clone, PartialEq, Debug)]
pub struct DecidedAgain {
    /// The flag's version.
    pub version: u64,
    /// Why nothing of it counts, if so.
    pub refused: Option<String>,
    /// The decision for each customer that was asked for.
    pub customers: Vec<(Customer, Decision)>,
    /// The decision for everybody else.
    pub others: Decision,
}

/// The customers that a flag names in a stored answer; none where they are hashed.
#[must_use]
pub fn named_in(record: &Json, flag: &str) -> Vec<Customer> {
    let snapshot: Snapshot = serde_json::from_value(record.clone()).unwrap_or_default();
    let keys = Keys::new((record["hashed"] == true).then(Vec::new));
    let named = snapshot.named(flag).into_iter();
    named.filter_map(|key| keys.customer(key)).collect()
}

/// Decides again what a run was told, from what is stored with it. `hash_key` is needed where customers are hashed.
///
/// # Errors
/// It is no such record, or the flag is not in it.
pub fn decide_again(
    record: &Json,
    flag: &str,
    customers: &[Customer],
    hash_key: Option<Vec<u8>>,
) -> Result<DecidedAgain, String> {
    let snapshot: Snapshot =
        serde_json::from_value(record.clone()).map_err(|error| error.to_string())?;
    let keys = Keys::new(hash_key.filter(|_| record["hashed"] == true));
    let version = snapshot
        .version(flag)
        .ok_or_else(|| format!("flag `{flag}` was not there"))?;
    let judge = snapshot.judge()?;
    let others = judge.decide_for_others(flag);
    let decide = |customer: &Customer| {
        let decision = keys
            .of(customer)
            .map_or_else(|| others.clone(), |key| judge.decide(flag, &key));
        (customer.clone(), decision)
    };
    Ok(DecidedAgain {
        version,
        refused: snapshot.refusal(flag),
        customers: customers.iter().map(decide).collect(),
        others,
    })
}

impl FlagProvider for LaunchDarkly {
    fn name(&self) -> &'static str {
        "LaunchDarkly"
    }

    fn begin(&self) {
        _ = self.connection();
    }

    fn asks_for_customers(&self) -> bool {
        true
    }

    fn has_versions(&self) -> bool {
        true
    }

    fn freshness(&self) -> Freshness {
        match self.connection() {
            Ok(connection) => {
                connection.wait_for_first();
                connection.freshness()
            }
            Err(LaunchDarklyError::NotFresh(freshness)) => freshness,
            Err(error) => down(&error),
        }
    }

    /// Without a token, what waits for its time is not known.
    fn lint(&self, flag: &str) -> Result<Vec<Surprise>, FlagError> {
        if self.settings.api_token.is_none() {
            let snapshot = self.read(&[flag])?;
            let mut found = lint::surprises(flag, &snapshot);
            found.push(Surprise {
                weight: Weight::Note,
                what: "without an `api_token`, scheduled changes and approvals are not known"
                    .to_owned(),
                fix: "add one, to see them and to move lanes".to_owned(),
            });
            return Ok(found);
        }
        // Somebody is waiting, and nothing depends on it.
        let api = self.api(true)?;
        let snapshot = match Self::fetched(&api, flag) {
            Ok((_, snapshot)) => snapshot,
            Err(LaunchDarklyError::Impossible { .. }) => Snapshot::default(),
            Err(error) => return Err(error.into()),
        };
        let mut found = lint::surprises(flag, &snapshot);
        if snapshot.flags.contains_key(flag) {
            for (what, is_schedule) in [("scheduled-changes", true), ("approval-requests", false)] {
                match api.pending(flag, what) {
                    Ok(items) if is_schedule => found.extend(lint::pending(&items, &[])),
                    Ok(items) => found.extend(lint::pending(&[], &items)),
                    Err(error) => found.push(Surprise {
                        weight: Weight::Note,
                        what: format!("its {what} are not known: {error}"),
                        fix: "a token that may read them shows them".to_owned(),
                    }),
                }
            }
        }
        Ok(found)
    }

    fn reach(&self, flag: &str) -> Vec<Reached> {
        let [source, api] = self.endpoints();
        let read = match self.freshness() {
            Freshness::Fresh => Ok(format!("flags arrive{}", through_proxy(&source))),
            other => Err(format!("{other}{}", through_proxy(&source))),
        };
        let asked = self.api(true).and_then(|api| Ok(api.flag(flag)?));
        let moved = match asked {
            Ok(_) => Ok(format!(
                "the token lets flag `{flag}` be read{}",
                through_proxy(&api)
            )),
            Err(LaunchDarklyError::Api(error)) if error.status() == Some(404) => Err(format!(
                "it answers, and flag `{flag}` is not there for this token"
            )),
            Err(LaunchDarklyError::NoToken(why)) => Err(format!("{why}: lanes cannot be moved")),
            Err(error) => Err(format!("{error}{}", through_proxy(&api))),
        };
        vec![
            Reached {
                what: "flags",
                place: source,
                found: read,
            },
            Reached {
                what: "moves",
                place: api,
                found: moved,
            },
        ]
    }

    fn snapshot(&self, asked: &[Asked]) -> Result<FlagAnswer, FlagError> {
        let keys = self.keys()?;
        let flags: Vec<&str> = asked.iter().map(|asked| asked.flag.as_str()).collect();
        let snapshot = self.read(&flags)?;
        let mut said = Said::default();
        for asked in asked {
            let doubt = |why| Doubt {
                flag: asked.flag.clone(),
                why,
            };
            match self.said(&snapshot, asked, keys) {
                Ok(own) => {
                    said.stages.0.insert(asked.flag.clone(), own.stages);
                    said.doubts.extend(own.doubts.into_iter().map(doubt));
                    if own.is_bound {
                        said.bounds.insert(asked.flag.clone());
                    }
                }
                // A flag that is not there, and never had to be, is no news.
                Err(_)
                    if !snapshot.flags.contains_key(&asked.flag)
                        && asked.held == LaneStages::default() => {}
                Err(why) => said.doubts.push(doubt(why)),
            }
        }
        said.record = Some(json!({
            "provider": "launchdarkly",
            "hashed": keys.is_hashed(),
            "flags": snapshot.flags,
            "segments": snapshot.segments,
        }));
        Ok(FlagAnswer::Said(said))
    }

    fn rehearse(&self, telling: &Telling<'_>, _: &LaneStages) -> Result<(), FlagError> {
        let freshness = self.freshness();
        if !freshness.is_fresh() {
            return Err(LaunchDarklyError::NotFresh(freshness).into());
        }
        let (api, keys) = (self.api(telling.hurry)?, self.keys()?);
        let planned = Self::planned(&api, telling, keys)?;
        for segment in &planned.patch.new_segments {
            api.create_segment(
                segment,
                &format!("Customers of flag {}; Understudy keeps it", telling.flag),
            )
            .map_err(LaunchDarklyError::from)?;
        }
        let mut after = planned.snapshot;
        with_members(&mut after, &planned.patch);
        if !planned.patch.flag.is_empty() {
            let preview = match api.patch_flag(telling.flag, &planned.patch.flag, telling.why, true)
            {
                Err(error) if error.status() == Some(405) => {
                    return Err(Self::ask_for_approval(
                        &api,
                        telling,
                        &planned.patch.flag,
                        telling.why,
                    )
                    .into());
                }
                preview => preview.map_err(LaunchDarklyError::from)?,
            };
            let unreadable =
                || LaunchDarklyError::Unreadable("the dry run brought no flag".to_owned());
            let flag = sdk_flag(&preview, api.environment()).ok_or_else(unreadable)?;
            after.flags.insert(telling.flag.to_owned(), flag);
        }
        let refused = after.refusal(telling.flag);
        let found = disagreements(telling.flag, &after, &planned.wanted)
            .map_err(LaunchDarklyError::Unreadable)?;
        let why = match (refused, found.is_empty()) {
            (None, true) => return Ok(()),
            (Some(why), _) => why,
            (None, false) => format!("after the move, {}", how(&found)),
        };
        let flag = telling.flag.to_owned();
        Err(LaunchDarklyError::Impossible { flag, why }.into())
    }

    fn tell(&self, telling: &Telling<'_>) -> Result<Told, FlagError> {
        let (api, keys) = (self.api(telling.hurry)?, self.keys()?);
        let comment = match telling.marker {
            Some(marker) => format!("{} [{marker}]", telling.why),
            None => telling.why.to_owned(),
        };
        let planned = Self::planned(&api, telling, keys)?;
        // It may have been told already, and a hand moved it since: then the hand counts.
        let is_old_news = !planned.patch.is_empty()
            && telling
                .marker
                .is_some_and(|marker| api.was_commented(telling.flag, marker).unwrap_or(false));
        if !is_old_news {
            for (segment, instructions) in &planned.patch.segments {
                if planned.patch.new_segments.contains(segment) {
                    let about = format!("Customers of flag {}; Understudy keeps it", telling.flag);
                    api.create_segment(segment, &about)
                        .map_err(LaunchDarklyError::from)?;
                }
                api.patch_segment(segment, instructions, &comment)
                    .map_err(LaunchDarklyError::from)?;
            }
            if !planned.patch.flag.is_empty() {
                Self::send(&api, telling, &planned.patch.flag, &comment)?;
            }
        }
        let (rest, after) = Self::fetched(&api, telling.flag)?;
        let found = disagreements(telling.flag, &after, &planned.wanted)
            .map_err(LaunchDarklyError::Unreadable)?;
        let mut notes = Vec::new();
        if !found.is_empty() {
            let how = how(&found);
            if !is_old_news {
                let flag = telling.flag.to_owned();
                return Err(LaunchDarklyError::Disagrees { flag, how }.into());
            }
            notes.push(format!(
                "flag `{}` was moved since by somebody else: {how}",
                telling.flag
            ));
        }
        let version = rest["environments"][api.environment()]["version"]
            .as_u64()
            .unwrap_or(0);
        let confirmed = self.is_confirmed(telling.flag, version, telling.hurry);
        if !confirmed {
            notes.push(format!(
                "flag `{}` has it in LaunchDarkly (version {version}); the stream has not brought it yet",
                telling.flag
            ));
        }
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(telling.flag);
        Ok(Told {
            version: Some(version),
            confirmed,
            notes,
        })
    }
}
