//! How evidence and tracks are stored: what thousands of lanes have in common stands there once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::{Before, LaneEvidence, LaneRun, LaneTrack, Track, TrackRun};
use crate::customer::Customer;

/// A run's lanes, gathered by what it says of them.
pub(super) mod by_evidence {
    use serde::Deserializer;

    use super::{BTreeMap, Customer, Deserialize, LaneEvidence, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Said<C> {
        #[serde(flatten)]
        evidence: LaneEvidence,
        of: Vec<C>,
    }

    pub(crate) fn serialize<S: Serializer>(
        lanes: &BTreeMap<Customer, LaneEvidence>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut said: BTreeMap<LaneEvidence, Vec<&Customer>> = BTreeMap::new();
        for (customer, evidence) in lanes {
            said.entry(*evidence).or_default().push(customer);
        }
        serializer.collect_seq(said.into_iter().map(|(evidence, of)| Said { evidence, of }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Customer, LaneEvidence>, D::Error> {
        let said = Vec::<Said<Customer>>::deserialize(deserializer)?;
        let lanes = said
            .into_iter()
            .flat_map(|said| said.of.into_iter().map(move |lane| (lane, said.evidence)));
        Ok(lanes.collect())
    }
}

/// A track; lanes name runs and what they say by their places in the lists.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredTrack {
    runs: Vec<(String, TrackRun)>,
    said: Vec<LaneEvidence>,
    lanes: Vec<StoredLane>,
}

#[derive(Serialize, Deserialize)]
struct StoredLane {
    of: Customer,
    /// Run, what it says, run, what it says, and so on.
    runs: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
}

/// A stored track that names what it does not have.
#[derive(Debug, thiserror::Error)]
#[error("the track speaks of a run or verdict that it does not have")]
pub(super) struct NotInTrack;

impl Serialize for Track {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = |place: usize| u32::try_from(place).expect("a track has few runs");
        let names = self.runs.keys().enumerate();
        // A run that a lane speaks of is in the track: whoever removes one looks for lanes first.
        let names: BTreeMap<&str, u32> = names.map(|(at, run)| (run.as_str(), place(at))).collect();
        let mut said: BTreeMap<LaneEvidence, u32> = BTreeMap::new();
        let mut lanes = Vec::with_capacity(self.lanes.len());
        for (customer, lane) in &self.lanes {
            let mut runs = Vec::with_capacity(2 * lane.runs.len());
            for one in &lane.runs {
                let Some(run) = names.get(&*one.run) else {
                    return Err(serde::ser::Error::custom(NotInTrack));
                };
                let next = place(said.len());
                runs.extend([*run, *said.entry(one.evidence).or_insert(next)]);
            }
            lanes.push(StoredLane {
                of: customer.clone(),
                runs,
                before: lane.before.clone(),
            });
        }
        let mut said: Vec<(u32, LaneEvidence)> = said.into_iter().map(|(a, b)| (b, a)).collect();
        said.sort_unstable();
        let runs = self.runs.iter();
        StoredTrack {
            runs: runs
                .map(|(run, about)| (run.clone(), about.clone()))
                .collect(),
            said: said.into_iter().map(|(_, evidence)| evidence).collect(),
            lanes,
        }
        .serialize(serializer)
    }
}

impl TryFrom<StoredTrack> for Track {
    type Error = NotInTrack;

    fn try_from(stored: StoredTrack) -> Result<Self, NotInTrack> {
        let names: Vec<Arc<str>> = stored
            .runs
            .iter()
            .map(|(run, _)| Arc::from(run.as_str()))
            .collect();
        let run_of = |pair: &[u32]| {
            let &[run, said] = pair else { return None };
            Some(LaneRun {
                run: Arc::clone(names.get(run as usize)?),
                evidence: *stored.said.get(said as usize)?,
            })
        };
        let lane_of = |lane: StoredLane| {
            let runs: Option<Vec<LaneRun>> = lane.runs.chunks(2).map(run_of).collect();
            let track = LaneTrack {
                runs: runs.ok_or(NotInTrack)?,
                before: lane.before,
            };
            Ok((lane.of, track))
        };
        let lanes: Result<_, NotInTrack> = stored.lanes.into_iter().map(lane_of).collect();
        Ok(Self {
            lanes: lanes?,
            runs: stored.runs.into_iter().collect(),
        })
    }
}
