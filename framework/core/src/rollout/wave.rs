//! Waves: who goes live together, one wave after the other.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::record::{LaneRecord, Rollout};
use crate::customer::Customer;
use crate::digest::Digest;
use crate::spec::Wave;
use crate::stage::Stage;

/// So many lanes of a wave fall, and all of it does.
const FALLEN_LANES: usize = 3;
/// One in so many lanes of a wave falls, and all of it does: a tenth.
const FALLEN_SHARE: usize = 10;

/// A wave that can begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NextWave {
    /// Its place in the policy, from one.
    pub number: u32,
    /// Who goes with it, as far as they are known.
    pub lanes: BTreeSet<Customer>,
    /// Whether everybody goes who is left, and whoever comes later.
    pub all: bool,
}

/// The first wave after those that have begun that adds somebody; `None` where there is none left.
///
/// `known` are the lanes that anything is known of, `code` the digest of the new versions as they are now. Customers
/// that no list names come in the order of the SHA-256 of the change's name, a zero byte and the customer's name, so
/// that nobody picks them and a rollout of another change does not begin with the same ones.
#[must_use]
pub fn next_wave(
    change: &str,
    waves: &[Wave],
    rollout: &Rollout,
    code: &Digest,
    known: &BTreeSet<Customer>,
) -> Option<NextWave> {
    let begun = rollout.waves.last().map_or(0, |wave| wave.number);
    let customers = || {
        known
            .iter()
            .filter(|lane| matches!(lane, Customer::Named(_)))
    };
    let gone = |lane: &&Customer| {
        rollout.state_for(lane, code).stage >= Stage::Live || rollout.wave_of(lane).is_some()
    };
    let able = |lane: &&Customer| {
        let state = rollout.state_for(lane, code);
        state.stage == Stage::Shadow && !state.held && !gone(lane)
    };
    let first = |count: usize| in_order(change, customers().filter(able), count);
    let left = waves
        .iter()
        .zip(1_u32..)
        .filter(|(_, number)| *number > begun);
    left.map(|(wave, number)| match wave {
        Wave::Customers(named) => NextWave {
            number,
            lanes: named.iter().filter(|lane| !gone(lane)).cloned().collect(),
            all: false,
        },
        Wave::More(count) => NextWave {
            number,
            lanes: first(*count as usize),
            all: false,
        },
        Wave::Share(share) if *share >= 1.0 => NextWave {
            number,
            lanes: known.clone(),
            all: true,
        },
        Wave::Share(share) => {
            let wanted = (share * customers().count() as f64).ceil() as usize;
            let missing = wanted.saturating_sub(customers().filter(gone).count());
            NextWave {
                number,
                lanes: first(missing),
                all: false,
            }
        }
    })
    .find(|wave| wave.all || !wave.lanes.is_empty())
}

fn in_order<'a>(
    change: &str,
    customers: impl Iterator<Item = &'a Customer>,
    count: usize,
) -> BTreeSet<Customer> {
    let place = |lane: &Customer| Digest::of_bytes(format!("{change}\0{lane}").as_bytes());
    let mut customers: Vec<&Customer> = customers.collect();
    customers.sort_by_cached_key(|lane| place(lane));
    customers.into_iter().take(count).cloned().collect()
}

/// A wave that has begun, for a run: who of it is live, and how many fell before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LiveWave {
    /// Its place in the policy, from one.
    pub number: u32,
    /// Who went with it; `None` means everybody who was in no wave before.
    pub lanes: Option<BTreeSet<Customer>>,
    /// Those who fell back since it began and are not live.
    pub fallen: BTreeSet<Customer>,
}

impl Rollout {
    /// The wave that a lane went with, by its position among those that have begun.
    #[must_use]
    pub fn wave_of(&self, lane: &Customer) -> Option<usize> {
        position(self.waves.iter().map(|wave| &wave.lanes), lane)
    }

    /// The waves that have begun, for a run.
    #[must_use]
    pub fn live_waves(&self) -> Vec<LiveWave> {
        let waves = self.waves.iter().enumerate();
        let live = waves.map(|(index, wave)| {
            let fell = |(lane, record): &(&Customer, &LaneRecord)| {
                let is_live = record.state.stage >= Stage::Live;
                let fell = record.fell.is_some_and(|fell| fell >= wave.at);
                fell && !is_live && self.wave_of(lane) == Some(index)
            };
            let fallen = self.lanes.iter().filter(fell);
            LiveWave {
                number: wave.number,
                lanes: wave.lanes.clone(),
                fallen: fallen.map(|(lane, _)| lane.clone()).collect(),
            }
        });
        live.collect()
    }
}

/// The wave that a lane went with, by its position in a run's waves.
#[must_use]
pub fn wave_of(waves: &[LiveWave], lane: &Customer) -> Option<usize> {
    position(waves.iter().map(|wave| &wave.lanes), lane)
}

/// The last wave is everybody who is in none before it: the first one that has a lane is its wave.
fn position<'a>(
    mut waves: impl Iterator<Item = &'a Option<BTreeSet<Customer>>>,
    lane: &Customer,
) -> Option<usize> {
    waves.position(|lanes| lanes.as_ref().is_none_or(|lanes| lanes.contains(lane)))
}

impl LiveWave {
    /// Whether all of it falls, if these customers, of all that there are, fall now.
    #[must_use]
    pub fn falls(&self, now: usize, size: usize) -> bool {
        let fallen = now + self.fallen.len();
        now > 0 && (fallen >= FALLEN_LANES || fallen * FALLEN_SHARE >= size)
    }
}

#[cfg(test)]
mod tests;
