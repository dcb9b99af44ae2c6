//! Flags in LaunchDarkly: string flags whose variations are the stages, for contexts of the kind `customer`.
//!
//! Reading and moving are two things. What is read comes from the vendor's SDK, which keeps it up to date: the raw
//! flags are captured as it takes them (`capture`), the wire is watched to know how fresh they are (`wire`), and
//! decisions are made from one snapshot with the vendor's own evaluation crate (`snapshot`). Moving goes through
//! the REST API (`rest`): a patch is planned (`patch`), rehearsed, sent, read back, and seen on the stream.

mod again;
mod capture;
mod connection;
mod flag_form;
mod frames;
mod keys;
mod lint;
mod mover;
mod patch;
mod rest;
mod settings;
mod snapshot;
mod transport;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::json;
use understudy_core::customer::{Customer, listed};
use understudy_core::stage::LaneStages;

use crate::{
    Asked, Doubt, FlagAnswer, FlagError, FlagProvider, Found, Freshness, Reached, Said, Surprise,
    Telling, Told, Weight,
};
use connection::Connection;
use keys::Keys;
use rest::Api;

pub use again::{DecidedAgain, decide_again, named_in};
pub use rest::ApiError;
pub use settings::Settings;
pub use snapshot::{CONTEXT_KIND, Decision, Judge, Snapshot};

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
        connection.wait_for_flags();
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
}

/// What one flag says.
struct OfFlag {
    stages: LaneStages,
    doubts: Vec<String>,
    /// Whether what it says of everybody else is only the lowest that it may be.
    is_bound: bool,
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
                connection.wait_for_flags();
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
            Freshness::Fresh => Found::Good(format!("flags arrive{}", through_proxy(&source))),
            other => Found::Failed(format!("{other}{}", through_proxy(&source))),
        };
        let asked = self.api(true).and_then(|api| Ok(api.flag(flag)?));
        let moved = match asked {
            Ok(_) => Found::Good(format!(
                "the token lets flag `{flag}` be read{}",
                through_proxy(&api)
            )),
            Err(LaunchDarklyError::Api(error)) if error.status() == Some(404) => Found::Unused(
                format!("it answers, and flag `{flag}` is not there for this token"),
            ),
            Err(LaunchDarklyError::NoToken(why)) if self.settings.api_token.is_none() => {
                Found::Unused(format!("{why}: lanes cannot be moved"))
            }
            Err(error) => Found::Failed(format!("{error}{}", through_proxy(&api))),
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
        self.try_move(telling)
    }

    fn tell(&self, telling: &Telling<'_>) -> Result<Told, FlagError> {
        self.make_move(telling)
    }
}
