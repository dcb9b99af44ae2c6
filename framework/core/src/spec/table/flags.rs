//! Where stages of lanes come from.

use super::super::shape::Need::{Optional, Required};
use super::super::shape::{Key, Section, Shape};
use crate::spec::model::{LaunchDarklyMode, LaunchDarklyRegion};

/// Its keys beside `provider` are LaunchDarkly's; who reads them says where they do not belong.
pub(super) static FLAGS: Section = Section {
    about: "Where stages of lanes come from.",
    keys: &[
        Key {
            name: "provider",
            about: "`file`: the file `flags.yaml` beside the pipeline file. `launchdarkly`: string flags whose variations are the stages.",
            shape: Shape::Word(&["file", "launchdarkly"]),
            need: Required,
        },
        Key {
            name: "sdk_key",
            about: "LaunchDarkly: the environment's server-side SDK key, as `${env:NAME}` or `${file:path}`.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "api_token",
            about: "LaunchDarkly: a token that may edit the flags, as `${env:NAME}` or `${file:path}`; needed only to move lanes.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "project",
            about: "LaunchDarkly: the key of the project, for moving.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "environment",
            about: "LaunchDarkly: the key of the environment, for moving.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "mode",
            about: "LaunchDarkly: `streaming` (the default) hears of changes at once, `polling` asks every 30 s.",
            shape: Shape::Word(LaunchDarklyMode::WORDS),
            need: Optional,
        },
        Key {
            name: "relay",
            about: "LaunchDarkly: the URL of a Relay Proxy that flags are read from.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "region",
            about: "LaunchDarkly: the instance: `us` (the default), `eu` or `federal`.",
            shape: Shape::Word(LaunchDarklyRegion::WORDS),
            need: Optional,
        },
        Key {
            name: "api",
            about: "LaunchDarkly: the URL of the REST API, where it is none of the region's.",
            shape: Shape::Text,
            need: Optional,
        },
        Key {
            name: "hash_customers",
            about: "LaunchDarkly: it is told keyed hashes in the place of customers.",
            shape: Shape::True,
            need: Optional,
        },
        Key {
            name: "wait",
            about: "LaunchDarkly: how long a command waits for the first flags; 10s by default.",
            shape: Shape::Duration { min_secs: 1 },
            need: Optional,
        },
        Key {
            name: "stale_after",
            about: "LaunchDarkly: how long nothing may arrive, heartbeats included, before what was read counts as stale; 300s by default.",
            shape: Shape::Duration { min_secs: 1 },
            need: Optional,
        },
    ],
    one_of: None,
};
