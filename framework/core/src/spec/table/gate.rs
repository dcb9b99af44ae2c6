//! The policy of a gate.

use super::super::shape::Need::Optional;
use super::super::shape::{Key, ListOf, Section, Shape};

pub(super) static GATE: Section = Section {
    about: "The policy of a change's gate.",
    keys: &[
        Key {
            name: "clean_runs",
            about: "How many run dates in a row must be clean.",
            shape: Shape::Count {
                min: 1,
                max: 10_000,
            },
            need: Optional,
        },
        Key {
            name: "evidence_max_age",
            about: "How long ago the newest of them may have been judged; by default `48h`.",
            shape: Shape::Duration { min_secs: 1 },
            need: Optional,
        },
        Key {
            name: "soak",
            about: "For how long they must have been clean, such as `24h`.",
            shape: Shape::Duration { min_secs: 0 },
            need: Optional,
        },
        Key {
            name: "min_rows",
            about: "The rows of a lane that the streak must have compared.",
            shape: Shape::Count {
                min: 1,
                max: 1_000_000_000_000,
            },
            need: Optional,
        },
        Key {
            name: "expected_rows",
            about: "The share of a lane's old rows that may differ as expected, such as `5%`.",
            shape: Shape::Percentage,
            need: Optional,
        },
        Key {
            name: "max_runtime_ratio",
            about: "How many times as long as the old version the new one may take; under ten seconds nothing is asked.",
            shape: Shape::Ratio,
            need: Optional,
        },
        Key {
            name: "max_memory_ratio",
            about: "How many times the old version's memory the new one may take; under ten seconds nothing is asked.",
            shape: Shape::Ratio,
            need: Optional,
        },
        Key {
            name: "weekdays",
            about: "The days of the week that must be among the clean run dates.",
            shape: Shape::List(&ListOf {
                of: Shape::Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
                noun: "day",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "month_end",
            about: "Whether the last day of a month must be among the clean run dates.",
            shape: Shape::True,
            need: Optional,
        },
        Key {
            name: "approvals",
            about: "How many people, other than who moves it, must have approved of the evidence.",
            shape: Shape::Count { min: 1, max: 100 },
            need: Optional,
        },
        Key {
            name: "waves",
            about: "Who goes live one after the other with `flip --next`: lists of customers, numbers of them, or the share of all that has gone then.",
            shape: Shape::List(&ListOf {
                of: Shape::Wave(&ListOf {
                    of: Shape::Verbatim,
                    noun: "customer",
                    may_be_empty: false,
                }),
                noun: "wave",
                may_be_empty: false,
            }),
            need: Optional,
        },
        Key {
            name: "min_age",
            about: "For how long every lane must have been live before the change is complete; by default `7d`.",
            shape: Shape::Duration { min_secs: 0 },
            need: Optional,
        },
    ],
    one_of: None,
};
