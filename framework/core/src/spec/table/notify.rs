//! Who is told of runs.

use super::super::shape::Need::{Optional, Required};
use super::super::shape::{Key, ListOf, OneOf, Section, Shape};

pub(super) static NOTIFY: Section = Section {
    about: "Somebody who is told of runs.",
    keys: &[
        Key {
            name: "webhook",
            about: "A server that takes a signed message for each piece of news.",
            shape: Shape::Section(&WEBHOOK),
            need: Optional,
        },
        Key {
            name: "openlineage",
            about: "Somebody who collects OpenLineage run events.",
            shape: Shape::Section(&OPENLINEAGE),
            need: Optional,
        },
    ],
    one_of: Some(&OneOf {
        keys: &["webhook", "openlineage"],
        unless: None,
        none: "names nobody",
        several: "names two",
        fix: "write one of `webhook: { url: … }` and `openlineage: { url: …, namespace: … }`",
    }),
};

static WEBHOOK: Section = Section {
    about: "A server that takes JSON by POST.",
    keys: &[
        URL,
        Key {
            name: "secret",
            about: "The key of the signature, best as `${env:NAME}` or `${file:path}`; without it, messages are not signed.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "on",
            about: "The news that it hears; by default unexpected, inconclusive, alert and live_failed.",
            shape: Shape::List(&ListOf {
                of: Shape::Word(&[
                    "identical",
                    "expected",
                    "inconclusive",
                    "unexpected",
                    "alert",
                    "live_failed",
                ]),
                noun: "piece of news",
                may_be_empty: false,
            }),
            need: Optional,
        },
        ALLOW_PRIVATE,
    ],
    one_of: None,
};

static OPENLINEAGE: Section = Section {
    about: "Where OpenLineage run events go.",
    keys: &[
        Key {
            need: Optional,
            ..URL
        },
        Key {
            name: "file",
            about: "A file to which each event is added as a line; its path begins at the pipeline file's folder.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "namespace",
            about: "The namespace of jobs and datasets.",
            shape: Shape::Text,
            need: Required,
        },
        ALLOW_PRIVATE,
    ],
    one_of: Some(&OneOf {
        keys: &["url", "file"],
        unless: None,
        none: "says nowhere",
        several: "says two places",
        fix: "write one of `url: …` and `file: …`",
    }),
};

const URL: Key = Key {
    name: "url",
    about: "Its URL, `https://…`; best as `${env:NAME}` or `${file:path}` where it has a secret in it.",
    shape: Shape::Text,
    need: Required,
};

const ALLOW_PRIVATE: Key = Key {
    name: "allow_private",
    about: "Whether it may be at an address that is not public, and be asked without TLS.",
    shape: Shape::True,
    need: Optional,
};
