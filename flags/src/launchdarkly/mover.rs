//! Moving a flag: the patch is planned from what the API has, rehearsed, sent, read back, and seen on the stream.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use understudy_core::customer::Customer;
use understudy_core::stage::Stage;

use super::flag_form::{sdk_flag, sdk_segment};
use super::keys::Keys;
use super::patch::{Patch, Wanted, disagreements, patch, with_members};
use super::rest::Api;
use super::snapshot::{self, Decision, Snapshot};
use super::{LaunchDarkly, LaunchDarklyError};
use crate::{FlagError, FlagProvider as _, Freshness, Telling, Told, Towards};

/// How long a move is looked for on the stream, with time and in a hurry.
const CONFIRMED_WITHIN: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(2)];
/// How often a change is tried that brings no answer.
const TRIES: u32 = 3;
/// How many lanes a message names.
const SHOWN: usize = 3;

impl LaunchDarkly {
    /// Tries a move without making it: that the API takes it, and that it gives everybody what is wanted.
    pub(super) fn try_move(&self, telling: &Telling<'_>) -> Result<(), FlagError> {
        let freshness = self.freshness();
        if !freshness.is_fresh() {
            return Err(LaunchDarklyError::NotFresh(freshness).into());
        }
        let (api, keys) = (self.api(telling.hurry)?, self.keys()?);
        let planned = Self::planned(&api, telling, keys)?;
        Self::require_lists(telling.flag, &planned)?;
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

    /// A flag that could not be read has something of somebody else's in it, and a move would write over it.
    fn require_lists(flag: &str, planned: &Planned) -> Result<(), LaunchDarklyError> {
        let mut before = planned.snapshot.clone();
        with_members(&mut before, &planned.patch);
        match before.refusal(flag) {
            None => Ok(()),
            Some(why) => Err(LaunchDarklyError::Impossible {
                flag: flag.to_owned(),
                why: format!("{why}; take that out there first, or a move would write over it"),
            }),
        }
    }

    /// Makes a move, reads the flag back, and waits for it on the stream.
    pub(super) fn make_move(&self, telling: &Telling<'_>) -> Result<Told, FlagError> {
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

    /// The flag as the API has it, with what it reaches.
    pub(super) fn fetched(api: &Api, flag: &str) -> Result<(Json, Snapshot), LaunchDarklyError> {
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
        let (mut patience, mut lost) = (api.patience(), 0);
        loop {
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
            lost += u32::from(!error.is_answered());
            if lost == TRIES || !api.waits(&mut patience, &error) {
                return Err(error.into());
            }
        }
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

    /// Waits until the stream has a version of the flag. A stream that broke off may come back in time.
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
            let is_refused = matches!(connection.freshness(), Freshness::Refused { .. });
            if began.elapsed() > within || is_refused {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

struct Planned {
    patch: Patch,
    snapshot: Snapshot,
    wanted: Wanted,
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
