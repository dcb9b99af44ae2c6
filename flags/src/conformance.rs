//! What every provider has to keep to. A provider's tests call [`hold`] with a way to make one.

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::customer::Customer;
use understudy_core::stage::{LaneStages, Stage, Stages};

use crate::{Asked, FlagAnswer, FlagProvider, Said, Telling, Towards};

/// The flags that a provider must have before [`hold`] is called, where flags have to be made.
pub const FLAGS: [&str; 2] = ["first", "second.one"];

/// Holds a provider against every law, and says which one it breaks.
///
/// `make` gives a provider over the same flags each time: what one was told, the next one must say. A provider whose
/// flags have to be made has [`FLAGS`], each a flag that says `shadow` for everybody.
///
/// # Panics
/// It breaks a law.
pub fn hold(make: impl Fn() -> Box<dyn FlagProvider>) {
    what_is_told_is_said(&make);
    other_flags_stay(&make);
    the_same_again_changes_nothing(&make);
    a_rehearsal_moves_nobody(&make);
    everybody_and_names_that_look_like_something_else(&make);
}

fn stages(lanes: &[(&str, Stage)], unlisted: Stage) -> LaneStages {
    LaneStages {
        lanes: lanes
            .iter()
            .map(|(lane, stage)| (Customer::Named((*lane).to_owned()), *stage))
            .collect(),
        unlisted,
    }
}

/// The customers that there are: a provider that keeps hashes knows no others.
fn people() -> BTreeSet<Customer> {
    let named = ["acme", "bolt", "corp"].map(|name| Customer::Named(name.to_owned()));
    named.into()
}

/// What a provider says of the flags, as an answer for every lane that is asked for.
fn said(provider: &dyn FlagProvider, flag: &str, held: &LaneStages) -> Option<LaneStages> {
    let asked = Asked {
        flag: flag.to_owned(),
        held: held.clone(),
        customers: people(),
        last_version: None,
    };
    match provider
        .snapshot(&[asked])
        .expect("a provider that is up answers")
    {
        FlagAnswer::Silent => None,
        FlagAnswer::Said(Said { stages, doubts, .. }) => {
            assert!(
                doubts.is_empty(),
                "a flag that it was told is in no doubt: {doubts:?}"
            );
            let Stages(stages) = stages;
            stages.get(flag).cloned()
        }
    }
}

fn tell(provider: &dyn FlagProvider, flag: &str, stages: &LaneStages) {
    let telling = Telling {
        flag,
        stages,
        customers: &people(),
        why: "conformance",
        marker: None,
        towards: Towards::New,
        hurry: false,
    };
    let told = provider
        .tell(&telling)
        .expect("a provider that is up can be told");
    assert!(told.confirmed, "whoever reads sees it: {told:?}");
}

/// The same answers for these lanes, and for everybody else.
fn assert_same(said: Option<&LaneStages>, told: &LaneStages) {
    let said = said.expect("what was told is said");
    assert_eq!(said.unlisted, told.unlisted, "everybody else: {said:?}");
    let lanes = said.lanes.keys().chain(told.lanes.keys());
    let differ: BTreeMap<_, _> = lanes
        .filter(|lane| said.of(lane) != told.of(lane))
        .map(|lane| (lane.label(), (said.of(lane), told.of(lane))))
        .collect();
    assert!(differ.is_empty(), "said and told differ: {differ:?}");
}

fn what_is_told_is_said(make: &impl Fn() -> Box<dyn FlagProvider>) {
    let [flag, _] = FLAGS;
    for told in [
        stages(&[("acme", Stage::Live)], Stage::Shadow),
        stages(
            &[
                ("acme", Stage::Live),
                ("bolt", Stage::Live),
                ("corp", Stage::Off),
            ],
            Stage::Shadow,
        ),
        stages(&[("acme", Stage::Shadow)], Stage::Live),
        stages(&[], Stage::Complete),
        stages(&[], Stage::Off),
        stages(&[("bolt", Stage::Live)], Stage::Off),
        stages(&[], Stage::Shadow),
    ] {
        let teller = make();
        tell(&*teller, flag, &told);
        assert_same(said(&*teller, flag, &told).as_ref(), &told);
        // Somebody who comes later hears the same.
        assert_same(said(&*make(), flag, &told).as_ref(), &told);
    }
}

fn other_flags_stay(make: &impl Fn() -> Box<dyn FlagProvider>) {
    let [first, second] = FLAGS;
    let one = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let other = stages(&[("bolt", Stage::Live)], Stage::Off);
    tell(&*make(), first, &one);
    tell(&*make(), second, &other);
    assert_same(said(&*make(), first, &one).as_ref(), &one);
    assert_same(said(&*make(), second, &other).as_ref(), &other);
}

fn the_same_again_changes_nothing(make: &impl Fn() -> Box<dyn FlagProvider>) {
    let [flag, _] = FLAGS;
    let told = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let provider = make();
    let tell_again = || {
        let telling = Telling {
            flag,
            stages: &told,
            customers: &people(),
            why: "conformance",
            marker: None,
            towards: Towards::Old,
            hurry: true,
        };
        provider
            .tell(&telling)
            .expect("to tell it again is safe")
            .version
    };
    assert_eq!(
        tell_again(),
        tell_again(),
        "a flag that is so already stays as it is"
    );
}

fn a_rehearsal_moves_nobody(make: &impl Fn() -> Box<dyn FlagProvider>) {
    let [flag, _] = FLAGS;
    let provider = make();
    let before = stages(&[("acme", Stage::Live)], Stage::Shadow);
    let wanted = stages(&[("acme", Stage::Live), ("bolt", Stage::Live)], Stage::Live);
    tell(&*provider, flag, &before);
    let telling = Telling {
        flag,
        stages: &wanted,
        customers: &people(),
        why: "conformance",
        marker: None,
        towards: Towards::New,
        hurry: false,
    };
    provider
        .rehearse(&telling, &before)
        .expect("what can be told can be rehearsed");
    assert_same(said(&*make(), flag, &wanted).as_ref(), &before);
}

fn everybody_and_names_that_look_like_something_else(make: &impl Fn() -> Box<dyn FlagProvider>) {
    let [_, flag] = FLAGS;
    let told = stages(
        &[
            ("NO", Stage::Live),
            ("007", Stage::Live),
            ("*unlisted* ", Stage::Off),
            ("Zoë Ünïcode 株式会社", Stage::Live),
            ("a/b?c=d&e%20\"f\"\\g: {h}", Stage::Live),
            ("true", Stage::Off),
        ],
        Stage::Shadow,
    );
    tell(&*make(), flag, &told);
    let heard = said(&*make(), flag, &told);
    assert_same(heard.as_ref(), &told);
    let heard = heard.expect("what was told is said");
    for nobody in [
        Customer::Null,
        Customer::Named("nobody".to_owned()),
        Customer::Everybody,
    ] {
        assert_eq!(heard.of(&nobody), Stage::Shadow, "{nobody:?}");
    }
}
